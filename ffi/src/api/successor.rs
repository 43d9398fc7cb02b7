//! How a client gets to the next generation.

use lukko::{PinnedDescriptor, Successor, Vault};

use super::{give, put, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::handle::{Locked, get};
use crate::object::{lukko_pinned, lukko_successor, lukko_vault};

type Held = Locked<Option<Successor>>;

/// Looks for the generation after this one among descriptors and rotation statements, in pairs, as they are stored.
///
/// @param pinned the pinned descriptor
/// @param descriptors,statements the pairs: two lists of `count` elements each
/// @param count how many pairs
/// @param out_successor the successor; free it with lukko_free
/// @return LUKKO_E_CONFLICT if two are valid: then custodians of both must be heard
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pinned_successor(
    pinned: lukko_pinned,
    descriptors: Ref<'_, lukko_bytes<'_>>,
    statements: Ref<'_, lukko_bytes<'_>>,
    count: usize,
    out_successor: Slot<'_, lukko_successor>,
) -> i32 {
    give(out_successor, || {
        let pinned = get::<PinnedDescriptor>(pinned)?;
        let pairs = descriptors.list(count)?.into_iter().zip(statements.list(count)?);
        Ok(Locked::new(Some(pinned.successor(pairs)?)))
    })
}

/// The fingerprint of the next descriptor, to be compared with what the custodians say.
///
/// @param successor the successor
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_successor_fingerprint(
    successor: lukko_successor,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Held>(successor)?.with_unspent(|successor| out.write(successor.fingerprint().as_bytes()))
    })
}

/// The next generation.
///
/// @param successor the successor
/// @param out_generation from 2
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_successor_generation(successor: lukko_successor, out_generation: Slot<'_, u32>) -> i32 {
    put(out_generation, || get::<Held>(successor)?.with_unspent(|successor| Ok(successor.generation())))
}

/// Follows to the next generation: an explicit act. Store the new vault's pin. The old vault stays usable until its
/// generation is retired.
///
/// @param vault the vault
/// @param successor the successor of its generation; used up, whatever the answer is
/// @param roster,roster_len the new generation's roster
/// @param entries,entry_count the members' entries, in any order
/// @param out_vault the vault in the new generation; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_follow(
    vault: lukko_vault,
    successor: lukko_successor,
    roster: In<'_>,
    roster_len: usize,
    entries: Ref<'_, lukko_bytes<'_>>,
    entry_count: usize,
    out_vault: Slot<'_, lukko_vault>,
) -> i32 {
    give(out_vault, || {
        let (vault, successor) = (get::<Vault>(vault)?, get::<Held>(successor)?);
        let (roster, entries) = (roster.some(roster_len)?, entries.list(entry_count)?);
        Ok(vault.follow(successor.spend()?, roster, entries)?)
    })
}
