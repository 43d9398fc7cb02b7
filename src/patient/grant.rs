//! Grants: the patient secret wrapped to one key. A grant counts if the secret in it derives the card's keys.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::card::Card;
use super::history::PublicCard;
use crate::choice::Roles;
use crate::custody::PinnedDescriptor;
use crate::digest::{CardId, KeyFingerprint};
use crate::error::{Result, Usage};
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::{PatientKey, PatientSecret};
use crate::prim::hpke::{Coins, PrivateKey, PublicKey, open_secret, seal_secret};
use crate::roster::VerifiedRoster;
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

/// Wraps the patient secret to a member: from then on the member reads and writes the patient's records.
///
/// # Errors
/// [`Untrusted`](crate::error::Untrusted) if the key is unknown, not active, lacks the role `read`, or if the card is
/// closed; [`Usage::WrongVault`]; [`Error::Randomness`](crate::Error::Randomness).
///
/// # Security
/// Whoever may read may copy: withdrawing a grant later keeps nobody from what was read before.
pub(crate) fn grant_to_member(
    key: &PatientKey,
    to: KeyFingerprint,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Grant> {
    descriptor.scope().require(key.scope())?;
    roster.require_open(key.card())?;
    let member = roster.require_active(to, Roles::READ)?;
    let bytes = seal_grant(key, &member.entry().hpke_key, Recipient::Member(to), rng)?;
    Ok(Grant { bytes, card: key.card(), recipient: to })
}

/// Opens a member's grant.
///
/// # Errors
/// [`Error::Malformed`](crate::Error::Malformed); [`Usage`] if the grant is of another vault, suite or card, or
/// addressed to another key; [`Untrusted`](crate::error::Untrusted) if the roster lists the member as retired or
/// revoked or without the role `read`; [`Error::NotAuthentic`](crate::Error::NotAuthentic) for everything after that.
pub(crate) fn open_as_member(
    card: &Card,
    member: &MemberKey,
    grant: &[u8],
    roster: &VerifiedRoster,
) -> Result<PatientKey> {
    open_with(&card.public, &GrantKey::Member { key: member, grant }, roster)
}

/// Opens the master grant that belongs to a verified card: the break-glass path.
///
/// # Errors
/// [`Usage::WrongRecipient`] for a master key of another generation or vault;
/// [`Error::NotAuthentic`](crate::Error::NotAuthentic) for everything after that.
pub(crate) fn open_as_master(card: &Card, master: &MasterKey) -> Result<PatientKey> {
    open_master_grant(&card.public, master, &card.master_grant)
}

fn open_master_grant(card: &PublicCard, master: &MasterKey, grant: &[u8]) -> Result<PatientKey> {
    let recipient = Recipient::Master { generation: master.generation(), key: master.fingerprint() };
    open(card, grant, recipient, &master.hpke)
}

/// Opens the grant of a card that is trusted for another reason than its endorsement.
pub(super) fn open_with(card: &PublicCard, with: &GrantKey<'_>, roster: &VerifiedRoster) -> Result<PatientKey> {
    match *with {
        GrantKey::Member { key, grant } => {
            card.scope.require(key.scope())?;
            roster.require_active(key.fingerprint(), Roles::READ)?;
            open(card, grant, Recipient::Member(key.fingerprint()), &key.hpke)
        }
        GrantKey::Master { key, grant } => open_master_grant(card, key, grant),
    }
}

/// Wraps the patient secret to the pinned master key. Only an endorsement makes it the grant that a card is used with.
pub(crate) fn grant_to_master(
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
fn open(card: &PublicCard, bytes: &[u8], recipient: Recipient, key: &PrivateKey) -> Result<PatientKey> {
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
