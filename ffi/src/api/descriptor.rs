//! Descriptors, parsed and pinned.

use lukko::{Descriptor, MemberEntry, MemberId, OsRng, PinnedDescriptor, Share};

use super::{give, put, run, write};
use crate::buffer::{In, Slot};
use crate::handle::get;
use crate::object::{lukko_descriptor, lukko_entry, lukko_member, lukko_pinned, lukko_share};
use crate::output::Fault;
use crate::values::lukko_share_fault;

/// Reads a descriptor. Nothing accepts it before lukko_pin_check has made it a pinned one.
///
/// @param descriptor,descriptor_len as it is stored: 1,324 + 32 n bytes with X-Wing, 140 + 32 n with X25519
/// @param out_descriptor the descriptor; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_parse(
    descriptor: In<'_>,
    descriptor_len: usize,
    out_descriptor: Slot<'_, lukko_descriptor>,
) -> i32 {
    give(out_descriptor, || Ok(Descriptor::parse(descriptor.some(descriptor_len)?)?))
}

/// The descriptor's bytes, to be stored and handed to clients.
///
/// @param descriptor the descriptor
/// @param out as lukko_descriptor_parse reads it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_bytes(
    descriptor: lukko_descriptor,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Descriptor>(descriptor)?.as_bytes()))
}

/// The fingerprint over all of a descriptor: what people compare and clients pin.
///
/// @param descriptor the descriptor
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_fingerprint(
    descriptor: lukko_descriptor,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Descriptor>(descriptor)?.fingerprint().as_bytes()))
}

/// The id of the vault.
///
/// @param descriptor the descriptor
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_vault_id(
    descriptor: lukko_descriptor,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Descriptor>(descriptor)?.vault().as_bytes()))
}

/// The fingerprint by which grants name the master key.
///
/// @param descriptor the descriptor
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_master_fingerprint(
    descriptor: lukko_descriptor,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        out.write(get::<Descriptor>(descriptor)?.master_fingerprint().as_bytes())
    })
}

/// The suite of the vault.
///
/// @param descriptor the descriptor
/// @param out_suite LUKKO_SUITE_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_suite(descriptor: lukko_descriptor, out_suite: Slot<'_, u32>) -> i32 {
    put(out_suite, || Ok(get::<Descriptor>(descriptor)?.suite().kem_id().into()))
}

/// The generation of the master secret.
///
/// @param descriptor the descriptor
/// @param out_generation from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_generation(
    descriptor: lukko_descriptor,
    out_generation: Slot<'_, u32>,
) -> i32 {
    put(out_generation, || Ok(get::<Descriptor>(descriptor)?.generation()))
}

/// How many shares open the vault, and how many there are.
///
/// @param descriptor the descriptor
/// @param out_k,out_n the two numbers
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_descriptor_policy(
    descriptor: lukko_descriptor,
    out_k: Slot<'_, u32>,
    out_n: Slot<'_, u32>,
) -> i32 {
    put((out_k, out_n), || {
        let descriptor = get::<Descriptor>(descriptor)?;
        Ok((descriptor.k().into(), descriptor.n().into()))
    })
}

/// The descriptor in a pinned one.
///
/// @param pinned the pinned descriptor
/// @param out_descriptor the descriptor; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pinned_descriptor(
    pinned: lukko_pinned,
    out_descriptor: Slot<'_, lukko_descriptor>,
) -> i32 {
    give(out_descriptor, || Ok(Descriptor::clone(&*get::<PinnedDescriptor>(pinned)?)))
}

/// Draws the keys of a new member. The registrar admits the entry: lukko_member_entry.
///
/// @param pinned the pinned descriptor
/// @param id,id_len the member's id, 1 to 255 bytes
/// @param out_member the member's keys; free them with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pinned_new_member(
    pinned: lukko_pinned,
    id: In<'_>,
    id_len: usize,
    out_member: Slot<'_, lukko_member>,
) -> i32 {
    give(out_member, || {
        let pinned = get::<PinnedDescriptor>(pinned)?;
        Ok(pinned.new_member(MemberId::new(id.some(id_len)?)?, &mut OsRng)?)
    })
}

/// Restores a member's keys from the seed.
///
/// @param pinned the pinned descriptor
/// @param id,id_len the member's id, as it was when the keys were made
/// @param seed,seed_len 32 bytes; wipe them afterwards
/// @param out_member the member's keys; free them with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pinned_member_from_seed(
    pinned: lukko_pinned,
    id: In<'_>,
    id_len: usize,
    seed: In<'_>,
    seed_len: usize,
    out_member: Slot<'_, lukko_member>,
) -> i32 {
    give(out_member, || {
        let (pinned, seed) = (get::<PinnedDescriptor>(pinned)?, seed.array(seed_len)?);
        Ok(pinned.member_from_seed(MemberId::new(id.some(id_len)?)?, seed)?)
    })
}

/// Reads a member's entry and verifies its own signature. Who made it, only the fingerprint says: compare it with the
/// person before it is admitted.
///
/// @param pinned the pinned descriptor
/// @param entry,entry_len the entry
/// @param out_entry the verified entry; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pinned_verify_entry(
    pinned: lukko_pinned,
    entry: In<'_>,
    entry_len: usize,
    out_entry: Slot<'_, lukko_entry>,
) -> i32 {
    give(out_entry, || {
        let pinned = get::<PinnedDescriptor>(pinned)?;
        Ok(MemberEntry::verify(entry.some(entry_len)?, &pinned)?)
    })
}

/// Checks one share alone, years later too: is it the one that was dealt under its index?
///
/// @param pinned the pinned descriptor
/// @param share the share
/// @param out_fault why it is refused, written with LUKKO_E_SHARE; may be NULL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pinned_check_share(
    pinned: lukko_pinned,
    share: lukko_share,
    out_fault: Slot<'_, lukko_share_fault>,
) -> i32 {
    run(Fault(out_fault), || {
        let (pinned, share) = (get::<PinnedDescriptor>(pinned)?, get::<Share>(share)?);
        out_fault.explain(pinned.check_share(&share))
    })
}
