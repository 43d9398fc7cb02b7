//! When an old generation may be given up.

use lukko::{PinnedDescriptor, Retired, Retirement, Share};

use super::{give, put, run, write};
use crate::buffer::{In, Slot};
use crate::error::Result;
use crate::handle::{Locked, get};
use crate::object::{Retiring, lukko_pinned, lukko_retired, lukko_retirement, lukko_share};
use crate::output::Fault;
use crate::values::{self, lukko_share_fault};

/// Begins the retirement of an old generation, with every card whose master grant it opens. Until lukko_retirement_finish
/// succeeds, the old shares, master grants and endorsements must be kept.
///
/// @param old,next the two pinned descriptors; they may be freed before the retirement
/// @param cards,cards_len ids of cards, 32 bytes each, one behind the other: see lukko_vault_card_ids
/// @param out_retirement the retirement; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_new(
    old: lukko_pinned,
    next: lukko_pinned,
    cards: In<'_>,
    cards_len: usize,
    out_retirement: Slot<'_, lukko_retirement>,
) -> i32 {
    give(out_retirement, || {
        let generations = (get::<PinnedDescriptor>(old)?, get::<PinnedDescriptor>(next)?);
        let cards = values::card_ids(cards, cards_len)?;
        let retiring = Retiring::try_new(generations, |(old, next)| Retirement::new(old, next, cards))?;
        Ok(Locked::new(retiring))
    })
}

/// Notes that a custodian's new share was read back and is the one that was dealt.
///
/// @param retirement the retirement
/// @param share the share
/// @param out_fault why it is refused, written with LUKKO_E_SHARE; may be NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_confirm_share(
    retirement: lukko_retirement,
    share: lukko_share,
    out_fault: Slot<'_, lukko_share_fault>,
) -> i32 {
    run(Fault(out_fault), || {
        let share = get::<Share>(share)?;
        change(retirement, |retirement| out_fault.explain(retirement.confirm_share(&share)))
    })
}

/// Notes that a patient's master grant was re-wrapped and the card endorsed for the new generation.
///
/// @param retirement the retirement
/// @param card,card_len the card's id, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_patient_done(
    retirement: lukko_retirement,
    card: In<'_>,
    card_len: usize,
) -> i32 {
    run((), || {
        let card = values::card_id(card, card_len)?;
        change(retirement, |retirement| {
            retirement.patient_done(card);
            Ok(())
        })
    })
}

/// Notes that this was not possible. The card stays on the list that lukko_retired_failed gives.
///
/// @param retirement the retirement
/// @param card,card_len the card's id, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_patient_failed(
    retirement: lukko_retirement,
    card: In<'_>,
    card_len: usize,
) -> i32 {
    run((), || {
        let card = values::card_id(card, card_len)?;
        change(retirement, |retirement| {
            retirement.patient_failed(card);
            Ok(())
        })
    })
}

/// Notes that a custodian confirmed the destruction of an old share, in all of its copies.
///
/// @param retirement the retirement
/// @param index the old share's index, 1 to n
/// @return LUKKO_E_SHARE for an index that no old share has
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_confirm_destroyed(retirement: lukko_retirement, index: u32) -> i32 {
    run((), || {
        let index = values::index(index)?;
        change(retirement, |retirement| Ok(retirement.confirm_destroyed(index)?))
    })
}

/// Takes the note of a destruction back: the custodian did not say so, or found another copy of the share. An index that
/// was not noted changes nothing.
///
/// @param retirement the retirement
/// @param index the old share's index, 1 to n
/// @return LUKKO_E_VALUE for an index above 255
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_withdraw_destroyed(retirement: lukko_retirement, index: u32) -> i32 {
    run((), || {
        let index = values::index(index)?;
        change(retirement, |retirement| {
            retirement.withdraw_destroyed(index);
            Ok(())
        })
    })
}

/// What is still missing.
///
/// @param retirement the retirement
/// @param out_shares how many new shares nobody has checked
/// @param out_patients how many patients are neither done nor failed
/// @param out_destructions how many more old shares must be destroyed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_missing(
    retirement: lukko_retirement,
    out_shares: Slot<'_, usize>,
    out_patients: Slot<'_, usize>,
    out_destructions: Slot<'_, usize>,
) -> i32 {
    put((out_shares, out_patients, out_destructions), || {
        let missing = change(retirement, |retirement| Ok(retirement.missing()))?;
        Ok((missing.unchecked_shares.len(), missing.patients.len(), missing.destructions.into()))
    })
}

/// The new shares that nobody has checked.
///
/// @param retirement the retirement
/// @param out their indices, one byte each
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_missing_shares(
    retirement: lukko_retirement,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let missing = change(retirement, |retirement| Ok(retirement.missing()))?;
        out.write(&missing.unchecked_shares)
    })
}

/// The cards that are neither done nor failed.
///
/// @param retirement the retirement
/// @param out their ids, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_missing_patients(
    retirement: lukko_retirement,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let missing = change(retirement, |retirement| Ok(retirement.missing()))?;
        out.write_ids(missing.patients.iter().map(|card| card.as_bytes()))
    })
}

/// Retires the old generation, if nothing is missing.
///
/// @param retirement the retirement
/// @param out_retired the retired generation, for receipts; free it with lukko_free
/// @return LUKKO_E_NOT_YET: lukko_retirement_missing says why
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retirement_finish(
    retirement: lukko_retirement,
    out_retired: Slot<'_, lukko_retired>,
) -> i32 {
    give(out_retired, || change(retirement, |retirement| Ok(retirement.finish()?)))
}

/// The generation that was retired.
///
/// @param retired the retired generation
/// @param out_generation its number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retired_generation(retired: lukko_retired, out_generation: Slot<'_, u32>) -> i32 {
    put(out_generation, || Ok(get::<Retired>(retired)?.generation()))
}

/// The cards that no quorum opens any more.
///
/// @param retired the retired generation
/// @param out their ids, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_retired_failed(
    retired: lukko_retired,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        out.write_ids(get::<Retired>(retired)?.failed().iter().map(|card| card.as_bytes()))
    })
}

fn change<R>(retirement: lukko_retirement, change: impl FnOnce(&mut Retirement<'_>) -> Result<R>) -> Result<R> {
    get::<Locked<Retiring>>(retirement)?
        .with(|retiring| retiring.with_dependent_mut(|_, retirement| change(retirement)))
}
