//! What an attachment costs as a stream, sealed into memory and opened from memory, so that no disk is measured.
//!
//! The suite decides nothing here but the front of a deposit, which is why there is one.

mod fixture;

use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fixture::clinic::{Clinic, Patient, RECORD, field, place, record};
use fixture::generator::Cheap;
use fixture::{KIB, MIB, short, size, text};
use lukko::rand_core::TryRng;
use lukko::*;

/// The lengths of the attachments, in bytes.
const LENGTHS: [usize; 2] = [MIB, 64 * MIB];
/// In what pieces a text is handed over and taken, and what is read at a random place.
const BLOCK: usize = 64 * KIB;
const PIECE: usize = 4 * KIB;

type Seal = fn(&Desk, &[u8], &mut Cheap, &mut Vec<u8>);
type Open = fn(&Desk, &[u8], Each<'_>);
/// What is done with each block of an opened text.
type Each<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// Each number of threads, and how an attachment is sealed and opened with as many.
const THREADS: &[(usize, Seal, Open)] = &[
    (1, Desk::seal, Desk::open),
    #[cfg(feature = "parallel")]
    (2, Desk::seal_on_two_threads, Desk::open_on_two_threads),
];

/// How many chunks are sealed and opened at once on two threads: a megabyte.
#[cfg(feature = "parallel")]
const BATCH: std::num::NonZeroUsize = std::num::NonZeroUsize::new(64).unwrap();
#[cfg(feature = "parallel")]
static TWO_THREADS: std::sync::LazyLock<rayon::ThreadPool> =
    std::sync::LazyLock::new(|| rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());

/// A vault with one patient, who is open.
struct Desk {
    clinic: Clinic,
    patient: Patient,
    card: Card,
}

impl Desk {
    fn new() -> Self {
        let mut clinic = Clinic::small(Suite::default());
        let patient = clinic.enrol("p-1");
        let card = clinic.card(&patient);
        Self { clinic, patient, card }
    }

    fn seal(&self, text: &[u8], rng: &mut Cheap, out: &mut Vec<u8>) {
        out.clear();
        let mut writer = self.clinic.vault.seal_attachment(&self.patient.key, &place(RECORD), out, rng).unwrap();
        text.chunks(BLOCK).for_each(|block| writer.write_all(block).unwrap());
        writer.finish().unwrap();
    }

    fn reader<'a>(&self, bytes: &'a [u8]) -> AttachmentReader<Cursor<&'a [u8]>> {
        let source = Cursor::new(bytes);
        self.clinic.vault.open_attachment(&self.patient.key, Place::new(record(RECORD), field()), source).unwrap()
    }

    fn open(&self, bytes: &[u8], each: Each<'_>) {
        drain(self.reader(bytes), each);
    }

    #[cfg(feature = "parallel")]
    fn seal_on_two_threads(&self, text: &[u8], rng: &mut Cheap, out: &mut Vec<u8>) {
        out.clear();
        let writer = self.clinic.vault.seal_attachment(&self.patient.key, &place(RECORD), out, rng).unwrap();
        TWO_THREADS.install(|| {
            let mut writer = writer.in_parallel(BATCH).unwrap();
            text.chunks(BLOCK).for_each(|block| writer.write_all(block).unwrap());
            writer.finish().unwrap();
        });
    }

    #[cfg(feature = "parallel")]
    fn open_on_two_threads(&self, bytes: &[u8], each: Each<'_>) {
        let reader = self.reader(bytes);
        TWO_THREADS.install(|| drain(reader.in_parallel(BATCH), each));
    }

    /// Gives the record's id, which the library drew.
    fn deposit(&self, text: &[u8], rng: &mut Cheap, out: &mut Vec<u8>) -> String {
        out.clear();
        let Clinic { vault, intake, .. } = &self.clinic;
        let mut writer = vault.deposit_attachment(&self.card, intake, field(), Padding::Padme, out, rng).unwrap();
        text.chunks(BLOCK).for_each(|block| writer.write_all(block).unwrap());
        let id = writer.record().to_owned();
        writer.finish().unwrap();
        id
    }

    /// Verifies who wrote all of it, then opens it.
    fn open_deposited(&self, id: &str, bytes: &[u8], each: Each<'_>) {
        let (vault, key) = (&self.clinic.vault, &self.patient.key);
        let deposited =
            vault.open_deposited_attachment(key, Place::new(record(id), field()), Cursor::new(bytes)).unwrap();
        drain(deposited.verify_authorship().unwrap(), each);
    }
}

