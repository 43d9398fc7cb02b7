//! HPKE's key schedule and the combiner of X-Wing, written here from their specifications, so that a published shared
//! secret becomes a message that lukko must open. Nothing of lukko is used but the AEAD, which has vectors of its own.

use hmac::{Hmac, KeyInit, Mac};
use lukko::hazmat::prim;
use sha2::Sha256;
use sha3::{Digest, Sha3_256};

pub(crate) const X25519: u16 = 0x0020;
pub(crate) const X_WING: u16 = 0x647A;

/// HMAC-SHA256 (RFC 2104).
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// RFC 9180, section 4: `LabeledExtract`.
fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    hmac(salt, &[b"HPKE-v1", suite, label, ikm])
}

/// RFC 9180, section 4: `LabeledExpand`, for at most one block.
fn labeled_expand<const L: usize>(suite: &[u8], prk: &[u8], label: &[u8], info: &[&[u8]]) -> [u8; L] {
    let length = u16::try_from(L).expect("short").to_be_bytes();
    let front: [&[u8]; 4] = [&length, b"HPKE-v1", suite, label];
    let block = hmac(prk, &[&front, info, &[&[1]]].concat());
    *block.first_chunk().expect("one block")
}

/// RFC 9180, section 4.1: `ExtractAndExpand` of `DHKEM(X25519, HKDF-SHA256)`.
pub(crate) fn dhkem(dh: &[u8; 32], enc: &[u8; 32], recipient: &[u8]) -> [u8; 32] {
    let suite = [b"KEM".as_slice(), &X25519.to_be_bytes()].concat();
    let eae_prk = labeled_extract(&suite, b"", b"eae_prk", dh);
    labeled_expand(&suite, &eae_prk, b"shared_secret", &[enc, recipient])
}

/// draft-connolly-cfrg-xwing-kem, section "Combiner".
pub(crate) fn combine(ss_m: &[u8], ss_x: &[u8], ct_x: &[u8], pk_x: &[u8]) -> [u8; 32] {
    [ss_m, ss_x, ct_x, pk_x, br"\.//^\"].iter().fold(Sha3_256::new(), Digest::chain_update).finalize().into()
}

/// RFC 9180, section 5.1: `KeySchedule` in base mode, with HKDF-SHA256 and ChaCha20Poly1305: key and base nonce.
pub(crate) fn key_schedule(kem: u16, shared_secret: &[u8; 32], info: &[u8]) -> ([u8; 32], [u8; 12]) {
    let suite = [b"HPKE".as_slice(), &kem.to_be_bytes(), &[0, 1, 0, 3]].concat();
    let psk_id_hash = labeled_extract(&suite, b"", b"psk_id_hash", b"");
    let info_hash = labeled_extract(&suite, b"", b"info_hash", info);
    let secret = labeled_extract(&suite, shared_secret, b"secret", b"");
    let context: [&[u8]; 3] = [&[0], &psk_id_hash, &info_hash];
    (labeled_expand(&suite, &secret, b"key", &context), labeled_expand(&suite, &secret, b"base_nonce", &context))
}

/// What a sender with this shared secret sends: encapsulation || ciphertext || tag.
pub(crate) fn seal(kem: u16, shared_secret: &[u8; 32], enc: &[u8], info: &[u8], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let (key, nonce) = key_schedule(kem, shared_secret, info);
    let mut sealed = [enc, text].concat();
    let tag = prim::seal_in_place(&key, &nonce, aad, &mut sealed[enc.len()..]).expect("short");
    sealed.extend_from_slice(&tag);
    sealed
}
