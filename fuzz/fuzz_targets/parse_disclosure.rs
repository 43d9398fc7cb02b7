//! Who handed out a disclosure, also one that a member altered and signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko_fuzz::{Case, forge, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let mut bytes = case.object(&[&world.disclosure]);
    let signed = case.input.byte() & 1 == 1 && forge::disclosure(world, &mut bytes).is_some();
    let Ok(signer) = world.vault.disclosure_signer(&bytes) else { return };
    assert_eq!(signer, world.therapist.fingerprint());
    assert_eq!(lukko::hazmat::wire::reencode(&bytes).as_deref(), Some(bytes.as_slice()));
    if !signed {
        require_made(&bytes, &[&world.disclosure]);
    }
});
