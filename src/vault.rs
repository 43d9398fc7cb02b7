//! The door: what a service calls.
//!
//! A [`Vault`] holds what was verified, the pinned descriptor and the roster, and checks against it what each call
//! needs. It holds no key; keys are arguments, and so are randomness and everything that is stored.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use crate::custody::{Descriptor, Pin, PinnedDescriptor};
use crate::error::Result;
use crate::ident::{CardId, FieldLabel, KeyFingerprint, PatientId, RecordId, Suite, VaultId, require_vault};
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::patient::{self, Card, Enroller, Enrolment, Grant, StoredPatient};
use crate::record::{self, Opened, RecordContext};
use crate::roster::VerifiedRoster;

/// A vault as one client sees it: descriptor and roster, verified against its pin.
#[derive(Debug, Clone)]
pub struct Vault {
    descriptor: PinnedDescriptor,
    roster: VerifiedRoster,
    pin: Pin,
}

impl Vault {
    /// Verifies what is stored of a vault against what the client remembers.
    ///
    /// `entries` are the members' entries, in any order. Store [`Vault::pin`] afterwards: it has moved forward.
    ///
    /// # Security
    /// The pin knows which roster came last, not what it said. A client that keeps that roster beside its pin, loads it
    /// and then calls [`Vault::update_roster`] also notices a registrar's thief who takes a revocation back.
    ///
    /// # Errors
    /// As [`Descriptor::parse`], [`Pin::check`] and [`VerifiedRoster::verify`].
    pub fn load<E: AsRef<[u8]>>(
        mut pin: Pin,
        descriptor: &[u8],
        roster: &[u8],
        entries: impl IntoIterator<Item = E>,
    ) -> Result<Self> {
        let descriptor = pin.check(Descriptor::parse(descriptor)?)?;
        let roster = VerifiedRoster::verify(roster, entries, &descriptor, &mut pin)?;
        Ok(Self { descriptor, roster, pin })
    }

    /// Follows to a newer roster. Keys that are open stay open: drop and open them again.
    ///
    /// # Errors
    /// As [`VerifiedRoster::follow`]; the vault is unchanged then.
    pub fn update_roster<E: AsRef<[u8]>>(&mut self, roster: &[u8], entries: impl IntoIterator<Item = E>) -> Result<()> {
        self.roster = self.roster.follow(roster, entries, &self.descriptor, &mut self.pin)?;
        Ok(())
    }

    /// What to remember: store it where whoever writes the database cannot.
    #[must_use]
    pub const fn pin(&self) -> &Pin {
        &self.pin
    }

    /// The pinned descriptor.
    #[must_use]
    pub const fn descriptor(&self) -> &PinnedDescriptor {
        &self.descriptor
    }

    /// The verified roster.
    #[must_use]
    pub const fn roster(&self) -> &VerifiedRoster {
        &self.roster
    }

    /// Enrols a patient. Store card, endorsement and master grant together.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the enroller is not an active member with the role `enrol`;
    /// [`Usage::NotTheRegistrar`](crate::error::Usage::NotTheRegistrar) for a master key of another vault or
    /// generation; [`Error::Randomness`](crate::Error::Randomness).
    pub fn enrol(&self, by: Enroller<'_>, patient: PatientId<'_>, rng: &mut impl TryCryptoRng) -> Result<Enrolment> {
        patient::enrol(by, patient, &self.descriptor, &self.roster, rng)
    }

    /// Makes the next version of a patient's key. Store its card beside the old one, which vouches for it.
    ///
    /// # Errors
    /// As [`Vault::enrol`]; [`Usage::WrongVault`](crate::error::Usage::WrongVault) or
    /// [`Usage::WrongSuite`](crate::error::Usage::WrongSuite) for a key of another vault;
    /// [`Untrusted::CardErased`](crate::error::Untrusted::CardErased);
    /// [`Usage::VersionExhausted`](crate::error::Usage::VersionExhausted) after version 2^32 - 1.
    pub fn rekey(&self, by: Enroller<'_>, old: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Enrolment> {
        patient::rekey(by, old, &self.descriptor, &self.roster, rng)
    }

    /// Verifies what is stored of a patient and gives the current card.
    ///
    /// `patient` is whom the caller asked the store for: another patient's rows, moved here, are refused.
    ///
    /// Pass as `expect` the card that this client accepted before, if it remembers one: it then accepts only that
    /// card or one that follows from it.
    ///
    /// # Errors
    /// As [`Card::verify`].
    pub fn card(&self, patient: PatientId<'_>, stored: &StoredPatient<'_>, expect: Option<CardId>) -> Result<Card> {
        Card::verify(patient, stored, expect, &self.descriptor, &self.roster)
    }

    /// Grants a patient to a member by the fingerprint of the member's key.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the key is unknown, retired, revoked or lacks the role `read`, or if
    /// the card is closed; [`Usage`](crate::error::Usage) for a key of another vault;
    /// [`Error::Randomness`](crate::Error::Randomness).
    pub fn grant(&self, key: &PatientKey, to: KeyFingerprint, rng: &mut impl TryCryptoRng) -> Result<Grant> {
        patient::grant_to_member(key, to, &self.descriptor, &self.roster, rng)
    }

    /// Opens a grant as the member that it is addressed to.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a grant of another vault, card
    /// or recipient; [`Untrusted`](crate::error::Untrusted) for a closed card or a member that is not active with the
    /// role `read`; [`Error::NotAuthentic`](crate::Error::NotAuthentic) for everything after that.
    pub fn open_grant(&self, card: &Card, member: &MemberKey, grant: &[u8]) -> Result<PatientKey> {
        self.require_open(card.belongs_to(), card.id())?;
        patient::open_as_member(card, member, grant, &self.roster)
    }

    /// Breaks the glass: opens a patient's key with the master key that a quorum has recovered.
    ///
    /// # Errors
    /// [`Usage`](crate::error::Usage) for a card of another vault, or another vault's or generation's master key;
    /// [`Untrusted`](crate::error::Untrusted) for a closed card; then
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic).
    pub fn break_glass(&self, card: &Card, master: &MasterKey) -> Result<PatientKey> {
        self.require_open(card.belongs_to(), card.id())?;
        patient::open_as_master(card, master)
    }

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
        self.require_open(key.belongs_to(), key.card())?;
        record::seal(key, context, note, rng, out)
    }

    /// Opens a record in its place: the record and field that the caller asked the database for.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed; [`Error::Malformed`](crate::Error::Malformed);
    /// [`Usage`](crate::error::Usage) for a key of another vault, suite or card; and
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic), one value for everything once the key is used.
    pub fn open(&self, key: &PatientKey, record: RecordId<'_>, field: FieldLabel<'_>, bytes: &[u8]) -> Result<Opened> {
        self.require_open(key.belongs_to(), key.card())?;
        record::open(key, record, field, bytes)
    }

    /// Refuses what belongs to another vault, and a closed card.
    fn require_open(&self, belongs_to: (Suite, VaultId), card: CardId) -> Result<()> {
        require_vault(self.descriptor.belongs_to(), belongs_to)?;
        self.roster.require_open(card)
    }
}
