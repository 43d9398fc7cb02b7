//! What an enroller can endorse that the library never makes, and what rotation and re-key make of it.

use alloc::vec::Vec;

use getrandom::SysRng;

use super::{PatientRotation, Rotation};
use crate::choice::{ClosedReason, Roles, Suite};
use crate::custody::{NewVault, Pin, Policy, create};
use crate::digest::CardId;
use crate::error::{Error, Result, Untrusted, Usage};
use crate::ident::{MemberId, PatientId};
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::registrar::RegistrarKey;
use crate::patient::{Endorsed, Enroller, Enrolment, StoredPatient};
use crate::prim::hash::hash;
use crate::roster::{MemberEntry, RosterDraft};
use crate::vault::Vault;
use crate::wire::endorsement::{Endorsement, Endorser};

/// A vault in two generations, with an enroller and one patient.
struct World {
    registrar: RegistrarKey,
    enroller: MemberKey,
    old: Vault,
    old_master: MasterKey,
    new: Vault,
    rotation: Rotation,
    patient: Enrolment,
}

fn patient() -> PatientId<'static> {
    PatientId::new("p").unwrap()
}

impl World {
    fn new() -> Self {
        let rng = &mut SysRng;
        let (registrar, policy) = (RegistrarKey::generate(rng).unwrap(), Policy::new(2, 3).unwrap());
        let NewVault { descriptor, master: old_master, .. } =
            create(policy, Suite::X25519, &registrar.public(), rng).unwrap();
        let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = pin.check(descriptor.clone()).unwrap();
        let enroller = pinned.new_member(MemberId::new("e").unwrap(), rng).unwrap();
        let mut draft = RosterDraft::first(&pinned);
        draft.admit(&MemberEntry::verify(enroller.entry(), &pinned).unwrap(), Roles::ENROL).unwrap();
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let old = Vault::load(pin, descriptor.as_bytes(), &roster, [enroller.entry()]).unwrap();
        let patient = old.enrol(Enroller::Member(&enroller), patient(), rng).unwrap();
        let draft = old.roster().next_generation().unwrap();
        let rotation = old.rotate(&old_master, policy, &registrar.public(), draft, rng).unwrap();
        let pair = (rotation.descriptor.as_bytes(), rotation.statement.as_slice());
        let successor = old.descriptor().successor([pair]).unwrap();
        let new = old.follow(successor, &rotation.roster, [enroller.entry()]).unwrap();
        Self { registrar, enroller, old, old_master, new, rotation, patient }
    }

    /// Endorses any bytes as the master grant of any card.
    fn endorse(&self, vault: &Vault, card: CardId, master_grant: &[u8], by: Endorser) -> Endorsed {
        let body = Endorsement {
            vault: vault.descriptor().vault(),
            card,
            generation: vault.descriptor().generation(),
            master_grant: hash(labels::MASTER_GRANT_DIGEST, &[master_grant]),
            roster_seen: 1,
            endorser: by,
        }
        .encode_body();
        let key = match by {
            Endorser::Member(_) => &self.enroller.signing,
            Endorser::Root => &self.old_master.root,
        };
        let endorsement = key.append_signature(labels::ENDORSEMENT, body);
        Endorsed { endorsement, master_grant: master_grant.to_vec() }
    }

    fn by_member(&self) -> Endorser {
        Endorser::Member(self.enroller.fingerprint())
    }

    fn rotation<'a>(&'a self, by: Enroller<'a>) -> PatientRotation<'a> {
        PatientRotation { from: &self.old, master: &self.old_master, to: &self.new, by }
    }

    /// Closes a card in one of the generations.
    fn close(&self, vault: &mut Vault, card: CardId, reason: ClosedReason) {
        let mut draft = vault.roster().next().unwrap();
        draft.close(card, reason).unwrap();
        let roster = draft.sign_as_registrar(&self.registrar, vault.descriptor()).unwrap();
        vault.update_roster(&roster, [self.enroller.entry()]).unwrap();
    }
}

fn stored<'a>(cards: &'a [&'a [u8]], endorsed: &'a Endorsed) -> StoredPatient<'a> {
    StoredPatient { cards, endorsement: &endorsed.endorsement, master_grant: &endorsed.master_grant }
}

fn endorsed(enrolment: &Enrolment) -> Endorsed {
    let Enrolment { endorsement, master_grant, .. } = enrolment;
    Endorsed { endorsement: endorsement.clone(), master_grant: master_grant.clone() }
}

/// T157: an enroller endorses a worthless master grant in the new generation. It does not count as done where the new
/// root is at hand; an enroller alone cannot know.
#[test]
fn t157_a_worthless_master_grant_does_not_count_as_done() {
    let world = World::new();
    let good = world.new.endorse(Enroller::Member(&world.enroller), &world.patient.key, &mut SysRng).unwrap();
    let mut worthless = good.master_grant.clone();
    *worthless.last_mut().unwrap() ^= 1;
    let worthless = world.endorse(&world.new, world.patient.card_id, &worthless, world.by_member());
    let (cards, from) = ([world.patient.card.as_slice()], endorsed(&world.patient));
    let root = world.rotation(Enroller::Root(&world.rotation.master));
    let made = |done: &Endorsed, rotation: &PatientRotation<'_>| {
        rotation.patient(patient(), &stored(&cards, &from), Some(&stored(&cards, done)), &mut SysRng).unwrap()
    };
    assert!(made(&good, &root).is_none());
    let again = made(&worthless, &root).expect("the patient is wrapped again");
    let card = world.new.card(patient(), &stored(&cards, &again), None).unwrap();
    assert!(world.new.break_glass(&card, &world.rotation.master).is_ok());
    assert!(made(&worthless, &world.rotation(Enroller::Member(&world.enroller))).is_none());
}

