//! The front of a sealed note: its path, and that only the calls for that path get further than the path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

use lukko::error::{Error, Usage};
use lukko::{Path, Place, path_of};
use lukko_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    let note = &world.deposit.bytes;
    let bytes = case.object(&[&world.sealed[0][0], note, &world.absorbed, &world.deposited_attachment.1]);
    let (vault, key, id, field) = (&world.vault, &world.key, world.record(0), world.field());
    let refusals = [
        vault.open(key, Place::new(id, field), &bytes).err(),
        vault.open_deposit(key, Place::new(id, field), &bytes).err(),
        vault.open_unattributed(key, Place::new(id, field), &bytes).err(),
        vault
            .open_attachment(key, Place::new(id, field), Cursor::new(&bytes))
            .err()
            .and_then(|e| Error::from_io(&e).cloned()),
        vault
            .open_deposited_attachment(key, Place::new(id, field), Cursor::new(&bytes))
            .err()
            .and_then(|e| Error::from_io(&e).cloned()),
    ];
    match path_of(&bytes) {
        Ok(path) => {
            use Path::{Absorbed, Deposit, DepositedAttachment, Reader};
            let calls: [&[Path]; 5] = [&[Reader], &[Deposit, Absorbed], &[Deposit], &[Reader], &[DepositedAttachment]];
            for (refusal, paths) in refusals.iter().zip(calls) {
                let wrong = matches!(refusal, Some(Error::Usage(Usage::WrongPath { met })) if *met == path);
                assert!(!wrong || !paths.contains(&path));
                assert!(paths.contains(&path) || refusal.is_some());
            }
        }
        Err(_) => assert!(refusals.iter().all(Option::is_some)),
    }
});
