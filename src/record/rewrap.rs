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
use crate::ident::Place;
use crate::keys::patient::PatientKey;
use crate::keys::record::{RecordKey, draw_wrap_nonce, wrap};
use crate::roster::VerifiedRoster;
use crate::vault::Vault;
use crate::wire::record::{Front, Head, Origin, Record, Wrap};

const ONE_SHOT: [Path; 3] = [Path::Reader, Path::Deposit, Path::Absorbed];

impl Vault {
    /// Takes a deposit over: store the result in its place. From then on its writer, who once knew the record key, can
    /// alter it no more (it can still put another deposit of its own in that row: [`Vault::open_absorbed`] refuses that), and
    /// the proof of who wrote it stays with it.
    ///
    /// # Errors
    /// As [`Vault::open_deposit`]; [`Usage::TakenOver`](crate::error::Usage::TakenOver) if that was done before;
    /// [`Error::Randomness`](crate::Error::Randomness).
    pub fn absorb(
        &self,
        key: &PatientKey,
        place: Place<'_>,
        bytes: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        self.require_open(key.scope(), key.card())?;
        let located = Located::read(key, place, bytes, &[Path::Deposit]).map_err(|error| match error {
            Error::Usage(Usage::WrongPath { met: Path::Absorbed }) => Usage::TakenOver.into(),
            error => error,
        })?;
        let writer = verify_writer(&located, &self.roster)?;
        writer.require_unrevoked()?;
        absorb_under(key, key, &located, &writer, rng)
    }

    /// Moves a record to another version of its patient's key without touching the payload: hygiene after a re-key.
    /// Gives `None` if it is there already, so that an interrupted loop is run again from its beginning.
    ///
    /// A deposit is absorbed by it, and an absorbed one moves with the proof of who wrote it.
    ///
    /// # Errors
    /// As [`Vault::open`] and [`Vault::open_deposit`], but a card closed as compromised is left behind none the less;
    /// [`Usage::WrongPatient`] for keys of two patients; [`Usage::OlderKey`] for keys in the wrong order;
    /// [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// Who held the old key may have kept record keys, and with write access can then rewrite a payload that was only
    /// re-wrapped. If someone who had the old key is not trusted any more: [`Vault::reseal`], and not after a rewrap, which
    /// puts the record where reseal finds nothing to do. What was re-wrapped already leaves that card by one more
    /// [`Vault::rekey`].
    pub fn rewrap(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        place: Place<'_>,
        bytes: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Option<Vec<u8>>> {
        self.require_movable(from, to)?;
        rewrap(from, to, place, bytes, &self.roster, rng)
    }

    /// Moves a record to another version of its patient's key under a new record key: the text is encrypted again.
    /// Gives `None` if it is under that version already, by whichever call, so that an interrupted loop is run again.
    ///
    /// A deposit is absorbed, and an absorbed one keeps its payload: the new wrap binds its digest, so that nobody who
    /// knew the record key can rewrite it, and the writer's signature over it stands.
    ///
    /// # Errors
    /// As [`Vault::rewrap`].
    pub fn reseal(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        place: Place<'_>,
        bytes: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Option<Vec<u8>>> {
        self.require_movable(from, to)?;
        if Record::parse(bytes)?.front.path() != Path::Reader {
            return rewrap(from, to, place, bytes, &self.roster, rng);
        }
        if is_moved(to, place, bytes, &self.roster)? {
            return Ok(None);
        }
        let opened = open(from, place, bytes)?;
        let context = RecordContext::new(place, opened.revision).with_padding(opened.padding);
        let mut resealed = Vec::new();
        seal(to, &context, &opened.plaintext, rng, &mut resealed)?;
        Ok(Some(resealed))
    }

    /// Records leave a card unless its patient was erased, and go only to an open one.
    pub(crate) fn require_movable(&self, from: &PatientKey, to: &PatientKey) -> Result<()> {
        if from.scope() != to.scope() || from.patient() != to.patient() {
            return Err(Usage::WrongPatient.into());
        }
        self.require_not_erased(from)?;
        self.require_open(to.scope(), to.card())?;
        // With the keys exchanged by mistake, every record that has not moved yet would count as moved.
        if from.version() > to.version() && self.roster.closed(from.card()).is_none() {
            return Err(Usage::OlderKey.into());
        }
        Ok(())
    }
}

fn rewrap(
    from: &PatientKey,
    to: &PatientKey,
    place: Place<'_>,
    bytes: &[u8],
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Option<Vec<u8>>> {
    if is_moved(to, place, bytes, roster)? {
        return Ok(None);
    }
    let located = Located::read(from, place, bytes, &ONE_SHOT)?;
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

/// Whether the record is under `to` already. It says so only of a record whose wrap is authentic.
fn is_moved(to: &PatientKey, place: Place<'_>, bytes: &[u8], roster: &VerifiedRoster) -> Result<bool> {
    if Record::parse(bytes)?.front.head.card != to.card() {
        return Ok(false);
    }
    let located = Located::read(to, place, bytes, &ONE_SHOT)?;
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
