//! Sealing gives a value that knows its place.

use lukko::error::Object;
use lukko::rand_core::TryCryptoRng;
use lukko::{
    Card, CardId, FieldLabel, MemberKey, Padding, PatientKey, RecordContext, RecordId, Suite, Vault, VaultId, claimed,
};

use super::{Spot, Uploaded};
use crate::error::{Mismatch, Result};
use crate::rows::StoredBody;

/// How records move to another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Their keys are wrapped anew: enough while nobody mistrusted had the old key. See [`lukko::Vault::rewrap`].
    /// Attachments are encrypted anew: objects cannot be altered, so that they are written again in any case.
    Rewrap,
    /// They are encrypted anew. See [`lukko::Vault::reseal`].
    Reseal,
}

/// A sealed record and the place for which it was sealed: it is stored there, as that revision, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(super) vault: VaultId,
    pub(super) patient: Vec<u8>,
    pub(super) record: Vec<u8>,
    pub(super) field: Vec<u8>,
    pub(super) revision: u64,
    pub(super) card: CardId,
    pub(super) body: StoredBody,
}

impl Sealed {
    /// Seals a note: [`lukko::Vault::seal`].
    ///
    /// # Errors
    /// As there.
    pub fn note(
        vault: &Vault,
        key: &PatientKey,
        context: &RecordContext<'_>,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> lukko::Result<Self> {
        let sealed = vault.seal(key, context, note, rng)?;
        Ok(Self::of_reader(vault, key, context, StoredBody::Sealed(sealed)))
    }

    /// Seals a deposit: [`lukko::Vault::deposit`]. [`Sealed::record`] is the id that was drawn for it.
    ///
    /// # Errors
    /// As there.
    pub fn deposit(
        vault: &Vault,
        card: &Card,
        writer: &MemberKey,
        field: FieldLabel<'_>,
        padding: Padding,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> lukko::Result<Self> {
        let deposit = vault.deposit(card, writer, field, padding, note, rng)?;
        Ok(Self {
            vault: vault.descriptor().vault(),
            patient: card.patient().to_vec(),
            record: deposit.record.into_bytes(),
            field: field.as_bytes().to_vec(),
            revision: 0,
            card: card.id(),
            body: StoredBody::Sealed(deposit.bytes),
        })
    }

    /// Takes a deposit over in its place: [`lukko::Vault::absorb`]. None if that was done before: what is stored then opens as
    /// taken over.
    ///
    /// # Errors
    /// As there; as [`lukko::Vault::open_absorbed`] for what only says that it was taken over.
    pub fn absorbed(
        vault: &Vault,
        key: &PatientKey,
        (record, field): (RecordId<'_>, FieldLabel<'_>),
        deposit: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> lukko::Result<Option<Self>> {
        match vault.absorb(key, record, field, deposit, rng) {
            Ok(absorbed) => Self::of_place(vault, key, (record, field), absorbed).map(Some),
            Err(lukko::Error::Usage(lukko::error::Usage::TakenOver)) => {
                vault.open_absorbed(key, record, field, deposit).map(|_| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Moves a record to another key of its patient, in its place: [`lukko::Vault::rewrap`] or [`lukko::Vault::reseal`].
    /// None if it is under that key already.
    ///
    /// # Errors
    /// As there.
    pub fn moved(
        vault: &Vault,
        (from, to): (&PatientKey, &PatientKey),
        (record, field): (RecordId<'_>, FieldLabel<'_>),
        bytes: &[u8],
        how: How,
        rng: &mut impl TryCryptoRng,
    ) -> lukko::Result<Option<Self>> {
        let moved = match how {
            How::Rewrap => vault.rewrap(from, to, record, field, bytes, rng)?,
            How::Reseal => vault.reseal(from, to, record, field, bytes, rng)?,
        };
        moved.map(|moved| Self::of_place(vault, to, (record, field), moved)).transpose()
    }

    /// A record that comes from elsewhere, for the place that it has there. What it says of itself in clear is compared:
    /// its suite, card and revision. Whether it is of this patient, record and field shows only when it is opened.
    ///
    /// # Errors
    /// [`Mismatch::Suite`], [`Mismatch::Card`] or [`Mismatch::Revision`] where the bytes say something else; the core's
    /// `Malformed`.
    pub fn from_bytes(vault: &Vault, spot: Spot<'_>, (card, revision): (CardId, u64), bytes: Vec<u8>) -> Result<Self> {
        let claimed = claimed::Record::read(&bytes)?;
        Self::compared(vault, spot, (card, revision), claimed, StoredBody::Sealed(bytes))
    }

    /// The record of an object that was uploaded, for the place for which it was sealed. What its first bytes say is
    /// compared as in [`Sealed::from_bytes`].
    ///
    /// # Errors
    /// As there.
    pub fn from_object(
        vault: &Vault,
        spot: Spot<'_>,
        (card, revision): (CardId, u64),
        uploaded: Uploaded,
    ) -> Result<Self> {
        let claimed = claimed::Record::read(&uploaded.begin)?;
        Self::compared(vault, spot, (card, revision), claimed, uploaded.into_body())
    }

    fn compared(
        vault: &Vault,
        spot: Spot<'_>,
        (card, revision): (CardId, u64),
        claimed: claimed::Record,
        body: StoredBody,
    ) -> Result<Self> {
        require_suite(vault.descriptor().suite(), claimed.suite)?;
        if claimed.card != card {
            return Err(Mismatch::Card { object: Object::Record, named: card, met: claimed.card }.into());
        }
        if claimed.revision != revision {
            return Err(Mismatch::Revision { named: revision, met: claimed.revision }.into());
        }
        let [patient, record, field] = [spot.patient.as_bytes(), spot.record.as_bytes(), spot.field.as_bytes()];
        Ok(Self {
            vault: vault.descriptor().vault(),
            patient: patient.to_vec(),
            record: record.to_vec(),
            field: field.to_vec(),
            revision,
            card,
            body,
        })
    }

    pub(super) fn of_reader(vault: &Vault, key: &PatientKey, context: &RecordContext<'_>, body: StoredBody) -> Self {
        Self {
            vault: vault.descriptor().vault(),
            patient: key.patient().to_vec(),
            record: context.record().as_bytes().to_vec(),
            field: context.field().as_bytes().to_vec(),
            revision: context.revision().get(),
            card: key.card(),
            body,
        }
    }

    /// What the core has just made under `key` for this place; its revision is the one before.
    fn of_place(
        vault: &Vault,
        key: &PatientKey,
        (record, field): (RecordId<'_>, FieldLabel<'_>),
        bytes: Vec<u8>,
    ) -> lukko::Result<Self> {
        Ok(Self {
            vault: vault.descriptor().vault(),
            patient: key.patient().to_vec(),
            record: record.as_bytes().to_vec(),
            field: field.as_bytes().to_vec(),
            revision: claimed::Record::read(&bytes)?.revision,
            card: key.card(),
            body: StoredBody::Sealed(bytes),
        })
    }

    /// The record's id.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        &self.record
    }

    /// The revision; 0 for a deposit and for one that was taken over.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The card of the key that it is sealed under.
    #[must_use]
    pub const fn card(&self) -> CardId {
        self.card
    }

    /// Its bytes, or where they are.
    #[must_use]
    pub const fn body(&self) -> &StoredBody {
        &self.body
    }
}

fn require_suite(named: Suite, met: Suite) -> Result<()> {
    if named == met { Ok(()) } else { Err(Mismatch::Suite.into()) }
}
