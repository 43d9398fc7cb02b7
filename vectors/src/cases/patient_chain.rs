//! Several cards of one patient: successors, vouchers, closed cards.

use serde_json::{Value, json};

use super::Desk;
use super::patient::base;
use crate::case::Layer::{self, Conflict, Malformed, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::keys::Patient;
use crate::make::objects::{Endorsement, To, card_body, card_id, grant, grant_head, vouched};
use crate::make::points::{add_order, sign_with_low_r, sign_with_mixed_r};
use crate::mutate::Change::{Neighbour, Zeros};
use crate::mutate::{Base, Row, row};
use crate::world::PATIENT;

/// A card and what stands behind it.
#[derive(Debug, Clone)]
struct Link {
    keys: Patient,
    body: Vec<u8>,
    id: [u8; 32],
    card: Vec<u8>,
    master_grant: Vec<u8>,
}

/// Makes the next card of `patient`; the voucher is that of `voucher`, if there is one.
fn link(desk: &mut Desk, patient: &[u8], version: u32, previous: &[u8; 32], voucher: Option<&Patient>) -> Link {
    let (suite, vault, secret) = (desk.suite(), desk.world.id, desk.rng.array());
    let keys = Patient::derive(suite, &vault, patient, version, &secret);
    let body = card_body(suite, &vault, patient, version, &keys, previous);
    let id = card_id(&body);
    let card = voucher.map_or_else(|| [body.as_slice(), &[0]].concat(), |old| vouched(&body, &old.succession));
    let master = &desk.world.first.keys;
    let head = grant_head(suite, &vault, &id, To::Master(1, master.fingerprint));
    let master_grant = grant(suite, &head, &master.public, &secret, &mut desk.rng);
    Link { keys, body, id, card, master_grant }
}

/// The input of these cards, of which `newest` is endorsed by the therapist or the root.
fn input(desk: &Desk, cards: &[&[u8]], newest: &Link, by_root: bool) -> Value {
    let world = &desk.world;
    let therapist = world.person("therapist");
    let endorser = (!by_root).then_some(therapist.fingerprint);
    let (card, master_grant) = (newest.id, newest.master_grant.clone());
    let endorsement = Endorsement { vault: world.id, card, generation: 1, master_grant, seen: 1, endorser };
    let seed = if by_root { &world.first.keys.root } else { &therapist.secrets.signing };
    let cards: Vec<String> = cards.iter().map(hex_of).collect();
    with(
        &base(world),
        json!({
            "cards": cards, "endorsement": hex_of(endorsement.signed(seed)), "master_grant": hex_of(&newest.master_grant)
        }),
    )
}

fn result(link: &Link) -> Value {
    json!({"card_id": hex_of(link.id)})
}

pub(super) fn cases(desk: &mut Desk, book: &mut Book) {
    let first = desk.world.stored.clone();
    let keys = desk.world.patient.clone();
    let second = link(desk, PATIENT, 2, &first.card_id, Some(&keys));
    let third = link(desk, PATIENT, 3, &second.id, Some(&second.keys));
    let expect_first = json!({"expect": hex_of(first.card_id)});
    let two = input(desk, &[&first.card, &second.card], &second, false);
    book.ok("The second card, vouched for by the first.", two.clone(), result(&second));
    book.ok(
        "The second card, for a client that accepted the first.",
        with(&two, expect_first.clone()),
        result(&second),
    );
    let three = input(desk, &[&third.card, &first.card, &second.card], &third, false);
    book.ok(
        "The third card, for a client that accepted the first; cards in any order.",
        with(&three, expect_first.clone()),
        result(&third),
    );
    let without_first = input(desk, &[&second.card, &third.card], &third, false);
    book.ok("The third card, where the first is not at hand.", without_first.clone(), result(&third));
    book.reject(
        Untrusted,
        "A card on the way back to the accepted one is not at hand.",
        with(&without_first, expect_first.clone()),
    );
    rooted(desk, &second, book);
    // X-Wing cards are big, and what follows does not depend on the suite.
    if !desk.is_x_wing() {
        second_fields(desk, &first.card, &second, &third, book);
        vouchers(desk, &second, &third, book);
        closed(desk, &second, &third, book);
    }
    strangers(desk, &second, book);
    twice(desk, &second, book);
    let back = with(&base(&desk.world), json!({"expect": hex_of(second.id)}));
    book.reject(Untrusted, "The first card is shown to a client that accepted the second.", back);
    let old = with(
        &two,
        json!({
            "endorsement": hex_of(&first.endorsement), "master_grant": hex_of(&first.master_grant)
        }),
    );
    book.reject(Untrusted, "The second card stands beside the endorsement of the first.", old);
}

const ROWS: [Row; 11] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage),
    row("patient id's length", 1, Malformed),
    row("patient id", 1, Usage),
    row("version", 1, Untrusted).but(Zeros, Malformed),
    row("hpke key", 1, Untrusted).but(Neighbour, Malformed),
    row("succession key", 1, Untrusted).but(Neighbour, Malformed),
    row("previous card", 1, Untrusted).but(Neighbour, Malformed).but(Zeros, Malformed),
    row("voucher", 1, Malformed),
    row("voucher's signature", 1, Untrusted),
];

