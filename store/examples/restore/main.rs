//! Brings a vault back from a backup, as `docs/RESTORE.md` says step by step: with shares from standard input it checks
//! every object, reads every note, and admits a new member. Two more commands make the clinic of the drill, `store/drill`.

mod drill;
mod kept;
mod quorum;
mod read;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use lukko::{MasterKey, MemberEntry, MemberId, OsRng, PatientId, Roles, Vault};
use lukko_store::{Attachments, Change, KeyOf, PostgresStore, SqliteStore, Store, VerifyJob, Worker};

use crate::kept::Kept;

type Outcome<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
usage: restore verify DATABASE OBJECTS KEPT          checks every object of the vault
       restore read DATABASE OBJECTS KEPT DIRECTORY  writes every note and attachment into DIRECTORY, which is made
       restore admit DATABASE OBJECTS KEPT NAME FILE  admits a new member by the root and grants every patient; FILE gets
                                                      the member's key
       restore found DATABASE OBJECTS DIRECTORY PATIENTS  makes the vault of the drill; DIRECTORY gets what its people keep
       restore erase DATABASE OBJECTS DIRECTORY PATIENT  erases a patient of that vault

DATABASE is a file of SQLite or postgres://..., OBJECTS the directory of attachments, which need not exist if there are
none, KEPT the directory with `pin` or `fingerprint`, and `roster`. The first three read shares from standard input, one a
line, until they are enough.";

/// Records and patients that are read at once.
const PAGE: u32 = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [command, database, objects, ref rest @ ..] = arguments[..] else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done =
        runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(database, objects, (command, rest))));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restore: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(database: &str, objects: &str, command: (&str, &[&str])) -> Outcome<()> {
    if command.0 == "found" {
        std::fs::create_dir_all(objects)?;
    }
    let attachments = if Path::new(objects).exists() { Some(Attachments::local(objects)?) } else { None };
    if database.starts_with("postgres:") {
        let store = PostgresStore::open(database).await?;
        return with(&store, attachments.as_ref(), command).await;
    }
    // Opening would make an empty one.
    if command.0 != "found" && !Path::new(database).exists() {
        return Err(format!("there is no database {database}: put the backup there first").into());
    }
    let store = SqliteStore::open(database).await?;
    let done = with(&store, attachments.as_ref(), command).await;
    store.close().await;
    done
}

async fn with(store: &impl Store, attachments: Option<&Attachments>, (command, rest): (&str, &[&str])) -> Outcome<()> {
    match (command, rest) {
        ("verify", &[kept]) => {
            let (vault, master) = open(store, &Kept::new(kept)).await?;
            verify(store, attachments, &vault, KeyOf::Master(&master)).await
        }
        ("read", &[kept, directory]) => {
            let (vault, master) = open(store, &Kept::new(kept)).await?;
            read::all(store, attachments, (&vault, &master), Path::new(directory)).await
        }
        ("admit", &[kept, name, file]) => admit(store, attachments, &Kept::new(kept), name, Path::new(file)).await,
        ("found", &[directory, patients]) => {
            let attachments = attachments.ok_or("there is no directory of attachments")?;
            drill::found(store, attachments, Path::new(directory), patients.parse()?).await
        }
        ("erase", &[directory, patient]) => drill::erase(store, Path::new(directory), patient).await,
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

async fn verify(store: &impl Store, attachments: Option<&Attachments>, vault: &Vault, by: KeyOf<'_>) -> Outcome<()> {
    let id = vault.descriptor().vault();
    let expected = patients(store, vault).await?;
    let progress = bar("checking", expected.len());
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let job = format!("verify {nanoseconds}");
    let worker = Worker { store, vault: id, job: &job, lease: Duration::from_secs(300), clock: SystemTime::now };
    let mut stream = pin!(worker.run(VerifyJob { vault, by, attachments }));
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

/// Every key was lost, the registrar's too: the root admits someone, and a quorum grants what there is.
async fn admit(
    store: &impl Store,
    attachments: Option<&Attachments>,
    kept: &Kept,
    name: &str,
    file: &Path,
) -> Outcome<()> {
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
        let key = read::patient_key(store, &vault, &master, patient).await?;
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
    verify(store, attachments, &vault, KeyOf::Member(&member)).await
}
