//! Cards that no endorsement vouches for now: superseded ones, and those of an enroller who was revoked.

use alloc::vec::Vec;

use super::endorsement::StoredPatient;
use super::grant::GrantKey;
use crate::digest::CardId;
use crate::error::{Result, Usage};
use crate::ident::PatientId;
use crate::keys::patient::PatientKey;
use crate::vault::Vault;

impl Vault {
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
        let chain = self.read_chain(patient, stored.cards)?;
        let current = self.current(stored, expect, &chain)?;
        let card = chain.older(current, older)?;
        self.roster.require_not_erased(card.id)?;
        self.open_with(card, with)
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
        let found = cards.iter().filter_map(|bytes| self.read_card(bytes).ok()).find(|card| card.id == known);
        let card = found.ok_or(Usage::NoCard)?;
        card.require_patient(patient)?;
        self.roster.require_not_erased(card.id)?;
        self.open_with(&card, with)
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
        let chain = self.read_chain(patient, stored.cards)?;
        let current = self.current(stored, expect, &chain)?;
        Ok(chain.ids_before(current).filter(|card| self.roster.closed(*card).is_none()).collect())
    }
}