fn second_fields(desk: &Desk, first: &[u8], second: &Link, third: &Link, book: &mut Book) {
    let suite = desk.suite();
    let base = Base {
        what: "Second card",
        bytes: &second.card,
        fields: fields::card(suite, &second.card).into_iter().filter(|field| field.start > 38).collect(),
        other: ("the third card", &third.card),
        other_fields: fields::card(suite, &third.card),
        valid: &super::stays_a_key(suite),
        input: &|bytes| input(desk, &[first, bytes], second, false),
    };
    base.systematic(book, &ROWS);
}

fn vouchers(desk: &mut Desk, second: &Link, third: &Link, book: &mut Book) {
    let first = desk.world.stored.clone();
    let keys = desk.world.patient.clone();
    let mut refuse = |desk: &Desk, card: Vec<u8>, comment: &str| {
        book.reject(Untrusted, comment, input(desk, &[&first.card, &card], second, false));
    };
    let body = second.body.as_slice();
    refuse(desk, [body, &[0]].concat(), "The second card has no voucher, and a member endorses it.");
    refuse(desk, vouched(body, &second.keys.succession), "The second card vouches for itself.");
    refuse(
        desk,
        vouched(body, &desk.foreign.patient.succession),
        "Another patient's card vouches for the second card.",
    );
    let signature: [u8; 64] = super::signature_of(&second.card);
    refuse(desk, [body, &[1], &add_order(&signature)].concat(), "The voucher's S is larger by the group order.");
    let low = sign_with_low_r(&keys.succession, "succession", &second.id);
    refuse(desk, [body, &[1], &low].concat(), "The voucher's R is the neutral element.");
    let mixed = sign_with_mixed_r(&keys.succession, "succession", &second.id);
    refuse(desk, [body, &[1], &mixed].concat(), "The voucher's R is of mixed order.");
    let label = crate::make::prim::sign(&keys.succession, "endorsement", &second.id);
    refuse(desk, [body, &[1], &label].concat(), "The voucher is signed with the label of endorsements.");
    let of_body = crate::make::prim::sign(&keys.succession, "succession", body);
    refuse(desk, [body, &[1], &of_body].concat(), "The voucher is over the card and not over its id.");
    let alone = input(desk, &[&second.card], second, false);
    book.reject(Untrusted, "The card before is not at hand, and a member endorses.", alone);
    let gap = input(desk, &[&first.card, &third.card], third, false);
    book.reject(Untrusted, "The card between the first and the third is not at hand.", gap);
    let skipped = link(desk, PATIENT, 3, &first.card_id, Some(&keys));
    let skipped = input(desk, &[&first.card, &skipped.card], &skipped, false);
    book.reject(Untrusted, "The first card vouches for one of version 3.", skipped);
    let elsewhere = link(desk, PATIENT, 2, &[4; 32], Some(&keys));
    let elsewhere = input(desk, &[&first.card, &elsewhere.card], &elsewhere, false);
    book.reject(Untrusted, "The second card names another card before than the one that vouches.", elsewhere);
    let zero = link(desk, PATIENT, 2, &[0; 32], Some(&keys));
    book.reject(
        Malformed,
        "The second card names no card before.",
        input(desk, &[&first.card, &zero.card], &zero, false),
    );
}

