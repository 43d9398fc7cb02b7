//! A small vault, made by a seeded generator, and the changes that put it into a store.

use std::convert::Infallible;

use lukko::rand_core::{TryCryptoRng, TryRng};
use lukko::*;
use lukko_store::placed::{GrantRow, RecordRow};
use lukko_store::{Change, Erase, Expect, NewGeneration, NewRecord, Records, Replaced, Sealed, Store, next_card};

/// SplitMix64: good enough for tests, and the same on every run. Never for keys that matter.
pub struct TestRng(pub u64);

impl TestRng {
    pub fn new(seed: u64) -> Self {
        println!("seed {seed:#x}");
        Self(seed)
    }
}

impl TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

pub fn patient(id: &str) -> PatientId<'_> {
    PatientId::new(id).unwrap()
}

pub fn record(id: &str) -> RecordId<'_> {
    RecordId::new(id).unwrap()
}

pub fn field() -> FieldLabel<'static> {
    FieldLabel::new("note").unwrap()
}

/// A vault with a registrar, a therapist and an intake desk.
pub struct Clinic {
    pub rng: TestRng,
    pub registrar: RegistrarKey,
    pub salo: MemberKey,
    pub aalto: MemberKey,
    pub shares: Vec<Share>,
    pub vault: Vault,
    pub roster: Vec<u8>,
}

impl Clinic {
    pub fn new(seed: u64) -> Self {
        Self::of(Suite::X25519, TestRng::new(seed))
    }

    pub fn of(suite: Suite, mut rng: TestRng) -> Self {
        let registrar = RegistrarKey::generate(&mut rng).unwrap();
        let new = create(Policy::new(2, 3).unwrap(), suite, &registrar.public(), &mut rng).unwrap();
        let pin = Pin::new(new.descriptor.fingerprint(), &new.descriptor).unwrap();
        let pinned = pin.check(new.descriptor).unwrap();
        let [salo, aalto] =
            ["dr-salo", "dr-aalto"].map(|id| pinned.new_member(MemberId::new(id).unwrap(), &mut rng).unwrap());
        let mut draft = RosterDraft::first(&pinned);
        for member in [&salo, &aalto] {
            let entry = MemberEntry::verify(member.entry(), &pinned).unwrap();
            draft.admit(&entry, Roles::READ | Roles::ENROL | Roles::DEPOSIT).unwrap();
        }
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let entries = [salo.entry(), aalto.entry()];
        let vault = Vault::load(pin, pinned.as_bytes(), &roster, entries).unwrap();
        Self { rng, registrar, salo, aalto, shares: new.shares, vault, roster }
    }

    pub fn id(&self) -> VaultId {
        self.vault.descriptor().vault()
    }

    /// What makes the vault in the store.
    pub fn founding(&self) -> Vec<Change<'_>> {
        let generation = Change::Generation(NewGeneration {
            generation: 1,
            descriptor: self.vault.descriptor().as_bytes(),
            statement: None,
            version: 1,
            roster: &self.roster,
        });
        let member = |member: &'_ MemberKey| member.fingerprint();
        vec![
            generation,
            Change::Member { key: member(&self.salo), entry: self.salo.entry() },
            Change::Member { key: member(&self.aalto), entry: self.aalto.entry() },
        ]
    }

    pub fn enrol(&mut self, id: &str) -> (Enrolment, Vec<Grant>) {
        let enrolment = self.vault.enrol(Enroller::Member(&self.salo), patient(id), &mut self.rng).unwrap();
        let grant = self.vault.grant(&enrolment.key, self.salo.fingerprint(), &mut self.rng).unwrap();
        (enrolment, vec![grant])
    }

    pub fn seal(&mut self, key: &PatientKey, id: &str, revision: u64, note: &str) -> Vec<u8> {
        let place = RecordContext::new(record(id), field(), Revision::new(revision).unwrap());
        self.vault.seal(key, &place, note.as_bytes(), &mut self.rng).unwrap()
    }

    pub fn recover(&self) -> MasterKey {
        let mut recovery = Recovery::new(self.vault.descriptor());
        for share in &self.shares[..2] {
            recovery.add(Share::from_text(share.to_text().expose()).unwrap()).unwrap();
        }
        recovery.finish().unwrap()
    }

    /// The next roster, which closes these cards.
    pub fn closing(&mut self, cards: &[CardId], reason: ClosedReason) -> (u64, Vec<u8>) {
        let mut draft = self.vault.roster().next().unwrap();
        for card in cards {
            draft.close(*card, reason).unwrap();
        }
        let version = draft.version();
        (version, draft.sign_as_registrar(&self.registrar, self.vault.descriptor()).unwrap())
    }

    /// The next roster, which closes these cards as erased, and the vault of a client that follows it.
    pub fn erasing(&mut self, cards: &[CardId]) -> Closing {
        let (version, roster) = self.closing(cards, ClosedReason::Erased);
        let mut vault = self.vault.clone();
        vault.update_roster(&roster, [self.salo.entry(), self.aalto.entry()]).unwrap();
        Closing { version, roster, vault }
    }

    pub fn follow(&mut self, roster: &[u8]) {
        let entries = [self.salo.entry().to_vec(), self.aalto.entry().to_vec()];
        self.vault.update_roster(roster, entries).unwrap();
        self.roster = roster.to_vec();
    }
}

/// A roster that closes cards as erased.
pub struct Closing {
    pub version: u64,
    pub roster: Vec<u8>,
    pub vault: Vault,
}

