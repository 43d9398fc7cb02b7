//! Shares as text: Bech32m with the prefix `lukko`.

use bech32::{Bech32, Bech32m, Hrp};
use serde_json::{Value, json};

use super::Desk;
use crate::case::Layer::Malformed;
use crate::case::{Book, hex_of};

/// What stands between characters in print and on screens, and is passed over.
const PASSED_OVER: [(char, &str); 14] = [
    ('-', "hyphens"),
    ('\u{b}', "vertical tabs"),
    ('\u{85}', "next lines"),
    ('\u{a0}', "no-break spaces"),
    ('\u{ad}', "soft hyphens"),
    ('\u{2003}', "em spaces"),
    ('\u{200b}', "zero-width spaces"),
    ('\u{200f}', "right-to-left marks"),
    ('\u{2010}', "hyphens of Unicode"),
    ('\u{2011}', "non-breaking hyphens"),
    ('\u{202f}', "narrow no-break spaces"),
    ('\u{2060}', "word joiners"),
    ('\u{3000}', "ideographic spaces"),
    ('\u{feff}', "byte order marks"),
];

/// All of them, by number (section 4).
const PASSED_OVER_ALL: [std::ops::RangeInclusive<u32>; 18] = [
    0x9..=0xD,
    0x20..=0x20,
    0x85..=0x85,
    0xA0..=0xA0,
    0x1680..=0x1680,
    0x2000..=0x200A,
    0x2028..=0x2028,
    0x2029..=0x2029,
    0x202F..=0x202F,
    0x205F..=0x205F,
    0x3000..=0x3000,
    0x2D..=0x2D,
    0xAD..=0xAD,
    0x2010..=0x2010,
    0x2011..=0x2011,
    0x200B..=0x200F,
    0x2060..=0x2060,
    0xFEFF..=0xFEFF,
];

fn input(text: &str) -> Value {
    json!({"text": text})
}

fn encode(prefix: &str, bytes: &[u8]) -> String {
    bech32::encode_lower::<Bech32m>(Hrp::parse(prefix).expect("a prefix"), bytes).expect("short")
}

pub(super) fn book(desk: &Desk) -> Book {
    let mut book = Book::without_suite("share_text");
    let share = &desk.world.first.shares[1];
    let result = json!({"share": hex_of(share)});
    let text = encode("lukko", share);
    book.ok("The text of a share.", input(&text), result.clone());
    book.ok("All letters are capitals.", input(&text.to_uppercase()), result.clone());
    let groups: Vec<&str> = text.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).expect("ASCII")).collect();
    book.ok("Groups of four with blanks between.", input(&groups.join(" ")), result.clone());
    book.ok("Lines and tabs around and within.", input(&format!(" \t{}\r\n", groups.join("\n"))), result.clone());
    let capital = [&text[..1].to_uppercase(), &text[1..]].concat();
    book.ok("The first letter is a capital, the others are not.", input(&capital), result.clone());
    for (between, name) in PASSED_OVER {
        let typed = format!("{between}{}{between}", groups.join(&between.to_string()));
        book.ok(&format!("Groups of four with {name} around and between."), input(&typed), result.clone());
    }
    let all: Vec<char> = PASSED_OVER_ALL.iter().flat_map(|range| range.clone()).filter_map(char::from_u32).collect();
    let typed: String = text.chars().zip(all.iter().cycle()).flat_map(|(letter, between)| [*between, letter]).collect();
    book.ok("Every character that is passed over, once and more.", input(&typed), result.clone());
    for near in [0x8, 0xE, 0x1C, 0x180E, 0x2012, 0x202A, 0x202E, 0x2061, 0xFE63, 0xFFFE] {
        let near = char::from_u32(near).expect("a character");
        let typed = format!("{}{near}{}", &text[..40], &text[40..]);
        let comment = format!("U+{:04X} stands in between, which is not passed over.", u32::from(near));
        book.reject(Malformed, &comment, input(&typed));
    }
    book.ok("A hyphen at the end of a line.", input(&format!("{}-\n{}", &text[..66], &text[66..])), result);
    for (index, other) in desk.world.first.shares.iter().chain(&desk.world.next.shares).enumerate() {
        book.ok(
            &format!("The text of share {index} of both generations."),
            input(&encode("lukko", other)),
            json!({"share": hex_of(other)}),
        );
    }
    wrong_characters(&text, &mut book);
    wrong_lengths(&text, share, &mut book);
    wrong_encodings(&text, share, &mut book);
    book
}

