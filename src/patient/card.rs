//! A card is the public part of a patient key; this is how a stored one becomes a trusted one.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::grant::pinned_master;
use crate::custody::PinnedDescriptor;
use crate::error::{Conflict, Error, Object, Result, Untrusted, Usage, Versioned};
use crate::ident::{CardId, PatientId, Suite, VaultId, require_vault};
use crate::keys::labels;
use crate::keys::patient::PatientContext;
use crate::prim::hash::hash;
use crate::prim::hpke::PublicKey;
use crate::prim::sign::VerifyingKey;
use crate::roster::{ClosedReason, Roles, VerifiedRoster};
use crate::wire;
use crate::wire::card::Voucher;
use crate::wire::endorsement::{Endorsement, Endorser};
use crate::wire::grant::Grant;

/// What a store holds of one patient's key, as it was read and not trusted yet.
#[derive(Debug, Clone, Copy)]
pub struct StoredPatient<'a> {
    /// Every card of the patient, in any order: usually one, after a re-key the older ones too.
    pub cards: &'a [&'a [u8]],
    /// The endorsement of the newest card for the pinned generation.
    pub endorsement: &'a [u8],
    /// The newest card's grant to the master key of the pinned generation.
    pub master_grant: &'a [u8],
}

/// The current card of a patient, verified against the pinned descriptor and the roster.
#[derive(Debug, Clone)]
pub struct Card {
    pub(super) id: CardId,
    pub(super) suite: Suite,
    pub(super) vault: VaultId,
    patient: Box<[u8]>,
    version: u32,
    pub(super) hpke_key: PublicKey,
    pub(super) succession_key: VerifyingKey,
    pub(super) master_grant: Box<[u8]>,
}

impl Card {
    /// The card's id, for `expect` and for the store.
    #[must_use]
    pub const fn id(&self) -> CardId {
        self.id
    }

    /// The patient's id, 1 to 255 bytes.
    #[must_use]
    pub const fn patient(&self) -> &[u8] {
        &self.patient
    }

    /// The version of the patient's key, from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    pub(crate) const fn hpke_key(&self) -> &PublicKey {
        &self.hpke_key
    }

    pub(crate) const fn belongs_to(&self) -> (Suite, VaultId) {
        (self.suite, self.vault)
    }

    pub(super) fn context(&self) -> Result<PatientContext<'_>> {
        let patient = PatientId::new(&self.patient)?;
        Ok(PatientContext { suite: self.suite, vault: self.vault, patient, version: self.version })
    }

    /// Verifies what is stored of a patient and gives the current card.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Usage`] for objects of another vault, suite or patient; [`Conflict::Cards`];
    /// [`Untrusted`] with what did not hold; [`Error::Stale`] for an endorsement of another generation, or one made
    /// under a newer roster than the one in hand.
    pub fn verify(
        patient: PatientId<'_>,
        stored: &StoredPatient<'_>,
        expect: Option<CardId>,
        descriptor: &PinnedDescriptor,
        roster: &VerifiedRoster,
    ) -> Result<Self> {
        // 1. All cards are well-formed and of the patient that was asked for; no two open ones of one version.
        let history = read_history(stored.cards, descriptor, roster)?;
        let current = history.last().ok_or(Usage::NoCard)?;
        if current.patient != patient.as_bytes() {
            return Err(Usage::WrongPatient.into());
        }
        // 2. The newest card is open.
        roster.require_open(current.id)?;
        // 3. It is endorsed, and the endorsed master grant is at hand.
        let endorser = verify_endorsement(stored, current.id, descriptor, roster)?;
        require_master_grant(stored.master_grant, current.id, descriptor)?;
        // 4. From version 2 on, the card before it vouches for it, or the root endorses it.
        verify_succession(current, &history, endorser)?;
        // 5. It is the card that the client accepted before, or follows from it.
        if let Some(expected) = expect {
            require_follows(current, expected, &history)?;
        }
        Ok(Self {
            id: current.id,
            suite: descriptor.suite(),
            vault: descriptor.vault(),
            patient: current.patient.into(),
            version: current.version,
            hpke_key: current.hpke_key.clone(),
            succession_key: current.succession_key,
            master_grant: stored.master_grant.into(),
        })
    }
}

/// A card that is well-formed and has valid keys.
struct ReadCard<'a> {
    id: CardId,
    patient: &'a [u8],
    version: u32,
    hpke_key: PublicKey,
    succession_key: VerifyingKey,
    previous: CardId,
    voucher: Voucher,
}

/// The id of a card: `SHA-256(lp(label) || body)`.
pub(super) fn card_id(body: &[u8]) -> CardId {
    CardId(hash(labels::CARD_ID, &[body]))
}

