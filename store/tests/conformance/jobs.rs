//! Pieces of jobs.

use std::collections::BTreeSet;
use std::sync::Arc;

use lukko_store::error::Conflict;
use lukko_store::*;

use crate::clinic::{Clinic, with_notes};

const JOB: &str = "verify 1";

async fn begin(store: &impl Store, clinic: &mut Clinic, patients: usize) {
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..patients {
        with_notes(store, clinic, &format!("p-{number:02}"), 0).await;
    }
    for _ in 0..2 {
        store.apply(clinic.id(), &[Change::Job { job: JOB, kind: JobKind::Verify }]).await.unwrap();
    }
}

pub async fn t094_every_piece_is_claimed_once(store: impl Store + 'static) {
    const PATIENTS: usize = 20;
    let mut clinic = Clinic::new(0x9401);
    begin(&store, &mut clinic, PATIENTS).await;
    let (store, vault) = (Arc::new(store), clinic.id());
    let worker = |_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            while let Some(claim) = store.claim(vault, JOB, 1_000, 2_000).await.unwrap() {
                store.apply(vault, &[Change::Done { claim: &claim, outcome: Outcome::Done }]).await.unwrap();
                mine.push(claim.patient);
            }
            mine
        })
    };
    let workers: Vec<_> = (0..4).map(worker).collect();
    let mut met = Vec::new();
    for worker in workers {
        met.extend(worker.await.unwrap());
    }
    assert_eq!((met.len(), met.iter().collect::<BTreeSet<_>>().len()), (PATIENTS, PATIENTS));
    let state = store.job(vault, JOB).await.unwrap().unwrap();
    assert_eq!(state, JobState { kind: JobKind::Verify, open: 0, done: PATIENTS as u64, failed: 0 });
}

pub async fn t094_a_lease_that_ended_goes_to_the_next_worker(store: impl Store) {
    let mut clinic = Clinic::new(0x9402);
    begin(&store, &mut clinic, 1).await;
    let vault = clinic.id();
    let slow = store.claim(vault, JOB, 1_000, 2_000).await.unwrap().unwrap();
    assert_eq!(store.claim(vault, JOB, 1_999, 3_000).await.unwrap(), None);
    let quick = store.claim(vault, JOB, 2_000, 3_000).await.unwrap().unwrap();
    assert_eq!(quick.patient, slow.patient);
    let late = store.apply(vault, &[Change::Done { claim: &slow, outcome: Outcome::Done }]).await;
    assert!(matches!(late, Err(Error::Conflict(Conflict::Claim))), "{late:?}");
    let failed = Change::Done { claim: &quick, outcome: Outcome::Failed("no grant") };
    for _ in 0..2 {
        store.apply(vault, &[failed]).await.unwrap();
    }
    let state = store.job(vault, JOB).await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, 0, 1));
    let expected = Failure { patient: quick.patient, reason: "no grant".into() };
    assert_eq!(store.failures(vault, JOB, None, 10).await.unwrap(), [expected]);
    assert_eq!(store.job(vault, "another").await.unwrap(), None);
    let other = store.apply(vault, &[Change::Job { job: JOB, kind: JobKind::Rotation }]).await;
    assert!(matches!(other, Err(Error::Usage(error::Usage::WrongJob))), "{other:?}");
}
