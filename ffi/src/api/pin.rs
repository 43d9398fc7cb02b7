//! Pins.

use lukko::{Descriptor, Fingerprint, Pin, Successor};

use super::{give, put, write};
use crate::buffer::{In, Slot};
use crate::handle::{self, Locked, get};
use crate::object::{lukko_descriptor, lukko_pin, lukko_pinned, lukko_successor};

/// Pins a vault for the first time.
///
/// @param fingerprint,fingerprint_len the descriptor's fingerprint, 32 bytes that came by a trusted way: from paper, by
///   voice, from a configuration that only administrators write
/// @param descriptor the descriptor
/// @param out_pin the pin; free it with lukko_free
/// @return LUKKO_E_UNTRUSTED if the descriptor has another fingerprint
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_new(
    fingerprint: In<'_>,
    fingerprint_len: usize,
    descriptor: lukko_descriptor,
    out_pin: Slot<'_, lukko_pin>,
) -> i32 {
    give(out_pin, || {
        let trusted = Fingerprint::from_bytes(*fingerprint.array(fingerprint_len)?);
        Ok(Pin::new(trusted, &*get::<Descriptor>(descriptor)?)?)
    })
}

/// Reads a stored pin.
///
/// @param pin,pin_len 112 bytes
/// @param out_pin the pin; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_from_bytes(pin: In<'_>, pin_len: usize, out_pin: Slot<'_, lukko_pin>) -> i32 {
    give(out_pin, || Ok(Pin::from_bytes(pin.some(pin_len)?)?))
}

/// The pin in bytes. Store it where whoever can write the database cannot, and again after each roster.
///
/// @param pin the pin
/// @param out 112 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_bytes(
    pin: lukko_pin,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Pin>(pin)?.to_bytes()))
}

/// The fingerprint of the pinned descriptor.
///
/// @param pin the pin
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_fingerprint(
    pin: lukko_pin,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Pin>(pin)?.fingerprint().as_bytes()))
}

/// The generation of the pinned descriptor.
///
/// @param pin the pin
/// @param out_generation from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_generation(pin: lukko_pin, out_generation: Slot<'_, u32>) -> i32 {
    put(out_generation, || Ok(get::<Pin>(pin)?.generation()))
}

/// The version of the last roster that was seen.
///
/// @param pin the pin
/// @param out_version 0 if none was
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_roster_version(pin: lukko_pin, out_version: Slot<'_, u64>) -> i32 {
    put(out_version, || Ok(get::<Pin>(pin)?.roster_version()))
}

/// Makes a descriptor a pinned one, if it is the one that is remembered.
///
/// @param pin the pin
/// @param descriptor the descriptor
/// @param out_pinned the pinned descriptor; free it with lukko_free
/// @return LUKKO_E_UNTRUSTED if it is another one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_check(
    pin: lukko_pin,
    descriptor: lukko_descriptor,
    out_pinned: Slot<'_, lukko_pinned>,
) -> i32 {
    give(out_pinned, || {
        let (pin, descriptor) = (get::<Pin>(pin)?, get::<Descriptor>(descriptor)?);
        Ok(pin.check(Descriptor::clone(&descriptor))?)
    })
}

/// Moves a pin forward to the next generation: an explicit act, once for each generation, and never back.
///
/// @param pin the pin; it stays as it is
/// @param successor the successor of the pinned generation; used up, whatever the answer is
/// @param out_pin the new pin, to be stored; free it with lukko_free
/// @param out_pinned the next descriptor; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_pin_follow(
    pin: lukko_pin,
    successor: lukko_successor,
    out_pin: Slot<'_, lukko_pin>,
    out_pinned: Slot<'_, lukko_pinned>,
) -> i32 {
    put((out_pin, out_pinned), || {
        let mut moved = Pin::clone(&*get::<Pin>(pin)?);
        let successor = get::<Locked<Option<Successor>>>(successor)?;
        let pinned = handle::insert(moved.follow(successor.spend()?)?.into())?;
        let moved = handle::insert(moved.into());
        if moved.is_err() {
            handle::remove(pinned)?;
        }
        Ok((moved?, pinned))
    })
}
