//! Records that move: from a deposit to the reader's hand, and from one version of a patient's key to the next.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::context::{RecordContext, absorbed_wrap_context, reader_wrap_context};
use super::deposit::{take_record_key, verify_writer};
use super::locate::Located;
use super::open::{open, unwrap_reader_key};
use super::seal::seal;
use super::statement::{Writer, sealed_key_digest};
use crate::choice::Path;
use crate::error::{Error, Result, Usage};
use crate::ident::{FieldLabel, RecordId};
use crate::keys::patient::PatientKey;
use crate::keys::record::{RecordKey, draw_wrap_nonce, wrap};
use crate::roster::VerifiedRoster;
use crate::wire::record::{Front, Head, Origin, Record, Wrap};

const ONE_SHOT: [Path; 3] = [Path::Reader, Path::Deposit, Path::Absorbed];

/// Takes a deposit over: the same payload, its key wrapped under the patient KEK, with the writer's signature beside.
///
/// # Errors
/// As [`open_deposit`](super::deposit::open_deposit); [`Usage::TakenOver`]; [`Error::Randomness`].
pub(crate) fn absorb(
    key: &PatientKey,
    record: RecordId<'_>,
    field: FieldLabel<'_>,
    bytes: &[u8],
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    let located = Located::read(key, record, field, bytes, &[Path::Deposit]).map_err(|error| match error {
        Error::Usage(Usage::WrongPath { met: Path::Absorbed }) => Usage::TakenOver.into(),
        error => error,
    })?;
    let writer = verify_writer(&located, roster)?;
    writer.require_unrevoked()?;
    absorb_under(key, key, &located, &writer, rng)
}

/// Moves a record from one key of a patient to another without touching its payload; a deposit is absorbed.
/// `None` if it has been moved already.
///
/// # Errors
/// As [`open`] and [`absorb`].
pub(crate) fn rewrap(
    from: &PatientKey,
    to: &PatientKey,
    record: RecordId<'_>,
    field: FieldLabel<'_>,
    bytes: &[u8],
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Option<Vec<u8>>> {
    if is_moved(to, record, field, bytes, roster)? {
        return Ok(None);
    }
    let located = Located::read(from, record, field, bytes, &ONE_SHOT)?;
    if let Wrap::Reader(_) = located.front.wrap {
        let mut slot = RecordKey::empty();
        let record_key = unwrap_reader_key(&mut slot, from, &located.front, located.context)?;
        let wrap_context = reader_wrap_context(to.card(), located.context);
        return wrap_again(to, &located, record_key, &wrap_context, None, rng).map(Some);
    }
    let writer = verify_writer(&located, roster)?;
    if let Wrap::Deposit { .. } = located.front.wrap {
        writer.require_unrevoked()?;
    }
    absorb_under(from, to, &located, &writer, rng).map(Some)
}

/// Moves a record to another key of its patient under a new record key. A deposit or an absorbed one keeps its payload,
/// which its digest binds, and with it the proof of who wrote it. `None` if it has been moved already.
///
/// # Errors
/// As [`rewrap`].
pub(crate) fn reseal(
    from: &PatientKey,
    to: &PatientKey,
    record: RecordId<'_>,
    field: FieldLabel<'_>,
    bytes: &[u8],
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Option<Vec<u8>>> {
    if Record::parse(bytes)?.front.path() != Path::Reader {
        return rewrap(from, to, record, field, bytes, roster, rng);
    }
    if is_moved(to, record, field, bytes, roster)? {
        return Ok(None);
    }
    let opened = open(from, record, field, bytes)?;
    let place = RecordContext::new(record, field, opened.revision).with_padding(opened.padding);
    let mut resealed = Vec::new();
    seal(to, &place, &opened.plaintext, rng, &mut resealed)?;
    Ok(Some(resealed))
}

/// Refuses two keys that are not of one patient.
pub(crate) fn require_one_patient(from: &PatientKey, to: &PatientKey) -> Result<()> {
    let same = from.scope() == to.scope() && from.patient() == to.patient();
    if same { Ok(()) } else { Err(Usage::WrongPatient.into()) }
}

/// Whether the record is under `to` already. It says so only of a record whose wrap is authentic.
fn is_moved(
    to: &PatientKey,
    record: RecordId<'_>,
    field: FieldLabel<'_>,
    bytes: &[u8],
    roster: &VerifiedRoster,
) -> Result<bool> {
    if Record::parse(bytes)?.front.head.card != to.card() {
        return Ok(false);
    }
    let located = Located::read(to, record, field, bytes, &ONE_SHOT)?;
    match located.front.wrap {
        Wrap::Reader(_) => {
            unwrap_reader_key(&mut RecordKey::empty(), to, &located.front, located.context).map(|_| true)
        }
        Wrap::Deposit { .. } | Wrap::Absorbed { .. } | Wrap::DepositedAttachment(_) => {
            take_record_key(to, &located, &verify_writer(&located, roster)?).map(|_| true)
        }
    }
}

/// Wraps the key of a deposit, or of one that was absorbed before, under `to`, bound to the payload and its author.
fn absorb_under(
    from: &PatientKey,
    to: &PatientKey,
    located: &Located<'_>,
    writer: &Writer,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    let plaintext = located.reserve()?;
    let record_key = take_record_key(from, located, writer)?;
    // What does not open is not taken over.
    drop(located.open_payload(record_key.expose(), plaintext)?);
    let origin = match located.front.wrap {
        Wrap::Absorbed { origin, .. } => origin,
        Wrap::Deposit { key, signature } => Origin {
            card: located.front.head.card,
            writer: key.writer,
            roster_seen: key.roster_seen,
            sealed_key_digest: sealed_key_digest(key.sealed),
            signature,
        },
        Wrap::Reader(_) | Wrap::DepositedAttachment(_) => return Err(Error::NotAuthentic),
    };
    let wrap_context = absorbed_wrap_context(to.card(), located.context, &origin, writer.payload_digest);
    wrap_again(to, located, record_key.expose(), &wrap_context, Some(origin), rng)
}

fn wrap_again(
    to: &PatientKey,
    located: &Located<'_>,
    record_key: &[u8; 32],
    wrap_context: &[u8],
    origin: Option<Origin>,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    let nonce = draw_wrap_nonce(wrap_context, rng)?;
    let wrapped = wrap(to.kek(), &nonce, wrap_context, record_key)?;
    let head = Head { card: to.card(), ..located.front.head };
    let key = wrapped.with_nonce(&nonce);
    let wrap = origin.map_or(Wrap::Reader(key), |origin| Wrap::Absorbed { origin, key });
    located.with_front(&Front { head, wrap })
}
