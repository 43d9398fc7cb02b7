//! A grant, opened by a member and by the master key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::{GrantKey, PatientId, PatientKey, Place};
use lukko_fuzz::{Case, World, require_made, world::NOTE};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let masters = world.patients.iter().flat_map(|patient| &patient.states).map(|state| &*state.master_grant);
    let valid: Vec<&[u8]> = world.grants.iter().map(Vec::as_slice).chain(masters).collect();
    let grant = case.object(&valid);
    if let Ok(key) = world.vault.open_grant(&world.card, &world.therapist, &grant) {
        require_made(&grant, &[valid[0]]);
        require_key(world, &key);
    }
    let state = &world.patients[0].states[0];
    let (patient, master) = (PatientId::new(world.patients[0].id).expect("an id"), &world.master);
    let with = GrantKey::Master { key: master, grant: &grant };
    if let Ok(key) = world.vault.open_remembered(patient, &[&state.card], state.id, &with) {
        require_made(&grant, &[&state.master_grant]);
        require_key(world, &key);
    }
});

/// It is the patient's key: it opens what is sealed.
fn require_key(world: &World, key: &PatientKey) {
    let opened = world
        .vault
        .open(key, Place::new(world.record(0), world.field()), &world.sealed[0][0])
        .expect("the patient's key");
    assert_eq!(opened.plaintext.as_bytes(), NOTE);
}
