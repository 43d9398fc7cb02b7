//! A record on the reader's path, in its own place and in another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::Place;
use lukko_fuzz::{Case, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let [short, long] = &world.sealed;
    let bytes = case.object(&[&short[0], &short[1], &long[0], &long[1], &world.absorbed]);
    let place = usize::from(case.input.byte() & 1);
    let Ok(opened) = world.vault.open(&world.key, Place::new(world.record(place), world.field()), &bytes) else {
        return;
    };
    assert_eq!(opened.plaintext.as_bytes(), world.text(place));
    let [first, second] = &world.sealed[place];
    require_made(&bytes, &[first, second]);
    assert_eq!(opened.revision.get(), if bytes == *first { 1 } else { 2 });
});
