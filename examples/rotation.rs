//! The custodians change: from any 2 of 3 to any 3 of 5, while every note stays where it is.
//!
//! A rotation makes a new master key, re-wraps one grant of each patient to it, and gives up the old shares last.
//!
//! ```sh
//! cargo run --example rotation
//! ```

#[path = "shared/clinic.rs"]
mod clinic;

use std::error::Error;

use clinic::{Clinic, PATIENT, brief, recover, refused, to_paper};
use lukko::error::{ShareFault, Usage};
use lukko::*;

/// A row of the database: what enrolment returned, and what the rotation puts beside it.
struct Row {
    id: &'static str,
    enrolled: Enrolment,
    next: Option<Endorsed>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut OsRng;
    let (clinic, enrolled, _) = Clinic::open()?;
    let old = &clinic.vault;
    let mut rows = vec![Row { id: PATIENT, enrolled, next: None }];
    for id in ["p-2", "p-3"] {
        rows.push(Row {
            id,
            enrolled: old.enrol(Enroller::Member(&clinic.salo), PatientId::new(id)?, rng)?,
            next: None,
        });
    }

    println!("Two of the three custodians meet and make the next generation, 3 of 5");
    let master = recover(old, &clinic.paper[..2])?;
    let draft = old.roster().next_generation()?;
    let rotation = old.rotate(&master, Policy::new(3, 5)?, &clinic.registrar.public(), draft, rng)?;
    let paper = to_paper(&rotation.shares);

    println!("Every client follows, after comparing the new fingerprint with what the custodians say");
    let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())]; // as the database holds them
    let successor = old.descriptor().successor(candidates)?;
    println!("  generation {}, fingerprint {}", successor.generation(), brief(&successor.fingerprint()));
    let new = &old.follow(successor, &rotation.roster, &clinic.entries)?;

    println!("One patient after the other is re-wrapped; an interrupted loop is just run again");
    let step = PatientRotation { from: old, master: &master, to: new, by: Enroller::Root(&rotation.master) };
    for run in ["first", "second"] {
        let mut done = 0;
        for Row { id, enrolled: Enrolment { card, endorsement, master_grant, .. }, next } in &mut rows {
            let stored = StoredPatient { cards: &[card], endorsement, master_grant };
            let there = next.as_ref().map(|next| StoredPatient {
                endorsement: &next.endorsement,
                master_grant: &next.master_grant,
                ..stored
            });
            if let Some(endorsed) = step.patient(PatientId::new(id)?, &stored, there.as_ref(), rng)? {
                (*next, done) = (Some(endorsed), done + 1);
            }
        }
        println!("  {run} run: {done} of {} patients re-wrapped", rows.len());
    }
    drop((master, rotation.master));

    println!("The old generation is retired, and not before nothing is missing: its shares are the way back");
    let cards = rows.iter().map(|row| row.enrolled.card_id);
    let mut retirement = Retirement::new(old.descriptor(), new.descriptor(), cards)?;
    println!("  new shares that nobody has read back: {:?}", retirement.missing().unchecked_shares);
    let missing = Usage::NotRetired { shares: 5, patients: 3, destructions: 2 };
    refused("to finish now", retirement.finish(), missing)?;
    for text in &paper {
        retirement.confirm_share(&Share::from_text(text.expose())?)?; // each custodian reads the paper back
    }
    rows.iter().for_each(|row| retirement.patient_done(row.enrolled.card_id));
    // With n - k + 1 of the old shares destroyed, no quorum of the old generation is left.
    retirement.confirm_destroyed(1)?;
    retirement.confirm_destroyed(2)?;
    println!("  generation {} is retired: its endorsements and master grants go", retirement.finish()?.generation());
    let attempt = Recovery::new(new.descriptor()).add(Share::from_text(clinic.paper[2].expose())?);
    let reason = lukko::Error::Share { index: 3, reason: ShareFault::Generation };
    refused("an old custodian comes with the old share", attempt, reason)?;

    println!("Three of the five custodians open a patient");
    let Row { id, enrolled, next: Some(Endorsed { endorsement, master_grant }) } = &rows[0] else {
        return Err("the patient was not re-wrapped".into());
    };
    let stored = StoredPatient { cards: &[&enrolled.card], endorsement, master_grant };
    let key = new.break_glass(&new.card(PatientId::new(id)?, &stored, None)?, &recover(new, &paper[2..])?)?;
    println!("  {id}, by the same card as ever, {}", brief(&key.card()));
    Ok(())
}
