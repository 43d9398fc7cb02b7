//! HPKE base mode, single shot, of 32-byte secrets; and by hand with X25519, where the encapsulation is to be a bad one.

use curve25519_dalek::MontgomeryPoint;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use lukko::Suite;
use ml_kem::EncapsulationKey768;
use sha3::{Digest, Sha3_256};

use super::prim::{array, chacha_seal, expand, hmac};
use crate::rng::Seeded;

pub(crate) fn id(suite: Suite) -> [u8; 2] {
    suite.kem_id().to_be_bytes()
}

pub(crate) fn public(suite: Suite, private: &[u8; 32]) -> Vec<u8> {
    fn of<K: Kem>(private: &[u8; 32]) -> Vec<u8> {
        K::sk_to_pk(&K::PrivateKey::from_bytes(private).expect("32 bytes")).to_bytes().to_vec()
    }
    if suite == Suite::XWing { of::<XWing>(private) } else { of::<X25519HkdfSha256>(private) }
}

pub(crate) fn seal(suite: Suite, to: &[u8], info: &[u8], aad: &[u8], secret: &[u8], rng: &mut Seeded) -> Vec<u8> {
    fn with<K: Kem>(to: &[u8], info: &[u8], aad: &[u8], secret: &[u8], rng: &mut Seeded) -> Vec<u8> {
        let to = K::PublicKey::from_bytes(to).expect("a valid key");
        let (encapsulation, ciphertext) =
            single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(&OpModeS::Base, &to, info, secret, aad, rng)
                .expect("a valid key");
        [encapsulation.to_bytes().as_slice(), &ciphertext].concat()
    }
    if suite == Suite::XWing {
        with::<XWing>(to, info, aad, secret, rng)
    } else {
        with::<X25519HkdfSha256>(to, info, aad, secret, rng)
    }
}

pub(crate) fn open(suite: Suite, private: &[u8; 32], info: &[u8], aad: &[u8], sealed: &[u8]) -> [u8; 32] {
    fn with<K: Kem>(private: &[u8; 32], info: &[u8], aad: &[u8], sealed: &[u8], at: usize) -> Vec<u8> {
        let (encapsulation, ciphertext) = sealed.split_at(at);
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(
            &OpModeR::Base,
            &K::PrivateKey::from_bytes(private).expect("32 bytes"),
            &K::EncappedKey::from_bytes(encapsulation).expect("an encapsulation"),
            info,
            ciphertext,
            aad,
        )
        .expect("authentic")
    }
    let at = suite.encapsulation_len();
    array(&if suite == Suite::XWing {
        with::<XWing>(private, info, aad, sealed, at)
    } else {
        with::<X25519HkdfSha256>(private, info, aad, sealed, at)
    })
}

/// Sealed with X25519 to an encapsulation whose high bit is set, which section 1 lets in: it is no key.
pub(crate) fn seal_with_high_bit(to: &[u8], info: &[u8], aad: &[u8], secret: &[u8], rng: &mut Seeded) -> Vec<u8> {
    let ephemeral: [u8; 32] = rng.array();
    let mut enc = MontgomeryPoint::mul_base_clamped(ephemeral).to_bytes();
    enc[31] |= 0x80;
    let dh = MontgomeryPoint(array(to)).mul_clamped(ephemeral).to_bytes();
    seal_by_hand(to, &enc, &dh, info, aad, secret)
}

/// Sealed with X25519 to an encapsulation and a Diffie-Hellman value that the caller chooses, such as a point of low
/// order and zeros (RFC 9180, section 4.1).
pub(crate) fn seal_by_hand(
    to: &[u8],
    enc: &[u8; 32],
    dh: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    secret: &[u8],
) -> Vec<u8> {
    seal_under(Suite::X25519, &dhkem_shared(to, enc, dh), enc, info, aad, secret)
}

/// Sealed with X-Wing to an X25519 part of the encapsulation and a Diffie-Hellman value that the caller chooses; the
/// ML-KEM part is honest (draft-connolly-cfrg-xwing-kem, section 5.4).
pub(crate) fn seal_x_wing_by_hand(
    to: &[u8],
    [m, ct_x, ss_x]: [&[u8; 32]; 3],
    info: &[u8],
    aad: &[u8],
    secret: &[u8],
) -> Vec<u8> {
    let (ct_m, shared) = x_wing_shared(to, [m, ct_x, ss_x]);
    seal_under(Suite::XWing, &shared, &[ct_m.as_slice(), ct_x].concat(), info, aad, secret)
}

/// How much randomness an encapsulation takes.
pub(crate) const fn coins_len(suite: Suite) -> usize {
    match suite {
        Suite::XWing => 64,
        _ => 32,
    }
}

