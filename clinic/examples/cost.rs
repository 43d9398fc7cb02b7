//! What the session costs beside the same work with core and store called by hand, on SQLite, in one run:
//! `cargo run --release -p lukko-clinic --example cost -- [NOTES] [ROUNDS]`
//!
//! Each round writes and reads so many notes of 1 KiB in three ways, one after the other: by hand, through a session whose
//! memory is in memory, and through one whose memory is a file. It prints the median of the rounds, in microseconds a call.
//! By hand means: an open patient's key, a note that is sealed and stored, a row that is read and opened. The list of members
//! is followed by all three as often, which is once in a second.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use lukko::{FieldLabel, OsRng, Place, RecordContext, RecordId, Revision, random_id};
use lukko_clinic::{Clinic, Memory, Note, Patient, Plan, Purpose, SqliteStore, THERAPIST};
use lukko_store::{Change, Expect, NewRecord, Sealed, Store, StoredBody};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Microseconds a call, of one way and round.
struct Took {
    write: f64,
    read: f64,
    open: f64,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let notes: usize = arguments.next().map_or(Ok(2_000), |number| number.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(7), |number| number.parse())?;
    let directory = tempfile::tempdir()?;
    std::fs::create_dir(directory.path().join("database"))?;
    let store = SqliteStore::open(directory.path().join("database/clinic.db")).await?;
    let (clinics, text) = (both(&store, directory.path()).await?, "x".repeat(1_024));
    let (mut by_hand, mut in_memory, mut in_file) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let patients = [patient(&clinics[0]).await?, patient(&clinics[1]).await?];
        by_hand.push(hand(&store, &patients[0], notes, &text).await?);
        in_memory.push(session(&patients[0], notes, &text).await?);
        in_file.push(session(&patients[1], notes, &text).await?);
    }
    println!("{notes} notes of 1 KiB, median of {rounds} rounds, microseconds a call");
    println!("{:<28}{:>9}{:>9}{:>9}", "", "write", "read", "open");
    for (name, took) in
        [("by hand", by_hand), ("session, memory in memory", in_memory), ("session, memory in a file", in_file)]
    {
        let median = |of: fn(&Took) -> f64| {
            let mut all: Vec<f64> = took.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        println!("{name:<28}{:>9.1}{:>9.1}{:>9.1}", median(|t| t.write), median(|t| t.read), median(|t| t.open));
    }
    Ok(())
}

/// One member with a memory in memory, and one with a file.
async fn both(store: &SqliteStore, directory: &Path) -> Outcome<[Clinic<SqliteStore>; 2]> {
    let plan = || Plan::custodians(2, 3).member("aalto", THERAPIST);
    let first = Clinic::found(store.clone(), Memory::in_memory(), plan()).await?;
    let second = Clinic::found(store.clone(), Memory::file(directory.join("memory.db")).await?, plan()).await?;
    Ok([first.clinic, second.clinic])
}

async fn patient(clinic: &Clinic<SqliteStore>) -> Outcome<Patient<SqliteStore>> {
    Ok(clinic.session(Purpose::care("measured")).enrol().await?)
}

fn micros(begin: Instant, calls: usize) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6 / calls as f64
}

async fn session(patient: &Patient<SqliteStore>, notes: usize, text: &str) -> Outcome<Took> {
    let begin = Instant::now();
    let mut written: Vec<Note> = Vec::new();
    for _ in 0..notes {
        written.push(patient.write("note", text).await?);
    }
    let write = micros(begin, notes);
    let begin = Instant::now();
    for note in &written {
        assert_eq!(patient.read(note).await?.text().len(), text.len());
    }
    let read = micros(begin, notes);
    let begin = Instant::now();
    let again = patient.clinic().session(Purpose::care("measured"));
    for _ in 0..notes / 10 {
        again.patient(&patient.id()).await?;
    }
    Ok(Took { write, read, open: micros(begin, notes / 10) })
}

/// The same with the core and the store.
async fn hand(store: &SqliteStore, patient: &Patient<SqliteStore>, notes: usize, text: &str) -> Outcome<Took> {
    let (vault, id) = (patient.clinic().vault().await?, patient.id().into_owned());
    let (member, vault_id, patient) = (patient.clinic().me(), vault.descriptor().vault(), lukko::PatientId::new(&id)?);
    let field = FieldLabel::new("note")?;
    let open = async || -> Outcome<lukko::PatientKey> {
        let rows = store.patient(vault_id, patient).await?;
        let cards = rows.card_bytes();
        let stored = rows.stored(vault.descriptor().generation(), &cards).ok_or("no patient")?;
        let card = vault.card(patient, &stored, None)?;
        Ok(vault.open_grant(&card, member, rows.grant(card.id(), member.fingerprint()).ok_or("no grant")?)?)
    };
    let key = open().await?;
    let begin = Instant::now();
    let mut written = Vec::new();
    for _ in 0..notes {
        let record = random_id(&mut OsRng)?;
        let context = RecordContext::new(Place::new(RecordId::new(&record)?, field), Revision::FIRST);
        let sealed = Sealed::note(&vault, &key, &context, text.as_bytes(), &mut OsRng)?;
        store.apply(vault_id, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await?;
        written.push(record);
    }
    let write = micros(begin, notes);
    let begin = Instant::now();
    for record in &written {
        let record = RecordId::new(record)?;
        let row = store.record(vault_id, patient, record, field).await?.ok_or("no record")?;
        let StoredBody::Sealed(sealed) = &row.body else { return Err("an attachment".into()) };
        assert_eq!(vault.open(&key, Place::new(record, field), sealed)?.plaintext.len(), text.len());
    }
    let read = micros(begin, notes);
    let begin = Instant::now();
    for _ in 0..notes / 10 {
        open().await?;
    }
    Ok(Took { write, read, open: micros(begin, notes / 10) })
}
