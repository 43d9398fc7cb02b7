//! Of use everywhere.

use core::ffi::{CStr, c_char, c_void};

use lukko::OsRng;

use super::{put, run, write};
use crate::buffer::{In, Slot};
use crate::error::CODES;
use crate::object::{Buffer, lukko_buffer, lukko_handle};
use crate::{handle, values};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the library that is running, such as `0.1.0`. Compare with `LUKKO_VERSION`.
///
/// @return a text that lives as long as the library. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn lukko_version() -> *const c_char {
    VERSION.as_ptr()
}

/// What a code means, in English.
///
/// @param code any number
/// @return a text that lives as long as the library. Never NULL, also for a number that is no code.
#[unsafe(no_mangle)]
pub extern "C" fn lukko_strerror(code: i32) -> *const c_char {
    CODES.iter().find(|(known, _)| *known == code).map_or(c"not a code of this library", |(_, text)| *text).as_ptr()
}

/// Frees a handle of any type. What it held is wiped, now or when the call that is using it in another thread is over.
///
/// @param handle what to free; 0 is nothing to free and no fault
/// @return LUKKO_E_HANDLE if it was freed before or never was one
#[unsafe(no_mangle)]
pub extern "C" fn lukko_free(handle: lukko_handle) -> i32 {
    run((), || if handle == 0 { Ok(()) } else { handle::remove(handle) })
}

/// How many handles are alive in this process: to find out whether all are freed.
///
/// @param out_count the number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_live_handles(out_count: Slot<'_, usize>) -> i32 {
    put(out_count, || Ok(handle::live()))
}

/// The length of a buffer.
///
/// @param buffer the buffer
/// @param out_len its length in bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_buffer_len(buffer: lukko_buffer, out_len: Slot<'_, usize>) -> i32 {
    put(out_len, || Ok(handle::get::<Buffer>(buffer)?.0.len()))
}

/// Copies a whole buffer.
///
/// @param buffer the buffer; it stays as it is until it is freed
/// @param out where to, `lukko_buffer_len` bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_buffer_read(
    buffer: lukko_buffer,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&handle::get::<Buffer>(buffer)?.0))
}

/// Writes zeros over secret bytes. A compiler does not leave this out, as it may leave out a memset.
///
/// @param bytes,bytes_len what to wipe; NULL with length 0 is nothing to wipe and no fault
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_wipe(bytes: Slot<'_, c_void>, bytes_len: usize) -> i32 {
    run((), || bytes.wipe(bytes_len))
}

/// Draws a random identifier that names nobody, for a patient or a record.
///
/// @param out 32 hexadecimal characters, without a NUL behind them
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_random_id(out: Slot<'_, u8>, out_capacity: usize, out_written: Slot<'_, usize>) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let out = out.require(32)?;
        out.write(lukko::random_id(&mut OsRng)?.as_bytes())
    })
}

/// The length of a note that `lukko_vault_seal` seals: 192 more than the padded note, and 16 more for each full 16 KiB.
///
/// @param note_len the length of the note in bytes
/// @param padding LUKKO_PADDING_...
/// @param out_len the length of the sealed note in bytes
/// @return LUKKO_E_USAGE if that is longer than memory
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_sealed_len(note_len: usize, padding: u32, out_len: Slot<'_, usize>) -> i32 {
    put(out_len, || Ok(lukko::sealed_len(note_len, values::padding(padding)?)?))
}

/// Which call opens a sealed note. Nothing is verified: it is what the bytes say of themselves.
///
/// @param record,record_len the sealed note
/// @param out_path LUKKO_PATH_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_path_of(record: In<'_>, record_len: usize, out_path: Slot<'_, u32>) -> i32 {
    put(out_path, || Ok(lukko::path_of(record.some(record_len)?)? as u32))
}

/// The lengths of a suite, in bytes: of a public key, of an encapsulation, and of a sealed secret of 32 bytes.
///
/// @param suite LUKKO_SUITE_...
/// @param out_public_key,out_encapsulation,out_sealed_secret the lengths
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_suite_lengths(
    suite: u32,
    out_public_key: Slot<'_, usize>,
    out_encapsulation: Slot<'_, usize>,
    out_sealed_secret: Slot<'_, usize>,
) -> i32 {
    put((out_public_key, out_encapsulation, out_sealed_secret), || {
        let suite = values::suite(suite)?;
        Ok((suite.public_key_len(), suite.encapsulation_len(), suite.sealed_secret_len()))
    })
}

/// Refuses a policy that no vault can have.
///
/// @param k how many shares open the vault, at least 2
/// @param n how many shares there are, at most 255
/// @param rule LUKKO_POLICY_...: what the two numbers must be to each other
/// @return LUKKO_E_USAGE, or LUKKO_E_VALUE for numbers that are none
#[unsafe(no_mangle)]
pub extern "C" fn lukko_policy_check(k: u32, n: u32, rule: u32) -> i32 {
    run((), || values::policy(k, n, rule).map(drop))
}
