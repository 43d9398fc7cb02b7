//! All cards of a patient: read, sorted, and linked by the id of the card before and by vouchers.

use alloc::vec::Vec;

use crate::choice::ClosedReason;
use crate::custody::PinnedDescriptor;
use crate::digest::CardId;
use crate::error::{Conflict, Error, Object, Result, Untrusted, Usage};
use crate::ident::{OwnedPatientId, PatientId, Scope};
use crate::keys::labels;
use crate::keys::patient::PatientContext;
use crate::prim::hash::hash;
use crate::prim::hpke::PublicKey;
use crate::prim::sign::VerifyingKey;
use crate::roster::VerifiedRoster;
use crate::vault::Vault;
use crate::wire;
use crate::wire::card::Voucher;
use crate::wire::endorsement::Endorser;
use crate::wire::frame::Framed;

/// What the card of one version says, with valid keys.
#[derive(Debug, Clone)]
pub(super) struct PublicCard {
    pub(super) id: CardId,
    pub(super) scope: Scope,
    pub(super) patient: OwnedPatientId,
    pub(super) version: u32,
    pub(super) hpke_key: PublicKey,
    pub(super) succession_key: VerifyingKey,
}

impl PublicCard {
    pub(super) const fn context(&self) -> PatientContext<'_> {
        PatientContext { scope: self.scope, patient: self.patient.as_id(), version: self.version }
    }
}

/// The id of a card: `SHA-256(lp(label) || body)`.
pub(super) fn card_id(body: &[u8]) -> CardId {
    CardId(hash(labels::CARD_ID, &[body]))
}

/// A card that is well-formed and has valid keys, and is of the vault.
pub(super) struct ReadCard<'a> {
    pub(super) id: CardId,
    pub(super) patient: PatientId<'a>,
    pub(super) version: u32,
    hpke_key: PublicKey,
    succession_key: VerifyingKey,
    previous: CardId,
    voucher: Voucher,
}

impl ReadCard<'_> {
    /// What a key derived from a grant is compared with.
    pub(super) fn public(&self, descriptor: &PinnedDescriptor) -> PublicCard {
        PublicCard {
            id: self.id,
            scope: descriptor.scope(),
            patient: self.patient.into(),
            version: self.version,
            hpke_key: self.hpke_key.clone(),
            succession_key: self.succession_key,
        }
    }

    /// Refuses another patient's card than the one asked for.
    pub(super) fn require_patient(&self, patient: PatientId<'_>) -> Result<()> {
        if self.patient == patient { Ok(()) } else { Err(Usage::WrongPatient.into()) }
    }
}

impl Vault {
    /// Reads all cards, passes over those that are closed and replaced, and sorts the rest by version.
    pub(super) fn read_history<'a>(&self, cards: &[&'a [u8]]) -> Result<Vec<ReadCard<'a>>> {
        let mut history = cards.iter().map(|bytes| self.read_card(bytes)).collect::<Result<Vec<_>>>()?;
        history.sort_by_key(|card| card.version);
        pass_over_replaced(&mut history, &self.roster);
        for (first, second) in history.iter().zip(history.iter().skip(1)) {
            if first.patient != second.patient {
                return Err(Usage::MixedPatients.into());
            }
            if first.id == second.id {
                return Err(Usage::CardTwice(first.id).into());
            }
            if first.version == second.version {
                let (version, first, second) = (first.version, first.id, second.id);
                return Err(Error::Conflict(Conflict::Cards { version, first, second }));
            }
        }
        Ok(history)
    }

    pub(super) fn read_card<'a>(&self, bytes: &'a [u8]) -> Result<ReadCard<'a>> {
        let Framed { value: card, body, end: voucher } = wire::card::Card::parse(bytes)?;
        self.scope().require(card.scope)?;
        let hpke_key = PublicKey::import(card.scope.suite, card.hpke_key.value)
            .ok_or_else(|| card.hpke_key.refuse(Object::Card, "hpke key"))?;
        let succession_key = VerifyingKey::import(&card.succession_key.value)
            .ok_or_else(|| card.succession_key.refuse(Object::Card, "succession key"))?;
        let wire::card::Card { patient, version, previous, .. } = card;
        Ok(ReadCard { id: card_id(body), patient, version, hpke_key, succession_key, previous, voucher })
    }

    /// Reads one card of any patient of the vault.
    pub(crate) fn link<'a>(&self, bytes: &'a [u8]) -> Result<Link<'a>> {
        let ReadCard { patient, id, version, previous, .. } = self.read_card(bytes)?;
        Ok(Link { patient, id, previous: (version > 1).then_some(previous) })
    }

    /// All cards of a patient, each once.
    pub(crate) fn links<'a>(&self, patient: PatientId<'_>, cards: &[&'a [u8]]) -> Result<Vec<Link<'a>>> {
        let mut links: Vec<Link<'a>> = Vec::new();
        for bytes in cards {
            let card = self.link(bytes)?;
            if card.patient != patient {
                return Err(Usage::WrongPatient.into());
            }
            if links.iter().all(|known| known.id != card.id) {
                links.push(card);
            }
        }
        if links.is_empty() { Err(Usage::NoCard.into()) } else { Ok(links) }
    }

    /// The ids of a patient's cards, each once and in the order of the rows, whatever the roster says of them: for a list
    /// of what is to be re-wrapped, closed or looked for. None of them has been verified to be the patient's true card.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a card of another vault or
    /// patient, or for no card.
    pub fn card_ids(&self, patient: PatientId<'_>, cards: &[&[u8]]) -> Result<Vec<CardId>> {
        Ok(self.links(patient, cards)?.iter().map(|card| card.id).collect())
    }
}

