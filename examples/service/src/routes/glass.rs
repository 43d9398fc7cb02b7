//! The glass: custodians open it, a therapist reads while it is open, and all of it is logged.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lukko::{FieldLabel, Member, PatientId, RecordId, Roles, Share, Status, Vault};

use super::api::{GlassStatus, Note, Page, Records, ShareText};
use super::extract::{Asked, At, AtTheGlass, Custodian, Json, Therapist, etag};
use super::notes::listing;
use crate::problem::Problem;
use crate::state::glass::{Refusal, Standing};
use crate::state::openings::Event;
use crate::state::patients::{Holds, INTAKE, NOTE, With, key, open};
use crate::state::{GlassDoor, HasClinic};

/// How the glass stands: how many shares were given, and never which.
#[utoipa::path(get, path = "/glass", security(("token" = [])), responses(
    (status = 200, body = GlassStatus),
    (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn status(State(door): State<Arc<GlassDoor>>, _: AtTheGlass) -> Result<Reply<GlassStatus>, Problem> {
    let vault = door.clinic().vault().await?;
    door.settle();
    Ok(reply(door.glass.standing(), vault.descriptor().k()))
}

/// Gives one share. With the k-th the glass is open.
#[utoipa::path(post, path = "/glass/shares", security(("token" = [])), request_body = ShareText, responses(
    (status = 200, body = GlassStatus),
    (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn share(
    State(door): State<Arc<GlassDoor>>,
    Custodian(who): Custodian,
    Json(ShareText { share }): Json<ShareText>,
) -> Result<Reply<GlassStatus>, Problem> {
    let vault = door.clinic().vault().await?;
    door.settle();
    let who = who.as_str();
    let given = Share::from_text(&share).map_err(Refusal::Share).and_then(|share| {
        let index = share.index();
        door.glass.give(vault.descriptor(), who, share).map(|standing| (index, standing))
    });
    match given {
        Ok((share, standing)) => {
            door.openings.note_or_complain(Event::Share { who, share });
            if standing.open {
                door.openings.note_or_complain(Event::Opened { who });
            }
            Ok(reply(standing, vault.descriptor().k()))
        }
        Err(Refusal::Open) => Err(Problem::glass_open("no further share is needed")),
        Err(Refusal::Share(error)) => {
            door.openings.note_or_complain(Event::ShareRefused { who });
            // It names the share and the fault, and holds nothing of the share's value.
            Err(Problem::share_refused(error.to_string()))
        }
    }
}

/// Closes the glass before its time. While shares wait, takes the caller's own back and leaves those of others.
#[utoipa::path(delete, path = "/glass", security(("token" = [])), responses(
    (status = 204, description = "Closed, or the caller's shares are gone, now or before"),
    (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn close(State(door): State<Arc<GlassDoor>>, Custodian(who): Custodian) -> StatusCode {
    door.withdraw(&who);
    StatusCode::NO_CONTENT
}

/// The records of any patient, while the glass is open.
#[utoipa::path(get, path = "/glass/patients/{patient}", params(("patient" = String, Path), Page), security(("token" = [])),
    responses(
        (status = 200, body = Records),
        (status = 423, description = "The glass is closed", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(door): State<Arc<GlassDoor>>,
    Therapist(who): Therapist,
    At(id): At<String>,
    Asked(page): Asked<Page>,
) -> Result<Reply<Records>, Problem> {
    let clinic = door.clinic();
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    require_reader(&vault, &who)?;
    require_open(&door)?;
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    note(&door, Event::List { who: &who, patient: &id })?;
    lend(&door, |with| key(&vault, patient, &rows, with))?;
    listing(clinic, patient, &page).await.map(Reply)
}

/// One record of any patient, while the glass is open.
#[utoipa::path(get, path = "/glass/patients/{patient}/{kind}/{record}", security(("token" = [])),
    params(
        ("patient" = String, Path), ("record" = String, Path),
        ("kind" = String, Path, description = "`notes` or `deposits`, as at the therapists' door"),
    ),
    responses(
        (status = 200, body = Note),
        (status = 423, description = "The glass is closed", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read(
    State(door): State<Arc<GlassDoor>>,
    Therapist(who): Therapist,
    At((id, kind, record)): At<(String, String, String)>,
) -> Result<(HeaderMap, Reply<Note>), Problem> {
    let (field, holds) = match kind.as_str() {
        "notes" => (NOTE, Holds::Note),
        "deposits" => (INTAKE, Holds::Deposit),
        _ => return Err(Problem::not_found("there are `notes` and `deposits`")),
    };
    let clinic = door.clinic();
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let place = (RecordId::new(&record)?, FieldLabel::new(field)?);
    require_reader(&vault, &who)?;
    require_open(&door)?;
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let stored = clinic.database.record(clinic.id(), patient, place.0, place.1).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("this patient has no such record"))?;
    note(&door, Event::Read { who: &who, patient: &id, record: &record, field })?;
    let opened = lend(&door, |with| {
        let key = key(&vault, patient, &rows, with)?;
        open(&vault, &rows, (key, with), (patient, place.0, place.1), (holds, &stored))
    })?;
    let note = Note::new(&record, &opened, vault.roster())?;
    Ok((etag(note.revision), Reply(note)))
}

/// The master key opens everything, so that the roster must be asked here whether this person may still read.
fn require_reader(vault: &Vault, who: &str) -> Result<(), Problem> {
    let reads = |member: &Member| {
        let active = member.status() == Status::Active && member.roles().contains(Roles::READ);
        active && member.entry().id() == who.as_bytes()
    };
    if vault.roster().members().any(reads) {
        return Ok(());
    }
    Err(Problem::refused_member("your key is not active any more, or does not read"))
}

/// Refused before anything is read from the database: a closed glass says nothing about patients.
fn require_open(door: &GlassDoor) -> Result<(), Problem> {
    door.settle();
    if door.glass.standing().open { Ok(()) } else { Err(closed()) }
}

/// Does something with the master key, if the glass is still open.
fn lend<T>(door: &GlassDoor, work: impl FnOnce(With<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
    door.glass.lend(|master| work(With::Master(master))).ok_or_else(closed)?
}

/// Nothing is read that is not on disk in the log before.
fn note(door: &GlassDoor, event: Event<'_>) -> Result<(), Problem> {
    door.openings.note(event).map_err(|error| {
        tracing::error!(%error, "the log of openings cannot be written, and nothing is read");
        Problem::unavailable("the log of openings cannot be written")
    })
}

fn closed() -> Problem {
    Problem::glass_closed("there is no quorum, or its time is over")
}

fn reply(standing: Standing, needed: u8) -> Reply<GlassStatus> {
    let Standing { open, shares, left } = standing;
    // A part of a second counts as one: what is open never says zero.
    let seconds_left = left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0));
    Reply(GlassStatus { open, shares_given: shares, shares_needed: needed, seconds_left })
}
