//! Names begin with the number of the case that they answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod attacks;
mod known;
mod limits;
mod vectors;

use alloc::vec::Vec;

use super::*;
use crate::error::{Error, Result};

const KEY: [u8; 32] = *b"an input key of thirty-two bytes";
const SALT: [u8; SALT_LEN] = *b"a salt that never recurs";
const CONTEXT: &[u8] = b"context";

/// Bytes with a period that no chunk is a multiple of.
fn text(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

fn sealed_with(salt: &[u8; SALT_LEN], plaintext: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    seal_append::<ChaCha20Poly1305, 32>(&KEY, salt, CONTEXT, &[plaintext], 0, &mut out).unwrap();
    out
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    sealed_with(&SALT, plaintext)
}

/// What becomes of bytes from outside.
#[derive(Debug, PartialEq, Eq)]
enum Opened {
    BadLength(BadLength),
    Refused(Error),
    Plaintext(Vec<u8>),
}

const REFUSED: Opened = Opened::Refused(Error::NotAuthentic);

/// Opens behind bytes that are there already, and checks that a failure leaves just those.
fn opened_as<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    key: &[u8; KEY_LEN],
    bytes: &[u8],
    context: &[u8],
) -> Opened {
    let mut out = b"before".to_vec();
    let message = match SealedMessage::parse(bytes) {
        Ok(message) => message,
        Err(fault) => return Opened::BadLength(fault),
    };
    match open_append::<I, KEY_LEN>(key, &message, context, &mut out) {
        Ok(()) => {
            assert_eq!(&out[..6], b"before");
            assert_eq!(out.len() as u64, 6 + message.layout().plaintext_len());
            Opened::Plaintext(out.split_off(6))
        }
        Err(error) => {
            assert_eq!(out, b"before");
            Opened::Refused(error)
        }
    }
}

fn opened(bytes: &[u8]) -> Opened {
    opened_as::<ChaCha20Poly1305, 32>(&KEY, bytes, CONTEXT)
}

fn is_refused(opened: &Opened) -> bool {
    matches!(opened, Opened::BadLength(_) | Opened::Refused(Error::NotAuthentic))
}

#[test]
fn t014_every_boundary_round_trips() {
    for len in [0, 1, 255, 256, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769] {
        let message = sealed(&text(len));
        assert_eq!(message.len() as u64, Layout::of_plaintext(len as u64).unwrap().sealed_len(), "{len}");
        assert_eq!(opened(&message), Opened::Plaintext(text(len)), "{len}");
    }
}

#[test]
fn t014_parts_and_zeros_are_one_plaintext() {
    for (first, zeros) in [(0, 0), (0, 255), (1, 16_382), (1, 16_383), (16_383, 0), (16_383, 1), (16_384, 40_000)] {
        let whole = [text(first).as_slice(), &[0x80], &alloc::vec![0; zeros]].concat();
        let mut out = b"before".to_vec();
        let parts: [&[u8]; 4] = [&text(first), &[], &[0x80], &[]];
        seal_append::<ChaCha20Poly1305, 32>(&KEY, &SALT, CONTEXT, &parts, zeros, &mut out).unwrap();
        assert_eq!(out, [b"before", sealed(&whole).as_slice()].concat(), "{first} {zeros}");
        assert_eq!(opened(&out[6..]), Opened::Plaintext(whole));
    }
}

#[test]
fn t014_sealing_and_opening_allocate_once() {
    let mut message = Vec::new();
    seal_append::<ChaCha20Poly1305, 32>(&KEY, &SALT, CONTEXT, &[&text(40_000)], 9, &mut message).unwrap();
    assert_eq!(message.capacity(), message.len());
    let mut out = Vec::new();
    open_append::<ChaCha20Poly1305, 32>(&KEY, &SealedMessage::parse(&message).unwrap(), CONTEXT, &mut out).unwrap();
    assert_eq!((out.capacity(), out.len()), (40_009, 40_009));
}

#[test]
fn t014_random_access_opens_each_chunk_alone() {
    let plaintext = text(3 * CHUNK_LEN + 5);
    let bytes = sealed(&plaintext);
    let message = SealedMessage::parse(&bytes).unwrap();
    let key = OpeningKey::<ChaCha20Poly1305, 32>::derive_checked(&KEY, message.header(), CONTEXT).unwrap();
    for number in [3, 1, 0, 2] {
        let index = ChunkIndex::new(number).unwrap();
        let range = message.layout().sealed_chunk(index).unwrap();
        let (chunk, tag) = bytes[range.start as usize..range.end as usize].split_last_chunk().unwrap();
        let mut chunk = chunk.to_vec();
        key.open(index, &mut chunk, tag).unwrap();
        assert_eq!(chunk, plaintext.chunks(CHUNK_LEN).nth(number as usize).unwrap());
    }
    assert_eq!(message.layout().sealed_chunk(ChunkIndex::new(4).unwrap()), None);
}

#[test]
fn debug_shows_no_key() {
    let key = SealingKey::<ChaCha20Poly1305, 32>::derive(&KEY, &SALT, CONTEXT);
    assert_eq!(alloc::format!("{key:?}"), "SealingKey { .. }");
    let message = sealed(b"");
    let (header, _) = Header::split(&message).unwrap();
    let key = OpeningKey::<ChaCha20Poly1305, 32>::derive_checked(&KEY, &header, CONTEXT).unwrap();
    assert_eq!(alloc::format!("{key:?}"), "OpeningKey { .. }");
}
