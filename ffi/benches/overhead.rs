//! What the C interface adds to sealing a note: both ways in turn, in one run, and the median of each.
//!
//! `cargo bench -p lukko-ffi`. No crate for benchmarks: two medians and a quotient are all that is asked for.
//!
//! Every pointer here is of a local value that outlives the call, with its length.
#![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block, clippy::type_complexity)]

use std::hint::black_box;
use std::time::Instant;

use lukko::{
    Enroller, FieldLabel, OsRng, PatientId, PatientKey, Pin, Place, Policy, RecordContext, RecordId, RegistrarKey,
    Result, Revision, RosterDraft, Suite, Vault,
};
use lukko_ffi::api::{create, descriptor, draft, general, keys, patient, pin, record, vault};
use lukko_ffi::buffer::{In, Ref, Slot, lukko_bytes};
use lukko_ffi::values::{LUKKO_PADDING_PADME, LUKKO_POLICY_MAJORITY, LUKKO_SUITE_X_WING, lukko_context};

const ROUNDS: usize = 401;
const CALLS: usize = 50;

fn main() {
    let (vault, key) = through_rust().expect("a vault");
    let (vault_handle, key_handle) = through_c();
    for size in [0, 1024, 16 * 1024] {
        let note = vec![7; size];
        let (mut rust, mut c) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            rust.push(time(|| seal_in_rust(&vault, &key, &note)));
            c.push(time(|| seal_in_c(vault_handle, key_handle, &note)));
        }
        let (rust, c) = (median(rust), median(c));
        println!("{size:>6} bytes: Rust {rust:>6} ns, C {c:>6} ns, {:+.1} %", (c as f64 / rust as f64 - 1.0) * 100.0);
    }
    assert_eq!((general::lukko_free(vault_handle), general::lukko_free(key_handle)), (0, 0));
}

/// Nanoseconds for each of some calls.
fn time(mut call: impl FnMut()) -> u128 {
    let begin = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    begin.elapsed().as_nanos() / CALLS as u128
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}

fn seal_in_rust(vault: &Vault, key: &PatientKey, note: &[u8]) {
    let context = RecordContext::new(
        Place::new(RecordId::new("r-1").unwrap(), FieldLabel::new("note").unwrap()),
        Revision::FIRST,
    );
    black_box(vault.seal(key, &context, note, &mut OsRng).unwrap());
}

fn seal_in_c(vault: u64, key: u64, note: &[u8]) {
    let view = |text: &'static [u8]| lukko_bytes { data: input(text), len: text.len() };
    let context =
        lukko_context { record: view(b"r-1"), field: view(b"note"), revision: 1, padding: LUKKO_PADDING_PADME };
    let (mut out, mut written) = ([0_u8; 20_000], 0);
    let code = unsafe {
        record::lukko_vault_seal(
            vault,
            key,
            Ref::from_raw(&raw const context),
            input(note),
            note.len(),
            Slot::from_raw(out.as_mut_ptr()),
            out.len(),
            Slot::from_raw(&raw mut written),
        )
    };
    assert_eq!(code, 0);
    black_box(&out);
}

const fn input(bytes: &[u8]) -> In<'_> {
    unsafe { In::from_raw(bytes.as_ptr()) }
}

fn through_rust() -> Result<(Vault, PatientKey)> {
    let rng = &mut OsRng;
    let registrar = RegistrarKey::generate(rng)?;
    let made = lukko::create(Policy::new(2, 3)?, Suite::XWing, &registrar.public(), rng)?;
    let pin = Pin::new(made.descriptor.fingerprint(), &made.descriptor)?;
    let pinned = pin.check(made.descriptor.clone())?;
    let roster = RosterDraft::first(&pinned).sign_as_registrar(&registrar, &pinned)?;
    let vault = Vault::load(pin, made.descriptor.as_bytes(), &roster, [[]; 0])?;
    let key = vault.enrol(Enroller::Root(&made.master), PatientId::new("p-1")?, rng)?.key;
    Ok((vault, key))
}

/// The same over the C interface.
fn through_c() -> (u64, u64) {
    let give = |call: &dyn Fn(Slot<'_, u64>) -> i32| {
        let mut handle = 0;
        assert_eq!(call(unsafe { Slot::from_raw(&raw mut handle) }), 0);
        handle
    };
    let read = |call: &dyn Fn(Slot<'_, u8>, usize, Slot<'_, usize>) -> i32| {
        let (mut bytes, mut written) = (vec![0; 8192], 0);
        let (out, size) = unsafe { (Slot::from_raw(bytes.as_mut_ptr()), Slot::from_raw(&raw mut written)) };
        assert_eq!(call(out, 8192, size), 0);
        bytes.truncate(written);
        bytes
    };
    unsafe {
        let registrar = give(&|out| keys::lukko_registrar_generate(out));
        let public = read(&|o, c, w| keys::lukko_registrar_public_key(registrar, o, c, w));
        let (rule, suite) = (LUKKO_POLICY_MAJORITY, LUKKO_SUITE_X_WING);
        let made = give(&|out| create::lukko_create(2, 3, rule, suite, input(&public), 32, out));
        let descriptor = give(&|out| create::lukko_new_vault_descriptor(made, out));
        let master = give(&|out| create::lukko_new_vault_master(made, out));
        let print = read(&|o, c, w| descriptor::lukko_descriptor_fingerprint(descriptor, o, c, w));
        let bytes = read(&|o, c, w| descriptor::lukko_descriptor_bytes(descriptor, o, c, w));
        let pin = give(&|out| pin::lukko_pin_new(input(&print), 32, descriptor, out));
        let pinned = give(&|out| pin::lukko_pin_check(pin, descriptor, out));
        let draft = give(&|out| draft::lukko_draft_first(pinned, out));
        let roster = give(&|out| draft::lukko_draft_sign_as_registrar(draft, registrar, pinned, out));
        let roster = read(&|o, c, w| general::lukko_buffer_read(roster, o, c, w));
        let none = Ref::from_raw(std::ptr::null());
        let vault = give(&|out| {
            vault::lukko_vault_load(pin, input(&bytes), bytes.len(), input(&roster), roster.len(), none, 0, out)
        });
        let enrolment = give(&|out| patient::lukko_vault_enrol(vault, master, input(b"p-1"), 3, out));
        (vault, give(&|out| patient::lukko_enrolment_key(enrolment, out)))
    }
}
