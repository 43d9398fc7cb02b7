//! Every day: enrol patients, seal notes, read them.

use std::collections::BTreeMap;
use std::time::Instant;

use lukko::{Enroller, OsRng, PatientId, PatientKey, RecordContext, RecordId, Revision, Vault};

use crate::client::{Client, field};
use crate::notes::Notes;
use crate::report::{Checks, Outcome, Timing, bar, count, fact};
use crate::store::Store;

/// Patients or notes in one transaction.
const BATCH: usize = 250;

/// The keys of all patients, while they are open.
pub(crate) type Keys = BTreeMap<String, PatientKey>;

/// Dr Salo enrols every patient and grants each to herself.
pub(crate) fn enrol(vault: &Vault, salo: &mut Client, notes: &Notes, store: &Store) -> Outcome<Keys> {
    let patients: Vec<&str> = notes.patients().collect();
    let (bar, start) = (bar("enrolling", patients.len()), Instant::now());
    let mut keys = Keys::new();
    for batch in patients.chunks(BATCH) {
        let transaction = store.batch()?;
        for patient in batch {
            let enrolment = vault.enrol(Enroller::Member(&salo.key), PatientId::new(patient)?, &mut OsRng)?;
            let grant = vault.grant(&enrolment.key, salo.key.fingerprint(), &mut OsRng)?;
            store.put_patient(patient, &enrolment)?;
            store.put_grant(&grant)?;
            salo.cards.insert((*patient).to_owned(), enrolment.card_id);
            keys.insert((*patient).to_owned(), enrolment.key);
            bar.inc(1);
        }
        transaction.commit()?;
    }
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    fact(format!("Dr Salo enrols {} patients in {seconds:.2} s: each has a key of its own,", count(keys.len())));
    fact("which is stored only wrapped, once to her key and once to the master key");
    Ok(keys)
}

/// Seals every note into the database.
pub(crate) fn seal(vault: &Vault, keys: &Keys, notes: &Notes, store: &Store) -> Outcome<Timing> {
    let (bar, start) = (bar("sealing", notes.all.len()), Instant::now());
    let mut timing = Timing::default();
    let mut sealed = Vec::new();
    for batch in notes.all.chunks(BATCH) {
        let transaction = store.batch()?;
        for note in batch {
            let key = keys.get(&note.patient).ok_or("a patient was not enrolled")?;
            // What the record is bound to; vault and patient come with the key.
            let context = RecordContext::new(RecordId::new(&note.record)?, field()?, Revision::FIRST);
            sealed.clear();
            let alone = Instant::now();
            vault.seal_into(key, &context, note.text.as_bytes(), &mut OsRng, &mut sealed)?;
            timing.lukko += alone.elapsed();
            store.put_record(&note.patient, &note.record, &sealed)?;
            bar.inc(1);
        }
        transaction.commit()?;
    }
    bar.finish_and_clear();
    timing.total = start.elapsed();
    fact(format!("{} notes are sealed, each under a fresh key of its own", count(notes.all.len())));
    Ok(timing)
}

/// Dr Salo opens her grants and reads every patient's history.
pub(crate) fn read_all(salo: &Client, notes: &Notes, store: &Store, checks: &mut Checks) -> Outcome<Timing> {
    let (bar, start) = (bar("reading", notes.all.len()), Instant::now());
    let mut timing = Timing::default();
    let mut same = 0;
    let vault = salo.load(store)?;
    for patient in notes.patients() {
        let key = salo.patient_key(&vault, store, patient)?;
        same += read_history(&vault, &key, patient, notes, store, &mut timing)?;
        bar.set_position(same as u64);
    }
    bar.finish_and_clear();
    timing.total = start.elapsed();
    let (back, all) = (count(same), count(notes.all.len()));
    checks.holds(format!("Dr Salo reads {back} of {all} notes back, byte for byte"), same == notes.all.len());
    Ok(timing)
}

/// Reads one patient's history with a key in hand, and counts the notes that come back as they were given.
pub(crate) fn read_history(
    vault: &Vault,
    key: &PatientKey,
    patient: &str,
    notes: &Notes,
    store: &Store,
    timing: &mut Timing,
) -> Outcome<usize> {
    let given: BTreeMap<&str, &str> = notes.of(patient).map(|note| (&*note.record, &*note.text)).collect();
    let mut same = 0;
    for (record, sealed) in store.history(patient)? {
        let alone = Instant::now();
        let opened = vault.open(key, RecordId::new(&record)?, field()?, &sealed)?;
        timing.lukko += alone.elapsed();
        same += usize::from(given.get(&*record).is_some_and(|text| text.as_bytes() == opened.plaintext.as_bytes()));
    }
    Ok(same)
}
