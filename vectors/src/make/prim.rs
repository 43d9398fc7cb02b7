//! `lp`, `H`, `KDF`, `Sign` and the AEADs.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

static LABELS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let tables = crate::format::tables();
    let lists = tables["labels"].as_array().expect("labels by use").iter();
    lists
        .flat_map(|row| row["names"].as_array().expect("a list"))
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
});

pub(crate) fn lp(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("at most 255 bytes");
    [&[length], bytes].concat()
}

/// `lp(label)`, with what all labels begin with. Only what docs/format.json lists is a label.
pub(crate) fn label(name: &str) -> Vec<u8> {
    assert!(LABELS.contains(name), "not in docs/format.json: {name}");
    lp(format!("lukko/v1 {name}").as_bytes())
}

pub(crate) fn h(name: &str, parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest([label(name), parts.concat()].concat()).into()
}

/// HKDF-Expand-SHA256 (RFC 5869).
pub(crate) fn expand(prk: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let (mut block, mut out) = (Vec::new(), Vec::new());
    for counter in 1.. {
        if out.len() >= length {
            break;
        }
        block = hmac(prk, &[block.as_slice(), info, &[counter]].concat()).to_vec();
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    out
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

pub(crate) fn kdf(key: &[u8; 32], name: &str, parts: &[&[u8]], length: usize) -> Vec<u8> {
    expand(key, &[label(name), parts.concat()].concat(), length)
}

pub(crate) fn kdf32(key: &[u8; 32], name: &str, parts: &[&[u8]]) -> [u8; 32] {
    array(&kdf(key, name, parts, 32))
}

pub(crate) fn sign(seed: &[u8; 32], name: &str, message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(&[&label(name), message].concat()).to_bytes()
}

/// The public half of an Ed25519 seed.
pub(crate) fn ed_public(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

pub(crate) fn chacha_seal(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
    ChaCha20Poly1305::new(key.into()).encrypt(nonce.into(), Payload { msg: text, aad }).expect("short")
}

pub(crate) fn chacha_open(key: &[u8; 32], nonce: &[u8; 12], sealed: &[u8]) -> Vec<u8> {
    ChaCha20Poly1305::new(key.into()).decrypt(nonce.into(), sealed).expect("authentic")
}

pub(crate) fn xchacha_seal(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], text: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.into()).encrypt(nonce.into(), Payload { msg: text, aad }).expect("short")
}

pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the right length")
}
