//! Random lives of one patient, ended by an erasure. When the receipt says complete, whatever still exists is tried on
//! everything that any copy of the database ever held.

use std::cell::Cell;
use std::collections::BTreeSet;

use lukko::*;
use proptest::prelude::*;

use super::patient;
use crate::clinic::TestRng;

const READERS: usize = 4;
const MOST_GENERATIONS: usize = 4;

/// One step. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    /// A member reads from now on; done by a client of one of the generations in use.
    Grant {
        view: usize,
        to: usize,
    },
    /// A client of one of the generations in use makes the next version of the key.
    Rekey {
        view: usize,
    },
    /// The master grant of any card, made again in one of the generations in use.
    GrantToMaster {
        view: usize,
        card: usize,
    },
    /// A rotation begins, and brings this many cards over.
    Rotate {
        cards: usize,
    },
    /// The oldest generation in use is retired, with the rows of it.
    Retire,
    /// A grant is withdrawn, or its row hidden.
    HideGrant(usize),
    HideCard(usize),
    Plant(Plant),
}

/// Rows that somebody puts among the patient's.
#[derive(Debug, Clone)]
enum Plant {
    Garbage,
    /// A grant of another patient's card.
    OthersGrant,
    /// A card of this patient that names another patient's card as the one before.
    OthersCard,
    /// A grant to a member that opens nothing.
    FalseGrant(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..12_usize;
    let plant = prop_oneof![
        Just(Plant::Garbage),
        Just(Plant::OthersGrant),
        Just(Plant::OthersCard),
        n.clone().prop_map(Plant::FalseGrant)
    ];
    prop_oneof![
        5 => (n.clone(), n.clone()).prop_map(|(view, to)| Step::Grant { view, to }),
        3 => n.clone().prop_map(|view| Step::Rekey { view }),
        2 => (n.clone(), n.clone()).prop_map(|(view, card)| Step::GrantToMaster { view, card }),
        3 => n.clone().prop_map(|cards| Step::Rotate { cards }),
        2 => Just(Step::Retire),
        3 => n.clone().prop_map(Step::HideGrant),
        2 => n.clone().prop_map(Step::HideCard),
        2 => plant.prop_map(Step::Plant),
    ]
}

/// How the erasure comes by what the rows do not show any more.
#[derive(Debug, Clone, Copy)]
struct Memory {
    /// From backups, or from what clients noted.
    from_backups: bool,
    /// Every reader of the roster, instead of the keys that were noted.
    all_readers: bool,
    /// Missing cards are looked for, or closed unseen.
    cards_found: bool,
}

struct Generation {
    vault: Vault,
    master: MasterKey,
    shares: Vec<Share>,
    retired: Option<Retired>,
}

struct Life {
    rng: TestRng,
    registrar: RegistrarKey,
    members: Vec<MemberKey>,
    generations: Vec<Generation>,
    /// The keys of all cards of the patient, and of another patient's.
    keys: Vec<PatientKey>,
    other: Enrolment,
    /// The rows as they are stored.
    cards: Vec<Vec<u8>>,
    grants: Vec<Vec<u8>>,
    /// Every row that was ever stored: what a copy may hold.
    all_cards: Vec<Vec<u8>>,
    all_grants: Vec<Vec<u8>>,
}

fn policy() -> Policy {
    Policy::new(2, 3).unwrap()
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut rng = TestRng::new(seed);
        let registrar = RegistrarKey::generate(&mut rng).unwrap();
        let NewVault { descriptor, shares, master } =
            create(policy(), Suite::X25519, &registrar.public(), &mut rng).unwrap();
        let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = pin.check(descriptor.clone()).unwrap();
        let member = |at: usize, rng: &mut TestRng| {
            let id = format!("m-{at}");
            pinned.new_member(MemberId::new(&id).unwrap(), rng).unwrap()
        };
        let members: Vec<MemberKey> = (0..READERS).map(|at| member(at, &mut rng)).collect();
        let mut draft = RosterDraft::first(&pinned);
        for member in &members {
            let entry = MemberEntry::verify(member.entry(), &pinned).unwrap();
            draft.admit(&entry, Roles::READ | Roles::ENROL).unwrap();
        }
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let entries = members.iter().map(MemberKey::entry);
        let vault = Vault::load(pin, descriptor.as_bytes(), &roster, entries).unwrap();
        let by = Enroller::Member(&members[0]);
        let first = vault.enrol(by, patient(), &mut rng).unwrap();
        let other = vault.enrol(by, PatientId::new("p-other").unwrap(), &mut rng).unwrap();
        let generations = vec![Generation { vault, master, shares, retired: None }];
        let (cards, grants) = (vec![first.card], vec![first.master_grant]);
        let (all_cards, all_grants) = (cards.clone(), grants.clone());
        Self {
            rng,
            registrar,
            members,
            generations,
            keys: vec![first.key],
            other,
            cards,
            grants,
            all_cards,
            all_grants,
        }
    }

