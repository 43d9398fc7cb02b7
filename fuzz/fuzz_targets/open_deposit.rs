//! A deposit and an absorbed one, also altered by their writer, who signs again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::{Origin, Path, Place, RecordId, path_of};
use lukko_fuzz::{Case, forge, require_made, world::NOTE};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let (record, deposit, absorbed) = (&world.deposit.record, &world.deposit.bytes, &world.absorbed);
    let mut bytes = case.object(&[deposit, absorbed]);
    let signed = match case.input.byte() % 3 {
        1 => forge::deposit(world, record, &mut bytes).is_some(),
        2 => forge::absorbed(world, record, &mut bytes).is_some(),
        _ => false,
    };
    let id = RecordId::new(record).expect("an id");
    let writer = world.front_end.fingerprint();
    if let Ok(opened) = world.vault.open_deposit(&world.key, Place::new(id, world.field()), &bytes) {
        assert_eq!(opened.plaintext.as_bytes(), NOTE);
        let absorbed_now = path_of(&bytes) == Ok(Path::Absorbed);
        match opened.origin {
            Origin::Deposit { writer: met } => assert!(met == writer && !absorbed_now),
            Origin::Absorbed { writer: met, .. } => assert!(met == writer && absorbed_now),
            other => panic!("{other:?}"),
        }
        if !signed || absorbed_now {
            require_made(&bytes, &[deposit, absorbed]);
        }
    }
    if let Ok(opened) = world.vault.open_unattributed(&world.key, Place::new(id, world.field()), &bytes) {
        assert_eq!(opened.claimed_writer(), writer);
        assert_eq!(opened.into_inner().plaintext.as_bytes(), NOTE);
    }
});