/// Reads all cards, passes over those that are closed and replaced, and sorts the rest by version.
fn read_history<'a>(
    cards: &[&'a [u8]],
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
) -> Result<Vec<ReadCard<'a>>> {
    let mut history = cards.iter().map(|bytes| read_card(bytes, descriptor)).collect::<Result<Vec<_>>>()?;
    history.sort_by_key(|card| card.version);
    pass_over_replaced(&mut history, roster);
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

/// An erased patient who was enrolled anew, or a conflict that was settled by closing the false card: what an open card
/// replaces no longer counts, also when a backup brings it back. A compromised card stays as a link of its chain.
fn pass_over_replaced(history: &mut Vec<ReadCard<'_>>, roster: &VerifiedRoster) {
    let open: Vec<u32> =
        history.iter().filter(|card| roster.closed(card.id).is_none()).map(|card| card.version).collect();
    history.retain(|card| match roster.closed(card.id) {
        None => true,
        Some(ClosedReason::Erased) => open.is_empty(),
        Some(ClosedReason::Compromised) => !open.contains(&card.version),
    });
}

fn read_card<'a>(bytes: &'a [u8], descriptor: &PinnedDescriptor) -> Result<ReadCard<'a>> {
    let (card, body, voucher) = wire::card::Card::parse(bytes)?;
    require_vault(descriptor.belongs_to(), (card.suite, card.vault))?;
    let succession_offset = body.len().saturating_sub(wire::LEN_32).saturating_sub(wire::LEN_32);
    let hpke_offset = succession_offset.saturating_sub(card.hpke_key.len());
    let hpke_key =
        PublicKey::import(card.suite, card.hpke_key).ok_or(Error::malformed(Object::Card, "hpke key", hpke_offset))?;
    let succession_key = VerifyingKey::import(&card.succession_key).ok_or(Error::malformed(
        Object::Card,
        "succession key",
        succession_offset,
    ))?;
    let wire::card::Card { patient, version, previous, .. } = card;
    Ok(ReadCard { id: card_id(body), patient, version, hpke_key, succession_key, previous, voucher })
}

fn verify_endorsement(
    stored: &StoredPatient<'_>,
    card: CardId,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
) -> Result<Endorser> {
    let (endorsement, body, signature) = Endorsement::parse(stored.endorsement)?;
    if endorsement.vault != descriptor.vault() {
        return Err(Usage::WrongVault.into());
    }
    if endorsement.card != card {
        return Err(Untrusted::EndorsedCard { card, endorsed: endorsement.card }.into());
    }
    require_known(Versioned::Generation, descriptor.generation().into(), endorsement.generation.into(), true)?;
    require_known(Versioned::Roster, roster.version(), endorsement.roster_seen, false)?;
    let key = match endorsement.endorser {
        Endorser::Member(key) => &roster.require_unrevoked(key, Roles::ENROL)?.entry().signing_key,
        Endorser::Root => &descriptor.root_key,
    };
    if !key.verify(labels::ENDORSEMENT, body, &signature) {
        let signer = match endorsement.endorser {
            Endorser::Member(key) => Some(key),
            Endorser::Root => None,
        };
        return Err(Untrusted::EndorsementSignature(signer).into());
    }
    if master_grant_digest(stored.master_grant) != endorsement.master_grant {
        return Err(Untrusted::MasterGrant(card).into());
    }
    Ok(endorsement.endorser)
}

/// Refuses a newer number than the known one, and where `exact` an older one too.
fn require_known(what: Versioned, known: u64, met: u64, exact: bool) -> Result<()> {
    if met > known || (exact && met != known) { Err(Error::Stale { what, known, met }) } else { Ok(()) }
}

/// `SHA-256(lp(label) || master grant)`, which the endorsement signs.
pub(super) fn master_grant_digest(grant: &[u8]) -> [u8; 32] {
    hash(labels::MASTER_GRANT_DIGEST, &[grant])
}

/// The endorsed master grant must be one: of this card and to the pinned master key. What is in it, only a quorum sees.
fn require_master_grant(bytes: &[u8], card: CardId, descriptor: &PinnedDescriptor) -> Result<()> {
    let (grant, _) = Grant::parse(bytes)?;
    require_vault(descriptor.belongs_to(), (grant.suite, grant.vault))?;
    if grant.card == card && grant.recipient == pinned_master(descriptor) {
        Ok(())
    } else {
        Err(Untrusted::MasterGrant(card).into())
    }
}

/// A voucher must verify wherever one is; it may lack only on a first card and on one that the root endorses.
fn verify_succession(card: &ReadCard<'_>, history: &[ReadCard<'_>], endorser: Endorser) -> Result<()> {
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
fn require_follows(current: &ReadCard<'_>, expected: CardId, history: &[ReadCard<'_>]) -> Result<()> {
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