/// SealBase by hand: ephemeral X25519 key, encapsulation, shared secret, key, nonce, and ciphertext with its tag.
pub(crate) fn seal_in_steps(
    suite: Suite,
    to: &[u8],
    info: &[u8],
    aad: &[u8],
    secret: &[u8],
    coins: &[u8],
) -> [Vec<u8>; 6] {
    let pk_x: [u8; 32] = array(&to[to.len() - 32..]);
    let (ephemeral, enc, shared) = if suite == Suite::XWing {
        let ephemeral: [u8; 32] = array(&coins[32..]);
        let (ct_x, ss_x) = exchange(&ephemeral, &pk_x);
        let (ct_m, shared) = x_wing_shared(to, [&array(&coins[..32]), &ct_x, &ss_x]);
        (ephemeral, [ct_m, ct_x.to_vec()].concat(), shared)
    } else {
        let kem_suite = [b"KEM".as_slice(), &id(suite)].concat();
        let prk = labeled_extract(&kem_suite, b"", b"dkp_prk", coins);
        let ephemeral: [u8; 32] = array(&labeled_expand(&kem_suite, &prk, b"sk", b"", 32));
        let (enc, dh) = exchange(&ephemeral, &pk_x);
        (ephemeral, enc.to_vec(), dhkem_shared(to, &enc, &dh))
    };
    let (key, nonce) = key_schedule(suite, &shared, info);
    let sealed = chacha_seal(&key, &nonce, aad, secret);
    [ephemeral.to_vec(), enc, shared, key.to_vec(), nonce.to_vec(), sealed]
}

/// The public key of an X25519 private key, and what it gives with a point.
fn exchange(private: &[u8; 32], point: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
    let dh = MontgomeryPoint(*point).mul_clamped(*private).to_bytes();
    (MontgomeryPoint::mul_base_clamped(*private).to_bytes(), dh)
}

/// RFC 9180, section 4.1: the shared secret of DHKEM.
fn dhkem_shared(to: &[u8], enc: &[u8; 32], dh: &[u8; 32]) -> Vec<u8> {
    let kem_suite = [b"KEM".as_slice(), &id(Suite::X25519)].concat();
    let eae_prk = labeled_extract(&kem_suite, b"", b"eae_prk", dh);
    labeled_expand(&kem_suite, &eae_prk, b"shared_secret", &[enc.as_slice(), to].concat(), 32)
}

/// The ML-KEM ciphertext of m, and X-Wing's shared secret.
fn x_wing_shared(to: &[u8], [m, ct_x, ss_x]: [&[u8; 32]; 3]) -> (Vec<u8>, Vec<u8>) {
    let (pk_m, pk_x) = to.split_at(1184);
    let key: [u8; 1184] = array(pk_m);
    let key = EncapsulationKey768::new(&key.into()).expect("a valid key");
    let (ct_m, ss_m) = key.encapsulate_deterministic(&(*m).into());
    let label = [0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c];
    let shared = Sha3_256::digest([ss_m.as_slice(), ss_x, ct_x, pk_x, &label].concat());
    (ct_m.to_vec(), shared.to_vec())
}

/// RFC 9180, section 5.1, mode Base: the key schedule of a shared secret, and one message.
fn seal_under(suite: Suite, shared: &[u8], enc: &[u8], info: &[u8], aad: &[u8], secret: &[u8]) -> Vec<u8> {
    let (key, nonce) = key_schedule(suite, shared, info);
    [enc, &chacha_seal(&key, &nonce, aad, secret)].concat()
}

/// Key and nonce of the one message.
fn key_schedule(suite: Suite, shared: &[u8], info: &[u8]) -> ([u8; 32], [u8; 12]) {
    let suite = [b"HPKE".as_slice(), &id(suite), &[0x00, 0x01, 0x00, 0x03]].concat();
    let psk_id_hash = labeled_extract(&suite, b"", b"psk_id_hash", b"");
    let info_hash = labeled_extract(&suite, b"", b"info_hash", info);
    let context = [&[0], psk_id_hash.as_slice(), &info_hash].concat();
    let prk = labeled_extract(&suite, shared, b"secret", b"");
    let key = labeled_expand(&suite, &prk, b"key", &context, 32);
    let nonce = labeled_expand(&suite, &prk, b"base_nonce", &context, 12);
    (array(&key), array(&nonce))
}

fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    hmac(salt, &[b"HPKE-v1", suite, label, ikm].concat())
}

fn labeled_expand(suite: &[u8], prk: &[u8], label: &[u8], info: &[u8], length: u16) -> Vec<u8> {
    let labeled = [&length.to_be_bytes(), b"HPKE-v1".as_slice(), suite, label, info].concat();
    expand(prk, &labeled, length.into())
}
