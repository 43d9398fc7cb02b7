//! Patients: enrolment, cards, grants.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::Vault;
use crate::digest::{CardId, KeyFingerprint};
use crate::error::Result;
use crate::ident::PatientId;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::patient::{self, AccessHint, Card, Endorsed, Enroller, Enrolment, Grant, GrantKey, StoredPatient};

impl Vault {
    /// Enrols a patient. Store card, endorsement and master grant together.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the enroller is not an active member with the role `enrol`;
    /// [`Usage::WrongSigner`](crate::error::Usage::WrongSigner) for a master key of another vault or
    /// generation; [`Error::Randomness`](crate::Error::Randomness).
    pub fn enrol(&self, by: Enroller<'_>, patient: PatientId<'_>, rng: &mut impl TryCryptoRng) -> Result<Enrolment> {
        patient::enrol(by, patient, &self.descriptor, &self.roster, rng)
    }

    /// Makes the next version of a patient's key. Store its card beside the old one, which vouches for it.
    ///
    /// The re-key ends when the records have been moved ([`Vault::reseal`]) and a roster closes the old card as
    /// compromised: until then [`Vault::cards_left_open`] lists it.
    ///
    /// # Security
    /// While the old card is open, whoever writes the database can show it, with its endorsement, to a client that
    /// remembers no card of this patient. That client accepts it, and seals new notes under the old key.
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

    /// The older cards of a patient whose re-key has not ended: the current card leads back to each, and the roster closes
    /// none of them. From the newest to the oldest; empty if there is nothing to do.
    ///
    /// To end a re-key, move the records to the current card and let the registrar [close](crate::RosterDraft::close) these
    /// cards as [compromised](crate::ClosedReason::Compromised), which also means: superseded. A roster of each generation
    /// in use must do it.
    ///
    /// # Security
    /// Only cards that the verified current card names are listed, so a row that somebody planted cannot put another
    /// patient's card on the list. If the row of an older card is missing, the list ends with that card.
    ///
    /// # Errors
    /// As [`Vault::card`].
    pub fn cards_left_open(
        &self,
        patient: PatientId<'_>,
        stored: &StoredPatient<'_>,
        expect: Option<CardId>,
    ) -> Result<Vec<CardId>> {
        patient::cards_left_open(patient, stored, expect, &self.descriptor, &self.roster)
    }

    /// The ids of a patient's cards, each once and in the order of the rows, whatever the roster says of them: for a list
    /// of what is to be re-wrapped, closed or looked for. None of them has been verified to be the patient's true card.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a card of another vault or
    /// patient, or for no card.
    pub fn card_ids(&self, patient: PatientId<'_>, cards: &[&[u8]]) -> Result<Vec<CardId>> {
        patient::card_ids(patient, cards, &self.descriptor)
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
        self.require_open(card.scope(), card.id())?;
        patient::open_as_member(card, member, grant, &self.roster)
    }

    /// Breaks the glass: opens a patient's key with the master key that a quorum has recovered.
    ///
    /// # Errors
    /// [`Usage`](crate::error::Usage) for a card of another vault, or another vault's or generation's master key;
    /// [`Untrusted`](crate::error::Untrusted) for a closed card; then
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic).
    pub fn break_glass(&self, card: &Card, master: &MasterKey) -> Result<PatientKey> {
        self.require_open(card.scope(), card.id())?;
        patient::open_as_master(card, master)
    }

    /// Endorses a patient's card for this vault's generation, with a new master grant: store both in place of the ones
    /// before, or beside them while two generations are in use.
    ///
    /// For a patient enrolled while a rotation is under way, and for cards whose enroller was revoked: whoever has the
    /// patient's key shows by it that the new master grant holds the right secret.
    ///
    /// # Errors
    /// As [`Vault::enrol`]; [`Usage`](crate::error::Usage) for a key of another vault;
    /// [`Untrusted`](crate::error::Untrusted) for a closed card.
    pub fn endorse(&self, by: Enroller<'_>, key: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Endorsed> {
        patient::endorse(by, key, &self.descriptor, &self.roster, rng)
    }

    /// Wraps a patient's secret to this vault's master key, without an endorsement: for the key of an older card, whose
    /// records have not all been moved yet, so that a quorum can open them too.
    ///
    /// # Errors
    /// [`Usage`](crate::error::Usage) for a key of another vault; [`Untrusted`](crate::error::Untrusted) for an erased
    /// card; [`Error::Randomness`](crate::Error::Randomness).
    pub fn grant_to_master(&self, key: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>> {
        self.require_not_erased(key)?;
        patient::grant_to_master(key, &self.descriptor, rng)
    }

    /// Opens the key of an older card, to which the current one leads back, for [`Vault::rewrap`] and
    /// [`Vault::reseal`]. A card closed as compromised is opened too: its records must be able to leave it.
    ///
    /// # Errors
    /// As [`Vault::card`] for the current card; [`Untrusted`](crate::error::Untrusted) if it does not lead back to the
    /// older one, or if that was erased; then as [`Vault::open_grant`].
    pub fn open_older(
        &self,
        patient: PatientId<'_>,
        stored: &StoredPatient<'_>,
        expect: Option<CardId>,
        older: CardId,
        with: &GrantKey<'_>,
    ) -> Result<PatientKey> {
        patient::open_older(patient, stored, expect, older, with, &self.descriptor, &self.roster)
    }

    /// Opens the key of a card by its id, without asking for its endorsement: after its enroller was revoked, to
    /// [`Vault::endorse`] it anew; or, when a backup has brought back nothing but a card that is closed as compromised, to
    /// [`Vault::rekey`] it again and move its records out.
    ///
    /// # Security
    /// `known` must be a card that was accepted before the revocation, from a client's memory or from a roster of
    /// cards kept on paper. An id from the database alone may be the work of the thief of the enroller's key.
    ///
    /// # Errors
    /// [`Usage`](crate::error::Usage) if no stored card has this id, or for a card of another patient;
    /// [`Untrusted`](crate::error::Untrusted) for an erased card; then as [`Vault::open_grant`].
    pub fn open_remembered(
        &self,
        patient: PatientId<'_>,
        cards: &[&[u8]],
        known: CardId,
        with: &GrantKey<'_>,
    ) -> Result<PatientKey> {
        patient::open_remembered(patient, cards, known, with, &self.descriptor, &self.roster)
    }

    /// Lists to whom the stored grants of a card are addressed. A hint: see [`AccessHint`].
    #[must_use]
    pub fn who_can_open<G: AsRef<[u8]>>(&self, card: CardId, grants: impl IntoIterator<Item = G>) -> AccessHint {
        patient::who_can_open(card, grants, &self.descriptor, &self.roster)
    }
}
