//! Shares, and the master key that they give.

use lukko::{MasterKey, Share};

use super::{put, run, write};
use crate::buffer::{In, Slot};
use crate::error::Result;
use crate::handle::{self, get};
use crate::object::{lukko_master, lukko_share};
use crate::output::Fault;
use crate::values::lukko_share_fault;

/// Reads a share. Whether it is the one that was dealt, says lukko_pinned_check_share.
///
/// @param share,share_len 75 secret bytes; wipe them afterwards
/// @param out_share the share; free it with lukko_free
/// @param out_fault what is wrong, written with LUKKO_E_MALFORMED; may be NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_from_bytes(
    share: In<'_>,
    share_len: usize,
    out_share: Slot<'_, lukko_share>,
    out_fault: Slot<'_, lukko_share_fault>,
) -> i32 {
    read(out_share, out_fault, || Ok(Share::from_bytes(share.some(share_len)?)))
}

/// Reads a share as a custodian types it, in UTF-8. White space, hyphens and marks that nobody sees are passed over; all
/// letters may be capitals, or the first one alone.
///
/// @param text,text_len 132 secret characters, without a NUL; wipe them afterwards
/// @param out_share the share; free it with lukko_free
/// @param out_fault which character is wrong, written with LUKKO_E_MALFORMED; may be NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_from_text(
    text: In<'_>,
    text_len: usize,
    out_share: Slot<'_, lukko_share>,
    out_fault: Slot<'_, lukko_share_fault>,
) -> i32 {
    read(out_share, out_fault, || Ok(share_of(text.some(text_len)?)))
}

fn read(
    out: Slot<'_, lukko_share>,
    out_fault: Slot<'_, lukko_share_fault>,
    parse: impl FnOnce() -> Result<lukko::Result<Share>>,
) -> i32 {
    run((out, Fault(out_fault)), || {
        let out = out.present()?;
        out.put(handle::insert(out_fault.explain(parse()?)?.into())?);
        Ok(())
    })
}

/// Text that is not UTF-8 is refused at the character where it stops being so.
fn share_of(text: &[u8]) -> lukko::Result<Share> {
    let (good, is_text) = match str::from_utf8(text) {
        Ok(text) => (text, true),
        Err(bad) => {
            (text.get(..bad.valid_up_to()).and_then(|good| str::from_utf8(good).ok()).unwrap_or_default(), false)
        }
    };
    if is_text {
        return Share::from_text(good);
    }
    let offset = good.chars().filter(|character| !character.is_whitespace()).count();
    Err(lukko::Error::Malformed { object: lukko::error::Object::ShareText, field: "character", offset })
}

/// The share in bytes.
///
/// @param share the share
/// @param out 75 secret bytes; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_bytes(
    share: lukko_share,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Share>(share)?.to_bytes().expose()))
}

/// The share as text, for paper.
///
/// @param share the share
/// @param out 132 secret characters that begin with `lukko1`, without a NUL behind them; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_text(
    share: lukko_share,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Share>(share)?.to_text().expose().as_bytes()))
}

/// The custodian's number.
///
/// @param share the share
/// @param out_index 1 to n
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_index(share: lukko_share, out_index: Slot<'_, u32>) -> i32 {
    put(out_index, || Ok(get::<Share>(share)?.index().into()))
}

/// The vault that the share says it is of.
///
/// @param share the share
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_vault_id(
    share: lukko_share,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Share>(share)?.vault().as_bytes()))
}

/// The generation that the share says it is of.
///
/// @param share the share
/// @param out_generation the generation
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_share_generation(share: lukko_share, out_generation: Slot<'_, u32>) -> i32 {
    put(out_generation, || Ok(get::<Share>(share)?.generation()))
}

/// The vault that a master key opens.
///
/// @param master the master key
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_master_vault_id(
    master: lukko_master,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MasterKey>(master)?.vault().as_bytes()))
}

/// The generation of a master key.
///
/// @param master the master key
/// @param out_generation from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_master_generation(master: lukko_master, out_generation: Slot<'_, u32>) -> i32 {
    put(out_generation, || Ok(get::<MasterKey>(master)?.generation()))
}

/// The fingerprint by which grants name a master key.
///
/// @param master the master key
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_master_fingerprint(
    master: lukko_master,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MasterKey>(master)?.fingerprint().as_bytes()))
}
