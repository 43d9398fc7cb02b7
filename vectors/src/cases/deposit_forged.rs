//! Deposits of those who may not, in the name of others, and with flaws behind a good signature.

use super::deposit::{NOTE, OTHER, absorb, honest, signing};
use super::record::input;
use super::{Desk, card_key};
use crate::case::Book;
use crate::case::Layer::{Malformed, NotAuthentic, Untrusted};
use crate::make::hpke;
use crate::make::payload::pad;
use crate::make::points::{LOW_X25519, add_order, decoded, sign_with_low_r, sign_with_mixed_r};
use crate::make::prim::sign;
use crate::make::record::{Deposit, Draw, Place, absorbed};

pub(super) fn cases(desk: &mut Desk, book: &mut Book) {
    forged(desk, book);
    signatures(desk, book);
    behind_the_signature(desk, book);
    rewritten(desk, book);
}

/// Deposits of those who may not, or in the name of others; everything else is sound.
fn forged(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-forged", 0, 1);
    let key = card_key(&desk.world).to_vec();
    let stranger = desk.foreign.person("intake").secrets.signing;
    let stranger_name = desk.foreign.person("intake").fingerprint;
    let intake = desk.world.person("intake").fingerprint;
    let cases = [
        ("Someone who is not on the roster deposits.", stranger_name, stranger),
        ("A reader and enroller deposits.", desk.world.person("therapist").fingerprint, signing(desk, "therapist")),
        ("A reader deposits.", desk.world.person("colleague").fingerprint, signing(desk, "colleague")),
        ("A stranger deposits in a depositor's name.", intake, stranger),
        ("A reader deposits in a depositor's name.", intake, signing(desk, "therapist")),
        ("A depositor deposits in another's name.", intake, signing(desk, "other_intake")),
        ("A depositor deposits in the name of nobody.", [0; 32], signing(desk, "intake")),
    ];
    for (comment, writer, seed) in cases {
        let deposit = Deposit::new(&place, 2, writer, &key, NOTE, &mut desk.rng);
        let signature = deposit.sign(&seed);
        book.reject(Untrusted, comment, input(&place, &deposit.bytes(&signature)));
        let taken = absorb(desk, &place, &deposit, &deposit.origin(&signature));
        book.reject(
            Untrusted,
            &format!("Absorbed: {}{}", comment[..1].to_lowercase(), &comment[1..]),
            input(&place, &taken),
        );
    }
    let mut claimed = honest(desk, &place, "intake", NOTE);
    claimed.writer = desk.world.person("other_intake").fingerprint;
    let bytes = claimed.bytes(&claimed.sign(&signing(desk, "other_intake")));
    let comment = "Another depositor claims a deposit and signs it: the sealed key names the true writer.";
    book.reject(NotAuthentic, comment, input(&place, &bytes));
}

fn signatures(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-signature", 0, 1);
    let (deposit, seed) = (honest(desk, &place, "intake", NOTE), signing(desk, "intake"));
    let (signature, message) = (deposit.sign(&seed), deposit.message());
    let again = honest(desk, &place, "intake", NOTE).sign(&seed);
    let of_path_4 = Deposit { path: 4, ..deposit.clone() }.sign(&seed);
    let cases: [(&str, [u8; 64]); 8] = [
        ("The signature's S is larger by the group order.", add_order(&signature)),
        ("The signature's R is the neutral element.", sign_with_low_r(&seed, "deposit", &message)),
        ("The signature's R is of mixed order.", sign_with_mixed_r(&seed, "deposit", &message)),
        ("The signature is with the label of disclosures.", sign(&seed, "disclosure", &message)),
        ("The signature is that of another deposit in the same place.", again),
        ("The signature is for path 4.", of_path_4),
        ("The signature is over the payload alone.", sign(&seed, "deposit", &deposit.payload)),
        ("The signature is zeros.", [0; 64]),
    ];
    for (comment, signature) in cases {
        book.reject(Untrusted, comment, input(&place, &deposit.bytes(&signature)));
        let taken = absorb(desk, &place, &deposit, &deposit.origin(&signature));
        book.reject(
            Untrusted,
            &format!("Absorbed: {}{}", comment[..1].to_lowercase(), &comment[1..]),
            input(&place, &taken),
        );
    }
}

