//! Records on the reader's path (section 7).

use serde_json::{Value, json};

use super::{Desk, flipped, place_in};
use crate::case::Layer::{Malformed, NotAuthentic, Untrusted, Usage};
use crate::case::{Book, hex_of, number, with};
use crate::fields;
use crate::make::collide::two_key_chunk;
use crate::make::payload::{MessageKeys, Payload, pad, padded_len};
use crate::make::prim::{chacha_seal, label, xchacha_seal};
use crate::make::record::{Deposit, Draw, Place};
use crate::mutate::Change::{Neighbour, Ones, Short, Twice, Without, Zeros};
use crate::mutate::{Base, Row, named, patched, row};
use crate::run::text_of;

const NOTE: &[u8] = "Slept better. Ääkkösiä.".as_bytes();

const ROWS: [Row; 13] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("path", 2, Malformed).but(Twice, Usage),
    row("card id", 1, Usage).insert(Usage).but(Twice, Malformed).but(Without, Malformed),
    row("revision", 2, NotAuthentic).but(Ones, Malformed).but(Twice, NotAuthentic).but(Zeros, Malformed),
    row("padding", 1, NotAuthentic).insert(NotAuthentic).but(Neighbour, Malformed).but(Without, Malformed),
    row("wrap nonce", 1, NotAuthentic).insert(NotAuthentic),
    row("wrapped key", 1, NotAuthentic).insert(NotAuthentic),
    row("wrap tag", 1, NotAuthentic).insert(NotAuthentic),
    row("salt", 1, NotAuthentic).insert(NotAuthentic),
    row("commitment", 1, NotAuthentic).insert(NotAuthentic),
    row("chunk", 1, NotAuthentic).insert(NotAuthentic).but(Short, NotAuthentic),
    row("chunk tag", 1, NotAuthentic).insert(NotAuthentic).cut(NotAuthentic),
];

/// The input of a record in its own place.
pub(super) fn input(place: &Place, bytes: &[u8]) -> Value {
    json!({"record": hex_of(bytes), "record_id": hex_of(&place.record), "field": hex_of(&place.field)})
}

pub(super) fn result(place: &Place, note: &[u8]) -> Value {
    with(&text_of(note), json!({"revision": number(place.revision), "padding": place.padding}))
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("record", desk.suite());
    valid(desk, &mut book);
    let place = desk.place("r-1", 1, 1);
    let (bytes, other) = (sealed(desk, &place, NOTE), sealed(desk, &desk.place("r-2", 9, 0), b"Another note."));
    let foreign_place = place_in(&desk.foreign, "r-1", 1, 1);
    let draw = foreign_place.draw(&mut desk.rng);
    let foreign = foreign_place.reader(&desk.foreign.patient.kek, &draw, &foreign_place.payload(&draw, NOTE).bytes());
    for (index, other) in [("another record", &other), ("another vault's record", &foreign)].into_iter().enumerate() {
        let base = Base {
            what: "Record",
            bytes: &bytes,
            fields: fields::record(desk.suite(), &bytes),
            other: (other.0, other.1),
            other_fields: fields::record(desk.suite(), other.1),
            valid: &|_, _| true,
            input: &|bytes| input(&place, bytes),
        };
        if index == 0 {
            base.systematic(&mut book, &ROWS);
        } else {
            base.swaps(&mut book, &ROWS);
        }
    }
    ranges(desk, &place, &bytes, &mut book);
    places(desk, &place, &bytes, &mut book);
    wraps(desk, &place, &mut book);
    paddings(desk, &mut book);
    two_keys(desk, &mut book);
    context(desk, &place, &bytes, &mut book);
    book
}

pub(super) fn sealed(desk: &mut Desk, place: &Place, note: &[u8]) -> Vec<u8> {
    let draw = place.draw(&mut desk.rng);
    place.reader(&desk.world.patient.kek, &draw, &place.payload(&draw, note).bytes())
}

