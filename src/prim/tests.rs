//! What is refused on import, and the single-shot HPKE functions against tampering.

use alloc::vec::Vec;

use getrandom::SysRng;

use super::hkdf::{MAX_LEN, fill};
use super::hpke::{Coins, PrivateKey, PublicKey, open_secret, seal_secret};
use super::label::Label;
use super::point::is_canonical_and_full_order;
use super::rng::OneShot;
use crate::choice::Suite;
use crate::error::Error;
use crate::secret::Secret;

/// HKDF-Expand against the crate `hkdf`, for every length up to three blocks and a byte, and at the limit.
#[test]
fn hkdf_expand_agrees_with_another_implementation() {
    let prk = [7; 32];
    let theirs = hkdf::Hkdf::<sha2::Sha256>::from_prk(&prk).unwrap();
    for length in (0..=97).chain([8_159, MAX_LEN]) {
        let (mut ours, mut expected) = (alloc::vec![0; length], alloc::vec![0; length]);
        fill(&prk, [b"a".as_slice(), b"", b"bc"].into_iter(), &mut ours);
        theirs.expand(b"abc", &mut expected).unwrap();
        assert_eq!(ours, expected, "length {length}");
    }
    assert!(theirs.expand(b"abc", &mut [0; MAX_LEN + 1]).is_err(), "it has the same limit");
}

/// Derived coins are HKDF-Expand's, 32 or 64 bytes of it, and seal to the same bytes every time.
#[test]
fn derived_coins_seal_to_the_same_bytes() {
    for suite in SUITES {
        let (key, public) = key_pair(suite);
        let derive = |context: &[u8]| Coins::derive(suite, &[5; 32], Label::new("coins"), [context]);
        let seal = |coins: &Coins| seal_secret(&public, b"info", b"aad", &[7; 32], coins).unwrap();
        let sealed = seal(&derive(b"head"));
        assert_eq!(sealed, seal(&derive(b"head")));
        assert_ne!(sealed, seal(&derive(b"heae")));
        let mut drawn = alloc::vec![0; if suite == Suite::XWing { 64 } else { 32 }];
        hkdf::Hkdf::<sha2::Sha256>::from_prk(&[5; 32]).unwrap().expand(b"\x05coinshead", &mut drawn).unwrap();
        assert_eq!(sealed, seal(&Coins::draw(suite, &mut OneShot::new(&drawn)).unwrap()));
        assert_eq!(open_secret(&key, b"info", b"aad", &sealed).unwrap().expose(), &[7; 32]);
        let other = if suite == Suite::XWing { Suite::X25519 } else { Suite::XWing };
        let foreign = Coins::derive(other, &[5; 32], Label::new("coins"), []);
        assert_eq!(seal_secret(&public, b"info", b"aad", &[7; 32], &foreign).unwrap_err(), Error::Randomness);
    }
}

const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];

fn key_pair(suite: Suite) -> (PrivateKey, PublicKey) {
    let key = PrivateKey::from_secret(suite, Secret::copied(&[0x42; 32])).unwrap();
    let public = key.public_key().unwrap();
    (key, public)
}

/// p = 2^255 - 19, plus a small number, little-endian.
fn p_plus(small: u8) -> [u8; 32] {
    let mut bytes = [0xFF; 32];
    bytes[0] = 0xED_u8.wrapping_add(small);
    bytes[31] = 0x7F;
    bytes
}

