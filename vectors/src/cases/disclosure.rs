//! Disclosures (section 8).

use serde_json::{Value, json};

use super::deposit::SEALED;
use super::{Desk, disclosure_inner};
use crate::case::Layer::{self, Malformed, NotAuthentic, Stale, Untrusted, Usage};
use crate::case::{Book, hex_of, number, with};
use crate::fields;
use crate::make::hpke;
use crate::make::objects::{Disclosure, inner};
use crate::make::points::{add_order, sign_with_low_r, sign_with_mixed_r};
use crate::make::prim::{h, label, sign};
use crate::mutate::Change::{First, Neighbour, Ones, Short, Swap, Twice, Without, Zeros};
use crate::mutate::{Base, Row, named, patched, row};
use crate::world::{PATIENT, World};

pub(super) const NOTE: &[u8] = b"What was handed out.";

const ROWS: [Row; 15] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed).but(Twice, Usage),
    row("vault id", 1, Usage).insert(Usage).but(Twice, Untrusted),
    row("recipient", 1, Untrusted).insert(Untrusted),
    row("signer", 1, Untrusted).insert(Untrusted).but(Twice, Stale),
    row("roster version seen", 1, Untrusted)
        .insert(Untrusted)
        .but(First, Stale)
        .but(Neighbour, Stale)
        .but(Ones, Stale)
        .but(Without, Stale),
    row("encapsulation, ML-KEM", 1, Untrusted).insert(Untrusted),
    row("encapsulation", 1, Untrusted).insert(Untrusted),
    row("sealed secret", 1, Untrusted).insert(Untrusted),
    row("sealed tag", 1, Untrusted).insert(Untrusted),
    row("signature", 1, Untrusted).insert(Untrusted),
    row("salt", 1, Untrusted).insert(Untrusted),
    row("commitment", 1, Untrusted).insert(Untrusted),
    row("chunk", 1, Untrusted).insert(Untrusted).but(Short, Untrusted),
    row("chunk tag", 1, Untrusted).insert(Untrusted).cut(Untrusted),
];

/// Signed again by the signer.
const SIGNED: [Row; 6] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage),
    row("recipient", 1, Usage),
    row("signer", 1, Untrusted),
    row("roster version seen", 2, Stale).not(Zeros).not(Swap),
];

/// The disclosure with what it says now signed.
fn resigned(suite: lukko::Suite, seed: &[u8; 32], bytes: &[u8]) -> Vec<u8> {
    let at = |start: usize, len: usize| &bytes[start..start + len];
    let sealed_len = suite.encapsulation_len() + 48;
    let context = h("disclosure context", &[at(4, 98)]);
    let (sealed, payload) = (at(110, sealed_len), &bytes[110 + sealed_len + 64..]);
    let digests = [h("sealed key digest", &[sealed]), h("payload digest", &[payload])];
    let message = [&context, digests.as_flattened(), at(102, 8)].concat();
    let signature = sign(seed, "disclosure", &message);
    [&bytes[..110 + sealed_len], &signature, payload].concat()
}

pub(super) fn input(bytes: &[u8]) -> Value {
    json!({"disclosure": hex_of(bytes)})
}

/// The head of an honest disclosure by the therapist to the world's recipient.
pub(super) fn head(world: &World) -> Disclosure {
    let public = hpke::public(world.suite, &world.recipient_private());
    Disclosure {
        suite: world.suite,
        vault: world.id,
        recipient: h("recipient key fingerprint", &[&hpke::id(world.suite), &public]),
        signer: world.person("therapist").fingerprint,
        seen: 1,
        sealed: Vec::new(),
        payload: Vec::new(),
    }
}

pub(super) fn recipient(world: &World) -> Vec<u8> {
    hpke::public(world.suite, &world.recipient_private())
}

pub(super) fn text(writer: Option<[u8; 32]>, note: &[u8]) -> Vec<u8> {
    [inner(PATIENT, b"r-1", b"note", 3, writer), note.to_vec()].concat()
}

/// A disclosure with this head, of this text.
fn filled(desk: &mut Desk, mut head: Disclosure, text: &[u8]) -> Disclosure {
    let key = recipient(&desk.world);
    head.fill(&key, text, &mut desk.rng);
    head
}

/// Patient, record and field.
type Ids<'a> = [&'a [u8]; 3];

fn result(world: &World, place: Ids<'_>, revision: u64, writer: Option<[u8; 32]>, note: &[u8], signer: &str) -> Value {
    let [patient, record, field] = place.map(hex_of);
    json!({
        "plaintext": hex_of(note), "patient": patient, "record": record, "field": field, "revision": number(revision),
        "writer": writer.map(hex_of), "signer": hex_of(world.person(signer).fingerprint)
    })
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("disclosure", desk.suite());
    valid(desk, &mut book);
    systematic(desk, &mut book);
    ranges(desk, &mut book);
    signers(desk, &mut book);
    signatures(desk, &mut book);
    keys(desk, &mut book);
    disclosure_inner::texts(desk, &mut book);
    book
}

pub(super) fn seed(desk: &Desk, name: &str) -> [u8; 32] {
    desk.world.person(name).secrets.signing
}

