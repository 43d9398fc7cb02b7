//! What a note costs, from the call to the bytes and back, on each path and in each suite.
//!
//! Throughput counts the note, not its padding. Opening includes that the text is wiped again when it is dropped.

mod fixture;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fixture::clinic::{Clinic, Patient, RECORD, field, place, record};
use fixture::generator::Cheap;
use fixture::{KIB, SUITES, short, size, text};
use lukko::rand_core::TryCryptoRng;
use lukko::*;

/// The lengths of the notes, in bytes.
const LENGTHS: [usize; 4] = [256, KIB, 4 * KIB, 16 * KIB];
/// The length at which the generators are compared.
const COMPARED: usize = KIB;

/// The notes of one vault on one path in one suite.
type Group<'a> = BenchmarkGroup<'a, WallTime>;
type Bench = fn(&mut Group<'_>, &Desk, &[u8]);

/// A vault with one patient, who is open.
struct Desk {
    clinic: Clinic,
    patient: Patient,
    card: Card,
}

impl Desk {
    fn new(suite: Suite) -> Self {
        let mut clinic = Clinic::small(suite);
        let patient = clinic.enrol("p-1");
        let card = clinic.card(&patient);
        Self { clinic, patient, card }
    }

    fn seal(&self, note: &[u8], rng: &mut impl TryCryptoRng) -> Vec<u8> {
        self.clinic.vault.seal(&self.patient.key, &place(RECORD), note, rng).unwrap()
    }

    fn seal_into(&self, note: &[u8], rng: &mut impl TryCryptoRng, out: &mut Vec<u8>) {
        out.clear();
        self.clinic.vault.seal_into(&self.patient.key, &place(RECORD), note, rng, out).unwrap();
    }

    fn open(&self, bytes: &[u8]) -> Opened {
        self.clinic.vault.open(&self.patient.key, Place::new(record(RECORD), field()), bytes).unwrap()
    }

    fn deposit(&self, note: &[u8], rng: &mut impl TryCryptoRng) -> Deposit {
        let Clinic { vault, intake, .. } = &self.clinic;
        vault.deposit(&self.card, intake, field(), Padding::Padme, note, rng).unwrap()
    }

    fn open_deposit(&self, deposit: &Deposit) -> Opened {
        let id = record(&deposit.record);
        self.clinic.vault.open_deposit(&self.patient.key, Place::new(id, field()), &deposit.bytes).unwrap()
    }

    /// The deposit in its place, taken over.
    fn absorb(&self, deposit: &Deposit, rng: &mut impl TryCryptoRng) -> Vec<u8> {
        let id = record(&deposit.record);
        self.clinic.vault.absorb(&self.patient.key, Place::new(id, field()), &deposit.bytes, rng).unwrap()
    }

    fn open_absorbed(&self, absorbed: &Deposit) -> Opened {
        let id = record(&absorbed.record);
        self.clinic.vault.open_absorbed(&self.patient.key, Place::new(id, field()), &absorbed.bytes).unwrap()
    }
}

/// One group for each path in each suite, and in it each length.
fn paths(c: &mut Criterion) {
    for suite in SUITES {
        let desk = Desk::new(suite);
        let each: [(Path, Bench); 3] = [(Path::Reader, reader), (Path::Deposit, deposit), (Path::Absorbed, absorbed)];
        for (path, bench) in each {
            let mut group = c.benchmark_group(format!("note, {path:?}, {suite:?}"));
            for length in LENGTHS {
                group.throughput(Throughput::Bytes(length as u64));
                bench(&mut group, &desk, &text(length));
            }
            group.finish();
        }
    }
}

fn reader(group: &mut Group<'_>, desk: &Desk, note: &[u8]) {
    let (mut rng, mut buffer, length) = (Cheap::new(), Vec::new(), size(note.len()));
    let sealed = desk.seal(note, &mut rng);
    desk.seal_into(note, &mut rng, &mut buffer);
    for bytes in [&sealed, &buffer] {
        assert!(path_of(bytes).unwrap() == Path::Reader && *desk.open(bytes).plaintext == *note);
    }
    group.bench_function(BenchmarkId::new("seal", &length), |b| b.iter(|| desk.seal(note, &mut rng)));
    if note.len() == COMPARED {
        let operating_system = BenchmarkId::new("seal with OsRng", &length);
        group.bench_function(operating_system, |b| b.iter(|| desk.seal(note, &mut OsRng)));
    }
    let reused = BenchmarkId::new("seal into a reused buffer", &length);
    group.bench_function(reused, |b| b.iter(|| desk.seal_into(note, &mut rng, &mut buffer)));
    group.bench_function(BenchmarkId::new("open", &length), |b| b.iter(|| desk.open(&sealed)));
}

fn deposit(group: &mut Group<'_>, desk: &Desk, note: &[u8]) {
    let (mut rng, length) = (Cheap::new(), size(note.len()));
    let deposited = desk.deposit(note, &mut rng);
    assert_eq!(path_of(&deposited.bytes).unwrap(), Path::Deposit);
    assert_eq!(*desk.open_deposit(&deposited).plaintext, *note);
    group.bench_function(BenchmarkId::new("deposit", &length), |b| b.iter(|| desk.deposit(note, &mut rng)));
    group.bench_function(BenchmarkId::new("open", &length), |b| b.iter(|| desk.open_deposit(&deposited)));
}

fn absorbed(group: &mut Group<'_>, desk: &Desk, note: &[u8]) {
    let (mut rng, length) = (Cheap::new(), size(note.len()));
    let deposited = desk.deposit(note, &mut rng);
    let absorbed = Deposit { bytes: desk.absorb(&deposited, &mut rng), record: deposited.record.clone() };
    assert_eq!(path_of(&absorbed.bytes).unwrap(), Path::Absorbed);
    assert_eq!(*desk.open_absorbed(&absorbed).plaintext, *note);
    group.bench_function(BenchmarkId::new("absorb", &length), |b| b.iter(|| desk.absorb(&deposited, &mut rng)));
    group.bench_function(BenchmarkId::new("open", &length), |b| b.iter(|| desk.open_absorbed(&absorbed)));
}

criterion_group! {
    name = notes;
    config = short();
    targets = paths
}
criterion_main!(notes);
