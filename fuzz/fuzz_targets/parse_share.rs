//! A share's bytes: read, written in both forms, and checked against the descriptor.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::Share;
use lukko_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let valid: Vec<&[u8]> = world.shares.iter().chain(&world.strange_shares).map(Vec::as_slice).collect();
    let bytes = case.object(&valid);
    let Ok(share) = Share::from_bytes(&bytes) else { return };
    assert_eq!(share.to_bytes().expose(), bytes);
    let text = share.to_text();
    assert_eq!(Share::from_text(text.expose()).expect("its own text").to_bytes().expose(), bytes);
    assert_eq!(world.pinned.check_share(&share).is_ok(), world.shares.contains(&bytes));
});
