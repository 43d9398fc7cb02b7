//! Records on the reader's path.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::Vault;
use crate::error::{Result, Usage};
use crate::ident::{FieldLabel, RecordId};
use crate::keys::patient::PatientKey;
use crate::record::{self, Opened, RecordContext};

impl Vault {
    /// Seals a note; see [`record::sealed_len`] for the length.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed; [`Usage`](crate::error::Usage) for a key of
    /// another vault or a note that is too long; [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// Seal each text of a field under its own revision. Two different texts sealed for the same record, field and
    /// revision by a generator that repeats itself, such as in two copies of a virtual machine, share a key.
    pub fn seal(
        &self,
        key: &PatientKey,
        context: &RecordContext<'_>,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        let mut record = Vec::new();
        self.seal_into(key, context, note, rng, &mut record)?;
        Ok(record)
    }

    /// Seals a note and appends the record to `out`, so that a service reuses its buffer.
    ///
    /// # Errors
    /// As [`Vault::seal`]; `out` is unchanged then.
    pub fn seal_into(
        &self,
        key: &PatientKey,
        context: &RecordContext<'_>,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.require_open(key.scope(), key.card())?;
        record::seal(key, context, note, rng, out)
    }

    /// Opens a record in its place: the record and field that the caller asked the database for.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed; [`Error::Malformed`](crate::Error::Malformed);
    /// [`Usage`](crate::error::Usage) for a key of another vault, suite or card; and
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic), one value for everything once the key is used.
    pub fn open(&self, key: &PatientKey, record: RecordId<'_>, field: FieldLabel<'_>, bytes: &[u8]) -> Result<Opened> {
        self.require_open(key.scope(), key.card())?;
        record::open(key, record, field, bytes)
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
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        bytes: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Option<Vec<u8>>> {
        self.require_movable(from, to)?;
        record::rewrap(from, to, record, field, bytes, &self.roster, rng)
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
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        bytes: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Option<Vec<u8>>> {
        self.require_movable(from, to)?;
        record::reseal(from, to, record, field, bytes, &self.roster, rng)
    }

    /// Records leave a card unless its patient was erased, and go only to an open one.
    pub(super) fn require_movable(&self, from: &PatientKey, to: &PatientKey) -> Result<()> {
        record::require_one_patient(from, to)?;
        self.require_not_erased(from)?;
        self.require_open(to.scope(), to.card())?;
        // With the keys exchanged by mistake, every record that has not moved yet would count as moved.
        if from.version() > to.version() && self.roster.closed(from.card()).is_none() {
            return Err(Usage::OlderKey.into());
        }
        Ok(())
    }
}
