//! Reads everything, into files.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use lukko::{FieldLabel, MasterKey, Path as RecordPath, PatientId, PatientKey, RecordId, Vault, path_of};
use lukko_store::{After, Attachments, Record, Store, StoredBody};

use crate::{Outcome, PAGE, bar, patients, say};

/// A quorum opens a patient.
pub(crate) async fn patient_key(
    store: &impl Store,
    vault: &Vault,
    master: &MasterKey,
    id: PatientId<'_>,
) -> Outcome<PatientKey> {
    let stored = store.patient(vault.descriptor().vault(), id).await?;
    let cards = stored.card_bytes();
    let stored = stored.stored(vault.descriptor().generation(), &cards).ok_or("nothing of this generation")?;
    Ok(vault.break_glass(&vault.card(id, &stored, None)?, master)?)
}

/// Each record into a file of its own. Those of this clinic are under the patients' current cards.
pub(crate) async fn all(
    store: &impl Store,
    attachments: Option<&Attachments>,
    (vault, master): (&Vault, &MasterKey),
    directory: &Path,
) -> Outcome<()> {
    fs::create_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let patients = patients(store, vault).await?;
    let progress = bar("reading", patients.len());
    let mut records = 0;
    for patient in &patients {
        let id = PatientId::new(patient)?;
        let key = patient_key(store, vault, master, id).await?;
        let directory = directory.join(file_name(patient)?);
        fs::create_dir(&directory)?;
        let mut last = None::<Record>;
        loop {
            let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let page = store.records(vault.descriptor().vault(), id, after, PAGE).await?;
            for record in &page {
                let file = directory.join(format!("{}.{}", file_name(&record.record)?, file_name(&record.field)?));
                one(attachments, vault, &key, record, &file).await?;
                records += 1;
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    say(format_args!("{records} notes and attachments of {} patients read", patients.len()));
    Ok(())
}

async fn one(
    attachments: Option<&Attachments>,
    vault: &Vault,
    key: &PatientKey,
    record: &Record,
    file: &Path,
) -> Outcome<()> {
    let (id, field) = (RecordId::new(&record.record)?, FieldLabel::new(&record.field)?);
    match &record.body {
        StoredBody::Sealed(sealed) => {
            let opened = match path_of(sealed)? {
                RecordPath::Reader => vault.open(key, id, field, sealed)?,
                _ => vault.open_deposit(key, id, field, sealed)?,
            };
            fs::write(file, opened.plaintext.as_bytes())?;
        }
        StoredBody::Object { object, .. } => {
            let attachments = attachments.ok_or("there are attachments, and no directory of them")?;
            let source = attachments.source(vault.descriptor().vault(), object).await?;
            beside(|| io::copy(&mut vault.open_attachment(key, id, field, source)?, &mut File::create_new(file)?))?;
        }
    }
    Ok(())
}

/// Streams of attachments block: they get a thread of their own.
pub(crate) fn beside<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> Outcome<T> {
    let done = tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join()));
    Ok(done.map_err(|_| "the thread of an attachment panicked")??)
}

/// Ids are bytes; those of the database may lead out of the directory.
fn file_name(id: &[u8]) -> Outcome<&str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    match std::str::from_utf8(id) {
        Ok(name) if id.iter().all(plain) => Ok(name),
        _ => Err(format!("the id {} is no name for a file", String::from_utf8_lossy(id)).into()),
    }
}
