//! What a rotation costs: one call for each patient, whatever that patient's records are.
//!
//! Each patient's records lie in the store while it is measured. That a quorum of the new generation opens all of them
//! after it is asserted first, outside of the measurement. What is compared is the median.

use std::collections::BTreeMap;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lukko::*;

const NOTE: &[u8] = b"Slept better. Appetite is back. Next appointment in two weeks.";
const FIELD: &str = "note";
/// The largest number of records that a patient has here, and the number of patients of the total.
const MANY: usize = 100;

/// The rows of one patient.
struct Patient {
    id: String,
    card: Vec<u8>,
    endorsement: Vec<u8>,
    master_grant: Vec<u8>,
    records: BTreeMap<String, Vec<u8>>,
}

/// A vault in two generations, and its patients in the old one.
struct Clinic {
    from: Vault,
    master: MasterKey,
    to: Vault,
    next_master: MasterKey,
    therapist: MemberKey,
    patients: Vec<Patient>,
}

impl Patient {
    fn id(&self) -> PatientId<'_> {
        PatientId::new(&self.id).unwrap()
    }

    fn stored<'a>(&'a self, cards: &'a [&'a [u8]]) -> StoredPatient<'a> {
        StoredPatient { cards, endorsement: &self.endorsement, master_grant: &self.master_grant }
    }
}

impl Clinic {
    /// One patient for each number, with so many records.
    fn new(suite: Suite, records: &[usize]) -> Self {
        let registrar = RegistrarKey::generate(&mut OsRng).unwrap();
        let policy = Policy::new(2, 3).unwrap();
        let NewVault { descriptor, master, .. } = create(policy, suite, &registrar.public(), &mut OsRng).unwrap();
        let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = pin.check(descriptor.clone()).unwrap();
        let therapist = pinned.new_member(MemberId::new("dr-salo").unwrap(), &mut OsRng).unwrap();
        let mut draft = RosterDraft::first(&pinned);
        let entry = MemberEntry::verify(therapist.entry(), &pinned).unwrap();
        draft.admit(&entry, Roles::READ | Roles::ENROL).unwrap();
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let from = Vault::load(pin, descriptor.as_bytes(), &roster, [therapist.entry()]).unwrap();
        let enrol = |(at, records)| enrol(&from, &therapist, at, records);
        let patients = records.iter().copied().enumerate().map(enrol).collect();
        let next = from.roster().next_generation().unwrap();
        let rotation = from.rotate(&master, policy, &registrar.public(), next, &mut OsRng).unwrap();
        let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())];
        let successor = from.descriptor().successor(candidates).unwrap();
        let to = from.follow(successor, &rotation.roster, [therapist.entry()]).unwrap();
        Self { from, master, to, next_master: rotation.master, therapist, patients }
    }

    fn rotate(&self, patient: &Patient) -> Endorsed {
        let by = Enroller::Member(&self.therapist);
        let rotation = PatientRotation { from: &self.from, master: &self.master, to: &self.to, by };
        let rotated = rotation.patient(patient.id(), &patient.stored(&[&patient.card]), None, &mut OsRng);
        rotated.unwrap().expect("a patient that was not rotated before")
    }

    /// That a rotated patient is endorsed in the new generation, is not done twice, and every record still opens.
    fn assert_rotated(&self, patient: &Patient, Endorsed { endorsement, master_grant }: &Endorsed) {
        let stored = StoredPatient { cards: &[&patient.card], endorsement, master_grant };
        let card = self.to.card(patient.id(), &stored, None).unwrap();
        let by = Enroller::Member(&self.therapist);
        let rotation = PatientRotation { from: &self.from, master: &self.master, to: &self.to, by };
        let again = rotation.patient(patient.id(), &patient.stored(&[&patient.card]), Some(&stored), &mut OsRng);
        assert!(again.unwrap().is_none());
        assert!(self.to.break_glass(&card, &self.master).is_err(), "the old master key opens the new generation");
        let key = self.to.break_glass(&card, &self.next_master).unwrap();
        for (record, bytes) in &patient.records {
            let (record, field) = (RecordId::new(record).unwrap(), FieldLabel::new(FIELD).unwrap());
            assert_eq!(self.to.open(&key, record, field, bytes).unwrap().plaintext.as_bytes(), NOTE);
        }
    }
}

fn enrol(vault: &Vault, therapist: &MemberKey, at: usize, records: usize) -> Patient {
    let id = format!("p-{at}");
    let enrolled = vault.enrol(Enroller::Member(therapist), PatientId::new(&id).unwrap(), &mut OsRng).unwrap();
    let seal = |at: usize| {
        let record = format!("r-{at}");
        let (id, field) = (RecordId::new(&record).unwrap(), FieldLabel::new(FIELD).unwrap());
        let place = RecordContext::new(id, field, Revision::FIRST);
        let sealed = vault.seal(&enrolled.key, &place, NOTE, &mut OsRng).unwrap();
        (record, sealed)
    };
    let records: BTreeMap<_, _> = (0..records).map(seal).collect();
    let Enrolment { card, endorsement, master_grant, .. } = enrolled;
    Patient { id, card, endorsement, master_grant, records }
}

fn suites() -> [(&'static str, Suite); 2] {
    [("X-Wing", Suite::XWing), ("X25519", Suite::X25519)]
}

/// One patient with 1, 10 and 100 records.
fn one_patient(c: &mut Criterion) {
    for (name, suite) in suites() {
        let clinic = Clinic::new(suite, &[1, 10, MANY]);
        let mut group = c.benchmark_group(format!("rotate one patient, {name}"));
        for patient in &clinic.patients {
            clinic.assert_rotated(patient, &clinic.rotate(patient));
            let records = patient.records.len();
            group.bench_function(BenchmarkId::new("records", records), |b| b.iter(|| clinic.rotate(patient)));
        }
        group.finish();
    }
}

/// A hundred patients with ten records each.
fn all_patients(c: &mut Criterion) {
    for (name, suite) in suites() {
        let clinic = Clinic::new(suite, &[10; MANY]);
        clinic.patients.iter().for_each(|patient| clinic.assert_rotated(patient, &clinic.rotate(patient)));
        let mut group = c.benchmark_group(format!("rotate {MANY} patients, {name}"));
        group.throughput(Throughput::Elements(MANY as u64));
        let rotate_all = || clinic.patients.iter().map(|patient| clinic.rotate(patient)).collect::<Vec<_>>();
        group.bench_function("total", |b| b.iter(rotate_all));
        group.finish();
    }
}

criterion_group! {
    name = rotation;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = one_patient, all_patients
}
criterion_main!(rotation);
