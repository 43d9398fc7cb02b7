//! Rosters (section 5).

use serde_json::{Value, json};

use super::{Desk, flipped, signature_of};
use crate::case::Layer::{self, Conflict, Malformed, Stale, Untrusted, Usage};
use crate::case::{Book, hex_of, with};
use crate::fields;
use crate::make::objects::{Roster, pin, resigned, roster_digest};
use crate::make::points::{LOW_ED25519, add_order, decoded, sign_with_low_r, sign_with_mixed_r};
use crate::make::prim::{h, sign};
use crate::mutate::Change::{First, Last, Neighbour, Ones, Swap, Zeros};
use crate::mutate::{Base, Row, named, patched, row};

const ROWS: [Row; 14] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Usage),
    row("generation", 2, Stale).but(Neighbour, Malformed).but(Zeros, Malformed),
    row("version", 1, Untrusted).but(Zeros, Malformed),
    row("previous", 1, Untrusted).but(Neighbour, Malformed).but(Zeros, Malformed),
    row("signer", 2, Malformed).but(Swap, Untrusted),
    row("key count", 1, Malformed),
    row("key's fingerprint", 1, Untrusted)
        .not(Swap)
        .but(First, Malformed)
        .but(Neighbour, Malformed)
        .but(Ones, Malformed),
    row("key's roles", 4, Untrusted).not(Neighbour),
    row("key's status", 2, Untrusted),
    row("closed count", 1, Malformed),
    row("closed card", 1, Untrusted).not(Swap).but(First, Malformed).but(Neighbour, Malformed).but(Ones, Malformed),
    row("closed reason", 3, Untrusted),
    row("signature", 1, Untrusted),
];

/// Signed again. What stays good is left out: later versions, other keys, roles and closed cards.
const SIGNED: [Row; 10] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Usage),
    row("generation", 2, Stale).but(Zeros, Malformed),
    row("version", 1, Malformed).not(Last).not(First).not(Ones).not(Swap),
    row("previous", 1, Untrusted).but(Zeros, Malformed),
    row("signer", 2, Malformed).but(Swap, Untrusted),
    row("key count", 1, Malformed),
    row("key's fingerprint", 1, Malformed).not(Last).not(First).not(Zeros).not(Swap),
    row("closed count", 1, Malformed),
    row("closed card", 1, Malformed).not(Last).not(First).not(Zeros).not(Swap),
];

/// Entries do not matter where the roster itself is refused.
fn alone(roster: &[u8], pin: &[u8]) -> Value {
    json!({"roster": hex_of(roster), "entries": [], "pin": hex_of(pin)})
}

fn result(roster: &[u8], version: Value) -> Value {
    json!({"version": version, "digest": hex_of(roster_digest(roster))})
}

pub(super) fn book(desk: &Desk) -> Book {
    let mut book = Book::new("roster", desk.suite());
    let world = &desk.world;
    let (seed, root) = (world.registrar_signing(), world.first.keys.root);
    let seen = pin(&world.fingerprint, 1, 1, &roster_digest(&world.roster));
    let next = closing(desk);
    let bytes = next.signed(&seed);
    let full = |roster: &[u8], pin: &[u8]| with(&alone(roster, pin), json!({"entries": world.entries()}));
    book.ok(
        "The world's roster, seen for the first time.",
        full(&world.roster, &world.pin),
        result(&world.roster, json!(1)),
    );
    book.ok("The world's roster, seen again.", full(&world.roster, &seen), result(&world.roster, json!(1)));
    book.ok("The next roster.", full(&bytes, &seen), result(&bytes, json!(2)));
    book.ok("The next roster, and no entries at hand.", alone(&bytes, &seen), result(&bytes, json!(2)));
    passed_over(desk, &mut book);
    listed(desk, &seen, &mut book);
    let by_root = Roster { signer: 2, ..next.clone() }.signed(&root);
    book.ok("The next roster, signed by the root.", alone(&by_root, &seen), result(&by_root, json!(2)));
    let far = Roster { version: u64::MAX, previous: [9; 32], ..next.clone() }.signed(&seed);
    book.ok("The largest version, behind a gap.", alone(&far, &seen), result(&far, json!(u64::MAX.to_string())));
    let empty = Roster { lines: Vec::new(), closed: Vec::new(), ..next.clone() }.signed(&seed);
    book.ok("A roster without keys and closed cards.", alone(&empty, &seen), result(&empty, json!(2)));
    let table = fields::roster(&bytes);
    let foreign = closing_in(desk, true).signed(&root);
    let base = Base {
        what: "Roster",
        bytes: &bytes,
        fields: table.clone(),
        other: ("another roster", &foreign),
        other_fields: fields::roster(&foreign),
        valid: &|_, _| true,
        input: &|bytes| alone(bytes, &seen),
    };
    base.systematic(&mut book, &ROWS);
    base.signed(&mut book, &SIGNED, &|bytes| resigned("roster", &seed, bytes));
    chain(desk, &next, &seen, &mut book);
    malformed(&next, &seed, &seen, &mut book);
    signatures(desk, &bytes, &seen, &mut book);
    book
}

