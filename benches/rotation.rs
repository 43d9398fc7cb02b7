//! What a rotation costs: one call for each patient, whatever that patient's records are.
//!
//! Each patient's records lie in the store while it is measured. That a quorum of the new generation opens all of them
//! after it is asserted first, outside of the measurement. What is compared is the median.

mod fixture;

use std::collections::BTreeMap;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fixture::clinic::{Clinic, Patient, field, place, record};
use fixture::generator::Cheap;
use fixture::{SUITES, short};
use lukko::*;

const NOTE: &[u8] = b"Slept better. Appetite is back. Next appointment in two weeks.";
/// The numbers of records that one patient has.
const RECORDS: [usize; 3] = [1, 10, 100];
/// The patients of the total, and the records of each.
const MANY: [usize; 100] = [10; 100];

/// A patient's rows with the records.
struct Rows {
    patient: Patient,
    records: BTreeMap<String, Vec<u8>>,
}

/// A clinic in two generations, and its patients in the old one.
struct Generations {
    from: Clinic,
    to: Vault,
    next_master: MasterKey,
    patients: Vec<Rows>,
}

impl Generations {
    /// One patient for each number, with so many records.
    fn new(suite: Suite, records: &[usize]) -> Self {
        let mut from = Clinic::small(suite);
        let patients = records.iter().enumerate().map(|(at, count)| Rows::new(&mut from, at, *count)).collect();
        let (vault, registrar) = (&from.vault, from.registrar.public());
        let next = vault.roster().next_generation().unwrap();
        let rotation = vault.rotate(&from.master, from.policy, &registrar, next, &mut Cheap::new()).unwrap();
        let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())];
        let successor = vault.descriptor().successor(candidates).unwrap();
        let to = vault.follow(successor, &rotation.roster, from.entries()).unwrap();
        Self { from, to, next_master: rotation.master, patients }
    }

    /// `None` if `done` is valid already.
    fn rotate(&self, patient: &Patient, done: Option<&StoredPatient<'_>>, rng: &mut Cheap) -> Option<Endorsed> {
        let Clinic { vault, master, therapist, .. } = &self.from;
        let rotation = PatientRotation { from: vault, master, to: &self.to, by: Enroller::Member(therapist) };
        rotation.patient(patient.id(), &patient.stored(&[&patient.card]), done, rng).unwrap()
    }

    /// That a rotated patient is endorsed in the new generation, is not done twice, and every record still opens.
    fn assert_rotates(&self, Rows { patient, records }: &Rows) {
        let rng = &mut Cheap::new();
        let Endorsed { endorsement, master_grant } = self.rotate(patient, None, rng).expect("not rotated before");
        let stored = StoredPatient { cards: &[&patient.card], endorsement: &endorsement, master_grant: &master_grant };
        assert!(self.rotate(patient, Some(&stored), rng).is_none());
        let card = self.to.card(patient.id(), &stored, None).unwrap();
        let old = self.to.break_glass(&card, &self.from.master);
        assert!(old.is_err(), "the old master key opens the new generation");
        let key = self.to.break_glass(&card, &self.next_master).unwrap();
        for (id, bytes) in records {
            assert_eq!(*self.to.open(&key, Place::new(record(id), field()), bytes).unwrap().plaintext, *NOTE);
        }
    }
}

impl Rows {
    fn new(clinic: &mut Clinic, at: usize, records: usize) -> Self {
        let patient = clinic.enrol(&format!("p-{at}"));
        let mut seal = |at: usize| {
            let id = format!("r-{at}");
            let sealed = clinic.vault.seal(&patient.key, &place(&id), NOTE, &mut clinic.rng).unwrap();
            (id, sealed)
        };
        let records = (0..records).map(&mut seal).collect();
        Self { patient, records }
    }
}

/// One patient, with few records and with many.
fn one_patient(c: &mut Criterion) {
    for suite in SUITES {
        let generations = Generations::new(suite, &RECORDS);
        let mut group = c.benchmark_group(format!("rotate one patient, {suite:?}"));
        group.throughput(Throughput::Elements(1));
        for rows in &generations.patients {
            generations.assert_rotates(rows);
            let mut rng = Cheap::new();
            let mut rotate = || generations.rotate(&rows.patient, None, &mut rng);
            group.bench_function(BenchmarkId::new("records", rows.records.len()), |b| b.iter(&mut rotate));
        }
        group.finish();
    }
}

/// A clinic's patients, one after the other.
fn all_patients(c: &mut Criterion) {
    for suite in SUITES {
        let generations = Generations::new(suite, &MANY);
        let patients = &generations.patients;
        patients.iter().for_each(|rows| generations.assert_rotates(rows));
        let mut group = c.benchmark_group(format!("rotate {} patients, {suite:?}", patients.len()));
        group.throughput(Throughput::Elements(patients.len() as u64));
        let mut rng = Cheap::new();
        let mut rotate = |rows: &Rows| generations.rotate(&rows.patient, None, &mut rng);
        group.bench_function("total", |b| b.iter(|| patients.iter().map(&mut rotate).collect::<Vec<_>>()));
        group.finish();
    }
}

criterion_group! {
    name = rotation;
    config = short().measurement_time(Duration::from_secs(2));
    targets = one_patient, all_patients
}
criterion_main!(rotation);
