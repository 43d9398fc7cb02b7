//! A patient's cards, endorsement and master grant (section 6): fields, endorsements and master grants.

use serde_json::{Value, json};

use super::{Desk, card_key, flipped, patient_chain, signature_of, stays_a_key};
use crate::case::Layer::{self, Conflict, Malformed, Stale, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::keys::Patient;
use crate::make::objects::{Endorsement, To, card_body, grant, grant_head, resigned};
use crate::make::points::{
    LOW_ED25519, NON_CANONICAL_X25519, add_order, decoded, sign_with_low_r, sign_with_mixed_r, with_coefficient,
};
use crate::make::prim::sign;
use crate::mutate::Change::{First, Last, Neighbour, Ones, Swap, Zeros};
use crate::mutate::{Base, Row, named, patched, row};
use crate::world::{PATIENT, World};

const CARD: [Row; 10] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage).but(Neighbour, Malformed),
    row("patient id's length", 1, Malformed),
    row("patient id", 1, Usage).but(Neighbour, Malformed),
    row("version", 2, Malformed),
    row("hpke key", 1, Untrusted).but(Neighbour, Malformed),
    row("succession key", 1, Untrusted).but(Neighbour, Malformed),
    row("previous card", 1, Malformed),
    row("voucher", 1, Malformed),
];

const ENDORSEMENT: [Row; 9] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Usage),
    row("card id", 1, Untrusted),
    row("generation", 2, Stale).but(Zeros, Malformed),
    row("master grant digest", 1, Untrusted).but(Neighbour, Stale),
    row("roster version seen", 1, Untrusted).but(First, Stale).but(Neighbour, Stale).but(Ones, Stale),
    row("endorser", 3, Malformed),
    row("endorser's fingerprint", 1, Untrusted),
    row("signature", 1, Untrusted),
];

/// Signed again by the enroller. A lower roster version seen is good.
const SIGNED: [Row; 8] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Usage),
    row("card id", 1, Untrusted),
    row("generation", 2, Stale).but(Zeros, Malformed),
    row("master grant digest", 1, Untrusted),
    row("roster version seen", 2, Stale).not(Zeros),
    row("endorser", 3, Malformed),
    row("endorser's fingerprint", 1, Untrusted),
];

pub(super) fn base(world: &World) -> Value {
    json!({
        "patient_id": hex_of(PATIENT), "cards": [hex_of(&world.stored.card)], "expect": null,
        "endorsement": hex_of(&world.stored.endorsement), "master_grant": hex_of(&world.stored.master_grant)
    })
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("patient", desk.suite());
    let input = base(&desk.world);
    let id = hex_of(desk.world.stored.card_id);
    let result = json!({"card_id": id});
    book.ok("The world's patient.", input.clone(), result.clone());
    book.ok(
        "The world's patient, whose card was accepted before.",
        with(&input, json!({"expect": id})),
        result.clone(),
    );
    for (status, name) in [(1, "active"), (2, "retired")] {
        let input = with(&input, desk.with_status("therapist", status));
        book.ok(&format!("The enroller is {name}."), input, result.clone());
    }
    fields_of_objects(desk, &input, &mut book);
    cards(desk, &input, &mut book);
    endorsements(desk, &input, &mut book);
    master_grants(desk, &input, &mut book);
    patient_chain::cases(desk, &mut book);
    book
}

fn fields_of_objects(desk: &Desk, input: &Value, book: &mut Book) {
    let (suite, own, foreign) = (desk.suite(), &desk.world.stored, &desk.foreign.stored);
    let card = Base {
        what: "Card",
        bytes: &own.card,
        fields: fields::card(suite, &own.card),
        other: ("another vault's card", &foreign.card),
        other_fields: fields::card(suite, &foreign.card),
        valid: &stays_a_key(suite),
        input: &|bytes| with(input, json!({"cards": [hex_of(bytes)]})),
    };
    let endorsement = Base {
        what: "Endorsement",
        bytes: &own.endorsement,
        fields: fields::endorsement(&own.endorsement),
        other: ("another vault's endorsement", &foreign.endorsement),
        other_fields: fields::endorsement(&foreign.endorsement),
        valid: &|_, _| true,
        input: &|bytes| with(input, json!({"endorsement": hex_of(bytes)})),
    };
    if desk.is_x_wing() {
        card.changes(book, &CARD, &[Last, Swap, First, Zeros]);
    } else {
        card.systematic(book, &CARD);
        endorsement.systematic(book, &ENDORSEMENT);
        let seed = desk.world.person("therapist").secrets.signing;
        endorsement.signed(book, &SIGNED, &|bytes| resigned("endorsement", &seed, bytes));
    }
}

