//! libsodium, as its C functions: `crypto_box_seal` and `crypto_secretstream`. The only file here with `unsafe`.
#![allow(unsafe_code, reason = "these are C functions")]

use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use libsodium_sys as ffi;

use crate::note::NotePeer;
use crate::stream::{CHUNK, StreamPeer};
use crate::work::{Outcome, ensure};

const PUBLIC_KEY_LEN: usize = ffi::crypto_box_PUBLICKEYBYTES as usize;
const SECRET_KEY_LEN: usize = ffi::crypto_box_SECRETKEYBYTES as usize;
const SEAL_LEN: usize = PUBLIC_KEY_LEN + ffi::crypto_box_MACBYTES as usize;
const HEADER_LEN: usize = ffi::crypto_secretstream_xchacha20poly1305_HEADERBYTES as usize;
const KEY_LEN: usize = ffi::crypto_secretstream_xchacha20poly1305_KEYBYTES as usize;
const CHUNK_TAG_LEN: usize = ffi::crypto_secretstream_xchacha20poly1305_ABYTES as usize;
const MESSAGE: u8 = ffi::crypto_secretstream_xchacha20poly1305_TAG_MESSAGE as u8;
const FINAL: u8 = ffi::crypto_secretstream_xchacha20poly1305_TAG_FINAL as u8;

type State = ffi::crypto_secretstream_xchacha20poly1305_state;

/// `crypto_box_seal` to a key pair.
pub struct SealedBox {
    public: [u8; PUBLIC_KEY_LEN],
    secret: [u8; SECRET_KEY_LEN],
}

/// `crypto_secretstream_xchacha20poly1305` under one key, in chunks of 16 KiB.
pub struct SecretStream {
    key: [u8; KEY_LEN],
}

fn init() -> Outcome {
    // SAFETY: takes nothing; may be called more than once.
    ensure(unsafe { ffi::sodium_init() } >= 0, || "libsodium does not start".into())
}

fn succeeded(code: i32) -> Outcome {
    ensure(code == 0, || "libsodium refused".into())
}

impl SealedBox {
    /// A fresh key pair.
    pub fn new() -> Outcome<Self> {
        init()?;
        let mut keys = Self { public: [0; PUBLIC_KEY_LEN], secret: [0; SECRET_KEY_LEN] };
        // SAFETY: both arrays have the lengths that the function writes.
        succeeded(unsafe { ffi::crypto_box_keypair(keys.public.as_mut_ptr(), keys.secret.as_mut_ptr()) })?;
        Ok(keys)
    }
}

impl NotePeer for SealedBox {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "libsodium box"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        let mut sealed = vec![0; note.len() + SEAL_LEN];
        // SAFETY: the output is `SEAL_LEN` longer than the input, whose length is given, and the key has its length.
        succeeded(unsafe {
            ffi::crypto_box_seal(sealed.as_mut_ptr(), note.as_ptr(), note.len() as u64, self.public.as_ptr())
        })?;
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let mut note = vec![0; sealed.len().checked_sub(SEAL_LEN).ok_or("too short")?];
        let (public, secret) = (self.public.as_ptr(), self.secret.as_ptr());
        // SAFETY: the output is `SEAL_LEN` shorter than the input, whose length is given; the keys have their lengths.
        succeeded(unsafe {
            ffi::crypto_box_seal_open(note.as_mut_ptr(), sealed.as_ptr(), sealed.len() as u64, public, secret)
        })?;
        Ok(note)
    }
}

impl SecretStream {
    /// A fresh key.
    pub fn new() -> Outcome<Self> {
        init()?;
        let mut key = [0; KEY_LEN];
        // SAFETY: the array has the length that the function writes.
        unsafe { ffi::crypto_secretstream_xchacha20poly1305_keygen(key.as_mut_ptr()) };
        Ok(Self { key })
    }
}

impl StreamPeer for SecretStream {
    fn name(&self) -> &'static str {
        "libsodium secretstream"
    }

    fn seal(&self, source: &[u8], sink: &mut Vec<u8>) -> Outcome {
        let (mut header, mut state) = ([0; HEADER_LEN], MaybeUninit::<State>::uninit());
        let (at, key) = (state.as_mut_ptr(), self.key.as_ptr());
        // SAFETY: header and key have their lengths; the state is written here before anything reads it.
        succeeded(unsafe { ffi::crypto_secretstream_xchacha20poly1305_init_push(at, header.as_mut_ptr(), key) })?;
        sink.extend_from_slice(&header);
        let mut chunks = source.chunks(CHUNK).peekable();
        let mut sealed = vec![0; CHUNK + CHUNK_TAG_LEN];
        while let Some(chunk) = chunks.next() {
            let tag = if chunks.peek().is_some() { MESSAGE } else { FINAL };
            let (out, len) = (sealed.as_mut_ptr(), chunk.len() as u64);
            // SAFETY: the state is initialised; the output has room for a whole chunk and its tag; no additional data
            // and no output length are given, for which null is allowed.
            succeeded(unsafe {
                let input = chunk.as_ptr();
                ffi::crypto_secretstream_xchacha20poly1305_push(at, out, null_mut(), input, len, null(), 0, tag)
            })?;
            sink.extend_from_slice(&sealed[..chunk.len() + CHUNK_TAG_LEN]);
        }
        Ok(())
    }

    fn open(&self, sealed: &[u8], sink: &mut [u8]) -> Outcome {
        let (header, sealed) = sealed.split_first_chunk::<HEADER_LEN>().ok_or("too short")?;
        let mut state = MaybeUninit::<State>::uninit();
        let (at, key, mut tag) = (state.as_mut_ptr(), self.key.as_ptr(), MESSAGE);
        // SAFETY: header and key have their lengths; the state is written here before anything reads it.
        succeeded(unsafe { ffi::crypto_secretstream_xchacha20poly1305_init_pull(at, header.as_ptr(), key) })?;
        ensure(
            sealed.len().checked_sub(sealed.len().div_ceil(CHUNK + CHUNK_TAG_LEN) * CHUNK_TAG_LEN) == Some(sink.len()),
            || "another length".into(),
        )?;
        for (chunk, text) in sealed.chunks(CHUNK + CHUNK_TAG_LEN).zip(sink.chunks_mut(CHUNK)) {
            ensure(tag == MESSAGE && chunk.len() == text.len() + CHUNK_TAG_LEN, || "not a chunk".into())?;
            let (out, len) = (text.as_mut_ptr(), chunk.len() as u64);
            // SAFETY: the state is initialised; the output is the chunk without its tag, as was just compared; no
            // additional data and no output length are given, for which null is allowed.
            succeeded(unsafe {
                let input = chunk.as_ptr();
                ffi::crypto_secretstream_xchacha20poly1305_pull(at, out, null_mut(), &mut tag, input, len, null(), 0)
            })?;
        }
        ensure(tag == FINAL, || "the end is missing".into())
    }
}
