//! Recovery: any sequence of shares, true, altered, strange or repeated, and of attempts to finish.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

use lukko::error::{Error, ShareFault};
use lukko::{Recovery, Share};
use lukko_fuzz::{Input, World};

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let world = World::of(input.byte() & 7 == 7);
    let valid: Vec<&[u8]> = world.shares.iter().chain(&world.strange_shares).map(Vec::as_slice).collect();
    let mut recovery = Recovery::new(&world.pinned);
    let mut accepted = BTreeSet::new();
    for _ in 0..32 {
        if input.is_empty() {
            break;
        }
        if !input.byte().is_multiple_of(4) {
            let bytes = input.object(&valid);
            let Ok(share) = Share::from_bytes(&bytes) else { continue };
            let (index, dealt) = (share.index(), world.shares.contains(&bytes));
            let added = recovery.add(share);
            assert_eq!(added.is_ok(), dealt && !accepted.contains(&index));
            if dealt && accepted.contains(&index) {
                assert_eq!(added, Err(Error::Share { index, reason: ShareFault::Duplicate }));
            } else if dealt {
                accepted.insert(index);
            }
        } else {
            match recovery.finish() {
                Ok(master) => {
                    assert!(accepted.len() >= 3);
                    assert!(world.vault.break_glass(&world.card, &master).is_ok());
                    assert_eq!(master.fingerprint(), world.master.fingerprint());
                    accepted.clear();
                }
                Err(error) => {
                    let have = u8::try_from(accepted.len()).expect("at most five");
                    assert!(have < 3 && error == Error::NotEnoughShares { have, need: 3 });
                }
            }
        }
        assert_eq!(usize::from(recovery.progress().have), accepted.len());
    }
});
