//! Deposits: the write-only door.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::Vault;
use crate::choice::{Padding, Roles};
use crate::error::Result;
use crate::ident::{FieldLabel, RecordId};
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::patient::Card;
use crate::record::{self, Deposit, Opened, Unattributed};

impl Vault {
    /// Seals a note to a patient's card, as a member who cannot read it back. The library draws the record's id, and
    /// the revision is [`Revision::DEPOSIT`](crate::Revision::DEPOSIT): a deposit never takes a record's place.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed or the writer is not an active member with the
    /// role `deposit`; [`Usage`](crate::error::Usage) for a card or writer of another vault, or a note that is too
    /// long; [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// Verify the card with `expect`, the id that this front end remembers: see [`Vault::card`].
    pub fn deposit(
        &self,
        card: &Card,
        writer: &MemberKey,
        field: FieldLabel<'_>,
        padding: Padding,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Deposit> {
        self.require_depositor(card, writer)?;
        record::deposit(card, writer, field, padding, note, self.roster.version(), rng)
    }

    /// Opens a deposit, or one that a reader took over, and says who wrote it: [`Opened::origin`].
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed, or if the writer is unknown, lacks the role
    /// `deposit`, did not sign this deposit, or is revoked (which does not close what was taken over);
    /// [`Error::Stale`](crate::Error::Stale) if the writer saw a newer roster;
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a record that was not
    /// deposited or a key of another vault, suite or card. No secret has been used until here. Then
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic).
    pub fn open_deposit(
        &self,
        key: &PatientKey,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        bytes: &[u8],
    ) -> Result<Opened> {
        self.require_open(key.scope(), key.card())?;
        record::open_deposit(key, record, field, bytes, &self.roster)
    }

    /// Opens what a reader took over, and nothing that was only deposited: in a place where a store keeps what was
    /// absorbed, a later deposit of the same writer is refused.
    ///
    /// # Errors
    /// As [`Vault::open_deposit`]; [`Usage::NotTakenOver`](crate::error::Usage::NotTakenOver) for a deposit.
    pub fn open_absorbed(
        &self,
        key: &PatientKey,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        bytes: &[u8],
    ) -> Result<Opened> {
        self.require_open(key.scope(), key.card())?;
        record::open_absorbed(key, record, field, bytes, &self.roster)
    }

    /// Opens a deposit whose writer may have been revoked, for a person to look at. The type says that nobody vouches
    /// for the author.
    ///
    /// # Errors
    /// As [`Vault::open_deposit`], without the refusal of a revoked writer, and of a card closed as compromised: such a
    /// deposit can leave the card in no other way.
    pub fn open_unattributed(
        &self,
        key: &PatientKey,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        bytes: &[u8],
    ) -> Result<Unattributed<Opened>> {
        self.require_not_erased(key)?;
        record::open_unattributed(key, record, field, bytes, &self.roster)
    }

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
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        bytes: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        self.require_open(key.scope(), key.card())?;
        record::absorb(key, record, field, bytes, &self.roster, rng)
    }

    /// An open card of this vault, and an active member of it who may deposit.
    pub(super) fn require_depositor(&self, card: &Card, writer: &MemberKey) -> Result<()> {
        self.require_open(card.scope(), card.id())?;
        self.descriptor.scope().require(writer.scope())?;
        self.roster.require_active(writer.fingerprint(), Roles::DEPOSIT)?;
        Ok(())
    }
}
