//! An attachment on the reader's path, read from beginning to end; altered, it gives true text and then an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::{Cursor, Read};

use lukko::Place;
use lukko_fuzz::{Case, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let [short, long] = &world.sealed;
    let bytes = case.object(&[&long[0], &long[1], &short[0]]);
    let place = usize::from(case.input.byte() & 1 ^ 1);
    let Ok(mut reader) =
        world.vault.open_attachment(&world.key, Place::new(world.record(place), world.field()), Cursor::new(&bytes))
    else {
        return;
    };
    let mut out = Vec::new();
    let read = reader.read_to_end(&mut out);
    let text = world.text(place);
    assert!(text.starts_with(&out));
    if read.is_ok() {
        assert_eq!(out.len(), text.len());
        let [first, second] = &world.sealed[place];
        require_made(&bytes, &[first, second]);
    }
});
