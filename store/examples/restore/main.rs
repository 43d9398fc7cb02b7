//! Brings a vault back from a backup, as `docs/RESTORE.md` says step by step: with shares from standard input it checks
//! every object, reads every note, and admits a new member. Two more commands make the clinic of the drill, `store/drill`.

mod drill;
mod kept;
mod quorum;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use lukko::{
    FieldLabel, MasterKey, MemberEntry, MemberId, OsRng, Path as RecordPath, PatientId, PatientKey, RecordId, Roles,
    Vault, path_of,
};
use lukko_store::{After, Change, KeyOf, PostgresStore, SqliteStore, Store, StoredBody, VerifyJob, Worker};

use crate::kept::Kept;

type Outcome<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
usage: restore verify DATABASE KEPT          checks every object of the vault
       restore read DATABASE KEPT DIRECTORY  writes every note into DIRECTORY, which is made
       restore admit DATABASE KEPT NAME FILE admits a new member by the root, grants every patient, writes the key to FILE
       restore found DATABASE DIRECTORY      makes the vault of the drill; DIRECTORY gets what its people keep
       restore erase DATABASE DIRECTORY PATIENT   erases a patient of that vault

DATABASE is a file of SQLite or postgres://..., KEPT the directory with `pin` or `fingerprint`, and `roster`.
The first three read shares from standard input, one a line, until they are enough.";