/// Entries that the roster does not list, whatever their bytes are.
fn passed_over(desk: &Desk, book: &mut Book) {
    let world = &desk.world;
    let stranger = &desk.foreign.people[0].entry;
    let others: [(&str, Vec<u8>); 4] = [
        ("that is no entry", b"no entry".to_vec()),
        ("of 64 zeros, whose body is empty", vec![0; 64]),
        ("of another vault", stranger.clone()),
        ("that is cut off", world.people[0].entry[..90].to_vec()),
    ];
    for (what, other) in others {
        let mut entries = world.entries();
        entries.insert(1, hex_of(other));
        let input = with(&alone(&world.roster, &world.pin), json!({"entries": entries}));
        let comment = format!("Among the entries is one {what}: no listed key has its fingerprint.");
        book.ok(&comment, input, result(&world.roster, json!(1)));
    }
}

/// Entries that the roster lists by the fingerprint of their bytes, and that are no good.
fn listed(desk: &Desk, seen: &[u8], book: &mut Book) {
    let world = &desk.world;
    let own = &world.people[0].entry;
    let low = decoded::<32>(LOW_ED25519[4].1);
    let key = named(&fields::member(desk.suite(), own), "signing key");
    let others: [(Layer, &str, Vec<u8>); 5] = [
        (Malformed, "of eight bytes, whose fingerprint is that of the empty string", b"no entry".to_vec()),
        (Malformed, "of 200 zeros", vec![0; 200]),
        (Malformed, "whose signing key is of low order", patched(own, &key, &low)),
        (Usage, "of another vault", desk.foreign.people[0].entry.clone()),
        (Usage, "of another vault and suite", desk.other.people[0].entry.clone()),
    ];
    for (layer, what, entry) in others {
        let mut roster = desk.next_roster();
        let body = &entry[..entry.len().saturating_sub(64)];
        roster.lines.push((h("member key fingerprint", &[body]), 1, 1));
        let roster = roster.sorted().signed(&world.registrar_signing());
        let input = with(&alone(&roster, seen), json!({"entries": [hex_of(&entry)]}));
        book.reject(layer, &format!("The roster lists an entry {what}."), input);
    }
}

/// The world's next roster, with two closed cards.
fn closing(desk: &Desk) -> Roster {
    closing_in(desk, false)
}

/// The same; `other` with another order of things, for the exchange of fields.
fn closing_in(desk: &Desk, other: bool) -> Roster {
    let mut roster = desk.next_roster();
    roster.closed = vec![([0x11; 32], 1), ([0x33; 32], 2)];
    if other {
        roster.lines.iter_mut().for_each(|line| (line.1, line.2) = (line.1 ^ 7, 3));
        roster.closed = vec![([0x22; 32], 2)];
        (roster.version, roster.previous, roster.signer, roster.generation) = (3, [5; 32], 2, 2);
        roster.vault = desk.foreign.id;
    }
    roster
}