fn valid(desk: &mut Desk, book: &mut Book) {
    let places = [
        desk.place("r-1", 1, 1),
        desk.place("r-1", 2, 0),
        desk.place("r-1", u64::MAX - 1, 1),
        desk.place("r", 1 << 53, 1),
    ];
    for place in places {
        let bytes = sealed(desk, &place, NOTE);
        let comment = format!("Revision {} with padding rule {}.", place.revision, place.padding);
        book.ok(&comment, input(&place, &bytes), result(&place, NOTE));
    }
    for length in [0, 1, 127, 128, 254, 255, 256, 300, 511, 512, 1000] {
        let note = desk.rng.bytes(length);
        for padding in [0, 1] {
            let place = desk.place("r-length", 3, padding);
            let bytes = sealed(desk, &place, &note);
            book.ok(
                &format!("A note of {length} bytes with padding rule {padding}."),
                input(&place, &bytes),
                result(&place, &note),
            );
        }
    }
    for note in [vec![0x80; 40], vec![0; 40], [0x80, 0, 0, 0].to_vec(), b"ends in a marker\x80".to_vec()] {
        let place = desk.place("r-marker", 1, 1);
        let bytes = sealed(desk, &place, &note);
        book.ok("A note that looks like padding.", input(&place, &bytes), result(&place, &note));
    }
    for (record, field) in
        [(vec![b'x'], vec![0]), (vec![0xFF; 255], vec![0x80; 255]), (b"r\0".to_vec(), b"\xC3\xA4".to_vec())]
    {
        let place = Place { record, field, ..desk.place("", 1, 1) };
        let bytes = sealed(desk, &place, NOTE);
        let comment = format!("A record id of {} bytes and a field of {}.", place.record.len(), place.field.len());
        book.ok(&comment, input(&place, &bytes), result(&place, NOTE));
    }
}

/// Values that no record may have.
fn ranges(desk: &Desk, place: &Place, bytes: &[u8], book: &mut Book) {
    let table = fields::record(desk.suite(), bytes);
    let mut refuse = |layer, name: &str, value: &[u8], comment: &str| {
        book.reject(layer, comment, input(place, &patched(bytes, &named(&table, name), value)));
    };
    refuse(Malformed, "magic", b"LKN\x02", "Record of format version 2.");
    refuse(Malformed, "magic", b"LKN\x00", "Record of format version 0.");
    refuse(Malformed, "magic", b"LKX\x01", "Record with the magic of a disclosure.");
    refuse(Malformed, "suite", &[0, 0], "Record of suite 0.");
    refuse(Malformed, "suite", &[0x20, 0x00], "Record whose suite is little-endian.");
    refuse(Usage, "suite", &desk.other.suite.kem_id().to_be_bytes(), "Record that names the other suite.");
    refuse(Malformed, "path", &[0], "Record of path 0.");
    refuse(Malformed, "path", &[5], "Record of path 5.");
    refuse(Malformed, "path", &[2], "Record of path 1 that names path 2, with a revision.");
    refuse(Malformed, "revision", &[0; 8], "Record of path 1 and revision 0.");
    refuse(Malformed, "revision", &[0xFF; 8], "Record of revision 2^64 - 1.");
    refuse(NotAuthentic, "revision", &2_u64.to_be_bytes(), "Record of revision 1 that claims revision 2.");
    refuse(Malformed, "padding", &[2], "Record of padding rule 2.");
    refuse(Malformed, "padding", &[0xFF], "Record of padding rule 255.");
    for (length, what) in [(0, "nothing"), (7, "the path"), (119, "one byte less than the front"), (120, "the front")] {
        book.reject(Malformed, &format!("Record that ends after {what}."), input(place, &bytes[..length]));
    }
    for (length, layer) in
        [(120 + 56, Malformed), (120 + 71, Malformed), (120 + 72, NotAuthentic), (bytes.len() - 1, NotAuthentic)]
    {
        book.reject(layer, &format!("Record cut to {length} bytes."), input(place, &bytes[..length]));
    }
    for extra in [1, 16, 17] {
        let longer = [bytes, &vec![0; extra]].concat();
        book.reject(NotAuthentic, &format!("Record with {extra} zero bytes more."), input(place, &longer));
    }
}

