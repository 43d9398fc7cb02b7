//! The functions, by what they are about, and what all of them share.
// `no_mangle` and `extern "C"` count as unsafe code, because a second symbol of the same name would. There is no unsafe
// block below this file: `tests/header.rs` reads the sources.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lukko::{FieldLabel, PatientKey, RecordId, Vault};

use crate::buffer::{Output, Slot};
use crate::error::{LUKKO_E_PANIC, LUKKO_OK, Refusal, Result};
use crate::handle::{self, Object};
use crate::object::{Buffer, lukko_patient_key, lukko_vault};
use crate::output::{Clear, Outputs, Written};
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

pub mod flat;

pub mod retirement;
pub mod rotation;
pub mod successor;

pub mod erasure;
pub mod receipt;

pub mod packed;

/// The boundary that every function stands behind: a refusal becomes its code, a panic [`LUKKO_E_PANIC`], and each writes
/// zero to what the function gives out.
fn run(outs: impl Clear, body: impl FnOnce() -> Result<()>) -> i32 {
    let code = code_of(body);
    if code != LUKKO_OK {
        outs.clear(code);
    }
    code
}

fn code_of(body: impl FnOnce() -> Result<()>) -> i32 {
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

/// Gives out values. A NULL output is refused before anything is made.
fn put<O: Outputs>(outs: O, make: impl FnOnce() -> Result<O::Values>) -> i32 {
    run(outs, || {
        outs.check()?;
        outs.put(make()?);
        Ok(())
    })
}

/// Makes an object and gives out its handle.
fn give<T: Object>(out: Slot<'_, u64>, make: impl FnOnce() -> Result<T>) -> i32 {
    give_shared(out, || make().map(Arc::new))
}

/// The same for an object that others hold too.
fn give_shared<T: Object>(out: Slot<'_, u64>, make: impl FnOnce() -> Result<Arc<T>>) -> i32 {
    put(out, || handle::insert(make()?))
}

/// Gives out bytes that the library made.
fn give_buffer(out: Slot<'_, u64>, make: impl FnOnce() -> Result<Vec<u8>>) -> i32 {
    give(out, || Ok(Buffer(make()?.into())))
}

/// Gives out bytes, or the handle 0 if there is nothing to be made.
fn give_buffer_or_none(out: Slot<'_, u64>, make: impl FnOnce() -> Result<Option<Vec<u8>>>) -> i32 {
    put(out, || make()?.map_or(Ok(0), |bytes| handle::insert(Arc::new(Buffer(bytes.into())))))
}

/// Copies bytes into the caller's buffer.
fn write(out: Slot<'_, u8>, capacity: usize, written: Slot<'_, usize>, copy: impl FnOnce(Output) -> Result<()>) -> i32 {
    run(Written(written), || copy(out.buffer(capacity, written)?))
}

/// Vault, patient's key, record and field: where a call finds what it opens.
type Named<'call> = (Arc<Vault>, Arc<PatientKey>, RecordId<'call>, FieldLabel<'call>);

/// What a call names by two handles and a place.
fn named<'call>(vault: lukko_vault, key: lukko_patient_key, place: lukko_place<'call>) -> Result<Named<'call>> {
    let (vault, key) = (handle::get(vault)?, handle::get(key)?);
    let (record, field) = place.parts()?;
    Ok((vault, key, record, field))
}
