//! Rotation statements (section 8).

use serde_json::{Value, json};

use super::{Desk, signature_of, stays_a_key};
use crate::case::Layer::{self, Malformed, Stale, Untrusted, Usage};
use crate::case::{Book, hex_of};
use crate::fields;
use crate::make::keys::Master;
use crate::make::objects::{Descriptor, Rotation, roster_digest, share_digest};
use crate::make::points::{add_order, sign_with_low_r, sign_with_mixed_r};
use crate::make::prim::{array, ed_public, h, sign};
use crate::mutate::Change::{First, Last, Neighbour, Ones, Swap, Zeros};
use crate::mutate::{Base, Row, row};

const STATEMENT: [Row; 9] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Usage),
    row("generation", 1, Stale).but(Neighbour, Untrusted).but(Zeros, Malformed),
    row("old fingerprint", 1, Untrusted),
    row("new fingerprint", 1, Untrusted),
    row("roster version", 1, Untrusted).but(Zeros, Malformed),
    row("roster digest", 1, Untrusted),
    row("old root's signature", 1, Untrusted),
    row("new root's signature", 1, Untrusted),
];

/// Signed again by both roots. Another first roster would be good.
const SIGNED: [Row; 6] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Usage),
    row("generation", 1, Stale).but(Zeros, Malformed),
    row("old fingerprint", 1, Untrusted),
    row("new fingerprint", 1, Untrusted),
    row("roster version", 1, Malformed).not(Last).not(First).not(Ones).not(Swap),
];

const DESCRIPTOR: [Row; 10] = [
    row("magic", 1, Malformed),
    row("suite", 1, Malformed),
    row("vault id", 1, Usage),
    row("generation", 1, Untrusted),
    row("k", 1, Untrusted),
    row("n", 1, Malformed),
    row("master key", 1, Untrusted),
    row("root key", 1, Untrusted),
    row("registrar key", 1, Untrusted),
    row("share digests", 1, Untrusted),
];

/// A next generation that is honest but for what is asked.
struct Next {
    descriptor: Vec<u8>,
    keys: Master,
    rotation: Rotation,
}

impl Next {
    fn new(desk: &mut Desk, vault: [u8; 32], descriptor_generation: u32, statement_generation: u32) -> Self {
        let secret = desk.rng.array();
        let keys = Master::derive(desk.suite(), &vault, descriptor_generation, &secret);
        let ys: [[u8; 32]; 3] = [desk.rng.array(), desk.rng.array(), desk.rng.array()];
        let digests = ys.iter().zip(1..).flat_map(|(y, x)| share_digest(&vault, descriptor_generation, x, y)).collect();
        let (registrar, suite) = (ed_public(&desk.world.registrar_signing()), desk.suite());
        let master = &keys;
        let descriptor =
            Descriptor { suite, vault, generation: descriptor_generation, k: 2, n: 3, master, registrar, digests }
                .bytes();
        let rotation = Rotation {
            vault,
            generation: statement_generation,
            old: desk.world.fingerprint,
            new: h("descriptor fingerprint", &[&descriptor]),
            version: 2,
            digest: roster_digest(&desk.world.next_roster),
        };
        Self { descriptor, keys, rotation }
    }

    fn input(&self, desk: &Desk) -> Value {
        input(&self.descriptor, &self.rotation.signed([&desk.world.first.keys.root, &self.keys.root]))
    }
}

fn input(descriptor: &[u8], statement: &[u8]) -> Value {
    json!({"descriptor": hex_of(descriptor), "statement": hex_of(statement)})
}

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("rotation", desk.suite());
    let (suite, vault) = (desk.suite(), desk.world.id);
    let (descriptor, statement) = (desk.world.next.descriptor.clone(), desk.world.statement.clone());
    let result = |descriptor: &[u8], version: Value| {
        let fingerprint = hex_of(h("descriptor fingerprint", &[descriptor]));
        json!({"fingerprint": fingerprint, "generation": 2, "roster_version": version})
    };
    book.ok("The world's rotation.", input(&descriptor, &statement), result(&descriptor, json!(2)));
    let mut built = Next::new(desk, vault, 2, 2);
    book.ok("Another rotation.", built.input(desk), result(&built.descriptor, json!(2)));
    built.rotation.version = u64::MAX;
    book.ok("The largest roster version.", built.input(desk), result(&built.descriptor, json!(u64::MAX.to_string())));
    let foreign = (desk.foreign.next.descriptor.clone(), desk.foreign.statement.clone());
    let of_statement = Base {
        what: "Statement",
        bytes: &statement,
        fields: fields::rotation(),
        other: ("another vault's statement", &foreign.1),
        other_fields: fields::rotation(),
        valid: &|_, _| true,
        input: &|bytes| input(&descriptor, bytes),
    };
    of_statement.by_size(&mut book, &STATEMENT, desk.is_x_wing());
    let roots = [desk.world.first.keys.root, desk.world.next.keys.root];
    of_statement.signed(&mut book, &SIGNED, &|bytes| {
        let body = &bytes[..bytes.len() - 128];
        [body, roots.map(|seed| sign(&seed, "rotation", body)).as_flattened()].concat()
    });
    let of_descriptor = Base {
        what: "New descriptor",
        bytes: &descriptor,
        fields: fields::descriptor(suite, &descriptor),
        other: ("another vault's next descriptor", &foreign.0),
        other_fields: fields::descriptor(suite, &foreign.0),
        valid: &stays_a_key(suite),
        input: &|bytes| input(bytes, &statement),
    };
    of_descriptor.flips_and_swaps(&mut book, &DESCRIPTOR);
    pairs(desk, &foreign, &mut book);
    signed(desk, &mut book);
    signatures(desk, &mut book);
    book
}