/// An endorsement names a master grant that is well-formed and of another card, or to another master key.
#[test]
fn the_endorsed_master_grant_is_of_the_card_and_to_the_pinned_key() {
    let world = World::new();
    let by = Enroller::Member(&world.enroller);
    let other = world.old.enrol(by, patient(), &mut SysRng).unwrap();
    let to_new = world.new.grant_to_master(&world.patient.key, &mut SysRng).unwrap();
    let cards = [world.patient.card.as_slice()];
    let card = world.patient.card_id;
    let verify = |grant: &[u8]| -> Result<()> {
        let endorsed = world.endorse(&world.old, card, grant, world.by_member());
        world.old.card(patient(), &stored(&cards, &endorsed), None).map(drop)
    };
    assert_eq!(verify(&world.patient.master_grant), Ok(()));
    for grant in [&other.master_grant, &to_new] {
        assert_eq!(verify(grant), Err(Untrusted::MasterGrant(card).into()));
    }
}

/// The root endorses a card with a voucher: it needs none, but one that is there must hold.
#[test]
fn a_voucher_that_is_there_is_checked_whoever_endorses() {
    let world = World::new();
    let by = Enroller::Root(&world.old_master);
    let second = world.old.rekey(by, &world.patient.key, &mut SysRng).unwrap();
    let verify = |card: &[u8], older: &[&[u8]]| {
        let cards: Vec<&[u8]> = older.iter().copied().chain([card]).collect();
        let endorsed = world.endorse(&world.old, second.card_id, &second.master_grant, Endorser::Root);
        world.old.card(patient(), &stored(&cards, &endorsed), None).map(|card| card.id())
    };
    let first = world.patient.card.as_slice();
    assert_eq!(verify(&second.card, &[first]), Ok(second.card_id));
    let mut forged = second.card.clone();
    *forged.last_mut().unwrap() ^= 1;
    let refused = Err(Untrusted::Succession(second.card_id).into());
    assert_eq!(verify(&forged, &[first]), refused);
    assert_eq!(verify(&second.card, &[]), refused, "its card before is not at hand");
    // Without the voucher, which the card's id does not cover, the root's word is enough.
    let bare = [&second.card[..second.card.len() - 65], &[0]].concat();
    assert_eq!(verify(&bare, &[]), Ok(second.card_id));
}

/// Two cards of one version follow from the same one; the false one is closed as compromised. It is a link of an open
/// card's chain, and is passed over because an open card has its version.
#[test]
fn a_compromised_twin_of_an_open_card_is_passed_over() {
    let mut world = World::new();
    let by = Enroller::Member(&world.enroller);
    let [twin, second] = [(); 2].map(|()| world.old.rekey(by, &world.patient.key, &mut SysRng).unwrap());
    let cards = [world.patient.card.as_slice(), &twin.card, &second.card];
    let second_rows = endorsed(&second);
    let conflict = world.old.card(patient(), &stored(&cards, &second_rows), None).unwrap_err();
    assert!(matches!(conflict, Error::Conflict(_)), "{conflict:?}");
    let mut old = world.old.clone();
    world.close(&mut old, twin.card_id, ClosedReason::Compromised);
    world.old = old;
    for expect in [None, Some(world.patient.card_id), Some(second.card_id)] {
        let card = world.old.card(patient(), &stored(&cards, &second_rows), expect).unwrap();
        assert_eq!(card.id(), second.card_id);
    }
}

/// The master grant of an older card is re-wrapped from the old generation's own rows, and never for a card that the new
/// generation has closed as erased.
#[test]
fn an_older_master_grant_is_re_wrapped_only_while_it_may_be() {
    let world = World::new();
    let by = Enroller::Member(&world.enroller);
    let second = world.old.rekey(by, &world.patient.key, &mut SysRng).unwrap();
    let cards = [world.patient.card.as_slice(), &second.card];
    let (rows, older) = (endorsed(&second), world.patient.card_id);
    let rotate = |to: &Vault, grant: &[u8]| {
        let rotation = PatientRotation { to, ..world.rotation(by) };
        rotation.older(patient(), &stored(&cards, &rows), older, grant, &mut SysRng)
    };
    let made = rotate(&world.new, &world.patient.master_grant).unwrap();
    // It is to the new generation, and holds the older card's secret.
    let done = world.rotation(by).patient(patient(), &stored(&cards, &rows), None, &mut SysRng).unwrap().unwrap();
    let with = crate::patient::GrantKey::Master { key: &world.rotation.master, grant: &made };
    let key = world.new.open_older(patient(), &stored(&cards, &done), None, older, &with).unwrap();
    assert_eq!(key.card(), older);
    let refused = rotate(&world.new, &second.master_grant).unwrap_err();
    assert_eq!(refused, Usage::WrongCard { key: older, object: second.card_id }.into());
    // A card to which the current one does not lead back is none of the patient's older ones.
    let twin = world.old.enrol(by, patient(), &mut SysRng).unwrap();
    let planted = [world.patient.card.as_slice(), &second.card, &twin.card];
    let rotation = world.rotation(by);
    let refused =
        rotation.older(patient(), &stored(&planted, &rows), twin.card_id, &twin.master_grant, &mut SysRng).unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
    let refused =
        rotation.older(patient(), &stored(&cards, &rows), twin.card_id, &twin.master_grant, &mut SysRng).unwrap_err();
    assert_eq!(refused, Untrusted::UnexpectedCard { expected: second.card_id, met: twin.card_id }.into());
    let mut closed = world.new.clone();
    world.close(&mut closed, older, ClosedReason::Erased);
    let refused = rotate(&closed, &world.patient.master_grant).unwrap_err();
    assert_eq!(refused, Untrusted::CardErased(older).into());
}
