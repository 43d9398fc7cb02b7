//! Reads everything, into files.

use std::io::{self, Write};
use std::path::Path;

use lukko::{CardId, ClosedReason, FieldLabel, KeyFingerprint, MasterKey, Origin, PatientId, PatientKey, Vault};

use super::decided::{self, Advice, Barred, Decided};
use super::failure::{Failure, Named, shown};
use super::files::{self, Part};
use super::listing::patients;
use crate::attachments::Attachments;
use crate::error::Error;
use crate::jobs::keys::{Closed, KeyOf, Opener};
use crate::jobs::objects::Placed;
use crate::jobs::place::Place;
use crate::rows::{After, Patient, Record, StoredBody};
use crate::store::Store;

/// Records that are read at once.
const PAGE: u32 = 200;
const COMPROMISED: &str = "it is still under a card that is closed, because its key was compromised: whoever had that key may \
    have written it";
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
    /// What the registrar had decided, and what it means for this patient or record: nearly all of it was read none the
    /// less, and needs a person's eye.
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
    vault: &'a Vault,
    master: &'a MasterKey,
    patient: PatientId<'a>,
    stored: &'a Patient,
    current: Decided,
    /// Where the current card is closed as compromised: what its records are read under. It is never stored.
    open: Option<PatientKey>,
    older: Vec<(CardId, PatientKey)>,
}

impl Keys<'_> {
    /// Opens the key of a card, if that was not done yet.
    fn fetch(&mut self, card: CardId) -> Result<(), Closed> {
        if card == self.current.key.card() || self.older.iter().any(|(known, _)| *known == card) {
            return Ok(());
        }
        let Self { vault, master, patient, stored, .. } = *self;
        let opener = Opener { vault, by: KeyOf::Master(master), patient, stored };
        let key = match self.current.decision {
            None => opener.older(card)?,
            // The current card does not verify, and so leads back to none.
            Some(_) => decided::remembered((vault, master), patient, stored, card)?,
        };
        self.older.push((card, key));
        Ok(())
    }

    /// The key of a card that was fetched.
    fn of(&self, card: CardId) -> Result<&PatientKey, Closed> {
        let older = || self.older.iter().find(|(known, _)| *known == card).map(|(_, key)| key);
        let current = (card == self.current.key.card()).then_some(&self.current.key);
        current.or_else(older).ok_or(Closed::Missing("the older card's key"))
    }

    /// The key that a record moves to before it is read: only from a card that is closed as compromised.
    fn moves_to(&self, card: CardId) -> Option<&PatientKey> {
        let compromised = self.vault.roster().closed(card) == Some(ClosedReason::Compromised);
        compromised.then(|| self.open.as_ref().unwrap_or(&self.current.key))
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
        let by = (self.vault, self.master);
        let remark = |what: String| Named { patient: id.to_vec(), record: None, what };
        let current = match decided::open(by, patient, &stored) {
            Ok(decided) => decided,
            Err(Barred::Damage(closed)) => return Ok(Err(closed.to_string())),
            Err(Barred::Decision(decision)) => {
                report.remarks.push(remark(Advice(self.vault, decision).to_string()));
                return Ok(Ok(()));
            }
        };
        let open = match decided::open_card(by, &current.key) {
            Ok(open) => open,
            Err(error) => return Ok(Err(error.to_string())),
        };
        report.remarks.extend(current.decision.map(|decision| remark(Advice(self.vault, decision).to_string())));
        let name = files::name(&[id], number);
        let directory = self.directory.join(&name);
        files::directory(&directory)?;
        if !files::is_plain(&name) {
            list.push(format!("{name}\tpatient {}\n", shown(id)));
        }
        report.patients = report.patients.saturating_add(1);
        let (vault_of, master, stored) = (self.vault, self.master, &stored);
        let mut keys = Keys { vault: vault_of, master, patient, stored, current, open, older: Vec::new() };
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
            Ok(written) => {
                report.records = report.records.saturating_add(1);
                let writer = written.revoked.map(|key| decided::whose(self.vault, key));
                report.remarks.extend(writer.map(|writer| {
                    named(format!("{writer} signed it and was revoked since: whoever stole that key may be the author"))
                }));
                let compromised = written.compromised && keys.current.decision.is_none();
                report.remarks.extend(compromised.then(|| named(COMPROMISED.to_owned())));
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

    async fn write(&self, keys: &mut Keys<'_>, record: &Record, file: &Path) -> Result<Written, Unwritten> {
        keys.fetch(record.card)?;
        let (key, moves_to) = (keys.of(record.card)?, keys.moves_to(record.card));
        let place = Place::new(self.vault, record, self.deposits)?;
        let mut out = Part::new(file)?;
        let writer = match &record.body {
            StoredBody::Sealed(sealed) => {
                let opened = match moves_to {
                    None => place.open_for_reading(key, sealed)?,
                    Some(to) => place.open_behind_a_closed_card(key, to, sealed)?,
                };
                out.file().write_all(opened.plaintext.as_bytes())?;
                match opened.origin {
                    Origin::Unattributed { claimed_writer } => Some(claimed_writer),
                    _ => None,
                }
            }
            StoredBody::Object { object, .. } => {
                let missing = Closed::Missing("an attachment, and there is no directory of them");
                let attachments = self.attachments.ok_or(missing)?;
                let mut moved = file.as_os_str().to_owned();
                moved.push(".moved");
                let mut moved = Part::new(Path::new(&moved))?;
                let placed = Placed { place, object };
                let copied = placed.copy_for_reading(attachments, (key, moves_to), &mut moved, out.file()).await;
                copied.map_err(Unwritten::Store)?.map_err(Unwritten::Closed)?
            }
        };
        out.finish()?;
        let revoked = writer.filter(|writer| decided::is_revoked(self.vault, *writer));
        Ok(Written { revoked, compromised: moves_to.is_some() })
    }
}

/// What there is to say of a record that is in its file.
struct Written {
    /// The key that signed it and was revoked since.
    revoked: Option<KeyFingerprint>,
    /// Whether it was under a card that is closed as compromised.
    compromised: bool,
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
