//! Grants, to members and to the master key (section 6).

use serde_json::{Value, json};

use super::{Desk, flipped};
use crate::case::Layer::{Malformed, NotAuthentic, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::hpke;
use crate::make::keys::Patient;
use crate::make::objects::{Endorsement, To, card_body, card_id, grant, grant_head};
use crate::make::points::{LOW_X25519, NON_CANONICAL_X25519, decoded};
use crate::make::prim::{array, label};
use crate::mutate::Change::{Neighbour, Zeros};
use crate::mutate::{Base, Row, named, patched, row};
use crate::world::PATIENT;

const ROWS: [Row; 10] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage),
    row("card id", 1, Usage).but(Neighbour, Malformed),
    row("recipient", 3, Malformed),
    row("generation", 2, Usage).but(Zeros, Malformed),
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
    other_cards(desk, &mut book);
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
            base.by_size(&mut book, &rows(), desk.is_x_wing());
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
    let closed = |reason| with(&input(&own), desk.with_closed(reason));
    book.reject(Untrusted, "The card is closed as erased.", closed(1));
    let comment = "The card is closed as compromised: a quorum reads it, and it is the source of a move.";
    book.ok(comment, closed(2), json!({"patient_secret": hex_of(secret)}));
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
    if suite == lukko::Suite::XWing {
        odd_x_wing(book, input, (head, key, &secret), what, &rng.array());
    } else {
        let point = decoded(NON_CANONICAL_X25519[2].1);
        let odd = hpke::seal_by_hand(key, &point, &array(key), &info, head, &secret);
        let comment = format!("A {what} whose encapsulation is {}.", NON_CANONICAL_X25519[2].0);
        book.ok(&comment, input(&[head.as_slice(), &odd].concat()), json!({"patient_secret": hex_of(secret)}));
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

/// X-Wing encapsulations that X25519 alone would refuse or read otherwise: the ML-KEM part stands (section 1).
fn odd_x_wing(
    book: &mut Book,
    input: &dyn Fn(&[u8]) -> Value,
    (head, key, secret): (&[u8], &[u8], &[u8; 32]),
    what: &str,
    m: &[u8; 32],
) {
    let own: [u8; 32] = array(&key[key.len() - 32..]);
    // X25519 with the base point gives the public key; with a point of low order it gives zeros.
    let low = LOW_X25519.iter().map(|(name, point)| (format!("{name}, of low order"), *point, [0; 32]));
    let base = [NON_CANONICAL_X25519[2], NON_CANONICAL_X25519[4]];
    let base = base.map(|(name, point)| (name.to_owned(), point, own));
    let zero = NON_CANONICAL_X25519[..2].iter().map(|(name, point)| ((*name).to_owned(), *point, [0; 32]));
    for (name, point, shared) in low.chain(base).chain(zero) {
        let sealed = hpke::seal_x_wing_by_hand(key, [m, &decoded(point), &shared], &label("grant"), head, secret);
        let comment = format!("A {what} whose encapsulation has an X25519 part that is {name}.");
        book.ok(&comment, input(&[head, &sealed].concat()), json!({"patient_secret": hex_of(secret)}));
    }
    let sealed = hpke::seal_x_wing_by_hand(key, [m, &decoded(LOW_X25519[0].1), &own], &label("grant"), head, secret);
    let comment =
        format!("A {what} whose encapsulation has the X25519 part 0, and that was sealed with another value.");
    book.reject(NotAuthentic, &comment, input(&[head, &sealed].concat()));
}

/// Grants of cards of which one key alone is that of the secret; every signature is right.
fn other_cards(desk: &mut Desk, book: &mut Book) {
    let (suite, vault) = (desk.suite(), desk.world.id);
    let [secret, strange]: [[u8; 32]; 2] = [desk.rng.array(), desk.rng.array()];
    let derive = |secret: &[u8; 32]| Patient::derive(suite, &vault, PATIENT, 1, secret);
    let (right, wrong) = (derive(&secret), derive(&strange).public);
    let own = &right.public.0;
    let border = own.len() - 32;
    let mut cards = vec![("HPKE key", wrong.0.clone(), right.public.1), ("succession key", own.clone(), wrong.1)];
    if desk.is_x_wing() {
        cards.push(("HPKE key's ML-KEM part", [&wrong.0[..border], &own[border..]].concat(), right.public.1));
        cards.push(("HPKE key's X25519 part", [&own[..border], &wrong.0[border..]].concat(), right.public.1));
    }
    let good = of_card(desk, &right, &secret);
    book.ok("A grant of another card of the patient.", good, json!({"patient_secret": hex_of(secret)}));
    for (what, hpke_key, succession) in cards {
        let keys = Patient { public: (hpke_key, succession), ..right.clone() };
        let comment = format!("A grant that holds the secret of the card's keys but for one: the {what} is another's.");
        book.reject(NotAuthentic, &comment, of_card(desk, &keys, &secret));
    }
}

/// A card with these public keys, endorsed by the therapist, and a grant of the secret to the therapist.
fn of_card(desk: &mut Desk, keys: &Patient, secret: &[u8; 32]) -> Value {
    let (suite, vault, master) = (desk.suite(), desk.world.id, desk.world.first.keys.clone());
    let body = card_body(suite, &vault, PATIENT, 1, keys, &[0; 32]);
    let card = card_id(&body);
    let mut seal = |to, key: &[u8]| grant(suite, &grant_head(suite, &vault, &card, to), key, secret, &mut desk.rng);
    let master_grant = seal(To::Master(1, master.fingerprint), &master.public);
    let therapist = desk.world.person("therapist");
    let own = seal(To::Member(therapist.fingerprint), &hpke::public(suite, &therapist.secrets.hpke));
    let endorser = Some(therapist.fingerprint);
    let endorsement = Endorsement { vault, card, generation: 1, master_grant: master_grant.clone(), seen: 1, endorser };
    json!({
        "grant": hex_of(own), "cards": [hex_of([body, vec![0]].concat())], "master_grant": hex_of(master_grant),
        "endorsement": hex_of(endorsement.signed(&therapist.secrets.signing))
    })
}
