//! A stored pin, also with a checksum that was made right again, and a vault loaded with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::{Pin, Vault};
use lukko_fuzz::{Case, forge};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let (first, last) = (world.first_pin.to_bytes(), world.vault.pin().to_bytes());
    let mut bytes = case.object(&[&first, &last]);
    if case.input.byte() & 1 == 1 {
        forge::pin(&mut bytes);
    }
    let Ok(pin) = Pin::from_bytes(&bytes) else { return };
    assert_eq!(pin.to_bytes(), bytes);
    let (fingerprint, version) = (pin.fingerprint(), pin.roster_version());
    if let Ok(vault) = Vault::load(pin, world.pinned.as_bytes(), &world.rosters[1], &world.entries) {
        assert!(fingerprint == world.pinned.fingerprint() && version <= 2);
        assert_eq!(vault.pin().roster_version(), 2);
    }
});
