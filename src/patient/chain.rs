//! All cards of a patient: sorted, and linked by the id of the card before and by vouchers.

use super::card::ReadCard;
use crate::choice::ClosedReason;
use crate::digest::CardId;
use crate::error::{Conflict, Error, Result, Untrusted, Usage};
use crate::ident::PatientId;
use crate::roster::VerifiedRoster;
use crate::vault::Vault;
use crate::wire::endorsement::Endorser;
use alloc::vec::Vec;
use core::iter;

impl Vault {
    /// Reads all cards, passes over those that are closed and replaced, and sorts the rest by version.
    pub(super) fn read_chain(&self, patient: PatientId<'_>, cards: &[&[u8]]) -> Result<Chain> {
        let mut cards = cards.iter().map(|bytes| self.read_card(bytes)).collect::<Result<Vec<_>>>()?;
        cards.sort_by_key(|card| card.version);
        let chain = Chain(cards).without_replaced(&self.roster);
        chain.0.iter().try_for_each(|card| card.require_patient(patient))?;
        for (first, second) in chain.0.iter().zip(chain.0.iter().skip(1)) {
            if first.id == second.id {
                return Err(Usage::CardTwice(first.id).into());
            }
            if first.version == second.version {
                let (version, first, second) = (first.version, first.id, second.id);
                return Err(Error::Conflict(Conflict::Cards { version, first, second }));
            }
        }
        Ok(chain)
    }

    /// All cards of a patient, each once and in the order of the rows.
    pub(crate) fn read_cards(&self, patient: PatientId<'_>, cards: &[&[u8]]) -> Result<Vec<ReadCard>> {
        let mut read: Vec<ReadCard> = Vec::new();
        for bytes in cards {
            let card = self.read_card(bytes)?;
            card.require_patient(patient)?;
            if read.iter().all(|known| known.id != card.id) {
                read.push(card);
            }
        }
        if read.is_empty() { Err(Usage::NoCard.into()) } else { Ok(read) }
    }

    /// The ids of a patient's cards, each once and in the order of the rows, whatever the roster says of them: for a list
    /// of what is to be re-wrapped, closed or looked for. None of them has been verified to be the patient's true card.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a card of another vault or
    /// patient, or for no card.
    pub fn card_ids(&self, patient: PatientId<'_>, cards: &[&[u8]]) -> Result<Vec<CardId>> {
        Ok(self.read_cards(patient, cards)?.iter().map(|card| card.id).collect())
    }
}

/// Cards of one patient, one of each version, in rising order.
pub(super) struct Chain(Vec<ReadCard>);

impl Chain {
    /// The card of the highest version.
    pub(super) fn newest(&self) -> Result<&ReadCard> {
        self.0.last().ok_or_else(|| Usage::NoCard.into())
    }

    /// The card that this one names as the one before, if it is at hand and older.
    fn before(&self, card: &ReadCard) -> Option<&ReadCard> {
        self.0.iter().find(|before| Some(before.id) == card.previous && before.version < card.version)
    }

    /// Walks back from a card as long as a step may be taken, from a newer card to the one before it. Each card's id covers
    /// the id of the card before it, so no signature is needed in this direction.
    fn walk<'c>(
        &'c self,
        from: &'c ReadCard,
        may_step: impl Fn(&ReadCard, &ReadCard) -> bool,
    ) -> impl Iterator<Item = &'c ReadCard> {
        iter::successors(Some(from), move |card| self.before(card).filter(|before| may_step(card, before)))
    }

    fn leads_to(&self, newer: &ReadCard, older: &ReadCard) -> bool {
        self.walk(newer, |_, _| true).any(|card| card.id == older.id)
    }

    /// An erased patient who was enrolled anew, or a conflict that was settled by closing the false card: what an open card
    /// replaces no longer counts, also when a backup brings it back. A compromised card stays if it is a link of an open
    /// card's chain, before or behind it.
    fn without_replaced(mut self, roster: &VerifiedRoster) -> Self {
        let open: Vec<&ReadCard> = self.0.iter().filter(|card| roster.closed(card.id).is_none()).collect();
        let keeps = |card: &ReadCard| match roster.closed(card.id) {
            None => true,
            Some(_) if open.is_empty() => true,
            Some(ClosedReason::Erased) => false,
            Some(ClosedReason::Compromised) => {
                open.iter().any(|open| self.leads_to(card, open) || self.leads_to(open, card))
                    && open.iter().all(|open| open.version != card.version)
            }
        };
        let kept: Vec<CardId> = self.0.iter().filter(|card| keeps(card)).map(|card| card.id).collect();
        self.0.retain(|card| kept.contains(&card.id));
        self
    }

    /// A voucher must verify wherever one is; it may lack only on a first card and on one that the root endorses.
    pub(super) fn verify_succession(&self, card: &ReadCard, endorser: Endorser) -> Result<()> {
        let needed = card.version > 1 && endorser != Endorser::Root;
        let vouched = || self.before(card).is_some_and(|before| before.vouches_for(card));
        if (needed || card.voucher.is_some()) && !vouched() {
            return Err(Untrusted::Succession(card.id).into());
        }
        Ok(())
    }

    /// Refuses a current card that is not the expected one and does not follow from it over vouchers. The first step back
    /// may be the root's: its endorsement covers the whole body, and with it the id of the card before.
    pub(super) fn require_follows(&self, current: &ReadCard, expected: CardId) -> Result<()> {
        let root_steps = |card: &ReadCard| card.id == current.id && card.voucher.is_none();
        let may_step = |card: &ReadCard, before: &ReadCard| root_steps(card) || before.vouches_for(card);
        let named = root_steps(current) && current.previous == Some(expected);
        if named || self.walk(current, may_step).any(|card| card.id == expected) {
            return Ok(());
        }
        Err(Untrusted::UnexpectedCard { expected, met: current.id }.into())
    }

    /// The ids of the cards before one that is trusted, from the newest back. The last one may not be at hand.
    pub(super) fn ids_before<'c>(&'c self, current: &'c ReadCard) -> impl Iterator<Item = CardId> + 'c {
        self.walk(current, |_, _| true).filter_map(|card| card.previous)
    }

    /// An older card, to which one that is trusted leads back.
    pub(super) fn older<'c>(&'c self, current: &'c ReadCard, wanted: CardId) -> Result<&'c ReadCard> {
        let refuse = Untrusted::UnexpectedCard { expected: current.id, met: wanted };
        self.walk(current, |_, _| true).find(|card| card.id == wanted).ok_or_else(|| refuse.into())
    }
}
