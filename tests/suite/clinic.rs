//! A small clinic with one of everything, made by a seeded generator.

use core::convert::Infallible;

use lukko::rand_core::{TryCryptoRng, TryRng};
use lukko::*;

/// SplitMix64: good enough for tests, and the same on every run. Never for keys that matter.
pub(crate) struct TestRng(u64);

impl TestRng {
    pub(crate) fn new(seed: u64) -> Self {
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
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
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

pub(crate) const NOTE: &[u8] = "Slept better. Ääkkösiä.".as_bytes();
pub(crate) const PATIENT: &str = "p-1ec3ca69";
pub(crate) const RECORD: &str = "r-00000";
pub(crate) const FIELD: &str = "note";

pub(crate) fn record() -> RecordId<'static> {
    RecordId::new(RECORD).unwrap()
}

pub(crate) fn field() -> FieldLabel<'static> {
    FieldLabel::new(FIELD).unwrap()
}

pub(crate) fn place() -> RecordContext<'static> {
    RecordContext::new(Place::new(record(), field()), Revision::FIRST)
}

/// A vault of 2 of 3 with a registrar, two therapists and one patient, granted to the first therapist.
pub(crate) struct Clinic {
    pub(crate) rng: TestRng,
    pub(crate) registrar: RegistrarKey,
    pub(crate) master: MasterKey,
    pub(crate) share_texts: Vec<String>,
    pub(crate) descriptor: Descriptor,
    pub(crate) pinned: PinnedDescriptor,
    pub(crate) first_pin: Pin,
    /// Roles `read` and `enrol`.
    pub(crate) therapist: MemberKey,
    /// Role `read`.
    pub(crate) colleague: MemberKey,
    /// Role `deposit`.
    pub(crate) front_end: MemberKey,
    pub(crate) roster: Vec<u8>,
    pub(crate) vault: Vault,
    pub(crate) patient: Enrolment,
    pub(crate) grant: Grant,
    pub(crate) sealed: Vec<u8>,
    /// By the front end, in the same field.
    pub(crate) deposit: Deposit,
    pub(crate) absorbed: Vec<u8>,
    /// To 3 of 5, not followed yet.
    pub(crate) rotation: Rotation,
    /// Someone outside, and the note disclosed by the therapist.
    pub(crate) court: RecipientKey,
    pub(crate) disclosure: Vec<u8>,
}

impl Clinic {
    pub(crate) fn new(suite: Suite, seed: u64) -> Self {
        let mut rng = TestRng::new(seed);
        let registrar = RegistrarKey::generate(&mut rng).unwrap();
        let NewVault { descriptor, shares, master } =
            create(Policy::new(2, 3).unwrap(), suite, &registrar.public(), &mut rng).unwrap();
        let share_texts = shares.iter().map(|share| share.to_text().expose().to_owned()).collect();
        let first_pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = first_pin.check(descriptor.clone()).unwrap();
        let [therapist, colleague, front_end] = ["dr-salo", "dr-niemi", "intake"]
            .map(|id| pinned.new_member(MemberId::new(id).unwrap(), &mut rng).unwrap());
        let mut draft = RosterDraft::first(&pinned);
        let roles = [Roles::READ | Roles::ENROL, Roles::READ, Roles::DEPOSIT];
        for (member, roles) in [&therapist, &colleague, &front_end].into_iter().zip(roles) {
            draft.admit(&MemberEntry::verify(member.entry(), &pinned).unwrap(), roles).unwrap();
        }
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let entries = [therapist.entry(), colleague.entry(), front_end.entry()];
        let vault = Vault::load(first_pin.clone(), descriptor.as_bytes(), &roster, entries).unwrap();
        let patient = vault.enrol(Enroller::Member(&therapist), PatientId::new(PATIENT).unwrap(), &mut rng).unwrap();
        let grant = vault.grant(&patient.key, therapist.fingerprint(), &mut rng).unwrap();
        let sealed = vault.seal(&patient.key, &place(), NOTE, &mut rng).unwrap();
        let Enrolment { card, endorsement, master_grant, .. } = &patient;
        let stored = StoredPatient { cards: &[card], endorsement, master_grant };
        let card = vault.card(PatientId::new(PATIENT).unwrap(), &stored, None).unwrap();
        let deposit = vault.deposit(&card, &front_end, field(), Padding::Padme, NOTE, &mut rng).unwrap();
        let id = RecordId::new(&deposit.record).unwrap();
        let absorbed = vault.absorb(&patient.key, Place::new(id, field()), &deposit.bytes, &mut rng).unwrap();
        let (next, draft) = (Policy::new(3, 5).unwrap(), vault.roster().next_generation().unwrap());
        let rotation = vault.rotate(&master, next, &registrar.public(), draft, &mut rng).unwrap();
        let court = RecipientKey::generate(suite, &mut rng).unwrap();
        let note = StoredNote { place: Place::new(record(), field()), path: Path::Reader, bytes: &sealed };
        let disclosure = vault.disclose(&patient.key, &note, court.public(), &therapist, &mut rng).unwrap();
        Self {
            rng,
            registrar,
            master,
            share_texts,
            descriptor,
            pinned,
            first_pin,
            therapist,
            colleague,
            front_end,
            roster,
            vault,
            patient,
            grant,
            sealed,
            deposit,
            absorbed,
            rotation,
            court,
            disclosure,
        }
    }

