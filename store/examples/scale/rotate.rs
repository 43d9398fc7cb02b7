//! A rotation of every patient, and what memory it takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures_util::StreamExt;
use lukko::{Enroller, PatientRotation};
use lukko_store::{Change, JobKind, Over, RotationJob, Store, Worker};

use crate::Sizes;
use crate::clinic::NextGeneration;
use crate::raw::Raw;
use crate::report::{bar, resident};
use crate::world::World;

const JOB: &str = "rotation 2";
const LEASE: Duration = Duration::from_secs(60);
/// How often memory is looked at while the job begins.
const LOOK: Duration = Duration::from_millis(20);

pub async fn run<S: Store>(database: &str, sizes: &Sizes, workers: usize, (store, _raw): (S, Raw)) {
    let patients = sizes.patients;
    let mut world = World::found(&store, sizes.seed).await;
    let progress = bar(patients, "patients to rotate");
    world.enrol(&store, patients, false, |count| progress.inc(count.try_into().unwrap())).await;
    progress.finish_and_clear();
    let World { mut clinic, .. } = world;
    let next = NextGeneration::store(&store, &mut clinic).await;

    let before = resident();
    let change = [Change::Job { job: JOB, kind: JobKind::Rotation, over: Over::Everyone }];
    let mut highest = before;
    let begin = Instant::now();
    {
        let mut beginning = Box::pin(store.apply(clinic.id(), &change));
        loop {
            tokio::select! {
                result = &mut beginning => break result.unwrap(),
                () = tokio::time::sleep(LOOK) => highest = highest.max(resident()),
            }
        }
    }
    let begun = begin.elapsed();
    let after_begin = highest.max(resident());

    let by = Enroller::Root(&next.rotation.master);
    let task = RotationJob { step: PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by } };
    let worker = Worker { store: &store, vault: clinic.id(), job: JOB, lease: LEASE, clock: SystemTime::now };
    let progress = bar(patients, "patients");
    let (done, steps) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    let work = async |number: usize| {
        let mut stream = Box::pin(worker.run(task));
        while let Some(item) = stream.next().await {
            let item = match item {
                // Other workers have the last pieces.
                Err(lukko_store::Error::Held { .. }) => break,
                item => item.unwrap(),
            };
            assert!(item.findings.is_empty() && item.written == 1, "worker {number}: {item:?}");
            let count = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.inc(1);
            if count.is_multiple_of(patients.div_ceil(10)) || count == patients {
                steps.lock().unwrap().push((resident(), Instant::now(), count));
            }
        }
    };
    let started = Instant::now();
    // A thread for each worker, as if each were a process.
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for number in 0..workers {
                let (runtime, work) = (&runtime, &work);
                scope.spawn(move || runtime.block_on(work(number)));
            }
        });
    });
    let time = started.elapsed();
    progress.finish_and_clear();
    let state = store.job(clinic.id(), JOB).await.unwrap().unwrap();
    assert_eq!((state.open, state.failed), (0, 0));
    assert_eq!(usize::try_from(state.done).unwrap(), patients);
    let steps = steps.into_inner().unwrap();
    let each: Vec<String> = steps.iter().map(|step| format!("{:.1}", step.0)).collect();
    let top = steps.iter().map(|step| step.0).fold(after_begin, f64::max);
    let rate = |from: (Instant, usize), to: (Instant, usize)| (to.1 - from.1) as f64 / (to.0 - from.0).as_secs_f64();
    let at: Vec<(Instant, usize)> =
        std::iter::once((started, 0)).chain(steps.iter().map(|(_, at, count)| (*at, *count))).collect();
    let (first, last) = (rate(at[0], at[1]), rate(at[at.len() - 2], at[at.len() - 1]));
    println!(
        "| {database} | {patients} | {workers} | {:.1} | {:.0} | {first:.0} and {last:.0} | {before:.1} | {after_begin:.1} | {} | {top:.1} |",
        begun.as_secs_f64(),
        patients as f64 / time.as_secs_f64(),
        each.join(" ")
    );
}