/// Records and patients that are read at once.
const PAGE: u32 = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(database) = arguments.get(1) else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(database, &arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restore: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(database: &str, arguments: &[&str]) -> Outcome<()> {
    if database.starts_with("postgres:") {
        let store = PostgresStore::open(database).await?;
        return with(&store, arguments).await;
    }
    // Opening would make an empty one.
    if arguments.first() != Some(&"found") && !Path::new(database).exists() {
        return Err(format!("there is no database {database}: put the backup there first").into());
    }
    let store = SqliteStore::open(database).await?;
    let done = with(&store, arguments).await;
    store.close().await;
    done
}

async fn with(store: &impl Store, arguments: &[&str]) -> Outcome<()> {
    match *arguments {
        ["verify", _, kept] => {
            let (vault, master) = open(store, &Kept::new(kept)).await?;
            verify(store, &vault, KeyOf::Master(&master)).await
        }
        ["read", _, kept, directory] => {
            let (vault, master) = open(store, &Kept::new(kept)).await?;
            read(store, &vault, &master, Path::new(directory)).await
        }
        ["admit", _, kept, name, file] => admit(store, &Kept::new(kept), name, Path::new(file)).await,
        ["found", _, directory] => drill::found(store, Path::new(directory)).await,
        ["erase", _, directory, patient] => drill::erase(store, Path::new(directory), patient).await,
        _ => Err(HELP.into()),
    }
}

/// The vault as the clinic remembers it, and its master key.
async fn open(store: &impl Store, kept: &Kept) -> Outcome<(Vault, MasterKey)> {
    let first = quorum::first()?;
    let mut vault = kept.load(store, first.vault()).await?;
    let master = quorum::complete(&vault, first)?;
    kept.catch_up(store, &mut vault).await?;
    Ok((vault, master))
}

/// A progress bar on the terminal; there is none where standard error is not one.
fn bar(what: &'static str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}");
    let bar = ProgressBar::new(length as u64).with_message(what);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

fn say(text: impl std::fmt::Display) {
    // Who closes the pipe has seen enough.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn now() -> Outcome<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

async fn patients(store: &impl Store, vault: &Vault) -> Outcome<Vec<Vec<u8>>> {
    let mut patients: Vec<Vec<u8>> = Vec::new();
    loop {
        let after = patients.last().map(Vec::as_slice);
        let page = store.patients(vault.descriptor().vault(), after, PAGE).await?;
        if page.is_empty() {
            return Ok(patients);
        }
        patients.extend(page);
    }
}

async fn verify(store: &impl Store, vault: &Vault, by: KeyOf<'_>) -> Outcome<()> {
    let id = vault.descriptor().vault();
    let expected = patients(store, vault).await?;
    let progress = bar("checking", expected.len());
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let job = format!("verify {nanoseconds}");
    let worker = Worker { store, vault: id, job: &job, lease: Duration::from_secs(300) };
    let mut stream = pin!(worker.run(VerifyJob { vault, by }));
    let (mut checked, mut findings) = (BTreeSet::new(), 0);
    while let Some(patient) = stream.next().await {
        let patient = patient?;
        for finding in &patient.findings {
            findings += 1;
            let place = finding.record.as_ref().map_or("key".into(), |(record, _)| String::from_utf8_lossy(record));
            say(format_args!("{} {place}: {}", String::from_utf8_lossy(&patient.patient), finding.reason));
        }
        checked.insert(patient.patient);
        progress.inc(1);
    }
    progress.finish_and_clear();
    if !expected.iter().all(|patient| checked.contains(patient)) {
        return Err("not every patient was checked: run it again".into());
    }
    say(format_args!("{} patients checked with all their records, {findings} findings", checked.len()));
    match findings {
        0 => Ok(()),
        _ => {
            Err("not everything is whole. What is named above comes from an older backup; the rest can be used".into())
        }
    }
}

/// A quorum opens a patient.
async fn patient_key(store: &impl Store, vault: &Vault, master: &MasterKey, id: PatientId<'_>) -> Outcome<PatientKey> {
    let stored = store.patient(vault.descriptor().vault(), id).await?;
    let cards = stored.card_bytes();
    let stored = stored.stored(vault.descriptor().generation(), &cards).ok_or("nothing of this generation")?;
    Ok(vault.break_glass(&vault.card(id, &stored, None)?, master)?)
}

/// Each note into a file of its own. The records of this clinic are under the patient's current card.
async fn read(store: &impl Store, vault: &Vault, master: &MasterKey, directory: &Path) -> Outcome<()> {
    std::fs::create_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let patients = patients(store, vault).await?;
    let progress = bar("reading", patients.len());
    let mut notes = 0;
    for patient in &patients {
        let id = PatientId::new(patient)?;
        let key = patient_key(store, vault, master, id).await?;
        let directory = directory.join(file_name(patient)?);
        std::fs::create_dir(&directory)?;
        let mut last = None::<(Vec<u8>, Vec<u8>)>;
        loop {
            let after = last.as_ref().map(|(record, field)| After { record, field });
            let page = store.records(vault.descriptor().vault(), id, after, PAGE).await?;
            for record in &page {
                let StoredBody::Sealed(sealed) = &record.body else { continue };
                let (id, field) = (RecordId::new(&record.record)?, FieldLabel::new(&record.field)?);
                let opened = match path_of(sealed)? {
                    RecordPath::Reader => vault.open(&key, id, field, sealed)?,
                    _ => vault.open_deposit(&key, id, field, sealed)?,
                };
                let name = format!("{}.{}", file_name(&record.record)?, file_name(&record.field)?);
                std::fs::write(directory.join(name), opened.plaintext.as_bytes())?;
                notes += 1;
            }
            last = page.into_iter().next_back().map(|record| (record.record, record.field));
            if last.is_none() {
                break;
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    say(format_args!("{notes} notes of {} patients read", patients.len()));
    Ok(())
}

/// Ids are bytes; those of the database may lead out of the directory.
fn file_name(id: &[u8]) -> Outcome<&str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    match std::str::from_utf8(id) {
        Ok(name) if id.iter().all(plain) => Ok(name),
        _ => Err(format!("the id {} is no name for a file", String::from_utf8_lossy(id)).into()),
    }
}

/// Every key was lost, the registrar's too: the root admits someone, and a quorum grants what there is.
async fn admit(store: &impl Store, kept: &Kept, name: &str, file: &Path) -> Outcome<()> {
    let (mut vault, master) = open(store, kept).await?;
    let id = vault.descriptor().vault();
    let member = vault.descriptor().new_member(MemberId::new(name)?, &mut OsRng)?;
    kept::write_secret(file, member.seed().expose())?;
    let mut draft = vault.roster().next()?;
    draft.admit(&MemberEntry::verify(member.entry(), vault.descriptor())?, Roles::READ | Roles::ENROL)?;
    let (generation, version) = (vault.descriptor().generation(), draft.version());
    let roster = draft.sign_as_root(&master, vault.descriptor())?;
    let entry = Change::Member { key: member.fingerprint(), entry: member.entry() };
    store.apply(id, &[entry, Change::Roster { generation, version, roster: &roster }]).await?;
    vault.update_roster(&roster, store.members(id).await?)?;
    kept.remember(&vault, &roster)?;

    let patients = patients(store, &vault).await?;
    let progress = bar("granting", patients.len());
    for patient in &patients {
        let patient = PatientId::new(patient)?;
        let key = patient_key(store, &vault, &master, patient).await?;
        let grant = vault.grant(&key, member.fingerprint(), &mut OsRng)?;
        let (card, to) = (grant.card, grant.recipient);
        store.apply(id, &[Change::Grant { patient, card, to, grant: &grant.bytes, replaces: None }]).await?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    say(format_args!(
        "{name} is admitted by roster {version}, with key {}, and was granted {} patients",
        member.fingerprint(),
        patients.len()
    ));
    verify(store, &vault, KeyOf::Member(&member)).await
}
