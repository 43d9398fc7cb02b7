//! A clinic whose life is lived: its keys, its store, and what it may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use lukko::*;
use lukko_store::{Attachments, Change, NewGeneration, Patient, Record, Store};
use object_store::memory::InMemory;

use super::place::{Kind, Place, wait};
use super::steps::PATIENTS;
use crate::clinic::{TestRng, patient};

const NAMES: [&str; PATIENTS] = ["p-0", "p-1"];

pub(super) fn id(patient: usize) -> PatientId<'static> {
    self::patient(NAMES[patient])
}

pub(super) fn number(id: &[u8]) -> usize {
    NAMES.iter().position(|name| name.as_bytes() == id).expect("a patient of this vault")
}

/// A record and its field: notes are `note`, deposits `intake`, attachments `scan`.
pub(super) type Spot = (String, &'static str);

/// Names of notes are of the form that deposits' names have.
pub(super) fn note(record: usize) -> Spot {
    (format!("{record:032x}"), "note")
}

/// A generation of the master secret, as its clients and its quorum have it.
pub(super) struct Generation {
    /// The clients' newest state.
    pub(super) vault: Vault,
    /// What its first day stored.
    pub(super) statement: Option<Vec<u8>>,
    pub(super) first: (u64, Vec<u8>),
    pub(super) shares: Vec<Share>,
    /// None when the custodians have destroyed their shares.
    pub(super) master: Option<MasterKey>,
    /// Every roster that was ever signed.
    pub(super) rosters: Vec<Vec<u8>>,
}

/// A row that was an endorsement: generation, card, endorsement, master grant.
pub(super) type EndorsementRow = (u32, [u8; 32], Vec<u8>, Vec<u8>);

/// Everything that any copy of the database has ever held of a patient.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) cards: BTreeMap<CardId, Vec<u8>>,
    pub(super) grants: BTreeSet<Vec<u8>>,
    pub(super) endorsed: BTreeSet<EndorsementRow>,
}

/// What an honest clinic relies on. It goes back with the database when a copy is put back.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// Acknowledged texts.
    pub(super) truth: BTreeMap<(usize, Spot), Vec<u8>>,
    /// The path of each place: whether a reader's, or a depositor's.
    pub(super) paths: BTreeMap<(usize, Spot), bool>,
    /// Cards that a generation's quorum opens: it was said so when they were made, or by a job without a finding.
    pub(super) promised: BTreeSet<(CardId, u32)>,
    /// Patients with rows that somebody took away or put there, and no job has looked since.
    pub(super) tampered: BTreeSet<usize>,
    /// Among them those with rows that only a key can tell from the right ones.
    pub(super) planted: BTreeSet<usize>,
    /// Grants that were withdrawn from members while the patient lived.
    pub(super) withdrawn: BTreeSet<(usize, Vec<u8>)>,
    /// Places whose row a thief has altered, and what became of them.
    pub(super) spoiled: BTreeSet<(usize, Spot)>,
    /// Patients who were erased, so it was said; and whether their sealed records stay.
    pub(super) erased: BTreeMap<usize, bool>,
}

/// The erasure of one life of a patient, and the receipts that speak of it.
pub(super) struct Erased {
    pub(super) patient: usize,
    /// Every card that this life has had.
    pub(super) cards: BTreeSet<CardId>,
    /// Whether the database held every grant that it ever held, or its members withdrew it: only then the store's receipt has
    /// all parts. What a thief took away, the store cannot count.
    pub(super) whole: bool,
    pub(super) receipt: ErasureReceipt,
}

/// An upload whose record is not stored yet.
pub(super) struct Upload {
    pub(super) patient: usize,
    pub(super) spot: Spot,
    pub(super) card: CardId,
    pub(super) object: String,
    pub(super) length: u64,
    pub(super) text: Vec<u8>,
    /// When it began.
    pub(super) at: u64,
}

pub(super) struct World<K: Kind> {
    pub(super) place: Rc<Place<K::Store>>,
    pub(super) rng: TestRng,
    pub(super) registrar: RegistrarKey,
    /// The members' keys that still exist.
    pub(super) members: Vec<MemberKey>,
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) generations: Vec<Generation>,
    pub(super) retired: Vec<Retired>,
    pub(super) objects: Arc<InMemory>,
    pub(super) attachments: Attachments,
    pub(super) uploads: Vec<Upload>,
    pub(super) trust: Trust,
    pub(super) saved: Option<(Trust, usize)>,
    pub(super) seen: [Seen; PATIENTS],
    /// The cards of each patient's present life, stored at any time.
    pub(super) cards: [BTreeSet<CardId>; PATIENTS],
    pub(super) erasures: Vec<Erased>,
    /// Jobs that may be gone on with, by what they do.
    pub(super) jobs: BTreeMap<&'static str, String>,
    pub(super) count: u64,
}

pub(super) fn roles() -> Roles {
    Roles::READ | Roles::ENROL | Roles::DEPOSIT
}

