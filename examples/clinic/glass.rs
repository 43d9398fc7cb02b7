//! Break-glass: the therapist is gone, and three custodians come together.

use lukko::error::{Error, Object, ShareFault, Untrusted};
use lukko::{MasterKey, MemberId, OsRng, Recovery, Roles, Share, Status, Vault};

use crate::client::{Client, verified_card};
use crate::daily::read_history;
use crate::notes::Notes;
use crate::opening::{Clinic, admit, publish};
use crate::report::{Checks, Outcome, Timing, count};
use crate::store::Store;

/// Recovers the master key from the custodians' shares, after what does not recover it.
pub(crate) fn recover(clinic: &Clinic, checks: &mut Checks) -> Outcome<MasterKey> {
    // Custodians bring what they were given on founding day: a text on paper.
    let [first, second, third, fourth, _] = clinic.shares.as_slice() else {
        return Err("there are five shares".into());
    };
    let mut recovery = Recovery::new(&clinic.descriptor);
    for custodian in [first, second] {
        recovery.add(Share::from_text(custodian.to_text().expose())?)?;
    }
    checks.refused("two custodians come", recovery.finish().map_err(Into::into), |error: &Error| {
        matches!(error, Error::NotEnoughShares { have: 2, need: 3 })
    });
    let damaged = mistyped(third.to_text().expose());
    checks.refused(
        "the third mistypes character 77 (counted from 0)",
        attempt(&mut recovery, &damaged),
        |error: &Error| matches!(error, Error::Malformed { object: Object::ShareText, offset: MISTYPED, .. }),
    );
    let forged = forged(fourth)?;
    checks.refused("the fourth brings a forged share", recovery.add(forged).map_err(Into::into), |error: &Error| {
        matches!(error, Error::Share { index: 4, reason: ShareFault::Value })
    });
    attempt(&mut recovery, third.to_text().expose())?;
    let master = recovery.finish();
    checks.holds("the third types again: three of five shares open the master key", master.is_ok());
    Ok(master?)
}

/// The registrar retires the key that is gone and admits a new therapist; the custodians give her the patient.
pub(crate) fn hand_over(
    clinic: &Clinic,
    master: &MasterKey,
    patient: &str,
    notes: &Notes,
    store: &Store,
    checks: &mut Checks,
) -> Outcome<()> {
    let virta = Client::new(clinic.descriptor.new_member(MemberId::new("dr-virta")?, &mut OsRng)?, &clinic.salo.pin);
    let mut roster = clinic.salo.load(store)?.roster().next()?;
    // Retired: the key is believed destroyed, and what it endorsed stands. Revoked would be for a stolen one.
    roster.set_status(clinic.salo.key.fingerprint(), Status::Retired)?;
    admit(clinic, store, &mut roster, &virta.key, Roles::READ)?;
    publish(clinic, store, roster)?;

    let vault = clinic.salo.load(store)?;
    let result = clinic.salo.patient_key(&vault, store, patient);
    checks.refused("roster 3 retires Dr Salo's key: it opens no grant any more", result, |error: &Error| {
        matches!(error, Error::Untrusted(Untrusted::Retired(_)))
    });
    let card = verified_card(&vault, store, patient, None)?;
    let key = vault.break_glass(&card, master)?;
    reads(&vault, &key, "the master key alone reads a patient's", (patient, notes, store), checks)?;
    store.put_grant(&vault.grant(&key, virta.key.fingerprint(), &mut OsRng)?)?;
    drop(key);

    let key = virta.patient_key(&vault, store, patient)?;
    reads(&vault, &key, "the custodians grant the patient to Dr Virta, who reads", (patient, notes, store), checks)
}

fn reads(
    vault: &Vault,
    key: &lukko::PatientKey,
    who: &str,
    (patient, notes, store): (&str, &Notes, &Store),
    checks: &mut Checks,
) -> Outcome<()> {
    let same = read_history(vault, key, patient, notes, store, &mut Timing::default())?;
    let all = notes.of(patient).count();
    checks.holds(format!("{who} {} of {} notes", count(same), count(all)), same == all);
    Ok(())
}

fn attempt(recovery: &mut Recovery<'_>, text: &str) -> Outcome<()> {
    recovery.add(Share::from_text(text)?)?;
    Ok(())
}

/// Where the third custodian mistypes.
const MISTYPED: usize = 77;

/// The text with another letter at that place.
fn mistyped(text: &str) -> String {
    let mistype = |(at, letter)| {
        if at != MISTYPED {
            letter
        } else if letter == 'q' {
            'p'
        } else {
            'q'
        }
    };
    text.chars().enumerate().map(mistype).collect()
}

/// A share that is well-formed and has another value: its last byte is changed.
fn forged(share: &Share) -> Outcome<Share> {
    let mut bytes = share.to_bytes().expose().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Ok(Share::from_bytes(&bytes)?)
}
