//! A rotation statement and the descriptor beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko_fuzz::{Case, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let next = world.rotation.descriptor.as_bytes();
    let statement = case.object(&[&world.rotation.statement]);
    let descriptor =
        if case.input.is_empty() { next.to_vec() } else { case.input.object(&[next, world.pinned.as_bytes()]) };
    let Ok(successor) = world.pinned.successor([(&*descriptor, &*statement)]) else { return };
    require_made(&statement, &[&world.rotation.statement]);
    require_made(&descriptor, &[next]);
    assert_eq!(successor.generation(), 2);
    let mut pin = world.vault.pin().clone();
    assert_eq!(pin.follow(successor).expect("the next").as_bytes(), next);
});
