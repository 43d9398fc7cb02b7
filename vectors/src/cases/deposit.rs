//! Deposits and absorbed records, paths 2 and 3 (section 7).

use serde_json::{Value, json};

use super::record::input;
use super::{Desk, card_key, deposit_forged};
use crate::case::Layer::{self, Malformed, NotAuthentic, Stale, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::prim::{array, h, sign, xchacha_seal};
use crate::make::record::{Deposit, Place, absorbed};
use crate::mutate::Change::{First, Neighbour, Ones, Short, Swap, Twice, Without, Zeros};
use crate::mutate::{Base, Row, named, patched, range, row};
use crate::run::text_of;

pub(super) const NOTE: &[u8] = b"I would like an appointment.";
pub(super) const OTHER: &[u8] = b"Please cancel everything.";

const ROWS: [Row; 19] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("path", 3, Malformed).but(Neighbour, Malformed),
    row("card id", 1, Usage).but(Neighbour, Malformed),
    row("revision", 1, Malformed).insert(Untrusted).but(Without, Malformed),
    row("padding", 1, Untrusted).insert(Untrusted).not(Without).not(Neighbour),
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
    row("sealed tag", 1, Untrusted).insert(Untrusted),
    row("signature", 1, Untrusted).insert(Untrusted).but(Without, Malformed),
    row("salt", 1, Untrusted).insert(Untrusted),
    row("commitment", 1, Untrusted).insert(Untrusted).but(Without, Malformed),
    row("chunk", 1, Untrusted).insert(Untrusted).but(Short, Untrusted),
    row("chunk tag", 1, Untrusted).insert(Untrusted).cut(Untrusted),
    row("origin's card id", 1, Untrusted).insert(Untrusted).but(Without, Malformed),
    row("sealed key digest", 1, Untrusted).insert(Untrusted).but(Without, Malformed),
];

/// Signed again by the writer: what the signature does not decide.
const SIGNED: [Row; 8] = [
    row("revision", 1, Malformed),
    row("padding", 1, NotAuthentic),
    row("writer", 1, Untrusted),
    row("roster version seen", 2, Stale).not(Zeros).not(Swap),
    row("origin's card id", 1, NotAuthentic),
    row("sealed key digest", 1, NotAuthentic),
    row("wrap nonce", 1, NotAuthentic),
    row("wrapped key", 1, NotAuthentic),
];

/// The sealed key and the payload, where a signature over them is made again: only opening shows what is wrong.
pub(super) const SEALED: [Row; 7] = [
    row("encapsulation", 1, NotAuthentic),
    row("sealed secret", 1, NotAuthentic),
    row("sealed tag", 1, NotAuthentic),
    row("salt", 1, NotAuthentic),
    row("commitment", 1, NotAuthentic),
    row("chunk", 1, NotAuthentic),
    row("chunk tag", 1, NotAuthentic),
];

/// The record with what it says now signed by its writer, on the paths 2 and 3; and on path 4, with the digest of its payload.
pub(super) fn resigned(place: &Place, seed: &[u8; 32], bytes: &[u8]) -> Vec<u8> {
    let table = fields::record(place.suite, bytes);
    let at = |name| range(bytes, &named(&table, name)).to_vec();
    let number = |name| u64::from_be_bytes(array(&at(name)));
    let salt = named(&table, "salt").start;
    let (path, end) = (bytes[6], bytes.len() - if bytes[6] == 4 { 96 } else { 0 });
    let card = array(&at(if path == 3 { "origin's card id" } else { "card id" }));
    let place = Place { card, revision: number("revision"), padding: at("padding")[0], ..place.clone() };
    let sealed = if path == 3 {
        at("sealed key digest")
    } else {
        let start = named(&table, "roster version seen").start + 8;
        let len = place.suite.encapsulation_len() + 48;
        h("sealed key digest", &[&bytes[start..start + len]]).to_vec()
    };
    let digest = h("payload digest", &[&bytes[salt..end]]);
    let context = place.wrap_context("deposit wrap", if path == 3 { 2 } else { path });
    let seen = at("roster version seen");
    let message = [context, at("writer"), sealed, digest.to_vec(), seen].concat();
    let signed = patched(bytes, &named(&table, "signature"), &sign(seed, "deposit", &message));
    if path == 4 { patched(&signed, &named(&table, "payload digest"), &digest) } else { signed }
}

