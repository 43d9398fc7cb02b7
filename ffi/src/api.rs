//! The functions, by what they are about, and what all of them share.
// `no_mangle` and `extern "C"` count as unsafe code, because a second symbol of the same name would. There is no unsafe
// block below this file: `tests/header.rs` reads the sources.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lukko::{FieldLabel, KeyFingerprint, PatientKey, RecordId, Vault};

use crate::buffer::{Plain, Ref, Slot};
use crate::error::{LUKKO_E_PANIC, LUKKO_OK, Refusal, Result};
use crate::handle::{self, Object};
use crate::object::{Buffer, lukko_patient_key, lukko_vault};
use crate::values::lukko_place;

// In the order of the header.
pub mod general;

pub mod create;
pub mod keys;

pub mod descriptor;
pub mod pin;

pub mod recovery;
pub mod share;

pub mod draft;
pub mod member;

pub mod vault;

pub mod grant;
pub mod older;
pub mod patient;

pub mod access;

pub mod record;

pub mod deposit;

pub mod attachment;
pub mod moving;
pub mod reader;

pub mod disclosure;

pub mod retirement;
pub mod rotation;
pub mod successor;

pub mod erasure;
pub mod receipt;

/// The boundary that every function stands behind: a refusal becomes its code, and a panic [`LUKKO_E_PANIC`].
fn run(body: impl FnOnce() -> Result<()>) -> i32 {
    // What a panic leaves behind is either a local of the body or a `Locked` object, which is poisoned by it.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        failpoint("entry");
        body()
    }));
    match outcome {
        Ok(Ok(())) => LUKKO_OK,
        Ok(Err(Refusal(code))) => code,
        Err(payload) => {
            // Dropping what a panic carries could panic again.
            core::mem::forget(payload);
            LUKKO_E_PANIC
        }
    }
}

/// Panics if the environment variable `LUKKO_FAILPOINT` names this point, in a build for tests.
#[cfg(feature = "failpoint")]
pub(crate) fn failpoint(point: &str) {
    assert!(std::env::var("LUKKO_FAILPOINT").as_deref() != Ok(point), "failpoint `{point}`");
}

/// Nothing, in every other build.
#[cfg(not(feature = "failpoint"))]
pub(crate) const fn failpoint(_point: &str) {}

/// Gives out one value. A NULL output is refused before the value is made.
fn put<T: Plain>(out: Slot<'_, T>, make: impl FnOnce() -> Result<T>) -> Result<()> {
    let out = out.check()?;
    out.put(make()?);
    Ok(())
}

/// Makes an object and gives out its handle. A NULL output is refused before anything is made.
fn give<T: Object>(out: Slot<'_, u64>, make: impl FnOnce() -> Result<T>) -> Result<()> {
    give_shared(out, || make().map(Arc::new))
}

/// The same for an object that others hold too.
fn give_shared<T: Object>(out: Slot<'_, u64>, make: impl FnOnce() -> Result<Arc<T>>) -> Result<()> {
    let out = out.check()?;
    out.put(handle::insert(make()?)?);
    Ok(())
}

/// Gives out bytes that the library made.
fn give_buffer(out: Slot<'_, u64>, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
    give(out, || Ok(Buffer(make()?.into())))
}

/// Gives out bytes, or the handle 0 if there is nothing to be made.
fn give_buffer_or_none(out: Slot<'_, u64>, make: impl FnOnce() -> Result<Option<Vec<u8>>>) -> Result<()> {
    let out = out.check()?;
    let handle = match make()? {
        Some(bytes) => handle::insert(Arc::new(Buffer(bytes.into())))?,
        None => 0,
    };
    out.put(handle);
    Ok(())
}

/// Vault, patient's key, record and field: where a call finds what it opens.
type Named<'call> = (Arc<Vault>, Arc<PatientKey>, RecordId<'call>, FieldLabel<'call>);

/// What a call names by two handles and a place.
fn named<'call>(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'call, lukko_place<'call>>,
) -> Result<Named<'call>> {
    let (vault, key, place) = (handle::get(vault)?, handle::get(key)?, place.read()?);
    let (record, field) = place.parts()?;
    Ok((vault, key, record, field))
}

/// Copies bytes into the caller's buffer.
fn copy_out(out: Slot<'_, u8>, capacity: usize, written: Slot<'_, usize>, bytes: &[u8]) -> Result<()> {
    out.buffer(capacity, written)?.write(bytes)
}

/// Copies the fingerprint of a key, or nothing if there is none.
fn copy_key(out: Slot<'_, u8>, capacity: usize, written: Slot<'_, usize>, key: Option<&KeyFingerprint>) -> Result<()> {
    copy_out(out, capacity, written, key.map_or(&[], |key| key.as_bytes().as_slice()))
}

/// Copies ids or fingerprints of 32 bytes, one behind the other.
fn copy_ids<'a>(
    out: Slot<'_, u8>,
    capacity: usize,
    written: Slot<'_, usize>,
    ids: impl IntoIterator<Item = &'a [u8; 32]>,
) -> Result<()> {
    copy_out(out, capacity, written, &ids.into_iter().flatten().copied().collect::<Vec<u8>>())
}