fn chain(desk: &Desk, next: &Roster, seen: &[u8], book: &mut Book) {
    let world = &desk.world;
    let seed = world.registrar_signing();
    let mut case = |layer: Layer, roster: &Roster, pin: &[u8], comment: &str| {
        book.reject(layer, comment, alone(&roster.signed(&seed), pin));
    };
    let second = pin(&world.fingerprint, 1, 2, &roster_digest(&next.signed(&seed)));
    let wrong = Roster { previous: [1; 32], ..next.clone() };
    case(Untrusted, &wrong, seen, "The next version names another predecessor than the pinned one.");
    case(Conflict, &wrong, &second, "Another roster of the pinned version.");
    let third = Roster { version: 3, previous: roster_digest(&wrong.signed(&seed)), ..next.clone() };
    case(Untrusted, &third, &second, "The next version names the conflicting roster as its predecessor.");
    let sixth = pin(&world.fingerprint, 1, 6, &[9; 32]);
    case(Stale, next, &sixth, "A roster that is older than the pinned one.");
    case(Stale, &Roster { version: 5, ..next.clone() }, &sixth, "A roster that is older than the pinned one by one.");
    case(Stale, &Roster { generation: 2, ..next.clone() }, seen, "A roster of the next generation.");
    case(
        Usage,
        &Roster { vault: desk.foreign.id, ..next.clone() },
        seen,
        "A roster of another vault, signed by the registrar.",
    );
    let one = pin(&world.fingerprint, 1, 1, &[9; 32]);
    book.reject(Conflict, "Another first roster than the pinned one.", alone(&world.roster, &one));
    book.reject(Stale, "The first roster, shown to a client that has seen the second.", alone(&world.roster, &second));
    let elsewhere = pin(&desk.foreign.fingerprint, 1, 0, &[0; 32]);
    book.reject(Untrusted, "The pin is that of another vault.", alone(&world.roster, &elsewhere));
    book.reject(
        Malformed,
        "The pin is of generation 0.",
        alone(&world.roster, &pin(&world.fingerprint, 0, 0, &[0; 32])),
    );
    book.reject(Untrusted, "The pin is damaged.", alone(&world.roster, &flipped(&world.pin, 111, 1)));
    book.reject(
        Stale,
        "The first roster of the next generation, before it was followed.",
        alone(&world.next_roster, seen),
    );
    book.reject(Usage, "A roster of another vault, by its own registrar.", alone(&desk.foreign.roster, seen));
    let entries: Vec<String> = world
        .people
        .iter()
        .map(|person| {
            hex_of(if person.name == "intake" {
                flipped(&person.entry, person.entry.len() - 1, 1)
            } else {
                person.entry.clone()
            })
        })
        .collect();
    let input = with(&alone(&world.roster, &world.pin), json!({"entries": entries}));
    book.reject(Untrusted, "The entry of a listed key is not signed by it.", input);
}

