//! Break-glass: three custodians of five open what no therapist can.

use lukko::error::{Object, ShareFault};
use lukko::{Error, MasterKey, MemberId, MemberKey, OsRng, PatientId, Recovery, Roles, Share, Vault};
use lukko_store::{Change, NewGrant, Store};

use crate::notes::Notes;
use crate::people::{self, Clinic};
use crate::report::{Checks, Outcome, Timing, fact};

/// Custodians meet and type in their shares: the first k of them make a quorum.
pub(crate) fn open(vault: &Vault, shares: &[String]) -> Outcome<MasterKey> {
    let mut recovery = Recovery::new(vault.descriptor());
    for share in shares.iter().take(vault.descriptor().k().into()) {
        recovery.add(Share::from_text(share)?)?;
    }
    Ok(recovery.finish()?)
}

/// A quorum reads the patient that was left alone, and grants it to a new therapist. Gives her key, and how many notes
/// were read.
pub(crate) async fn break_the_glass(
    checks: &mut Checks,
    store: &impl Store,
    clinic: &mut Clinic,
    (notes, left_alone): (&Notes, Option<&str>),
) -> Outcome<(MemberKey, usize)> {
    let mut vault = people::load(store, clinic).await?;
    let master = recover(checks, &vault, clinic)?;
    let patient = left_alone.or(notes.patients().next()).ok_or("there are no notes")?;
    let card = people::card(&vault, patient, &people::stored(store, &vault, patient).await?)?;
    let key = vault.break_glass(&card, &master)?;
    drop(master);
    let all = notes.of(patient).count();
    let read = people::compare(store, &vault, &key, (patient, notes), &mut Timing::default()).await?;
    let whose = if left_alone.is_some() { "a patient that no therapist could open" } else { "the only patient" };
    checks.holds(format!("the quorum reads {read} of {all} notes of {whose}"), read == all);

    let aalto = vault.descriptor().new_member(MemberId::new("dr-aalto")?, &mut OsRng)?;
    let mut draft = vault.roster().next()?;
    people::admit(&mut draft, &aalto, Roles::READ, vault.descriptor())?;
    people::publish(store, &mut vault, clinic, draft, &[people::member(&aalto)]).await?;
    clinic.pin = vault.pin().clone();
    let grant = vault.grant(&key, aalto.fingerprint(), &mut OsRng)?;
    let change = Change::Grant(NewGrant::new(PatientId::new(patient)?, &grant)?);
    store.apply(clinic.vault, &[change]).await?;
    let key = people::key(store, &vault, &aalto, patient).await?.ok_or("a grant is missing")?;
    let again = people::compare(store, &vault, &key, (patient, notes), &mut Timing::default()).await?;
    checks.holds("and grants the patient to Dr Aalto, who reads on", again == all);
    Ok((aalto, read))
}

/// Recovers the master key, after showing what does not do.
fn recover(checks: &mut Checks, vault: &Vault, clinic: &Clinic) -> Outcome<MasterKey> {
    let mut recovery = Recovery::new(vault.descriptor());
    let share = |number: usize| Share::from_text(&clinic.shares[number]);
    recovery.add(share(0)?)?;
    let progress = recovery.add(share(3)?)?;
    fact(format!("custodians 1 and 4 have come: {} of {} shares", progress.have, progress.need));
    let reason = |error: &Error| *error == Error::NotEnoughShares { have: 2, need: 3 };
    checks.refused("they try with two shares", recovery.finish().map_err(Into::into), reason);

    let mut mistyped = clinic.shares[4].clone();
    let wrong = if &mistyped[40..41] == "q" { "p" } else { "q" };
    mistyped.replace_range(40..41, wrong);
    let reason =
        |error: &Error| matches!(error, Error::Malformed { object: Object::ShareText, field: "character", offset: 40 });
    checks.refused("custodian 5 types one wrong character", Share::from_text(&mistyped).map_err(Into::into), reason);

    // A forger would make the text's checksum right; the descriptor still knows which value was dealt.
    let mut bytes = share(4)?.to_bytes().expose().to_vec();
    bytes[60] ^= 1;
    let forged = Share::from_bytes(&bytes).and_then(|share| recovery.add(share));
    let reason = |error: &Error| *error == Error::Share { index: 5, reason: ShareFault::Value };
    checks.refused("custodian 5 brings a forged share, one bit off", forged.map_err(Into::into), reason);
    let reason = |error: &Error| *error == Error::Share { index: 1, reason: ShareFault::Duplicate };
    checks.refused("custodian 1 comes twice", recovery.add(share(0)?).map_err(Into::into), reason);

    let progress = recovery.add(share(4)?)?;
    checks.holds(format!("{} of {} shares: the glass breaks", progress.have, progress.need), progress.have == 3);
    Ok(recovery.finish()?)
}
