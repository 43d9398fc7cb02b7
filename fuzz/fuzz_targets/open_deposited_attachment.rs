//! A deposited attachment, also altered by its writer: true text, and authorship only of what was signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::{Cursor, Read};

use lukko::{Place, RecordId};
use lukko_fuzz::{Case, forge, require_made};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let (record, made) = &world.deposited_attachment;
    let mut bytes = case.object(&[made]);
    let signed = case.input.byte() & 1 == 1 && forge::deposited_attachment(world, record, &mut bytes).is_some();
    let id = RecordId::new(record).expect("an id");
    let open = || world.vault.open_deposited_attachment(&world.key, Place::new(id, world.field()), Cursor::new(&bytes));
    let Ok(mut reader) = open() else { return };
    assert_eq!(reader.claimed_writer(), world.front_end.fingerprint());
    let mut out = Vec::new();
    let read = reader.read_to_end(&mut out);
    assert!(world.long_text.starts_with(&out));
    assert!(read.is_err() || out.len() == world.long_text.len());
    if let Ok(mut verified) = open().expect("as before").verify_authorship() {
        if !signed {
            require_made(&bytes, &[made]);
        }
        let mut again = Vec::new();
        assert_eq!(verified.read_to_end(&mut again).is_ok(), read.is_ok());
        assert!(again == out);
    }
});