/// Deposits that their writer signed and that fail behind the signature.
fn behind_the_signature(desk: &mut Desk, book: &mut Book) {
    let (place, suite) = (desk.place("d-behind", 0, 1), desk.suite());
    let (seed, writer) = (signing(desk, "intake"), desk.world.person("intake").fingerprint);
    let key = card_key(&desk.world).to_vec();
    let honest = honest(desk, &place, "intake", NOTE);
    let mut sealed = |comment: &str, sealed: Vec<u8>| {
        let deposit = Deposit { sealed, ..honest.clone() };
        book.reject(NotAuthentic, comment, input(&place, &deposit.bytes(&deposit.sign(&seed))));
    };
    let (info, rng) = (honest.info(), &mut desk.rng);
    let mut seal = |to: &[u8], info: &[u8], aad: &[u8], secret: &[u8]| hpke::seal(suite, to, info, aad, secret, rng);
    sealed(
        "The sealed key lacks the payload digest in its info, signed.",
        seal(&key, &info[..info.len() - 32], b"", &honest.key),
    );
    sealed(
        "The sealed key lacks writer and payload digest in its info, signed.",
        seal(&key, &info[..info.len() - 64], b"", &honest.key),
    );
    sealed("The sealed key has associated data, signed.", seal(&key, &info, &info, &honest.key));
    sealed(
        "The sealed key is sealed to the master key, signed.",
        seal(&desk.world.first.keys.public, &info, b"", &honest.key),
    );
    sealed("Another record key is sealed, signed.", seal(&key, &info, b"", &[5; 32]));
    if suite == lukko::Suite::X25519 {
        let (what, enc) = LOW_X25519[3];
        let by_hand = hpke::seal_by_hand(&key, &decoded(enc), &[0; 32], &info, b"", &honest.key);
        sealed(&format!("The sealed key's encapsulation is {what}, signed."), by_hand);
    }
    let draw = Draw { key: honest.key, salt: [3; 24], nonce: [0; 24] };
    let good = pad(NOTE, 1);
    let mut bad_commitment = place.payload_of(&draw, &good);
    bad_commitment.commitment[0] ^= 1;
    let payloads = [
        (
            NotAuthentic,
            "The padding is one zero too long, signed.",
            place.payload_of(&draw, &[good.as_slice(), &[0]].concat()).bytes(),
        ),
        (NotAuthentic, "The marker is missing, signed.", place.payload_of(&draw, &[0; 256]).bytes()),
        (NotAuthentic, "The commitment has a flipped bit, signed.", bad_commitment.bytes()),
        (
            NotAuthentic,
            "The payload is for revision 1, signed.",
            Place { revision: 1, ..place.clone() }.payload_of(&draw, &good).bytes(),
        ),
        (Malformed, "The payload has 71 bytes, signed.", vec![7; 71]),
        (Malformed, "The payload is empty, signed.", Vec::new()),
    ];
    for (layer, comment, payload) in payloads {
        let deposit = Deposit::with(&place, 2, writer, &key, &honest.key, payload, &mut desk.rng);
        book.reject(layer, comment, input(&place, &deposit.bytes(&deposit.sign(&seed))));
    }
}

/// Payloads rewritten by someone who knows the record key.
fn rewritten(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-rewritten", 0, 1);
    let (deposit, seed) = (honest(desk, &place, "intake", NOTE), signing(desk, "intake"));
    let signature = deposit.sign(&seed);
    let salt = deposit.payload[..24].try_into().expect("24 bytes");
    let payload = place.payload(&Draw { key: deposit.key, salt, nonce: [0; 24] }, OTHER).bytes();
    let other = Deposit { payload, ..deposit.clone() };
    let unsigned = other.bytes(&signature);
    book.reject(Untrusted, "A reader who knows the record key rewrote the payload.", input(&place, &unsigned));
    let resigned = other.bytes(&other.sign(&seed));
    let comment =
        "The writer rewrote the payload and signed again, but left the sealed key, which names the first payload.";
    book.reject(NotAuthentic, comment, input(&place, &resigned));
    let (kek, nonce) = (desk.world.patient.kek, desk.rng.array());
    let taken = absorbed(&place, &kek, &nonce, &deposit.key, &deposit.origin(&signature), &deposit.payload);
    let front = &taken[..288];
    book.reject(
        Untrusted,
        "Absorbed: a reader who knows the record key rewrote the payload.",
        input(&place, &[front, &other.payload].concat()),
    );
    let origin = other.origin(&other.sign(&seed));
    let resigned = [&front[..48], &origin, &front[216..], &other.payload].concat();
    let comment = "Absorbed: the writer rewrote the payload and signed again; the wrap binds the first payload.";
    book.reject(NotAuthentic, comment, input(&place, &resigned));
}
