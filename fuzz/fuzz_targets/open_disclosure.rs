//! A disclosure, opened by its recipient, also altered by its signer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko_fuzz::world::{FIELD, NOTE, PATIENT, RECORDS};
use lukko_fuzz::{Case, forge, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let mut bytes = case.object(&[&world.disclosure]);
    let signed = case.input.byte() & 1 == 1 && forge::disclosure(world, &mut bytes).is_some();
    let Ok(opened) = world.vault.open_disclosure(&world.court, &bytes) else { return };
    assert_eq!(opened.plaintext.as_bytes(), NOTE);
    let place = [&opened.patient, &opened.record, &opened.field].map(|id| id.as_slice());
    assert_eq!(place, [PATIENT, RECORDS[0], FIELD].map(str::as_bytes));
    assert_eq!((opened.revision.get(), opened.writer, opened.signer), (1, None, world.therapist.fingerprint()));
    if !signed {
        require_made(&bytes, &[&world.disclosure]);
    }
});