/// An erased patient who was enrolled anew, or a conflict that was settled by closing the false card: what an open card
/// replaces no longer counts, also when a backup brings it back. A compromised card stays if it is a link of an open
/// card's chain, before or behind it.
fn pass_over_replaced(history: &mut Vec<ReadCard<'_>>, roster: &VerifiedRoster) {
    let is_open = |card: &&ReadCard<'_>| roster.closed(card.id).is_none();
    let open: Vec<(CardId, u32)> = history.iter().filter(is_open).map(|card| (card.id, card.version)).collect();
    let chained: Vec<CardId> = history
        .iter()
        .filter(|card| {
            open.iter().any(|(open, _)| leads_to(card.id, *open, history) || leads_to(*open, card.id, history))
        })
        .map(|card| card.id)
        .collect();
    history.retain(|card| match roster.closed(card.id) {
        None => true,
        Some(_) if open.is_empty() => true,
        Some(ClosedReason::Erased) => false,
        Some(ClosedReason::Compromised) => {
            chained.contains(&card.id) && !open.iter().any(|(_, version)| *version == card.version)
        }
    });
}

/// Whether a card leads back to an older one, over the ids of the cards before.
fn leads_to(newer: CardId, wanted: CardId, history: &[ReadCard<'_>]) -> bool {
    let mut id = newer;
    // As many steps as there are cards: a chain has no more, and rows that name each other end here.
    for _ in history {
        if id == wanted {
            return true;
        }
        let Some(card) = history.iter().find(|card| card.id == id) else { return false };
        id = card.previous;
    }
    id == wanted
}

/// A voucher must verify wherever one is; it may lack only on a first card and on one that the root endorses.
pub(super) fn verify_succession(card: &ReadCard<'_>, history: &[ReadCard<'_>], endorser: Endorser) -> Result<()> {
    let needed = card.version > 1 && endorser != Endorser::Root;
    if (needed || card.voucher.is_some()) && vouching_card(card, history).is_none() {
        return Err(Untrusted::Succession(card.id).into());
    }
    Ok(())
}

/// The card before, if it is at hand and its succession key signed this card's id.
fn vouching_card<'h, 'a>(card: &ReadCard<'_>, history: &'h [ReadCard<'a>]) -> Option<&'h ReadCard<'a>> {
    let previous = history.iter().find(|previous| previous.id == card.previous)?;
    let signature = card.voucher.as_ref()?;
    let next = previous.version.checked_add(1) == Some(card.version);
    (next && previous.succession_key.verify(labels::SUCCESSION, &card.id.0, signature)).then_some(previous)
}

/// Walks back from the current card over vouchers until the expected card is met. The first step back may be the
/// root's: its endorsement covers the whole body, and with it the id of the card before.
pub(super) fn require_follows(current: &ReadCard<'_>, expected: CardId, history: &[ReadCard<'_>]) -> Result<()> {
    let refuse = Untrusted::UnexpectedCard { expected, met: current.id };
    let mut card = current;
    while card.id != expected {
        let endorsed_by_root = card.id == current.id && card.voucher.is_none() && card.version > 1;
        if endorsed_by_root && card.previous == expected {
            return Ok(());
        }
        let before = history.iter().find(|before| before.id == card.previous && before.version < card.version);
        let link = if endorsed_by_root { before } else { vouching_card(card, history) };
        card = link.ok_or(refuse)?;
    }
    Ok(())
}

/// The ids of the cards before one that is trusted, from the newest back. The last one may not be at hand.
pub(super) fn before<'h>(current: &'h ReadCard<'_>, history: &'h [ReadCard<'_>]) -> impl Iterator<Item = CardId> + 'h {
    let previous = |card: &ReadCard<'_>| (card.version > 1).then_some(card.previous);
    let mut card = Some(current);
    core::iter::from_fn(move || {
        let version = card?.version;
        let id = previous(card?)?;
        card = history.iter().find(|older| older.id == id && older.version < version);
        Some(id)
    })
}

/// Walks back from a card that is trusted to an older one. Each card's id covers the id of the card before it, so no
/// signature is needed in this direction.
pub(super) fn walk_back<'h, 'a>(
    current: &'h ReadCard<'a>,
    wanted: CardId,
    history: &'h [ReadCard<'a>],
) -> Result<&'h ReadCard<'a>> {
    let refuse = Untrusted::UnexpectedCard { expected: current.id, met: wanted };
    let mut card = current;
    while card.id != wanted {
        let before = history.iter().find(|before| before.id == card.previous && before.version < card.version);
        card = before.ok_or(refuse)?;
    }
    Ok(card)
}

/// What a stored card says of itself, whatever the roster and the endorsements say of it.
pub(crate) struct Link<'a> {
    pub(crate) patient: PatientId<'a>,
    pub(crate) id: CardId,
    /// The card before; a first card has none.
    pub(crate) previous: Option<CardId>,
}
