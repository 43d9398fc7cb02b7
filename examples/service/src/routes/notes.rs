//! Notes: written and read by those to whom the patient is granted.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lukko::{FieldLabel, OsRng, PatientId, RecordContext, RecordId};
use lukko_store::error::Conflict;
use lukko_store::{After, Change, Error, NewRecord, Sealed};

use super::api::{Listed, Made, Note, Page, Records, Text};
use super::cursor;
use super::extract::{Asked, At, Json, Precondition, Therapist, etag};
use super::patients::member;
use crate::problem::Problem;
use crate::state::clinic::Clinic;
use crate::state::patients::{Holds, INTAKE, NOTE, With, key, open};
use crate::state::{HasClinic, TherapistDoor};

/// The records of a patient, unopened, page by page.
#[utoipa::path(get, path = "/patients/{patient}/notes", params(("patient" = String, Path), Page), security(("token" = [])),
    responses(
        (status = 200, body = Records),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At(id): At<String>,
    Asked(page): Asked<Page>,
) -> Result<Reply<Records>, Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    key(&vault, patient, &rows, With::Member(member))?;
    listing(clinic, patient, &page).await.map(Reply)
}

/// A page of records.
pub(super) async fn listing(clinic: &Clinic, patient: PatientId<'_>, page: &Page) -> Result<Records, Problem> {
    let after = page.after.as_deref().map(cursor::parse::<2>).transpose()?;
    let after = after.as_ref().map(|[record, field]| After { record, field });
    let stored = clinic.database.records(clinic.id(), patient, after, page.limit()).await?;
    let full = u32::try_from(stored.len()).ok() == Some(page.limit());
    let next = stored.last().filter(|_| full).map(|last| cursor::behind([&last.record, &last.field]));
    let listed = |record: lukko_store::Record| Listed {
        record: cursor::shown(&record.record),
        field: cursor::shown(&record.field),
        revision: record.revision,
    };
    Ok(Records { records: stored.into_iter().map(listed).collect(), next })
}

/// One note.
#[utoipa::path(get, path = "/patients/{patient}/notes/{record}", security(("token" = [])),
    params(("patient" = String, Path), ("record" = String, Path)),
    responses(
        (status = 200, body = Note, headers(("ETag" = String, description = "The revision"))),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((patient, record)): At<(String, String)>,
) -> Result<(HeaderMap, Reply<Note>), Problem> {
    read_place(&door, &name, (&patient, &record, NOTE), Holds::Note).await
}

/// A record in its place.
pub(super) async fn read_place(
    door: &TherapistDoor,
    name: &str,
    (id, record, field): (&str, &str, &str),
    holds: Holds,
) -> Result<(HeaderMap, Reply<Note>), Problem> {
    let (clinic, member) = (door.clinic(), member(door, name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(id)?);
    let place = (RecordId::new(record)?, FieldLabel::new(field)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    // First the grant, then the record: who may not read does not learn what there is.
    let key = key(&vault, patient, &rows, With::Member(member))?;
    let stored = clinic.database.record(clinic.id(), patient, place.0, place.1).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("this patient has no such record"))?;
    let opened = open(&vault, &rows, (key, With::Member(member)), (patient, place.0, place.1), (holds, &stored))?;
    let note = Note::new(record, &opened, vault.roster())?;
    Ok((etag(note.revision), Reply(note)))
}

/// Writes a note: a new one with `If-None-Match: *`, or the next revision with `If-Match`.
#[utoipa::path(put, path = "/patients/{patient}/notes/{record}", security(("token" = [])), request_body = Text,
    params(
        ("patient" = String, Path), ("record" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that is replaced"),
        ("If-None-Match" = Option<String>, Header, description = "`*` for a new note"),
    ),
    responses(
        (status = 200, body = Made, headers(("ETag" = String, description = "The revision"))),
        (status = 201, body = Made, headers(("ETag" = String, description = "The revision"))),
        (status = 409, description = "Somebody else was there first", body = Problem,
            content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn write(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((id, record)): At<(String, String)>,
    precondition: Precondition,
    Json(Text { text }): Json<Text>,
) -> Result<(StatusCode, HeaderMap, Reply<Made>), Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let place = (RecordId::new(&record)?, FieldLabel::new(NOTE)?);
    let (status, expect, revision) = precondition.of_write()?;
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let key = key(&vault, patient, &rows, With::Member(member))?;
    let context = RecordContext::new(place.0, place.1, revision);
    let sealed = Sealed::note(&vault, &key, &context, text.as_bytes(), &mut OsRng)?;
    apply(clinic, place.1, Change::Record(NewRecord::new(&sealed, expect))).await?;
    let revision = revision.get();
    Ok((status, etag(revision), Reply(Made { record, revision })))
}

/// Deletes a note at the revision that the caller has seen.
#[utoipa::path(delete, path = "/patients/{patient}/notes/{record}", security(("token" = [])),
    params(
        ("patient" = String, Path), ("record" = String, Path),
        ("If-Match" = String, Header, description = "The ETag of the revision that is deleted"),
    ),
    responses(
        (status = 204, description = "Deleted, now or before"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((id, record)): At<(String, String)>,
    precondition: Precondition,
) -> Result<StatusCode, Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let (record, field) = (RecordId::new(&record)?, FieldLabel::new(NOTE)?);
    let Precondition::Revision(revision) = precondition else {
        return Err(Problem::no_precondition("`If-Match` says which revision is deleted"));
    };
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    key(&vault, patient, &rows, With::Member(member))?;
    apply(clinic, field, Change::Delete { patient, record, field, revision }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a change of one record. A writer who was overtaken is told the revision that is stored now.
pub(super) async fn apply(clinic: &Clinic, field: FieldLabel<'_>, change: Change<'_>) -> Result<(), Problem> {
    match clinic.database.apply(clinic.id(), &[change]).await {
        Err(Error::Conflict(Conflict::Record { stored })) => Err(match stored {
            // Only deposits have revision 0.
            Some(0) if field.as_bytes() != INTAKE.as_bytes() => {
                Problem::misplaced("what was put in this place is none of its revisions; it has the ETag \"0\"")
            }
            Some(revision) => Problem::stale_revision(format!("revision {revision} is stored")),
            None => Problem::stale_revision("the record is not stored, or not any more"),
        }),
        other => Ok(other?),
    }
}
