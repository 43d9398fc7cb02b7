//! Payloads that only a holder of the record key can make, with a padding that no writer of ours gives.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::vec::Vec;

use super::stream::{Payload, Stream};
use crate::choice::Padding;
use crate::chunked::{ChaCha20Poly1305, Layout, seal_append};
use crate::digest::PayloadContextId;
use crate::error::Error;
use crate::ident::{FieldLabel, Place, RecordId, Revision};
use crate::record::RecordContext;

const KEY: [u8; 32] = [1; 32];
const CONTEXT: PayloadContextId = PayloadContextId([3; 32]);

/// A payload with exactly this plaintext, opened as one that is padded.
fn stream(plaintext: &[u8], padding: Padding) -> std::io::Result<Stream<Cursor<Vec<u8>>>> {
    let mut sealed = Vec::new();
    seal_append::<ChaCha20Poly1305, 32>(&KEY, &[2; 24], CONTEXT.as_bytes(), &[plaintext], 0, &mut sealed).unwrap();
    let layout = Layout::of_sealed(sealed.len() as u64).unwrap();
    let (record, field) = (RecordId::new("r").unwrap(), FieldLabel::new("f").unwrap());
    let context = RecordContext::new(Place::new(record, field), Revision::FIRST).with_padding(padding);
    let payload = Payload { offset: 0, layout, payload_context: CONTEXT, context: &context };
    Stream::open(Cursor::new(sealed), &payload, &KEY)
}

/// `note`, this byte, and zeros up to `len`.
fn padded(note: usize, marker: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![7; note];
    bytes.push(marker);
    bytes.resize(len, 0);
    bytes
}

fn is_refused<T>(result: std::io::Result<T>) -> bool {
    result.is_err_and(|error| Error::from_io(&error) == Some(&Error::NotAuthentic))
}

/// 51,200 = 25 * 2,048 is the Padmé length of notes from 49,152 to 51,199 bytes, 1,081,344 of those from 1,048,576.
#[test]
fn only_the_exact_padding_ends_an_attachment() {
    for (least, len) in [(0, 256), (256, 272), (49_152, 51_200), (1_048_576, 1_081_344)] {
        for note in [least, (least + len) / 2, len - 1] {
            let mut stream = stream(&padded(note, 0x80, len), Padding::Padme).unwrap();
            assert_eq!(stream.len().unwrap(), note as u64);
        }
        // A marker before the least length, another marker, none at all, and only zeros.
        let mut broken = vec![padded(len - 1, 0x81, len), padded(len - 1, 7, len), padded(least, 1, len), vec![0; len]];
        broken.extend(least.checked_sub(1).map(|note| padded(note, 0x80, len)));
        for plaintext in broken {
            assert!(is_refused(stream(&plaintext, Padding::Padme).unwrap().len()));
            let mut stream = stream(&plaintext, Padding::Padme).unwrap();
            let mut read = vec![0; least];
            stream.read_exact(&mut read).unwrap();
            assert!(read == plaintext[..least], "below the least length all is text");
            assert!(is_refused(stream.read(&mut [0])));
            assert!(is_refused(stream.seek(SeekFrom::Start(0))), "and it stays refused");
        }
    }
}

#[test]
fn a_length_that_no_padding_gives_is_refused_at_once() {
    for len in [0, 1, 255, 257, 271, 49_153, 51_199, 51_201] {
        assert!(is_refused(stream(&padded(0, 0x80, len.max(1))[..len], Padding::Padme).map(drop)), "{len}");
        assert_eq!(stream(&vec![7; len], Padding::None).unwrap().len().unwrap(), len as u64);
    }
}

#[test]
fn a_full_and_an_empty_last_chunk_without_padding() {
    for len in [0, 16_383, 16_384, 32_768] {
        let mut out = Vec::new();
        stream(&vec![7; len], Padding::None).unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(out, vec![7; len]);
    }
}
