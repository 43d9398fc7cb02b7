//! A member entry, also one that its maker signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::{MemberEntry, Roles, Vault};
use lukko_fuzz::{Case, forge, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let valid: Vec<&[u8]> = world.entries.iter().map(Vec::as_slice).collect();
    let mut bytes = case.object(&valid);
    let own = case.input.byte() & 1 == 1;
    if own {
        forge::entry(&mut bytes);
    }
    let Ok(entry) = MemberEntry::verify(&bytes, &world.pinned) else { return };
    assert_eq!(lukko::hazmat::wire::reencode(&bytes).as_deref(), Some(bytes.as_slice()));
    if !own {
        return require_made(&bytes, &valid);
    }
    // What can be admitted is there in the next roster.
    let mut draft = world.vault.roster().next().expect("version 3");
    if draft.admit(&entry, Roles::READ).is_ok() {
        let roster = draft.sign_as_registrar(&world.registrar, &world.pinned).expect("by the registrar");
        let entries = valid.iter().copied().chain([bytes.as_slice()]);
        let pin = world.vault.pin().clone();
        let vault = Vault::load(pin, world.pinned.as_bytes(), &roster, entries).expect("as it was made");
        assert_eq!(vault.roster().member(entry.fingerprint()).expect("admitted").entry().id(), entry.id());
    }
});
