//! Writing: many records in a change, and one.

use std::time::{Duration, Instant};

use lukko_store::Store;

use crate::Sizes;
use crate::raw::{Raw, Row};
use crate::report::{Series, bar, median, note, timed};
use crate::world::{NOTES, World};

/// Single writes of each round.
const SINGLE: usize = 200;

/// `ours` is what the store writes to, `other` a database of the same shape for the raw inserts.
pub async fn run<S: Store>(database: &str, sizes: &Sizes, ours: (S, Raw), other: (S, Raw)) {
    let (store, raw) = (ours.0, other.1);
    let records = sizes.records.unwrap_or(35_000);
    let (round, single) = (records.div_ceil(sizes.rounds), SINGLE.min(records.div_ceil(sizes.rounds)));
    // The raw inserts of three ways go to three vaults, so that all of them have the same keys.
    let vaults = [[1_u8; 16], [2; 16], [3; 16]];
    let mut world = World::found(&store, sizes.seed).await;
    let total = (round + single) * sizes.rounds;
    let progress = bar(total.div_ceil(NOTES), "patients");
    world.enrol(&store, total.div_ceil(NOTES), true, |count| progress.inc(count.try_into().unwrap())).await;
    progress.finish_and_clear();

    let progress = bar(total, "records");
    let [mut one_by_one, mut many, mut inserts, mut alone, mut updates, mut updates_alone] =
        [const { Series::new() }; 6];
    let mut next = 0;
    let mut sealing = Vec::new();
    for _ in 0..sizes.rounds {
        // Ours and raw take turns batch by batch, so that what else the machine does meets all of them.
        let mut times = [Duration::ZERO; 3];
        let notes = world.notes(next, next + round);
        for notes in notes.chunks(sizes.batch) {
            let (time, sealed) = timed(world.import(&store, notes)).await;
            let rows = |vault| notes.iter().zip(&sealed).map(|(note, sealed)| world.row(vault, note, sealed)).collect();
            let rows: [Vec<Row<'_>>; 2] = [rows(&vaults[0]), rows(&vaults[1])];
            times[0] += time;
            times[1] += timed(raw.insert_one_by_one(&rows[0])).await.0;
            times[2] += timed(raw.insert_many(&rows[1])).await.0;
            let begin = Instant::now();
            notes.iter().for_each(|note| drop(world.seal(note)));
            sealing.push(begin.elapsed().as_secs_f64() * 1e6 / notes.len() as f64);
        }
        one_by_one.add(round, times[0], times[1]);
        many.add(round, times[0], times[2]);
        next += round;
        progress.inc(round.try_into().unwrap());

        // As a service writes: one note, and then its second revision.
        for revision in [1, 2] {
            let mut times = [Duration::ZERO; 3];
            for mut note in world.notes(next, next + single) {
                note.revision = revision;
                let (time, sealed) = timed(world.import(&store, std::slice::from_ref(&note))).await;
                times[0] += time;
                let (row, other) = (world.row(&vaults[0], &note, &sealed[0]), world.row(&vaults[2], &note, &sealed[0]));
                if revision == 1 {
                    times[1] += timed(raw.insert_one_by_one(&[row])).await.0;
                    times[2] += timed(raw.insert_alone(&other)).await.0;
                } else {
                    times[1] += timed(raw.update(&row)).await.0;
                    times[2] += timed(raw.update_alone(&other)).await.0;
                }
            }
            let [series, series_alone] =
                if revision == 1 { [&mut inserts, &mut alone] } else { [&mut updates, &mut updates_alone] };
            series.add(single, times[0], times[1]);
            series_alone.add(single, times[0], times[2]);
        }
        next += single;
        progress.inc(single.try_into().unwrap());
    }
    progress.finish_and_clear();
    let batch = sizes.batch;
    one_by_one.print(database, &format!("import, {batch} a change; raw: one row in a statement"), false);
    many.print(database, &format!("import, {batch} a change; raw: as many rows in a statement as ours"), true);
    inserts.print(database, "one new note; raw: begin, insert, commit", true);
    alone.print(database, "one new note; raw: an insert alone", false);
    updates.print(database, "a second revision; raw: begin, update, commit", true);
    updates_alone.print(database, "a second revision; raw: an update alone", false);
    note(database, &format!("sealing a note alone takes {:.1} us", median(sealing.into_iter())));
}
