//! Reading: one record, and a patient's page of them.

use std::time::{Duration, Instant};

use lukko::{PatientId, Place, RecordId};
use lukko_store::{Record, Store, StoredBody};

use crate::Sizes;
use crate::clinic::field;
use crate::raw::Raw;
use crate::report::{Series, bar, median, note, timed};
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
    let mut opening = Vec::new();
    for _ in 0..sizes.rounds {
        let mut times = [Duration::ZERO; 2];
        for turn in 0..reads {
            let number = world.random(records);
            let (patient, id) = (&world.patients[number / NOTES].0, note_name(number));
            // Whoever comes second finds the page in memory.
            for side in [turn % 2, (turn + 1) % 2] {
                let (time, length) = if side == 0 {
                    timed(read_and_open(&world, &store, number)).await
                } else {
                    let key = [vault.as_bytes(), patient.as_bytes(), id.as_bytes(), &b"note"[..]];
                    timed(async { raw.read(key).await.sealed.map_or(0, |sealed| sealed.len()) }).await
                };
                times[side] += time;
                assert!(length > 0);
            }
        }
        single.add(reads, times[0], times[1]);

        let (mut times, mut met) = ([Duration::ZERO; 2], 0);
        for turn in 0..pages {
            let number = world.random(records.div_ceil(NOTES));
            let (patient, key, _) = &world.patients[number];
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for side in [turn % 2, (turn + 1) % 2] {
                if side == 0 {
                    let (time, page) = timed(async {
                        let page = store.records(vault, PatientId::new(patient).unwrap(), None, PAGE).await.unwrap();
                        page.iter().for_each(|record| assert!(open(&world, key, record) > 0));
                        page
                    })
                    .await;
                    (ours, times[0]) = (page, times[0] + time);
                } else {
                    let (time, page) = timed(raw.page(vault.as_bytes(), patient.as_bytes(), PAGE)).await;
                    (theirs, times[1]) = (page, times[1] + time);
                }
            }
            assert!(!ours.is_empty() && ours.len() == theirs.len());
            met += ours.len();
            let begin = Instant::now();
            ours.iter().for_each(|record| assert!(open(&world, key, record) > 0));
            opening.push(begin.elapsed().as_secs_f64() * 1e6 / ours.len() as f64);
        }
        paged.add(met, times[0], times[1]);
        progress.inc(1);
    }
    progress.finish_and_clear();
    single.print(database, "one record", true);
    paged.print(database, &format!("all {NOTES} records of a patient"), true);
    note(database, &format!("opening a note alone takes {:.1} us", median(opening.into_iter())));
}

/// Enrols the patients of these records, and imports them.
pub async fn fill(
    world: &mut World,
    store: &impl Store,
    from: usize,
    to: usize,
    batch: usize,
    step: impl Fn(usize),
) -> Duration {
    world.enrol(store, to.div_ceil(NOTES), true, |_| {}).await;
    let (mut next, mut spent) = (from, Duration::ZERO);
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
    world.clinic.vault.open(key, Place::new(id, field()), sealed).unwrap().plaintext.len()
}
