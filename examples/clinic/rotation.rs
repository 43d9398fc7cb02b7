//! Rotation: other custodians and another policy, and every patient re-wrapped in the database.

use std::collections::HashSet;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use futures_util::StreamExt;
use lukko::error::{ShareFault, Usage};
use lukko::{
    Enroller, Error, GrantKey, MasterKey, MemberKey, OsRng, PatientId, PatientRotation, Policy, Recovery, Retired,
    Retirement, Share, Vault,
};
use lukko_store::{Change, JobKind, JobState, NewGeneration, Progress, RotationJob, SqliteStore, Store, Worker};

use crate::notes::Notes;
use crate::people::{self, Clinic};
use crate::quorum;
use crate::report::{Checks, Outcome, Timing, bar, brief, count, fact};

/// The name of the job, by which its workers meet.
const JOB: &str = "rotation to generation 2";

/// From the first generation to the second. The clinic then has the new shares, and its clients the new pin.
pub(crate) async fn rotate(
    checks: &mut Checks,
    store: &SqliteStore,
    clinic: &mut Clinic,
    patients: &[&str],
) -> Outcome<Retired> {
    let old = people::load(store, clinic).await?;
    let master = quorum::open(&old, &clinic.shares)?;
    let draft = old.roster().next_generation()?;
    let version = draft.version();
    let rotation = old.rotate(&master, Policy::new(4, 7)?, &clinic.registrar.public(), draft, &mut OsRng)?;
    let (generation, descriptor) = (rotation.descriptor.generation(), rotation.descriptor.as_bytes());
    let (statement, roster) = (Some(rotation.statement.as_slice()), rotation.roster.as_slice());
    let next = NewGeneration { generation, descriptor, statement, version, roster };
    store.apply(clinic.vault, &[Change::Generation(next)]).await?;

    let new = follow(store, &old).await?;
    let fingerprint = brief(&new.pin().fingerprint().to_string());
    checks.holds(
        format!("clients follow to generation {generation}, whose fingerprint the custodians confirm: {fingerprint}"),
        new.pin().fingerprint() == rotation.descriptor.fingerprint(),
    );

    let by = Enroller::Root(&rotation.master);
    let task = RotationJob { step: PatientRotation { from: &old, master: &master, to: &new, by } };
    rewrap(checks, store, task, patients).await?;

    let shares: Vec<String> = rotation.shares.iter().map(|share| share.to_text().expose().to_owned()).collect();
    let retired = retire(checks, (&old, &new), store, &shares, patients).await?;
    old_shares(checks, (&old, &new), store, &master, clinic, patients).await?;
    clinic.shares = shares;
    clinic.pin = new.pin().clone();
    Ok(retired)
}

/// What every client does, once: it looks in the database for the generation that follows its own.
async fn follow(store: &impl Store, old: &Vault) -> Outcome<Vault> {
    let id = old.descriptor().vault();
    let stored = store.generations(id).await?;
    let candidates = stored.iter().filter_map(|next| Some((next.descriptor.as_slice(), next.statement.as_deref()?)));
    let successor = old.descriptor().successor(candidates)?;
    let next = stored.iter().find(|next| next.generation == successor.generation());
    let roster = &next.ok_or("the generation is not in the database")?.roster;
    Ok(old.follow(successor, roster, store.members(id).await?)?)
}

/// The job over every patient. Its first worker does not come to the end; the second one goes on where that one was.
async fn rewrap(checks: &mut Checks, store: &SqliteStore, task: RotationJob<'_>, patients: &[&str]) -> Outcome<()> {
    let begin = Instant::now();
    let (half, all) = (patients.len() / 2, patients.len());
    let first = work(store, task, all, half).await?;
    let second = work(store, task, all, usize::MAX).await?;
    let seconds = begin.elapsed().as_secs_f64();

    let once = |progress: &&Progress| progress.written == 1 && progress.findings.is_empty();
    let rewrapped = first.iter().chain(&second).filter(once).map(|progress| progress.patient.as_slice());
    let rewrapped: HashSet<&[u8]> = rewrapped.collect();
    let expected: HashSet<&[u8]> = patients.iter().map(|patient| patient.as_bytes()).collect();
    let vault = task.step.from.descriptor().vault();
    let done = JobState { kind: JobKind::Rotation, open: 0, done: all as u64, failed: 0, held_until: 0 };
    checks.holds(
        format!(
            "interrupted after {} patients and run again: each of {} was re-wrapped, once",
            count(half),
            count(all)
        ),
        (first.len(), first.len() + second.len()) == (half, all)
            && rewrapped == expected
            && store.job(vault, JOB).await?.as_ref() == Some(&done),
    );
    fact(format!("in {seconds:.3} seconds; no record was read for it"));
    Ok(())
}

