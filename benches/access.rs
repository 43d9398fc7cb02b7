//! What it costs to give someone access to a patient, and to use it.

mod fixture;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fixture::clinic::{Clinic, RECORD, field, place, record};
use fixture::generator::Cheap;
use fixture::{KIB, SUITES, short, size, text};
use lukko::*;

/// The length of the note that is disclosed, in bytes.
const NOTE: usize = KIB;

/// Enrolment, grants, and the glass that a quorum breaks. Each is one patient.
fn patients(c: &mut Criterion) {
    for suite in SUITES {
        let mut clinic = Clinic::small(suite);
        let (patient, mut rng) = (clinic.enrol("p-1"), Cheap::new());
        let card = clinic.card(&patient);
        let Clinic { vault, therapist, master, .. } = &clinic;
        let mut enrol = || vault.enrol(Enroller::Member(therapist), patient.id(), &mut rng).unwrap();
        assert_eq!(enrol().key.patient(), card.patient());
        let mut group = c.benchmark_group(format!("patient, {suite:?}"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("enrol", |b| b.iter(&mut enrol));
        let mut grant = || vault.grant(&patient.key, therapist.fingerprint(), &mut rng).unwrap();
        let granted = grant().bytes;
        let open = || vault.open_grant(&card, therapist, &granted).unwrap();
        let break_glass = || vault.break_glass(&card, master).unwrap();
        for key in [open(), break_glass()] {
            assert_eq!(key.card(), card.id());
        }
        group.bench_function("grant", |b| b.iter(&mut grant));
        group.bench_function("open a grant", |b| b.iter(open));
        group.bench_function("break the glass", |b| b.iter(break_glass));
        group.finish();
    }
}

/// A copy of one note for someone outside.
fn disclosure(c: &mut Criterion) {
    for suite in SUITES {
        let mut clinic = Clinic::small(suite);
        let (patient, mut rng, text) = (clinic.enrol("p-1"), Cheap::new(), text(NOTE));
        let Clinic { vault, therapist, .. } = &clinic;
        let sealed = vault.seal(&patient.key, &place(RECORD), &text, &mut rng).unwrap();
        let note = StoredNote { place: Place::new(record(RECORD), field()), path: Path::Reader, bytes: &sealed };
        let court = RecipientKey::generate(suite, &mut rng).unwrap();
        let mut disclose = || vault.disclose(&patient.key, &note, court.public(), therapist, &mut rng).unwrap();
        let disclosed = disclose();
        let open = || vault.open_disclosure(&court, &disclosed).unwrap();
        assert_eq!(*open().plaintext, *text);
        let mut group = c.benchmark_group(format!("disclosure of {}, {suite:?}", size(NOTE)));
        group.throughput(Throughput::Bytes(NOTE as u64));
        group.bench_function("disclose", |b| b.iter(&mut disclose));
        group.bench_function("open", |b| b.iter(open));
        group.finish();
    }
}

criterion_group! {
    name = access;
    config = short();
    targets = patients, disclosure
}
criterion_main!(access);