    pub(crate) fn deposited(&self) -> RecordId<'_> {
        RecordId::new(&self.deposit.record).unwrap()
    }

    /// Opens a deposit, or one that was absorbed, in the place of the clinic's deposit.
    pub(crate) fn open_deposit(&self, bytes: &[u8]) -> Result<Opened> {
        self.vault.open_deposit(&self.patient.key, Place::new(self.deposited(), field()), bytes)
    }

    /// What is stored of the patient, with its only card.
    pub(crate) fn stored<'a>(&'a self, cards: &'a [&'a [u8]]) -> StoredPatient<'a> {
        let Enrolment { endorsement, master_grant, .. } = &self.patient;
        StoredPatient { cards, endorsement, master_grant }
    }

    /// The vault in its next generation.
    pub(crate) fn followed(&self) -> Vault {
        let Rotation { descriptor, statement, roster, .. } = &self.rotation;
        let successor = self.pinned.successor([(descriptor.as_bytes(), statement.as_slice())]).unwrap();
        self.vault.follow(successor, roster, self.entries()).unwrap()
    }

    pub(crate) fn entries(&self) -> [&[u8]; 3] {
        [self.therapist.entry(), self.colleague.entry(), self.front_end.entry()]
    }

    pub(crate) fn shares(&self) -> Vec<Share> {
        self.share_texts.iter().map(|text| Share::from_text(text).unwrap()).collect()
    }

    /// Verifies the patient's card as it is stored.
    pub(crate) fn card(&self, expect: Option<CardId>) -> Result<Card> {
        self.card_of(&self.patient.card, &self.patient.endorsement, &self.patient.master_grant, expect)
    }

    pub(crate) fn card_of(
        &self,
        card: &[u8],
        endorsement: &[u8],
        master_grant: &[u8],
        expect: Option<CardId>,
    ) -> Result<Card> {
        self.card_for(PATIENT, card, endorsement, master_grant, expect)
    }

    /// The same for whichever patient is asked for.
    pub(crate) fn card_for(
        &self,
        patient: &str,
        card: &[u8],
        endorsement: &[u8],
        master_grant: &[u8],
        expect: Option<CardId>,
    ) -> Result<Card> {
        let stored = StoredPatient { cards: &[card], endorsement, master_grant };
        self.vault.card(PatientId::new(patient).unwrap(), &stored, expect)
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Opened> {
        self.vault.open(&self.patient.key, Place::new(record(), field()), sealed)
    }

    /// Issues the roster after the present one and follows it.
    pub(crate) fn next_roster(&mut self, change: impl FnOnce(&mut RosterDraft)) -> Vec<u8> {
        let mut draft = self.vault.roster().next().unwrap();
        change(&mut draft);
        let roster = draft.sign_as_registrar(&self.registrar, &self.pinned).unwrap();
        let entries = self.entries().map(<[u8]>::to_vec);
        self.vault.update_roster(&roster, entries).unwrap();
        roster
    }
}

pub(crate) const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];