/// T047: each of the five canonical values has a zero shared secret with every private key. The published list
/// (RFC 7748, section 6.1, and cr.yp.to/ecdh.html) is checked with the X25519 of the HPKE crate: it refuses them all.
#[test]
fn t047_t048_low_order_and_non_canonical_points_are_refused() {
    let mut one = [0; 32];
    one[0] = 1;
    let order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    let order_8 = order_8.map(|text| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap());
    let low = [[0; 32], one, order_8[0], order_8[1], p_plus(0xFF)];
    let secret = x25519_base_secret();
    for point in low {
        assert!(!is_canonical_and_full_order(&point));
        assert!(PublicKey::import(Suite::X25519, &point).is_none());
        // As an encapsulation, which is not imported, it is refused by the KEM.
        let sealed: Vec<u8> = [point.as_slice(), &[0; 48]].concat();
        assert_eq!(open_secret(&secret, b"", b"", &sealed).unwrap_err(), Error::NotAuthentic);
    }
    for small in 0..=18 {
        assert!(!is_canonical_and_full_order(&p_plus(small)), "p + {small}");
    }
    let (_, public) = key_pair(Suite::X25519);
    let mut high_bit = <[u8; 32]>::try_from(public.as_bytes()).unwrap();
    assert!(is_canonical_and_full_order(&high_bit));
    high_bit[31] |= 0x80;
    assert!(!is_canonical_and_full_order(&high_bit));
    assert!(is_canonical_and_full_order(&p_plus(0xFE)), "p - 2 is canonical and of full order");
}

fn x25519_base_secret() -> PrivateKey {
    key_pair(Suite::X25519).0
}

/// T053: every one of the 768 ML-KEM coefficients set to q and above; and the X25519 half as above.
#[test]
fn t053_ml_kem_coefficients_of_q_and_above_are_refused() {
    let (_, public) = key_pair(Suite::XWing);
    assert!(PublicKey::import(Suite::XWing, public.as_bytes()).is_some());
    for coefficient in 0..768 {
        for value in [3329_u16, 4095] {
            let mut bytes = public.as_bytes().to_vec();
            let at = coefficient / 2 * 3;
            if coefficient % 2 == 0 {
                bytes[at] = value as u8;
                bytes[at + 1] = bytes[at + 1] & 0xF0 | (value >> 8) as u8;
            } else {
                bytes[at + 1] = bytes[at + 1] & 0x0F | (value << 4) as u8;
                bytes[at + 2] = (value >> 4) as u8;
            }
            assert!(PublicKey::import(Suite::XWing, &bytes).is_none(), "coefficient {coefficient} = {value}");
        }
    }
    let mut low = public.as_bytes().to_vec();
    low[1184..].fill(0);
    assert!(PublicKey::import(Suite::XWing, &low).is_none());
}

#[test]
fn keys_of_another_length_are_refused() {
    for suite in SUITES {
        let (_, public) = key_pair(suite);
        let bytes = public.as_bytes();
        assert!(PublicKey::import(suite, &bytes[1..]).is_none());
        assert!(PublicKey::import(suite, &[bytes, &[0]].concat()).is_none());
        assert!(PublicKey::import(suite, &[]).is_none());
    }
}

/// T049, T050, T052: each byte of encapsulation and ciphertext, and info and associated data.
#[test]
fn t049_t050_t052_every_altered_byte_is_refused_the_same_way() {
    for suite in SUITES {
        let (key, public) = key_pair(suite);
        let mut sealed =
            seal_secret(&public, b"info", b"aad", &[7; 32], &Coins::draw(suite, &mut SysRng).unwrap()).unwrap();
        assert_eq!(sealed.len(), suite.sealed_secret_len());
        assert_eq!(open_secret(&key, b"info", b"aad", &sealed).unwrap().expose(), &[7; 32]);
        for position in 0..sealed.len() {
            sealed[position] ^= 0x10;
            assert_eq!(open_secret(&key, b"info", b"aad", &sealed).unwrap_err(), Error::NotAuthentic);
            sealed[position] ^= 0x10;
        }
        for (info, aad) in [(&b"inf"[..], &b"aad"[..]), (b"info", b"aae"), (b"", b""), (b"infoa", b"ad")] {
            assert_eq!(open_secret(&key, info, aad, &sealed).unwrap_err(), Error::NotAuthentic);
        }
        for length in [0, 31, 32, sealed.len() - 1] {
            assert_eq!(open_secret(&key, b"info", b"aad", &sealed[..length]).unwrap_err(), Error::NotAuthentic);
        }
        let other = PrivateKey::from_secret(suite, Secret::copied(&[0x43; 32])).unwrap();
        assert_eq!(open_secret(&other, b"info", b"aad", &sealed).unwrap_err(), Error::NotAuthentic);
    }
}
