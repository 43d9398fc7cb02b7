//! The caller's memory: the only unsafe code of this crate.
//!
//! Each type here is one pointer as C hands it over. None can be made in safe Rust: their values come in over the C ABI,
//! through a function that is `unsafe` to call, or from `from_raw`, which is too. What the caller of those promises, the
//! header says under "Pointers"; it is what each `SAFETY` comment below rests on:
//!
//! * A pointer that is not NULL may be read (or written) for as many elements as the length beside it says, during the
//!   call. A pointer to one value counts as one element.
//! * Nobody else writes what is read, or touches what is written, during the call. Within one call an output may overlap
//!   an input: all inputs have been read when the first output is written.
//!
//! Alignment is not asked for, so nothing else can be wrong with a pointer.
#![allow(unsafe_code)]

use core::ffi::c_void;
use core::marker::PhantomData;
use std::io::{self, Read, Seek, SeekFrom, Write};

use lukko::KeyFingerprint;
use zeroize::Zeroize;

use crate::error::{
    LUKKO_CALLBACK_OK, LUKKO_E_EMPTY, LUKKO_E_LENGTH, LUKKO_E_NULL, LUKKO_E_TOO_SMALL, Refusal, Result,
};
use crate::values::{
    lukko_context, lukko_holder, lukko_place, lukko_share_fault, lukko_sources, lukko_stored_patient, share_fault,
};

/// Bytes to read.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct In<'call>(*const u8, PhantomData<&'call [u8]>);

/// One value to read.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct Ref<'call, T>(*const T, PhantomData<&'call T>);

/// One value to write, or the bytes of an output buffer.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct Slot<'call, T>(*mut T, PhantomData<&'call mut T>);

/// Bytes in the caller's memory, as an element of a list.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_bytes<'call> {
    /// The first byte; may be NULL if `len` is 0.
    pub data: In<'call>,
    /// How many.
    pub len: usize,
}

impl In<'_> {
    /// Takes a pointer, as C would hand it over.
    ///
    /// # Safety
    /// As the module says.
    #[must_use]
    pub const unsafe fn from_raw(pointer: *const u8) -> Self {
        Self(pointer, PhantomData)
    }
}

impl<'call> In<'call> {
    /// The bytes; NULL with length 0 is empty.
    pub(crate) fn bytes(self, len: usize) -> Result<&'call [u8]> {
        if len == 0 {
            return Ok(&[]);
        }
        if self.0.is_null() {
            return Err(Refusal(LUKKO_E_NULL));
        }
        if isize::try_from(len).is_err() {
            return Err(Refusal(LUKKO_E_LENGTH));
        }
        // SAFETY: not NULL, so readable for `len` bytes during the call; bytes have no alignment and no invalid value;
        // the length is at most isize::MAX.
        Ok(unsafe { core::slice::from_raw_parts(self.0, len) })
    }

    /// At least one byte.
    pub(crate) fn some(self, len: usize) -> Result<&'call [u8]> {
        if len == 0 { Err(Refusal(LUKKO_E_EMPTY)) } else { self.bytes(len) }
    }

    /// Exactly N bytes.
    pub(crate) fn array<const N: usize>(self, len: usize) -> Result<&'call [u8; N]> {
        let bytes = self.some(len)?;
        bytes.try_into().map_err(|_| Refusal(LUKKO_E_LENGTH))
    }
}

impl<T> Ref<'_, T> {
    /// Takes a pointer, as C would hand it over.
    ///
    /// # Safety
    /// As the module says.
    #[must_use]
    pub const unsafe fn from_raw(pointer: *const T) -> Self {
        Self(pointer, PhantomData)
    }
}

impl<T: Plain> Ref<'_, T> {
    /// The value; NULL is refused.
    pub(crate) fn read(self) -> Result<T> {
        self.read_or_null()?.ok_or(Refusal(LUKKO_E_NULL))
    }

    /// The value, or `None` for NULL.
    pub(crate) fn read_or_null(self) -> Result<Option<T>> {
        if self.0.is_null() {
            return Ok(None);
        }
        // SAFETY: not NULL, so readable for one T during the call; every bit pattern is a T, says `Plain`.
        Ok(Some(unsafe { self.0.read_unaligned() }))
    }
}

impl<'call, T: Plain> Ref<'call, T> {
    /// The elements of a list that begins here; NULL with count 0 is empty.
    fn elements(self, count: usize) -> Result<impl Iterator<Item = Result<T>>> {
        let size = count.checked_mul(size_of::<T>()).ok_or(Refusal(LUKKO_E_LENGTH))?;
        isize::try_from(size).map_err(|_| Refusal(LUKKO_E_LENGTH))?;
        if count > 0 && self.0.is_null() {
            return Err(Refusal(LUKKO_E_NULL));
        }
        Ok((0..count).map(move |at| Ref(self.0.wrapping_add(at), PhantomData).read()))
    }
}

