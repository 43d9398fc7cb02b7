//! Patients: who is granted to whom.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lukko::{Enroller, KeyFingerprint, Member, MemberKey, OsRng, PatientId, Roles, Status, VerifiedRoster, random_id};
use lukko_store::{Change, NewGrant, enrolment};

use super::api::{Enrolled, Page, Patients};
use super::cursor;
use super::extract::{Asked, At, Therapist};
use crate::problem::Problem;
use crate::state::patients::{With, key};
use crate::state::{HasClinic, TherapistDoor};

/// The patients that are granted to the caller, page by page.
#[utoipa::path(get, path = "/patients", params(Page), security(("token" = [])), responses(
    (status = 200, body = Patients),
    (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    Asked(page): Asked<Page>,
) -> Result<Json<Patients>, Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let vault = clinic.vault().await?;
    if vault.roster().member(member.fingerprint())?.status() != Status::Active {
        return Err(Problem::refused_member("your key is not active any more"));
    }
    let after = page.after.as_deref().map(cursor::parse::<1>).transpose()?;
    let after = after.as_ref().map(|[id]| id.as_slice());
    let ids = clinic.database.patients(clinic.id(), after, page.limit()).await?;
    let full = u32::try_from(ids.len()).ok() == Some(page.limit());
    let next = ids.last().filter(|_| full).map(|id| cursor::behind([id]));
    let mut patients = Vec::new();
    // One look for each id. A clinic with many patients keeps a list by therapist, which the vault does not have.
    for id in ids {
        let rows = clinic.database.patient(clinic.id(), PatientId::new(&id)?).await?;
        let granted = rows.current.is_some_and(|card| rows.grant(card, member.fingerprint()).is_some());
        if granted {
            patients.push(cursor::shown(&id));
        }
    }
    Ok(Json(Patients { patients, next }))
}

/// Enrols a new patient, and grants it to the caller.
#[utoipa::path(post, path = "/patients", security(("token" = [])), responses(
    (status = 201, body = Enrolled),
    (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn enrol(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
) -> Result<(StatusCode, Json<Enrolled>), Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let vault = clinic.vault().await?;
    let id = random_id(&mut OsRng)?;
    let patient = PatientId::new(&id)?;
    let enrolled = vault.enrol(Enroller::Member(member), patient, &mut OsRng)?;
    let grants = [vault.grant(&enrolled.key, member.fingerprint(), &mut OsRng)?];
    let changes = enrolment(patient, vault.descriptor().generation(), &enrolled, &grants)?;
    clinic.database.apply(clinic.id(), &changes).await?;
    Ok((StatusCode::CREATED, Json(Enrolled { patient: id })))
}

/// Grants a patient of the caller's to a colleague.
#[utoipa::path(put, path = "/patients/{patient}/readers/{member}", security(("token" = [])),
    params(("patient" = String, Path), ("member" = String, Path, description = "The colleague's member id")),
    responses(
        (status = 204, description = "Granted, now or before"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn grant(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((id, colleague)): At<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let key = key(&vault, patient, &rows, With::Member(member))?;
    let to = reading_key(vault.roster(), &colleague)?;
    if rows.grant(key.card(), to).is_none() {
        let grant = vault.grant(&key, to, &mut OsRng)?;
        let change = Change::Grant(NewGrant::new(patient, &grant)?);
        clinic.database.apply(clinic.id(), &[change]).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The key of a therapist who signed in.
pub(super) fn member<'door>(door: &'door TherapistDoor, name: &str) -> Result<&'door MemberKey, Problem> {
    door.member(name).ok_or_else(|| Problem::refused_member("this process does not hold your key"))
}

/// The active key of a member by id: the one with the role `read`, if the member has keys for other roles too.
fn reading_key(roster: &VerifiedRoster, id: &str) -> Result<KeyFingerprint, Problem> {
    let active = |member: &&Member| member.status() == Status::Active && member.entry().id() == id.as_bytes();
    let found = roster.members().filter(active).max_by_key(|member| member.roles().contains(Roles::READ));
    found.map(|member| member.entry().fingerprint()).ok_or_else(|| Problem::not_found("no active member of this id"))
}
