//! The long jobs, each over a small clinic: how it is prepared, done, and looked at in the middle and at the end.
//!
//! Two processes make the same clinic from the same seed; what one of them stored, the other one reads.

#![allow(dead_code)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{
    ClosedReason, Enroller, GrantKey, OsRng, PatientId, PatientKey, PatientRotation, RecordContext, RecordId, Revision,
};
use lukko_store::placed::RecordRow;
use lukko_store::{
    Attachments, Body, Change, ErasureJob, Error, How, ImportFile, ImportJob, KeyOf, Patient, Records, RekeyJob,
    Result, RotationJob, Store, StoredBody, Task, VerifyJob, Worker,
};

use lukko_store::error::Usage;

use crate::clinic::{Clinic, NextGeneration, field, first, patient, record, rekeyed, with_notes};

const NOTES: usize = 3;
const JOB: &str = "the job";
const SCAN: usize = 70_000;

/// Which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rotation,
    Rewrap,
    Reseal,
    Erasure,
    Import,
    Verify,
    Uploads,
}

pub const KINDS: [Kind; 7] =
    [Kind::Rotation, Kind::Rewrap, Kind::Reseal, Kind::Erasure, Kind::Import, Kind::Verify, Kind::Uploads];

/// A clinic, and a directory with the objects of its attachments and the file that it imports.
pub struct Work {
    pub kind: Kind,
    pub clinic: Clinic,
    pub next: NextGeneration,
    patients: usize,
    attachments: Attachments,
    file: ImportFile,
}

/// Runs work that blocks, on a thread of its own.
pub fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join().unwrap()))
}

fn name(number: usize) -> String {
    format!("p-{number:02}")
}

/// The rows of a patient in the file: of three patients one is there already.
fn rows(number: usize) -> impl Iterator<Item = (String, String)> {
    (0..5).map(move |row| (format!("i-{row}"), format!("imported, {number} \"{row}\"\nand a second line")))
}

impl Work {
    pub fn new(kind: Kind, patients: usize, directory: &Path) -> Self {
        let mut clinic = Clinic::new(0x92);
        let next = NextGeneration::draw(&mut clinic);
        let (objects, notes) = (directory.join("objects"), directory.join("notes.csv"));
        if !notes.exists() {
            std::fs::create_dir(&objects).unwrap();
            let mut csv = String::from("record_id,patient_id,note\n");
            for number in 0..patients {
                for (record, text) in rows(number) {
                    csv.push_str(&format!("{record},{},\"{}\"\n", name(number * 3), text.replace('"', "\"\"")));
                }
            }
            std::fs::write(&notes, csv).unwrap();
        }
        let (attachments, file) = (Attachments::local(&objects).unwrap(), ImportFile::csv(&notes).unwrap());
        Self { kind, clinic, next, patients, attachments, file }
    }

    /// What is stored before the job begins.
    pub async fn prepare(&mut self, store: &impl Store) {
        store.apply(self.clinic.id(), &self.clinic.founding()).await.unwrap();
        let mut cards = Vec::new();
        for number in 0..self.patients {
            let enrolled = with_notes(store, &mut self.clinic, &name(number), NOTES).await;
            if number % 3 == 0 && matches!(self.kind, Kind::Rewrap | Kind::Reseal | Kind::Verify | Kind::Erasure) {
                self.upload(store, &name(number), "scan", &enrolled.key).await.unwrap();
            }
            if matches!(self.kind, Kind::Rewrap | Kind::Reseal) {
                rekeyed(store, &mut self.clinic, &name(number), &enrolled).await;
            }
            cards.push(enrolled.card_id);
        }
        match self.kind {
            Kind::Rotation => self.next.publish(store).await,
            Kind::Erasure => {
                let closed: Vec<_> = (0..self.patients).filter(|number| erased(*number)).map(|n| cards[n]).collect();
                let (version, roster) = self.clinic.closing(&closed, ClosedReason::Erased);
                let change = Change::Roster { generation: 1, version, roster: &roster };
                store.apply(self.clinic.id(), &[change]).await.unwrap();
            }
            _ => {}
        }
        self.load(store).await;
    }

    /// Takes the newest roster from the store, as every process does.
    pub async fn load(&mut self, store: &impl Store) {
        let roster = store.generations(self.clinic.id()).await.unwrap()[0].roster.clone();
        if roster != self.clinic.roster {
            self.clinic.follow(&roster);
        }
    }

