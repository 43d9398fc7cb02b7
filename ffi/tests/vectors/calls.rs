//! Calling the C interface from a test: pointers in and out.

use std::ffi::c_void;

use lukko_ffi::api::general::lukko_free;
use lukko_ffi::buffer::{In, Slot, lukko_bytes, lukko_source};
use lukko_ffi::error::{LUKKO_CALLBACK_OK, LUKKO_E_TOO_SMALL, LUKKO_OK};
use serde_json::{Value, json};

/// A function that copies bytes out of an object.
pub(super) type Getter = for<'a, 'b> unsafe extern "C" fn(u64, Slot<'a, u8>, usize, Slot<'b, usize>) -> i32;

/// Owns a handle.
#[derive(Debug)]
pub(super) struct Handle(pub(super) u64);

impl Drop for Handle {
    fn drop(&mut self) {
        assert_eq!(lukko_free(self.0), LUKKO_OK);
    }
}

pub(super) const fn check(code: i32) -> Result<(), i32> {
    if code == LUKKO_OK { Ok(()) } else { Err(code) }
}

/// A call that gives out a handle.
pub(super) fn give(call: impl FnOnce(Slot<'_, u64>) -> i32) -> Result<Handle, i32> {
    let mut handle = 0;
    // SAFETY: the slot is a local of this function.
    check(call(unsafe { Slot::from_raw(&raw mut handle) }))?;
    Ok(Handle(handle))
}

/// A call that gives out a number.
pub(super) fn number(call: impl FnOnce(Slot<'_, u32>) -> i32) -> Result<u32, i32> {
    let mut number = 0;
    // SAFETY: as above.
    check(call(unsafe { Slot::from_raw(&raw mut number) }))?;
    Ok(number)
}

/// A call that copies bytes out: first it is asked for the size.
pub(super) fn file(call: impl Fn(Slot<'_, u8>, usize, Slot<'_, usize>) -> i32) -> Result<Vec<u8>, i32> {
    let mut size = 0;
    // SAFETY: NULL with capacity 0, and a local.
    let code = call(unsafe { Slot::from_raw(std::ptr::null_mut()) }, 0, unsafe { Slot::from_raw(&raw mut size) });
    if code != LUKKO_E_TOO_SMALL {
        return check(code).map(|()| Vec::new());
    }
    let mut bytes = vec![0; size];
    // SAFETY: a vector of that capacity, and a local.
    check(call(unsafe { Slot::from_raw(bytes.as_mut_ptr()) }, size, unsafe { Slot::from_raw(&raw mut size) }))?;
    assert_eq!(size, bytes.len(), "the size that was asked for");
    Ok(bytes)
}

/// A call that gives a part of a stream.
pub(super) fn part(call: impl Fn(Slot<'_, u8>, usize, Slot<'_, usize>) -> i32) -> Result<Vec<u8>, i32> {
    let (mut bytes, mut size) = (vec![0; 20_000], 0);
    // SAFETY: a vector of that capacity, and a local.
    check(call(unsafe { Slot::from_raw(bytes.as_mut_ptr()) }, 20_000, unsafe { Slot::from_raw(&raw mut size) }))?;
    bytes.truncate(size);
    Ok(bytes)
}

pub(super) const fn input(bytes: &[u8]) -> (In<'_>, usize) {
    // SAFETY: the slice outlives the result.
    (unsafe { In::from_raw(bytes.as_ptr()) }, bytes.len())
}

pub(super) const fn view(bytes: &[u8]) -> lukko_bytes<'_> {
    let (data, len) = input(bytes);
    lukko_bytes { data, len }
}

/// A source over bytes, whose context is the vector.
pub(super) fn source(bytes: &Vec<u8>) -> lukko_source {
    let context = std::ptr::from_ref(bytes).cast_mut().cast::<c_void>();
    lukko_source { context, length: bytes.len() as u64, read_at: Some(read_at) }
}

unsafe extern "C" fn read_at(context: *mut c_void, offset: u64, out: *mut u8, len: usize) -> i32 {
    // SAFETY: `source` put a vector there, which lives as long as the source.
    let bytes = unsafe { &*context.cast::<Vec<u8>>() };
    let start = usize::try_from(offset).unwrap();
    let Some(part) = start.checked_add(len).and_then(|end| bytes.get(start..end)) else { return 1 };
    // SAFETY: the library gives a buffer of `len` bytes.
    unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), out, len) };
    LUKKO_CALLBACK_OK
}

pub(super) fn bytes_of(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(value[name].as_str().expect(name)).expect("hexadecimal")
}

pub(super) fn list(value: &Value, name: &str) -> Vec<Vec<u8>> {
    let list = value[name].as_array().expect(name);
    list.iter().map(|bytes| hex::decode(bytes.as_str().unwrap()).unwrap()).collect()
}

/// A number as the schema writes it: decimal text from 2^53 on.
pub(super) fn number_of(value: u64) -> Value {
    if value < 1 << 53 { json!(value) } else { json!(value.to_string()) }
}