fn valid(desk: &mut Desk, book: &mut Book) {
    let intake = desk.world.person("intake").fingerprint;
    let id255 = [b'x'; 255];
    let places: [(Ids<'_>, u64, Option<[u8; 32]>); 5] = [
        ([PATIENT, b"r-1", b"note"], 3, None),
        ([PATIENT, b"r-2", b"note"], 0, Some(intake)),
        ([b"p", b"r", b"f"], u64::MAX - 1, None),
        ([&id255, &id255, &id255], 1, Some([0; 32])),
        ([b"\0", b"\xFF", b"\x80"], 1 << 53, None),
    ];
    for ((place, revision, writer), signer) in
        places.into_iter().zip(["therapist", "therapist", "colleague", "colleague", "therapist"])
    {
        let note = desk.rng.bytes(revision as usize % 400);
        let text = [inner(place[0], place[1], place[2], revision, writer), note.clone()].concat();
        let head = Disclosure { signer: desk.world.person(signer).fingerprint, ..head(&desk.world) };
        let bytes = filled(desk, head, &text).signed(&seed(desk, signer));
        let comment = format!("A note of {} bytes and revision {revision}.", note.len());
        book.ok(&comment, input(&bytes), result(&desk.world, place, revision, writer, &note, signer));
    }
    let bytes = filled(desk, head(&desk.world), &text(None, NOTE)).signed(&seed(desk, "therapist"));
    let retired = with(&input(&bytes), desk.with_status("therapist", 2));
    book.ok(
        "The signer is retired.",
        retired,
        result(&desk.world, [PATIENT, b"r-1", b"note"], 3, None, NOTE, "therapist"),
    );
}

fn systematic(desk: &mut Desk, book: &mut Book) {
    let suite = desk.suite();
    let own = filled(desk, head(&desk.world), &text(None, NOTE)).signed(&seed(desk, "therapist"));
    let other_head = Disclosure {
        signer: desk.world.person("colleague").fingerprint,
        recipient: [4; 32],
        seen: 0,
        vault: desk.foreign.id,
        ..head(&desk.world)
    };
    let other = filled(desk, other_head, &text(None, b"Another text.")).signed(&seed(desk, "colleague"));
    let base = Base {
        what: "Disclosure",
        bytes: &own,
        fields: fields::disclosure(suite, &own),
        other: ("another one", &other),
        other_fields: fields::disclosure(suite, &other),
        valid: &|_, _| true,
        input: &input,
    };
    if desk.is_x_wing() {
        base.flips_and_swaps(book, &ROWS);
    } else {
        base.systematic(book, &ROWS);
        let seed = seed(desk, "therapist");
        base.signed(book, &[&SIGNED[..], &SEALED].concat(), &|bytes| resigned(suite, &seed, bytes));
    }
}

fn ranges(desk: &mut Desk, book: &mut Book) {
    let disclosure = filled(desk, head(&desk.world), &text(None, NOTE));
    let own = disclosure.signed(&seed(desk, "therapist"));
    let table = fields::disclosure(desk.suite(), &own);
    let mut refuse = |layer: Layer, name: &str, value: &[u8], comment: &str| {
        book.reject(layer, comment, input(&patched(&own, &named(&table, name), value)));
    };
    refuse(Malformed, "magic", b"LKX\x02", "Disclosure of format version 2.");
    refuse(Malformed, "magic", b"LKI\x01", "Disclosure with the magic of what stands in it.");
    refuse(Malformed, "suite", &[0xFF, 0xFF], "Disclosure of suite 0xffff.");
    refuse(Stale, "roster version seen", &2_u64.to_be_bytes(), "The signer saw a newer roster, not signed again.");
    book.reject(Untrusted, "A byte follows the payload.", input(&[own.as_slice(), &[0]].concat()));
    for seen in [2, u64::MAX] {
        let bytes = Disclosure { seen, ..disclosure.clone() }.signed(&seed(desk, "therapist"));
        book.reject(Stale, &format!("The signer saw roster {seen} and the client knows 1, signed."), input(&bytes));
    }
    let mut payload = |comment: &str, payload: Vec<u8>| {
        let bytes = Disclosure { payload, ..disclosure.clone() }.signed(&seed(desk, "therapist"));
        book.reject(Malformed, comment, input(&bytes));
    };
    payload("The payload is empty, signed.", Vec::new());
    payload("The payload has 71 bytes, signed.", vec![1; 71]);
    payload("The payload ends after a full chunk, signed.", vec![1; 56 + 16_400]);
    let mut other = Disclosure { suite: desk.other.suite, ..head(&desk.world) };
    other.fill(&recipient(&desk.other), &text(None, NOTE), &mut desk.rng);
    book.reject(
        Usage,
        "Disclosure of the other suite for this vault, signed.",
        input(&other.signed(&seed(desk, "therapist"))),
    );
    let foreign = Disclosure { vault: desk.foreign.id, ..head(&desk.world) };
    let foreign = filled(desk, foreign, &text(None, NOTE)).signed(&seed(desk, "therapist"));
    book.reject(Usage, "Disclosure of another vault, signed.", input(&foreign));
}

fn signers(desk: &mut Desk, book: &mut Book) {
    let stranger = desk.foreign.person("therapist");
    let (stranger, stranger_seed) = (stranger.fingerprint, stranger.secrets.signing);
    let therapist = desk.world.person("therapist").fingerprint;
    let cases = [
        ("A depositor hands out.", desk.world.person("intake").fingerprint, seed(desk, "intake")),
        ("Someone who is not on the roster hands out.", stranger, stranger_seed),
        ("A colleague signs in the therapist's name.", therapist, seed(desk, "colleague")),
        ("The registrar signs in the therapist's name.", therapist, desk.world.registrar_signing()),
        ("The recipient signs in the therapist's name.", therapist, desk.world.recipient_private()),
    ];
    for (comment, signer, seed) in cases {
        let head = Disclosure { signer, ..head(&desk.world) };
        let bytes = filled(desk, head, &text(None, NOTE)).signed(&seed);
        book.reject(Untrusted, comment, input(&bytes));
    }
    let bytes = filled(desk, head(&desk.world), &text(None, NOTE)).signed(&seed(desk, "therapist"));
    book.reject(Untrusted, "The signer is revoked.", with(&input(&bytes), desk.with_status("therapist", 3)));
    book.reject(Untrusted, "The signer lacks the role read.", with(&input(&bytes), desk.with_roles("therapist", 6)));
}

fn signatures(desk: &mut Desk, book: &mut Book) {
    let one = filled(desk, head(&desk.world), &text(None, NOTE));
    let other = filled(desk, head(&desk.world), &text(None, b"Another text."));
    let (key, message) = (seed(desk, "therapist"), one.message());
    let good = sign(&key, "disclosure", &message);
    let cases = [
        ("The signature's S is larger by the group order.", one.bytes(&add_order(&good))),
        ("The signature's R is the neutral element.", one.bytes(&sign_with_low_r(&key, "disclosure", &message))),
        ("The signature's R is of mixed order.", one.bytes(&sign_with_mixed_r(&key, "disclosure", &message))),
        ("The signature is with the label of deposits.", one.bytes(&sign(&key, "deposit", &message))),
        ("The signature is that of another disclosure.", one.bytes(&sign(&key, "disclosure", &other.message()))),
        (
            "The payload is that of another disclosure.",
            Disclosure { payload: other.payload.clone(), ..one.clone() }.bytes(&good),
        ),
        (
            "The sealed key is that of another disclosure.",
            Disclosure { sealed: other.sealed.clone(), ..one.clone() }.bytes(&good),
        ),
    ];
    for (comment, bytes) in cases {
        book.reject(Untrusted, comment, input(&bytes));
    }
    let swapped = Disclosure { payload: other.payload, ..one.clone() }.signed(&key);
    book.reject(NotAuthentic, "The payload is that of another disclosure, signed again.", input(&swapped));
    let swapped = Disclosure { sealed: other.sealed, ..one }.signed(&key);
    book.reject(NotAuthentic, "The sealed key is that of another disclosure, signed again.", input(&swapped));
}

/// Keys sealed wrongly, signed as they are.
fn keys(desk: &mut Desk, book: &mut Book) {
    let (suite, key, own) = (desk.suite(), seed(desk, "therapist"), recipient(&desk.world));
    let addressed = Disclosure { recipient: [9; 32], ..head(&desk.world) };
    let bytes = filled(desk, addressed, &text(None, NOTE)).signed(&key);
    book.reject(Usage, "The disclosure names another recipient, signed.", input(&bytes));
    let honest = filled(desk, head(&desk.world), &text(None, NOTE));
    let private = desk.world.recipient_private();
    let context = honest.context().to_vec();
    let digest = h("payload digest", &[&honest.payload]).to_vec();
    let info = [label("disclosure wrap"), context.clone(), digest.clone()].concat();
    let secret = hpke::open(suite, &private, &info, b"", &honest.sealed);
    let mut refuse = |comment: &str, to: &[u8], info: &[u8], aad: &[u8], secret: &[u8]| {
        let sealed = hpke::seal(suite, to, info, aad, secret, &mut desk.rng);
        let bytes = Disclosure { sealed, ..honest.clone() }.signed(&key);
        book.reject(NotAuthentic, comment, input(&bytes));
    };
    let master = desk.world.first.keys.public.clone();
    refuse("The key is sealed to another key than the one named, signed.", &master, &info, b"", &secret);
    refuse(
        "The key is sealed without the payload digest, signed.",
        &own,
        &[label("disclosure wrap"), context.clone()].concat(),
        b"",
        &secret,
    );
    refuse(
        "The key is sealed without the context, signed.",
        &own,
        &[label("disclosure wrap"), digest.clone()].concat(),
        b"",
        &secret,
    );
    refuse(
        "The key is sealed with the label of deposits, signed.",
        &own,
        &[label("deposit wrap"), context, digest].concat(),
        b"",
        &secret,
    );
    refuse("The key is sealed with associated data, signed.", &own, &info, b"x", &secret);
    refuse("Another key is sealed, signed.", &own, &info, b"", &[3; 32]);
}
