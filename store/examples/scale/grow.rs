//! The same work at a thousand records, and at every ten times as many.

use lukko_store::Store;

use crate::Sizes;
use crate::raw::Raw;
use crate::read::{fill, read_and_open};
use crate::report::{bar, median, quantile, timed};
use crate::world::World;

/// Reads at each step, of records at random.
const READS: usize = 2_000;

pub async fn run<S: Store>(database: &str, sizes: &Sizes, (store, raw): (S, Raw)) {
    let last = sizes.records.unwrap_or(1_000_000);
    let mut world = World::found(&store, sizes.seed).await;
    let mut steps: Vec<usize> =
        std::iter::successors(Some(1_000), |step| Some(step * 10)).take_while(|s| *s < last).collect();
    steps.push(last);
    let progress = bar(last, "records");
    let (empty, mut from) = (raw.size().await, 0);
    for step in steps {
        let spent = fill(&mut world, &store, from, step, sizes.batch, |n| progress.inc(n.try_into().unwrap())).await;
        let mut times = Vec::with_capacity(READS);
        for _ in 0..READS {
            let number = world.random(step);
            times.push(timed(read_and_open(&world, &store, number)).await.0.as_secs_f64() * 1e6);
        }
        println!(
            "| {database} | {step} | {:.0} | {:.0} | {:.0} | {:.0} |",
            (step - from) as f64 / spent.as_secs_f64(),
            median(times.iter().copied()),
            quantile(times.iter().copied(), 0.99),
            (raw.size().await - empty) as f64 / step as f64
        );
        from = step;
    }
    progress.finish_and_clear();
}