impl<K: Kind> World<K> {
    /// A vault of 2 of 3 with two members and no patient.
    pub(super) fn found(seed: u64) -> Self {
        let mut rng = TestRng(seed);
        let registrar = RegistrarKey::generate(&mut rng).unwrap();
        let policy = Policy::new(2, 3).unwrap();
        let NewVault { descriptor, shares, master } =
            create(policy, Suite::X25519, &registrar.public(), &mut rng).unwrap();
        let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = pin.check(descriptor).unwrap();
        let members: Vec<MemberKey> =
            (0..2).map(|slot| pinned.new_member(member_id(slot), &mut rng).unwrap()).collect();
        let mut draft = RosterDraft::first(&pinned);
        for member in &members {
            draft.admit(&MemberEntry::verify(member.entry(), &pinned).unwrap(), roles()).unwrap();
        }
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let entries: Vec<Vec<u8>> = members.iter().map(|member| member.entry().to_vec()).collect();
        let vault = Vault::load(pin, pinned.as_bytes(), &roster, &entries).unwrap();
        let (first, rosters) = ((1, roster.clone()), vec![roster]);
        let objects = Arc::new(InMemory::new());
        let attachments = Attachments::new(Arc::clone(&objects) as _);
        let world = Self {
            place: K::empty(),
            rng,
            registrar,
            members,
            entries,
            generations: vec![Generation { vault, statement: None, first, shares, master: Some(master), rosters }],
            retired: Vec::new(),
            objects,
            attachments,
            uploads: Vec::new(),
            trust: Trust::default(),
            saved: None,
            seen: Default::default(),
            cards: Default::default(),
            erasures: Vec::new(),
            jobs: BTreeMap::new(),
            count: 0,
        };
        world.store_generation(0).unwrap();
        world.store_members();
        world
    }

    pub(super) fn vault_id(&self) -> VaultId {
        self.generations[0].vault.descriptor().vault()
    }

    pub(super) fn apply(&self, changes: &[Change<'_>]) -> lukko_store::Result<()> {
        wait(self.place.store.apply(self.vault_id(), changes))
    }

    pub(super) fn store_generation(&self, at: usize) -> lukko_store::Result<()> {
        let Generation { vault, statement, first: (version, roster), .. } = &self.generations[at];
        let (descriptor, statement) = (vault.descriptor().as_bytes(), statement.as_deref());
        let generation = vault.descriptor().generation();
        let new = NewGeneration { generation, descriptor, statement, version: *version, roster };
        self.apply(&[Change::Generation(new)])
    }

    pub(super) fn store_members(&self) {
        for entry in &self.entries {
            let key = MemberEntry::verify(entry, self.generations[0].vault.descriptor()).unwrap().fingerprint();
            self.apply(&[Change::Member { key, entry }]).unwrap();
        }
    }

    pub(super) fn stored(&self, patient: usize) -> Patient {
        wait(self.place.store.patient(self.vault_id(), id(patient))).unwrap()
    }

    pub(super) fn records(&self, patient: usize) -> Vec<Record> {
        wait(self.place.store.records(self.vault_id(), id(patient), None, 1_000)).unwrap()
    }

    pub(super) fn record(&self, patient: usize, (record, field): &Spot) -> Option<Record> {
        let (record, field) = (RecordId::new(record).unwrap(), FieldLabel::new(field).unwrap());
        wait(self.place.store.record(self.vault_id(), id(patient), record, field)).unwrap()
    }

    /// Indices of the generations whose quorums still meet.
    pub(super) fn in_use(&self) -> impl Iterator<Item = usize> + use<K> {
        let living: Vec<usize> =
            (0..self.generations.len()).filter(|at| self.generations[*at].master.is_some()).collect();
        living.into_iter()
    }

    /// The key of the patient's current card, as a client of a generation opens it: with a member's grant, or with the
    /// quorum.
    pub(super) fn key(&self, by: usize, stored: &Patient, patient: usize) -> Option<PatientKey> {
        let generation = self.generations.get(by)?;
        let cards = stored.card_bytes();
        let of = stored.stored(generation.vault.descriptor().generation(), &cards)?;
        let card = generation.vault.card(id(patient), &of, None).ok()?;
        let granted = |member: &MemberKey| {
            let grant = stored.grant(card.id(), member.fingerprint())?;
            generation.vault.open_grant(&card, member, grant).ok()
        };
        let by_quorum = || generation.vault.break_glass(&card, generation.master.as_ref()?).ok();
        self.members.iter().find_map(granted).or_else(by_quorum)
    }

    /// What the quorum of a generation opens a card with, whatever is endorsed.
    pub(super) fn by_quorum(&self, at: usize, stored: &Patient, patient: usize, card: CardId) -> Option<PatientKey> {
        let generation = &self.generations[at];
        let number = generation.vault.descriptor().generation();
        let key = generation.master.as_ref()?;
        let with = GrantKey::Master { key, grant: stored.master_grant(card, number)? };
        generation.vault.open_remembered(id(patient), &stored.card_bytes(), card, &with).ok()
    }

    /// Somebody has been at the patient's rows: nothing is relied on until a job has looked.
    pub(super) fn distrust(&mut self, patient: usize) {
        let cards = &self.cards[patient];
        self.trust.promised.retain(|(card, _)| !cards.contains(card));
        self.trust.tampered.insert(patient);
    }

    /// Everything that is stored now may be in somebody's copy.
    pub(super) fn copy(&mut self) {
        for patient in 0..PATIENTS {
            let stored = self.stored(patient);
            let seen = &mut self.seen[patient];
            seen.grants.extend(stored.all_grants().into_iter().map(<[u8]>::to_vec));
            seen.cards.extend(stored.cards);
            seen.endorsed.extend(
                stored
                    .endorsed
                    .into_iter()
                    .map(|of| (of.generation, *of.card.as_bytes(), of.endorsement, of.master_grant)),
            );
        }
    }
}

pub(super) fn member_id(slot: usize) -> MemberId<'static> {
    MemberId::new(["dr-salo", "dr-aalto"][slot]).unwrap()
}
