//! A descriptor: read and pinned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::Descriptor;
use lukko_fuzz::{Case, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let next = case.world.rotation.descriptor.as_bytes();
    let bytes = case.object(&[case.world.pinned.as_bytes(), next]);
    let Ok(descriptor) = Descriptor::parse(&bytes) else { return };
    assert_eq!(descriptor.as_bytes(), bytes);
    assert!(2 <= descriptor.k() && descriptor.k() <= descriptor.n() && descriptor.generation() != 0);
    if case.world.first_pin.check(descriptor).is_ok() {
        require_made(&bytes, &[case.world.pinned.as_bytes()]);
    }
});