/// An absorbed record differs where its key is wrapped.
fn absorbed_rows(x_wing: bool) -> Vec<Row> {
    // Path 4 is longer with X-Wing.
    let path = row("path", 7, if x_wing { Malformed } else { Usage }).but(Neighbour, Malformed);
    let wrap = ["wrap nonce", "wrapped key", "wrap tag"].map(|name| row(name, 1, NotAuthentic).insert(Untrusted));
    let wrap = [wrap[0], wrap[1].but(Without, Malformed), wrap[2].but(Neighbour, Untrusted)];
    [&[path], ROWS.as_slice(), &wrap].concat()
}

fn result(note: &[u8], writer: &[u8; 32], path: u8) -> Value {
    with(&text_of(note), json!({"writer": hex_of(writer), "path": path}))
}

pub(super) fn honest(desk: &mut Desk, place: &Place, name: &str, note: &[u8]) -> Deposit {
    let key = card_key(&desk.world).to_vec();
    Deposit::new(place, 2, desk.world.person(name).fingerprint, &key, note, &mut desk.rng)
}

pub(super) fn signing(desk: &Desk, name: &str) -> [u8; 32] {
    desk.world.person(name).secrets.signing
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("deposit", desk.suite());
    valid(desk, &mut book);
    systematic(desk, &mut book);
    ranges(desk, &mut book);
    places(desk, &mut book);
    deposit_forged::cases(desk, &mut book);
    statuses(desk, &mut book);
    wraps(desk, &mut book);
    book
}

/// The record with the key wrapped rightly for its origin.
pub(super) fn absorb(desk: &mut Desk, place: &Place, deposit: &Deposit, origin: &[u8]) -> Vec<u8> {
    let nonce = desk.rng.array();
    absorbed(place, &desk.world.patient.kek, &nonce, &deposit.key, origin, &deposit.payload)
}

fn valid(desk: &mut Desk, book: &mut Book) {
    for (padding, length, name) in
        [(1, 30, "intake"), (0, 0, "intake"), (1, 0, "other_intake"), (1, 300, "other_intake"), (0, 77, "intake")]
    {
        let (place, note) = (desk.place("d-valid", 0, padding), desk.rng.bytes(length));
        let deposit = honest(desk, &place, name, &note);
        let (signature, writer) = (deposit.sign(&signing(desk, name)), deposit.writer);
        let bytes = deposit.bytes(&signature);
        book.ok(
            &format!("A deposit of {length} bytes, padding rule {padding}."),
            input(&place, &bytes),
            result(&note, &writer, 2),
        );
        let taken = absorb(desk, &place, &deposit, &deposit.origin(&signature));
        book.ok("The same, absorbed.", input(&place, &taken), result(&note, &writer, 3));
    }
    let place = desk.place("d-old", 0, 1);
    let older = Place { card: [0xC0; 32], ..place.clone() };
    let deposit = honest(desk, &older, "intake", NOTE);
    let origin = deposit.origin(&deposit.sign(&signing(desk, "intake")));
    let taken = absorb(desk, &place, &deposit, &origin);
    book.ok(
        "Deposited for an older card and absorbed under this one.",
        input(&place, &taken),
        result(NOTE, &deposit.writer, 3),
    );
    let mut early = honest(desk, &place, "intake", NOTE);
    early.seen = 0;
    let bytes = early.bytes(&early.sign(&signing(desk, "intake")));
    book.ok("The writer saw roster 0.", input(&place, &bytes), result(NOTE, &early.writer, 2));
}

fn systematic(desk: &mut Desk, book: &mut Book) {
    let (place, suite) = (desk.place("d-1", 0, 0), desk.suite());
    let one = honest(desk, &place, "intake", NOTE);
    let other_place = desk.place("d-2", 0, 1);
    let mut other = honest(desk, &other_place, "other_intake", OTHER);
    other.seen = 0;
    let signatures = [one.sign(&signing(desk, "intake")), other.sign(&signing(desk, "other_intake"))];
    let deposits = [one.bytes(&signatures[0]), other.bytes(&signatures[1])];
    let taken = [
        absorb(desk, &place, &one, &one.origin(&signatures[0])),
        absorb(desk, &other_place, &other, &other.origin(&signatures[1])),
    ];
    for ([own, other], what, rows) in
        [(&deposits, "Deposit", ROWS.to_vec()), (&taken, "Absorbed record", absorbed_rows(desk.is_x_wing()))]
    {
        let base = Base {
            what,
            bytes: own,
            fields: fields::record(suite, own),
            other: ("another one", other),
            other_fields: fields::record(suite, other),
            valid: &|_, _| true,
            input: &|bytes| input(&place, bytes),
        };
        if desk.is_x_wing() {
            base.flips_and_swaps(book, &rows);
        } else {
            base.systematic(book, &rows);
            let seed = signing(desk, "intake");
            base.signed(book, &[&SIGNED[..], &SEALED].concat(), &|bytes| resigned(&place, &seed, bytes));
        }
    }
}

