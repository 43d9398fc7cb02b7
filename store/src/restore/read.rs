//! Reads everything, into files.

use std::io::{self, Write};
use std::path::Path;

use lukko::{CardId, FieldLabel, MasterKey, Origin, PatientId, PatientKey, Vault};

use super::failure::{Failure, Named, shown};
use super::files::{self, Part};
use super::listing::patients;
use crate::attachments::Attachments;
use crate::error::Error;
use crate::jobs::keys::{Closed, KeyOf, Opener};
use crate::jobs::objects::Placed;
use crate::jobs::place::Place;
use crate::rows::{After, Record, StoredBody};
use crate::store::Store;

/// Records that are read at once.
const PAGE: u32 = 200;
/// The list of files whose names do not tell the ids by themselves.
const LIST: &str = "which-file-is-which.txt";

/// What was read, and what was not.
#[derive(Debug, Default)]
pub struct ReadReport {
    /// Patients whose key opened.
    pub patients: usize,
    /// Notes and attachments that are in files now.
    pub records: usize,
    /// Of these, how many were there already, from an earlier run.
    pub earlier: usize,
    /// What could not be read, and why.
    pub unread: Vec<Named>,
    /// What was read, and needs a person's eye: nobody vouches for the author.
    pub remarks: Vec<Named>,
}

/// Writes each note and attachment that opens into a file of its own, in a directory for each patient. `deposits` are the
/// fields that hold deposits. Files that are there already, from a run that ended early, stay and are not read again.
///
/// # Security
/// It is all in clear. Directories and files are for their owner alone; put them on an encrypted disk.
///
/// # Errors
/// If the database or the object store does not answer, or `directory` cannot be made. What does not open is in the report.
pub async fn read(
    store: &impl Store,
    attachments: Option<&Attachments>,
    (vault, master): (&Vault, &MasterKey),
    deposits: &[FieldLabel<'_>],
    directory: &Path,
) -> Result<ReadReport, Failure> {
    files::directory(directory)?;
    let work = Work { vault, master, attachments, deposits, directory };
    let (mut report, mut list) = (ReadReport::default(), Vec::new());
    for (number, patient) in patients(store, vault.descriptor().vault()).await?.into_iter().enumerate() {
        if let Err(what) = work.patient(store, (&patient, number), &mut report, &mut list).await? {
            report.unread.push(Named { patient, record: None, what });
        }
    }
    if !list.is_empty() {
        files::replace(&directory.join(LIST), list.concat().as_bytes())?;
    }
    Ok(report)
}

struct Work<'a> {
    vault: &'a Vault,
    master: &'a MasterKey,
    attachments: Option<&'a Attachments>,
    deposits: &'a [FieldLabel<'a>],
    directory: &'a Path,
}

/// The keys of one patient that were opened.
struct Keys<'a> {
    opener: Opener<'a>,
    current: PatientKey,
    older: Vec<(CardId, PatientKey)>,
}

impl Keys<'_> {
    fn of(&mut self, card: CardId) -> Result<&PatientKey, Closed> {
        if card == self.current.card() {
            return Ok(&self.current);
        }
        if !self.older.iter().any(|(known, _)| *known == card) {
            self.older.push((card, self.opener.older(card)?));
        }
        let found = self.older.iter().find(|(known, _)| *known == card);
        found.map(|(_, key)| key).ok_or(Closed::Missing("the older card's key"))
    }
}

