//! Grants: the patient secret wrapped to one key. A grant counts if the secret in it derives the card's keys.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::card::{Card, ReadCard};
use crate::choice::Roles;
use crate::custody::PinnedDescriptor;
use crate::digest::{CardId, KeyFingerprint};
use crate::error::{Result, Usage};
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::{PatientKey, PatientSecret};
use crate::prim::hpke::{Coins, PrivateKey, PublicKey, open_secret, seal_secret};
use crate::vault::Vault;
use crate::wire;
use crate::wire::frame::Framed;
use crate::wire::grant::Recipient;

/// A grant that was just made, and whom it is for: show the fingerprint to the person who grants.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The bytes to store: with X25519 183, with X-Wing 1,271.
    pub bytes: Vec<u8>,
    /// The card whose secret it carries.
    pub card: CardId,
    /// The key that opens it.
    pub recipient: KeyFingerprint,
}

/// A key and the grant that is addressed to it.
#[derive(Debug, Clone, Copy)]
pub enum GrantKey<'a> {
    /// An active member with the role `read`, and the grant to it.
    Member {
        /// The member's key.
        key: &'a MemberKey,
        /// The grant.
        grant: &'a [u8],
    },
    /// The master key that a quorum has recovered, and the grant to its generation.
    Master {
        /// The master key.
        key: &'a MasterKey,
        /// The grant.
        grant: &'a [u8],
    },
}

impl Vault {
    /// Grants a patient to a member by the fingerprint of the member's key.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the key is unknown, retired, revoked or lacks the role `read`, or if
    /// the card is closed; [`Usage`](crate::error::Usage) for a key of another vault;
    /// [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// Whoever may read may copy: withdrawing a grant later keeps nobody from what was read before.
    pub fn grant(&self, key: &PatientKey, to: KeyFingerprint, rng: &mut impl TryCryptoRng) -> Result<Grant> {
        self.require_open(key.scope(), key.card())?;
        let member = self.roster.require_active(to, Roles::READ)?;
        let bytes = seal_grant(key, &member.entry().hpke_key, Recipient::Member(to), rng)?;
        Ok(Grant { bytes, card: key.card(), recipient: to })
    }

    /// Opens a grant as the member that it is addressed to.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a grant of another vault, card
    /// or recipient; [`Untrusted`](crate::error::Untrusted) for a closed card or a member that is not active with the
    /// role `read`; [`Error::NotAuthentic`](crate::Error::NotAuthentic) for everything after that.
    pub fn open_grant(&self, card: &Card, member: &MemberKey, grant: &[u8]) -> Result<PatientKey> {
        self.require_open(card.scope(), card.id())?;
        self.open_with(&card.read, &GrantKey::Member { key: member, grant })
    }

    /// Breaks the glass: opens a patient's key with the master key that a quorum has recovered.
    ///
    /// # Errors
    /// [`Usage`](crate::error::Usage) for a card of another vault, or another vault's or generation's master key;
    /// [`Untrusted`](crate::error::Untrusted) for a closed card; then
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic).
    pub fn break_glass(&self, card: &Card, master: &MasterKey) -> Result<PatientKey> {
        self.require_open(card.scope(), card.id())?;
        open_master_grant(&card.read, master, &card.master_grant)
    }

    /// Wraps a patient's secret to this vault's master key, without an endorsement: for the key of an older card, whose
    /// records have not all been moved yet, so that a quorum can open them too.
    ///
    /// # Errors
    /// [`Usage`](crate::error::Usage) for a key of another vault; [`Untrusted`](crate::error::Untrusted) for an erased
    /// card; [`Error::Randomness`](crate::Error::Randomness).
    pub fn grant_to_master(&self, key: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>> {
        self.require_not_erased(key)?;
        seal_to_master(key, &self.descriptor, rng)
    }

    /// Opens the grant of a card that is trusted for another reason than its endorsement.
    pub(super) fn open_with(&self, card: &ReadCard, with: &GrantKey<'_>) -> Result<PatientKey> {
        match *with {
            GrantKey::Member { key, grant } => {
                card.scope.require(key.scope())?;
                self.roster.require_active(key.fingerprint(), Roles::READ)?;
                open(card, grant, Recipient::Member(key.fingerprint()), &key.hpke)
            }
            GrantKey::Master { key, grant } => open_master_grant(card, key, grant),
        }
    }
}

fn open_master_grant(card: &ReadCard, master: &MasterKey, grant: &[u8]) -> Result<PatientKey> {
    let recipient = Recipient::Master { generation: master.generation(), key: master.fingerprint() };
    open(card, grant, recipient, &master.hpke)
}

/// Wraps the patient secret to the pinned master key. Only an endorsement makes it the grant that a card is used with.
pub(super) fn seal_to_master(
    key: &PatientKey,
    descriptor: &PinnedDescriptor,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    seal_grant(key, &descriptor.master_key, pinned_master(descriptor), rng)
}

/// The master key of the pinned generation, as grants name it.
pub(super) fn pinned_master(descriptor: &PinnedDescriptor) -> Recipient {
    Recipient::Master { generation: descriptor.generation(), key: descriptor.master_fingerprint() }
}

/// `head || SealBase(key, info = lp(label), aad = head, patient secret)`.
///
/// The head holds suite, vault, card id and recipient.
pub(super) fn seal_grant(
    key: &PatientKey,
    to: &PublicKey,
    recipient: Recipient,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    let mut grant = wire::grant::Grant { scope: key.scope(), card: key.card(), recipient }.encode_body();
    let coins = Coins::draw(key.scope().suite, rng)?;
    let sealed = seal_secret(to, &labels::GRANT.frame(&[]), &grant, key.secret().expose(), &coins)?;
    grant.extend_from_slice(&sealed);
    Ok(grant)
}

/// Opens a grant and compares the keys derived from its secret with the card's.
fn open(card: &ReadCard, bytes: &[u8], recipient: Recipient, key: &PrivateKey) -> Result<PatientKey> {
    let Framed { value: grant, body: head, end: sealed } = wire::grant::Grant::parse(bytes)?;
    card.scope.require(grant.scope)?;
    if grant.card != card.id {
        return Err(Usage::WrongCard { key: card.id, object: grant.card }.into());
    }
    if grant.recipient != recipient {
        let (Recipient::Master { key: addressed_to, .. } | Recipient::Member(addressed_to)) = grant.recipient;
        return Err(Usage::WrongRecipient { addressed_to }.into());
    }
    let secret = PatientSecret::from_secret(open_secret(key, &labels::GRANT.frame(&[]), head, sealed)?);
    let context = card.context();
    secret.derive(&context)?.matching(&context, card.id, card.hpke_key.as_bytes(), card.succession_key.as_bytes())
}
