//! Receipts of erasures: which copies are dead, and since when.

use lukko::{ErasureReceipt, Retired, Vault};

use super::vault::at as element;
use super::{put, run, write};
use crate::buffer::{In, Slot};
use crate::error::Result;
use crate::handle::{Locked, get};
use crate::object::{lukko_receipt, lukko_retired, lukko_vault};
use crate::values::{self, lukko_sources};

/// The closed cards. They are random and name nobody.
///
/// @param receipt the receipt
/// @param out their ids, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_cards(
    receipt: lukko_receipt,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        with(receipt, |receipt| out.write_ids(receipt.cards().iter().map(|card| card.as_bytes())))
    })
}

/// When the cards were closed: since then every copy that never held this patient's grants is dead.
///
/// @param receipt the receipt
/// @param out_time seconds since 1970-01-01 UTC
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_closed(receipt: lukko_receipt, out_time: Slot<'_, u64>) -> i32 {
    put(out_time, || with(receipt, |receipt| Ok(receipt.closed())))
}

/// How many generations and how many members' keys are on a receipt.
///
/// @param receipt the receipt
/// @param out_generations,out_keys the two numbers
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_count(
    receipt: lukko_receipt,
    out_generations: Slot<'_, usize>,
    out_keys: Slot<'_, usize>,
) -> i32 {
    put((out_generations, out_keys), || {
        with(receipt, |receipt| Ok((receipt.generations().len(), receipt.keys().len())))
    })
}

/// A generation on a receipt.
///
/// @param receipt the receipt
/// @param at which one, from 0
/// @param out_generation its number
/// @param out_is_retired 1 if it was retired, else 0
/// @param out_time when, in seconds since 1970-01-01 UTC; 0 if it was not
/// @return LUKKO_E_VALUE past the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_generation(
    receipt: lukko_receipt,
    at: usize,
    out_generation: Slot<'_, u32>,
    out_is_retired: Slot<'_, u32>,
    out_time: Slot<'_, u64>,
) -> i32 {
    put((out_generation, out_is_retired, out_time), || {
        let (generation, retired) = with(receipt, |receipt| element(receipt.generations(), at).copied())?;
        Ok((generation, retired.is_some().into(), retired.unwrap_or(0)))
    })
}

/// The members' keys that were granted the patient.
///
/// @param receipt the receipt
/// @param out their fingerprints, 32 bytes each, one behind the other, in the order of lukko_receipt_key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_keys(
    receipt: lukko_receipt,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        with(receipt, |receipt| out.write_ids(receipt.keys().iter().map(|(key, _)| key.as_bytes())))
    })
}

/// What became of a member's key on a receipt.
///
/// @param receipt the receipt
/// @param at which one, from 0
/// @param out_is_destroyed 1 if it was destroyed, else 0
/// @param out_time when, in seconds since 1970-01-01 UTC; 0 if it was not
/// @return LUKKO_E_VALUE past the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_key(
    receipt: lukko_receipt,
    at: usize,
    out_is_destroyed: Slot<'_, u32>,
    out_time: Slot<'_, u64>,
) -> i32 {
    put((out_is_destroyed, out_time), || {
        let (_, destroyed) = with(receipt, |receipt| element(receipt.keys(), at).copied())?;
        Ok((destroyed.is_some().into(), destroyed.unwrap_or(0)))
    })
}

/// What the generations and keys on a receipt were taken from. Nothing on the receipt can tell of a grant that was deleted
/// before anybody saw it.
///
/// @param receipt the receipt
/// @param out_sources the counts
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_sources(receipt: lukko_receipt, out_sources: Slot<'_, lukko_sources>) -> i32 {
    put(out_sources, || with(receipt, |receipt| Ok(receipt.sources().into())))
}

/// Whether every copy inside the vault's reach is dead, as far as the sources show.
///
/// @param receipt the receipt
/// @param out_is_complete 1 or 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_is_complete(receipt: lukko_receipt, out_is_complete: Slot<'_, u32>) -> i32 {
    put(out_is_complete, || with(receipt, |receipt| Ok(receipt.is_complete().into())))
}

/// Notes that one of the generations up to the erasure has been retired.
///
/// @param receipt the receipt
/// @param retired the retired generation
/// @param now the time, in seconds since 1970-01-01 UTC, at most LUKKO_TIME_MAX
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_note_retired(receipt: lukko_receipt, retired: lukko_retired, now: u64) -> i32 {
    run((), || {
        let (retired, now) = (get::<Retired>(retired)?, values::time(now)?);
        with(receipt, |receipt| Ok(receipt.note_retired(&retired, now)?))
    })
}

/// Notes that a member confirmed the destruction of a key that was granted the patient.
///
/// @param receipt the receipt
/// @param vault the vault
/// @param key,key_len the fingerprint of the key, 32 bytes
/// @param now the time, in seconds since 1970-01-01 UTC, at most LUKKO_TIME_MAX
/// @return LUKKO_E_NOT_YET while the roster lists the key as active
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_note_key_destroyed(
    receipt: lukko_receipt,
    vault: lukko_vault,
    key: In<'_>,
    key_len: usize,
    now: u64,
) -> i32 {
    run((), || {
        let (vault, key, now) = (get::<Vault>(vault)?, values::key_fingerprint(key, key_len)?, values::time(now)?);
        with(receipt, |receipt| Ok(receipt.note_key_destroyed(&vault, key, now)?))
    })
}

/// The receipt as English text, for a person.
///
/// @param receipt the receipt
/// @param out UTF-8, without a NUL behind it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_receipt_text(
    receipt: lukko_receipt,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| with(receipt, |receipt| out.write(receipt.to_string().as_bytes())))
}

fn with<R>(receipt: lukko_receipt, call: impl FnOnce(&mut ErasureReceipt) -> Result<R>) -> Result<R> {
    get::<Locked<ErasureReceipt>>(receipt)?.with(call)
}