/// Values that no deposit may have.
fn ranges(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-range", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let signature = deposit.sign(&signing(desk, "intake"));
    let taken = absorb(desk, &place, &deposit, &deposit.origin(&signature));
    for (what, bytes) in [("Deposit", deposit.bytes(&signature)), ("Absorbed record", taken)] {
        let table = fields::record(desk.suite(), &bytes);
        let mut refuse = |layer: Layer, name: &str, value: &[u8], comment: &str| {
            book.reject(
                layer,
                &format!("{what} {comment}."),
                input(&place, &patched(&bytes, &named(&table, name), value)),
            );
        };
        refuse(Malformed, "revision", &1_u64.to_be_bytes(), "of revision 1");
        refuse(Malformed, "revision", &[0xFF; 8], "of revision 2^64 - 1");
        refuse(Malformed, "padding", &[2], "of padding rule 2");
        refuse(Malformed, "path", &[0], "of path 0");
        refuse(Malformed, "path", &[1], "of revision 0 that names path 1");
        refuse(Malformed, "magic", b"LKN\x02", "of format version 2");
        refuse(Stale, "roster version seen", &2_u64.to_be_bytes(), "whose writer saw a newer roster, not signed again");
        let longer = [bytes.as_slice(), &[0]].concat();
        book.reject(Untrusted, &format!("{what} with a byte more."), input(&place, &longer));
    }
    let suite = patched(
        &deposit.bytes(&signature),
        &named(&fields::record(desk.suite(), &deposit.bytes(&signature)), "suite"),
        &desk.other.suite.kem_id().to_be_bytes(),
    );
    let layer = if desk.is_x_wing() { Usage } else { Malformed };
    book.reject(layer, "Deposit that names the other suite.", input(&place, &suite));
    for seen in [2, u64::MAX] {
        let newer = Deposit { seen, ..deposit.clone() };
        let bytes = newer.bytes(&newer.sign(&signing(desk, "intake")));
        book.reject(
            Stale,
            &format!("The writer saw roster {seen} and the client knows 1, signed."),
            input(&place, &bytes),
        );
    }
    let reader = super::record::sealed(desk, &desk.place("d-range", 1, 1), NOTE);
    book.reject(Usage, "A reader's record stands in the place of a deposit.", input(&place, &reader));
    let attachment = Deposit::new(&place, 4, deposit.writer, card_key(&desk.world), NOTE, &mut desk.rng);
    let bytes = attachment.bytes(&attachment.sign(&signing(desk, "intake")));
    book.reject(Usage, "A deposited attachment stands in the place of a deposit.", input(&place, &bytes));
}

/// Good deposits in other places than their own.
fn places(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-place", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let signature = deposit.sign(&signing(desk, "intake"));
    let taken = absorb(desk, &place, &deposit, &deposit.origin(&signature));
    for (what, bytes) in [("Deposit", deposit.bytes(&signature)), ("Absorbed record", taken)] {
        let record = Place { record: b"d-elsewhere".to_vec(), ..place.clone() };
        book.reject(Untrusted, &format!("{what} replayed under another record id."), input(&record, &bytes));
        let field = Place { field: b"title".to_vec(), ..place.clone() };
        book.reject(Untrusted, &format!("{what} replayed in another field."), input(&field, &bytes));
        let closed = with(&input(&place, &bytes), desk.with_closed(1));
        book.reject(Untrusted, &format!("{what} to a card that is closed as erased."), closed);
    }
    let other = Deposit::new(
        &Place { card: [0xC0; 32], ..place.clone() },
        2,
        deposit.writer,
        card_key(&desk.world),
        NOTE,
        &mut desk.rng,
    );
    let bytes = other.bytes(&other.sign(&signing(desk, "intake")));
    book.reject(Usage, "Deposit to another card, signed.", input(&place, &bytes));
    let moved = patched(&bytes, &named(&fields::record(desk.suite(), &bytes), "card id"), &place.card);
    book.reject(Untrusted, "Deposit to another card, moved to this one.", input(&place, &moved));
    for (what, elsewhere) in [
        ("patient", Place { patient: b"p-2".to_vec(), ..place.clone() }),
        ("vault", Place { vault: desk.foreign.id, ..place.clone() }),
    ] {
        let other = Deposit::new(&elsewhere, 2, deposit.writer, card_key(&desk.world), NOTE, &mut desk.rng);
        let bytes = other.bytes(&other.sign(&signing(desk, "intake")));
        book.reject(Untrusted, &format!("Deposit that was signed for another {what}."), input(&place, &bytes));
    }
}