/// A good record in another place than its own.
fn places(desk: &mut Desk, place: &Place, bytes: &[u8], book: &mut Book) {
    let mut refuse = |comment: &str, place: &Place| book.reject(NotAuthentic, comment, input(place, bytes));
    refuse("The record stands under another record id.", &Place { record: b"r-2".to_vec(), ..place.clone() });
    refuse("The record stands in another field.", &Place { field: b"title".to_vec(), ..place.clone() });
    refuse("The record id has a zero byte more.", &Place { record: b"r-1\0".to_vec(), ..place.clone() });
    refuse("The field is in capitals.", &Place { field: b"NOTE".to_vec(), ..place.clone() });
    let moved = Place { record: b"r-1n".to_vec(), field: b"ote".to_vec(), ..place.clone() };
    refuse("The border between record id and field is moved.", &moved);
    let exchanged = Place { record: b"note".to_vec(), field: b"r-1".to_vec(), ..place.clone() };
    refuse("Record id and field are exchanged.", &exchanged);
    book.reject(
        Usage,
        "The record id asked for is empty.",
        input(&Place { record: Vec::new(), ..place.clone() }, bytes),
    );
    book.reject(Usage, "The field asked for is empty.", input(&Place { field: Vec::new(), ..place.clone() }, bytes));
    book.reject(
        Usage,
        "The record id asked for has 256 bytes.",
        input(&Place { record: vec![b'x'; 256], ..place.clone() }, bytes),
    );
    for (reason, name) in [(1, "erased"), (2, "compromised")] {
        let input = with(&input(place, bytes), desk.with_closed(reason));
        book.reject(Untrusted, &format!("The record's card is closed as {name}."), input);
    }
    let mut built_for = |comment: &str, other: Place| {
        // Sealed in the other context with the right key, and the right front before it.
        let draw = other.draw(&mut desk.rng);
        let sealed = other.reader(&desk.world.patient.kek, &draw, &other.payload(&draw, NOTE).bytes());
        let front = patched(&sealed, &named(&fields::record(other.suite, &sealed), "card id"), &place.card);
        book.reject(NotAuthentic, comment, input(place, &front));
    };
    built_for(
        "The record was sealed for another patient under this one's key.",
        Place { patient: b"p-2".to_vec(), ..place.clone() },
    );
    built_for(
        "The record was sealed for another vault under this patient's key.",
        Place { vault: desk.foreign.id, ..place.clone() },
    );
    built_for(
        "The record was sealed for another card under this card's key.",
        Place { card: [2; 32], ..place.clone() },
    );
}

/// Records whose key is wrapped wrongly, and all else right.
fn wraps(desk: &mut Desk, place: &Place, book: &mut Book) {
    let draw = place.draw(&mut desk.rng);
    let payload = place.payload(&draw, NOTE).bytes();
    let (patient, aad) = (&desk.world.patient, place.wrap_context("reader wrap", 1));
    let mut refuse = |comment: &str, wrapped: Vec<u8>| {
        let bytes = [place.head(1), draw.nonce.to_vec(), wrapped, payload.clone()].concat();
        book.reject(NotAuthentic, comment, input(place, &bytes));
    };
    let wrap = |key: &[u8; 32], aad: &[u8]| xchacha_seal(key, &draw.nonce, aad, &draw.key);
    refuse("The record key is wrapped without associated data.", wrap(&patient.kek, b""));
    refuse(
        "The record key is wrapped with the label of absorbed records.",
        wrap(&patient.kek, &place.wrap_context("absorbed wrap", 1)),
    );
    refuse("The record key is wrapped for path 3.", wrap(&patient.kek, &place.wrap_context("reader wrap", 3)));
    refuse("The record key is wrapped without the payload context.", wrap(&patient.kek, &aad[..aad.len() - 32]));
    refuse("The record key is wrapped under the patient secret itself.", wrap(&patient.secret, &aad));
    refuse("The record key is wrapped under the HPKE private key.", wrap(&patient.hpke, &aad));
    refuse("The record key is wrapped under another patient's key.", wrap(&desk.foreign.patient.kek, &aad));
    refuse("The record key is not encrypted.", [draw.key.as_slice(), &[0; 16]].concat());
    let short = chacha_seal(&patient.kek, &draw.nonce[12..].try_into().expect("12 bytes"), &aad, &draw.key);
    refuse("The record key is wrapped with ChaCha20 and the end of the nonce.", short);
    let other = Draw::new("record draw", &desk.rng.array(), &[&place.context()]);
    refuse("Another record key is wrapped.", xchacha_seal(&patient.kek, &draw.nonce, &aad, &other.key));
    let bare = [label("reader wrap"), vec![1], place.card.to_vec(), [0; 32].to_vec()].concat();
    refuse("The record key is wrapped for a payload context of zeros.", wrap(&patient.kek, &bare));
}

