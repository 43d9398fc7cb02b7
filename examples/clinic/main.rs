//! The breach, replayed: a clinic seals its notes, a thief takes the database, and custodians break the glass.
//!
//! `cargo run --release --example clinic -- --help` says what it takes. The library is used in `opening` (a vault and
//! its members), `client` (what a therapist's machine does), `daily` (enrol, seal, read) and `glass` (recovery);
//! `thief`, `tamper` and `substitute` attack, and the other files are CSV, SQLite and printing.

mod args;
mod client;
mod daily;
mod files;
mod generate;
mod glass;
mod notes;
mod opening;
mod report;
mod search;
mod store;
mod substitute;
mod tamper;
mod thief;

use std::process::ExitCode;

use lukko::OsRng;
use lukko::error::{Error, Untrusted, Usage};

use args::Args;
use files::Files;
use notes::Notes;
use opening::Clinic;
use report::{Checks, Outcome, Sizes, Timing, brief, count, fact, step};
use store::Store;
use tamper::{Tampering, Targets};
use thief::Thief;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(mistake) => {
            eprintln!("clinic: {mistake}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    if args.help {
        println!("{}", args::HELP);
        return ExitCode::SUCCESS;
    }
    match replay(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("clinic: {}", brief(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// The whole story; true if every check held.
fn replay(args: &Args) -> Outcome<bool> {
    let notes = match &args.notes {
        Some(path) => Notes::from_csv(path)?,
        None => generate::clinic(),
    };
    let files = Files::new(args)?;
    let store = Store::create(&files.database)?;
    let mut checks = Checks::default();
    let targets = Targets::choose(&notes)?;

    step("1. The clinic opens");
    let mut clinic = opening::open_clinic(&store)?;

    step("2. The patients come, the notes are sealed");
    let vault = clinic.salo.load(&store)?;
    let keys = daily::enrol(&vault, &mut clinic.salo, &notes, &store)?;
    let sealing = daily::seal(&vault, &keys, &notes, &store)?;
    drop(keys);

    step("3. Dr Salo reads");
    let reading = daily::read_all(&clinic.salo, &notes, &store, &mut checks)?;

    step("4. Dr Laine reads what she is granted");
    colleague(&clinic, &targets, &notes, &store, &mut checks)?;

    step("5. The thief");
    steal(&clinic, &files, &targets, &notes, &mut checks)?;

    step("6. Break-glass");
    let master = glass::recover(&clinic, &mut checks)?;
    glass::hand_over(&clinic, &master, &targets.first.0, &notes, &store, &mut checks)?;

    close(&files, &notes, &store, &sealing, &reading)?;
    Ok(checks.verdict())
}

/// Dr Salo grants one patient to her colleague, who can open that one and no other.
fn colleague(clinic: &Clinic, targets: &Targets, notes: &Notes, store: &Store, checks: &mut Checks) -> Outcome<()> {
    let Clinic { salo, laine, .. } = clinic;
    let patient = &targets.first.0;
    let vault = salo.load(store)?;
    let key = salo.patient_key(&vault, store, patient)?;
    store.put_grant(&vault.grant(&key, laine.key.fingerprint(), &mut OsRng)?)?;

    let vault = laine.load(store)?;
    let key = laine.patient_key(&vault, store, patient)?;
    let same = daily::read_history(&vault, &key, patient, notes, store, &mut Timing::default())?;
    let all = notes.of(patient).count();
    checks.holds(format!("Dr Salo grants her one patient: she reads {same} of {all} notes"), same == all);

    let others: Vec<&str> = notes.patients().filter(|other| other != patient).collect();
    let mut opened = 0;
    for other in &others {
        let card = client::verified_card(&vault, store, other, None)?;
        let grant = store.grant(card.id(), salo.key.fingerprint())?;
        opened += usize::from(vault.open_grant(&card, &laine.key, &grant).is_ok());
    }
    let all = count(others.len());
    checks.holds(format!("of the grants of the {all} others, which are Dr Salo's, she opens {opened}"), opened == 0);
    Ok(())
}

/// The thief copies the database; later he writes into it.
fn steal(clinic: &Clinic, files: &Files, targets: &Targets, notes: &Notes, checks: &mut Checks) -> Outcome<()> {
    files.steal()?;
    let (patient, record) = (&*targets.first.0, &*targets.first.1);
    fact("He has copied the database file, and its log.");
    thief::search(&files.stolen_bytes()?, notes, checks);
    let stolen = Store::open(&files.stolen)?;
    let thief = Thief::new(patient)?;
    thief::open(&thief, &clinic.salo, &stolen, (patient, record), checks)?;

    fact("He can write into the database. Dr Salo's client says what it sees (->).");
    let mut tampering = Tampering { thief: &thief, salo: &clinic.salo, store: &stolen, targets, checks };
    tampering.with_records()?;
    tampering.with_keys()
}

/// The closing table, and where the database is left.
fn close(files: &Files, notes: &Notes, store: &Store, sealing: &Timing, reading: &Timing) -> Outcome<()> {
    store.checkpoint()?;
    let sizes = Sizes { notes: notes.bytes(), records: store.record_bytes()?, file: files.database_len()? };
    let rows = [("sealing", sealing), ("reading", reading)];
    report::table(notes.all.len(), notes.patients().len(), &sizes, &rows);
    if let Some(path) = files.left() {
        println!();
        fact(format!("the database is in {}", path.display()));
    }
    Ok(())
}
