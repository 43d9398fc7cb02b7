//! Public keys and signatures that must be refused, and checks of our own for those that must not.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::hazmat::ExpandedSecretKey;
use lukko::Suite;
use sha2::{Digest, Sha512};

use super::prim::{array, ed_public, label};

const Q: u16 = 3329;
const ML_KEM: usize = 1184;

/// u-coordinates of low order: 0, 1, two of order 8, p - 1.
pub(crate) const LOW_X25519: [(&str, &str); 5] = [
    ("0", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("the first of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    ("the second of order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    ("p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

/// u-coordinates at or above p, or with the high bit set.
pub(crate) const NON_CANONICAL_X25519: [(&str, &str); 5] = [
    ("p, which is 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("p + 1, which is 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("p + 9, which is the base point", "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("9 with the high bit set", "0900000000000000000000000000000000000000000000000000000000000080"),
];

/// Ed25519 encodings of points of order 1, 2, 4 and 8.
pub(crate) const LOW_ED25519: [(&str, &str); 8] = [
    ("the neutral element", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("the point of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("a point of order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("the other point of order 4", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("a point of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("a second point of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("a third point of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("a fourth point of order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
];

/// Ed25519 encodings that are not canonical, or no point at all.
pub(crate) const BAD_ED25519: [(&str, &str); 8] = [
    ("y = p, a second encoding of 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p + 1, a second encoding of 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p + 3, a second encoding of 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = p + 4, a second encoding of 4", "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("the neutral element with the sign of x set", "0100000000000000000000000000000000000000000000000000000000000080"),
    ("the point of order 2 with the sign of x set", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("y = 2, which is no point", "0200000000000000000000000000000000000000000000000000000000000000"),
];

pub(crate) fn decoded<const N: usize>(hex: &str) -> [u8; N] {
    array(&hex::decode(hex).expect("hexadecimal"))
}

/// Whether 32 bytes are an Ed25519 key that section 1 lets in.
pub(crate) fn ed_is_valid(key: &[u8]) -> bool {
    let Some(point) = CompressedEdwardsY(array(key)).decompress() else {
        return false;
    };
    point.compress().as_bytes() == key && !point.is_small_order()
}

/// Whether bytes are an HPKE public key that section 1 lets in.
pub(crate) fn hpke_is_valid(suite: Suite, key: &[u8]) -> bool {
    let (ml_kem, x25519) = key.split_at(key.len() - 32);
    let low = LOW_X25519.iter().any(|(_, hex)| decoded::<32>(hex) == x25519);
    let mut big_endian = x25519.to_vec();
    big_endian.reverse();
    let p: [u8; 32] = decoded("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
    let canonical = big_endian.as_slice() < p.as_slice();
    let coefficients = ml_kem.get(..ML_KEM - 32).unwrap_or_default();
    let below_q = coefficients.as_chunks::<3>().0.iter().all(|three| unpack(*three).iter().all(|c| *c < Q));
    key.len() == suite.public_key_len() && !low && canonical && below_q
}

fn unpack([a, b, c]: [u8; 3]) -> [u16; 2] {
    let (a, b, c) = (u16::from(a), u16::from(b), u16::from(c));
    [a | (b & 15) << 8, b >> 4 | c << 4]
}

/// The key with coefficient `index` of its ML-KEM part set to `value`.
pub(crate) fn with_coefficient(key: &[u8], index: usize, value: u16) -> Vec<u8> {
    let (mut key, at) = (key.to_vec(), index / 2 * 3);
    let mut pair = unpack([key[at], key[at + 1], key[at + 2]]);
    pair[index % 2] = value;
    let packed = [pair[0] as u8, (pair[0] >> 8) as u8 | (pair[1] as u8) << 4, (pair[1] >> 4) as u8];
    key[at..at + 3].copy_from_slice(&packed);
    key
}

/// The coefficient `index` of the ML-KEM part.
pub(crate) fn coefficient(key: &[u8], index: usize) -> u16 {
    let at = index / 2 * 3;
    unpack([key[at], key[at + 1], key[at + 2]])[index % 2]
}

/// A signature whose S is larger by the group order: the same number, another encoding.
pub(crate) fn add_order(signature: &[u8; 64]) -> [u8; 64] {
    let order: [u8; 32] = decoded("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let (mut out, mut carry) = (*signature, 0);
    for (slot, byte) in out[32..].iter_mut().zip(order) {
        let sum = u16::from(*slot) + u16::from(byte) + carry;
        *slot = sum as u8;
        carry = sum >> 8;
    }
    out
}

/// A signature with R = the neutral element and S = H(R, A, M) a: it satisfies the verification equation, and only the
/// rule that R is not of low order refuses it.
pub(crate) fn sign_with_low_r(seed: &[u8; 32], name: &str, message: &[u8]) -> [u8; 64] {
    let r: [u8; 32] = decoded(LOW_ED25519[0].1);
    let message = [&label(name), message].concat();
    let hash = Sha512::new().chain_update(r).chain_update(ed_public(seed)).chain_update(message).finalize();
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.into());
    let s = challenge * ExpandedSecretKey::from(seed).scalar;
    array(&[r, s.to_bytes()].concat())
}

/// A scalar that a label and a message decide.
fn nonce(seed: &[u8; 32], name: &str, message: &[u8], counter: u32) -> Scalar {
    let hash = Sha512::new().chain_update(seed).chain_update(label(name)).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.chain_update(counter.to_be_bytes()).finalize().into())
}

/// H(R || A || M), before it is reduced modulo the group order.
fn challenge(r: &[u8; 32], key: &[u8; 32], name: &str, message: &[u8]) -> [u8; 64] {
    Sha512::new().chain_update(r).chain_update(key).chain_update(label(name)).chain_update(message).finalize().into()
}

fn order_8() -> EdwardsPoint {
    CompressedEdwardsY(decoded(LOW_ED25519[4].1)).decompress().expect("a point")
}

/// A signature whose R is a point of the prime order plus one of order 8: only a verifier that multiplies by the
/// cofactor accepts it.
pub(crate) fn sign_with_mixed_r(seed: &[u8; 32], name: &str, message: &[u8]) -> [u8; 64] {
    let scalar = nonce(seed, name, message, 0);
    let r = (EdwardsPoint::mul_base(&scalar) + order_8()).compress().to_bytes();
    let hash = Scalar::from_bytes_mod_order_wide(&challenge(&r, &ed_public(seed), name, message));
    let s = scalar + hash * ExpandedSecretKey::from(seed).scalar;
    array(&[r, s.to_bytes()].concat())
}

/// The public key of a seed plus a point of order 8: canonical, not of low order, and so a key.
pub(crate) fn mixed_public(seed: &[u8; 32]) -> [u8; 32] {
    (EdwardsPoint::mul_base(&ExpandedSecretKey::from(seed).scalar) + order_8()).compress().to_bytes()
}

/// A signature under [`mixed_public`]. If the hash is a multiple of 8, the equation holds without the cofactor too.
pub(crate) fn sign_as_mixed(seed: &[u8; 32], name: &str, message: &[u8], multiple: bool) -> [u8; 64] {
    let key = mixed_public(seed);
    for counter in 0.. {
        let scalar = nonce(seed, name, message, counter);
        let r = EdwardsPoint::mul_base(&scalar).compress().to_bytes();
        let wide = challenge(&r, &key, name, message);
        let hash = Scalar::from_bytes_mod_order_wide(&wide);
        // Both before and after the reduction, so that no reading of the RFC decides.
        if [wide[0], hash.as_bytes()[0]].map(|byte| byte % 8 == 0) == [multiple; 2] {
            let s = scalar + hash * ExpandedSecretKey::from(seed).scalar;
            return array(&[r, s.to_bytes()].concat());
        }
    }
    unreachable!("one in 64")
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier, VerifyingKey};

    use super::*;

    #[test]
    fn only_the_strict_rules_refuse_a_low_r() {
        let (seed, message) = ([3; 32], b"message");
        let signed = [&label("deposit"), message.as_slice()].concat();
        let key = VerifyingKey::from_bytes(&ed_public(&seed)).unwrap();
        let signature = Signature::from_bytes(&sign_with_low_r(&seed, "deposit", message));
        assert!(key.verify(&signed, &signature).is_ok());
        assert!(key.verify_strict(&signed, &signature).is_err());
    }

    #[test]
    fn only_the_cofactor_lets_mixed_points_in() {
        let (seed, message) = ([3; 32], b"message");
        let signed = [&label("deposit"), message.as_slice()].concat();
        let verify = |key: [u8; 32], signature: [u8; 64]| {
            let key = VerifyingKey::from_bytes(&key).unwrap();
            key.verify_strict(&signed, &Signature::from_bytes(&signature)).is_ok()
        };
        // 8 S B = 8 R + 8 h A
        let eightfold = |key: [u8; 32], signature: [u8; 64]| {
            let (r, s) = (array::<32>(&signature[..32]), array::<32>(&signature[32..]));
            let [a, r_point] = [key, r].map(|point| CompressedEdwardsY(point).decompress().unwrap().mul_by_cofactor());
            let hash = Scalar::from_bytes_mod_order_wide(&challenge(&r, &key, "deposit", message));
            let s = Scalar::from_canonical_bytes(s).unwrap();
            EdwardsPoint::mul_base(&s).mul_by_cofactor() == r_point + a * hash
        };
        let key = ed_public(&seed);
        let mixed = sign_with_mixed_r(&seed, "deposit", message);
        assert!(eightfold(key, mixed) && !verify(key, mixed));
        let key = mixed_public(&seed);
        assert!(ed_is_valid(&key));
        for multiple in [false, true] {
            let signature = sign_as_mixed(&seed, "deposit", message, multiple);
            assert!(eightfold(key, signature));
            assert_eq!(verify(key, signature), multiple);
        }
    }

    #[test]
    fn second_encodings_are_points_and_the_others_are_as_their_comments_say() {
        let point = |hex| CompressedEdwardsY(decoded(hex)).decompress();
        for (what, hex) in LOW_ED25519 {
            assert!(point(hex).is_some_and(|point| point.is_small_order()), "{what}");
        }
        for (what, hex) in &BAD_ED25519[..5] {
            assert!(point(hex).is_some_and(|point| hex::encode(point.compress().as_bytes()) != *hex), "{what}");
        }
        assert_eq!(point(BAD_ED25519[7].1), None);
    }
}
