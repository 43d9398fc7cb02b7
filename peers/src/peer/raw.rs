//! The limit: ChaCha20-Poly1305 of the crate that lukko uses, in the same build, with a ready key and a counted nonce.

use std::cell::Cell;

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit};

use crate::note::NotePeer;
use crate::stream::{CHUNK, StreamPeer, TAG_LEN};
use crate::work::{Outcome, ensure};

/// A key, and the number of the next nonce.
pub struct Raw {
    cipher: ChaCha20Poly1305,
    next: Cell<u64>,
}

impl Raw {
    /// A key that never protects anything.
    pub fn new() -> Self {
        Self { cipher: ChaCha20Poly1305::new(&[7; 32].into()), next: Cell::new(0) }
    }

    /// The next nonce, and the same as it is stored.
    fn nonce(&self) -> [u8; 12] {
        self.next.set(self.next.get() + 1);
        nonce(self.next.get())
    }
}

/// A number as a nonce.
pub fn nonce(number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce
}

impl NotePeer for Raw {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "raw AEAD (chacha20poly1305)"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        let nonce = self.nonce();
        // One allocation: the nonce is put behind, which the capacity was asked for.
        let mut sealed = Vec::with_capacity(note.len() + TAG_LEN + nonce.len());
        sealed.extend_from_slice(note);
        let tag = self.cipher.encrypt_inout_detached(&nonce.into(), &[], InOutBuf::from(&mut sealed[..]));
        sealed.extend_from_slice(&tag.map_err(|_| "refused")?);
        sealed.extend_from_slice(&nonce);
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let (sealed, nonce) = sealed.split_last_chunk::<12>().ok_or("too short")?;
        self.cipher.decrypt(nonce.into(), sealed).map_err(|_| "refused".into())
    }
}

impl StreamPeer for Raw {
    fn name(&self) -> &'static str {
        "raw AEAD, 16 KiB (chacha20poly1305)"
    }

    fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome {
        let mut buffer = vec![0; CHUNK + TAG_LEN];
        for (at, chunk) in (0..).zip(source.chunks(CHUNK)) {
            let (text, tag) = buffer.split_at_mut(chunk.len());
            text.copy_from_slice(chunk);
            let sealed = self.cipher.encrypt_inout_detached(&nonce(at).into(), &[], InOutBuf::from(text));
            tag[..TAG_LEN].copy_from_slice(&sealed.map_err(|_| "refused")?);
            sink.extend_from_slice(&buffer[..chunk.len() + TAG_LEN]);
        }
        Ok(())
    }

    fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome {
        for (at, (chunk, text)) in (0..).zip(sealed.chunks(CHUNK + TAG_LEN).zip(sink.chunks_mut(CHUNK))) {
            let (sealed, tag) = chunk.split_last_chunk::<TAG_LEN>().ok_or("too short")?;
            ensure(sealed.len() == text.len(), || "not a chunk".into())?;
            text.copy_from_slice(sealed);
            let opened = self.cipher.decrypt_inout_detached(&nonce(at).into(), &[], InOutBuf::from(text), tag.into());
            opened.map_err(|_| "refused")?;
        }
        Ok(())
    }
}
