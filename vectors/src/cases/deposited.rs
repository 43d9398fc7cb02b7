//! Deposited attachments, path 4 (section 7).

use serde_json::{Value, json};

use super::deposit::{SEALED, resigned};
use super::record::input;
use super::{Desk, card_key};
use crate::case::Layer::{self, Malformed, NotAuthentic, Stale, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::hpke;
use crate::make::payload::{CHUNK, pad};
use crate::make::points::{LOW_X25519, add_order, decoded, sign_with_low_r, sign_with_mixed_r};
use crate::make::record::{Deposit, Draw, Place};
use crate::mutate::Change::{Cut, First, Neighbour, Ones, Short, Swap, Twice, Without, Zeros};
use crate::mutate::{Base, Row, named, patched, row};
use crate::run::text_of;

const NOTE: &[u8] = b"A scanned referral.";

const ROWS: [Row; 18] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("path", 1, Malformed),
    row("card id", 1, Usage).but(Neighbour, Malformed),
    row("revision", 1, Malformed).insert(Untrusted).but(Without, Malformed),
    row("padding", 1, Untrusted).insert(Untrusted),
    row("writer", 1, Untrusted).insert(Untrusted).but(Twice, Stale).but(Without, Malformed),
    row("roster version seen", 1, Untrusted)
        .insert(Untrusted)
        .but(First, Stale)
        .but(Neighbour, Stale)
        .but(Ones, Stale)
        .but(Without, Stale),
    row("encapsulation, ML-KEM", 1, Untrusted).insert(Untrusted),
    row("encapsulation", 1, Untrusted).insert(Untrusted).but(Without, Malformed),
    row("sealed secret", 1, Untrusted).insert(Untrusted).but(Without, Malformed),
    row("sealed tag", 1, Untrusted).insert(Untrusted).but(Twice, NotAuthentic),
    row("salt", 1, NotAuthentic).insert(NotAuthentic).but(Without, Malformed),
    row("commitment", 1, NotAuthentic).insert(NotAuthentic).but(Without, Malformed),
    row("chunk", 1, NotAuthentic).insert(NotAuthentic),
    row("chunk tag", 1, NotAuthentic)
        .insert(NotAuthentic)
        .cut(Untrusted)
        .but(Cut, Malformed)
        .but(Neighbour, Untrusted)
        .but(Short, Malformed),
    row("payload digest", 1, Untrusted)
        .insert(NotAuthentic)
        .cut(Untrusted)
        .but(Cut, Malformed)
        .but(Short, Malformed)
        .but(Without, Malformed),
    row("signature", 1, Untrusted).insert(Untrusted).cut(Untrusted).but(Cut, Malformed).not(Without),
];

/// Signed again by the writer, over the payload that is there.
const SIGNED: [Row; 4] = [
    row("revision", 1, Malformed),
    row("padding", 1, NotAuthentic),
    row("writer", 1, Untrusted),
    row("roster version seen", 2, Stale).not(Zeros).not(Swap),
];

fn result(note: &[u8], writer: &[u8; 32]) -> Value {
    with(&text_of(note), json!({"writer": hex_of(writer)}))
}

fn honest(desk: &mut Desk, place: &Place, name: &str, note: &[u8]) -> Deposit {
    let key = card_key(&desk.world).to_vec();
    Deposit::new(place, 4, desk.world.person(name).fingerprint, &key, note, &mut desk.rng)
}

fn signing(desk: &Desk, name: &str) -> [u8; 32] {
    desk.world.person(name).secrets.signing
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("deposited_attachment", desk.suite());
    valid(desk, &mut book);
    systematic(desk, &mut book);
    ranges(desk, &mut book);
    places(desk, &mut book);
    forged(desk, &mut book);
    signatures(desk, &mut book);
    behind_the_signature(desk, &mut book);
    rewritten(desk, &mut book);
    statuses(desk, &mut book);
    book
}

fn valid(desk: &mut Desk, book: &mut Book) {
    let long = if desk.is_x_wing() { 500 } else { CHUNK };
    for (padding, length, name) in
        [(1, 30, "intake"), (0, 0, "other_intake"), (1, 0, "intake"), (0, long, "intake"), (1, 300, "other_intake")]
    {
        let (place, note) = (desk.place("a-valid", 0, padding), desk.rng.bytes(length));
        let deposit = honest(desk, &place, name, &note);
        let bytes = deposit.bytes(&deposit.sign(&signing(desk, name)));
        let comment = format!("A deposited attachment of {length} bytes, padding rule {padding}.");
        book.ok(&comment, input(&place, &bytes), result(&note, &deposit.writer));
    }
}