fn statuses(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-status", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let signature = deposit.sign(&signing(desk, "intake"));
    let taken = absorb(desk, &place, &deposit, &deposit.origin(&signature));
    let (first, taken) = (input(&place, &deposit.bytes(&signature)), input(&place, &taken));
    let results = [2, 3].map(|path| result(NOTE, &deposit.writer, path));
    book.ok("The writer is retired.", with(&first, desk.with_status("intake", 2)), results[0].clone());
    book.reject(Untrusted, "The writer is revoked.", with(&first, desk.with_status("intake", 3)));
    book.ok("Absorbed: the writer is retired.", with(&taken, desk.with_status("intake", 2)), results[1].clone());
    book.ok(
        "Absorbed: the writer is revoked, which does not close it.",
        with(&taken, desk.with_status("intake", 3)),
        results[1].clone(),
    );
    for (name, input) in [("Deposit", &first), ("Absorbed", &taken)] {
        let lost = with(input, desk.with_roles("intake", 1));
        book.reject(Untrusted, &format!("{name}: the writer lacks the role deposit."), lost);
        let gone = desk.under(|roster| roster.lines.retain(|line| line.0 != deposit.writer));
        book.reject(Untrusted, &format!("{name}: the writer is not on the roster any more."), with(input, gone));
    }
    let other = desk.with_status("other_intake", 3);
    book.ok("Another depositor is revoked.", with(&first, other), results[0].clone());
}

/// Absorbed records whose key is wrapped wrongly, and all else right.
fn wraps(desk: &mut Desk, book: &mut Book) {
    let place = desk.place("d-wrap", 0, 1);
    let deposit = honest(desk, &place, "intake", NOTE);
    let origin = deposit.origin(&deposit.sign(&signing(desk, "intake")));
    let (kek, nonce): ([u8; 32], [u8; 24]) = (desk.world.patient.kek, desk.rng.array());
    let digest = deposit.payload_digest();
    let mut refuse = |comment: &str, wrapped: Vec<u8>| {
        let bytes = [place.head(3), origin.clone(), nonce.to_vec(), wrapped, deposit.payload.clone()].concat();
        book.reject(NotAuthentic, comment, input(&place, &bytes));
    };
    let wrap = |key: &[u8; 32], aad: &[&[u8]]| xchacha_seal(key, &nonce, &aad.concat(), &deposit.key);
    let context = place.wrap_context("absorbed wrap", 3);
    refuse("Absorbed: the wrap does not bind the payload.", wrap(&kek, &[&context, &origin]));
    refuse("Absorbed: the wrap does not bind the origin.", wrap(&kek, &[&context, &digest]));
    refuse(
        "Absorbed: the wrap has the label of a reader's record.",
        wrap(&kek, &[&place.wrap_context("reader wrap", 3), &origin, &digest]),
    );
    refuse("Absorbed: the wrap is that of path 1.", wrap(&kek, &[&place.wrap_context("reader wrap", 1)]));
    refuse(
        "Absorbed: the wrap names path 2.",
        wrap(&kek, &[&place.wrap_context("absorbed wrap", 2), &origin, &digest]),
    );
    refuse(
        "Absorbed: the wrap is under another patient's key.",
        wrap(&desk.foreign.patient.kek, &[&context, &origin, &digest]),
    );
    refuse(
        "Absorbed: another record key is wrapped.",
        xchacha_seal(&kek, &nonce, &[context.as_slice(), &origin, &digest].concat(), &[8; 32]),
    );
    let again = honest(desk, &place, "intake", NOTE);
    let mixed = absorb(desk, &place, &again, &again.origin(&again.sign(&signing(desk, "intake"))));
    let bytes = [place.head(3), origin.clone(), mixed[216..288].to_vec(), deposit.payload].concat();
    book.reject(
        NotAuthentic,
        "Absorbed: the wrapped key is that of another absorbed record of the same place.",
        input(&place, &bytes),
    );
}