fn rooted(desk: &mut Desk, second: &Link, book: &mut Book) {
    let first = desk.world.stored.clone();
    let expect = json!({"expect": hex_of(first.card_id)});
    let bare = [second.body.as_slice(), &[0]].concat();
    let root = input(desk, &[&first.card, &bare], second, true);
    book.ok("The root endorses a second card without a voucher.", root.clone(), result(second));
    book.ok("The same, for a client that accepted the first.", with(&root, expect.clone()), result(second));
    let alone = input(desk, &[&bare], second, true);
    book.ok("The same, where the first card is not at hand.", with(&alone, expect.clone()), result(second));
    let mut third = link(desk, PATIENT, 3, &second.id, Some(&second.keys));
    third.card = [third.body.as_slice(), &[0]].concat();
    let two_bare = input(desk, &[&first.card, &bare, &third.card], &third, true);
    book.ok("The root endorses a third card; neither has a voucher.", two_bare.clone(), result(&third));
    book.reject(
        Untrusted,
        "The root's endorsement covers the first step back only: the second card has no voucher.",
        with(&two_bare, expect.clone()),
    );
    let vouched_second = input(desk, &[&first.card, &second.card, &third.card], &third, true);
    book.ok("The root's step back, and then a voucher.", with(&vouched_second, expect), result(&third));
    let bad = input(desk, &[&first.card, &vouched(&second.body, &second.keys.succession)], second, true);
    book.reject(Untrusted, "The root endorses, and a voucher is there that does not verify.", bad);
    let hanging = input(desk, &[&second.card], second, true);
    book.reject(Untrusted, "The root endorses, and the card that vouches is not at hand.", hanging);
    let gap = link(desk, PATIENT, 3, &first.card_id, Some(&desk.world.patient.clone()));
    let skipped = input(desk, &[&first.card, &gap.card], &gap, true);
    book.reject(Untrusted, "The root endorses a third card for which the first vouches: versions have a gap.", skipped);
    let other = with(&root, json!({"expect": hex_of([8; 32])}));
    book.reject(Untrusted, "The root endorses, and the card does not lead back to the accepted one.", other);
}

/// The input with these cards closed in the roster.
fn under(desk: &Desk, input: &Value, closed: &[([u8; 32], u8)]) -> Value {
    with(input, desk.under(|roster| roster.closed.extend(closed)))
}

fn closed(desk: &mut Desk, second: &Link, third: &Link, book: &mut Book) {
    let first = desk.world.stored.clone();
    let two = input(desk, &[&first.card, &second.card], second, false);
    let compromised = under(desk, &two, &[(first.card_id, 2)]);
    book.ok("The first card is compromised, and still vouches for the second.", compromised, result(second));
    let erased = under(desk, &two, &[(first.card_id, 1)]);
    book.reject(Untrusted, "The first card is erased and passed over: nothing vouches for the second.", erased);
    for (reason, name) in [(1, "erased"), (2, "compromised")] {
        let all = under(desk, &two, &[(first.card_id, reason), (second.id, reason)]);
        book.reject(Untrusted, &format!("All cards are closed as {name}."), all);
    }
    book.reject(Untrusted, "The newest card is compromised.", under(desk, &two, &[(second.id, 2)]));
    let old = json!({"endorsement": hex_of(&first.endorsement), "master_grant": hex_of(&first.master_grant)});
    book.reject(
        Untrusted,
        "The newest card is compromised and leads back to the open one, whose endorsement is given.",
        under(desk, &with(&two, old), &[(second.id, 2)]),
    );
    let anew = link(desk, PATIENT, 1, &[0; 32], None);
    let both = input(desk, &[&first.card, &anew.card], &anew, false);
    book.ok(
        "Enrolled anew: the first card is erased and passed over.",
        under(desk, &both, &[(first.card_id, 1)]),
        result(&anew),
    );
    let settled = under(desk, &both, &[(first.card_id, 2)]);
    book.ok("A conflict that was settled: one card of the version is compromised.", settled, result(&anew));
    book.reject(Conflict, "Enrolled twice, and neither card is closed.", both.clone());
    let expect = with(&both, json!({"expect": hex_of(first.card_id)}));
    let expect = under(desk, &expect, &[(first.card_id, 1)]);
    book.reject(Untrusted, "Enrolled anew, and the client accepted the erased card before.", expect);
    let chain = input(desk, &[&first.card, &second.card, &anew.card], &anew, false);
    let beside = under(desk, &chain, &[(first.card_id, 2), (second.id, 2)]);
    book.ok("Enrolled anew beside a chain of which all cards are compromised.", beside, result(&anew));
    let open_first = under(desk, &chain, &[(anew.id, 2)]);
    book.reject(Untrusted, "The endorsed card is compromised, and an open chain is beside it.", open_first);
    let twin = link(desk, PATIENT, 2, &first.card_id, Some(&desk.world.patient.clone()));
    let fork = input(desk, &[&first.card, &second.card, &twin.card, &third.card], third, false);
    book.reject(Conflict, "Two cards of version 2, behind a third that is fine.", fork.clone());
    book.ok("The same, with one of the two compromised.", under(desk, &fork, &[(twin.id, 2)]), result(third));
}

