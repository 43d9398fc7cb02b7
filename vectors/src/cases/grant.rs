//! Grants, to members and to the master key (section 6).

use serde_json::{Value, json};

use super::{Desk, flipped};
use crate::case::Layer::{Malformed, NotAuthentic, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::hpke;
use crate::make::objects::{To, grant, grant_head};
use crate::make::points::{LOW_X25519, decoded};
use crate::make::prim::label;
use crate::mutate::{Base, Row, named, patched, row};

const ROWS: [Row; 10] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage),
    row("card id", 1, Usage),
    row("recipient", 3, Malformed),
    row("generation", 2, Usage),
    row("recipient's fingerprint", 1, Usage),
    row("encapsulation", 1, NotAuthentic),
    row("sealed secret", 1, NotAuthentic),
    row("sealed tag", 1, NotAuthentic),
];

fn rows() -> Vec<Row> {
    [ROWS.as_slice(), &[row("encapsulation, ML-KEM", 1, NotAuthentic)]].concat()
}

fn input(bytes: &[u8]) -> Value {
    json!({"grant": hex_of(bytes)})
}

/// What a grant is made of, and how it is named here.
struct Sealing {
    head: Vec<u8>,
    key: Vec<u8>,
}

pub(super) fn grants(desk: &mut Desk) -> Book {
    let mut book = Book::new("grant", desk.suite());
    let (suite, secret) = (desk.suite(), desk.world.patient.secret);
    let result = json!({"patient_secret": hex_of(secret)});
    let own = desk.world.grant.clone();
    book.ok("The world's grant to the therapist.", input(&own), result.clone());
    let sealing = to_member(desk, "therapist");
    let built = grant(suite, &sealing.head, &sealing.key, &secret, &mut desk.rng);
    book.ok("Another grant of the same secret.", input(&built), result);
    let colleague = to_member(desk, "colleague");
    let other = grant(suite, &colleague.head, &colleague.key, &secret, &mut desk.rng);
    let others = [
        ("a grant to another member", other),
        ("another vault's grant", desk.foreign.grant.clone()),
        ("another grant of the same secret", built),
    ];
    for (index, other) in others.iter().enumerate() {
        let base = Base {
            what: "Grant",
            bytes: &own,
            fields: fields::grant(suite, &own),
            other: (other.0, &other.1),
            other_fields: fields::grant(suite, &other.1),
            valid: &|_, _| true,
            input: &input,
        };
        if index == 0 {
            base.systematic(&mut book, &rows());
        } else {
            base.swaps(&mut book, &rows());
        }
    }
    book.reject(Usage, "A grant to another member.", input(&others[0].1));
    book.reject(Usage, "A grant of another vault.", input(&others[1].1));
    book.reject(Usage, "A grant of another vault and suite.", input(&desk.other.grant));
    let (other, world) = (&desk.other, &desk.world);
    let head =
        grant_head(other.suite, &world.id, &world.stored.card_id, To::Member(world.person("therapist").fingerprint));
    let other = grant(other.suite, &head, &other.first.keys.public, &secret, &mut desk.rng);
    book.reject(Usage, "A grant of the other suite for this vault.", input(&other));
    book.reject(Usage, "The master grant.", input(&desk.world.stored.master_grant));
    flaws(desk, &sealing, &mut book, &input, "grant");
    for (status, name) in [(2, "retired"), (3, "revoked")] {
        let input = with(&input(&own), desk.with_status("therapist", status));
        book.reject(Untrusted, &format!("The member is {name}."), input);
    }
    book.reject(Untrusted, "The member lacks the role read.", with(&input(&own), desk.with_roles("therapist", 6)));
    book.reject(Untrusted, "The card is closed as erased.", with(&input(&own), desk.with_closed(1)));
    book.reject(Untrusted, "The card is closed as compromised.", with(&input(&own), desk.with_closed(2)));
    let gone = desk.world.person("therapist").fingerprint;
    let unlisted = desk.under(|roster| roster.lines.retain(|line| line.0 != gone));
    book.reject(Untrusted, "The member is not on the roster.", with(&input(&own), unlisted));
    book
}

fn to_member(desk: &Desk, name: &str) -> Sealing {
    let (world, person) = (&desk.world, desk.world.person(name));
    let head = grant_head(desk.suite(), &world.id, &world.stored.card_id, To::Member(person.fingerprint));
    Sealing { head, key: hpke::public(desk.suite(), &person.secrets.hpke) }
}

fn to_master(desk: &Desk) -> Sealing {
    let (world, keys) = (&desk.world, &desk.world.first.keys);
    let head = grant_head(desk.suite(), &world.id, &world.stored.card_id, To::Master(1, keys.fingerprint));
    Sealing { head, key: keys.public.clone() }
}

