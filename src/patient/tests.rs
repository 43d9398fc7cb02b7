//! Chains of cards, with cards that no honest enroller makes.

use alloc::vec::Vec;

use getrandom::SysRng;

use super::card::Card;
use super::endorsement::{Enroller, StoredPatient};
use super::enrol::Enrolment;
use super::grant::seal_grant;
use crate::choice::{Roles, Suite};
use crate::custody::{NewVault, Pin, Policy, create};
use crate::digest::CardId;
use crate::error::{Conflict, Error, Result, Untrusted};
use crate::ident::{MemberId, PatientId};
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::{PatientContext, PatientSecret, card_id, master_grant_digest};
use crate::keys::registrar::RegistrarKey;
use crate::prim::hpke::{Coins, seal_secret};
use crate::roster::{MemberEntry, RosterDraft};
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire;
use crate::wire::card::{Voucher, put_voucher};
use crate::wire::endorsement::{Endorsement, Endorser};
use crate::wire::frame::Field;
use crate::wire::grant::Recipient;

struct World {
    vault: Vault,
    enroller: MemberKey,
    master: MasterKey,
    first: Enrolment,
}

impl World {
    fn new() -> Self {
        let rng = &mut SysRng;
        let registrar = RegistrarKey::generate(rng).unwrap();
        let NewVault { descriptor, master, .. } =
            create(Policy::new(2, 3).unwrap(), Suite::X25519, &registrar.public(), rng).unwrap();
        let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = pin.check(descriptor.clone()).unwrap();
        let enroller = pinned.new_member(MemberId::new("e").unwrap(), rng).unwrap();
        let mut draft = RosterDraft::first(&pinned);
        draft.admit(&MemberEntry::verify(enroller.entry(), &pinned).unwrap(), Roles::ENROL).unwrap();
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let vault = Vault::load(pin, descriptor.as_bytes(), &roster, [enroller.entry()]).unwrap();
        let first = vault.enrol(Enroller::Member(&enroller), PatientId::new("p").unwrap(), rng).unwrap();
        Self { vault, enroller, master, first }
    }

    fn rekey(&self, by: Enroller<'_>, old: &Enrolment) -> Enrolment {
        self.vault.rekey(by, &old.key, &mut SysRng).unwrap()
    }

    fn by_member(&self) -> Enroller<'_> {
        Enroller::Member(&self.enroller)
    }

    /// Verifies the newest of these, with all of their cards in the given order.
    fn verify(&self, cards: &[&Enrolment], newest: &Enrolment, expect: Option<CardId>) -> Result<Card> {
        let cards: Vec<&[u8]> = cards.iter().map(|enrolment| enrolment.card.as_slice()).collect();
        let Enrolment { endorsement, master_grant, .. } = newest;
        let stored = StoredPatient { cards: &cards, endorsement, master_grant };
        self.vault.card(PatientId::new("p").unwrap(), &stored, expect)
    }

    /// What an enroller can make who knows the seed of the card that he invents: everything but a voucher of a card
    /// whose secret he does not know.
    fn invent(&self, version: u32, previous: CardId, voucher: impl FnOnce(CardId) -> Voucher) -> Enrolment {
        let (scope, patient) = (self.vault.descriptor.scope(), PatientId::new("p").unwrap());
        let context = PatientContext { scope, patient, version };
        let pairs = PatientSecret::from_secret(Secret::copied(&[7; 32])).derive(&context).unwrap();
        let (hpke, succession_key) = (pairs.hpke_public.as_bytes().to_vec(), *pairs.succession_public().as_bytes());
        let (hpke_key, signing_key) = (Field::new(hpke.as_slice()), Field::new(succession_key));
        let body = wire::card::Card { scope, patient, version, hpke_key, succession_key: signing_key, previous };
        let mut card = body.encode_body();
        let card_id = card_id(&card);
        put_voucher(&mut card, &voucher(card_id));
        let key = pairs.matching(&context, card_id, &hpke, &succession_key).unwrap();
        let (generation, fingerprint) = (1, self.vault.descriptor.master_fingerprint());
        let recipient = Recipient::Master { generation, key: fingerprint };
        let master_grant = seal_grant(&key, &self.vault.descriptor.master_key, recipient, &mut SysRng).unwrap();
        let endorsement = Endorsement {
            vault: scope.vault,
            card: card_id,
            generation,
            master_grant: master_grant_digest(&master_grant),
            roster_seen: 1,
            endorser: Endorser::Member(self.enroller.fingerprint()),
        };
        let body = endorsement.encode_body();
        let signature = self.enroller.signing.sign(labels::ENDORSEMENT, &body);
        Enrolment { card_id, card, endorsement: [body.as_slice(), &signature].concat(), master_grant, key }
    }
}