/// The endorsement of the world's card, before it is signed.
pub(super) fn endorsement(world: &World) -> Endorsement {
    Endorsement {
        vault: world.id,
        card: world.stored.card_id,
        generation: 1,
        master_grant: world.stored.master_grant.clone(),
        seen: 1,
        endorser: Some(world.person("therapist").fingerprint),
    }
}

fn cards(desk: &Desk, input: &Value, book: &mut Book) {
    let (suite, card) = (desk.suite(), &desk.world.stored.card);
    let table = fields::card(suite, card);
    let mut refuse = |layer: Layer, bytes: &[u8], comment: &str| {
        book.reject(layer, comment, with(input, json!({"cards": [hex_of(bytes)]})));
    };
    let patch = |name: &str, value: &[u8]| patched(card, &named(&table, name), value);
    refuse(Malformed, &patch("magic", b"LKC\x02"), "Card of format version 2.");
    refuse(Malformed, &patch("version", &[0; 4]), "Card of version 0.");
    refuse(Malformed, &patch("previous card", &[1; 32]), "Card of version 1 with a card before.");
    refuse(Malformed, &patch("voucher", &[2]), "Card with voucher 2.");
    refuse(Malformed, &[patch("voucher", &[1]), vec![0; 64]].concat(), "Card of version 1 with a voucher.");
    refuse(Malformed, &[card.as_slice(), &[0]].concat(), "Card with a byte after the voucher.");
    let empty = patched(&patch("patient id", b""), &named(&table, "patient id's length"), &[0]);
    refuse(Malformed, &empty, "Card of an empty patient id.");
    let keys = Patient::derive(desk.other.suite, &desk.world.id, PATIENT, 1, &[9; 32]);
    let other = [card_body(desk.other.suite, &desk.world.id, PATIENT, 1, &keys, &[0; 32]), vec![0]].concat();
    refuse(Usage, &other, "Card of the other suite for this vault.");
    let own = card_key(&desk.world);
    for (what, point) in [LOW_X25519_ZERO, NON_CANONICAL_X25519[4]] {
        let key = [&own[..own.len() - 32], &decoded::<32>(point)].concat();
        refuse(Malformed, &patch("hpke key", &key), &format!("Card whose HPKE key's X25519 part is {what}."));
    }
    if desk.is_x_wing() {
        refuse(
            Malformed,
            &patch("hpke key", &with_coefficient(own, 9, 3329)),
            "Card whose ML-KEM key has a coefficient of q.",
        );
    }
    let weak = decoded::<32>(LOW_ED25519[0].1);
    refuse(Malformed, &patch("succession key", &weak), "Card whose succession key is of low order.");
    refuse(Usage, &desk.foreign.stored.card, "Card of another vault.");
    refuse(Usage, &desk.other.stored.card, "Card of another vault and suite.");
    let mut input_of = |layer: Layer, more: Value, comment: &str| book.reject(layer, comment, with(input, more));
    input_of(Usage, json!({"cards": []}), "No card.");
    input_of(
        Usage,
        json!({"patient_id": hex_of("p-1ec3ca6a")}),
        "The card is another patient's than the one asked for.",
    );
    input_of(Usage, json!({"patient_id": hex_of("p-1ec3ca6")}), "The patient asked for is a prefix of the card's.");
    input_of(
        Usage,
        json!({"patient_id": hex_of("P-1EC3CA69")}),
        "The patient asked for has capitals; identifiers are compared bytewise.",
    );
    input_of(Untrusted, json!({"expect": hex_of([1; 32])}), "The client accepted another card before.");
    for (reason, name) in [(1, "erased"), (2, "compromised")] {
        input_of(Untrusted, desk.with_closed(reason), &format!("The only card is closed as {name}."));
    }
    let twin = patch("succession key", &desk.foreign.patient.public.1);
    let both = json!({"cards": [hex_of(card), hex_of(twin)]});
    input_of(Conflict, both.clone(), "Two cards of version 1.");
    let id = desk.world.stored.card_id;
    let reversed: Vec<Value> = both["cards"].as_array().expect("two").iter().rev().cloned().collect();
    input_of(
        Conflict,
        json!({"cards": reversed, "expect": hex_of(id)}),
        "Two cards of version 1, of which the client accepted one before.",
    );
}

