//! An intake front end takes notes that it cannot read back.
//!
//! It stands on the internet and will be broken into one day. So it holds only what is public, and a key that deposits.
//!
//! ```sh
//! cargo run --example deposit
//! ```

#[path = "shared/clinic.rs"]
mod clinic;

use std::error::Error;

use clinic::{Clinic, PATIENT, brief, refused};
use lukko::error::Untrusted;
use lukko::*;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut clinic, patient, grant) = Clinic::open()?;
    let field = FieldLabel::new("intake form")?;

    println!("The front end loads what is public, and deposits two notes");
    let pin = clinic.vault.pin().clone();
    let front_end = Vault::load(pin, &clinic.descriptor, &clinic.roster, &clinic.entries)?;
    let stored = StoredPatient {
        cards: &[&patient.card],
        endorsement: &patient.endorsement,
        master_grant: &patient.master_grant,
    };
    // With the card id that it remembers, nobody can talk it into depositing to another key.
    let card = front_end.card(PatientId::new(PATIENT)?, &stored, Some(patient.card_id))?;
    let deposit = |text: &[u8]| front_end.deposit(&card, &clinic.intake, field, Padding::Padme, text, &mut OsRng);
    // The library draws the records' ids: a deposit never takes the place of anything.
    let first = deposit(b"I have not slept since the move.")?;
    let second = deposit(b"Please call me after six.")?;
    println!("  record {}, {} bytes", first.record, first.bytes.len());
    println!("  record {}, {} bytes", second.record, second.bytes.len());
    let intake = clinic.intake.fingerprint();
    let attempt = front_end.open_grant(&card, &clinic.intake, &grant);
    refused("it tries to read them with the therapist's grant", attempt, Untrusted::Role(intake))?;

    println!("Dr Salo opens the first note, and sees who wrote it");
    let key = clinic.vault.open_grant(&card, &clinic.salo, &grant)?;
    let record = RecordId::new(&first.record)?;
    let opened = clinic.vault.open_deposit(&key, Place::new(record, field), &first.bytes)?;
    let Origin::Deposit { writer } = opened.origin else { return Err("this is not a deposit".into()) };
    let name = clinic.vault.roster().member(writer)?.entry().id().escape_ascii();
    println!("  {:?} by {name}, key {}", String::from_utf8_lossy(&opened.plaintext), brief(&writer));
    // The writer once knew the record key. Taken over, the note is out of the writer's reach: store it in place.
    let absorbed = clinic.vault.absorb(&key, Place::new(record, field), &first.bytes, &mut OsRng)?;

    println!("The front end is broken into: the registrar revokes its key");
    let mut draft = clinic.vault.roster().next()?;
    draft.set_status(intake, Status::Revoked)?;
    clinic.publish(draft)?;
    let record = RecordId::new(&second.record)?;
    let attempt = clinic.vault.open_deposit(&key, Place::new(record, field), &second.bytes);
    refused("Dr Salo opens the second note, which waits since yesterday", attempt, Untrusted::Revoked(intake))?;
    // It may be the patient's or the thief's. A person must look, and the type says that nobody vouches for it.
    let doubtful = clinic.vault.open_unattributed(&key, Place::new(record, field), &second.bytes)?;
    let claimed = brief(&doubtful.claimed_writer());
    let text = doubtful.into_inner().plaintext;
    println!("  for triage: {:?}, whoever wrote it with key {claimed}", String::from_utf8_lossy(&text));

    println!("The first note, which was taken over before the theft, still opens");
    let opened = clinic.vault.open_deposit(&key, Place::new(RecordId::new(&first.record)?, field), &absorbed)?;
    let Origin::Absorbed { status, .. } = opened.origin else { return Err("nobody took it over".into()) };
    println!("  {:?}, by a key that is now {status:?}", String::from_utf8_lossy(&opened.plaintext));
    Ok(())
}
