//! Members' keys and entries.

use lukko::{MemberEntry, MemberKey};

use super::write;
use crate::buffer::Slot;
use crate::handle::get;
use crate::object::{lukko_entry, lukko_member};

/// A member's self-signed entry, for the registrar to admit and for the store to keep.
///
/// @param member the member's keys
/// @param out 1,351 bytes and the member's id with X-Wing, 167 and the id with X25519
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_member_entry(
    member: lukko_member,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MemberKey>(member)?.entry()))
}

/// The fingerprint of a member's id and keys: what the registrar compares with the member.
///
/// @param member the member's keys
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_member_fingerprint(
    member: lukko_member,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MemberKey>(member)?.fingerprint().as_bytes()))
}

/// The seed of a member's keys, for storage where only the member reads it.
///
/// @param member the member's keys
/// @param out 32 secret bytes; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_member_seed(
    member: lukko_member,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MemberKey>(member)?.seed().expose()))
}

/// The id in a verified entry, as the member gave it.
///
/// @param entry the entry
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_entry_id(
    entry: lukko_entry,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MemberEntry>(entry)?.id()))
}

/// The fingerprint of a verified entry: how rosters, grants and signatures name the member.
///
/// @param entry the entry
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_entry_fingerprint(
    entry: lukko_entry,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<MemberEntry>(entry)?.fingerprint().as_bytes()))
}