    /// Does the job, as one worker, until nothing is left. Says what is acknowledged, one patient or record at a time.
    pub async fn run<S: Store>(&self, store: &S, mut say: impl FnMut(String)) -> Result<()> {
        let (clinic, next) = (&self.clinic, &self.next);
        let (vault, by) = (&clinic.vault, KeyOf::Member(&clinic.salo));
        let attachments = Some(&self.attachments);
        match self.kind {
            Kind::Rotation => {
                let by = Enroller::Root(&next.rotation.master);
                let step = PatientRotation { from: vault, master: &next.old, to: &next.vault, by };
                self.each(store, RotationJob { step }, say).await
            }
            Kind::Rewrap => {
                self.each(store, RekeyJob { vault, by, how: How::Rewrap, attachments, deposits: &[] }, say).await
            }
            Kind::Reseal => {
                self.each(store, RekeyJob { vault, by, how: How::Reseal, attachments, deposits: &[] }, say).await
            }
            Kind::Erasure => {
                let ids: Vec<String> = (0..self.patients).filter(|number| erased(*number)).map(name).collect();
                let patients: Vec<PatientId<'_>> = ids.iter().map(|id| patient(id)).collect();
                let (patients, records) = (&patients, Records::Delete);
                self.each(store, ErasureJob { vault, patients, records, attachments }, say).await
            }
            Kind::Import => {
                let (by, grant_to, file) = (&clinic.salo, &[clinic.aalto.fingerprint()], &self.file);
                let patients = &file.patients();
                self.each(store, ImportJob { vault, by, grant_to, file, patients }, say).await
            }
            Kind::Verify => self.each(store, VerifyJob { vault, by, attachments, deposits: &[] }, say).await,
            Kind::Uploads => {
                for number in 0..self.patients {
                    let id = name(number);
                    let stored = store.patient(clinic.id(), patient(&id)).await?;
                    let (new, key) = (lukko::random_id(&mut OsRng)?, self.key(&id, &stored));
                    self.upload(store, &id, &format!("u-{new}"), &key).await?;
                    let place = format!("w-{new}");
                    let context = RecordContext::new(record(&place), field(), Revision::FIRST);
                    let sealed = vault.seal(&key, &context, &[9; 5_000], &mut OsRng)?;
                    let note = Change::Record(first(&id, &place, key.card(), &sealed).into());
                    store.apply(clinic.id(), &[note]).await?;
                    say(format!("{id} {new}"));
                }
                Ok(())
            }
        }
    }

    async fn each<S: Store, T: Task + Send>(&self, store: &S, task: T, mut say: impl FnMut(String)) -> Result<()> {
        let (vault, job, lease) = (self.clinic.id(), JOB, Duration::from_millis(1));
        let worker = Worker { store, vault, job, lease, clock: SystemTime::now };
        let mut stream = Box::pin(worker.run(task));
        while let Some(progress) = stream.next().await {
            let progress = match progress {
                // Another worker has ended it, or has what is left.
                Err(Error::Usage(Usage::JobOver) | Error::Held { .. }) => return Ok(()),
                other => other?,
            };
            assert!(progress.findings.is_empty(), "{progress:?}");
            say(String::from_utf8(progress.patient).unwrap());
        }
        Ok(())
    }

    /// The key of the patient's current card.
    fn key(&self, id: &str, stored: &Patient) -> PatientKey {
        let cards = stored.card_bytes();
        let card = self.clinic.vault.card(patient(id), &stored.stored(1, &cards).unwrap(), None).unwrap();
        let grant = stored.grant(card.id(), self.clinic.salo.fingerprint()).unwrap();
        self.clinic.vault.open_grant(&card, &self.clinic.salo, grant).unwrap()
    }

    async fn upload(&self, store: &impl Store, id: &str, new: &str, key: &PatientKey) -> Result<()> {
        let vault = self.clinic.id();
        let sink = self.attachments.begin(store, vault, 100).await?;
        let place = RecordContext::new(record(new), field(), Revision::FIRST);
        let (object, length) = elsewhere(|| {
            let mut writer = self.clinic.vault.seal_attachment(key, &place, sink, &mut OsRng).unwrap();
            writer.write_all(&[7; SCAN]).unwrap();
            writer.finish().unwrap().finish().unwrap().into_parts()
        });
        let body = Body::Object { object: &object, length };
        store.apply(vault, &[Change::Record(RecordRow { body, ..first(id, new, key.card(), b"") }.into())]).await
    }

