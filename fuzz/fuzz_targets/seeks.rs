//! An attachment's reader, with seeks, against what `std` does with the text; altered, all that it gives is true.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::{Cursor, Read, Seek, SeekFrom};

use lukko::{AttachmentReader, Place};
use lukko_fuzz::{Input, World};

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let world = World::of(false);
    let attachments = World::attachments();
    let (text, padding, sealed) = &attachments[usize::from(input.byte()) % attachments.len()];
    let altered = input.byte() & 1 == 1;
    let sealed = if altered { input.object(&[sealed]) } else { sealed.clone() };
    let opened =
        world.vault.open_attachment(&world.key, Place::new(world.record(0), world.field()), Cursor::new(&*sealed));
    match opened {
        Ok(mut reader) => {
            assert!(altered || reader.padding() == *padding);
            steps(&mut reader, text, altered, &mut input);
        }
        Err(_) => assert!(altered),
    }
});

fn steps(reader: &mut AttachmentReader<Cursor<&[u8]>>, text: &[u8], altered: bool, input: &mut Input<'_>) {
    let mut oracle = Cursor::new(text);
    let mut buffer = vec![0; 20_000];
    let mut stuck = false;
    for _ in 0..24 {
        if input.is_empty() {
            return;
        }
        let kind = input.byte() % 6;
        let before = oracle.position();
        let done = match kind {
            0 | 1 => {
                let slot = &mut buffer[..if kind == 0 { usize::from(input.byte()) } else { input.short() % 20_000 }];
                reader.read(slot).map(|count| {
                    let rest = text.get(usize::try_from(before).unwrap_or(usize::MAX)..).unwrap_or_default();
                    assert!(rest.starts_with(&slot[..count]), "not the text at {before}");
                    assert!(count > 0 || slot.is_empty() || rest.is_empty(), "an early end at {before}");
                    oracle.set_position(before + count as u64);
                })
            }
            2 => both(reader, &mut oracle, SeekFrom::Start(input.short() as u64)),
            3 => both(reader, &mut oracle, SeekFrom::Current(input.short() as i64 - 0x8000)),
            4 => both(reader, &mut oracle, SeekFrom::End(200 - input.short() as i64)),
            _ => {
                let (how, far) = (input.byte(), input.long());
                let to = match how % 4 {
                    0 => SeekFrom::Start(far),
                    1 => SeekFrom::Current(far.cast_signed()),
                    2 => SeekFrom::End(far.cast_signed()),
                    _ => {
                        let len = reader.plaintext_len().map(|len| assert_eq!(len, text.len() as u64));
                        check(len.is_err(), altered, &mut stuck);
                        continue;
                    }
                };
                both(reader, &mut oracle, to)
            }
        };
        check(done.is_err(), altered, &mut stuck);
    }
}

/// Only an altered source fails, and once it has, everything does.
fn check(failed: bool, altered: bool, stuck: &mut bool) {
    assert!(altered || !failed);
    assert!(failed || !*stuck, "an error did not stick");
    *stuck = failed;
}

/// A position that cannot be is refused by both; it is no failure.
fn both(reader: &mut impl Seek, oracle: &mut Cursor<&[u8]>, to: SeekFrom) -> std::io::Result<()> {
    let before = oracle.position();
    match (reader.seek(to), oracle.seek(to)) {
        (Ok(met), Ok(expected)) => assert_eq!(met, expected),
        (Err(met), Err(expected)) if met.kind() == expected.kind() => {}
        (Err(met), _) => {
            oracle.set_position(before);
            return Err(met);
        }
        (Ok(met), Err(expected)) => panic!("{to:?}: {met}, not {expected}"),
    }
    Ok(())
}
