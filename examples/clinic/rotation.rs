//! Rotation: other custodians and another policy, and every patient re-wrapped in the database.

use std::time::Instant;

use lukko::error::{ShareFault, Usage};
use lukko::{
    Endorsed, Enroller, Error, GrantKey, MasterKey, MemberKey, OsRng, PatientId, PatientRotation, Policy, Recovery,
    Retired, Retirement, Share, StoredPatient, Vault,
};

use crate::notes::Notes;
use crate::people::{self, BATCH, Clinic};
use crate::quorum;
use crate::report::{Checks, Outcome, Timing, bar, brief, count, fact};
use crate::store::Store;

/// From the first generation to the second. The clinic then has the new shares, and its clients the new pin.
pub(crate) fn rotate(checks: &mut Checks, store: &Store, clinic: &mut Clinic, patients: &[&str]) -> Outcome<Retired> {
    let old = people::load(store, clinic.pin.clone())?;
    let master = quorum::open(&old, &clinic.shares)?;
    let draft = old.roster().next_generation()?;
    let rotation = old.rotate(&master, Policy::new(4, 7)?, &clinic.registrar.public(), draft, &mut OsRng)?;
    let generation = rotation.descriptor.generation();
    store.put_generation(generation, rotation.descriptor.as_bytes(), Some(&rotation.statement), &rotation.roster)?;

    let new = follow(store, &old)?;
    let fingerprint = brief(&new.pin().fingerprint().to_string());
    checks.holds(
        format!("clients follow to generation {generation}, whose fingerprint the custodians confirm: {fingerprint}"),
        new.pin().fingerprint() == rotation.descriptor.fingerprint(),
    );

    let by = Enroller::Root(&rotation.master);
    let step = PatientRotation { from: &old, master: &master, to: &new, by };
    let mut timing = Timing::default();
    let begin = Instant::now();
    // The first run does not come to its end; the second one begins at the beginning.
    let (half, all) = (count(patients.len() / 2), count(patients.len()));
    let first = rewrap(store, &step, &patients[..patients.len() / 2], &mut timing)?;
    let second = rewrap(store, &step, patients, &mut timing)?;
    timing.total = begin.elapsed();
    let text = format!("interrupted after {half} patients and run again: each of {all} was re-wrapped, once");
    checks.holds(text, first == patients.len() / 2 && first + second == patients.len());
    let [total, alone] = [timing.total, timing.lukko].map(|time| time.as_secs_f64());
    fact(format!("in {total:.3} seconds, lukko alone {alone:.3}; no record was read for it"));

    let shares: Vec<String> = rotation.shares.iter().map(|share| share.to_text().expose().to_owned()).collect();
    let retired = retire(checks, (&old, &new), store, &shares, patients)?;
    old_shares(checks, (&old, &new), store, &master, clinic, patients)?;
    clinic.shares = shares;
    clinic.pin = new.pin().clone();
    Ok(retired)
}

/// What every client does, once: it looks in the database for the generation that follows its own.
fn follow(store: &Store, old: &Vault) -> Outcome<Vault> {
    let candidates = store.successors()?;
    let pairs = candidates.iter().map(|(descriptor, statement)| (descriptor.as_slice(), statement.as_slice()));
    let successor = old.descriptor().successor(pairs)?;
    let (_, roster) = store.vault(successor.generation())?;
    Ok(old.follow(successor, &roster, store.entries()?)?)
}

/// Re-wraps patients that are not re-wrapped yet; gives how many those were.
fn rewrap(store: &Store, step: &PatientRotation<'_>, patients: &[&str], timing: &mut Timing) -> Outcome<usize> {
    let progress = bar("re-wrapping", patients.len());
    let (old, new) = (step.from.descriptor().generation(), step.to.descriptor().generation());
    let mut rewrapped = 0;
    for batch in patients.chunks(BATCH) {
        store.transaction(|| {
            for patient in batch {
                let from = store.patient(patient, old)?.ok_or("the patient is not in the database")?;
                let done = store.patient(patient, new)?;
                let alone = Instant::now();
                let cards: &[&[u8]] = &[&from.card];
                let done = done.as_ref().map(|row| in_store(cards, &row.endorsed));
                let endorsed = step.patient(
                    PatientId::new(*patient)?,
                    &in_store(cards, &from.endorsed),
                    done.as_ref(),
                    &mut OsRng,
                )?;
                timing.lukko += alone.elapsed();
                if let Some(endorsed) = endorsed {
                    store.put_endorsed(patient, new, &endorsed)?;
                    rewrapped += 1;
                }
                progress.inc(1);
            }
            Ok(())
        })?;
    }
    progress.finish_and_clear();
    Ok(rewrapped)
}

