//! Shares and recovery (section 4).

use serde_json::{Value, json};

use super::{Desk, flipped};
use crate::case::Layer::{self, Malformed, Share, Untrusted};
use crate::case::{Book, hex_of};
use crate::fields;
use crate::make::keys::Master;
use crate::make::objects::{Descriptor, share, share_digest};
use crate::make::prim::{array, ed_public, h};
use crate::make::shamir::interpolate;
use crate::mutate::Change::{Neighbour, Zeros};
use crate::mutate::{Base, Row, named, patched, row};

const ROWS: [Row; 7] = [
    row("magic", 1, Malformed),
    row("vault id", 1, Share),
    row("generation", 2, Share).but(Neighbour, Malformed).but(Zeros, Malformed),
    row("k", 1, Share).but(Neighbour, Malformed),
    row("n", 1, Share).but(Neighbour, Malformed),
    row("x", 1, Share).but(Neighbour, Malformed),
    row("y", 1, Share),
];

fn input(bytes: &[u8]) -> Value {
    json!({"share": hex_of(bytes)})
}

pub(super) fn shares(desk: &Desk) -> Book {
    let mut book = Book::new("share", desk.suite());
    let own = &desk.world.first.shares;
    for (bytes, x) in own.iter().zip(1..) {
        book.ok("A share of the world.", input(bytes), json!({"index": x}));
    }
    let others = [
        ("the next generation", &desk.world.next.shares[2]),
        ("another vault", &desk.foreign.first.shares[1]),
        ("the same vault, with another index", &own[2]),
    ];
    for (index, other) in others.iter().enumerate() {
        let base = Base {
            what: "Share",
            bytes: &own[1],
            fields: fields::share(),
            other: (other.0, other.1),
            other_fields: fields::share(),
            valid: &|_, _| true,
            input: &input,
        };
        if index == 0 {
            base.systematic(&mut book, &ROWS);
        } else {
            base.swaps(&mut book, &ROWS);
        }
    }
    book.reject(Share, "Share of another vault.", input(others[1].1));
    book.reject(Share, "Share of the next generation.", input(others[0].1));
    bad_shares(&own[1], &mut book);
    book
}

fn bad_shares(own: &[u8], book: &mut Book) {
    let table = fields::share();
    let mut refuse = |layer: Layer, name: &str, value: &[u8], comment: String| {
        book.reject(layer, &comment, input(&patched(own, &named(&table, name), value)));
    };
    for (name, value) in
        [("generation", 0), ("x", 0), ("x", 6), ("x", 255), ("k", 0), ("k", 1), ("k", 6), ("n", 0), ("n", 2)]
    {
        let bytes = if name == "generation" { vec![0; 4] } else { vec![value] };
        refuse(Malformed, name, &bytes, format!("Share of 3 of 5 and x = 2, with {name} = {value}."));
    }
    refuse(Share, "n", &[255], "Share with n = 255 instead of 5.".into());
    refuse(Share, "k", &[5], "Share with k = 5 instead of 3.".into());
    refuse(Share, "y", &[0; 32], "Share whose y is zeros.".into());
    refuse(Malformed, "magic", b"LKS\x02", "Share of format version 2.".into());
    refuse(Malformed, "magic", b"LKP\x01", "Share with the magic of a pin.".into());
    book.reject(Malformed, "Share with a byte after y.", input(&[own, &[0]].concat()));
    book.reject(Malformed, "Share without its last byte.", input(&own[..74]));
    book.reject(Malformed, "No share at all.", input(b""));
}

pub(super) fn recoveries(desk: &mut Desk) -> Book {
    let mut book = Book::new("recovery", desk.suite());
    let own = desk.world.first.shares.clone();
    let chosen = |xs: &[usize]| xs.iter().map(|x| own[x - 1].clone()).collect::<Vec<_>>();
    let result = json!({"master_secret": hex_of(desk.world.first.secret)});
    for xs in [[1, 2, 3].as_slice(), &[5, 3, 1], &[2, 4, 5], &[1, 2, 3, 4], &[5, 4, 3, 2, 1]] {
        book.ok(&format!("The shares {xs:?}, in this order."), list(&chosen(xs)), result.clone());
    }
    for xs in [[].as_slice(), &[1], &[4, 2]] {
        book.reject(Share, &format!("Only the shares {xs:?} of the three that are needed."), list(&chosen(xs)));
    }
    for xs in [[1, 1, 2].as_slice(), &[1, 2, 1], &[1, 2, 3, 3], &[1, 2, 3, 1]] {
        book.reject(Share, &format!("The shares {xs:?}: one index comes twice."), list(&chosen(xs)));
    }
    let third = |bytes: Vec<u8>| list(&[chosen(&[1, 2]), vec![bytes]].concat());
    book.reject(Share, "The third share is of another vault.", third(desk.foreign.first.shares[2].clone()));
    book.reject(Share, "The third share is of the next generation.", third(desk.world.next.shares[2].clone()));
    book.reject(Share, "The third share has a flipped bit.", third(flipped(&own[2], 60, 4)));
    book.reject(
        Share,
        "The third share claims another index.",
        third(patched(&own[2], &named(&fields::share(), "x"), &[4])),
    );
    book.reject(Malformed, "The third share has x = 0, where the secret itself lies.", third(zero_share(desk)));
    let second_of_one = [own[0].clone(), flipped(&own[0], 74, 1), own[1].clone()];
    book.reject(Share, "Two shares of index 1, of which the second has another y.", list(&second_of_one));
    let fourth = [chosen(&[1, 2, 3]), vec![desk.foreign.first.shares[4].clone()]].concat();
    book.reject(Share, "A share of another vault beyond the three that are needed.", list(&fourth));
    dealt_wrongly(desk, &mut book);
    book
}