const LOW_X25519_ZERO: (&str, &str) = crate::make::points::LOW_X25519[0];

fn endorsements(desk: &Desk, input: &Value, book: &mut Book) {
    let world = &desk.world;
    let (honest, therapist, root) = (endorsement(world), world.person("therapist"), world.first.keys.root);
    let seed = therapist.secrets.signing;
    let built = json!({"endorsement": hex_of(honest.signed(&seed))});
    book.ok(
        "The same endorsement, built from the specification.",
        with(input, built),
        json!({"card_id": hex_of(world.stored.card_id)}),
    );
    let by_root = Endorsement { endorser: None, ..honest.clone() };
    let rooted = json!({"endorsement": hex_of(by_root.signed(&root))});
    book.ok("The root endorses.", with(input, rooted), json!({"card_id": hex_of(world.stored.card_id)}));
    let mut refuse = |layer: Layer, bytes: &[u8], comment: &str| {
        book.reject(layer, comment, with(input, json!({"endorsement": hex_of(bytes)})));
    };
    let by = |name: &str| {
        let person = world.person(name);
        Endorsement { endorser: Some(person.fingerprint), ..honest.clone() }.signed(&person.secrets.signing)
    };
    refuse(Untrusted, &by("colleague"), "A member without the role enrol endorses.");
    refuse(Untrusted, &by("intake"), "A depositor endorses.");
    let stranger = desk.foreign.person("therapist");
    let unknown = Endorsement { endorser: Some(stranger.fingerprint), ..honest.clone() };
    refuse(Untrusted, &unknown.signed(&stranger.secrets.signing), "Someone who is not on the roster endorses.");
    refuse(
        Untrusted,
        &honest.signed(&world.person("colleague").secrets.signing),
        "A colleague signs in the enroller's name.",
    );
    refuse(Untrusted, &by_root.signed(&world.registrar_signing()), "The registrar signs in the root's name.");
    refuse(Untrusted, &by_root.signed(&world.next.keys.root), "The root of the next generation signs for this one.");
    refuse(
        Untrusted,
        &Endorsement { card: [3; 32], ..honest.clone() }.signed(&seed),
        "The endorsement names another card, signed.",
    );
    for generation in [2, u32::MAX] {
        let comment = format!("The endorsement is of generation {generation}, signed.");
        refuse(Stale, &Endorsement { generation, ..honest.clone() }.signed(&seed), &comment);
    }
    refuse(
        Malformed,
        &Endorsement { generation: 0, ..honest.clone() }.signed(&seed),
        "The endorsement is of generation 0, signed.",
    );
    for seen in [2, u64::MAX] {
        let comment = format!("The endorser saw roster {seen} and the client knows 1, signed.");
        refuse(Stale, &Endorsement { seen, ..honest.clone() }.signed(&seed), &comment);
    }
    refuse(
        Usage,
        &Endorsement { vault: desk.foreign.id, ..honest.clone() }.signed(&seed),
        "The endorsement is of another vault, signed.",
    );
    let own = &world.stored.endorsement;
    let body = &own[..own.len() - 64];
    refuse(
        Untrusted,
        &[body, &sign(&seed, "roster", body)].concat(),
        "The endorsement is signed with the label of rosters.",
    );
    refuse(
        Untrusted,
        &[body, &add_order(&signature_of(own))].concat(),
        "The endorsement's S is larger by the group order.",
    );
    refuse(
        Untrusted,
        &[body, &sign_with_low_r(&seed, "endorsement", body)].concat(),
        "The endorsement's R is the neutral element.",
    );
    refuse(
        Untrusted,
        &[body, &sign_with_mixed_r(&seed, "endorsement", body)].concat(),
        "The endorsement's R is of mixed order.",
    );
    let table = fields::endorsement(own);
    let patch = |name: &str, value: &[u8]| resigned("endorsement", &seed, &patched(own, &named(&table, name), value));
    refuse(Malformed, &patch("endorser", &[0]), "The endorser is of kind 0, signed.");
    refuse(Malformed, &patch("endorser", &[3]), "The endorser is of kind 3, signed.");
    refuse(Malformed, &patch("magic", b"LKE\x02"), "The endorsement is of format version 2, signed.");
    refuse(Malformed, &[own.as_slice(), &[0]].concat(), "A byte follows the endorsement.");
    book.reject(Untrusted, "The enroller is revoked.", with(input, desk.with_status("therapist", 3)));
    book.reject(Untrusted, "The enroller has lost the role enrol.", with(input, desk.with_roles("therapist", 1)));
}

