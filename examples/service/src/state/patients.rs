//! From a patient's rows to an open key, for whoever may have it.

use lukko::error::{Untrusted, Usage};
use lukko::{
    Card, CardId, FieldLabel, GrantKey, MasterKey, MemberKey, Opened, PatientId, PatientKey, Place, RecordId, Vault,
};
use lukko_store::{Patient, Record, StoredBody};

use crate::problem::Problem;

/// The field in which therapists write.
pub(crate) const NOTE: &str = "note";
/// The field into which the front end deposits.
pub(crate) const INTAKE: &str = "intake";
/// The field of files.
pub(crate) const ATTACHMENT: &str = "attachment";

/// With which key a patient is opened.
#[derive(Clone, Copy)]
pub(crate) enum With<'a> {
    Member(&'a MemberKey),
    Master(&'a MasterKey),
}

/// Verifies the patient's card.
pub(crate) fn card(
    vault: &Vault,
    patient: PatientId<'_>,
    rows: &Patient,
    expect: Option<CardId>,
) -> Result<Card, Problem> {
    let cards = rows.card_bytes();
    let stored = rows.stored(vault.descriptor().generation(), &cards);
    let stored = stored.ok_or_else(|| Problem::not_found("no such patient"))?;
    Ok(vault.card(patient, &stored, expect)?)
}

/// Opens the key of the current card. A member without a grant is told the same as for a patient that does not exist.
pub(crate) fn key(
    vault: &Vault,
    patient: PatientId<'_>,
    rows: &Patient,
    with: With<'_>,
) -> Result<PatientKey, Problem> {
    match with {
        With::Member(member) => {
            let current = rows.current.and_then(|card| rows.grant(card, member.fingerprint()));
            let grant = current.ok_or_else(|| Problem::not_granted("or there is no such patient"))?;
            Ok(vault.open_grant(&card(vault, patient, rows, None)?, member, grant)?)
        }
        With::Master(master) => Ok(vault.break_glass(&card(vault, patient, rows, None)?, master)?),
    }
}

/// What a place holds. The address and this door's memory say it, and never the bytes: a thief of the database chooses
/// those, and must not choose the call that opens them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// What readers seal.
    Note,
    /// A deposit. A re-key takes deposits over as it moves them, so that one that was taken over opens as well.
    Deposit,
    /// A deposit that was taken over through this door: no other deposit counts there any more.
    TakenOver,
}

/// Opens a record in its place, with the key of the current card, or of an older one from which it has not been moved yet.
pub(crate) fn open(
    vault: &Vault,
    rows: &Patient,
    (key, with): (PatientKey, With<'_>),
    (patient, record, field): (PatientId<'_>, RecordId<'_>, FieldLabel<'_>),
    (holds, stored): (Holds, &Record),
) -> Result<Opened, Problem> {
    let StoredBody::Sealed(bytes) = &stored.body else {
        return Err(Problem::not_found("this is an attachment"));
    };
    let key = key_of(vault, rows, (key, with), patient, stored.card)?;
    let opened = match holds {
        Holds::Note => vault.open(&key, Place::new(record, field), bytes),
        Holds::TakenOver => vault.open_absorbed(&key, Place::new(record, field), bytes),
        Holds::Deposit => match vault.open_deposit(&key, Place::new(record, field), bytes) {
            // Somebody has to look at it, and is told that nobody vouches for the author.
            Err(lukko::Error::Untrusted(Untrusted::Revoked(_))) => {
                vault.open_unattributed(&key, Place::new(record, field), bytes).map(lukko::Unattributed::into_inner)
            }
            opened => opened,
        },
    };
    opened.map_err(|error| refused(error, holds, stored.revision))
}

/// What the core said; a record of another kind than the place holds is refused by name.
pub(crate) fn refused(error: lukko::Error, holds: Holds, revision: u64) -> Problem {
    match error {
        lukko::Error::Usage(met @ (Usage::WrongPath { .. } | Usage::NotTakenOver)) => {
            tracing::error!(%met, ?holds, "a record of another kind was put in this place");
            Problem::misplaced(match holds {
                Holds::Note => format!("a deposit was put in the place of this note; it has the ETag \"{revision}\""),
                Holds::Deposit => "what was put in the place of this deposit is no deposit".to_owned(),
                Holds::TakenOver => {
                    "this deposit was taken over, and another one was put in its place since".to_owned()
                }
            })
        }
        error => error.into(),
    }
}

/// The key of the card that a record is under: the current one, or an older one.
pub(crate) fn key_of(
    vault: &Vault,
    rows: &Patient,
    (key, with): (PatientKey, With<'_>),
    patient: PatientId<'_>,
    card: CardId,
) -> Result<PatientKey, Problem> {
    if key.card() == card { Ok(key) } else { older(vault, patient, rows, with, card) }
}

fn older(
    vault: &Vault,
    patient: PatientId<'_>,
    rows: &Patient,
    with: With<'_>,
    card: CardId,
) -> Result<PatientKey, Problem> {
    let generation = vault.descriptor().generation();
    let refuse = || Problem::not_granted("this record is under an older key of the patient, which was not granted");
    let with = match with {
        With::Member(key) => GrantKey::Member { key, grant: rows.grant(card, key.fingerprint()).ok_or_else(refuse)? },
        With::Master(key) => GrantKey::Master { key, grant: rows.master_grant(card, generation).ok_or_else(refuse)? },
    };
    let cards = rows.card_bytes();
    let stored = rows.stored(generation, &cards).ok_or_else(|| Problem::not_found("no such patient"))?;
    Ok(vault.open_older(patient, &stored, None, card, &with)?)
}
