//! Import of public keys (section 1).

use serde_json::{Value, json};

use super::{Desk, card_key};
use crate::case::Layer::Malformed;
use crate::case::{Book, hex_of};
use crate::make::hpke;
use crate::make::points::*;
use crate::make::prim::ed_public;

fn input(key: &[u8]) -> Value {
    json!({"key": hex_of(key)})
}

pub(super) fn signing_keys(desk: &mut Desk) -> Book {
    let mut book = Book::without_suite("signing_key");
    for _ in 0..4 {
        book.ok("The key of a random seed.", input(&ed_public(&desk.rng.array())), json!({}));
    }
    book.ok("The base point.", input(&decoded::<32>(&format!("58{}", "66".repeat(31)))), json!({}));
    for (what, key) in LOW_ED25519 {
        book.reject(Malformed, &format!("{what} is of low order."), input(&decoded::<32>(key)));
    }
    for (what, key) in BAD_ED25519 {
        book.reject(Malformed, &format!("Not canonical or no point: {what}."), input(&decoded::<32>(key)));
    }
    let key = ed_public(&desk.rng.array());
    book.reject(Malformed, "31 bytes.", input(&key[..31]));
    book.reject(Malformed, "33 bytes.", input(&[key.as_slice(), &[0]].concat()));
    book.reject(Malformed, "No bytes.", input(b""));
    book
}

pub(super) fn hpke_keys(desk: &mut Desk) -> Book {
    let mut book = Book::new("public_key", desk.suite());
    let suite = desk.suite();
    for _ in 0..2 {
        book.ok("The key of a random private key.", input(&hpke::public(suite, &desk.rng.array())), json!({}));
    }
    let own = card_key(&desk.world).to_vec();
    let front = &own[..own.len() - 32];
    let with_point = |point: &str| [front, &decoded::<32>(point)].concat();
    for (what, point) in LOW_X25519 {
        book.reject(Malformed, &format!("The X25519 part is {what}, of low order."), input(&with_point(point)));
    }
    for (what, point) in NON_CANONICAL_X25519 {
        book.reject(Malformed, &format!("The X25519 part is not canonical: {what}."), input(&with_point(point)));
    }
    book.ok("The X25519 part is 9.", input(&with_point(&format!("09{}", "00".repeat(31)))), json!({}));
    book.ok("The X25519 part is p - 2.", input(&with_point(&format!("eb{}7f", "ff".repeat(30)))), json!({}));
    book.ok("The X25519 part is 2, on the twist.", input(&with_point(&format!("02{}", "00".repeat(31)))), json!({}));
    book.reject(Malformed, "The last byte is missing.", input(&own[..own.len() - 1]));
    book.reject(Malformed, "A byte is added.", input(&[own.as_slice(), &[0]].concat()));
    book.reject(Malformed, "No bytes.", input(b""));
    book.reject(Malformed, "A key of the other suite.", input(card_key(&desk.other)));
    if desk.is_x_wing() {
        for (index, value) in
            [(0, 3329), (1, 3329), (2, 3330), (255, 4095), (256, 3329), (511, 3500), (766, 4000), (767, 3329)]
        {
            let comment = format!("Coefficient {index} of the ML-KEM part is {value}, not below q = 3329.");
            book.reject(Malformed, &comment, input(&with_coefficient(&own, index, value)));
        }
        let small = (0..768).find(|index| coefficient(&own, *index) < 4096 - 3329).expect("a small one");
        let raised = with_coefficient(&own, small, coefficient(&own, small) + 3329);
        book.reject(Malformed, "A coefficient is raised by q: the same number, another encoding.", input(&raised));
        book.ok("Coefficient 0 of the ML-KEM part is q - 1.", input(&with_coefficient(&own, 0, 3328)), json!({}));
    }
    book
}