    /// The generations in use, by their places.
    fn views(&self) -> Vec<usize> {
        (0..self.generations.len()).filter(|at| self.generations[*at].retired.is_none()).collect()
    }

    fn view(&self, nth: usize) -> usize {
        let views = self.views();
        views[nth % views.len()]
    }

    fn store_grant(&mut self, grant: Vec<u8>) {
        self.grants.push(grant.clone());
        self.all_grants.push(grant);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Grant { view, to } => {
                let (view, to) = (self.view(view), self.members[to % READERS].fingerprint());
                let key = self.keys.last().unwrap();
                let grant = self.generations[view].vault.grant(key, to, &mut self.rng).unwrap();
                self.store_grant(grant.bytes);
            }
            Step::Rekey { view } => {
                let (view, by) = (self.view(view), Enroller::Member(&self.members[0]));
                let old = self.keys.last().unwrap();
                let Enrolment { card, master_grant, key, .. } =
                    self.generations[view].vault.rekey(by, old, &mut self.rng).unwrap();
                self.cards.push(card.clone());
                self.all_cards.push(card);
                self.keys.push(key);
                self.store_grant(master_grant);
            }
            Step::GrantToMaster { view, card } => self.grant_to_master(self.view(view), card),
            Step::Rotate { cards } if self.generations.len() < MOST_GENERATIONS => {
                self.rotate();
                let newest = self.generations.len() - 1;
                (0..cards % (self.keys.len() + 1)).for_each(|card| self.grant_to_master(newest, card));
            }
            Step::Retire if self.views().len() > 1 => self.retire(),
            Step::HideGrant(nth) if !self.grants.is_empty() => {
                self.grants.remove(nth % self.grants.len());
            }
            Step::HideCard(nth) if self.cards.len() > 1 => {
                self.cards.remove(nth % self.cards.len());
            }
            Step::Plant(ref plant) => self.plant(plant),
            Step::Rotate { .. } | Step::Retire | Step::HideGrant(_) | Step::HideCard(_) => {}
        }
    }

    fn grant_to_master(&mut self, view: usize, card: usize) {
        let key = &self.keys[card % self.keys.len()];
        let grant = self.generations[view].vault.grant_to_master(key, &mut self.rng).unwrap();
        self.store_grant(grant);
    }

    fn rotate(&mut self) {
        let Generation { vault, master, .. } = self.generations.last().unwrap();
        let draft = vault.roster().next_generation().unwrap();
        let rotation = vault.rotate(master, policy(), &self.registrar.public(), draft, &mut self.rng).unwrap();
        let pair = (rotation.descriptor.as_bytes(), rotation.statement.as_slice());
        let successor = vault.descriptor().successor([pair]).unwrap();
        let vault = vault.follow(successor, &rotation.roster, self.members.iter().map(MemberKey::entry)).unwrap();
        let Rotation { shares, master, .. } = rotation;
        self.generations.push(Generation { vault, master, shares, retired: None });
    }

    /// Retires the oldest generation in use. Its rows are deleted, and every copy keeps them.
    fn retire(&mut self) {
        let at = self.view(0);
        let [old, new] = [at, at + 1].map(|at| &self.generations[at]);
        let mut retirement = Retirement::new(old.vault.descriptor(), new.vault.descriptor(), []).unwrap();
        new.shares.iter().for_each(|share| retirement.confirm_share(share).unwrap());
        (1..=2).for_each(|index| retirement.confirm_destroyed(index).unwrap());
        let retired = retirement.finish().unwrap();
        let vault = &old.vault;
        let of_it = |grant: &Vec<u8>| {
            let holders = self.keys.iter().flat_map(|key| vault.who_can_open(key.card(), [grant]).holders);
            holders.into_iter().any(|holder| matches!(holder, Holder::Quorum { current: true, .. }))
        };
        let kept: Vec<Vec<u8>> = self.grants.iter().filter(|grant| !of_it(grant)).cloned().collect();
        self.grants = kept;
        self.generations[at].retired = Some(retired);
    }

    fn plant(&mut self, plant: &Plant) {
        match *plant {
            Plant::Garbage => self.grants.push(b"garbage".to_vec()),
            Plant::OthersGrant => self.grants.push(self.other.master_grant.clone()),
            Plant::OthersCard if self.keys.len() > 1 => {
                // The body of a later card of this patient, with another card before it.
                let mut card = self.all_cards.last().unwrap().clone();
                let previous = card.len() - 65 - 32;
                card[previous..previous + 32].copy_from_slice(self.other.card_id.as_bytes());
                self.cards.push(card);
            }
            Plant::OthersCard => {}
            Plant::FalseGrant(to) => {
                let to = self.members[to % READERS].fingerprint();
                let vault = &self.generations[self.view(0)].vault;
                let mut grant = vault.grant(self.keys.last().unwrap(), to, &mut self.rng).unwrap().bytes;
                *grant.last_mut().unwrap() ^= 1;
                self.grants.push(grant);
            }
        }
    }

    /// The erasure by a client of one generation, from the rows and from memory.
    fn erase(&mut self, view: usize, memory: Memory) -> ErasureReceipt {
        let view = self.view(view);
        let vault = &self.generations[view].vault;
        let cards: Vec<&[u8]> = self.cards.iter().map(Vec::as_slice).collect();
        let mut erasure = vault.begin_erasure(patient(), &cards, &self.grants).unwrap();
        if memory.all_readers {
            erasure.also_readers(vault);
        }
        if memory.from_backups {
            erasure.also_given(&self.all_grants);
        } else {
            for (key, generation) in self.granted() {
                if let Some(key) = key {
                    erasure.also_granted(key);
                }
                if let Some(generation) = generation {
                    erasure.also_granted_to_generation(generation.try_into().unwrap());
                }
            }
        }
        // Each round may name another card.
        for _ in 0..=self.all_cards.len() {
            for missing in erasure.missing().to_vec() {
                let known = self.all_cards.iter().zip(&self.keys).find(|(_, key)| key.card() == missing);
                match known {
                    Some((card, _)) if memory.cards_found => assert_eq!(erasure.also_found(vault, card), Ok(true)),
                    Some(_) => {
                        erasure.also_close(missing);
                    }
                    None => assert_eq!(erasure.also_found(vault, &self.other.card), Ok(false)),
                }
            }
        }
        assert!(erasure.receipt(vault, 1).is_err(), "no receipt before the cards are closed");
        self.publish(|draft| erasure.close_in(draft).unwrap());
        let vault = &self.generations[view].vault;
        assert_eq!(vault.roster().closed(self.other.card_id), None, "the other patient stays");
        erasure.receipt(vault, 2).unwrap()
    }

    /// The recipients of every true grant that was ever stored.
    fn granted(&self) -> Vec<(Option<KeyFingerprint>, Option<u32>)> {
        let vault = &self.generations[0].vault;
        let all = self.keys.iter().flat_map(|key| vault.who_can_open(key.card(), &self.all_grants).holders);
        all.map(|holder| match holder {
            Holder::Member { key, .. } | Holder::Unlisted { key } => (Some(key), None),
            Holder::Quorum { generation, .. } => (None, Some(generation)),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    /// The next roster of every generation in use.
    fn publish(&mut self, change: impl Fn(&mut RosterDraft)) {
        for view in self.views() {
            let Generation { vault, .. } = &mut self.generations[view];
            let mut draft = vault.roster().next().unwrap();
            change(&mut draft);
            let roster = draft.sign_as_registrar(&self.registrar, vault.descriptor()).unwrap();
            vault.update_roster(&roster, self.members.iter().map(MemberKey::entry)).unwrap();
        }
    }

    /// Whatever is on the receipt is destroyed, one after the other, and nothing else is.
    fn complete(&mut self, receipt: &mut ErasureReceipt) -> BTreeSet<KeyFingerprint> {
        let newest = receipt.generations().last().unwrap().0;
        while self.generations.iter().filter(|generation| generation.retired.is_some()).count() < newest as usize {
            if self.views().len() == 1 {
                self.rotate();
            }
            self.retire();
        }
        for generation in &self.generations[..newest as usize] {
            assert!(!receipt.is_complete());
            receipt.note_retired(generation.retired.as_ref().unwrap(), 3).unwrap();
        }
        let mut destroyed = BTreeSet::new();
        for (key, _) in receipt.keys().to_vec() {
            assert!(!receipt.is_complete());
            self.publish(|draft| {
                draft.set_status(key, Status::Retired).unwrap();
            });
            let vault = &self.generations.last().unwrap().vault;
            receipt.note_key_destroyed(vault, key, 4).unwrap();
            destroyed.insert(key);
        }
        destroyed
    }
}

/// How often something that the receipt listed did open a copy: if never, the property says nothing.
#[derive(Default)]
struct Met {
    lives: Cell<u32>,
    listed_keys_open: Cell<u32>,
    listed_generations_open: Cell<u32>,
    later_generations: Cell<u32>,
}

fn count(cell: &Cell<u32>, met: bool) {
    cell.set(cell.get() + u32::from(met));
}

fn live(seed: u64, steps: &[Step], view: usize, memory: Memory, met: &Met) {
    let mut life = Life::new(seed);
    steps.iter().for_each(|step| life.step(step));
    let past = life.generations[0].vault.clone();
    let pinned = life.generations[life.view(view)].vault.descriptor().generation();
    let mut receipt = life.erase(view, memory);
    count(&met.later_generations, receipt.generations().last().unwrap().0 > pinned);
    let destroyed = life.complete(&mut receipt);
    assert!(receipt.is_complete(), "{receipt}");
    let cards: Vec<&[u8]> = life.all_cards.iter().map(Vec::as_slice).collect();
    let open = |with: &GrantKey<'_>| {
        life.keys.iter().any(|key| past.open_remembered(patient(), &cards, key.card(), with).is_ok())
    };
    for member in &life.members {
        let opens = life.all_grants.iter().any(|grant| open(&GrantKey::Member { key: member, grant }));
        let gone = destroyed.contains(&member.fingerprint());
        assert!(gone || !opens, "a key that exists opens a copy: {receipt}");
        count(&met.listed_keys_open, gone && opens);
    }
    for generation in &life.generations {
        let key = &generation.master;
        let opens = life.all_grants.iter().any(|grant| open(&GrantKey::Master { key, grant }));
        assert!(generation.retired.is_some() || !opens, "a quorum that exists opens a copy: {receipt}");
        count(&met.listed_generations_open, generation.retired.is_some() && opens);
    }
    count(&met.lives, true);
}

fn memory() -> impl Strategy<Value = Memory> {
    any::<(bool, bool, bool)>().prop_map(|(from_backups, all_readers, cards_found)| Memory {
        from_backups,
        all_readers,
        cards_found,
    })
}

#[test]
fn t154_a_complete_receipt_leaves_nothing_that_opens_a_copy() {
    let met = Met::default();
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..16), view in 0..4_usize,
        memory in memory())| {
        live(seed, &steps, view, memory, &met);
    });
    let [lives, keys, generations, later] =
        [&met.lives, &met.listed_keys_open, &met.listed_generations_open, &met.later_generations].map(Cell::get);
    println!(
        "{lives} lives; listed and opening: {keys} keys, {generations} generations; later than the client: {later}"
    );
    assert!(keys >= lives / 2 && generations >= lives && later >= lives / 20, "the lives are not worth living");
}
