//! A patient asks to be erased. The receipt says what is dead already, and what is still to be done about old backups.
//!
//! ```sh
//! cargo run --example erasure
//! ```

#[path = "shared/clinic.rs"]
mod clinic;

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use clinic::{Clinic, PATIENT, brief, recover, refused};
use lukko::error::{Untrusted, Usage};
use lukko::*;

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut OsRng;
    let (mut clinic, patient, grant) = Clinic::open()?;
    let id = PatientId::new(PATIENT)?;
    // The library has no clock: the service says what time it is.
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_secs());

    println!("The erasure begins with all that is stored of the patient");
    let erasure = clinic.vault.begin_erasure(id, &[&patient.card], [&patient.master_grant, &grant])?;
    let pending = Usage::ErasurePending(patient.card_id);
    refused("a receipt before anything was done", erasure.receipt(&clinic.vault, now()?), pending)?;

    println!("The registrar closes the card for ever; then the database deletes cards and grants");
    let mut draft = clinic.vault.roster().next()?;
    erasure.close_in(&mut draft)?;
    clinic.publish(draft)?;
    let mut receipt = erasure.receipt(&clinic.vault, now()?)?;
    println!("\n{}\n", brief(&receipt));

    println!("Last night's backup brings the patient's rows back");
    let backup = StoredPatient {
        cards: &[&patient.card],
        endorsement: &patient.endorsement,
        master_grant: &patient.master_grant,
    };
    let erased = Untrusted::CardErased(patient.card_id);
    refused("a therapist opens the card", clinic.vault.card(id, &backup, None), erased)?;

    println!("The custodians rotate, and destroy two of their three old shares");
    // No patient is left in this clinic; `rotation.rs` shows the loop that otherwise comes here.
    let master = recover(&clinic.vault, &clinic.paper[..2])?;
    let draft = clinic.vault.roster().next_generation()?;
    let rotation = clinic.vault.rotate(&master, Policy::new(2, 3)?, &clinic.registrar.public(), draft, rng)?;
    let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())];
    let successor = clinic.vault.descriptor().successor(candidates)?;
    let new = clinic.vault.follow(successor, &rotation.roster, &clinic.entries)?;
    let mut retirement = Retirement::new(clinic.vault.descriptor(), new.descriptor(), [])?;
    rotation.shares.iter().try_for_each(|share| retirement.confirm_share(share))?;
    retirement.confirm_destroyed(1)?;
    retirement.confirm_destroyed(2)?;
    receipt.note_retired(&retirement.finish()?, now()?)?;
    clinic.vault = new;

    println!("Dr Salo gets a new key and destroys the old one, which opens her grant in old backups");
    let old = clinic.salo.fingerprint();
    let salo = clinic.vault.descriptor().new_member(MemberId::new("dr-salo")?, rng)?;
    let attempt = receipt.note_key_destroyed(&clinic.vault, old, now()?);
    refused("to note that while the old key is active", attempt, Usage::StillActive(old))?;
    let mut draft = clinic.vault.roster().next()?;
    draft.set_status(old, Status::Retired)?;
    draft.admit(&MemberEntry::verify(salo.entry(), clinic.vault.descriptor())?, Roles::READ | Roles::ENROL)?;
    clinic.entries.push(salo.entry().to_vec());
    clinic.publish(draft)?;
    receipt.note_key_destroyed(&clinic.vault, old, now()?)?;
    println!("\n{}\n", brief(&receipt));
    println!("Complete: {}", receipt.is_complete());

    println!("Years later the same person comes again, under the same id, with a key that has no past");
    let again = clinic.vault.enrol(Enroller::Member(&salo), id, rng)?;
    // Even with the old card still lying beside it, the new one is the patient's card, and the old one stays closed.
    let stored = StoredPatient {
        cards: &[&patient.card, &again.card],
        endorsement: &again.endorsement,
        master_grant: &again.master_grant,
    };
    let current = clinic.vault.card(id, &stored, None)?;
    println!("  their card is {} and not {}", brief(&current.id()), brief(&patient.card_id));
    Ok(())
}
