//! A small vault of lukko, with one patient in it, and its next generation.

use lukko::*;

use crate::work::{Outcome, ensure};

/// One vault, and the people who work with it.
pub struct Clinic {
    /// Of all its keys.
    pub suite: Suite,
    /// As a client loads it.
    pub vault: Vault,
    /// A front end that deposits.
    pub intake: MemberKey,
    /// The patient's key, open.
    pub key: PatientKey,
    /// The patient's card, verified.
    pub card: Card,
    salo: MemberKey,
    stored: Stored,
    /// The patient's notes, as the database holds them.
    records: Vec<(String, Vec<u8>)>,
    master: MasterKey,
    next: Vault,
    next_master: MasterKey,
}

/// What the database holds of the patient.
struct Stored {
    card: Vec<u8>,
    endorsement: Vec<u8>,
    master_grant: Vec<u8>,
}

const NOTE: &[u8] = b"Slept better. Appetite is back. Next appointment in two weeks.";

fn patient() -> PatientId<'static> {
    PatientId::new("p-1").expect("a valid id")
}

impl Clinic {
    /// A vault of any 2 of 3 custodians, and a patient with this many records.
    pub fn new(suite: Suite, records: usize) -> Outcome<Self> {
        let (rng, policy) = (&mut OsRng, Policy::new(2, 3)?);
        let registrar = RegistrarKey::generate(rng)?;
        let NewVault { descriptor, master, .. } = create(policy, suite, &registrar.public(), rng)?;
        let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
        let pinned = pin.check(descriptor.clone())?;
        let salo = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
        let intake = pinned.new_member(MemberId::new("intake")?, rng)?;
        let mut draft = RosterDraft::first(&pinned);
        draft.admit(&MemberEntry::verify(salo.entry(), &pinned)?, Roles::READ | Roles::ENROL)?;
        draft.admit(&MemberEntry::verify(intake.entry(), &pinned)?, Roles::DEPOSIT)?;
        let roster = draft.sign_as_registrar(&registrar, &pinned)?;
        let entries = [salo.entry(), intake.entry()];
        let vault = Vault::load(pin, descriptor.as_bytes(), &roster, entries)?;

        let Enrolment { key, card, endorsement, master_grant, .. } =
            vault.enrol(Enroller::Member(&salo), patient(), rng)?;
        let stored = Stored { card, endorsement, master_grant };
        let card = stored.with(|stored| vault.card(patient(), stored, None))?;

        let draft = vault.roster().next_generation()?;
        let rotation = vault.rotate(&master, policy, &registrar.public(), draft, rng)?;
        let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())];
        let next = vault.follow(vault.descriptor().successor(candidates)?, &rotation.roster, entries)?;
        let next_master = rotation.master;
        let records = (0..records).map(|at| sealed(&vault, &key, at)).collect::<Outcome<_>>()?;
        let clinic = Self { suite, vault, intake, key, card, salo, stored, records, master, next, next_master };
        clinic.check_rotation()?;
        Ok(clinic)
    }

    /// The patient's way into the next generation, as the loop of a rotation makes it for each patient.
    pub fn rotate_patient(&self) -> Outcome<Endorsed> {
        let by = Enroller::Member(&self.salo);
        let rotation = PatientRotation { from: &self.vault, master: &self.master, to: &self.next, by };
        let rotated = self.stored.with(|stored| rotation.patient(patient(), stored, None, &mut OsRng))?;
        rotated.ok_or_else(|| "rotated already".into())
    }

    /// That the new master key opens every record of a rotated patient, and the old one does not.
    fn check_rotation(&self) -> Outcome {
        let Endorsed { endorsement, master_grant } = self.rotate_patient()?;
        let rotated = Stored { card: self.stored.card.clone(), endorsement, master_grant };
        let card = rotated.with(|stored| self.next.card(patient(), stored, None))?;
        let refused = self.next.break_glass(&card, &self.master).is_err();
        ensure(refused, || "the old master key opens the new generation".into())?;
        let key = self.next.break_glass(&card, &self.next_master)?;
        self.records.iter().try_for_each(|(record, bytes)| {
            let opened = self.next.open(&key, Place::new(RecordId::new(record)?, FieldLabel::new("note")?), bytes)?;
            ensure(opened.plaintext.as_bytes() == NOTE, || format!("{record} is another note"))
        })
    }
}

impl Stored {
    fn with<T>(&self, call: impl FnOnce(&StoredPatient<'_>) -> T) -> T {
        let Self { card, endorsement, master_grant } = self;
        call(&StoredPatient { cards: &[card], endorsement, master_grant })
    }
}

fn sealed(vault: &Vault, key: &PatientKey, at: usize) -> Outcome<(String, Vec<u8>)> {
    let record = format!("r-{at}");
    let context = RecordContext::new(Place::new(RecordId::new(&record)?, FieldLabel::new("note")?), Revision::FIRST);
    let bytes = vault.seal(key, &context, NOTE, &mut OsRng)?;
    Ok((record, bytes))
}
