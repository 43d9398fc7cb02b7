//! The long jobs: to the end, half done, or beside a worker that died.

use std::time::Duration;

use futures_util::StreamExt;
use lukko::{Enroller, FieldLabel, PatientRotation};
use lukko_store::{Change, How, KeyOf, Progress, RekeyJob, RotationJob, Store, Task, VerifyJob, Worker};

use super::place::{Kind, clock, now, wait};
use super::steps::Ending;
use super::world::{World, number};

/// How long a worker holds a piece, in seconds.
pub(super) const LEASE: u64 = 60;

/// What one worker has said.
pub(super) struct Did {
    pub(super) done: Vec<Progress>,
    pub(super) error: Option<lukko_store::Error>,
}

impl<K: Kind> World<K> {
    /// The job of this kind that has pieces left, or a new one.
    pub(super) fn job_name(&mut self, kind: &'static str) -> String {
        let going_on = self.jobs.get(kind).filter(|job| {
            let state = wait(self.place.store.job(self.vault_id(), job)).unwrap();
            state.is_some_and(|state| state.open > 0)
        });
        if let Some(job) = going_on {
            return job.clone();
        }
        self.count += 1;
        let job = format!("{kind} {}", self.count);
        self.jobs.insert(kind, job.clone());
        job
    }

    /// Works on a job, as one worker.
    pub(super) fn work<T: Task + Send>(&self, job: &str, task: T, ends: Ending) -> Did {
        let (store, vault) = (&self.place.store, self.vault_id());
        if ends == Ending::BesideTheDead {
            let _ = self.apply(&[Change::Job { job, kind: T::KIND, over: task.over() }]);
            let milliseconds = now() * 1_000;
            let _ = wait(store.claim(vault, job, milliseconds, milliseconds + LEASE * 1_000)).unwrap();
        }
        let worker = Worker { store, vault, job, lease: Duration::from_secs(LEASE), clock };
        let most = if let Ending::After(pieces) = ends { pieces } else { usize::MAX };
        let items = wait(worker.run(task).take(most).collect::<Vec<_>>());
        let mut did = Did { done: Vec::new(), error: None };
        for item in items {
            match item {
                Ok(progress) => did.done.push(progress),
                Err(error) => did.error = Some(error),
            }
        }
        did
    }

    pub(super) fn rotation_job(&mut self, ends: Ending) {
        let in_use: Vec<usize> = self.in_use().collect();
        let [.., from, to] = in_use[..] else { return };
        let job = self.job_name("rotation");
        let [old, new] = [from, to].map(|at| &self.generations[at]);
        let (Some(master), Some(root)) = (&old.master, &new.master) else { return };
        let step = PatientRotation { from: &old.vault, master, to: &new.vault, by: Enroller::Root(root) };
        let did = self.work(&job, RotationJob { step }, ends);
        self.rely(&did, to);
    }

    pub(super) fn verify_job(&mut self, by: usize, ends: Ending) {
        let Some(generation) = self.generations.get(by) else { return };
        if generation.master.is_none() {
            return;
        }
        let job = self.job_name("verify");
        let generation = &self.generations[by];
        let Some(master) = &generation.master else { return };
        let (vault, attachments) = (&generation.vault, Some(&self.attachments));
        let deposits = [FieldLabel::new("intake").unwrap()];
        let did =
            self.work(&job, VerifyJob { vault, by: KeyOf::Master(master), attachments, deposits: &deposits }, ends);
        self.verified(&did);
        self.rely(&did, by);
    }

    pub(super) fn rekey_job(&mut self, by: usize, ends: Ending) {
        if self.generations.get(by).is_none_or(|generation| generation.master.is_none()) {
            return;
        }
        let job = self.job_name("rekey");
        let generation = &self.generations[by];
        let Some(master) = &generation.master else { return };
        let (vault, attachments) = (&generation.vault, Some(&self.attachments));
        let deposits = &[FieldLabel::new("intake").unwrap()];
        let task = RekeyJob { vault, by: KeyOf::Master(master), how: How::Reseal, attachments, deposits };
        let did = self.work(&job, task, ends);
        self.still_open(&did, by);
    }

    /// A job without a finding says that the quorum of this generation opens every card under which there is a record.
    fn rely(&mut self, did: &Did, at: usize) {
        let generation = self.generations[at].vault.descriptor().generation();
        for progress in did.done.iter().filter(|progress| progress.findings.is_empty()) {
            let patient = number(&progress.patient);
            let used = self.records(patient).into_iter().map(|record| record.card);
            let current = self.stored(patient).current;
            let promised: Vec<_> = used.chain(current).map(|card| (card, generation)).collect();
            self.trust.promised.extend(promised);
            self.trust.tampered.remove(&patient);
            self.trust.planted.remove(&patient);
        }
    }

    /// 6: a re-key counts as open until a roster closes the older cards.
    fn still_open(&self, did: &Did, by: usize) {
        let roster = self.generations[by].vault.roster();
        for progress in did.done.iter().filter(|progress| progress.findings.is_empty()) {
            let patient = number(&progress.patient);
            let stored = self.stored(patient);
            if self.trust.tampered.contains(&patient) {
                continue;
            }
            let older = stored.cards.iter().map(|(card, _)| *card).filter(|card| stored.current != Some(*card));
            let open: Vec<_> = older.filter(|card| roster.closed(*card).is_none()).collect();
            let silent = open.iter().find(|card| !progress.still_open.contains(card));
            assert!(silent.is_none(), "invariant 6: the re-key of patient {patient} is said to have ended: {silent:?}");
        }
    }

    /// What a thief has altered in a record's place is named by whoever reads all of it.
    fn verified(&self, did: &Did) {
        for progress in &did.done {
            let patient = number(&progress.patient);
            let named = |record: &str| {
                let is = |(met, _): &(Vec<u8>, Vec<u8>)| met == record.as_bytes();
                progress.findings.iter().any(|finding| finding.record.as_ref().is_none_or(is))
            };
            let spoiled = self.trust.spoiled.iter().filter(|(owner, _)| *owner == patient);
            for (_, spot) in spoiled.filter(|(_, spot)| self.record(patient, spot).is_some()) {
                assert!(
                    named(&spot.0),
                    "invariant 4: a verify job finds nothing wrong with {spot:?} of patient {patient}"
                );
            }
        }
    }
}