fn paddings(desk: &mut Desk, book: &mut Book) {
    let honest = pad(NOTE, 1);
    let long = desk.rng.bytes(300);
    let resized = |text: &[u8], length: usize| {
        let mut text = [text, &[0x80]].concat();
        text.resize(length, 0);
        text
    };
    let replaced = |at: usize, byte: u8| {
        let mut text = honest.clone();
        text[at] = byte;
        text
    };
    let cases: [(&str, Vec<u8>); 17] = [
        ("is empty", Vec::new()),
        ("has no marker, only zeros", vec![0; 256]),
        ("has one zero too few", honest[..255].to_vec()),
        ("has one zero too many", resized(NOTE, 257)),
        ("is padded to the next length", resized(NOTE, 272)),
        ("is padded to twice the length", resized(NOTE, 512)),
        ("has no zeros behind the marker", [NOTE, &[0x80]].concat()),
        ("is the note alone", NOTE.to_vec()),
        ("has another marker", replaced(NOTE.len(), 0x81)),
        ("has the marker 1", replaced(NOTE.len(), 1)),
        ("lacks the marker", replaced(NOTE.len(), 0)),
        ("has a one behind the marker", replaced(NOTE.len() + 1, 1)),
        ("ends with a one", replaced(255, 1)),
        ("of 300 bytes is padded to 301", resized(&long, 301)),
        ("of 300 bytes is padded to 320 and not to 304", resized(&long, 320)),
        ("of 300 bytes is padded to 512 and not to 304", resized(&long, 512)),
        ("of 300 bytes is padded with PKCS 7", [long.as_slice(), &[4; 4]].concat()),
    ];
    assert_eq!(padded_len(301), 304, "as the comments say");
    let place = desk.place("r-padding", 1, 1);
    for (what, padded) in cases {
        let draw = place.draw(&mut desk.rng);
        let bytes = place.reader(&desk.world.patient.kek, &draw, &place.payload_of(&draw, &padded).bytes());
        let comment = format!("Encrypted and wrapped rightly, but the padded text {what}.");
        book.reject(NotAuthentic, &comment, input(&place, &bytes));
    }
    let ones = [vec![b'a'; 254], vec![0x80, 0x80]].concat();
    let draw = place.draw(&mut desk.rng);
    let bytes = place.reader(&desk.world.patient.kek, &draw, &place.payload_of(&draw, &ones).bytes());
    book.ok("Two markers: the last one counts.", input(&place, &bytes), result(&place, &ones[..255]));
}

/// A chunk that ChaCha20-Poly1305 accepts under two record keys: the commitment lets one of them in.
fn two_keys(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("r-two-keys", 1, 0);
    let (one, two) = (place.draw(&mut desk.rng), place.draw(&mut desk.rng));
    let kek = &desk.world.patient.kek;
    let keys = [&one.key, &two.key].map(|key| MessageKeys::derive(key, &one.salt, &place.context()));
    let chunk = two_key_chunk([(&keys[0].key, &keys[0].nonce(0)), (&keys[1].key, &keys[1].nonce(0))]);
    for (own, name) in [(0, "first"), (1, "second")] {
        let payload = Payload {
            keys: keys[own].clone(),
            salt: one.salt,
            commitment: keys[own].commitment,
            chunks: vec![chunk.clone()],
        };
        for (draw, index) in [(&one, 0), (&two, 1)] {
            let bytes = place.reader(kek, draw, &payload.bytes());
            if own == index {
                let note = keys[own].open_unchecked(0, &chunk);
                let comment =
                    format!("A chunk that is authentic under two record keys; commitment and wrap are of the {name}.");
                book.ok(&comment, input(&place, &bytes), result(&place, &note));
            } else {
                let comment = format!(
                    "A chunk that is authentic under two record keys; the commitment is of the {name}, the wrap of the other."
                );
                book.reject(NotAuthentic, &comment, input(&place, &bytes));
            }
        }
    }
    for (commitment, what) in [
        ([0; 32], "is zeros"),
        (flipped(&keys[0].commitment, 31, 0x80).try_into().expect("32 bytes"), "has a flipped bit"),
    ] {
        let payload = Payload { commitment, ..place.payload(&one, NOTE) };
        let comment = format!("The commitment {what}; chunks and wrap are right.");
        book.reject(NotAuthentic, &comment, input(&place, &place.reader(kek, &one, &payload.bytes())));
    }
}

/// Fronts and payloads of different records, and records of other paths.
fn context(desk: &mut Desk, place: &Place, bytes: &[u8], book: &mut Book) {
    let again = sealed(desk, place, b"A text of the same place.");
    let later = sealed(desk, &Place { revision: 2, ..place.clone() }, b"A later text.");
    for (what, other) in [("another text of the same place and revision", &again), ("the next revision", &later)] {
        let mixed = [&bytes[..120], &other[120..]].concat();
        book.reject(NotAuthentic, &format!("The payload is that of {what}."), input(place, &mixed));
    }
    let mut key_swapped = later.clone();
    key_swapped[39..47].copy_from_slice(&1_u64.to_be_bytes());
    book.reject(NotAuthentic, "The next revision, put back as the one before.", input(place, &key_swapped));
    let writer = desk.world.person("intake");
    for path in [2, 4] {
        let deposit = Deposit::new(place, path, writer.fingerprint, super::card_key(&desk.world), NOTE, &mut desk.rng);
        let bytes = deposit.bytes(&deposit.sign(&writer.secrets.signing));
        let comment = format!("A good record of path {path} stands in the place of a reader's record.");
        book.reject(Usage, &comment, input(place, &bytes));
    }
}