/// One worker, who stops after so many patients at the latest.
async fn work(store: &SqliteStore, task: RotationJob<'_>, all: usize, most: usize) -> Outcome<Vec<Progress>> {
    let vault = task.step.from.descriptor().vault();
    let worker = Worker { store, vault, job: JOB, lease: Duration::from_secs(60), clock: SystemTime::now };
    let progress = bar("re-wrapping", all);
    progress.set_position(store.job(vault, JOB).await?.map_or(0, |state| state.done));
    let mut stream = pin!(worker.run(task).take(most));
    let mut done = Vec::new();
    while let Some(patient) = stream.next().await {
        done.push(patient?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(done)
}

/// How many patients have something of a generation in the database.
async fn endorsed_by(store: &impl Store, vault: &Vault, patients: &[&str]) -> Outcome<usize> {
    let mut endorsed = 0;
    for patient in patients {
        let stored = people::stored(store, vault, patient).await?;
        endorsed += usize::from(stored.endorsed(vault.descriptor().generation()).is_some());
    }
    Ok(endorsed)
}

/// Works off the list, and then deletes what the old generation has of the patients.
async fn retire(
    checks: &mut Checks,
    (old, new): (&Vault, &Vault),
    store: &impl Store,
    shares: &[String],
    patients: &[&str],
) -> Outcome<Retired> {
    let mut cards = Vec::new();
    for patient in patients {
        cards.push(people::card(new, patient, &people::stored(store, new, patient).await?)?.id());
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
    let before = endorsed_by(store, old, patients).await?;
    store.apply(new.descriptor().vault(), &[Change::Retire { generation: retired.generation(), losing: &[] }]).await?;
    let after = endorsed_by(store, old, patients).await?;
    checks.holds(
        format!("7 new shares read back, 3 old ones destroyed, {} old master grants deleted", count(before - after)),
        (before, after) == (patients.len(), 0),
    );
    Ok(retired)
}

/// What the old shares do after that, even all of them.
async fn old_shares(
    checks: &mut Checks,
    (old, new): (&Vault, &Vault),
    store: &impl Store,
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
    let stored = people::stored(store, new, patient).await?;
    let card = people::card(new, patient, &stored)?;
    let attempt = new.break_glass(&card, master).map_err(Into::into);
    let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongRecipient { .. }));
    checks.refused("a thief had three old shares, and has the new master grant of a patient", attempt, reason);
    let grant = stored.master_grant(card.id(), new.descriptor().generation()).ok_or("no master grant")?;
    let grant = readdressed(grant, master);
    let with = GrantKey::Master { key: master, grant: &grant };
    let attempt = old.open_remembered(PatientId::new(*patient)?, &stored.card_bytes(), card.id(), &with);
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
pub(crate) async fn read_on(
    checks: &mut Checks,
    store: &impl Store,
    clinic: &Clinic,
    aalto: &MemberKey,
    (patients, notes): (&[&str], &Notes),
) -> Outcome<()> {
    let vault = people::load(store, clinic).await?;
    let (mut same, mut expected) = (0, 0);
    let progress = bar("reading", patients.len());
    for patient in patients {
        let key = match people::key(store, &vault, &clinic.salo, patient).await? {
            Some(key) => key,
            None => people::key(store, &vault, aalto, patient).await?.ok_or("a grant is missing")?,
        };
        same += people::compare(store, &vault, &key, (patient, notes), &mut Timing::default()).await?;
        expected += notes.of(patient).count();
        progress.inc(1);
    }
    progress.finish_and_clear();
    let (got, all) = (count(same), count(expected));
    let text = format!("meanwhile Dr Salo and Dr Aalto read {got} of {all} notes of all others, byte for byte");
    checks.holds(text, same == expected);
    Ok(())
}
