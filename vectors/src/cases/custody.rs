//! Descriptors and pins (section 4).

use serde_json::json;

use super::{Desk, flipped, stays_a_key};
use crate::case::Layer::{Malformed, Untrusted};
use crate::case::{Book, hex_of};
use crate::fields;
use crate::make::objects::{pin, roster_digest, with_checksum};
use crate::make::points::{BAD_ED25519, LOW_ED25519, LOW_X25519, NON_CANONICAL_X25519, decoded, with_coefficient};
use crate::make::prim::h;
use crate::mutate::Change::{Neighbour, Zeros};
use crate::mutate::{Base, Row, named, patched, row};

const DESCRIPTOR: [Row; 10] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Untrusted),
    row("generation", 2, Untrusted).but(Neighbour, Malformed).but(Zeros, Malformed),
    row("k", 1, Untrusted).but(Neighbour, Malformed),
    row("n", 1, Malformed),
    row("master key", 1, Untrusted).but(Neighbour, Malformed),
    row("root key", 1, Untrusted),
    row("registrar key", 1, Untrusted).not(Neighbour),
    row("share digests", 1, Untrusted),
];

pub(super) fn descriptors(desk: &Desk) -> Book {
    let mut book = Book::new("descriptor", desk.suite());
    let (world, suite) = (&desk.world, desk.suite());
    let bytes = &world.first.descriptor;
    let input = |bytes: &[u8]| json!({"descriptor": hex_of(bytes)});
    book.ok("The world's descriptor.", input(bytes), json!({"fingerprint": hex_of(world.fingerprint)}));
    let next = &world.next.descriptor;
    let fingerprint = hex_of(h("descriptor fingerprint", &[next]));
    book.ok(
        "The descriptor of the next generation, trusted by its own fingerprint.",
        json!({"descriptor": hex_of(next), "fingerprint": fingerprint}),
        json!({"fingerprint": fingerprint}),
    );
    let foreign = &desk.foreign.first.descriptor;
    let base = Base {
        what: "Descriptor",
        bytes,
        fields: fields::descriptor(suite, bytes),
        other: ("another vault", foreign),
        other_fields: fields::descriptor(suite, foreign),
        valid: &stays_a_key(suite),
        input: &input,
    };
    base.by_size(&mut book, &DESCRIPTOR, desk.is_x_wing());
    book.reject(Untrusted, "Descriptor of another vault.", input(foreign));
    book.reject(Untrusted, "Descriptor of the next generation, which is not pinned.", input(next));
    book.reject(Malformed, "Descriptor with a byte after the last digest.", input(&[bytes.as_slice(), &[0]].concat()));
    book.reject(Malformed, "Descriptor without its last digest.", input(&bytes[..bytes.len() - 32]));
    bad_descriptor_fields(desk, &mut book);
    book
}

