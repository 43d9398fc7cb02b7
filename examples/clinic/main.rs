//! Replays the breach of a psychotherapy clinic whose notes are sealed with lukko.
//!
//! `people` is how a service uses the library, `thief` what someone with the database can try, `quorum` how custodians
//! open the vault. `erasure` takes a patient out of it, `rotation` brings all others to new custodians. `store` is an
//! ordinary SQLite database.

mod args;
mod erasure;
mod generate;
mod notes;
mod people;
mod quorum;
mod report;
mod rotation;
mod store;
mod thief;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use lukko::{OsRng, Vault, random_id};

use crate::args::Args;
use crate::notes::Notes;
use crate::people::Clinic;
use crate::report::{Checks, Outcome, Sizes, Timing, bar, brief, count, fact, line, step};
use crate::store::Store;
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

/// A file that is removed when the example ends, unless it shall stay.
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
            // Nothing can be done about a temporary file that does not go away.
            let _ = std::fs::remove_file(&self.path);
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
    let held = replay(&file.path, &notes)?;
    if file.keep {
        line(format_args!("The database is in {}", file.path.display()));
    }
    Ok(held)
}

/// The whole story; true if every check held.
fn replay(path: &Path, notes: &Notes) -> Outcome<bool> {
    let mut checks = Checks::default();
    let store = Store::create(path)?;

    step("1. The clinic opens");
    let mut clinic = people::found(&store)?;
    let fingerprint = brief(&clinic.pin.fingerprint().to_string());
    fact(format!("a vault that any 3 of 5 custodians open; clients pin its fingerprint, {fingerprint}"));
    fact("a registrar, and two therapists on the roster that the registrar signed");

    step("2. The notes come in");
    let patients: Vec<&str> = notes.patients().collect();
    // The last patient is granted to nobody: only a quorum will be able to read those notes.
    let left_alone = if patients.len() > 1 { patients.last().copied() } else { None };
    let vault = people::load(&store, clinic.pin.clone())?;
    let (sealing, stored) = people::import(&store, &vault, &clinic, notes, left_alone)?;
    let (all, number) = (count(notes.all.len()), count(patients.len()));
    fact(format!("{all} notes of {number} patients sealed, each under a key of its own"));

    step("3. The therapists read");
    let mut reading = Timing::default();
    let mut same = therapists_read(&mut checks, &store, &clinic, (notes, left_alone), &mut reading)?;

    step("4. The thief has the database file, and write access to it");
    let stolen = Scratch::temporary(false)?;
    std::fs::copy(path, &stolen.path)?;
    the_thief(&mut checks, &stolen.path, &clinic, &vault, notes)?;

    step("5. The therapists are gone: custodians break the glass");
    let (aalto, alone) = quorum::break_the_glass(&mut checks, &store, &mut clinic, (notes, left_alone))?;
    same += if left_alone.is_some() { alone } else { 0 };
    checks.holds(format!("in all, {} of {all} notes came back byte for byte", count(same)), same == notes.all.len());

    step("6. A patient is erased");
    let erased = patients.first().copied().ok_or("there are no notes")?;
    let mut receipt = erasure::erase(&mut checks, (path, &store), &mut clinic, erased)?;

    step("7. The custodians change, from 3 of 5 to 4 of 7");
    let others: Vec<&str> = patients.iter().copied().filter(|patient| *patient != erased).collect();
    let retired = rotation::rotate(&mut checks, &store, &mut clinic, &others)?;
    receipt.note_retired(&retired, erasure::now()?)?;
    erasure::print(&receipt);

    step("8. The thief comes back, with four of the seven new shares, the database of today and the old copy of it");
    let thief = erasure::Return { store: &store, copy: Store::open(&stolen.path)?, old: &vault, clinic: &clinic };
    thief.tries_everything(&mut checks, (erased, others.first().copied()), notes)?;
    rotation::read_on(&mut checks, &store, &clinic, &aalto, (&others, notes))?;

    let file = usize::try_from(std::fs::metadata(path)?.len())?;
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
fn therapists_read(
    checks: &mut Checks,
    store: &Store,
    clinic: &Clinic,
    (notes, left_alone): (&Notes, Option<&str>),
    timing: &mut Timing,
) -> Outcome<usize> {
    let vault = people::load(store, clinic.pin.clone())?;
    let progress = bar("reading", notes.patients().len());
    let (begin, mut same, mut expected) = (Instant::now(), 0, 0);
    for patient in notes.patients().filter(|patient| Some(*patient) != left_alone) {
        let key = people::key(store, &vault, &clinic.salo, patient)?.ok_or("a grant is missing")?;
        same += people::compare(store, &vault, &key, (patient, notes), timing)?;
        expected += notes.of(patient).count();
        progress.inc(1);
    }
    progress.finish_and_clear();
    timing.total = begin.elapsed();
    let (got, all) = (count(same), count(expected));
    checks
        .holds(format!("Dr Salo reads {got} of {all} notes that are granted to her, byte for byte"), same == expected);
    the_colleague_reads(checks, store, clinic, &vault, notes)?;
    Ok(same)
}

fn the_colleague_reads(
    checks: &mut Checks,
    store: &Store,
    clinic: &Clinic,
    vault: &Vault,
    notes: &Notes,
) -> Outcome<()> {
    let granted = notes.patients().filter(|patient| {
        let grant = store.grant(patient, clinic.niemi.fingerprint());
        matches!(grant, Ok(Some(_)))
    });
    let granted: Vec<&str> = granted.collect();
    let patient = *granted.first().ok_or("a grant is missing")?;
    let key = people::key(store, vault, &clinic.niemi, patient)?.ok_or("a grant is missing")?;
    let read = people::compare(store, vault, &key, (patient, notes), &mut Timing::default())?;
    let all = notes.of(patient).count();
    checks.holds(
        format!("Dr Niemi reads {read} of {all} notes of the one patient that is granted to her"),
        read == all && granted.len() == 1,
    );
    let Some(other) = notes.patients().find(|other| *other != patient) else { return Ok(()) };
    let card = people::card(vault, other, &people::row(store, vault, other)?)?;
    if let Some(grant) = store.grant(other, clinic.salo.fingerprint())? {
        let attempt = vault.open_grant(&card, &clinic.niemi, &grant).map_err(Into::into);
        let reason = |error: &lukko::Error| matches!(error, lukko::Error::Usage(_));
        checks.refused("Dr Niemi takes her colleague's grant of another patient", attempt, reason);
    }
    Ok(())
}

/// He has a copy of the file, and everything that he tries in it is shown to Dr Salo's client.
fn the_thief(checks: &mut Checks, path: &Path, clinic: &Clinic, vault: &Vault, notes: &Notes) -> Outcome<()> {
    thief::search(checks, &std::fs::read(path)?, notes);
    let copy = Store::open(path)?;
    // A patient of Dr Salo's with more than one record, if there is one; and a record of somebody else.
    let hers: Vec<&str> = notes.patients().take(notes.patients().len().saturating_sub(1).max(1)).collect();
    let busy = hers.iter().find(|patient| notes.of(patient).nth(1).is_some());
    let patient = *busy.or(hers.first()).ok_or("there are no notes")?;
    let key = people::key(&copy, vault, &clinic.salo, patient)?.ok_or("a grant is missing")?;
    let first = notes.of(patient).next().ok_or("there are no notes")?;
    let second = notes.of(patient).nth(1).unwrap_or(first);
    let elsewhere = notes.all.iter().find(|note| note.patient != patient);
    let elsewhere = elsewhere.map(|note| (note.patient.as_str(), note.record.as_str()));
    let records = [first.record.as_str(), second.record.as_str()];
    Thief { copy, clinic, vault, key: &key, patient, records, elsewhere }.tries_everything(checks)
}
