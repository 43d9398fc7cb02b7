//! HPKE, single shot as lukko uses it: RFC 9180, appendix A.2.1, and the vector of draft-ietf-hpke-pq for X-Wing.

use lukko::hazmat::prim;
use lukko::{Error, Suite};

use crate::kat::{self, Case, Drawn};
use crate::oracle;

fn rfc_9180_a2() -> Vec<Case> {
    kat::cases(include_str!("../../vectors/rfc9180-a2.txt"))
}

fn hpke_pq() -> Vec<Case> {
    kat::cases(include_str!("../../vectors/hpke-pq-x-wing.txt"))
}

/// DHKEM's shared secret from X25519 is shown by the opening; here the oracle is shown to be right about it.
#[test]
fn rfc_9180_appendix_a_2_1() {
    let cases = rfc_9180_a2();
    let dh = x25519_dalek::x25519(*cases[0].array("skRm"), *cases[0].array("enc"));
    let secret = oracle::dhkem(&dh, cases[0].array("enc"), cases[0].bytes("pkRm"));
    assert_eq!(&secret, cases[0].array("shared_secret"));
    assert_eq!(check(Suite::X25519, oracle::X25519, &cases), 6);
}

#[test]
fn draft_ietf_hpke_pq_x_wing() {
    assert_eq!(check(Suite::XWing, oracle::X_WING, &hpke_pq()), 10);
}

/// Key pair, sealing and opening of the first message by lukko's HPKE; the later messages, which lukko never sends, by
/// lukko's AEAD under the key and nonces of the vector. Returns the number of encryptions.
fn check(suite: Suite, kem: u16, cases: &[Case]) -> usize {
    let (setup, encryptions) = cases.split_first().unwrap();
    let [public, info, enc] = ["pkRm", "info", "enc"].map(|name| setup.bytes(name));
    let private = setup.array("skRm");
    assert_eq!(prim::hpke_public_key(suite, private).unwrap(), public);

    let [aad, plaintext, ciphertext] = ["aad", "pt", "ct"].map(|name| encryptions[0].bytes(name));
    let drawn = &mut Drawn(setup.bytes("ikmE"));
    let sealed = prim::hpke_seal(suite, public, info, aad, plaintext, drawn).unwrap();
    assert_eq!(sealed, [enc, ciphertext].concat());
    assert_eq!(prim::hpke_open(suite, private, info, aad, &sealed).unwrap(), plaintext);
    // As the vault calls it, nothing but 32 bytes is a secret.
    assert_eq!(prim::hpke_open_secret(suite, private, info, aad, &sealed), Err(Error::NotAuthentic));

    let (key, nonce) = oracle::key_schedule(kem, setup.array("shared_secret"), info);
    assert_eq!((&key, &nonce), (setup.array("key"), setup.array("base_nonce")));
    for case in encryptions {
        let mut data = case.bytes("pt").to_vec();
        let tag = prim::seal_in_place(&key, case.array("nonce"), case.bytes("aad"), &mut data).unwrap();
        assert_eq!([data.as_slice(), &tag].concat(), case.bytes("ct"));
    }
    encryptions.len()
}

/// T050: every byte of info and associated data altered, cut off or added.
#[test]
fn t050_altered_info_and_aad_are_refused() {
    for (suite, cases, variants) in [(Suite::X25519, rfc_9180_a2(), 31), (Suite::XWing, hpke_pq(), 51)] {
        let [info, enc] = ["info", "enc"].map(|name| cases[0].bytes(name));
        let sealed = [enc, cases[1].bytes("ct")].concat();
        let open = |info: &[u8], aad: &[u8]| prim::hpke_open(suite, cases[0].array("skRm"), info, aad, &sealed);
        let aad = cases[1].bytes("aad");
        assert!(open(info, aad).is_ok());
        let altered = altered(info).into_iter().map(|info| open(&info, aad));
        let refused: Vec<_> = altered.chain(self::altered(aad).into_iter().map(|aad| open(info, &aad))).collect();
        assert!(refused.iter().all(|verdict| *verdict == Err(Error::NotAuthentic)));
        assert_eq!(refused.len(), variants);
    }
}

/// Each byte flipped, the last cut off, one added.
fn altered(bytes: &[u8]) -> Vec<Vec<u8>> {
    let flipped = (0..bytes.len()).map(|at| {
        let mut altered = bytes.to_vec();
        altered[at] ^= 1;
        altered
    });
    flipped.chain([bytes[1..].to_vec(), [bytes, &[0]].concat()]).collect()
}
