//! Recovery of the master key, one share at a time.

use lukko::{PinnedDescriptor, Recovery, Share};

use super::{give, put, run};
use crate::buffer::Slot;
use crate::error::Result;
use crate::handle::{Locked, get};
use crate::object::{Recovering, lukko_master, lukko_pinned, lukko_recovery, lukko_share};
use crate::output::Fault;
use crate::values::{self, lukko_share_fault};

/// Begins a recovery of the pinned generation. What it collects is wiped when it is freed.
///
/// @param pinned the pinned descriptor; it may be freed before the recovery
/// @param out_recovery the recovery; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recovery_new(pinned: lukko_pinned, out_recovery: Slot<'_, lukko_recovery>) -> i32 {
    give(out_recovery, || {
        let pinned = get::<PinnedDescriptor>(pinned)?;
        Ok(Locked::new(Recovering::new(pinned, |pinned| Recovery::new(pinned))))
    })
}

/// Takes one share, or refuses it at once and says why; a refused share changes nothing. More than k may be given:
/// lukko_recovery_finish then checks that all of them fit together.
///
/// @param recovery the recovery
/// @param share the share; it is copied and still to be freed
/// @param out_fault why it is refused, written with LUKKO_E_SHARE; may be NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recovery_add(
    recovery: lukko_recovery,
    share: lukko_share,
    out_fault: Slot<'_, lukko_share_fault>,
) -> i32 {
    run(Fault(out_fault), || {
        let recovery = get::<Locked<Recovering>>(recovery)?;
        let share = Share::from_bytes(get::<Share>(share)?.to_bytes().expose())?;
        recovery.with(|recovery| {
            out_fault.explain(recovery.with_dependent_mut(|_, recovery| recovery.add(share)))?;
            Ok(())
        })
    })
}

/// Takes one share out again, and wipes it: one that lukko_recovery_finish refused, or one whose custodian withdraws. The
/// others stay. An index that was not given changes nothing.
///
/// @param recovery the recovery
/// @param index the share's index, 1 to n
/// @return LUKKO_E_VALUE for an index above 255
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recovery_remove(recovery: lukko_recovery, index: u32) -> i32 {
    run((), || {
        let (recovery, index) = (get::<Locked<Recovering>>(recovery)?, values::index(index)?);
        recovery.with(|recovery| {
            recovery.with_dependent_mut(|_, recovery| recovery.remove(index));
            Ok(())
        })
    })
}

/// How far a recovery is.
///
/// @param recovery the recovery
/// @param out_have,out_need shares accepted so far, and shares needed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recovery_progress(
    recovery: lukko_recovery,
    out_have: Slot<'_, u32>,
    out_need: Slot<'_, u32>,
) -> i32 {
    put((out_have, out_need), || {
        let recovery = get::<Locked<Recovering>>(recovery)?;
        let progress = recovery.with(|recovery| Result::Ok(recovery.borrow_dependent().progress()))?;
        Ok((progress.have.into(), progress.need.into()))
    })
}

/// Recovers the master key. The key is given out only if its public halves are those of the pinned descriptor; the
/// shares are wiped then, and kept on an error.
///
/// @param recovery the recovery
/// @param out_master the master key; free it as soon as its work is done
/// @return LUKKO_E_NOT_ENOUGH_SHARES; LUKKO_E_SHARE if a further share does not fit the others
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recovery_finish(recovery: lukko_recovery, out_master: Slot<'_, lukko_master>) -> i32 {
    give(out_master, || {
        let recovery = get::<Locked<Recovering>>(recovery)?;
        recovery.with(|recovery| Ok(recovery.with_dependent_mut(|_, recovery| recovery.finish())?))
    })
}
