//! Reading: one record, and a patient's page of them.

use lukko::{PatientId, RecordId};
use lukko_store::{Record, Store, StoredBody};

use crate::Sizes;
use crate::clinic::field;
use crate::raw::Raw;
use crate::report::{Series, bar, timed};
use crate::world::{NOTES, World, note_name};

/// Reads of each round.
const READS: usize = 2_000;
/// Rows of a page, at most.
const PAGE: u32 = 64;

pub async fn run<S: Store>(database: &str, sizes: &Sizes, (store, raw): (S, Raw)) {
    let records = sizes.records.unwrap_or(35_000);
    let mut world = World::found(&store, sizes.seed).await;
    let progress = bar(records, "records to read");
    fill(&mut world, &store, 0, records, sizes.batch, |count| progress.inc(count.try_into().unwrap())).await;
    progress.finish_and_clear();

    let (reads, pages) = (READS.min(records), READS.min(records).div_ceil(NOTES));
    let (mut single, mut paged) = (Series::new(), Series::new());
    let vault = world.clinic.id();
    let progress = bar(sizes.rounds, "rounds of reading");
    for _ in 0..sizes.rounds {
        let picked: Vec<usize> = (0..reads).map(|_| world.random(records)).collect();
        let (time, bytes) = timed(async {
            let mut bytes = 0;
            for number in &picked {
                bytes += read_and_open(&world, &store, *number).await;
            }
            bytes
        })
        .await;
        let (raw_time, raw_bytes) = timed(async {
            let mut bytes = 0;
            for number in &picked {
                let (patient, id) = (&world.patients[number / NOTES].0, note_name(*number));
                let met = raw.read([vault.as_bytes(), patient.as_bytes(), id.as_bytes(), b"note"]).await;
                bytes += met.sealed.unwrap().len();
            }
            bytes
        })
        .await;
        assert!(bytes > 0 && raw_bytes > bytes);
        single.add(reads, time, raw_time);

        let picked: Vec<usize> = (0..pages).map(|_| world.random(records.div_ceil(NOTES))).collect();
        let (time, met) = timed(async {
            let mut met = 0;
            for number in &picked {
                let (patient, key, _) = &world.patients[*number];
                let page = store.records(vault, PatientId::new(patient).unwrap(), None, PAGE).await.unwrap();
                for record in &page {
                    open(&world, key, record);
                }
                met += page.len();
            }
            met
        })
        .await;
        let (raw_time, raw_met) = timed(async {
            let mut met = 0;
            for number in &picked {
                met += raw.page(vault.as_bytes(), world.patients[*number].0.as_bytes(), PAGE).await.len();
            }
            met
        })
        .await;
        assert!(met > 0 && met == raw_met);
        paged.add(met, time, raw_time);
        progress.inc(1);
    }
    progress.finish_and_clear();
    single.print(database, "one record", true);
    paged.print(database, &format!("all {NOTES} records of a patient"), true);
}

/// Enrols the patients of these records, and imports them.
pub async fn fill(
    world: &mut World,
    store: &impl Store,
    from: usize,
    to: usize,
    batch: usize,
    step: impl Fn(usize),
) -> std::time::Duration {
    world.enrol(store, to.div_ceil(NOTES), true, |_| {}).await;
    let (mut next, mut spent) = (from, std::time::Duration::ZERO);
    while next < to {
        let end = to.min(next + batch);
        let notes = world.notes(next, end);
        spent += timed(world.import(store, &notes)).await.0;
        step(end - next);
        next = end;
    }
    spent
}

/// Gives the length of the text.
pub async fn read_and_open(world: &World, store: &impl Store, number: usize) -> usize {
    let (patient, key, _) = &world.patients[number / NOTES];
    let id = note_name(number);
    let (patient, record) = (PatientId::new(patient).unwrap(), RecordId::new(&id).unwrap());
    let met = store.record(world.clinic.id(), patient, record, field()).await.unwrap().unwrap();
    open(world, key, &met)
}

fn open(world: &World, key: &lukko::PatientKey, record: &Record) -> usize {
    let StoredBody::Sealed(sealed) = &record.body else { panic!("a note") };
    let id = RecordId::new(&record.record).unwrap();
    world.clinic.vault.open(key, id, field(), sealed).unwrap().plaintext.len()
}
