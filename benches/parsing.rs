//! What it costs to read what a thief may have written: each object parsed, and each verified.
//!
//! Parsing alone cannot be called from outside, so the first group also encodes what it has parsed. The second group has
//! the calls of a service, most of whose time goes into signatures.

mod fixture;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fixture::clinic::{Clinic, Patient, RECORD, field, place, record};
use fixture::generator::Cheap;
use fixture::{KIB, SUITES, short, text};
use lukko::hazmat::wire::reencode;
use lukko::*;

/// The length of the notes, in bytes, and the numbers of members on a roster.
const NOTE: usize = KIB;
const MEMBERS: [usize; 3] = [1, 10, 100];

/// One of every object that is stored.
struct Stored {
    clinic: Clinic,
    patient: Patient,
    objects: Vec<(&'static str, Vec<u8>)>,
}

impl Stored {
    fn new(suite: Suite) -> Self {
        let mut clinic = Clinic::small(suite);
        let (patient, mut rng, note) = (clinic.enrol("p-1"), Cheap::new(), text(NOTE));
        let card = clinic.card(&patient);
        let Clinic { vault, therapist, intake, .. } = &clinic;
        let grant = vault.grant(&patient.key, therapist.fingerprint(), &mut rng).unwrap();
        let sealed = vault.seal(&patient.key, &place(RECORD), &note, &mut rng).unwrap();
        let deposit = vault.deposit(&card, intake, field(), Padding::Padme, &note, &mut rng).unwrap();
        let absorbed =
            vault.absorb(&patient.key, Place::new(record(&deposit.record), field()), &deposit.bytes, &mut rng).unwrap();
        let court = RecipientKey::generate(suite, &mut rng).unwrap();
        let stored = StoredNote { place: Place::new(record(RECORD), field()), path: Path::Reader, bytes: &sealed };
        let disclosure = vault.disclose(&patient.key, &stored, court.public(), therapist, &mut rng).unwrap();
        let next = vault.roster().next_generation().unwrap();
        let rotation = vault.rotate(&clinic.master, clinic.policy, &clinic.registrar.public(), next, &mut rng).unwrap();
        let objects = vec![
            ("card", patient.card.clone()),
            ("descriptor", vault.descriptor().as_bytes().to_vec()),
            ("endorsement", patient.endorsement.clone()),
            ("grant", grant.bytes),
            ("master grant", patient.master_grant.clone()),
            ("member", therapist.entry().to_vec()),
            ("record of a reader", sealed),
            ("record deposited", deposit.bytes),
            ("record absorbed", absorbed),
            ("pin", vault.pin().to_bytes()),
            ("roster", clinic.roster.clone()),
            ("share", clinic.shares[0].to_bytes().expose().to_vec()),
            ("rotation", rotation.statement),
            ("disclosure", disclosure),
        ];
        Self { clinic, patient, objects }
    }

    fn object(&self, name: &str) -> &[u8] {
        &self.objects.iter().find(|(kind, _)| *kind == name).expect("an object of this name").1
    }
}

/// Every object by itself.
fn parse(c: &mut Criterion) {
    for suite in SUITES {
        let stored = Stored::new(suite);
        let mut group = c.benchmark_group(format!("parse and encode again, {suite:?}"));
        for (name, bytes) in &stored.objects {
            assert_eq!(reencode(bytes).as_ref(), Some(bytes), "{name}");
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_function(*name, |b| b.iter(|| reencode(bytes)));
        }
        group.finish();
    }
}

/// What a service reads before it trusts it.
fn verify(c: &mut Criterion) {
    for suite in SUITES {
        let stored = Stored::new(suite);
        let Stored { clinic, patient, .. } = &stored;
        let Clinic { vault, therapist, roster, .. } = clinic;
        let [descriptor, pin, share, disclosure] =
            ["descriptor", "pin", "share", "disclosure"].map(|name| stored.object(name));
        let mut group = c.benchmark_group(format!("verify, {suite:?}"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("descriptor", |b| b.iter(|| Descriptor::parse(descriptor).unwrap()));
        group.bench_function("pin", |b| b.iter(|| Pin::from_bytes(pin).unwrap()));
        group.bench_function("share", |b| {
            b.iter(|| vault.descriptor().check_share(&Share::from_bytes(share).unwrap()).unwrap());
        });
        let entry = || MemberEntry::verify(therapist.entry(), vault.descriptor()).unwrap();
        assert_eq!(entry().fingerprint(), therapist.fingerprint());
        group.bench_function("member", |b| b.iter(entry));
        group.bench_function("card and endorsement", |b| b.iter(|| clinic.card(patient)));
        let signer = || vault.disclosure_signer(disclosure).unwrap();
        assert_eq!(signer(), therapist.fingerprint());
        group.bench_function("disclosure", |b| b.iter(signer));
        let load = || Vault::load(vault.pin().clone(), descriptor, roster, clinic.entries()).unwrap();
        assert_eq!(load().roster().version(), vault.roster().version());
        group.bench_function("vault", |b| b.iter(load));
        group.finish();
    }
}

/// A roster with its members' entries, each of which is signed.
fn rosters(c: &mut Criterion) {
    for suite in SUITES {
        let clinic = Clinic::small(suite);
        let (descriptor, mut rng) = (clinic.vault.descriptor(), Cheap::new());
        let mut group = c.benchmark_group(format!("verify a roster, {suite:?}"));
        for count in MEMBERS {
            let id = |at: usize| format!("m-{at}");
            let mut member = |at| descriptor.new_member(MemberId::new(&id(at)).unwrap(), &mut rng).unwrap();
            let entries: Vec<_> = (0..count).map(|at| member(at).entry().to_vec()).collect();
            let mut draft = RosterDraft::first(descriptor);
            for entry in &entries {
                draft.admit(&MemberEntry::verify(entry, descriptor).unwrap(), Roles::READ).unwrap();
            }
            let roster = draft.sign_as_registrar(&clinic.registrar, descriptor).unwrap();
            let verify = || {
                let mut pin = Pin::new(descriptor.fingerprint(), descriptor).unwrap();
                VerifiedRoster::verify(&roster, &entries, descriptor, &mut pin).unwrap()
            };
            assert_eq!(verify().members().count(), count);
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new("members", count), |b| b.iter(verify));
        }
        group.finish();
    }
}

criterion_group! {
    name = parsing;
    config = short();
    targets = parse, verify, rosters
}
criterion_main!(parsing);
