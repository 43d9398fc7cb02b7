//! Break-glass: three custodians of five open what no therapist can.

use lukko::error::{Object, ShareFault};
use lukko::{Error, MasterKey, Recovery, Share, Vault};

use crate::people::Clinic;
use crate::report::{Checks, Outcome, fact};

/// Recovers the master key, after showing what does not do.
pub(crate) fn recover(checks: &mut Checks, vault: &Vault, clinic: &Clinic) -> Outcome<MasterKey> {
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