/// Reads everything, block by block.
fn drain(mut reader: impl Read, each: Each<'_>) {
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block).unwrap() {
            0 => return,
            length => each(&block[..length]),
        }
    }
}

/// Asserts that what `open` hands out is this text.
fn assert_opens(text: &[u8], open: impl FnOnce(Each<'_>)) {
    let mut left = text;
    open(&mut |block| left = left.strip_prefix(block).expect("the text"));
    assert!(left.is_empty(), "{} bytes are missing", left.len());
}

/// On the reader's path, from the first byte to the last.
fn own(c: &mut Criterion) {
    let (desk, mut rng) = (Desk::new(), Cheap::new());
    let mut group = c.benchmark_group(format!("attachment, {:?}", Path::Reader));
    group.sampling_mode(SamplingMode::Flat);
    for length in LENGTHS {
        let (text, mut sealed) = (text(length), Vec::new());
        group.throughput(Throughput::Bytes(length as u64));
        for &(threads, seal, open) in THREADS {
            seal(&desk, &text, &mut rng, &mut sealed);
            assert_opens(&text, |each: Each<'_>| open(&desk, &sealed, each));
            let sealing = BenchmarkId::new(format!("seal, threads: {threads}"), size(length));
            group.bench_function(sealing, |b| b.iter(|| seal(&desk, &text, &mut rng, &mut sealed)));
            let opening = BenchmarkId::new(format!("open, threads: {threads}"), size(length));
            group.bench_function(opening, |b| b.iter(|| open(&desk, &sealed, &mut |_| ())));
        }
    }
    group.finish();
}

/// As a deposit, which is read twice: for the proof of who wrote it, and for the text.
fn deposited(c: &mut Criterion) {
    let (desk, mut rng) = (Desk::new(), Cheap::new());
    let mut group = c.benchmark_group(format!("attachment, {:?}", Path::DepositedAttachment));
    group.sampling_mode(SamplingMode::Flat);
    for length in LENGTHS {
        let (text, mut sealed) = (text(length), Vec::new());
        group.throughput(Throughput::Bytes(length as u64));
        let deposit = BenchmarkId::new("deposit", size(length));
        group.bench_function(deposit, |b| b.iter(|| desk.deposit(&text, &mut rng, &mut sealed)));
        let id = desk.deposit(&text, &mut rng, &mut sealed);
        assert_opens(&text, |each: Each<'_>| desk.open_deposited(&id, &sealed, each));
        let open = BenchmarkId::new("verify authorship and open", size(length));
        group.bench_function(open, |b| b.iter(|| desk.open_deposited(&id, &sealed, &mut |_| ())));
    }
    group.finish();
}

/// A piece at a random place: in a reader that is open, and from the opening on.
fn random_access(c: &mut Criterion) {
    let (desk, mut rng) = (Desk::new(), Cheap::new());
    let length = LENGTHS[LENGTHS.len() - 1];
    let (text, mut sealed) = (text(length), Vec::new());
    desk.seal(&text, &mut rng, &mut sealed);
    let read = |reader: &mut AttachmentReader<Cursor<&[u8]>>, at: usize| {
        let mut piece = [0; PIECE];
        reader.seek(SeekFrom::Start(at as u64)).unwrap();
        reader.read_exact(&mut piece).unwrap();
        piece
    };
    let mut anywhere = || rng.try_next_u64().unwrap() as usize % (length - PIECE);
    let (at, mut reader) = (anywhere(), desk.reader(&sealed));
    assert_eq!(read(&mut reader, at), text[at..at + PIECE]);

    let mut group = c.benchmark_group(format!("attachment, {} at a random place", size(PIECE)));
    group.throughput(Throughput::Bytes(PIECE as u64));
    let seek = BenchmarkId::new("seek and read", size(length));
    group.bench_function(seek, |b| b.iter(|| read(&mut reader, anywhere())));
    let open = BenchmarkId::new("open, seek and read", size(length));
    group.bench_function(open, |b| b.iter(|| read(&mut desk.reader(&sealed), anywhere())));
    group.finish();
}

criterion_group! {
    name = attachments;
    config = short().sample_size(10).measurement_time(Duration::from_secs(2));
    targets = own, deposited, random_access
}
criterion_main!(attachments);
