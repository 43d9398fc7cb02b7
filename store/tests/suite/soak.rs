//! A long random mix of changes, against a model in plain maps: after each the store has answered as the model does, and
//! what is read is what was written.
//!
//! The store sees bytes only, and so this makes them up. `LUKKO_SOAK_OPERATIONS` says how many there are for each store,
//! 3,000 unless told; `LUKKO_SOAK_DIRECTORY` where SQLite's file is.

use std::time::Instant;

use crate::clinic::{Clinic, TestRng, field};
use crate::model::{End, Model, Person, Text, fingerprint};
use lukko::rand_core::TryRng;
use lukko::{CardId, PatientId, RecordId, VaultId};
use lukko_store::placed::{CardRow, EndorsementRow, GrantRow, RecordRow};
use lukko_store::{Body, Change, Expect, MemoryStore, NewGeneration, SqliteStore, Store};

const PEOPLE: u64 = 24;
const NOTES: u64 = 12;
const MEMBERS: u64 = 3;
/// As many as a vault has in decades.
const GENERATIONS: u32 = 12;
/// Of one patient: what is kept is to be of one size, so that memory that grows is a leak.
const CARDS: usize = 6;
/// Their receipts stay for ever.
const ERASURES: usize = 200;

struct Soak<'a, S> {
    store: &'a S,
    vault: VaultId,
    /// Signs what closes cards; everything else is made up.
    clinic: Clinic,
    rng: TestRng,
    model: Model,
    done: u64,
    refused: u64,
}

