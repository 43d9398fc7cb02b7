//! Deposits: the front end leaves them, therapists read them and take them over.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lukko::error::Usage;
use lukko::{FieldLabel, OsRng, Padding, PatientId, RecordId};
use lukko_store::{Body, Change, Expect, NewRecord, Sealed, StoredBody};

use super::api::{Made, Note, Text};
use super::extract::{At, FrontEnd, Json, Therapist};
use super::notes::{apply, read_place};
use super::patients::member;
use crate::problem::Problem;
use crate::state::patients::{Holds, INTAKE, With, card, key, refused};
use crate::state::{HasClinic, IntakeDoor, TherapistDoor};

/// Leaves a text for those who treat a patient. Nobody at this door can read it again.
#[utoipa::path(post, path = "/patients/{patient}/deposits", security(("token" = [])), request_body = Text,
    params(("patient" = String, Path)),
    responses(
        (status = 201, body = Made),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn deposit(
    State(door): State<Arc<IntakeDoor>>,
    _: FrontEnd,
    At(id): At<String>,
    Json(Text { text }): Json<Text>,
) -> Result<(StatusCode, Reply<Made>), Problem> {
    let clinic = door.clinic();
    let (vault, patient, field) = (clinic.vault().await?, PatientId::new(&id)?, FieldLabel::new(INTAKE)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let met = door.card(patient.as_bytes());
    let card = card(&vault, patient, &rows, met)?;
    door.remember(patient.as_bytes(), met, card.id());
    let deposit = Sealed::deposit(&vault, &card, door.writer(), field, Padding::Padme, text.as_bytes(), &mut OsRng)?;
    clinic.database.apply(clinic.id(), &[Change::Record(NewRecord::new(&deposit, Expect::Absent))]).await?;
    let record = String::from_utf8_lossy(deposit.record()).into_owned();
    Ok((StatusCode::CREATED, Reply(Made { record, revision: 0 })))
}

/// One deposit, with the name of its author.
#[utoipa::path(get, path = "/patients/{patient}/deposits/{record}", security(("token" = [])),
    params(("patient" = String, Path), ("record" = String, Path)),
    responses(
        (status = 200, body = Note),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((patient, record)): At<(String, String)>,
) -> Result<(HeaderMap, Reply<Note>), Problem> {
    let holds = if door.taken_over.has(&patient, &record) { Holds::TakenOver } else { Holds::Deposit };
    read_place(&door, &name, (&patient, &record, INTAKE), holds).await
}

/// Takes a deposit over: from then on its author, who once knew its key, cannot alter it, and a theft of the front end's
/// key puts it in no doubt. This door remembers it, so that no other deposit counts in the same place.
#[utoipa::path(post, path = "/patients/{patient}/deposits/{record}/take-over", security(("token" = [])),
    params(("patient" = String, Path), ("record" = String, Path)),
    responses(
        (status = 204, description = "Taken over, now or before"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn take_over(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((id, record)): At<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let name = record;
    let (record, field) = (RecordId::new(&name)?, FieldLabel::new(INTAKE)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let key = key(&vault, patient, &rows, With::Member(member))?;
    let stored = clinic.database.record(clinic.id(), patient, record, field).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("this patient has no such deposit"))?;
    let StoredBody::Sealed(bytes) = &stored.body else { return Err(Problem::not_found("this is an attachment")) };
    match vault.open_absorbed(&key, record, field, bytes) {
        // It was done before, through another door, or by a re-key.
        Ok(_) => {}
        Err(lukko::Error::Usage(Usage::NotTakenOver)) if !door.taken_over.has(&id, &name) => {
            if let Some(absorbed) = Sealed::absorbed(&vault, &key, (record, field), bytes, &mut OsRng)? {
                let expect = Expect::Body(Body::Sealed(bytes));
                apply(clinic, field, Change::Record(NewRecord::new(&absorbed, expect))).await?;
            }
        }
        Err(error) => return Err(refused(error, Holds::TakenOver, stored.revision)),
    }
    door.taken_over.remember(&id, &name).map_err(|error| {
        tracing::error!(%error, "what was taken over cannot be remembered");
        Problem::unavailable("it is taken over, and this door could not note it down")
    })?;
    Ok(StatusCode::NO_CONTENT)
}