/// Values that no roster may have, signed all the same.
fn malformed(next: &Roster, seed: &[u8; 32], seen: &[u8], book: &mut Book) {
    let mut refuse = |bytes: Vec<u8>, comment: &str| book.reject(Malformed, comment, alone(&bytes, seen));
    let changed = |change: &dyn Fn(&mut Roster)| {
        let mut roster = next.clone();
        change(&mut roster);
        roster.signed(seed)
    };
    refuse(changed(&|r| r.generation = 0), "Generation 0, signed.");
    refuse(changed(&|r| r.version = 0), "Version 0, signed.");
    refuse(changed(&|r| r.version = 1), "Version 1 with a predecessor, signed.");
    refuse(changed(&|r| r.previous = [0; 32]), "Version 2 without a predecessor, signed.");
    refuse(changed(&|r| r.signer = 0), "Signer 0, signed.");
    refuse(changed(&|r| r.signer = 3), "Signer 3, signed.");
    for roles in [0, 8, 0x80, 0xFF] {
        refuse(changed(&|r| r.lines[1].1 = roles), &format!("A key with the roles {roles}, signed."));
    }
    for status in [0, 4, 0xFF] {
        refuse(changed(&|r| r.lines[1].2 = status), &format!("A key of status {status}, signed."));
    }
    for reason in [0, 3, 0xFF] {
        refuse(changed(&|r| r.closed[0].1 = reason), &format!("A card closed for reason {reason}, signed."));
    }
    refuse(changed(&|r| r.lines.swap(0, 1)), "Two keys in the wrong order, signed.");
    refuse(changed(&|r| r.lines.reverse()), "All keys in the wrong order, signed.");
    refuse(changed(&|r| r.lines.insert(1, r.lines[0])), "A key twice, signed.");
    refuse(
        changed(&|r| {
            let mut line = r.lines[3];
            line.2 = 3;
            r.lines.push(line)
        }),
        "A key twice, with two statuses, signed.",
    );
    refuse(changed(&|r| r.closed.swap(0, 1)), "Two closed cards in the wrong order, signed.");
    refuse(changed(&|r| r.closed.insert(1, r.closed[0])), "A closed card twice, signed.");
    refuse(changed(&|r| r.closed.push((r.closed[1].0, 1))), "A card closed for two reasons, signed.");
    let bytes = next.signed(seed);
    let table = fields::roster(&bytes);
    let patch = |name: &str, value: &[u8]| resigned("roster", seed, &patched(&bytes, &named(&table, name), value));
    refuse(patch("magic", b"LKR\x02"), "Format version 2, signed.");
    refuse(patch("key count", &[0; 4]), "A count of 0 with four keys, signed.");
    refuse(patch("key count", &[0xFF; 4]), "A count of 2^32 - 1 with four keys, signed.");
    refuse(patch("key count", &[0x0F, 0x0F, 0x0F, 0x10]), "A count whose length is 2^33 and more, signed.");
    refuse(patch("closed count", &[0; 4]), "A count of 0 with two closed cards, signed.");
    refuse(patch("closed count", &[0xFF; 4]), "A count of 2^32 - 1 with two closed cards, signed.");
    refuse([bytes.as_slice(), &[0]].concat(), "A byte after the signature.");
    refuse(
        resigned("roster", seed, &[&bytes[..bytes.len() - 64], &[0; 65]].concat()),
        "A byte before the signature, signed.",
    );
}

fn signatures(desk: &Desk, bytes: &[u8], seen: &[u8], book: &mut Book) {
    let (seed, body) = (desk.world.registrar_signing(), &bytes[..bytes.len() - 64]);
    let mut refuse = |signature: &[u8], comment: &str| {
        book.reject(Untrusted, comment, alone(&[body, signature].concat(), seen));
    };
    refuse(&sign(&desk.world.first.keys.root, "roster", body), "The root signed where the registrar is named.");
    refuse(&sign(&desk.world.person("therapist").secrets.signing, "roster", body), "A member signed.");
    refuse(&sign(&desk.foreign.registrar_signing(), "roster", body), "Another vault's registrar signed.");
    refuse(&sign(&seed, "member entry", body), "The registrar signed with the label of entries.");
    refuse(&add_order(&signature_of(bytes)), "The signature's S is larger by the group order.");
    refuse(&sign_with_low_r(&seed, "roster", body), "The signature's R is the neutral element.");
    refuse(&sign_with_mixed_r(&seed, "roster", body), "The signature's R is of mixed order.");
    refuse(&[0; 64], "The signature is zeros.");
    refuse(&signature_of(&desk.world.roster), "The signature is that of the roster before.");
    let root = resigned("roster", &seed, &patched(bytes, &named(&fields::roster(bytes), "signer"), &[2]));
    book.reject(Untrusted, "The registrar signed where the root is named.", alone(&root, seen));
}
