//! Known answers: what is sealed with this randomness, to the byte.

use serde_json::{Value, json};

use super::deposit::signing;
use super::{Desk, card_key};
use crate::case::{Book, hex_of, number, with};
use crate::make::hpke;
use crate::make::objects::{Disclosure, To, grant_head, inner};
use crate::make::prim::{array, h, kdf, label};
use crate::make::record::{Deposit, Place, absorbed};
use crate::rng::Seeded;
use crate::world::PATIENT;

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("sealing", desk.suite());
    grants(desk, &mut book);
    let lengths: &[usize] = if desk.is_x_wing() { &[0, 40] } else { &[0, 1, 40, 255, 256, 700] };
    for (index, length) in lengths.iter().enumerate() {
        for padding in [0, 1] {
            let note = desk.rng.bytes(*length);
            record(desk, &mut book, &note, 1 << (index * 12), padding);
            deposits(desk, &mut book, &note, padding);
        }
        let note = desk.rng.bytes(*length);
        disclosure(desk, &mut book, &note);
    }
    book
}

fn answer(book: &mut Book, kind: &str, what: &str, input: Value, bytes: &[u8]) {
    let input = with(&json!({"kind": kind}), input);
    book.ok(&format!("Sealed with the randomness that is given: {what}."), input, json!({"bytes": hex_of(bytes)}));
}

fn grants(desk: &mut Desk, book: &mut Book) {
    let (suite, secret, card) = (desk.suite(), desk.world.patient.secret, desk.world.stored.card_id);
    let (master, therapist) = (desk.world.first.keys.clone(), desk.world.person("therapist"));
    let own = hpke::public(suite, &therapist.secrets.hpke);
    let to = [
        ("grant", To::Member(therapist.fingerprint), own),
        ("master grant", To::Master(1, master.fingerprint), master.public),
    ];
    for (kind, to, key) in to {
        for _ in 0..2 {
            let coins = desk.rng.bytes(hpke::coins_len(suite));
            let head = grant_head(suite, &desk.world.id, &card, to);
            let sealed = hpke::seal(suite, &key, &label("grant"), &head, &secret, &mut Seeded::of(&coins));
            let what = format!("a {kind} of the world's patient");
            answer(book, kind, &what, json!({"coins": hex_of(coins)}), &[head, sealed].concat());
        }
    }
}

/// Where a note stands, and the note.
fn at(place: &Place, note: &[u8]) -> Value {
    json!({
        "record_id": hex_of(&place.record), "field": hex_of(&place.field), "revision": number(place.revision),
        "padding": place.padding, "note": hex_of(note)
    })
}

fn record(desk: &mut Desk, book: &mut Book, note: &[u8], revision: u64, padding: u8) {
    let (place, r) = (desk.place("r-known", revision, padding), desk.rng.array::<32>());
    let draw = place.draw(&mut Seeded::of(&r));
    let bytes = place.reader(&desk.world.patient.kek, &draw, &place.payload(&draw, note).bytes());
    let what = format!("a record of {} bytes, padding rule {padding}", note.len());
    answer(book, "record", &what, with(&at(&place, note), json!({"r": hex_of(r)})), &bytes);
}

fn deposits(desk: &mut Desk, book: &mut Book, note: &[u8], padding: u8) {
    let (seed, writer, key) =
        (signing(desk, "intake"), desk.world.person("intake").fingerprint, card_key(&desk.world).to_vec());
    for (path, kind) in [(2, "deposit"), (4, "deposited attachment")] {
        let [id, r]: [Vec<u8>; 2] = [desk.rng.bytes(16), desk.rng.bytes(32)];
        let coins = desk.rng.bytes(hpke::coins_len(desk.suite()));
        let place = desk.place(&hex_of(&id), 0, padding);
        let deposit = Deposit::new(&place, path, writer, &key, note, &mut Seeded::of(&[r.as_slice(), &coins].concat()));
        let signature = deposit.sign(&seed);
        let bytes = deposit.bytes(&signature);
        let given = json!({"id": hex_of(&id), "r": hex_of(&r), "coins": hex_of(coins)});
        let what = format!("a {kind} of {} bytes, padding rule {padding}", note.len());
        answer(book, kind, &what, with(&at(&place, note), given), &bytes);
        if path == 2 {
            let r: [u8; 32] = desk.rng.array();
            let origin = deposit.origin(&signature);
            let context =
                [place.wrap_context("absorbed wrap", 3), origin.clone(), deposit.payload_digest().to_vec()].concat();
            let nonce = array(&kdf(&r, "wrap nonce", &[&context], 24));
            let taken = absorbed(&place, &desk.world.patient.kek, &nonce, &deposit.key, &origin, &deposit.payload);
            let given = json!({"r": hex_of(r), "deposit": hex_of(&bytes)});
            answer(book, "absorbed", &format!("{what}, absorbed"), with(&at(&place, note), given), &taken);
        }
    }
}

fn disclosure(desk: &mut Desk, book: &mut Book, note: &[u8]) {
    let (world, place) = (&desk.world, desk.place("r-known", 7, 1));
    let key = hpke::public(world.suite, &world.recipient_private());
    let mut disclosure = Disclosure {
        suite: world.suite,
        vault: world.id,
        recipient: h("recipient key fingerprint", &[&hpke::id(world.suite), &key]),
        signer: world.person("therapist").fingerprint,
        seen: 1,
        sealed: Vec::new(),
        payload: Vec::new(),
    };
    let [r, coins] = [32, hpke::coins_len(world.suite)].map(|length| desk.rng.bytes(length));
    let text = [inner(PATIENT, &place.record, &place.field, place.revision, None), note.to_vec()].concat();
    disclosure.fill(&key, &text, &mut Seeded::of(&[r.as_slice(), &coins].concat()));
    let bytes = disclosure.signed(&signing(desk, "therapist"));
    let given = json!({"r": hex_of(&r), "coins": hex_of(&coins)});
    answer(
        book,
        "disclosure",
        &format!("a disclosure of {} bytes", note.len()),
        with(&at(&place, note), given),
        &bytes,
    );
}