fn list(shares: &[Vec<u8>]) -> Value {
    json!({"shares": shares.iter().map(hex_of).collect::<Vec<_>>()})
}

fn zero_share(desk: &Desk) -> Vec<u8> {
    share(&desk.world.id, 1, 3, 5, 0, &desk.world.first.secret)
}

/// Descriptors of a dealer who errs or lies: every digest is right.
fn dealt_wrongly(desk: &mut Desk, book: &mut Book) {
    let (world, wrong) = (&desk.world, desk.rng.array());
    let points: Vec<(u8, [u8; 32])> = world.first.shares.iter().map(|s| (s[42], array(&s[43..]))).collect();
    // Share 5 lies beside the polynomial of the others.
    let mut off = points.clone();
    off[4].1 = wrong;
    let off_input = |xs: &[usize]| dealt(desk, &off, xs);
    book.reject(
        Share,
        "The fourth share has the dealt digest and lies beside the polynomial of the first three.",
        off_input(&[1, 2, 3, 5]),
    );
    book.ok(
        "The same dealing, without the share that lies beside the polynomial.",
        off_input(&[1, 2, 3, 4]),
        json!({"master_secret": hex_of(world.first.secret)}),
    );
    book.reject(
        Untrusted,
        "One of the first three shares lies beside the polynomial: another master key comes out.",
        off_input(&[1, 2, 5]),
    );
    // All shares are of another secret.
    let other: Vec<(u8, [u8; 32])> =
        (1..=5).map(|x| (x, interpolate(&[(0, wrong), (1, points[0].1), (2, points[1].1)], x))).collect();
    book.reject(
        Untrusted,
        "All shares are of another secret than the descriptor's keys.",
        dealt(desk, &other, &[1, 2, 3]),
    );
    book.reject(
        Untrusted,
        "All shares are of another secret, and more than three are given.",
        dealt(desk, &other, &[1, 2, 3, 4]),
    );
    let keys = &world.first.keys;
    let others = [
        ("master key", Master { public: world.next.keys.public.clone(), ..keys.clone() }),
        ("root key", Master { root: world.next.keys.root, ..keys.clone() }),
    ];
    for (what, keys) in &others {
        let comment = format!("The shares give all of the descriptor's keys but the {what}.");
        book.reject(Untrusted, &comment, dealt_for(desk, keys, &points, &[1, 2, 3]));
        let comment = format!("Four shares, which give all of the descriptor's keys but the {what}.");
        book.reject(Untrusted, &comment, dealt_for(desk, keys, &points, &[4, 2, 5, 1]));
    }
    let line: Vec<(u8, [u8; 32])> =
        (1..=5).map(|x| (x, interpolate(&[(0, world.first.secret), (9, wrong)], x))).collect();
    book.ok(
        "The polynomial happens to have degree 1.",
        dealt(desk, &line, &[2, 3, 5]),
        json!({"master_secret": hex_of(world.first.secret)}),
    );
}

fn dealt(desk: &Desk, points: &[(u8, [u8; 32])], xs: &[usize]) -> Value {
    dealt_for(desk, &desk.world.first.keys, points, xs)
}

/// A descriptor of these keys and of the digests of these points, and the shares `xs` of them.
fn dealt_for(desk: &Desk, master: &Master, points: &[(u8, [u8; 32])], xs: &[usize]) -> Value {
    let world = &desk.world;
    let digests = points.iter().flat_map(|(x, y)| share_digest(&world.id, 1, *x, y)).collect();
    let (suite, vault) = (desk.suite(), world.id);
    let registrar = ed_public(&world.registrar_signing());
    let descriptor = Descriptor { suite, vault, generation: 1, k: 3, n: 5, master, registrar, digests }.bytes();
    let shares: Vec<String> =
        xs.iter().map(|x| hex_of(share(&vault, 1, 3, 5, points[x - 1].0, &points[x - 1].1))).collect();
    let fingerprint = hex_of(h("descriptor fingerprint", &[&descriptor]));
    json!({"descriptor": hex_of(descriptor), "fingerprint": fingerprint, "shares": shares})
}
