//! Padding and chunked encryption (section 7, and c2sp.org/chunked-encryption@v1).

use super::prim::{array, chacha_open, chacha_seal, expand};

pub(crate) const CHUNK: usize = 16 * 1024;

/// The keys of one message.
#[derive(Debug, Clone)]
pub(crate) struct MessageKeys {
    pub(crate) key: [u8; 32],
    pub(crate) base_nonce: [u8; 12],
    pub(crate) commitment: [u8; 32],
}

impl MessageKeys {
    pub(crate) fn derive(input: &[u8; 32], salt: &[u8; 24], context: &[u8]) -> Self {
        let name = b"c2sp.org/chunked-encryption@v1+AEAD_CHACHA20_POLY1305\0";
        let okm = expand(input, &[name.as_slice(), salt, context].concat(), 76);
        Self { key: array(&okm[..32]), base_nonce: array(&okm[32..44]), commitment: array(&okm[44..]) }
    }

    pub(crate) fn nonce(&self, index: u64) -> [u8; 12] {
        let mut nonce = self.base_nonce;
        for (slot, byte) in nonce.iter_mut().rev().zip(index.to_le_bytes()) {
            *slot ^= byte;
        }
        nonce
    }

    /// One chunk under any index and of any length.
    pub(crate) fn chunk(&self, index: u64, text: &[u8]) -> Vec<u8> {
        chacha_seal(&self.key, &self.nonce(index), b"", text)
    }
}

impl MessageKeys {
    /// What a chunk decrypts to under these keys, commitment unseen.
    pub(crate) fn open_unchecked(&self, index: u64, chunk: &[u8]) -> Vec<u8> {
        chacha_open(&self.key, &self.nonce(index), chunk)
    }
}

/// A payload that can still be taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) keys: MessageKeys,
    pub(crate) salt: [u8; 24],
    pub(crate) commitment: [u8; 32],
    pub(crate) chunks: Vec<Vec<u8>>,
}

impl Payload {
    /// Of a text that is padded already.
    pub(crate) fn seal(input: &[u8; 32], salt: &[u8; 24], context: &[u8], padded: &[u8]) -> Self {
        let keys = MessageKeys::derive(input, salt, context);
        let full = padded.chunks_exact(CHUNK);
        let last = full.remainder();
        let chunks = full.chain([last]).zip(0..).map(|(text, index)| keys.chunk(index, text)).collect();
        Self { commitment: keys.commitment, keys, salt: *salt, chunks }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.salt.as_slice(), &self.commitment, &self.chunks.concat()].concat()
    }
}

/// P(L).
pub(crate) fn padded_len(length: usize) -> usize {
    if length <= 256 {
        return 256;
    }
    let exponent = length.ilog2();
    let step = 1_usize << (exponent - (exponent.ilog2() + 1));
    length.div_ceil(step) * step
}

/// The note with rule 0 or 1.
pub(crate) fn pad(note: &[u8], rule: u8) -> Vec<u8> {
    let mut text = note.to_vec();
    if rule == 1 {
        text.push(0x80);
        text.resize(padded_len(note.len() + 1), 0);
    }
    text
}