fn wrong_characters(text: &str, book: &mut Book) {
    for place in [0, 4, 5, 6, 7, 40, 80, 125, 126, 131] {
        let next = if &text[place..=place] == "q" { "p" } else { "q" };
        let wrong = [&text[..place], next, &text[place + 1..]].concat();
        book.reject(Malformed, &format!("Character {place} is another one of the alphabet."), input(&wrong));
    }
    for (character, place) in [
        ('b', 20),
        ('i', 30),
        ('o', 40),
        ('1', 50),
        ('-', 60),
        ('ä', 70),
        ('\u{0}', 80),
        ('\u{a0}', 90),
        ('\u{2013}', 100),
    ] {
        let wrong = format!("{}{character}{}", &text[..place], &text[place + 1..]);
        book.reject(
            Malformed,
            &format!("Character {place} is {character:?}, which is not in the alphabet."),
            input(&wrong),
        );
    }
    for place in [10, 60, 130] {
        let place = (place..)
            .chain(6..place)
            .find(|at| text.as_bytes().get(*at) != text.as_bytes().get(at + 1))
            .expect("a place");
        let place = place.min(130);
        let (a, b) = (&text[place..=place], &text[place + 1..=place + 1]);
        if a != b {
            let wrong = [&text[..place], b, a, &text[place + 2..]].concat();
            book.reject(Malformed, &format!("The characters {place} and {} are exchanged.", place + 1), input(&wrong));
        }
    }
    let mixed = [&text[..131], text[131..].to_uppercase().as_str()].concat();
    let mixed = if mixed == text { [&text.to_uppercase()[..5], &text[5..]].concat() } else { mixed };
    book.reject(Malformed, "One letter is a capital, the others are not.", input(&mixed));
    book.reject(
        Malformed,
        "The prefix is in capitals, the rest is not.",
        input(&[&text[..5].to_uppercase(), &text[5..]].concat()),
    );
}

fn wrong_lengths(text: &str, share: &[u8], book: &mut Book) {
    book.reject(Malformed, "The last character is missing.", input(&text[..131]));
    book.reject(Malformed, "The first character of the data is missing.", input(&[&text[..6], &text[7..]].concat()));
    book.reject(Malformed, "A q is added at the end.", input(&format!("{text}q")));
    book.reject(
        Malformed,
        "A q is inserted before the last character.",
        input(&format!("{}q{}", &text[..131], &text[131..])),
    );
    book.reject(Malformed, "The text stands there twice.", input(&text.repeat(2)));
    book.reject(Malformed, "No text.", input(""));
    book.reject(Malformed, "Only blanks.", input("   "));
    book.reject(Malformed, "Only the prefix.", input("lukko1"));
    book.reject(Malformed, "74 bytes, checksum right.", input(&encode("lukko", &share[..74])));
    book.reject(Malformed, "76 bytes, checksum right.", input(&encode("lukko", &[share, &[0]].concat())));
}

fn wrong_encodings(text: &str, share: &[u8], book: &mut Book) {
    let bech32 = bech32::encode_lower::<Bech32>(Hrp::parse("lukko").expect("a prefix"), share).expect("short");
    book.reject(Malformed, "The checksum is that of Bech32 and not of Bech32m.", input(&bech32));
    for prefix in ["lukkp", "lock0", "lukko2"] {
        book.reject(Malformed, &format!("The prefix is {prefix}, checksum right."), input(&encode(prefix, share)));
    }
    let tail = if text.ends_with('q') { "p" } else { "q" };
    book.reject(Malformed, "The separator is missing.", input(&[&text[..5], &text[6..], tail].concat()));
    book.reject(Malformed, "Hexadecimal digits of the share.", input(&hex_of(share)));
    let mut bad = share.to_vec();
    bad[42] = 0;
    book.reject(Malformed, "The text of a share with x = 0, checksum right.", input(&encode("lukko", &bad)));
    bad[42] = 6;
    book.reject(Malformed, "The text of a share with x above n, checksum right.", input(&encode("lukko", &bad)));
    let pin = [b"LKP\x01", &share[4..]].concat();
    book.reject(Malformed, "The text of 75 bytes with another magic, checksum right.", input(&encode("lukko", &pin)));
}
