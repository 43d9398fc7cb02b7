//! Import: notes from a file, each patient enrolled and every text sealed.

mod alike;
mod csv;
mod fault;
mod file;
mod json;
mod names;

use std::collections::BTreeMap;

use lukko::{
    Enroller, FieldLabel, KeyFingerprint, MemberKey, OsRng, PatientId, PatientKey, Plaintext, RecordContext, RecordId,
    Revision, Vault,
};

pub use alike::look_alikes;
pub use fault::{ImportColumn, ImportFault, ImportMistake};
pub use file::{ImportFile, ImportRow};

use super::keys::{KeyOf, Opener};
use super::{Finding, Piece, Progress, Task, Worker};
use crate::change::{Change, Expect, JobKind, Over, enrolment};
use crate::error::{Result, Usage};
use crate::placed::{NewRecord, Sealed};
use crate::rows::{After, Claim, Patient, StoredBody};
use crate::store::Store;

/// The columns of ids.
const PATIENT: &str = "patient_id";
const RECORD: &str = "record_id";
/// Texts that are sealed into one change.
const BATCH: usize = 64;
/// Records that are read at once.
const PAGE: u32 = 256;

/// Brings the notes of a file in: one piece for each patient that the file names.
///
/// A patient who is not there is enrolled. A text that is there already, byte for byte, is passed over, so that an import
/// that was interrupted goes on; another text in its place is a finding, and stays.
///
/// The first items of the worker's stream name the patients whom the file [passes over](ImportFile::without), each with a
/// finding that says why; nothing of them is written.
///
/// # Security
/// An import does not know who was erased, and enrols them again: give the file a list.
#[derive(Debug, Clone, Copy)]
pub struct ImportJob<'a> {
    /// The vault.
    pub vault: &'a Vault,
    /// Who enrols and writes: a member with the roles for both, or the reader of patients who are there already.
    pub by: &'a MemberKey,
    /// Who else is granted the patients that are enrolled.
    pub grant_to: &'a [KeyFingerprint],
    /// The notes.
    pub file: &'a ImportFile,
    /// The file's patients, as [`ImportFile::patients`] gives them.
    pub patients: &'a [PatientId<'a>],
}

impl Task for ImportJob<'_> {
    const KIND: JobKind = JobKind::Import;

    fn over(&self) -> Over<'_> {
        Over::These(self.patients)
    }

    fn passed_over(&self) -> Vec<Progress> {
        let of = |(patient, reason): (&[u8], &str)| Progress {
            patient: patient.to_vec(),
            written: 0,
            findings: vec![Finding { record: None, reason: reason.to_owned() }],
            still_open: Vec::new(),
        };
        self.file.passed_over().map(of).collect()
    }

    async fn piece<S: Store>(&self, on: &Worker<'_, S>, claim: &Claim) -> Result<Piece> {
        let patient = PatientId::new(&claim.patient)?;
        if !self.file.has(patient) {
            return Ok(Piece::failed(None, &"the file has nothing of this patient"));
        }
        let stored = on.store.patient(on.vault, patient).await?;
        let key = match self.key(on, claim, &stored).await? {
            Ok(key) => key,
            Err(piece) => return Ok(piece),
        };
        let there = self.there(on, patient, &key).await?;
        let (mut piece, mut batch) = (Piece::default(), Vec::new());
        for row in self.file.rows(patient)? {
            let row = row?;
            for (field, text) in &row.fields {
                let place = (row.record.clone(), field.clone());
                match there.get(&place) {
                    Some(Some(stored)) if stored.as_bytes() == text.as_bytes() => {}
                    Some(_) => {
                        let reason = "another text is stored here, and stays".to_owned();
                        piece.findings.push(Finding { record: Some(place), reason });
                    }
                    None => batch.push(self.seal(&key, &place, text)?),
                }
            }
            if batch.len() >= BATCH {
                piece.written = piece.written.saturating_add(write(on, claim, &mut batch).await?);
            }
        }
        piece.written = piece.written.saturating_add(write(on, claim, &mut batch).await?);
        Ok(piece)
    }

    async fn finish<S: Store>(&self, on: &Worker<'_, S>) -> Result<()> {
        for patient in on.not_failed(self.patients).await? {
            if on.store.patient(on.vault, patient).await?.cards.is_empty() {
                return Err(Usage::WrongJob.into());
            }
        }
        Ok(())
    }
}

