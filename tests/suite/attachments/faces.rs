//! A source that shows one attachment first and another one later.

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use lukko::*;

use super::deposited::deposit_with;
use crate::clinic::{Clinic, TestRng, field};

/// Two contents of one length, of which the caller says which is shown.
struct Faces<'a> {
    contents: [Cursor<Vec<u8>>; 2],
    shown: &'a Cell<usize>,
}

impl Read for Faces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let position = self.contents[0].position();
        let shown = &mut self.contents[self.shown.get()];
        shown.set_position(position);
        let length = shown.read(out)?;
        self.contents[0].set_position(position + length as u64);
        Ok(length)
    }
}

impl Seek for Faces<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.contents[0].seek(to)
    }
}

/// Who knows the record key shows a shorter text until its length was asked for, and what was signed from the proof of
/// authorship on. The end of the text is found again with the proof.
#[test]
fn authorship_is_proven_of_the_whole_text() {
    let clinic = Clinic::new(Suite::X25519, 0x61);
    let signed_text = b"He denies a plan. The risk is high all the same.";
    // A generator that repeats itself gives both the same id, key and salt.
    let [(id, signed), (_, short)] = [signed_text.as_slice(), b"He denies a plan."]
        .map(|text| deposit_with(&clinic, Padding::Padme, text, &mut TestRng::new(9)));
    let (front, trailer) = (168, signed.len() - 96);
    let forged = [&signed[..front], &short[front..trailer], &signed[trailer..]].concat();
    let shown = Cell::new(0);
    let source = Faces { contents: [Cursor::new(forged), Cursor::new(signed)], shown: &shown };
    let (key, at) = (&clinic.patient.key, RecordId::new(&id).unwrap());
    let mut opened = clinic.vault.open_deposited_attachment(key, Place::new(at, field()), source).unwrap();
    assert_eq!(opened.plaintext_len().unwrap(), 17);
    shown.set(1);
    let mut text = Vec::new();
    opened.verify_authorship().unwrap().read_to_end(&mut text).unwrap();
    assert_eq!(text, signed_text);
}
