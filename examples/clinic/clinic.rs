//! Replays the breach of a psychotherapy clinic whose notes are sealed with lukko.
//!
//! `people` is how a service uses the library, `thief` what someone with the database can try, `quorum` how custodians
//! open the vault. `erasure` takes a patient out of it, `rotation` brings all others to new custodians. The database is
//! the SQLite of `lukko-store`; `database` is what a thief makes of its files.

mod args;
mod database;
mod erasure;
mod generate;
mod notes;
mod people;
mod quorum;
mod report;
mod rotation;
mod thief;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use lukko::{OsRng, Vault, random_id};
use lukko_store::SqliteStore;

use crate::args::Args;
use crate::database::Copy;
use crate::notes::Notes;
use crate::people::Clinic;
use crate::report::{Checks, Outcome, Sizes, Timing, bar, brief, count, fact, line, step};
use crate::thief::Thief;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(args) if args.help => {
            line(args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(args) => args,
        Err(mistake) => {
            eprintln!("clinic: {mistake}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("clinic: {}", brief(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// A database that is removed when the example ends, unless it shall stay.
struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Makes an empty file; one that exists is refused and left as it is.
    fn new(path: PathBuf, keep: bool) -> Outcome<Self> {
        File::create_new(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self { path, keep })
    }

    fn temporary(keep: bool) -> Outcome<Self> {
        let name = format!("lukko-clinic-{}.db", random_id(&mut OsRng)?);
        Self::new(std::env::temp_dir().join(name), keep)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            database::remove(&self.path);
        }
    }
}

fn run(args: &Args) -> Outcome<bool> {
    let notes = match &args.notes {
        Some(path) => Notes::from_csv(path)?,
        None => generate::clinic(),
    };
    let file = match &args.db {
        Some(path) => Scratch::new(path.clone(), true)?,
        None => Scratch::temporary(args.keep)?,
    };
    // The store is asynchronous, as a service is. This example does one thing after the other.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let held = runtime.block_on(replay(&file.path, &notes))?;
    if file.keep {
        line(format_args!("The database is in {}", file.path.display()));
    }
    Ok(held)
}

/// The whole story; true if every check held.
async fn replay(path: &Path, notes: &Notes) -> Outcome<bool> {
    let mut checks = Checks::default();
    let store = SqliteStore::open(path).await?;

    step("1. The clinic opens");
    let mut clinic = people::found(&store).await?;
    let fingerprint = brief(&clinic.pin.fingerprint().to_string());
    fact(format!("a vault that any 3 of 5 custodians open; clients pin its fingerprint, {fingerprint}"));
    fact("a registrar, and two therapists on the roster that the registrar signed");

    step("2. The notes come in");
    let patients: Vec<&str> = notes.patients().collect();
    // The last patient is granted to nobody: only a quorum will be able to read those notes.
    let left_alone = if patients.len() > 1 { patients.last().copied() } else { None };
    let vault = people::load(&store, &clinic).await?;
    let (sealing, stored) = people::import(&store, &vault, &clinic, notes, left_alone).await?;
    let (all, number) = (count(notes.all.len()), count(patients.len()));
    fact(format!("{all} notes of {number} patients sealed, each under a key of its own"));

    step("3. The therapists read");
    let mut reading = Timing::default();
    let mut same = therapists_read(&mut checks, &store, &clinic, (notes, left_alone), &mut reading).await?;

    step("4. The thief has the database file, and write access to it");
    let stolen = Scratch::temporary(false)?;
    database::copy(path, &stolen.path)?;
    the_thief(&mut checks, &stolen.path, &clinic, &vault, notes).await?;

    step("5. The therapists are gone: custodians break the glass");
    let (aalto, alone) = quorum::break_the_glass(&mut checks, &store, &mut clinic, (notes, left_alone)).await?;
    same += if left_alone.is_some() { alone } else { 0 };
    checks.holds(format!("in all, {} of {all} notes came back byte for byte", count(same)), same == notes.all.len());

    step("6. A patient is erased");
    let erased = patients.first().copied().ok_or("there are no notes")?;
    let mut receipt = erasure::erase(&mut checks, (path, &stolen.path, &store), &mut clinic, erased).await?;

    step("7. The custodians change, from 3 of 5 to 4 of 7");
    let others: Vec<&str> = patients.iter().copied().filter(|patient| *patient != erased).collect();
    let retired = rotation::rotate(&mut checks, &store, &mut clinic, &others).await?;
    erasure::note(&mut checks, &store, &clinic, &mut receipt, &retired).await?;

    step("8. The thief comes back, with four of the seven new shares, the database of today and the old copy of it");
    let copy = SqliteStore::open(&stolen.path).await?;
    let thief = erasure::Return { store: &store, copy: &copy, old: &vault, clinic: &clinic };
    thief.tries_everything(&mut checks, (erased, others.first().copied()), notes).await?;
    copy.close().await;
    rotation::read_on(&mut checks, &store, &clinic, &aalto, (&others, notes)).await?;

    // With the last connection the write-ahead log goes into the file.
    store.close().await;
    let file = database::read(path)?.iter().map(Vec::len).sum();
    let sizes = Sizes { notes: notes.bytes(), records: stored, file };
    report::table(
        notes.all.len(),
        patients.len(),
        &sizes,
        &[("enrolled and sealed", &sealing), ("grants opened and read", &reading)],
    );
    Ok(checks.verdict())
}

/// Dr Salo reads everything that is granted to her, Dr Niemi one patient.
async fn therapists_read(
    checks: &mut Checks,
    store: &SqliteStore,
    clinic: &Clinic,
    (notes, left_alone): (&Notes, Option<&str>),
    timing: &mut Timing,
) -> Outcome<usize> {
    let vault = people::load(store, clinic).await?;
    let progress = bar("reading", notes.patients().len());
    let (begin, mut same, mut expected) = (Instant::now(), 0, 0);
    for patient in notes.patients().filter(|patient| Some(*patient) != left_alone) {
        let key = people::key(store, &vault, &clinic.salo, patient).await?.ok_or("a grant is missing")?;
        same += people::compare(store, &vault, &key, (patient, notes), timing).await?;
        expected += notes.of(patient).count();
        progress.inc(1);
    }
    progress.finish_and_clear();
    timing.total = begin.elapsed();
    let (got, all) = (count(same), count(expected));
    checks
        .holds(format!("Dr Salo reads {got} of {all} notes that are granted to her, byte for byte"), same == expected);
    the_colleague_reads(checks, store, clinic, &vault, notes).await?;
    Ok(same)
}

async fn the_colleague_reads(
    checks: &mut Checks,
    store: &SqliteStore,
    clinic: &Clinic,
    vault: &Vault,
    notes: &Notes,
) -> Outcome<()> {
    let mut granted = Vec::new();
    for patient in notes.patients() {
        let stored = people::stored(store, vault, patient).await?;
        if stored.grants.iter().any(|grant| grant.to == clinic.niemi.fingerprint()) {
            granted.push(patient);
        }
    }
    let patient = *granted.first().ok_or("a grant is missing")?;
    let key = people::key(store, vault, &clinic.niemi, patient).await?.ok_or("a grant is missing")?;
    let read = people::compare(store, vault, &key, (patient, notes), &mut Timing::default()).await?;
    let all = notes.of(patient).count();
    checks.holds(
        format!("Dr Niemi reads {read} of {all} notes of the one patient that is granted to her"),
        read == all && granted.len() == 1,
    );
    let Some(other) = notes.patients().find(|other| *other != patient) else { return Ok(()) };
    let stored = people::stored(store, vault, other).await?;
    let card = people::card(vault, other, &stored)?;
    if let Some(grant) = stored.grant(card.id(), clinic.salo.fingerprint()) {
        let attempt = vault.open_grant(&card, &clinic.niemi, grant).map_err(Into::into);
        let reason = |error: &lukko::Error| matches!(error, lukko::Error::Usage(_));
        checks.refused("Dr Niemi takes her colleague's grant of another patient", attempt, reason);
    }
    Ok(())
}

/// He has a copy of the file, and everything that he tries in it is shown to Dr Salo's client.
async fn the_thief(checks: &mut Checks, path: &Path, clinic: &Clinic, vault: &Vault, notes: &Notes) -> Outcome<()> {
    let files = database::read(path)?;
    let mut copy = Copy::open(path).await?;
    thief::search(checks, &files, notes, &copy.sql.schema().await?);
    // A patient of Dr Salo's with more than one record, if there is one; and a record of somebody else.
    let hers: Vec<&str> = notes.patients().take(notes.patients().len().saturating_sub(1).max(1)).collect();
    let busy = hers.iter().find(|patient| notes.of(patient).nth(1).is_some());
    let patient = *busy.or(hers.first()).ok_or("there are no notes")?;
    let key = people::key(&copy.store, vault, &clinic.salo, patient).await?.ok_or("a grant is missing")?;
    let first = notes.of(patient).next().ok_or("there are no notes")?;
    let second = notes.of(patient).nth(1).unwrap_or(first);
    let elsewhere = notes.all.iter().find(|note| note.patient != patient);
    let elsewhere = elsewhere.map(|note| (note.patient.as_str(), note.record.as_str()));
    let records = [first.record.as_str(), second.record.as_str()];
    let mut thief = Thief { copy, clinic, vault, key: &key, patient, records, elsewhere };
    thief.tries_everything(checks).await?;
    thief.copy.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell leaves in a directory after a run.
    fn left(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_check_holds_and_the_readme_shows_what_is_printed() {
        assert!(run(&Args::default()).unwrap());
        let printed = report::PRINTED.take();
        let readme = include_str!("../../README.md");
        let shown = readme.split("```text\n").find(|part| part.starts_with("2. The notes come in")).unwrap();
        let shown: Vec<&str> = shown.split("```").next().unwrap().lines().collect();
        assert!(shown.len() > 20, "{shown:?}");
        let mut lines = printed.lines();
        for line in shown {
            assert!(lines.any(|printed| printed == line), "not printed, or not in this order: {line}");
        }
    }

    #[test]
    fn a_database_that_shall_stay_is_one_file_and_one_that_exists_is_refused() {
        let directory = std::env::temp_dir().join(format!("lukko-clinic-test-{}", random_id(&mut OsRng).unwrap()));
        std::fs::create_dir(&directory).unwrap();
        let (notes, db) = (directory.join("notes.csv"), directory.join("clinic.db"));
        std::fs::write(&notes, "patient_id,record_id,note\np-1,r-1,\"one, and a line\nmore\"\np-2,r-1,two\n").unwrap();
        let args = Args { notes: Some(notes), db: Some(db.clone()), ..Args::default() };
        assert!(run(&args).unwrap());
        assert_eq!(left(&directory), ["clinic.db", "notes.csv"]);
        let before = std::fs::read(&db).unwrap();
        assert!(run(&args).unwrap_err().to_string().contains("cannot make"));
        assert_eq!(std::fs::read(&db).unwrap(), before);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