/// Pairs that do not belong together.
fn pairs(desk: &Desk, foreign: &(Vec<u8>, Vec<u8>), book: &mut Book) {
    let world = &desk.world;
    book.reject(Usage, "Another vault's rotation.", input(&foreign.0, &foreign.1));
    book.reject(
        Usage,
        "Another vault's and suite's rotation.",
        input(&desk.other.next.descriptor, &desk.other.statement),
    );
    book.reject(Usage, "The statement with another vault's next descriptor.", input(&foreign.0, &world.statement));
    book.reject(Untrusted, "The statement with the old descriptor.", input(&world.first.descriptor, &world.statement));
    let longer = [world.statement.as_slice(), &[0]].concat();
    book.reject(Malformed, "A byte follows the statement.", input(&world.next.descriptor, &longer));
}

/// Statements that both roots signed.
fn signed(desk: &mut Desk, book: &mut Book) {
    let (vault, elsewhere) = (desk.world.id, desk.foreign.id);
    let generations = [
        (3, 3, "Statement and descriptor are of generation 3, one too far."),
        (3, 2, "The descriptor is of generation 3, the statement of 2."),
        (2, 3, "The statement is of generation 3, the descriptor of 2."),
        (1, 2, "The descriptor is of generation 1, as the pinned one."),
        (u32::MAX, u32::MAX, "Statement and descriptor are of generation 2^32 - 1."),
    ];
    for (descriptor, statement, comment) in generations {
        book.reject(Stale, comment, Next::new(desk, vault, descriptor, statement).input(desk));
    }
    for generation in [0, 1] {
        let next = Next::new(desk, vault, 2, generation);
        book.reject(Malformed, &format!("The statement is of generation {generation}, signed."), next.input(desk));
    }
    let mut case = |layer: Layer, comment: &str, change: &dyn Fn(&mut Rotation)| {
        let mut next = Next::new(desk, vault, 2, 2);
        change(&mut next.rotation);
        book.reject(layer, comment, next.input(desk));
    };
    case(Malformed, "The first roster has version 0, signed.", &|rotation| rotation.version = 0);
    case(Usage, "The statement is of another vault, signed.", &|rotation| rotation.vault = elsewhere);
    case(Untrusted, "The statement follows from another descriptor, signed.", &|rotation| rotation.old = [6; 32]);
    case(Untrusted, "The statement follows from its own new descriptor, signed.", &|rotation| {
        rotation.old = rotation.new
    });
    case(Untrusted, "The statement leads to another descriptor, signed.", &|rotation| rotation.new = [6; 32]);
    let mut moved = Next::new(desk, elsewhere, 2, 2);
    moved.rotation.vault = vault;
    book.reject(Usage, "The new descriptor is of another vault, signed.", moved.input(desk));
    let mut suite = Next::new(desk, vault, 2, 2);
    let other = desk.other.suite;
    let keys = Master::derive(other, &vault, 2, &[9; 32]);
    let registrar = ed_public(&desk.world.registrar_signing());
    let digests = vec![7; 96];
    let (descriptor, generation) =
        (Descriptor { suite: other, vault, generation: 2, k: 2, n: 3, master: &keys, registrar, digests }, 2);
    suite.descriptor = descriptor.bytes();
    suite.rotation.new = h("descriptor fingerprint", &[&suite.descriptor]);
    suite.rotation.generation = generation;
    suite.keys = keys.clone();
    book.reject(Usage, "The new descriptor is of the other suite, signed.", suite.input(desk));
}

fn signatures(desk: &mut Desk, book: &mut Book) {
    let next = Next::new(desk, desk.world.id, 2, 2);
    let (body, old, new) = (next.rotation.body(), desk.world.first.keys.root, next.keys.root);
    let by = |seed: &[u8; 32]| sign(seed, "rotation", &body);
    let registrar = desk.world.registrar_signing();
    let with_label = sign(&old, "roster", &body);
    let good: [u8; 64] = by(&old);
    let cases: [(&str, [u8; 64], [u8; 64]); 11] = [
        ("The two signatures are exchanged.", by(&new), by(&old)),
        ("The old root signed twice.", by(&old), by(&old)),
        ("The new root signed twice.", by(&new), by(&new)),
        ("The registrar signed for the old root.", by(&registrar), by(&new)),
        ("The registrar signed for the new root.", by(&old), by(&registrar)),
        ("The old root's signature is zeros.", [0; 64], by(&new)),
        ("The new root's signature is zeros.", by(&old), [0; 64]),
        ("The old root signed with the label of rosters.", with_label, by(&new)),
        ("The S of the new root's signature is larger by the group order.", good, add_order(&by(&new))),
        (
            "The R of the old root's signature is the neutral element.",
            sign_with_low_r(&old, "rotation", &body),
            by(&new),
        ),
        ("The R of the new root's signature is of mixed order.", by(&old), sign_with_mixed_r(&new, "rotation", &body)),
    ];
    for (comment, first, second) in cases {
        let statement = [body.as_slice(), &first, &second].concat();
        book.reject(Untrusted, comment, input(&next.descriptor, &statement));
    }
    let moved: [u8; 64] = signature_of(&desk.world.statement);
    let reused = [body.as_slice(), &array::<64>(&desk.world.statement[144..208]), &moved].concat();
    book.reject(Untrusted, "The signatures are those of another rotation.", input(&next.descriptor, &reused));
}
