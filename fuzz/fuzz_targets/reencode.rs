//! What parses is encoded back to the same bytes, for every kind of object.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use lukko_fuzz::{Case, World, seeds};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let bytes = case.object(made(case.world));
    if let Some(again) = lukko::hazmat::wire::reencode(&bytes) {
        assert!(again == bytes);
    }
});

fn made(world: &'static World) -> &'static [&'static [u8]] {
    static MADE: [OnceLock<Vec<&[u8]>>; 2] = [const { OnceLock::new() }; 2];
    let made = &MADE[usize::from(world.suite == lukko::Suite::XWing)];
    made.get_or_init(|| seeds::objects(world).into_iter().map(|(_, bytes)| bytes).collect())
}
