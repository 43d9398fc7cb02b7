//! A key in a file, sealed under a passphrase.
//!
//! ```text
//! "LKS" 0x01 | u32 memory in KiB | u32 passes | u32 lanes | salt (16) | nonce (24) | u8 length | name | sealed seed (48)
//! key = Argon2id(passphrase, salt, memory, passes, lanes, 32 bytes)                                       RFC 9106
//! sealed seed = XChaCha20-Poly1305(key, nonce, aad = all before it, seed)
//! ```

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use lukko::OsRng;
use lukko::rand_core::TryRng as _;
use zeroize::Zeroizing;

use super::Key;
use crate::error::{Error, Result};
use crate::private;

const MAGIC: [u8; 4] = *b"LKS\x01";
const SALT: usize = 16;
const NONCE: usize = 24;
const SEALED: usize = 48;
/// RFC 9106, section 4, second choice: 64 MiB, 3 passes, 4 lanes.
const MEMORY: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// A file that wants more than this is none of ours: it would take the machine's memory before anything is checked.
const MOST_MEMORY: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 64;

/// What stands before the sealed seed.
struct Head<'a> {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    name: &'a str,
}

impl<'a> Head<'a> {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [self.memory, self.passes, self.lanes] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.nonce);
        bytes.push(u8::try_from(self.name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(self.name.as_bytes());
        bytes
    }

    /// Gives what is left behind it, which is the sealed seed.
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (memory, rest) = number(rest)?;
        let (passes, rest) = number(rest)?;
        let (lanes, rest) = number(rest)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (length, rest) = rest.split_first()?;
        let (name, sealed) = rest.split_at_checked(usize::from(*length))?;
        let bounded = memory <= MOST_MEMORY && passes <= MOST_PASSES && lanes <= MOST_LANES;
        let head = Self { memory, passes, lanes, salt: *salt, nonce: *nonce, name: std::str::from_utf8(name).ok()? };
        (bounded && sealed.len() == SEALED).then_some((head, sealed))
    }

    fn cipher(&self, passphrase: &[u8]) -> Result<XChaCha20Poly1305> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(32)).map_err(|_| Error::KeyFile)?;
        let mut key = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(passphrase, &self.salt, key.as_mut_slice()).map_err(|_| Error::KeyFile)?;
        XChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(|_| Error::KeyFile)
    }
}

pub(super) fn write(path: &Path, key: &Key, passphrase: &[u8]) -> Result<()> {
    let mut random = [0; SALT + NONCE];
    OsRng.try_fill_bytes(&mut random).map_err(|_| lukko::Error::Randomness)?;
    let (salt, nonce) = random.split_first_chunk::<SALT>().ok_or(Error::KeyFile)?;
    let nonce = nonce.try_into().map_err(|_| Error::KeyFile)?;
    let (memory, passes, lanes) = (MEMORY, PASSES, LANES);
    let head = Head { memory, passes, lanes, salt: *salt, nonce, name: &key.name };
    let mut bytes = head.encode();
    let payload = Payload { msg: key.seed.as_slice(), aad: &bytes };
    let sealed = head.cipher(passphrase)?.encrypt(&XNonce::from(head.nonce), payload).map_err(|_| Error::KeyFile)?;
    bytes.extend_from_slice(&sealed);

    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, private::MODE);
    let mut file = options.open(path)?;
    file.write_all(&bytes)?;
    Ok(file.sync_all()?)
}

pub(super) fn read(path: &Path, passphrase: &[u8]) -> Result<Key> {
    let bytes = std::fs::read(path)?;
    private::require(path, Error::KeyMode)?;
    let (head, sealed) = Head::parse(&bytes).ok_or(Error::KeyFile)?;
    let before = bytes.len().saturating_sub(sealed.len());
    let aad = bytes.get(..before).ok_or(Error::KeyFile)?;
    let opened = head.cipher(passphrase)?.decrypt(&XNonce::from(head.nonce), Payload { msg: sealed, aad });
    let opened = Zeroizing::new(opened.map_err(|_| Error::Passphrase)?);
    let seed: &[u8; 32] = opened.as_slice().try_into().map_err(|_| Error::KeyFile)?;
    Key::from_seed(head.name, seed)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}