impl<'call> Ref<'call, lukko_bytes<'call>> {
    /// The list that begins here; NULL with count 0 is empty.
    pub(crate) fn list(self, count: usize) -> Result<Vec<&'call [u8]>> {
        self.elements(count)?.map(|element| element?.some()).collect()
    }
}

impl<'call> Ref<'call, usize> {
    /// Cuts bytes into elements that are as long as this list says. Nothing is left, and no element is empty.
    pub(crate) fn cut(self, count: usize, mut bytes: &'call [u8]) -> Result<Vec<&'call [u8]>> {
        if count > bytes.len() {
            return Err(Refusal(LUKKO_E_LENGTH));
        }
        let mut list = Vec::new();
        for len in self.elements(count)? {
            let (element, rest) = bytes.split_at_checked(len?).ok_or(Refusal(LUKKO_E_LENGTH))?;
            if element.is_empty() {
                return Err(Refusal(LUKKO_E_EMPTY));
            }
            list.push(element);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(list) } else { Err(Refusal(LUKKO_E_LENGTH)) }
    }
}

impl<T> Slot<'_, T> {
    /// Takes a pointer, as C would hand it over.
    ///
    /// # Safety
    /// As the module says.
    #[must_use]
    pub const unsafe fn from_raw(pointer: *mut T) -> Self {
        Self(pointer, PhantomData)
    }

    /// Refuses NULL, before any work is done.
    pub(crate) fn present(self) -> Result<Checked<T>> {
        if self.0.is_null() { Err(Refusal(LUKKO_E_NULL)) } else { Ok(Checked(self.0)) }
    }
}

impl<T: Plain> Slot<'_, T> {
    /// Writes zeros, unless this is NULL.
    pub(crate) fn zero(self) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so writable for one T during the call; bytes have no alignment.
            unsafe { self.0.cast::<u8>().write_bytes(0, size_of::<T>()) }
        }
    }
}

impl Slot<'_, c_void> {
    /// Writes zeros to as many bytes, in a way that a compiler does not leave out.
    pub(crate) fn wipe(self, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let start = self.present()?.0.cast::<u8>();
        isize::try_from(len).map_err(|_| Refusal(LUKKO_E_LENGTH))?;
        // SAFETY: not NULL, so writable for `len` bytes during the call; bytes have no alignment and no invalid value.
        let bytes = unsafe { core::slice::from_raw_parts_mut(start, len) };
        bytes.zeroize();
        Ok(())
    }
}

impl Slot<'_, lukko_share_fault> {
    /// Writes what is wrong with a share, if the caller wants to know. NULL is allowed here.
    pub(crate) fn explain<T>(self, result: lukko::Result<T>) -> Result<T> {
        result.map_err(|error| {
            if let (Ok(out), Some(fault)) = (self.present(), share_fault(&error)) {
                out.put(fault);
            }
            error.into()
        })
    }
}

/// An output that is not NULL.
#[derive(Debug)]
pub(crate) struct Checked<T>(*mut T);

impl<T: Plain> Checked<T> {
    pub(crate) fn put(self, value: T) {
        // SAFETY: `check` refused NULL, so writable for one T during the call.
        unsafe { self.0.write_unaligned(value) }
    }
}

impl Slot<'_, u8> {
    /// The output buffer that begins here; with capacity 0 it may be NULL.
    pub(crate) fn buffer(self, capacity: usize, written: Slot<'_, usize>) -> Result<Output> {
        let written = written.present()?;
        if capacity > 0 && self.0.is_null() {
            return Err(Refusal(LUKKO_E_NULL));
        }
        isize::try_from(capacity).map_err(|_| Refusal(LUKKO_E_LENGTH))?;
        Ok(Output { start: self.0, capacity, written })
    }
}

/// An output buffer.
#[derive(Debug)]
pub(crate) struct Output {
    start: *mut u8,
    capacity: usize,
    written: Checked<usize>,
}

impl Output {
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Refuses what will not fit, and says how much is needed.
    pub(crate) fn require(self, needed: usize) -> Result<Self> {
        if needed <= self.capacity {
            return Ok(self);
        }
        self.written.put(needed);
        Err(Refusal(LUKKO_E_TOO_SMALL))
    }

    /// Writes ids or fingerprints of 32 bytes, one behind the other.
    pub(crate) fn write_ids<'a>(self, ids: impl IntoIterator<Item = &'a [u8; 32]>) -> Result<()> {
        self.write(&ids.into_iter().flatten().copied().collect::<Vec<u8>>())
    }

    /// Writes the fingerprint of a key, or nothing if there is none.
    pub(crate) fn write_key(self, key: Option<&KeyFingerprint>) -> Result<()> {
        self.write(key.map_or(&[], |key| key.as_bytes().as_slice()))
    }

    /// Writes all of it or nothing.
    pub(crate) fn write(self, bytes: &[u8]) -> Result<()> {
        let Self { start, written, .. } = self.require(bytes.len())?;
        if !bytes.is_empty() {
            // SAFETY: `buffer` refused NULL for a capacity above 0, and the length is at most the capacity, so writable
            // for that many bytes. `bytes` is memory of the library's, so the two do not overlap.
            unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) }
        }
        written.put(bytes.len());
        Ok(())
    }
}