    /// At any moment: what was acknowledged is there, and every patient is in one of the states that the job leads
    /// through.
    pub async fn check(&self, store: &impl Store, acknowledged: &[String]) {
        for line in acknowledged {
            let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
            assert!(self.done(store, id, rest).await, "{:?}: lost: {line}", self.kind);
        }
        for id in store.patients(self.clinic.id(), None, 1_000).await.unwrap() {
            let id = String::from_utf8(id).unwrap();
            let number: usize = id[2..].parse().unwrap();
            if self.kind == Kind::Erasure && erased(number) {
                self.whole_or_erased(store, &id).await;
            } else {
                self.read_all(store, &id).await;
            }
        }
    }

    /// A patient whose cards are closed, so that nobody opens it; but it is whole. A change that was given up may still
    /// arrive after the patients were listed: then it is gone, also whole.
    async fn whole_or_erased(&self, store: &impl Store, id: &str) {
        let records = store.records(self.clinic.id(), patient(id), None, 100_000).await.unwrap().len();
        let stored = store.patient(self.clinic.id(), patient(id)).await.unwrap();
        if stored == Patient::default() {
            assert!(self.done(store, id, "").await, "{id} is half erased");
            let listed = store.patients(self.clinic.id(), None, 1_000).await.unwrap();
            assert!(!listed.contains(&id.as_bytes().to_vec()), "{id} is half erased");
            return;
        }
        assert_eq!((stored.cards.len(), stored.endorsed.len(), stored.grants.len()), (1, 1, 1));
        assert!(records >= NOTES);
    }

    /// Whether the job is done for this patient.
    async fn done(&self, store: &impl Store, id: &str, rest: &str) -> bool {
        let vault = self.clinic.id();
        let stored = store.patient(vault, patient(id)).await.unwrap();
        let records = store.records(vault, patient(id), None, 100_000).await.unwrap();
        match self.kind {
            Kind::Rotation => stored.endorsed(2).is_some(),
            Kind::Rewrap | Kind::Reseal => records.iter().all(|record| Some(record.card) == stored.current),
            Kind::Erasure => stored == Patient::default() && records.is_empty(),
            Kind::Import => records.iter().filter(|record| record.record.starts_with(b"i-")).count() == 5,
            Kind::Verify => true,
            Kind::Uploads => records.iter().filter(|record| record.record.ends_with(rest.as_bytes())).count() == 2,
        }
    }

    /// Every record of a patient opens, under the card that it names, to the text that was written.
    async fn read_all(&self, store: &impl Store, id: &str) {
        let stored = store.patient(self.clinic.id(), patient(id)).await.unwrap();
        let current = self.key(id, &stored);
        let (cards, number) = (stored.card_bytes(), id[2..].parse::<usize>().unwrap());
        let vault = &self.clinic.vault;
        let records = store.records(self.clinic.id(), patient(id), None, 100_000).await.unwrap();
        let notes = records.iter().filter(|record| record.record.starts_with(b"r-")).count();
        assert!(notes == NOTES || number >= self.patients, "{id}: {notes} notes");
        for stored_record in &records {
            let older = (stored_record.card != current.card()).then(|| {
                let grant = stored.grant(stored_record.card, self.clinic.salo.fingerprint()).unwrap();
                let with = GrantKey::Member { key: &self.clinic.salo, grant };
                let all = stored.stored(1, &cards).unwrap();
                vault.open_older(patient(id), &all, None, stored_record.card, &with).unwrap()
            });
            let key = older.as_ref().unwrap_or(&current);
            let name = String::from_utf8(stored_record.record.clone()).unwrap();
            let place = RecordId::new(&name).unwrap();
            let text = match &stored_record.body {
                StoredBody::Sealed(sealed) => vault.open(key, place, field(), sealed).unwrap().plaintext.to_vec(),
                StoredBody::Object { object, .. } => {
                    let source = self.attachments.source(self.clinic.id(), object).await.unwrap();
                    let mut text = Vec::new();
                    elsewhere(|| {
                        vault.open_attachment(key, place, field(), source).unwrap().read_to_end(&mut text).unwrap();
                    });
                    text
                }
            };
            assert!(text == self.text(id, &name), "{id} {name}");
        }
    }