/// Master grants that were endorsed as they are.
fn master_grants(desk: &mut Desk, input: &Value, book: &mut Book) {
    let (suite, secret, id) = (desk.suite(), desk.world.patient.secret, desk.world.id);
    let (card, keys, next) = (desk.world.stored.card_id, desk.world.first.keys.clone(), desk.world.next.keys.clone());
    let honest = endorsement(&desk.world);
    let seed = desk.world.person("therapist").secrets.signing;
    let endorsed = |grant: &[u8]| {
        let endorsement = Endorsement { master_grant: grant.to_vec(), ..honest.clone() }.signed(&seed);
        with(input, json!({"endorsement": hex_of(endorsement), "master_grant": hex_of(grant)}))
    };
    let head = grant_head(suite, &id, &card, To::Master(1, keys.fingerprint));
    let garbage: [u8; 32] = desk.rng.array();
    let full = grant(suite, &head, &keys.public, &garbage, &mut desk.rng);
    let comment = "The enroller endorsed a master grant of garbage: only a quorum can notice.";
    book.ok(comment, endorsed(&full), json!({"card_id": hex_of(card)}));
    let rng = &mut desk.rng;
    let sealed_to = |to: To, rng: &mut _| grant(suite, &grant_head(suite, &id, &card, to), &next.public, &secret, rng);
    let untrusted = [
        ("is to the next generation", sealed_to(To::Master(2, next.fingerprint), rng)),
        ("is to generation 2 of the pinned key", sealed_to(To::Master(2, keys.fingerprint), rng)),
        ("is to another key as generation 1", sealed_to(To::Master(1, next.fingerprint), rng)),
        ("is a grant to a member", desk.world.grant.clone()),
        ("is of another card", {
            let head = grant_head(suite, &id, &[3; 32], To::Master(1, keys.fingerprint));
            grant(suite, &head, &keys.public, &secret, rng)
        }),
    ];
    for (what, grant) in &untrusted {
        book.reject(Untrusted, &format!("The endorsed master grant {what}."), endorsed(grant));
    }
    let elsewhere = grant_head(suite, &desk.foreign.id, &card, To::Master(1, keys.fingerprint));
    let elsewhere = grant(suite, &elsewhere, &keys.public, &secret, rng);
    book.reject(Usage, "The endorsed master grant is of another vault.", endorsed(&elsewhere));
    book.reject(Malformed, "The endorsed master grant lacks its last byte.", endorsed(&full[..full.len() - 1]));
    book.reject(Malformed, "The endorsed master grant has a byte more.", endorsed(&[full.as_slice(), &[0]].concat()));
    book.reject(Malformed, "The endorsed master grant is empty.", endorsed(b""));
    book.reject(Malformed, "The endorsed master grant names recipient 3.", endorsed(&flipped(&full, 70, 2)));
    let unendorsed = [
        ("is another one of the same secret", grant(suite, &head, &keys.public, &secret, rng)),
        ("has a flipped bit in its encapsulation", flipped(&desk.world.stored.master_grant, 120, 1)),
        ("has a flipped bit in its tag", flipped(&desk.world.stored.master_grant, full.len() - 1, 1)),
    ];
    for (what, grant) in &unendorsed {
        let comment = format!("The master grant {what}, and was not endorsed.");
        book.reject(Untrusted, &comment, with(input, json!({"master_grant": hex_of(grant)})));
    }
}