fn systematic(desk: &mut Desk, book: &mut Book) {
    let (place, suite) = (desk.place("a-1", 0, 0), desk.suite());
    let one = honest(desk, &place, "intake", NOTE);
    let mut other = honest(desk, &desk.place("a-2", 0, 1), "other_intake", b"Another one.");
    other.seen = 0;
    let own = one.bytes(&one.sign(&signing(desk, "intake")));
    let other = other.bytes(&other.sign(&signing(desk, "other_intake")));
    let base = Base {
        what: "Deposited attachment",
        bytes: &own,
        fields: fields::record(suite, &own),
        other: ("another one", &other),
        other_fields: fields::record(suite, &other),
        valid: &|_, _| true,
        input: &|bytes| input(&place, bytes),
    };
    if desk.is_x_wing() {
        base.flips_and_swaps(book, &ROWS);
    } else {
        base.systematic(book, &ROWS);
        let seed = signing(desk, "intake");
        base.signed(book, &[&SIGNED[..], &SEALED].concat(), &|bytes| resigned(&place, &seed, bytes));
    }
}

/// Values that no deposited attachment may have.
fn ranges(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("a-range", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let seed = signing(desk, "intake");
    let bytes = deposit.bytes(&deposit.sign(&seed));
    let table = fields::record(desk.suite(), &bytes);
    let mut refuse = |layer: Layer, name: &str, value: &[u8], comment: &str| {
        book.reject(layer, comment, input(&place, &patched(&bytes, &named(&table, name), value)));
    };
    refuse(Malformed, "revision", &1_u64.to_be_bytes(), "Revision 1.");
    refuse(Malformed, "padding", &[2], "Padding rule 2.");
    refuse(Malformed, "path", &[0], "Path 0.");
    refuse(Usage, "path", &[2], "Path 4 that names path 2.");
    refuse(Malformed, "magic", b"LKN\x02", "Format version 2.");
    for seen in [2, u64::MAX] {
        let newer = Deposit { seen, ..deposit.clone() };
        let comment = format!("The writer saw roster {seen} and the client knows 1, signed.");
        book.reject(Stale, &comment, input(&place, &newer.bytes(&newer.sign(&seed))));
    }
    book.reject(Untrusted, "A byte follows the trailer.", input(&place, &[bytes.as_slice(), &[0]].concat()));
    book.reject(Untrusted, "The trailer is missing.", input(&place, &bytes[..bytes.len() - 96]));
    let twice = [bytes.as_slice(), &bytes[bytes.len() - 96..]].concat();
    book.reject(NotAuthentic, "The trailer stands there twice.", input(&place, &twice));
    let reader = super::record::sealed(desk, &desk.place("a-range", 1, 1), NOTE);
    book.reject(Usage, "A reader's record stands in the place of a deposited attachment.", input(&place, &reader));
    let plain = Deposit::new(&place, 2, deposit.writer, card_key(&desk.world), NOTE, &mut desk.rng);
    let plain = plain.bytes(&plain.sign(&seed));
    book.reject(Usage, "A deposit stands in the place of a deposited attachment.", input(&place, &plain));
}

fn places(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("a-place", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let bytes = deposit.bytes(&deposit.sign(&signing(desk, "intake")));
    let record = Place { record: b"a-elsewhere".to_vec(), ..place.clone() };
    book.reject(Untrusted, "Replayed under another record id.", input(&record, &bytes));
    book.reject(
        Untrusted,
        "Replayed in another field.",
        input(&Place { field: b"title".to_vec(), ..place.clone() }, &bytes),
    );
    book.reject(Untrusted, "The card is closed as erased.", with(&input(&place, &bytes), desk.with_closed(1)));
    let other = Place { card: [0xC0; 32], ..place.clone() };
    let other = Deposit::new(&other, 4, deposit.writer, card_key(&desk.world), NOTE, &mut desk.rng);
    let bytes = other.bytes(&other.sign(&signing(desk, "intake")));
    book.reject(Usage, "Deposited for another card, signed.", input(&place, &bytes));
}

fn forged(desk: &mut Desk, book: &mut Book) {
    let (place, key) = (desk.place("a-forged", 0, 1), card_key(&desk.world).to_vec());
    let stranger = desk.foreign.person("intake");
    let (stranger, stranger_seed) = (stranger.fingerprint, stranger.secrets.signing);
    let intake = desk.world.person("intake").fingerprint;
    let cases = [
        ("Someone who is not on the roster deposits.", stranger, stranger_seed),
        ("A reader and enroller deposits.", desk.world.person("therapist").fingerprint, signing(desk, "therapist")),
        ("A stranger deposits in a depositor's name.", intake, stranger_seed),
        ("A depositor deposits in another's name.", intake, signing(desk, "other_intake")),
    ];
    for (comment, writer, seed) in cases {
        let deposit = Deposit::new(&place, 4, writer, &key, NOTE, &mut desk.rng);
        book.reject(Untrusted, comment, input(&place, &deposit.bytes(&deposit.sign(&seed))));
    }
    let mut claimed = honest(desk, &place, "intake", NOTE);
    claimed.writer = desk.world.person("other_intake").fingerprint;
    let bytes = claimed.bytes(&claimed.sign(&signing(desk, "other_intake")));
    book.reject(
        NotAuthentic,
        "Another depositor claims it and signs: the sealed key names the true writer.",
        input(&place, &bytes),
    );
}

fn signatures(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("a-signature", 0, 1);
    let (deposit, seed) = (honest(desk, &place, "intake", NOTE), signing(desk, "intake"));
    let cases: [(&str, [u8; 64]); 5] = [
        ("The signature's S is larger by the group order.", add_order(&deposit.sign(&seed))),
        ("The signature's R is the neutral element.", sign_with_low_r(&seed, "deposit", &deposit.message())),
        ("The signature's R is of mixed order.", sign_with_mixed_r(&seed, "deposit", &deposit.message())),
        ("The signature is for path 2.", Deposit { path: 2, ..deposit.clone() }.sign(&seed)),
        ("The signature is zeros.", [0; 64]),
    ];
    for (comment, signature) in cases {
        book.reject(Untrusted, comment, input(&place, &deposit.bytes(&signature)));
    }
}

/// What its writer signed and what fails behind the signature.
fn behind_the_signature(desk: &mut Desk, book: &mut Book) {
    let (place, suite) = (desk.place("a-behind", 0, 1), desk.suite());
    let (seed, writer) = (signing(desk, "intake"), desk.world.person("intake").fingerprint);
    let (key, honest) = (card_key(&desk.world).to_vec(), honest(desk, &place, "intake", NOTE));
    let info = honest.info();
    let mut refuse = |comment: &str, sealed: Vec<u8>| {
        let deposit = Deposit { sealed, ..honest.clone() };
        book.reject(NotAuthentic, comment, input(&place, &deposit.bytes(&deposit.sign(&seed))));
    };
    let bound = [info.as_slice(), &honest.payload_digest()].concat();
    let mut seal = |to: &[u8], info: &[u8], secret: &[u8]| hpke::seal(suite, to, info, b"", secret, &mut desk.rng);
    refuse("The sealed key has the payload digest in its info, as on path 2, signed.", seal(&key, &bound, &honest.key));
    refuse("The sealed key lacks the writer in its info, signed.", seal(&key, &info[..info.len() - 32], &honest.key));
    refuse(
        "The sealed key is sealed to the master key, signed.",
        seal(&desk.world.first.keys.public, &info, &honest.key),
    );
    refuse("Another record key is sealed, signed.", seal(&key, &info, &[5; 32]));
    if suite == lukko::Suite::X25519 {
        let (what, enc) = LOW_X25519[2];
        let by_hand = hpke::seal_by_hand(&key, &decoded(enc), &[0; 32], &info, b"", &honest.key);
        refuse(&format!("The sealed key's encapsulation is {what}, signed."), by_hand);
    }
    let (draw, good) = (Draw { key: honest.key, salt: [3; 24], nonce: [0; 24] }, pad(NOTE, 1));
    let mut commitment = place.payload_of(&draw, &good);
    commitment.commitment[0] ^= 1;
    let payloads = [
        (
            NotAuthentic,
            "The padding is one zero too long, signed.",
            place.payload_of(&draw, &[good.as_slice(), &[0]].concat()).bytes(),
        ),
        (NotAuthentic, "The marker is missing, signed.", place.payload_of(&draw, &[0; 256]).bytes()),
        (NotAuthentic, "The commitment has a flipped bit, signed.", commitment.bytes()),
        (Malformed, "The payload has 71 bytes, signed.", vec![7; 71]),
        (Malformed, "The payload is empty, signed.", Vec::new()),
    ];
    for (layer, comment, payload) in payloads {
        let deposit = Deposit::with(&place, 4, writer, &key, &honest.key, payload, &mut desk.rng);
        book.reject(layer, comment, input(&place, &deposit.bytes(&deposit.sign(&seed))));
    }
}

/// Payloads rewritten by someone who knows the record key.
fn rewritten(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("a-rewritten", 0, 1);
    let (deposit, seed) = (honest(desk, &place, "intake", NOTE), signing(desk, "intake"));
    let salt = deposit.payload[..24].try_into().expect("24 bytes");
    let payload = place.payload(&Draw { key: deposit.key, salt, nonce: [0; 24] }, b"Another text.").bytes();
    let other = Deposit { payload, ..deposit.clone() };
    let unsigned = other.bytes(&deposit.sign(&seed));
    book.reject(
        Untrusted,
        "A reader who knows the record key rewrote payload and payload digest.",
        input(&place, &unsigned),
    );
    let mut old_trailer = unsigned;
    let digest = old_trailer.len() - 96;
    old_trailer[digest..digest + 32].copy_from_slice(&deposit.payload_digest());
    let comment = "A reader who knows the record key rewrote the payload and left the trailer: only the digest tells.";
    book.reject(NotAuthentic, comment, input(&place, &old_trailer));
    let resigned = other.bytes(&other.sign(&seed));
    book.ok(
        "The writer rewrote the payload and signed again: a deposit like any other.",
        input(&place, &resigned),
        result(b"Another text.", &deposit.writer),
    );
}

fn statuses(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("a-status", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let input = input(&place, &deposit.bytes(&deposit.sign(&signing(desk, "intake"))));
    book.ok("The writer is retired.", with(&input, desk.with_status("intake", 2)), result(NOTE, &deposit.writer));
    book.reject(Untrusted, "The writer is revoked.", with(&input, desk.with_status("intake", 3)));
    book.reject(Untrusted, "The writer lacks the role deposit.", with(&input, desk.with_roles("intake", 1)));
}
