//! Lengths, offsets and the chunk counter.

use super::*;
use crate::error::Usage;

const PIB_4: u64 = 1 << 52;

/// Length of the sealed message, by cutting the plaintext chunk by chunk.
fn slow_sealed_len(mut plaintext_len: u64) -> (u64, u64) {
    let (mut len, mut chunks) = (24 + 32, 1);
    while plaintext_len >= 16_384 {
        (len, chunks, plaintext_len) = (len + 16_384 + 16, chunks + 1, plaintext_len - 16_384);
    }
    (len + plaintext_len + 16, chunks)
}

#[test]
fn t036_layout_agrees_with_a_slow_reference() {
    let mut lengths = alloc::collections::BTreeMap::new();
    for plaintext_len in 0..70_000 {
        let (sealed_len, chunks) = slow_sealed_len(plaintext_len);
        let layout = Layout::of_plaintext(plaintext_len).unwrap();
        assert_eq!((layout.sealed_len(), layout.last().get() + 1), (sealed_len, chunks));
        assert_eq!((layout.plaintext_len(), Layout::of_sealed(sealed_len)), (plaintext_len, Ok(layout)));
        let (index, place) = ChunkIndex::containing(plaintext_len).unwrap();
        assert_eq!((index, index.get() * 16_384 + place), (layout.last(), plaintext_len));
        lengths.insert(sealed_len, layout);
    }
    for sealed_len in 0..70_000 {
        let boundary = (0..6).any(|chunks| sealed_len == 56 + chunks * 16_400);
        let fault = if boundary { BadLength::Truncated } else { BadLength::Impossible };
        assert_eq!(Layout::of_sealed(sealed_len), lengths.get(&sealed_len).copied().ok_or(fault), "{sealed_len}");
    }
}

#[test]
fn t036_the_chunks_of_a_layout_tile_the_message() {
    for plaintext_len in [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536] {
        let layout = Layout::of_plaintext(plaintext_len).unwrap();
        let mut end = 56;
        for number in 0..=layout.last().get() {
            let range = layout.sealed_chunk(ChunkIndex::new(number).unwrap()).unwrap();
            assert_eq!((range.start, range.start), (end, 56 + number * 16_400));
            assert_eq!(range.end - range.start == 16_400, number < layout.last().get());
            end = range.end;
        }
        assert_eq!(end, layout.sealed_len());
        assert_eq!(layout.sealed_chunk(layout.last().next().unwrap()), None);
    }
}

#[test]
fn t039_layout_ends_at_four_pebibytes() {
    let longest = Layout::of_plaintext(PIB_4 - 1).unwrap();
    assert_eq!((longest.last(), longest.sealed_len()), (ChunkIndex::MAX, 56 + (1 << 38) * 16_400 - 1));
    assert_eq!(Layout::of_sealed(longest.sealed_len()), Ok(longest));
    assert_eq!(longest.sealed_chunk(ChunkIndex::MAX).unwrap().end, longest.sealed_len());
    for len in [PIB_4, PIB_4 + 1, u64::MAX] {
        assert_eq!(Layout::of_plaintext(len), Err(BadLength::TooLong));
    }
    for (beyond, fault) in [(1, BadLength::Truncated), (16, BadLength::Impossible), (17, BadLength::TooLong)] {
        assert_eq!(Layout::of_sealed(longest.sealed_len() + beyond), Err(fault));
    }
    assert_eq!(Layout::of_sealed(u64::MAX), Err(BadLength::TooLong));
}

#[test]
fn t039_no_index_reaches_two_to_the_38() {
    assert_eq!(ChunkIndex::MAX.get(), (1 << 38) - 1);
    assert_eq!(ChunkIndex::new((1 << 38) - 1), Some(ChunkIndex::MAX));
    for number in [1 << 38, (1 << 38) + 1, 1 << 40, u64::MAX] {
        assert_eq!(ChunkIndex::new(number), None);
    }
    assert_eq!(ChunkIndex::MAX.next(), None);
    assert_eq!(ChunkIndex::containing(PIB_4 - 1), Some((ChunkIndex::MAX, 16_383)));
    assert_eq!(ChunkIndex::containing(PIB_4), None);
}

fn at(number: u64) -> SealingKey<ChaCha20Poly1305, 32> {
    SealingKey::derive(&KEY, &SALT, CONTEXT).starting_at(ChunkIndex::new(number).unwrap())
}

#[test]
fn t039_the_last_number_is_kept_for_the_last_chunk() {
    let mut chunk = [7; CHUNK_LEN];
    let mut key = at((1 << 38) - 2);
    key.seal_full(&mut chunk).unwrap();
    let before = chunk;
    for _ in 0..3 {
        assert_eq!(key.seal_full(&mut chunk), Err(Usage::TooLong.into()));
        assert_eq!(chunk, before);
    }
    assert!(key.seal_last(&mut chunk[1..]).is_ok());
}