impl Closing {
    /// Stores it, for the first generation.
    pub fn publish(&self) -> Change<'_> {
        Change::Roster { generation: 1, version: self.version, roster: &self.roster }
    }

    /// The erasure that it proves, with the records.
    pub fn erase<'a>(&'a self, id: &'a str, cards: &'a [CardId]) -> Erase<'a> {
        let (patient, vault, records) = (patient(id), &self.vault, Records::Delete);
        Erase { patient, vault, cards, keys: &[], at: 1, records, claim: None }
    }
}

/// A patient with grants and so many notes, in clinic and store.
pub async fn with_notes(store: &impl Store, clinic: &mut Clinic, id: &str, notes: usize) -> Enrolment {
    let (enrolment, grants) = clinic.enrol(id);
    store.apply(clinic.id(), &lukko_store::enrolment(patient(id), 1, &enrolment, &grants).unwrap()).await.unwrap();
    for number in 0..notes {
        let name = format!("r-{number:04}");
        let (place, text) =
            (RecordContext::new(record(&name), field(), Revision::FIRST), format!("session {number} of {id}"));
        let sealed = Sealed::note(&clinic.vault, &enrolment.key, &place, text.as_bytes(), &mut clinic.rng).unwrap();
        store.apply(clinic.id(), &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await.unwrap();
    }
    enrolment
}

/// The patient's next key, with a grant to Salo.
pub async fn rekeyed(store: &impl Store, clinic: &mut Clinic, id: &str, old: &Enrolment) -> Enrolment {
    let new = clinic.vault.rekey(Enroller::Member(&clinic.salo), &old.key, &mut clinic.rng).unwrap();
    let grant = clinic.vault.grant(&new.key, clinic.salo.fingerprint(), &mut clinic.rng).unwrap();
    let replaces = Some(Replaced { card: old.card_id, endorsement: &old.endorsement, master_grant: &old.master_grant });
    store.apply(clinic.id(), &next_card(patient(id), 1, replaces, &new, &[grant]).unwrap()).await.unwrap();
    new
}

/// Grants the patient to Aalto, and withdraws the grant. Gives Aalto's key.
pub async fn withdrawn(store: &impl Store, clinic: &mut Clinic, id: &str, of: &Enrolment) -> KeyFingerprint {
    let (patient, card, to) = (patient(id), of.card_id, clinic.aalto.fingerprint());
    let grant = clinic.vault.grant(&of.key, to, &mut clinic.rng).unwrap();
    let granted = Change::Grant(GrantRow { patient, card, to, grant: &grant.bytes, replaces: None }.into());
    store.apply(clinic.id(), &[granted]).await.unwrap();
    store.apply(clinic.id(), &[Change::Withdraw { patient, card, from: to }]).await.unwrap();
    to
}

/// The first revision of a note.
pub fn first<'a>(id: &'a str, name: &'a str, card: CardId, sealed: &'a [u8]) -> RecordRow<'a> {
    RecordRow {
        patient: id.as_bytes(),
        record: name.as_bytes(),
        field: b"note",
        revision: 1,
        card,
        body: lukko_store::Body::Sealed(sealed),
        expect: Expect::Absent,
    }
}

/// The next generation of a clinic's vault, in the store, and how its clients see it.
pub struct NextGeneration {
    pub old: MasterKey,
    pub rotation: Rotation,
    pub vault: Vault,
}

impl NextGeneration {
    /// Made from the clinic's generator: two processes with one seed make the same one.
    pub fn draw(clinic: &mut Clinic) -> Self {
        let old = clinic.recover();
        let draft = clinic.vault.roster().next_generation().unwrap();
        let (policy, registrar) = (Policy::new(2, 3).unwrap(), clinic.registrar.public());
        let rotation = clinic.vault.rotate(&old, policy, &registrar, draft, &mut clinic.rng).unwrap();
        let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())];
        let successor = clinic.vault.descriptor().successor(candidates).unwrap();
        let entries = [clinic.salo.entry(), clinic.aalto.entry()];
        let vault = clinic.vault.follow(successor, &rotation.roster, entries).unwrap();
        Self { old, rotation, vault }
    }

    pub async fn store(store: &impl Store, clinic: &mut Clinic) -> Self {
        let next = Self::draw(clinic);
        next.publish(store).await;
        next
    }

    pub async fn publish(&self, store: &impl Store) {
        let Rotation { descriptor, statement, roster, .. } = &self.rotation;
        let vault = descriptor.vault();
        let (descriptor, statement, version) = (descriptor.as_bytes(), Some(statement.as_slice()), 2);
        let new = NewGeneration { generation: 2, descriptor, statement, version, roster };
        store.apply(vault, &[Change::Generation(new)]).await.unwrap();
    }

    /// A quorum of the new custodians opens every patient's key; gives how many there are.
    pub async fn every_patient_opens(&self, store: &impl Store) -> usize {
        let id = self.vault.descriptor().vault();
        let patients = store.patients(id, None, 1_000).await.unwrap();
        for patient in &patients {
            let patient = PatientId::new(patient).unwrap();
            let stored = store.patient(id, patient).await.unwrap();
            let cards = stored.card_bytes();
            let card = self.vault.card(patient, &stored.stored(2, &cards).unwrap(), None).unwrap();
            self.vault.break_glass(&card, &self.rotation.master).unwrap();
        }
        patients.len()
    }
}
