//! Random writes, reads and seeks, against what `std` does with the text itself.

use std::io::{Cursor, Read, Seek, SeekFrom};

use lukko::*;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Read(usize),
    Start(u64),
    Current(i64),
    End(i64),
    Len,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_000_usize).prop_map(Step::Read),
        2 => (0..120_000_u64).prop_map(Step::Start),
        2 => (-70_000..70_000_i64).prop_map(Step::Current),
        1 => (-130_000..1_000_i64).prop_map(Step::End),
        1 => Just(Step::Current(i64::MIN)),
        1 => Just(Step::Start(u64::MAX)),
        1 => Just(Step::Len),
    ]
}

/// Reads as much as there is, as `read_exact` cannot.
fn read_full(reader: &mut impl Read, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    reader.take(most as u64).read_to_end(&mut out).unwrap();
    out
}

fn seek_both(reader: &mut (impl Read + Seek), oracle: &mut Cursor<&[u8]>, to: SeekFrom) -> Result<(), TestCaseError> {
    match (reader.seek(to), oracle.seek(to)) {
        (Ok(met), Ok(expected)) => prop_assert_eq!(met, expected),
        (Err(met), Err(expected)) => prop_assert_eq!(met.kind(), expected.kind()),
        (met, expected) => prop_assert!(false, "{:?}: {:?}, not {:?}", to, met, expected),
    }
    Ok(())
}

fn agrees(mut reader: AttachmentReader<Cursor<&[u8]>>, text: &[u8], steps: &[Step]) -> Result<(), TestCaseError> {
    let mut oracle = Cursor::new(text);
    for step in steps {
        match *step {
            Step::Read(most) => {
                let (met, expected) = (read_full(&mut reader, most), read_full(&mut oracle, most));
                prop_assert!(met == expected, "{} bytes at {:?}, not {}", met.len(), step, expected.len());
            }
            Step::Start(at) => seek_both(&mut reader, &mut oracle, SeekFrom::Start(at))?,
            Step::Current(by) => seek_both(&mut reader, &mut oracle, SeekFrom::Current(by))?,
            Step::End(by) => seek_both(&mut reader, &mut oracle, SeekFrom::End(by))?,
            Step::Len => prop_assert_eq!(reader.plaintext_len().unwrap(), text.len() as u64),
        }
        prop_assert_eq!(reader.stream_position().unwrap(), oracle.position());
    }
    Ok(())
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0..600_usize, 16_000..18_000_usize, 0..120_000_usize, prop::sample::select(&LENGTHS[..])]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_and_seeking_is_that_of_the_text(
        len in length(), padded in any::<bool>(), steps in prop::collection::vec(step(), 1..24),
    ) {
        let mut clinic = clinic(0xB0);
        let text = text(len);
        let sealed = seal(&mut clinic, if padded { Padding::Padme } else { Padding::None }, &text);
        agrees(open(&clinic, Cursor::new(&sealed[..])).unwrap(), &text, &steps)?;
    }

    #[test]
    fn however_it_is_written_it_is_the_same_text(
        len in length(), padded in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut clinic = clinic(0xB1);
        let text = text(len);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(len + 1)).chain([0, len]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let sealed = seal_in_pieces(&mut clinic, if padded { Padding::Padme } else { Padding::None }, &pieces);
        prop_assert!(clinic.open(&sealed).unwrap().plaintext[..] == text[..]);
    }
}

/// The first position after which the end must be known, and those around it, one byte at a time.
#[test]
fn reading_byte_by_byte_over_the_end() {
    let mut clinic = clinic(0xB2);
    for (len, from) in [(300, 0), (16_383, 16_300), (16_384, 16_300), (17_000, 16_300), (50_000, 49_100)] {
        let text = text(len);
        for padding in PADDINGS {
            let sealed = seal(&mut clinic, padding, &text);
            let mut reader = open(&clinic, Cursor::new(&sealed)).unwrap();
            reader.seek(SeekFrom::Start(from)).unwrap();
            let mut byte = [0];
            for expected in &text[from as usize..] {
                assert_eq!((reader.read(&mut byte).unwrap(), byte[0]), (1, *expected));
            }
            for _ in 0..3 {
                assert_eq!(reader.read(&mut byte).unwrap(), 0);
            }
            assert_eq!(reader.seek(SeekFrom::Start(0)).unwrap(), 0);
            assert_eq!((reader.read(&mut byte).unwrap(), byte[0]), (1, text[0]));
        }
    }
}