/// Types of which every bit pattern is a value.
///
/// # Safety
/// The implementor is valid whatever its bytes are.
pub unsafe trait Plain: Copy {}

// SAFETY: integers.
unsafe impl Plain for u8 {}
// SAFETY: integers.
unsafe impl Plain for u32 {}
// SAFETY: integers.
unsafe impl Plain for i32 {}
// SAFETY: integers.
unsafe impl Plain for u64 {}
// SAFETY: integers.
unsafe impl Plain for usize {}
// SAFETY: a pointer and an integer; a pointer of any value may exist.
unsafe impl Plain for lukko_bytes<'_> {}
// SAFETY: lists of bytes, as above.
unsafe impl Plain for lukko_place<'_> {}
// SAFETY: bytes as above, and integers.
unsafe impl Plain for lukko_context<'_> {}
// SAFETY: pointers, integers, and bytes as above.
unsafe impl Plain for lukko_stored_patient<'_> {}
// SAFETY: integers and arrays of them.
unsafe impl Plain for lukko_holder {}
// SAFETY: integers.
unsafe impl Plain for lukko_share_fault {}
// SAFETY: integers.
unsafe impl Plain for lukko_sources {}
// SAFETY: pointers and integers, and a function pointer or NULL: what else stands there the caller has promised not to
// be, by "Callbacks" in the header.
unsafe impl Plain for lukko_source {}
// SAFETY: as for `lukko_source`.
unsafe impl Plain for lukko_sink {}

/// Where a sealed attachment is read from. It is copied by the call; `context` must stay valid as long as the stream.
///
/// `read_at` writes exactly `len` bytes from `offset` on to `out` and returns `LUKKO_CALLBACK_OK`. Any other value is a
/// failure of the source, and so is 0. It is called only while a function of this library runs that reads the stream, on
/// that function's thread. It must return; it may call the library, with other handles.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_source {
    /// Given to `read_at` as it is.
    pub context: *mut c_void,
    /// The length of the sealed attachment, in bytes.
    pub length: u64,
    /// Reads.
    pub read_at: Option<unsafe extern "C" fn(context: *mut c_void, offset: u64, out: *mut u8, len: usize) -> i32>,
}

/// Where a sealed attachment is written to, in order.
///
/// `write` takes all `len` bytes and returns `LUKKO_CALLBACK_OK`. Any other value is a failure of the sink, and so is 0.
/// It is called only while the function that it is given to runs, on that function's thread. It must return.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_sink {
    /// Given to `write` as it is.
    pub context: *mut c_void,
    /// Writes.
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, len: usize) -> i32>,
}

/// Writes zeros to the stack where a callback's frame will be.
///
/// Python's ctypes writes no answer when a callback raises an exception: it gives back what lies on the stack, and that is
/// the answer of the call before, `LUKKO_CALLBACK_OK`.
#[inline(never)]
fn clear_the_last_answer() {
    core::hint::black_box([0_u8; 4096]);
}

/// A source with its position.
#[derive(Debug)]
pub(crate) struct Source {
    source: lukko_source,
    position: u64,
}

// SAFETY: the header says that the callback is called on whichever thread uses the stream, and never by two at once.
unsafe impl Send for Source {}

impl Source {
    /// Refuses a source without a callback.
    pub(crate) fn new(source: lukko_source) -> Result<Self> {
        source.read_at.map(|_| Self { source, position: 0 }).ok_or(Refusal(LUKKO_E_NULL))
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.source.length.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let len = left.min(out.len());
        let Some(read_at) = self.source.read_at.filter(|_| len > 0) else { return Ok(0) };
        clear_the_last_answer();
        // SAFETY: the callback gets its own context and a buffer of the library's of at least `len` bytes.
        let code = unsafe { read_at(self.source.context, self.position, out.as_mut_ptr(), len) };
        if code != LUKKO_CALLBACK_OK {
            return Err(io::Error::other("the source failed"));
        }
        self.position = self.position.saturating_add(len as u64);
        Ok(len)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let moved = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.source.length.checked_add_signed(by),
        };
        // An offset before the start is the source's fault here: it is shorter than an attachment is.
        self.position = moved.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        Ok(self.position)
    }
}

/// A sink.
#[derive(Debug)]
pub(crate) struct Sink(lukko_sink);

impl Sink {
    /// Refuses a sink without a callback.
    pub(crate) fn new(sink: lukko_sink) -> Result<Self> {
        sink.write.map(|_| Self(sink)).ok_or(Refusal(LUKKO_E_NULL))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(write) = self.0.write.filter(|_| !bytes.is_empty()) else { return Ok(0) };
        clear_the_last_answer();
        // SAFETY: the callback gets its own context and bytes of the library's.
        let code = unsafe { write(self.0.context, bytes.as_ptr(), bytes.len()) };
        if code == LUKKO_CALLBACK_OK { Ok(bytes.len()) } else { Err(io::Error::other("the sink failed")) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
