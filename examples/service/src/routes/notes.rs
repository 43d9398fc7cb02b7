//! Notes: written and read by those to whom the patient is granted.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lukko::{FieldLabel, OsRng, PatientId, RecordContext, RecordId};
use lukko_store::error::Conflict;
use lukko_store::{After, Body, Change, Error, NewRecord};

use super::api::{Listed, Made, Note, Page, Records, Text};
use super::extract::{Asked, At, Json, Precondition, Therapist, etag};
use super::patients::member;
use crate::problem::Problem;
use crate::state::clinic::Clinic;
use crate::state::patients::{NOTE, With, key, open};
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

/// A page of records. `after` is a record and its field, as in `r-1/note`.
pub(super) async fn listing(clinic: &Clinic, patient: PatientId<'_>, page: &Page) -> Result<Records, Problem> {
    let after = match &page.after {
        None => None,
        Some(after) => Some(after.rsplit_once('/').ok_or_else(|| Problem::unusable("`after` is RECORD/FIELD"))?),
    };
    let after = after.map(|(record, field)| After { record: record.as_bytes(), field: field.as_bytes() });
    let stored = clinic.database.records(clinic.id(), patient, after, page.limit()).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let listed = |record: lukko_store::Record| Listed {
        record: text(&record.record),
        field: text(&record.field),
        revision: record.revision,
    };
    let records: Vec<_> = stored.into_iter().map(listed).collect();
    let full = u32::try_from(records.len()).ok() == Some(page.limit());
    let next = records.last().filter(|_| full).map(|last| format!("{}/{}", last.record, last.field));
    Ok(Records { records, next })
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
    read_field(&door, &name, (&patient, &record, NOTE)).await
}

/// A record in one of the two fields.
pub(super) async fn read_field(
    door: &TherapistDoor,
    name: &str,
    (id, record, field): (&str, &str, &str),
) -> Result<(HeaderMap, Reply<Note>), Problem> {
    let (clinic, member) = (door.clinic(), member(door, name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(id)?);
    let place = (RecordId::new(record)?, FieldLabel::new(field)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    // First the grant, then the record: who may not read does not learn what there is.
    let key = key(&vault, patient, &rows, With::Member(member))?;
    let stored = clinic.database.record(clinic.id(), patient, place.0, place.1).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("this patient has no such record"))?;
    let opened = open(&vault, &rows, (key, With::Member(member)), (patient, place.0, place.1), &stored)?;
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
    let sealed = vault.seal(&key, &context, text.as_bytes(), &mut OsRng)?;
    let new = NewRecord {
        patient,
        record: place.0,
        field: place.1,
        revision: revision.get(),
        card: key.card(),
        body: Body::Sealed(&sealed),
        expect,
    };
    apply(clinic, place, patient, Change::Record(new)).await?;
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
    apply(clinic, (record, field), patient, Change::Delete { patient, record, field, revision }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a change of one record. A writer who was overtaken is told the revision that is stored now.
pub(super) async fn apply(
    clinic: &Clinic,
    (record, field): (RecordId<'_>, FieldLabel<'_>),
    patient: PatientId<'_>,
    change: Change<'_>,
) -> Result<(), Problem> {
    match clinic.database.apply(clinic.id(), &[change]).await {
        Err(Error::Conflict(Conflict::Record)) => {
            let stored = clinic.database.record(clinic.id(), patient, record, field).await?;
            Err(Problem::stale_revision(match stored {
                Some(stored) => format!("revision {} is stored", stored.revision),
                None => "the record is not stored, or not any more".to_owned(),
            }))
        }
        other => Ok(other?),
    }
}
