//! A roster and the entries beside it: loaded, and followed from the one before; also signed by the registrar.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::Vault;
use lukko_fuzz::{Case, forge, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let valid: Vec<&[u8]> = world.rosters.iter().map(Vec::as_slice).chain([&*world.rotation.roster]).collect();
    let mut roster = case.object(&valid);
    let how = case.input.byte();
    if how & 1 == 1 {
        forge::roster(world, &mut roster);
    }
    let mut entries: Vec<Vec<u8>> = world.entries.clone();
    if how & 2 == 2 {
        let made: Vec<&[u8]> = world.entries.iter().map(Vec::as_slice).collect();
        entries.push(case.input.object(&made));
    }
    let pin = if how & 4 == 4 { world.vault.pin() } else { &world.first_pin };
    let loaded = Vault::load(pin.clone(), world.pinned.as_bytes(), &roster, &entries);
    let mut following = world.vault.clone();
    let followed = following.update_roster(&roster, &entries);
    if let Ok(vault) = loaded {
        assert_eq!(lukko::hazmat::wire::reencode(&roster).as_deref(), Some(roster.as_slice()));
        assert!(vault.roster().members().count() <= 3, "only those whose entries were made");
        assert!(vault.pin().roster_version() == vault.roster().version() && vault.roster().version() > 0);
        if how & 1 == 0 {
            require_made(&roster, &valid[..2]);
        }
    }
    if followed.is_ok() {
        assert!(following.roster().version() >= 2 && following.pin().roster_version() >= 2);
        for member in world.vault.roster().members() {
            let now = following.roster().member(member.entry().fingerprint()).expect("nobody vanishes");
            assert!(now.roles() == member.roles() && now.status() >= member.status());
        }
    } else {
        assert_eq!(following.pin(), world.vault.pin());
    }
});