/// A record's id and its field.
type Place = (Vec<u8>, Vec<u8>);

impl ImportJob<'_> {
    /// The patient's key: of the card that is there, or of a new one. The inner error is a piece that failed.
    async fn key<S: Store>(
        &self,
        on: &Worker<'_, S>,
        claim: &Claim,
        stored: &Patient,
    ) -> Result<Result<PatientKey, Piece>> {
        let patient = PatientId::new(&claim.patient)?;
        if !stored.cards.is_empty() {
            let opener = Opener { vault: self.vault, by: KeyOf::Member(self.by), patient, stored };
            return Ok(opener.current().map_err(|closed| Piece::failed(None, &closed)));
        }
        let new = self.vault.enrol(Enroller::Member(self.by), patient, &mut OsRng)?;
        let mine = self.by.fingerprint();
        let others = self.grant_to.iter().copied().filter(|key| *key != mine);
        let grants: lukko::Result<Vec<_>> =
            std::iter::once(mine).chain(others).map(|to| self.vault.grant(&new.key, to, &mut OsRng)).collect();
        let grants = grants?;
        let generation = self.vault.descriptor().generation();
        let mut changes = enrolment(patient, generation, &new, &grants)?;
        // Somebody may have erased the patient meanwhile, and with the patient this piece.
        changes.push(Change::Hold { claim });
        on.store.apply(on.vault, &changes).await?;
        Ok(Ok(new.key))
    }

    /// What is stored of the patient; none for a text that does not open.
    async fn there<S: Store>(
        &self,
        on: &Worker<'_, S>,
        patient: PatientId<'_>,
        key: &PatientKey,
    ) -> Result<BTreeMap<Place, Option<Plaintext>>> {
        let (mut there, mut last) = (BTreeMap::new(), None::<Place>);
        loop {
            let after = last.as_ref().map(|(record, field)| After { record, field });
            let page = on.store.records(on.vault, patient, after, PAGE).await?;
            last = page.last().map(|record| (record.record.clone(), record.field.clone()));
            if last.is_none() {
                return Ok(there);
            }
            for record in page {
                let text = match &record.body {
                    StoredBody::Sealed(sealed) => self.open(key, &record.record, &record.field, sealed),
                    StoredBody::Object { .. } => None,
                };
                there.insert((record.record, record.field), text);
            }
        }
    }

    fn open(&self, key: &PatientKey, record: &[u8], field: &[u8], sealed: &[u8]) -> Option<Plaintext> {
        let (record, field) = (RecordId::new(record).ok()?, FieldLabel::new(field).ok()?);
        self.vault.open(key, record, field, sealed).ok().map(|opened| opened.plaintext)
    }

    fn seal(&self, key: &PatientKey, (record, field): &Place, text: &str) -> Result<Sealed> {
        let place = RecordContext::new(RecordId::new(record)?, FieldLabel::new(field)?, Revision::FIRST);
        Ok(Sealed::note(self.vault, key, &place, text.as_bytes(), &mut OsRng)?)
    }
}

/// Writes what was sealed, as one change. Gives how many records that were.
async fn write<S: Store>(on: &Worker<'_, S>, claim: &Claim, batch: &mut Vec<Sealed>) -> Result<u64> {
    if batch.is_empty() {
        return Ok(0);
    }
    let record = |sealed| Change::Record(NewRecord::new(sealed, Expect::Absent));
    let mut changes: Vec<_> = batch.iter().map(record).collect();
    changes.push(Change::Hold { claim });
    on.store.apply(on.vault, &changes).await?;
    let written = batch.len() as u64;
    drop(changes);
    batch.clear();
    Ok(written)
}