/// Cards that are given twice.
fn twice(desk: &mut Desk, second: &Link, book: &mut Book) {
    let first = desk.world.stored.clone();
    let given = |cards: &[&[u8]]| input(desk, cards, second, false);
    book.reject(
        Usage,
        "The first card is given twice.",
        with(&base(&desk.world), json!({"cards": [hex_of(&first.card), hex_of(&first.card)]})),
    );
    book.reject(Usage, "Of two cards the first is given twice.", given(&[&first.card, &second.card, &first.card]));
    book.reject(Usage, "Of two cards the newest is given twice.", given(&[&second.card, &first.card, &second.card]));
    let bare = [second.body.as_slice(), &[0]].concat();
    book.reject(
        Usage,
        "The newest card is given twice, with its voucher and without: it is one card.",
        given(&[&first.card, &second.card, &bare]),
    );
}

/// Cards of two patients among the rows.
fn strangers(desk: &mut Desk, second: &Link, book: &mut Book) {
    let first = desk.world.stored.clone();
    let other = link(desk, b"p-00000000", 1, &[0; 32], None);
    let beside = with(&base(&desk.world), json!({"cards": [hex_of(&first.card), hex_of(&other.card)]}));
    for (reason, name) in [(1, "erased"), (2, "compromised")] {
        let passed = with(&beside, desk.under(|roster| roster.closed.push((other.id, reason))));
        let comment = format!("Another patient's card is closed as {name} and passed over: nobody asks whose it is.");
        book.ok(&comment, passed, json!({"card_id": hex_of(first.card_id)}));
    }
    let later = link(desk, b"p-00000000", 2, &[5; 32], None);
    let later = json!({"cards": [hex_of(&first.card), hex_of(&later.card)]});
    book.reject(Usage, "Another patient's second card stands beside the first.", with(&base(&desk.world), later));
    let of_other = input(desk, &[&other.card], &other, false);
    book.ok("Another patient.", with(&of_other, json!({"patient_id": hex_of("p-00000000")})), result(&other));
    book.reject(Usage, "Another patient's rows stand in the place of the one asked for.", of_other.clone());
    let mut mixed = |layer: Layer, cards: &[&[u8]], newest: &Link, comment: &str| {
        book.reject(layer, comment, input(desk, cards, newest, false));
    };
    mixed(Usage, &[&other.card, &second.card], second, "Another patient's first card stands beside the second card.");
    let id255 = vec![b'x'; 255];
    let long = link(desk, &id255, 1, &[0; 32], None);
    let long_input = with(&input(desk, &[&long.card], &long, false), json!({"patient_id": hex_of(&id255)}));
    book.ok("A patient whose id has 255 bytes.", long_input, result(&long));
    let damaged = input(desk, &[&first.card[..40], &second.card], second, false);
    book.reject(Malformed, "An older card is cut off.", damaged);
}
