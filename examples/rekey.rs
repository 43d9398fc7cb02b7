//! A patient's key got into wrong hands: a new key for the patient, and every record moves to it.
//!
//! What the thief has copied already stays open to him. What is written from now on is closed to him, and nothing that
//! he writes with the key is accepted.
//!
//! ```sh
//! cargo run --example rekey
//! ```

#[path = "shared/clinic.rs"]
mod clinic;

use std::error::Error;

use clinic::{Clinic, PATIENT, refused};
use lukko::error::Untrusted;
use lukko::*;

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut OsRng;
    let (mut clinic, old, old_grant) = Clinic::open()?;
    let (patient, field) = (PatientId::new(PATIENT)?, FieldLabel::new("note")?);
    let leaked = &old.key; // from the memory of a therapist's machine, let us say
    let mut records = Vec::new();
    for number in 1..=4 {
        let (id, text) = (format!("r-{number}"), format!("session {number}"));
        let place = RecordContext::new(Place::new(RecordId::new(&id)?, field), Revision::FIRST);
        let sealed = clinic.vault.seal(leaked, &place, text.as_bytes(), rng)?;
        records.push((id, sealed));
    }
    let before = records.clone();

    println!("Dr Salo makes the next version of the key, and grants it to herself");
    // The old card stays in the database, because it vouches for the new one.
    let next = clinic.vault.rekey(Enroller::Member(&clinic.salo), leaked, rng)?;
    let grant = clinic.vault.grant(&next.key, clinic.salo.fingerprint(), rng)?.bytes;
    drop(next.key);
    let cards: [&[u8]; 2] = [&old.card, &next.card];
    let stored = StoredPatient { cards: &cards, endorsement: &next.endorsement, master_grant: &next.master_grant };

    println!("Every record is encrypted anew, and the loop is interrupted in the middle");
    for (run, stops_after) in [("first", 2), ("second", 4)] {
        // Each run opens both keys from what is stored. A client that accepted the old card accepts what follows it.
        let card = clinic.vault.card(patient, &stored, Some(old.card_id))?;
        let to = clinic.vault.open_grant(&card, &clinic.salo, &grant)?;
        let with = GrantKey::Member { key: &clinic.salo, grant: &old_grant };
        let from = clinic.vault.open_older(patient, &stored, None, old.card_id, &with)?;
        let (mut moved, mut there) = (0, 0);
        for (id, sealed) in records.iter_mut().take(stops_after) {
            // `reseal` draws a new record key; `rewrap` is quicker, and enough if nobody mistrusted had the old key.
            match clinic.vault.reseal(&from, &to, Place::new(RecordId::new(id)?, field), sealed, rng)? {
                Some(resealed) => (*sealed, moved) = (resealed, moved + 1),
                None => there += 1,
            }
        }
        println!("  {run} run: {moved} moved, {there} were there already");
    }

    println!("The registrar closes the old card for ever; its grants can be deleted");
    let mut draft = clinic.vault.roster().next()?;
    draft.close(old.card_id, ClosedReason::Compromised)?;
    clinic.publish(draft)?;
    let closed = Untrusted::CardCompromised(old.card_id);
    let (id, sealed) = &before[0];
    let attempt = clinic.vault.open(leaked, Place::new(RecordId::new(id)?, field), sealed);
    refused("the thief puts an old record back, with the key that leaked", attempt, closed)?;
    let place = RecordContext::new(Place::new(RecordId::new(id)?, field), Revision::FIRST.next()?);
    let attempt = clinic.vault.seal(leaked, &place, b"forged", rng);
    refused("somebody writes with that key", attempt, closed)?;

    println!("Dr Salo reads on");
    let card = clinic.vault.card(patient, &stored, Some(next.card_id))?;
    let key = clinic.vault.open_grant(&card, &clinic.salo, &grant)?;
    for (id, sealed) in &records {
        let opened = clinic.vault.open(&key, Place::new(RecordId::new(id)?, field), sealed)?;
        println!("  {id}: {}", String::from_utf8_lossy(&opened.plaintext));
    }
    Ok(())
}
