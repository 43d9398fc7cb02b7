//! Writing: many records in a change, and one.

use lukko_store::Store;

use crate::Sizes;
use crate::raw::{Raw, Row};
use crate::report::{Series, bar, timed};
use crate::world::{NOTES, Note, World};

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
    for _ in 0..sizes.rounds {
        let notes = world.notes(next, next + round);
        let (time, sealed) = timed(async {
            let mut sealed = Vec::with_capacity(notes.len());
            for notes in notes.chunks(sizes.batch) {
                sealed.extend(world.import(&store, notes).await);
            }
            sealed
        })
        .await;
        let rows = |vault| notes.iter().zip(&sealed).map(|(note, sealed)| world.row(vault, note, sealed)).collect();
        let (raw_rows, raw_many): (Vec<Row<'_>>, Vec<Row<'_>>) = (rows(&vaults[0]), rows(&vaults[1]));
        let (raw_time, ()) = timed(async {
            for rows in raw_rows.chunks(sizes.batch) {
                raw.insert_one_by_one(rows).await;
            }
        })
        .await;
        one_by_one.add(round, time, raw_time);
        let (raw_time, ()) = timed(async {
            for rows in raw_many.chunks(sizes.batch) {
                raw.insert_many(rows).await;
            }
        })
        .await;
        many.add(round, time, raw_time);
        next += round;
        progress.inc(round.try_into().unwrap());

        // As a service writes: one note, and then its second revision.
        for revision in [1, 2] {
            let mut notes = world.notes(next, next + single);
            for note in &mut notes {
                note.revision = revision;
            }
            let (time, sealed) = timed(singles(&world, &store, &notes)).await;
            let update = revision == 2;
            let mut times = [std::time::Duration::ZERO; 2];
            for (way, vault) in [(0, &vaults[0]), (1, &vaults[2])] {
                (times[way], _) = timed(async {
                    for (note, sealed) in notes.iter().zip(&sealed) {
                        let row = world.row(vault, note, sealed);
                        match (way, update) {
                            (0, false) => raw.insert_one_by_one(&[row]).await,
                            (0, true) => raw.update(&row).await,
                            (_, false) => raw.insert_alone(&row).await,
                            (_, true) => raw.update_alone(&row).await,
                        }
                    }
                })
                .await;
            }
            let [series, series_alone] =
                if update { [&mut updates, &mut updates_alone] } else { [&mut inserts, &mut alone] };
            series.add(single, time, times[0]);
            series_alone.add(single, time, times[1]);
        }
        next += single;
        progress.inc(single.try_into().unwrap());
    }
    progress.finish_and_clear();
    let batch = sizes.batch;
    one_by_one.print(database, &format!("import, {batch} a change; raw: one row in a statement"), false);
    many.print(database, &format!("import, {batch} a change; raw: {} rows in a statement", crate::raw::ROWS), true);
    inserts.print(database, "one new note; raw: begin, insert, commit", true);
    alone.print(database, "one new note; raw: an insert alone", false);
    updates.print(database, "a second revision; raw: begin, update, commit", true);
    updates_alone.print(database, "a second revision; raw: an update alone", false);
}

async fn singles(world: &World, store: &impl Store, notes: &[Note]) -> Vec<Vec<u8>> {
    let mut sealed = Vec::with_capacity(notes.len());
    for note in notes {
        sealed.extend(world.import(store, std::slice::from_ref(note)).await);
    }
    sealed
}