    fn text(&self, id: &str, name: &str) -> Vec<u8> {
        let number: usize = name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        match &name[..2] {
            "r-" => format!("session {number} of {id}").into_bytes(),
            "i-" => rows(id[2..].parse::<usize>().unwrap() / 3).nth(number).unwrap().1.into_bytes(),
            "w-" => vec![9; 5_000],
            _ => vec![7; SCAN],
        }
    }

    /// Goes on, as the only worker, until no piece is open: one that a worker left behind is free when its lease ends.
    pub async fn to_the_end(&self, store: &impl Store) {
        loop {
            self.run(store, |_| ()).await.unwrap();
            match store.job(self.clinic.id(), JOB).await.unwrap() {
                Some(state) if state.open > 0 => tokio::time::sleep(Duration::from_millis(2)).await,
                _ => return,
            }
        }
    }

    /// Whether the job is over for every patient. Uploads never are.
    pub async fn is_over(&self, store: &impl Store) -> bool {
        store.job(self.clinic.id(), JOB).await.unwrap().is_some_and(|state| state.open == 0)
    }

    /// At the end: the job is done for everybody, and nothing is left over.
    pub async fn ended(&self, store: &impl Store, directory: &Path) {
        let vault = self.clinic.id();
        self.check(store, &[]).await;
        let over: Vec<String> = match self.kind {
            Kind::Erasure => (0..self.patients).filter(|number| erased(*number)).map(name).collect(),
            Kind::Import => (0..self.patients).map(|number| name(number * 3)).collect(),
            _ => (0..self.patients).map(name).collect(),
        };
        if self.kind != Kind::Uploads {
            for id in &over {
                assert!(self.done(store, id, "").await, "{:?}: {id}", self.kind);
            }
            let state = store.job(vault, JOB).await.unwrap().unwrap();
            assert_eq!((state.open, state.done, state.failed), (0, over.len() as u64, 0));
        }
        if self.kind == Kind::Rotation {
            assert_eq!(self.next.every_patient_opens(store).await, self.patients);
        }
        if self.kind == Kind::Erasure {
            let erasures = store.erasures(vault).await.unwrap();
            assert_eq!(erasures.len(), over.len());
            assert!(erasures.iter().all(|erasure| erasure.scrubbed.is_some()), "{erasures:?}");
            assert_eq!(store.patients(vault, None, 1_000).await.unwrap().len(), self.patients - over.len());
        }
        // Uploads that were interrupted are found and swept; every object that is left is a record's.
        self.attachments.sweep(store, vault, u64::MAX / 4).await.unwrap();
        let mut named = BTreeSet::new();
        for id in store.patients(vault, None, 1_000).await.unwrap() {
            for record in store.records(vault, PatientId::new(&id).unwrap(), None, 100_000).await.unwrap() {
                if let StoredBody::Object { object, .. } = record.body {
                    named.insert(object);
                }
            }
        }
        let files: BTreeSet<String> = std::fs::read_dir(directory.join("objects").join(vault.to_string()))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(files, named);
    }
}

/// Of three patients one is erased.
fn erased(number: usize) -> bool {
    number.is_multiple_of(3)
}

/// Stops in the middle, goes on with two workers at once, and ends.
pub async fn stops_and_goes_on<S: Store + 'static>(kind: Kind, store: S) {
    let directory = tempfile::tempdir().unwrap();
    let mut work = Work::new(kind, 7, directory.path());
    work.prepare(&store).await;
    let (work, store) = (Arc::new(work), Arc::new(store));
    // A worker that is dropped in the middle of whatever it does.
    for milliseconds in [2, 7, 20] {
        let mut said = Vec::new();
        let _ =
            tokio::time::timeout(Duration::from_millis(milliseconds), work.run(&*store, |line| said.push(line))).await;
        work.check(&*store, &said).await;
    }
    let spawn = || {
        let (work, store) = (Arc::clone(&work), Arc::clone(&store));
        async move { work.run(&*store, |_| ()).await.unwrap() }
    };
    tokio::join!(spawn(), spawn());
    work.to_the_end(&*store).await;
    work.ended(&*store, directory.path()).await;
}