impl<S: Store> Soak<'_, S> {
    fn below(&mut self, limit: u64) -> u64 {
        self.rng.try_next_u64().unwrap() % limit
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 40 + self.below(100) as usize];
        self.rng.try_fill_bytes(&mut bytes).unwrap();
        bytes
    }

    fn card(&mut self) -> CardId {
        let mut bytes = [0; 32];
        self.rng.try_fill_bytes(&mut bytes).unwrap();
        CardId::from_bytes(bytes)
    }

    fn somebody(&mut self) -> Vec<u8> {
        format!("p-{}", self.below(PEOPLE)).into_bytes()
    }

    fn note(&mut self) -> Vec<u8> {
        format!("r-{}", self.below(NOTES)).into_bytes()
    }

    /// Applies, compares the end, and now and then gives the same again, as after a lost reply. Gives whether it was done.
    async fn apply(&mut self, changes: &[Change<'_>], expected: End) -> bool {
        let end = End::of(&self.store.apply(self.vault, changes).await);
        assert_eq!(end, expected, "{changes:?}");
        if end == End::Done && self.below(8) == 0 {
            self.store.apply(self.vault, changes).await.unwrap();
        }
        if end == End::Done {
            self.done += 1
        } else {
            self.refused += 1
        }
        end == End::Done
    }

    async fn operation(&mut self) {
        match self.below(1_000) {
            0..300 => self.put().await,
            300..420 => self.delete().await,
            420..520 => self.relocate().await,
            520..600 => self.enrol().await,
            600..680 => self.grant().await,
            680..720 => self.withdraw().await,
            720..745 => self.rekey().await,
            745..790 => self.endorse().await,
            790..792 if self.model.erased.len() < ERASURES => self.erase().await,
            792 if self.model.newest() < GENERATIONS => self.generation().await,
            793..820 => {
                let id = self.somebody();
                self.model.compare_person(self.store, self.vault, &id).await;
            }
            _ => {
                let (id, name) = (self.somebody(), self.note());
                self.model.compare_record(self.store, self.vault, &id, &name).await;
            }
        }
    }

    /// A first or a next revision; sometimes by a writer who was overtaken, or under an older card.
    async fn put(&mut self) {
        let (id, name, sealed) = (self.somebody(), self.note(), self.bytes());
        let person = self.model.people.get(&id).cloned();
        let stored = person.as_ref().and_then(|person| person.records.get(&name)).map_or(0, |text| text.revision);
        let late = self.below(5) == 0;
        let on = if late { stored.saturating_sub(1 + self.below(2)) } else { stored };
        let other = self.card();
        let old = self.below(12) == 0;
        let current = person.as_ref().map_or(other, Person::current);
        let card = if old { other } else { current };
        let (revision, expect) = if on == 0 { (1, Expect::Absent) } else { (on + 1, Expect::Revision(on)) };
        let expected = match person {
            None => End::Missing,
            Some(_) if old => End::Conflict,
            Some(_) if on == stored => End::Done,
            Some(_) => End::Conflict,
        };
        self.store_text((&id, &name), Text { revision, card, sealed }, expect, expected).await;
    }

    async fn store_text(&mut self, (id, name): (&[u8], &[u8]), text: Text, expect: Expect<'_>, expected: End) {
        let Text { revision, card, sealed } = &text;
        let (revision, card, body) = (*revision, *card, Body::Sealed(sealed));
        let new = RecordRow { patient: id, record: name, field: b"note", revision, card, body, expect };
        if self.apply(&[Change::Record(new.into())], expected).await {
            self.model.people.get_mut(id).unwrap().records.insert(name.to_vec(), text);
        }
    }

    async fn delete(&mut self) {
        let (id, name) = (self.somebody(), self.note());
        let stored = self.model.people.get(&id).and_then(|person| person.records.get(&name)).map(|text| text.revision);
        let wrong = self.below(4) == 0;
        let revision = stored.unwrap_or(1) + u64::from(wrong);
        let (patient, record) = (PatientId::new(&id).unwrap(), RecordId::new(&name).unwrap());
        let expected = if stored.is_some() && wrong { End::Conflict } else { End::Done };
        let change = Change::Delete { patient, record, field: field(), revision };
        if self.apply(&[change], expected).await && stored.is_some() {
            self.model.people.get_mut(&id).unwrap().records.remove(&name);
        }
    }

    /// A record moves to the patient's current card, as a re-key does it.
    async fn relocate(&mut self) {
        let (id, name, sealed) = (self.somebody(), self.note(), self.bytes());
        let Some(person) = self.model.people.get(&id).cloned() else { return };
        let Some(text) = person.records.get(&name) else { return };
        let mut old = text.sealed.clone();
        let wrong = self.below(4) == 0;
        if wrong {
            old[0] ^= 1;
        }
        let (revision, card, expect) = (text.revision, person.current(), Expect::Body(Body::Sealed(&old)));
        let expected = if wrong { End::Conflict } else { End::Done };
        self.store_text((&id, &name), Text { revision, card, sealed }, expect, expected).await;
    }

    async fn enrol(&mut self) {
        let (id, card, bytes, endorsement, master_grant) =
            (self.somebody(), self.card(), self.bytes(), self.bytes(), self.bytes());
        let (patient, generation) = (PatientId::new(&id).unwrap(), self.model.newest());
        let there = self.model.people.contains_key(&id);
        let changes = card_changes(patient, generation, (card, &bytes, None), (&endorsement, &master_grant, None));
        if self.apply(&changes, if there { End::Conflict } else { End::Done }).await {
            let cards = vec![(card, bytes.clone())];
            let endorsed = [(generation, (card, endorsement.clone(), master_grant.clone()))].into();
            self.model.people.insert(id.clone(), Person { cards, endorsed, ..Person::default() });
        }
    }

    async fn rekey(&mut self) {
        let (id, card, bytes, endorsement, master_grant) =
            (self.somebody(), self.card(), self.bytes(), self.bytes(), self.bytes());
        let (patient, generation) = (PatientId::new(&id).unwrap(), self.model.newest());
        let Some(person) = self.model.people.get(&id).cloned() else { return };
        if person.cards.len() >= CARDS {
            return;
        }
        let wrong = self.below(4) == 0;
        let previous = if wrong { self.card() } else { person.current() };
        let replaces = person.endorsed.get(&generation).map(|(_, endorsement, _)| endorsement.as_slice());
        let changes =
            card_changes(patient, generation, (card, &bytes, Some(previous)), (&endorsement, &master_grant, replaces));
        if self.apply(&changes, if wrong { End::Conflict } else { End::Done }).await {
            let person = self.model.people.get_mut(&id).unwrap();
            person.cards.push((card, bytes.clone()));
            person.endorsed.insert(generation, (card, endorsement.clone(), master_grant.clone()));
        }
    }

    /// What a rotation does for one patient; sometimes for a generation that was retired.
    async fn endorse(&mut self) {
        let (id, endorsement, master_grant) = (self.somebody(), self.bytes(), self.bytes());
        let generation = self.model.newest().saturating_sub(self.below(3) as u32).max(1);
        let Some(person) = self.model.people.get(&id).cloned() else { return };
        let (patient, card) = (PatientId::new(&id).unwrap(), person.current());
        let stored = person.endorsed.get(&generation);
        let replaces = stored.map(|(_, endorsement, _)| endorsement.as_slice()).filter(|_| self.below(4) != 0);
        let retired = self.model.generations[generation as usize - 1].3;
        let expected = match (retired, stored, replaces) {
            (true, ..) => End::Stale,
            (_, Some(_), None) => End::Conflict,
            _ => End::Done,
        };
        let new = EndorsementRow {
            patient,
            card,
            generation,
            endorsement: &endorsement,
            master_grant: &master_grant,
            replaces,
        };
        if self.apply(&[Change::Endorse(new.into())], expected).await {
            let person = self.model.people.get_mut(&id).unwrap();
            person.endorsed.insert(generation, (card, endorsement.clone(), master_grant.clone()));
        }
    }

    async fn grant(&mut self) {
        let (id, grant) = (self.somebody(), self.bytes());
        let to = fingerprint(self.below(MEMBERS));
        let card = match self.model.people.get(&id) {
            Some(person) => person.current(),
            None => self.card(),
        };
        let stored =
            self.model.people.get(&id).and_then(|p| p.grants.get(&(*card.as_bytes(), *to.as_bytes()))).cloned();
        let replaces = stored.as_deref().filter(|_| self.below(3) != 0);
        let expected = match (self.model.people.contains_key(&id), &stored, replaces) {
            (false, ..) => End::Missing,
            (_, Some(_), None) => End::Conflict,
            _ => End::Done,
        };
        let change =
            Change::Grant(GrantRow { patient: PatientId::new(&id).unwrap(), card, to, grant: &grant, replaces }.into());
        if self.apply(&[change], expected).await {
            let grants = &mut self.model.people.get_mut(&id).unwrap().grants;
            grants.insert((*card.as_bytes(), *to.as_bytes()), grant.clone());
        }
    }

    async fn withdraw(&mut self) {
        let id = self.somebody();
        let from = fingerprint(self.below(MEMBERS));
        let Some(card) = self.model.people.get(&id).map(Person::current) else { return };
        let change = Change::Withdraw { patient: PatientId::new(&id).unwrap(), card, from };
        self.apply(&[change], End::Done).await;
        self.model.people.get_mut(&id).unwrap().grants.remove(&(*card.as_bytes(), *from.as_bytes()));
    }

    async fn erase(&mut self) {
        let id = self.somebody();
        let Some(person) = self.model.people.get(&id) else { return };
        let cards: Vec<CardId> = person.cards.iter().rev().map(|(card, _)| *card).collect();
        let closing = self.clinic.erasing(&cards);
        self.clinic.follow(&closing.roster);
        // Every generation that is in use closes them. Whose signature is below such a roster no store can see.
        let mut rosters = Vec::new();
        for (generation, stored) in (1_u32..).zip(&mut self.model.generations).filter(|(_, stored)| !stored.3) {
            let mut roster = closing.roster.clone();
            roster[36..40].copy_from_slice(&generation.to_be_bytes());
            (stored.1, stored.2) = (stored.1 + 1, roster);
            rosters.push((generation, stored.1, stored.2.clone()));
        }
        let mut change: Vec<Change<'_>> = rosters
            .iter()
            .map(|(generation, version, roster)| Change::Roster { generation: *generation, version: *version, roster })
            .collect();
        let name = String::from_utf8(id.clone()).unwrap();
        change.push(Change::Erase(closing.erase(&name, &cards)));
        self.apply(&change, End::Done).await;
        self.model.people.remove(&id);
        self.model.erased.insert(*cards[0].as_bytes());
    }

    /// The next generation; the one before the last is retired.
    async fn generation(&mut self) {
        let (descriptor, roster) = (self.bytes(), self.bytes());
        let generation = self.model.newest() + 1;
        let version = self.model.generations.last().map_or(1, |newest| newest.1 + 1);
        let statement = (generation > 1).then_some(&b"statement"[..]);
        let new = NewGeneration { generation, descriptor: &descriptor, statement, version, roster: &roster };
        self.apply(&[Change::Generation(new)], End::Done).await;
        self.model.generations.push((descriptor.clone(), version, roster.clone(), false));
        if let Some(old) = generation.checked_sub(2).filter(|old| *old > 0) {
            // Whoever nobody has rotated is lost on purpose.
            let ids: Vec<Vec<u8>> = self.model.people.keys().cloned().collect();
            let losing: Vec<PatientId<'_>> = ids.iter().map(|id| PatientId::new(id).unwrap()).collect();
            self.apply(&[Change::Retire { generation: old, losing: &losing }], End::Done).await;
            self.model.generations[old as usize - 1].3 = true;
            self.model.people.values_mut().for_each(|person| drop(person.endorsed.remove(&old)));
        }
    }
}