pub(super) fn master_grants(desk: &mut Desk) -> Book {
    let mut book = Book::new("master_grant_open", desk.suite());
    let (suite, secret) = (desk.suite(), desk.world.patient.secret);
    let result = json!({"patient_secret": hex_of(secret)});
    let input = |bytes: &[u8]| json!({"master_grant": hex_of(bytes)});
    let own = desk.world.stored.master_grant.clone();
    book.ok("The world's master grant.", input(&own), result.clone());
    let sealing = to_master(desk);
    let built = grant(suite, &sealing.head, &sealing.key, &secret, &mut desk.rng);
    book.ok("Another master grant of the same secret.", input(&built), result);
    let (world, next) = (&desk.world, &desk.world.next.keys);
    let head = grant_head(suite, &world.id, &world.stored.card_id, To::Master(2, next.fingerprint));
    let next = grant(suite, &head, &next.public, &secret, &mut desk.rng);
    let others =
        [("the next generation's grant", next), ("another vault's grant", desk.foreign.stored.master_grant.clone())];
    for (index, other) in others.iter().enumerate() {
        let base = Base {
            what: "Master grant",
            bytes: &own,
            fields: fields::grant(suite, &own),
            other: (other.0, &other.1),
            other_fields: fields::grant(suite, &other.1),
            valid: &|_, _| true,
            input: &input,
        };
        if index == 0 {
            base.systematic(&mut book, &rows());
        } else {
            base.swaps(&mut book, &rows());
        }
    }
    book.reject(Usage, "The master grant of the next generation.", input(&others[0].1));
    book.reject(Usage, "The master grant of another vault.", input(&others[1].1));
    book.reject(Usage, "A grant to a member.", input(&desk.world.grant));
    let zero = patched(&own, &named(&fields::grant(suite, &own), "generation"), &[0; 4]);
    book.reject(Malformed, "A master grant to generation 0.", input(&zero));
    flaws(desk, &sealing, &mut book, &input, "master grant");
    book
}

/// Grants with one flaw each, sealed with it.
fn flaws(desk: &mut Desk, sealing: &Sealing, book: &mut Book, input: &dyn Fn(&[u8]) -> Value, what: &str) {
    let (suite, secret, rng) = (desk.suite(), desk.world.patient.secret, &mut desk.rng);
    let Sealing { head, key } = sealing;
    let garbage: [u8; 32] = rng.array();
    let mut refuse =
        |layer, comment: &str, bytes: Vec<u8>| book.reject(layer, &format!("A {what} {comment}."), input(&bytes));
    refuse(NotAuthentic, "that holds 32 other bytes", grant(suite, head, key, &garbage, rng));
    refuse(
        NotAuthentic,
        "that holds another patient's secret",
        grant(suite, head, key, &desk.foreign.patient.secret, rng),
    );
    refuse(
        NotAuthentic,
        "that holds the secret with one bit flipped",
        grant(suite, head, key, &flipped(&secret, 0, 1), rng),
    );
    let mut seal = |comment: &str, key: &[u8], info: &[u8], aad: &[u8]| {
        let sealed = hpke::seal(suite, key, info, aad, &secret, rng);
        refuse(NotAuthentic, comment, [head.as_slice(), &sealed].concat());
    };
    let info = label("grant");
    seal("that was sealed to another key than it names", &desk.foreign.first.keys.public, &info, head);
    seal("that was sealed without associated data", key, &info, b"");
    seal("that was sealed with another card in the associated data", key, &info, &flipped(head, 40, 1));
    seal("that was sealed with the label of deposits", key, &label("deposit wrap"), head);
    seal("that was sealed without the length before the label", key, &info[1..], head);
    for (length, comment) in [(31, "of 31 bytes"), (33, "of 33 bytes"), (0, "of nothing")] {
        let sealed = hpke::seal(suite, key, &info, head, &[secret.as_slice(), &[0]].concat()[..length], rng);
        book.reject(Malformed, &format!("A {what} {comment}."), input(&[head.as_slice(), &sealed].concat()));
    }
    if suite == lukko::Suite::X25519 {
        let odd = [head.as_slice(), &hpke::seal_with_high_bit(key, &info, head, &secret, rng)].concat();
        let comment = format!("A {what} whose encapsulation has the high bit set and was sealed with it.");
        book.ok(&comment, input(&odd), json!({"patient_secret": hex_of(secret)}));
        for (point, enc) in LOW_X25519 {
            let sealed = hpke::seal_by_hand(key, &decoded(enc), &[0; 32], &info, head, &secret);
            let comment =
                format!("A {what} whose encapsulation is {point}, of low order, sealed with the zeros that it gives.");
            book.reject(NotAuthentic, &comment, input(&[head.as_slice(), &sealed].concat()));
        }
    }
}