/// The tags, nonces and numbers of a batch are those of the chunks one by one, and at the limit nothing is touched.
#[test]
fn t039_a_batch_takes_the_numbers_that_single_chunks_would() {
    let mut batch: Vec<[u8; SEALED_CHUNK_LEN]> = (1..=3).map(|byte| [byte; SEALED_CHUNK_LEN]).collect();
    let mut single = batch.clone();
    let mut key = at((1 << 38) - 4);
    key.seal_full_batch(&mut batch).unwrap();
    let mut one_by_one = at((1 << 38) - 4);
    for chunk in &mut single {
        let tag = one_by_one.seal_full(chunk.first_chunk_mut().unwrap()).unwrap();
        chunk[CHUNK_LEN..].copy_from_slice(&tag);
    }
    assert_eq!(batch, single);
    assert_eq!(key.seal_full_batch(&mut batch[..1]), Err(Usage::TooLong.into()));
    assert_eq!(at((1 << 38) - 3).seal_full_batch(&mut batch), Err(Usage::TooLong.into()));
    assert_eq!(batch, single, "a refused batch is untouched");
    key.seal_full_batch(&mut []).unwrap();
    assert_eq!(key.seal_last(&mut [7; 5]).unwrap(), one_by_one.seal_last(&mut [7; 5]).unwrap());

    let message = sealed(b"");
    let (header, _) = Header::split(&message).unwrap();
    let opening = OpeningKey::<ChaCha20Poly1305, 32>::derive_checked(&KEY, &header, CONTEXT).unwrap();
    let first = ChunkIndex::new((1 << 38) - 4).unwrap();
    let mut wrong = batch.clone();
    wrong.swap(1, 2);
    assert_eq!(opening.open_full_batch(first, &mut wrong), Err(Error::NotAuthentic));
    opening.open_full_batch(first, &mut batch).unwrap();
    assert!((1..=3).zip(&batch).all(|(byte, chunk)| chunk[..CHUNK_LEN].iter().all(|met| *met == byte)));
}

#[test]
fn t037_a_full_last_chunk_is_refused() {
    let mut chunk = [7; CHUNK_LEN + 1];
    for len in [CHUNK_LEN, CHUNK_LEN + 1] {
        assert_eq!(at(0).seal_last(&mut chunk[..len]), Err(Usage::TooLong.into()));
    }
    assert_eq!(chunk, [7; CHUNK_LEN + 1]);
    assert!(at(0).seal_last(&mut chunk[..CHUNK_LEN - 1]).is_ok());
}

#[test]
fn t039_every_bit_of_the_counter_is_in_the_nonce() {
    let message = sealed(b"");
    let (header, _) = Header::split(&message).unwrap();
    let opening = OpeningKey::<ChaCha20Poly1305, 32>::derive_checked(&KEY, &header, CONTEXT).unwrap();
    let numbers =
        [0, (1 << 8) - 1, (1 << 16) - 1, (1 << 32) - 1, (1 << 38) - 1].into_iter().chain((0..38).map(|bit| 1 << bit));
    for number in numbers {
        let mut chunk = *b"a note";
        let tag = at(number).seal_last(&mut chunk).unwrap();
        for other in (0..38).map(|bit| number ^ 1 << bit) {
            let opened = opening.open(ChunkIndex::new(other).unwrap(), &mut chunk.clone(), &tag);
            assert_eq!(opened, Err(Error::NotAuthentic));
        }
        opening.open(ChunkIndex::new(number).unwrap(), &mut chunk, &tag).unwrap();
        assert_eq!(&chunk, b"a note");
    }
}

/// Seals one chunk and no second one, and must never be asked to open.
enum Failing {}

impl Instantiation<32> for Failing {
    const AEAD_NAME: &'static str = "AEAD_FAILING";

    fn expand(_: &[u8; 32], _: &[&[u8]], okm: &mut [u8; OKM_LEN]) {
        okm.fill(0);
    }

    fn seal_in_place(_: &[u8; 32], nonce: &[u8; 12], _: &mut [u8]) -> Result<[u8; 16]> {
        if nonce[11] == 1 { Err(Error::NotAuthentic) } else { Ok([0; 16]) }
    }

    fn open_in_place(_: &[u8; 32], _: &[u8; 12], _: &mut [u8], _: &[u8; 16]) -> Result<()> {
        panic!("the AEAD was asked before the commitment was checked")
    }
}

#[test]
fn t039_a_seal_that_fails_leaves_out_as_before() {
    for len in [CHUNK_LEN, CHUNK_LEN + 5, 2 * CHUNK_LEN] {
        let mut out = b"before".to_vec();
        let sealed = seal_append::<Failing, 32>(&KEY, &SALT, CONTEXT, &[&text(len)], 0, &mut out);
        assert_eq!((sealed, out.as_slice()), (Err(Error::NotAuthentic), &b"before"[..]));
    }
}

#[test]
fn t041_the_commitment_is_checked_before_the_aead() {
    let message = [1; 100];
    assert_eq!(opened_as::<Failing, 32>(&KEY, &message, CONTEXT), REFUSED);
}

#[test]
fn t039_a_plaintext_beyond_memory_is_the_callers_mistake() {
    let mut out = b"before".to_vec();
    for zeros in [usize::MAX, usize::MAX - 7, isize::MAX as usize] {
        let sealed = seal_append::<ChaCha20Poly1305, 32>(&KEY, &SALT, CONTEXT, &[b"8 bytes."], zeros, &mut out);
        assert_eq!((sealed, out.as_slice()), (Err(Usage::TooLong.into()), &b"before"[..]));
    }
}