fn in_store<'a>(cards: &'a [&'a [u8]], endorsed: &'a Endorsed) -> StoredPatient<'a> {
    StoredPatient { cards, endorsement: &endorsed.endorsement, master_grant: &endorsed.master_grant }
}

/// Works off the list, and then deletes what the old generation has of the patients.
fn retire(
    checks: &mut Checks,
    (old, new): (&Vault, &Vault),
    store: &Store,
    shares: &[String],
    patients: &[&str],
) -> Outcome<Retired> {
    let mut cards = Vec::new();
    for patient in patients {
        cards.push(people::card(new, patient, &people::row(store, new, patient)?)?.id());
    }
    let mut retirement = Retirement::new(old.descriptor(), new.descriptor(), cards.iter().copied())?;
    let reason = |error: &Error| matches!(error, Error::Usage(Usage::NotRetired { .. }));
    checks.refused("to retire the old generation at once", retirement.finish().map_err(Into::into), reason);
    // Each new custodian reads the paper back. Of five old shares three go; the two that are left are no quorum.
    for share in shares {
        retirement.confirm_share(&Share::from_text(share)?)?;
    }
    cards.iter().for_each(|card| retirement.patient_done(*card));
    for index in [1, 2, 3] {
        retirement.confirm_destroyed(index)?;
    }
    let retired = retirement.finish()?;
    let deleted = count(store.retire(retired.generation())?);
    fact(format!("7 new shares read back, 3 old ones destroyed, {deleted} old master grants deleted"));
    Ok(retired)
}

/// What the old shares do after that, even all of them.
fn old_shares(
    checks: &mut Checks,
    (old, new): (&Vault, &Vault),
    store: &Store,
    master: &MasterKey,
    clinic: &Clinic,
    patients: &[&str],
) -> Outcome<()> {
    let attempt = Recovery::new(new.descriptor()).add(Share::from_text(&clinic.shares[4])?);
    let reason = |error: &Error| *error == Error::Share { index: 5, reason: ShareFault::Generation };
    checks.refused("an old custodian comes with the old share", attempt.map_err(Into::into), reason);
    let mut left = Recovery::new(old.descriptor());
    for share in &clinic.shares[3..] {
        left.add(Share::from_text(share)?)?;
    }
    let reason = |error: &Error| *error == Error::NotEnoughShares { have: 2, need: 3 };
    checks.refused(
        "somebody finds the two old shares that were not destroyed",
        left.finish().map_err(Into::into),
        reason,
    );
    let Some(patient) = patients.first() else { return Ok(()) };
    let row = people::row(store, new, patient)?;
    let card = people::card(new, patient, &row)?;
    let attempt = new.break_glass(&card, master).map_err(Into::into);
    let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongRecipient { .. }));
    checks.refused("a thief had three old shares, and has the new master grant of a patient", attempt, reason);
    let grant = readdressed(&row.endorsed.master_grant, master);
    let with = GrantKey::Master { key: master, grant: &grant };
    let attempt = old.open_remembered(PatientId::new(*patient)?, &[&row.card], card.id(), &with);
    let reason = |error: &Error| *error == Error::NotAuthentic;
    checks.refused("  and addresses it to the old master key", attempt.map_err(Into::into), reason);
    Ok(())
}

/// A master grant with the address of another master key: generation and fingerprint, as `docs/FORMAT.md` places them.
pub(crate) fn readdressed(grant: &[u8], master: &MasterKey) -> Vec<u8> {
    let mut grant = grant.to_vec();
    grant[71..75].copy_from_slice(&master.generation().to_be_bytes());
    grant[75..107].copy_from_slice(master.fingerprint().as_bytes());
    grant
}

/// The therapists, who follow to the new generation, read what they could read before: no record was touched.
pub(crate) fn read_on(
    checks: &mut Checks,
    store: &Store,
    clinic: &Clinic,
    aalto: &MemberKey,
    (patients, notes): (&[&str], &Notes),
) -> Outcome<()> {
    let vault = people::load(store, clinic.pin.clone())?;
    let (mut same, mut expected) = (0, 0);
    let progress = bar("reading", patients.len());
    for patient in patients {
        let key = match people::key(store, &vault, &clinic.salo, patient)? {
            Some(key) => key,
            None => people::key(store, &vault, aalto, patient)?.ok_or("a grant is missing")?,
        };
        same += people::compare(store, &vault, &key, (patient, notes), &mut Timing::default())?;
        expected += notes.of(patient).count();
        progress.inc(1);
    }
    progress.finish_and_clear();
    let (got, all) = (count(same), count(expected));
    let text = format!("meanwhile Dr Salo and Dr Aalto read {got} of {all} notes of all others, byte for byte");
    checks.holds(text, same == expected);
    Ok(())
}
