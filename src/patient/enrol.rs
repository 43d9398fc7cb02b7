//! Enrolment: a patient's key, its card, the endorsement and the master grant, all in one call.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::card::master_grant_digest;
use super::grant::grant_to_master;
use super::history::card_id;
use crate::choice::Roles;
use crate::custody::{PinnedDescriptor, require_root};
use crate::digest::CardId;
use crate::error::{Result, Usage};
use crate::ident::PatientId;
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::{PatientContext, PatientKey, PatientSecret};
use crate::prim::sign::SigningKey;
use crate::roster::VerifiedRoster;
use crate::wire;
use crate::wire::endorsement::{Endorsement, Endorser};
use crate::wire::frame::Field;

/// Who enrols patients: a member with the role `enrol`, or the root.
#[derive(Debug, Clone, Copy)]
pub enum Enroller<'a> {
    /// An active member with the role `enrol`.
    Member(&'a MemberKey),
    /// The master key, while a quorum has it open.
    Root(&'a MasterKey),
}

/// A newly enrolled patient: three objects to store together, and the key to seal and to grant with.
#[derive(Debug)]
pub struct Enrolment {
    /// The card's id, for clients that remember it.
    pub card_id: CardId,
    /// The card.
    pub card: Vec<u8>,
    /// The endorsement of the card and the master grant.
    pub endorsement: Vec<u8>,
    /// The patient secret wrapped to the master key: what a quorum opens when all members are gone.
    pub master_grant: Vec<u8>,
    /// The patient's key.
    pub key: PatientKey,
}

/// A card's endorsement and master grant for the pinned generation: store both in place of the ones before.
#[derive(Debug, Clone)]
pub struct Endorsed {
    /// The endorsement of the card and the master grant.
    pub endorsement: Vec<u8>,
    /// The patient secret wrapped to the master key.
    pub master_grant: Vec<u8>,
}

/// Enrols a patient: draws a secret, derives its keys, publishes them on a card, and wraps the secret to the master key.
///
/// # Errors
/// [`Untrusted`](crate::error::Untrusted) if the enroller is not an active member with the role `enrol`;
/// [`Usage::WrongSigner`] for a master key of another vault or generation;
/// [`Error::Randomness`](crate::Error::Randomness). Nothing was made then.
pub(crate) fn enrol(
    by: Enroller<'_>,
    patient: PatientId<'_>,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Enrolment> {
    let context = PatientContext { scope: descriptor.scope(), patient, version: 1 };
    issue(by, &context, None, descriptor, roster, rng)
}

/// Makes the next version of a patient's key. Its card names the old one, whose succession key vouches for it.
///
/// # Errors
/// As [`enrol`]; [`Usage::WrongVault`]; [`Usage::VersionExhausted`] after version 2^32 - 1;
/// [`Untrusted`](crate::error::Untrusted) if the old card is closed as erased.
pub(crate) fn rekey(
    by: Enroller<'_>,
    old: &PatientKey,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Enrolment> {
    descriptor.scope().require(old.scope())?;
    roster.require_not_erased(old.card())?;
    let version = old.version().checked_add(1).ok_or(Usage::VersionExhausted)?;
    let context = PatientContext { version, ..old.context() };
    issue(by, &context, Some(old), descriptor, roster, rng)
}

/// One version of a patient's key: secret, card, master grant and endorsement.
fn issue(
    by: Enroller<'_>,
    context: &PatientContext<'_>,
    old: Option<&PatientKey>,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Enrolment> {
    let entitled = entitled(by, descriptor, roster)?;
    // 1. The secret and its key pairs.
    let pairs = PatientSecret::draw(rng)?.derive(context)?;
    // 2. The card: their public halves, and the card before.
    let hpke_public = pairs.hpke_public.as_bytes().to_vec();
    let succession_public = *pairs.succession_public().as_bytes();
    let mut card = wire::card::Card {
        scope: context.scope,
        patient: context.patient,
        version: context.version,
        hpke_key: Field::new(&hpke_public),
        succession_key: Field::new(succession_public),
        previous: old.map_or(CardId([0; wire::LEN_32]), PatientKey::card),
    }
    .encode_body();
    let card_id = card_id(&card);
    wire::card::put_voucher(&mut card, &old.map(|old| old.vouch_for(card_id)));
    let key = pairs.matching(context, card_id, &hpke_public, &succession_public)?;
    // 3. The master grant, so that a quorum can always break the glass, and the endorsement of both.
    let Endorsed { endorsement, master_grant } = endorse_as(&entitled, &key, descriptor, roster, rng)?;
    Ok(Enrolment { card_id, card, endorsement, master_grant, key })
}

/// Wraps a patient's secret to the pinned master key and endorses its card: for the next generation, or in place of an
/// enroller who was revoked.
///
/// # Errors
/// As [`enrol`]; [`Usage::WrongVault`]; [`Untrusted`](crate::error::Untrusted) for a closed card.
pub(crate) fn endorse(
    by: Enroller<'_>,
    key: &PatientKey,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Endorsed> {
    descriptor.scope().require(key.scope())?;
    roster.require_open(key.card())?;
    endorse_as(&entitled(by, descriptor, roster)?, key, descriptor, roster, rng)
}

fn endorse_as(
    by: &Entitled<'_>,
    key: &PatientKey,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> Result<Endorsed> {
    let master_grant = grant_to_master(key, descriptor, rng)?;
    let body = Endorsement {
        vault: descriptor.vault(),
        card: key.card(),
        generation: descriptor.generation(),
        master_grant: master_grant_digest(&master_grant),
        roster_seen: roster.version(),
        endorser: by.endorser,
    }
    .encode_body();
    Ok(Endorsed { endorsement: by.key.append_signature(labels::ENDORSEMENT, body), master_grant })
}

/// Who endorses, and with which key.
struct Entitled<'a> {
    endorser: Endorser,
    key: &'a SigningKey,
}

/// Checks that the enroller may endorse now.
fn entitled<'a>(by: Enroller<'a>, descriptor: &PinnedDescriptor, roster: &VerifiedRoster) -> Result<Entitled<'a>> {
    match by {
        Enroller::Member(member) => {
            descriptor.scope().require(member.scope())?;
            roster.require_active(member.fingerprint(), Roles::ENROL)?;
            Ok(Entitled { endorser: Endorser::Member(member.fingerprint()), key: &member.signing })
        }
        Enroller::Root(master) => {
            require_root(descriptor, master)?;
            Ok(Entitled { endorser: Endorser::Root, key: &master.root })
        }
    }
}
