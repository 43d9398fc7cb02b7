//! The limit elsewhere: ChaCha20-Poly1305 of AWS-LC, with a ready key and a counted nonce.

use std::cell::Cell;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::raw::nonce;
use crate::note::NotePeer;
use crate::stream::{CHUNK, StreamPeer, TAG_LEN};
use crate::work::{Outcome, ensure};

/// A key, and the number of the next nonce.
pub struct Aws {
    key: LessSafeKey,
    next: Cell<u64>,
}

impl Aws {
    /// A key that never protects anything.
    pub fn new() -> Outcome<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &[7; 32])?;
        Ok(Self { key: LessSafeKey::new(key), next: Cell::new(0) })
    }
}

fn numbered(number: u64) -> Nonce {
    Nonce::assume_unique_for_key(nonce(number))
}

impl NotePeer for Aws {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "raw AEAD (aws-lc-rs)"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        self.next.set(self.next.get() + 1);
        let mut sealed = Vec::with_capacity(note.len() + TAG_LEN + 12);
        sealed.extend_from_slice(note);
        self.key.seal_in_place_append_tag(numbered(self.next.get()), Aad::empty(), &mut sealed)?;
        sealed.extend_from_slice(&nonce(self.next.get()));
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let (sealed, nonce) = sealed.split_last_chunk::<12>().ok_or("too short")?;
        let mut note = sealed.to_vec();
        let len = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut note)?.len();
        note.truncate(len);
        Ok(note)
    }
}

impl StreamPeer for Aws {
    fn name(&self) -> &'static str {
        "raw AEAD, 16 KiB (aws-lc-rs)"
    }

    fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome {
        let mut buffer = vec![0; CHUNK + TAG_LEN];
        for (at, chunk) in (0..).zip(source.chunks(CHUNK)) {
            let (text, tag) = buffer.split_at_mut(chunk.len());
            text.copy_from_slice(chunk);
            let sealed = self.key.seal_in_place_separate_tag(numbered(at), Aad::empty(), text)?;
            tag[..TAG_LEN].copy_from_slice(sealed.as_ref());
            sink.extend_from_slice(&buffer[..chunk.len() + TAG_LEN]);
        }
        Ok(())
    }

    fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome {
        for (at, (chunk, text)) in (0..).zip(sealed.chunks(CHUNK + TAG_LEN).zip(sink.chunks_mut(CHUNK))) {
            let (sealed, tag) = chunk.split_last_chunk::<TAG_LEN>().ok_or("too short")?;
            ensure(sealed.len() == text.len(), || "not a chunk".into())?;
            self.key.open_separate_gather(numbered(at), Aad::empty(), sealed, tag, text)?;
        }
        Ok(())
    }
}
