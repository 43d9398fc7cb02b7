//! Known answers for HKDF-SHA256 with ChaCha20-Poly1305, made with Python's `hmac` and `cryptography`:
//!
//! ```python
//! def okm(key, salt, ctx):
//!     info = b"c2sp.org/chunked-encryption@v1+AEAD_CHACHA20_POLY1305\0" + salt + ctx
//!     t, out, i = b"", b"", 1
//!     while len(out) < 76: t = hmac.digest(key, t + info + bytes([i]), "sha256"); out += t; i += 1
//!     return out[:32], out[32:44], out[44:76]
//! def seal(key, salt, ctx, p):
//!     k, base, commitment = okm(key, salt, ctx); out = salt + commitment
//!     for i in range(len(p) // 16384 + 1):
//!         n = (int.from_bytes(base, "big") ^ i).to_bytes(12, "big")
//!         out += ChaCha20Poly1305(k).encrypt(n, p[i * 16384:(i + 1) * 16384], None)
//!     return out
//! seal(bytes(range(32)), bytes(range(64, 88)), b"context", bytes(i % 251 for i in range(length)))
//! ```

use core::array::from_fn;

use sha2::{Digest, Sha256};

use super::*;

fn salt() -> [u8; SALT_LEN] {
    from_fn(|i| 64 + i as u8)
}

fn known(len: usize) -> Vec<u8> {
    let (key, mut out) = (from_fn(|i| i as u8), Vec::new());
    seal_append::<ChaCha20Poly1305, 32>(&key, &salt(), CONTEXT, &[&text(len)], 0, &mut out).unwrap();
    assert_eq!(opened_as::<ChaCha20Poly1305, 32>(&key, &out, CONTEXT), Opened::Plaintext(text(len)));
    out
}

#[test]
fn t014_known_answers() {
    const HEADER: &str = "404142434445464748494a4b4c4d4e4f5051525354555657\
        40a7a0d332f0cb8656ab8d9d8dd0e47f9e3c98eaf830d4babfa5909534b73456";
    const EMPTY: &str = "612bfe6e10c11e749a0b372699879f3f";
    const FIVE: &str = "f51bf868463ff684cfebcc7cd43dd2e69b64f2d7f8";
    const LONG: &str = "f7e2c686563e8a4a688fde2d23ac583db200c4cde80b51d7f080842d42798577";
    assert_eq!(hex::encode(known(0)), [HEADER, EMPTY].concat());
    assert_eq!(hex::encode(known(5)), [HEADER, FIVE].concat());
    assert_eq!(known(CHUNK_LEN + 5).len(), 16_477);
    assert_eq!(hex::encode(Sha256::digest(known(CHUNK_LEN + 5))), LONG);
}

/// One chunk that the AEAD alone accepts under two keys; the commitment lets it be one message only.
///
/// Made with the `okm` of above and input keys of 32 bytes 0x01 and 0x02. Let (r, s) be the Poly1305 keys of the two
/// message keys. For a tag T, two ciphertext blocks c0, c1 (with Poly1305's top bit) solve, modulo 2^130 - 5,
/// `c0 r^3 + c1 r^2 + L r = (T - s) mod 2^128` for both, L being the block of lengths; T is tried until both solutions
/// are blocks.
#[test]
fn t041_a_chunk_of_two_keys_opens_under_the_committed_one_only() {
    const CHUNK: &str = "2872832f6b9662c84f1a9ec26068105e4b8b8805d1963395e4d1d4c6e3acaf64";
    const TAG: &str = "9c87c733a61ce68a1904edf53bdef043";
    let (chunk, tag) = (hex::decode(CHUNK).unwrap(), hex::decode(TAG).unwrap());
    let plaintexts = [
        "f47304ddb92db8984db3530f7f06c7938221b93e50f95f55e5c31d340e27140f",
        "5466c8dafb23ecdad6aa67ee531c69671f0cf4d000f9bbc959ea326f9256e61f",
    ]
    .map(|plaintext| Opened::Plaintext(hex::decode(plaintext).unwrap()));
    for (own, foreign, plaintext) in [([1; 32], [2; 32], &plaintexts[0]), ([2; 32], [1; 32], &plaintexts[1])] {
        let key = SealingKey::<ChaCha20Poly1305, 32>::derive(&own, &salt(), CONTEXT);
        let message = [&salt()[..], key.commitment(), &chunk, &tag].concat();
        assert_eq!(&opened_as::<ChaCha20Poly1305, 32>(&own, &message, CONTEXT), plaintext);
        assert_eq!(opened_as::<ChaCha20Poly1305, 32>(&foreign, &message, CONTEXT), REFUSED);
    }
}