fn untrusted(result: Result<Card>) -> Untrusted {
    match result.unwrap_err() {
        Error::Untrusted(untrusted) => untrusted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chain_is_accepted_from_any_card_that_was_accepted_before() {
    let world = World::new();
    let second = world.rekey(world.by_member(), &world.first);
    let third = world.rekey(world.by_member(), &second);
    let all = [&third, &world.first, &second];
    for expect in [None, Some(world.first.card_id), Some(second.card_id), Some(third.card_id)] {
        let card = world.verify(&all, &third, expect).unwrap();
        assert_eq!((card.id(), card.version()), (third.card_id, 3));
    }
    // Who accepted the third no longer accepts the second as the newest.
    let refused = untrusted(world.verify(&[&world.first, &second], &second, Some(third.card_id)));
    assert_eq!(refused, Untrusted::UnexpectedCard { expected: third.card_id, met: second.card_id });
}

#[test]
fn a_link_that_is_not_at_hand_is_not_believed() {
    let world = World::new();
    let second = world.rekey(world.by_member(), &world.first);
    let third = world.rekey(world.by_member(), &second);
    let missing = untrusted(world.verify(&[&third, &world.first], &third, None));
    assert_eq!(missing, Untrusted::Succession(third.card_id));
    let unlinked = untrusted(world.verify(&[&third, &second], &third, Some(world.first.card_id)));
    assert_eq!(unlinked, Untrusted::UnexpectedCard { expected: world.first.card_id, met: third.card_id });
}

/// An enroller makes a second version that he knows the seed of: the first version does not vouch for it.
#[test]
fn an_invented_second_version_lacks_the_first_ones_voucher() {
    let world = World::new();
    let true_first = world.first.card_id;
    let vouchers: [fn(CardId) -> Voucher; 2] = [|_| None, |_| Some([7; 64])];
    for voucher in vouchers {
        let invented = world.invent(2, true_first, voucher);
        for expect in [None, Some(true_first)] {
            let refused = untrusted(world.verify(&[&world.first, &invented], &invented, expect));
            assert_eq!(refused, Untrusted::Succession(invented.card_id));
            let refused = untrusted(world.verify(&[&invented], &invented, expect));
            assert_eq!(refused, Untrusted::Succession(invented.card_id));
        }
    }
}

/// He vouches with a first version of his own: who knows the true one refuses the chain, and with both there is a conflict.
#[test]
fn an_invented_chain_is_refused_by_who_knows_the_true_card() {
    let world = World::new();
    let false_first = world.invent(1, CardId([0; 32]), |_| None);
    let false_second = world.rekey(world.by_member(), &false_first);
    let expected = world.first.card_id;
    let refused = untrusted(world.verify(&[&false_first, &false_second], &false_second, Some(expected)));
    assert_eq!(refused, Untrusted::UnexpectedCard { expected, met: false_second.card_id });
    let both = world.verify(&[&world.first, &false_first, &false_second], &false_second, Some(expected));
    assert!(matches!(both, Err(Error::Conflict(Conflict::Cards { version: 1, .. }))));
}

/// He skips a version, or vouches for a card from a version that is not the one before.
#[test]
fn a_voucher_counts_only_for_the_next_version() {
    let world = World::new();
    let invented = world.invent(5, world.first.card_id, |id| Some(world.first.key.vouch_for(id)));
    let refused = untrusted(world.verify(&[&world.first, &invented], &invented, None));
    assert_eq!(refused, Untrusted::Succession(invented.card_id));
}

/// The root's endorsement stands alone: a lost patient key can be replaced.
#[test]
fn the_root_endorses_a_version_without_a_voucher() {
    let world = World::new();
    let second = world.invent(2, world.first.card_id, |_| None);
    let mut by_root = Endorsement::parse(&second.endorsement).unwrap().value;
    by_root.endorser = Endorser::Root;
    let body = by_root.encode_body();
    let signature = world.master.root.sign(labels::ENDORSEMENT, &body);
    let second = Enrolment { endorsement: [body.as_slice(), &signature].concat(), ..second };
    for expect in [None, Some(world.first.card_id), Some(second.card_id)] {
        assert!(world.verify(&[&second], &second, expect).is_ok());
        assert!(world.verify(&[&second, &world.first], &second, expect).is_ok());
    }
    let other = CardId([9; 32]);
    let refused = untrusted(world.verify(&[&second, &world.first], &second, Some(other)));
    assert_eq!(refused, Untrusted::UnexpectedCard { expected: other, met: second.card_id });
    // What comes after it needs its voucher again.
    let third = world.rekey(world.by_member(), &second);
    assert!(world.verify(&[&second, &third], &third, Some(second.card_id)).is_ok());
    // And only the first step back may be the root's: nobody knows any more who endorsed the second card.
    let expected = world.first.card_id;
    let refused = untrusted(world.verify(&[&world.first, &second, &third], &third, Some(expected)));
    assert_eq!(refused, Untrusted::UnexpectedCard { expected, met: third.card_id });
}

/// An enroller endorses a grant that carries another secret than the card's: a quorum notices, and gets nothing else.
#[test]
fn a_master_grant_with_another_secret_is_refused_by_the_quorum() {
    let world = World::new();
    let second = world.rekey(world.by_member(), &world.first);
    // The head says "second card", the secret is the first card's.
    let grant = wire::grant::Grant::parse(&second.master_grant).unwrap().value;
    let mut head = wire::grant::Grant { card: second.card_id, ..grant }.encode_body();
    let info = labels::GRANT.frame(&[]);
    let secret = world.first.key.secret().expose();
    let coins = Coins::draw(Suite::X25519, &mut SysRng).unwrap();
    let sealed = seal_secret(&world.vault.descriptor.master_key, &info, &head, secret, &coins).unwrap();
    head.extend_from_slice(&sealed);
    let mut endorsement = Endorsement::parse(&second.endorsement).unwrap().value;
    endorsement.master_grant = master_grant_digest(&head);
    let body = endorsement.encode_body();
    let signature = world.enroller.signing.sign(labels::ENDORSEMENT, &body);
    let endorsement = [body.as_slice(), &signature].concat();
    let second = Enrolment { endorsement, master_grant: head, ..second };
    let card = world.verify(&[&world.first, &second], &second, None).unwrap();
    assert_eq!(world.vault.break_glass(&card, &world.master).unwrap_err(), Error::NotAuthentic);
}
