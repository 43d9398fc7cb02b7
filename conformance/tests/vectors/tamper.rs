//! Encapsulations that were cut, extended, exchanged or altered: one error for all of them.

use lukko::hazmat::prim;
use lukko::{Error, OsRng, Suite};

const PRIVATE: [u8; 32] = [0x42; 32];

fn seal(suite: Suite) -> Vec<u8> {
    let public = prim::hpke_public_key(suite, &PRIVATE).unwrap();
    prim::hpke_seal(suite, &public, b"info", b"aad", &[7; 32], &mut OsRng).unwrap()
}

fn open(suite: Suite, sealed: &[u8]) -> Result<[u8; 32], Error> {
    prim::hpke_open_secret(suite, &PRIVATE, b"info", b"aad", sealed)
}

/// T049.
#[test]
fn t049_other_encapsulations_are_refused() {
    let mut refused = 0;
    for suite in [Suite::XWing, Suite::X25519] {
        let (sealed, other) = (seal(suite), seal(suite));
        assert_eq!(open(suite, &sealed), Ok([7; 32]));
        let (enc, ciphertext) = sealed.split_at(suite.encapsulation_len());
        let public = prim::hpke_public_key(suite, &PRIVATE).unwrap();
        let mut high_bit = enc.to_vec();
        *high_bit.last_mut().unwrap() ^= 0x80;
        let forged: [(&[u8], &str); 10] = [
            (&enc[..enc.len() - 1], "last byte cut off"),
            (&enc[1..], "first byte cut off"),
            (b"", "none"),
            (&[enc, &[0]].concat(), "a byte added behind"),
            (&[&[0], enc].concat(), "a byte added in front"),
            (&[enc, enc].concat(), "twice"),
            (&other[..enc.len()], "of another message"),
            (&public[public.len() - enc.len()..], "the recipient's public key"),
            (&vec![0; enc.len()], "zeros"),
            (&high_bit, "another encoding of the same X25519 point"),
        ];
        for (enc, what) in forged {
            assert_eq!(open(suite, &[enc, ciphertext].concat()), Err(Error::NotAuthentic), "{suite:?}: {what}");
            refused += 1;
        }
    }
    assert_eq!(refused, 20);
}

/// T052: every bit of the 1,120 bytes, 1,088 of ML-KEM and 32 of X25519.
#[test]
fn t052_every_bit_of_an_x_wing_encapsulation() {
    let mut sealed = seal(Suite::XWing);
    let mut refused = 0;
    for position in 0..Suite::XWing.encapsulation_len() {
        for bit in 0..8 {
            sealed[position] ^= 1 << bit;
            assert_eq!(open(Suite::XWing, &sealed), Err(Error::NotAuthentic), "byte {position}, bit {bit}");
            sealed[position] ^= 1 << bit;
            refused += 1;
        }
    }
    assert_eq!(refused, 8_960);
    assert_eq!(open(Suite::XWing, &sealed), Ok([7; 32]));
}
