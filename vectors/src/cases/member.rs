//! Member entries (section 5).

use serde_json::{Value, json};

use super::{Desk, signature_of, stays_a_key};
use crate::case::Layer::{Malformed, Untrusted, Usage};
use crate::case::{Book, hex_of};
use crate::fields;
use crate::make::keys::Member;
use crate::make::objects::{entry, member_fingerprint, resigned};
use crate::make::points::*;
use crate::make::prim::sign;
use crate::mutate::Change::{First, Last, Neighbour, Swap};
use crate::mutate::{Base, Row, named, patched, row};

const ROWS: [Row; 8] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage).but(Neighbour, Malformed),
    row("member id's length", 1, Malformed),
    row("member id", 1, Untrusted).not(Neighbour),
    row("hpke key", 1, Untrusted).but(Neighbour, Malformed),
    row("signing key", 1, Untrusted),
    row("signature", 1, Untrusted),
];

fn input(bytes: &[u8]) -> Value {
    json!({"entry": hex_of(bytes)})
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("member", desk.suite());
    let suite = desk.suite();
    for person in &desk.world.people {
        book.ok("A member of the world.", input(&person.entry), json!({"fingerprint": hex_of(person.fingerprint)}));
    }
    for id in [b"x".to_vec(), vec![0xFF; 255], b"\0\n\xC3\xA4".to_vec()] {
        let keys = Member::derive(suite, &desk.world.id, &id, &desk.rng.array());
        let entry = entry(suite, &desk.world.id, &id, &keys);
        let comment = format!("A member whose id has {} bytes, on no roster.", id.len());
        book.ok(&comment, input(&entry), json!({"fingerprint": hex_of(member_fingerprint(&entry))}));
    }
    let (own, seed) = (&desk.world.people[0].entry, &desk.world.people[0].secrets.signing);
    let others = [("another member", &desk.world.people[1].entry), ("another vault", &desk.foreign.people[0].entry)];
    for (index, other) in others.into_iter().enumerate() {
        let base = Base {
            what: "Member entry",
            bytes: own,
            fields: fields::member(suite, own),
            other: (other.0, other.1),
            other_fields: fields::member(suite, other.1),
            valid: &stays_a_key(suite),
            input: &input,
        };
        if index == 0 {
            base.systematic(&mut book, &ROWS);
            base.signed(&mut book, &SIGNED, &|bytes| resigned("member entry", seed, bytes));
        } else {
            base.swaps(&mut book, &ROWS);
        }
    }
    book.reject(Usage, "Member entry of another vault, well signed.", input(others[1].1));
    book.reject(Usage, "Member entry of another vault and suite, well signed.", input(&desk.other.people[0].entry));
    signed_flaws(desk, own, seed, &mut book);
    mixed_key(desk, own, seed, &mut book);
    bad_signatures(own, seed, &mut book);
    book
}

/// An entry whose signing key is of mixed order: import lets it in, and the equation without the cofactor decides.
fn mixed_key(desk: &Desk, own: &[u8], seed: &[u8; 32], book: &mut Book) {
    let table = fields::member(desk.suite(), own);
    let entry = patched(own, &named(&table, "signing key"), &mixed_public(seed));
    let body = &entry[..entry.len() - 64];
    let signed = |multiple| [body, &sign_as_mixed(seed, "member entry", body, multiple)].concat();
    let comment = "Member entry of a signing key of mixed order: its signature holds only with the cofactor.";
    book.reject(Untrusted, comment, input(&signed(false)));
    let good = signed(true);
    let result = json!({"fingerprint": hex_of(member_fingerprint(&good))});
    book.ok("Member entry of a signing key of mixed order: its signature holds.", input(&good), result);
}

/// Signed again. Another id or HPKE key makes a good entry of its own.
const SIGNED: [Row; 6] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage),
    row("member id's length", 1, Malformed),
    row("hpke key", 1, Malformed).not(Last).not(First).not(Swap),
    row("signing key", 1, Untrusted),
];