type Endorsed<'a> = (&'a [u8], &'a [u8], Option<&'a [u8]>);

fn card_changes<'a>(
    patient: PatientId<'a>,
    generation: u32,
    (card, bytes, previous): (CardId, &'a [u8], Option<CardId>),
    (endorsement, master_grant, replaces): Endorsed<'a>,
) -> [Change<'a>; 2] {
    [
        Change::Card(CardRow { patient, card, bytes, previous }.into()),
        Change::Endorse(EndorsementRow { patient, card, generation, endorsement, master_grant, replaces }.into()),
    ]
}

/// Resident memory, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

async fn soak(name: &str, store: &impl Store, seed: u64) {
    let operations: u64 =
        std::env::var("LUKKO_SOAK_OPERATIONS").map_or(3_000, |operations| operations.parse().unwrap());
    let clinic = Clinic::new(seed);
    let vault = clinic.id();
    let mut soak = Soak { store, vault, clinic, rng: TestRng::new(seed), model: Model::default(), done: 0, refused: 0 };
    soak.generation().await;
    let (begin, mut memory) = (Instant::now(), Vec::new());
    for number in 1..=operations {
        soak.operation().await;
        if number % operations.div_ceil(20) == 0 || number == operations {
            soak.model.compare(store, vault).await;
        }
        if [operations / 10, operations / 2, operations].contains(&number) {
            memory.push(resident());
            println!("{name}: {number} operations in {:.1?}, {} kB resident", begin.elapsed(), resident());
        }
    }
    let Soak { done, refused, model, .. } = soak;
    let (erased, generations) = (model.erased.len(), model.generations.len());
    println!("{name}: {done} changes, {refused} refused, {erased} erasures, {generations} generations: 0 divergences");
    assert!(done > operations / 5 && refused > operations / 50, "the mix does nothing: {done} done, {refused} refused");
    if operations >= 100_000 {
        assert!(memory[2] < memory[0] + memory[0] / 2 + 32_000, "memory grows: {memory:?} kB");
    }
}

#[tokio::test]
async fn t144_a_random_mix_in_memory() {
    soak("memory", &MemoryStore::new(), 0x1440).await;
}

#[tokio::test]
async fn t144_a_random_mix_in_sqlite() {
    let scratch = match std::env::var_os("LUKKO_SOAK_DIRECTORY") {
        Some(directory) => tempfile::tempdir_in(directory).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    soak("SQLite", &store, 0x1441).await;
    store.close().await;
    let size = std::fs::metadata(scratch.path().join("vault.db")).unwrap().len();
    println!("SQLite: the file has {size} bytes");
}

#[tokio::test]
async fn t144_a_random_mix_in_postgresql() {
    let Some((store, _)) = crate::postgres::open("soak", 0).await else { return };
    soak("PostgreSQL", &store, 0x1442).await;
}