impl Work<'_> {
    /// The outer error ends everything. The inner one says why nothing, or nothing more, of this patient can be read.
    async fn patient(
        &self,
        store: &impl Store,
        (id, number): (&[u8], usize),
        report: &mut ReadReport,
        list: &mut Vec<String>,
    ) -> Result<Result<(), String>, Failure> {
        let (vault, patient) = (self.vault.descriptor().vault(), PatientId::new(id)?);
        let stored = match store.patient(vault, patient).await {
            Ok(stored) => stored,
            Err(error) => return damaged(error).map(Err),
        };
        let opener = Opener { vault: self.vault, by: KeyOf::Master(self.master), patient, stored: &stored };
        let current = match opener.current() {
            Ok(key) => key,
            Err(closed) => return Ok(Err(closed.to_string())),
        };
        let name = files::name(&[id], number);
        let directory = self.directory.join(&name);
        files::directory(&directory)?;
        if !files::is_plain(&name) {
            list.push(format!("{name}\tpatient {}\n", shown(id)));
        }
        report.patients = report.patients.saturating_add(1);
        let mut keys = Keys { opener, current, older: Vec::new() };
        let (mut last, mut number) = (None::<Record>, 0_usize);
        loop {
            let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let page = match store.records(vault, patient, after, PAGE).await {
                Ok(page) => page,
                Err(error) => return damaged(error).map(Err),
            };
            for record in &page {
                number = number.saturating_add(1);
                let file = files::name(&[&record.record, &record.field], number);
                if !files::is_plain(&file) {
                    let (record, field) = (shown(&record.record), shown(&record.field));
                    list.push(format!("{name}/{file}\trecord {record}, field {field}\n"));
                }
                self.record(&mut keys, id, record, &directory.join(file), report).await?;
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(Ok(()));
            }
        }
    }

    /// One record into its file, or into the report.
    async fn record(
        &self,
        keys: &mut Keys<'_>,
        patient: &[u8],
        record: &Record,
        file: &Path,
        report: &mut ReadReport,
    ) -> Result<(), Failure> {
        let named = |what: String| {
            let record = Some((record.record.clone(), record.field.clone()));
            Named { patient: patient.to_vec(), record, what }
        };
        if file.exists() {
            report.earlier = report.earlier.saturating_add(1);
            report.records = report.records.saturating_add(1);
            return Ok(());
        }
        match self.write(keys, record, file).await {
            Ok(origin) => {
                report.records = report.records.saturating_add(1);
                if let Some(Origin::Unattributed { claimed_writer }) = origin {
                    report.remarks.push(named(format!(
                        "the key {claimed_writer} signed it and was revoked since: whoever stole that key may be the author"
                    )));
                }
                Ok(())
            }
            Err(error) => {
                let what = match error {
                    Unwritten::Closed(closed) => closed.to_string(),
                    Unwritten::File(what) => what,
                    Unwritten::Store(error) => damaged(error)?,
                };
                report.unread.push(named(what));
                Ok(())
            }
        }
    }

    async fn write(&self, keys: &mut Keys<'_>, record: &Record, file: &Path) -> Result<Option<Origin>, Unwritten> {
        let key = keys.of(record.card)?;
        let place = Place::new(self.vault, record, self.deposits)?;
        match &record.body {
            StoredBody::Sealed(sealed) => {
                let opened = place.open_for_reading(key, sealed)?;
                let mut out = Part::new(file)?;
                out.file().write_all(opened.plaintext.as_bytes())?;
                out.finish()?;
                Ok(Some(opened.origin))
            }
            StoredBody::Object { object, .. } => {
                let missing = Closed::Missing("an attachment, and there is no directory of them");
                let attachments = self.attachments.ok_or(missing)?;
                let mut out = Part::new(file)?;
                let copied = Placed { place, object }.copy(attachments, key, out.file()).await;
                copied.map_err(Unwritten::Store)?.map_err(Unwritten::Closed)?;
                out.finish()?;
                Ok(None)
            }
        }
    }
}

/// Why one record is in no file.
enum Unwritten {
    Closed(Closed),
    Store(Error),
    File(String),
}

impl From<Closed> for Unwritten {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::File(format!("its file cannot be written: {error}"))
    }
}

/// What is damaged ends with its patient or record; a database that does not answer ends everything.
fn damaged(error: Error) -> Result<String, Failure> {
    match error {
        error @ (Error::Corrupt { .. } | Error::Core(_) | Error::Stream(_)) => Ok(error.to_string()),
        error => Err(error.into()),
    }
}