/// Values that no descriptor may have; the fingerprint is that of the bytes, so that nothing else is wrong.
fn bad_descriptor_fields(desk: &Desk, book: &mut Book) {
    let bytes = &desk.world.first.descriptor;
    let table = fields::descriptor(desk.suite(), bytes);
    let mut refuse = |name: &str, value: &[u8], comment: String| {
        let bad = patched(bytes, &named(&table, name), value);
        let fingerprint = hex_of(h("descriptor fingerprint", &[&bad]));
        book.reject(Malformed, &comment, json!({"descriptor": hex_of(&bad), "fingerprint": fingerprint}));
    };
    refuse("magic", b"LKD\x02", "Descriptor of format version 2.".into());
    refuse("magic", b"LKS\x01", "Descriptor with the magic of a share.".into());
    refuse("generation", &[0; 4], "Descriptor of generation 0.".into());
    for k in [0, 1, 6, 255] {
        refuse("k", &[k], format!("Descriptor with k = {k} and n = 5."));
    }
    for n in [0, 2, 4, 6] {
        refuse("n", &[n], format!("Descriptor with k = 3, n = {n} and five digests."));
    }
    let other = desk.other.suite.kem_id().to_be_bytes();
    refuse("suite", &other, "Descriptor that names the other suite.".into());
    refuse("suite", &[0, 0], "Descriptor of suite 0.".into());
    for name in ["root key", "registrar key"] {
        for (what, key) in [LOW_ED25519[0], LOW_ED25519[4], BAD_ED25519[3], BAD_ED25519[7]] {
            refuse(name, &decoded::<32>(key), format!("Descriptor whose {name} is {what}."));
        }
    }
    let key = named(&table, "master key");
    let own = &bytes[key.start..key.start + key.len];
    for (what, point) in [LOW_X25519[0], LOW_X25519[3], NON_CANONICAL_X25519[2], NON_CANONICAL_X25519[4]] {
        let value = [&own[..own.len() - 32], &decoded::<32>(point)].concat();
        refuse("master key", &value, format!("Descriptor whose master key's X25519 part is {what}."));
    }
    if desk.is_x_wing() {
        refuse(
            "master key",
            &with_coefficient(own, 5, 3329),
            "Descriptor whose master key has a coefficient of q.".into(),
        );
    }
}

const PIN: [Row; 6] = [
    row("magic", 1, Malformed),
    row("fingerprint", 1, Untrusted),
    row("generation", 2, Untrusted).but(Neighbour, Malformed).but(Zeros, Malformed),
    row("roster version", 2, Untrusted).but(Zeros, Malformed),
    row("roster digest", 1, Untrusted).but(Zeros, Malformed),
    row("checksum", 1, Untrusted),
];

pub(super) fn pins(desk: &Desk) -> Book {
    let mut book = Book::new("pin", desk.suite());
    let (world, input) = (&desk.world, |bytes: &[u8]| json!({"pin": hex_of(bytes)}));
    let digest = roster_digest(&world.roster);
    let seen = pin(&world.fingerprint, 1, 1, &digest);
    let old = pin(&desk.foreign.fingerprint, 7, u64::MAX, &roster_digest(&desk.foreign.roster));
    let results = [
        ("A pin before any roster.", world.pin.clone(), json!({"roster_version": 0, "generation": 1})),
        ("A pin after the first roster.", seen.clone(), json!({"roster_version": 1, "generation": 1})),
        (
            "A pin of the largest roster version.",
            old.clone(),
            json!({"roster_version": u64::MAX.to_string(), "generation": 7}),
        ),
    ];
    results.into_iter().for_each(|(comment, bytes, result)| book.ok(comment, input(&bytes), result));
    let base = Base {
        what: "Pin",
        bytes: &seen,
        fields: fields::pin(),
        other: ("another vault's pin", &old),
        other_fields: fields::pin(),
        valid: &|_, _| true,
        input: &input,
    };
    base.systematic(&mut book, &PIN);
    let body = &seen[..80];
    book.reject(Malformed, "Pin of generation 0, checksum right.", input(&pin(&world.fingerprint, 0, 1, &digest)));
    book.reject(
        Malformed,
        "Pin of roster version 0 with a digest, checksum right.",
        input(&pin(&world.fingerprint, 1, 0, &digest)),
    );
    book.reject(
        Malformed,
        "Pin of roster version 1 without a digest, checksum right.",
        input(&pin(&world.fingerprint, 1, 1, &[0; 32])),
    );
    book.reject(Malformed, "Pin of format version 2, checksum right.", input(&with_checksum(&flipped(body, 3, 3))));
    book.reject(Malformed, "Pin with a byte after the checksum.", input(&[seen.as_slice(), &[0]].concat()));
    book.reject(Untrusted, "Pin whose checksum is zeros.", input(&[body, &[0; 32]].concat()));
    book.reject(
        Untrusted,
        "Pin whose checksum was taken with another label.",
        input(&[body, &h("roster digest", &[body])].concat()),
    );
    book
}
