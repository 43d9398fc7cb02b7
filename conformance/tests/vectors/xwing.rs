//! X-Wing, draft-connolly-cfrg-xwing-kem, appendix "Test vectors".

use lukko::Suite;
use lukko::hazmat::prim;

use crate::kat::{self, Drawn};
use crate::oracle;

/// Seed to public key, randomness to ciphertext, and the shared secret: lukko seals with it what the oracle seals, and
/// opens that again.
#[test]
fn draft_connolly_cfrg_xwing_kem() {
    let cases = kat::cases(include_str!("../../vectors/x-wing.txt"));
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (seed, public) = (case.array("seed"), case.bytes("pk"));
        assert_eq!(prim::hpke_public_key(Suite::XWing, seed).unwrap(), public);
        let expected = oracle::seal(oracle::X_WING, case.array("ss"), case.bytes("ct"), b"info", b"aad", &[5; 32]);
        let drawn = &mut Drawn(case.bytes("eseed"));
        assert_eq!(prim::hpke_seal(Suite::XWing, public, b"info", b"aad", &[5; 32], drawn).unwrap(), expected);
        assert_eq!(prim::hpke_open_secret(Suite::XWing, seed, b"info", b"aad", &expected), Ok([5; 32]));
    }
}