/// Values that no entry may have, signed again by its key.
fn signed_flaws(desk: &Desk, own: &[u8], seed: &[u8; 32], book: &mut Book) {
    let suite = desk.suite();
    let table = fields::member(suite, own);
    let patch = |name: &str, value: &[u8]| patched(own, &named(&table, name), value);
    let mut refuse = |bytes: Vec<u8>, comment: &str| {
        book.reject(Malformed, comment, input(&resigned("member entry", seed, &bytes)));
    };
    refuse(patch("magic", b"LKM\x02"), "Member entry of format version 2, signed again.");
    refuse(patch("magic", b"LKN\x01"), "Member entry with the magic of a record, signed again.");
    refuse(patch("suite", &[0xFF, 0xFF]), "Member entry of suite 0xffff, signed again.");
    let empty = patched(&patch("member id", b""), &named(&table, "member id's length"), &[0]);
    refuse(empty, "Member entry with an empty id, signed again.");
    let key = named(&table, "hpke key");
    for (what, point) in [LOW_X25519[1], LOW_X25519[2], NON_CANONICAL_X25519[0], NON_CANONICAL_X25519[4]] {
        let value = [&own[key.start..key.start + key.len - 32], &decoded::<32>(point)].concat();
        refuse(
            patch("hpke key", &value),
            &format!("Member entry whose HPKE key's X25519 part is {what}, signed again."),
        );
    }
    if desk.is_x_wing() {
        let value = with_coefficient(&own[key.start..key.start + key.len], 700, 3329);
        refuse(patch("hpke key", &value), "Member entry whose ML-KEM key has a coefficient of q, signed again.");
    }
    let longer = [own, &[0; 64]].concat();
    refuse(longer, "Member entry with 64 bytes more before the signature, signed again.");
    for (what, key) in [LOW_ED25519[0], LOW_ED25519[1], LOW_ED25519[5], BAD_ED25519[5], BAD_ED25519[7]] {
        let bytes = patch("signing key", &decoded::<32>(key));
        book.reject(Malformed, &format!("Member entry whose signing key is {what}."), input(&bytes));
    }
    let key = LOW_ED25519[0].1;
    let forged = [&patch("signing key", &decoded::<32>(key))[..own.len() - 64], &decoded::<32>(key), &[0; 32]].concat();
    book.reject(
        Malformed,
        "Member entry of a low-order key, with the signature that such a key makes of anything.",
        input(&forged),
    );
    let keys = Member::derive(desk.other.suite, &desk.world.id, b"dr-salo", &[9; 32]);
    let other = entry(desk.other.suite, &desk.world.id, b"dr-salo", &keys);
    book.reject(Usage, "Member entry of the other suite for this vault, well signed.", input(&other));
    let foreign = resigned("member entry", seed, &patch("vault id", &desk.foreign.id));
    book.reject(Usage, "Member entry of the same keys for another vault, signed again.", input(&foreign));
}

fn bad_signatures(own: &[u8], seed: &[u8; 32], book: &mut Book) {
    let body = &own[..own.len() - 64];
    let mut refuse =
        |signature: &[u8], comment: &str| book.reject(Untrusted, comment, input(&[body, signature].concat()));
    refuse(&add_order(&signature_of(own)), "Member entry whose signature's S is larger by the group order.");
    refuse(&sign_with_low_r(seed, "member entry", body), "Member entry whose signature's R is the neutral element.");
    refuse(&sign_with_mixed_r(seed, "member entry", body), "Member entry whose signature's R is of mixed order.");
    refuse(&sign(seed, "roster", body), "Member entry signed with the label of rosters.");
    refuse(&sign(&[7; 32], "member entry", body), "Member entry signed by another key.");
    refuse(&[0; 64], "Member entry whose signature is zeros.");
    let unlabelled = ed25519_dalek::Signer::sign(&ed25519_dalek::SigningKey::from_bytes(seed), body).to_bytes();
    refuse(&unlabelled, "Member entry signed without a label.");
}
