//! What the store's errors say: each of them is a sentence with advice, and no name of a variant.

use lukko::error::Object;
use lukko::{CardId, KeyFingerprint};
use lukko_store::Error;
use lukko_store::error::{Conflict, Counted, Mismatch, Missing, Usage};

const COUNTED: [Counted; 2] = [Counted::Generation, Counted::Roster];
const USAGE: [Usage; 10] = [
    Usage::TooLarge,
    Usage::CardAlone,
    Usage::RevisionBackwards,
    Usage::ErasureBeforeRoster,
    Usage::NoCard,
    Usage::NewestGeneration,
    Usage::WrongJob,
    Usage::JobOver,
    Usage::NotRotated(271),
    Usage::OneThread,
];
const CONFLICT: [Conflict; 10] = [
    Conflict::Generation(271),
    Conflict::Roster(271),
    Conflict::Member,
    Conflict::Card,
    Conflict::Endorsement,
    Conflict::Grant,
    Conflict::Record { stored: Some(271) },
    Conflict::Record { stored: None },
    Conflict::Claim,
    Conflict::Object,
];
const MISSING: [Missing; 5] =
    [Missing::Generation(271), Missing::Patient, Missing::Job, Missing::Erasure, Missing::Object];

/// Objects that do not fit their place.
fn mismatches() -> Vec<Mismatch> {
    let [card, other] = [3, 4].map(|byte| CardId::from_bytes([byte; 32]));
    let [key, another] = [5, 6].map(|byte| KeyFingerprint::from_bytes([byte; 32]));
    vec![
        Mismatch::Vault(Object::Record),
        Mismatch::Suite,
        Mismatch::Patient,
        Mismatch::Previous,
        Mismatch::Card { object: Object::Grant, named: card, met: other },
        Mismatch::Revision { named: 271, met: 31 },
        Mismatch::Generation { object: Object::Endorsement, named: 271, met: Some(31) },
        Mismatch::Generation { object: Object::Grant, named: 271, met: None },
        Mismatch::Recipient { named: key, met: another },
        Mismatch::MasterGrant,
    ]
}

/// Every error that the store makes itself, and the two that carry another's.
fn errors() -> Vec<Error> {
    let stale = COUNTED.map(|what| Error::Stale { what, stored: 271, given: 31 });
    let others = [
        Error::Corrupt { table: "record", what: "a key is there two times" },
        Error::Schema { found: 271, known: 31 },
        Error::Unavailable("no answer".into()),
        Error::Held { pieces: 271, seconds: 31 },
        Error::Stream(std::io::Error::other("no answer")),
    ];
    let usage = USAGE.map(Error::from);
    usage
        .into_iter()
        .chain(CONFLICT.map(Error::from))
        .chain(stale)
        .chain(MISSING.map(Error::from))
        .chain(mismatches().into_iter().map(Error::from))
        .chain(others)
        .collect()
}

/// The numbers in the error's fields, which the caller needs.
fn numbers(error: &Error) -> &'static [&'static str] {
    match error {
        Error::Usage(Usage::NotRotated(_))
        | Error::Conflict(Conflict::Generation(_) | Conflict::Roster(_) | Conflict::Record { stored: Some(_) })
        | Error::Missing(Missing::Generation(_)) => &["271"],
        Error::Mismatch(Mismatch::Generation { met: None, .. }) => &["271"],
        Error::Stale { .. } | Error::Schema { .. } | Error::Held { .. } => &["271", "31"],
        Error::Mismatch(Mismatch::Revision { .. } | Mismatch::Generation { .. }) => &["271", "31"],
        _ => &[],
    }
}

/// `CardAlone` and its like: a capital letter behind a small one.
fn is_a_name(word: &str) -> bool {
    let letters: Vec<char> = word.chars().filter(|letter| letter.is_alphabetic()).collect();
    letters.windows(2).any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
}

#[test]
fn every_error_of_the_store_is_a_sentence_with_advice() {
    let mut met = std::collections::BTreeSet::new();
    for error in errors() {
        let text = error.to_string();
        let (fact, advice) = text.split_once("; ").unwrap_or_else(|| panic!("no advice: {text}"));
        assert!(text.starts_with(|first: char| first.is_ascii_lowercase()), "{text}");
        assert!(fact.split(' ').count() >= 4 && advice.split(' ').count() >= 4, "{text}");
        assert!(!text.ends_with(['.', ';', ' ']) && !text.contains("  "), "{text}");
        assert!(!text.split(|sign: char| !sign.is_alphanumeric()).any(is_a_name), "a name: {text}");
        let words: Vec<&str> = text.split(|sign: char| !sign.is_alphanumeric()).collect();
        assert!(numbers(&error).iter().all(|number| words.contains(number)), "{text}");
        assert!(met.insert(text.clone()), "two errors say: {text}");
    }
    assert!(is_a_name("CardAlone") && !is_a_name("Card"));
}

/// The variants of one of the source's enums.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let own = body.lines().filter_map(|line| line.strip_prefix("    "));
    own.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.split(|sign: char| !sign.is_alphanumeric()).next().unwrap())
        .collect()
}

/// The enums may grow, so that no match outside of the crate is whole: the source is read instead.
#[test]
fn every_variant_is_listed() {
    const SOURCE: &str = include_str!("../../src/error.rs");
    let listed = |debug: String| {
        let end = debug.find(|sign: char| !sign.is_alphanumeric()).unwrap_or(debug.len());
        debug[..end].to_owned()
    };
    let mut lists = [
        ("Usage", USAGE.map(|one| listed(format!("{one:?}"))).to_vec()),
        ("Conflict", CONFLICT.map(|one| listed(format!("{one:?}"))).to_vec()),
        ("Missing", MISSING.map(|one| listed(format!("{one:?}"))).to_vec()),
        ("Mismatch", mismatches().iter().map(|one| listed(format!("{one:?}"))).collect()),
        ("Counted", COUNTED.map(|one| listed(format!("{one:?}"))).to_vec()),
        ("Error", errors().iter().map(|one| listed(format!("{one:?}"))).chain(["Core".to_owned()]).collect()),
    ];
    for (name, list) in &mut lists {
        let mut expected = variants(SOURCE, name);
        assert!(!expected.is_empty(), "{name}");
        expected.sort_unstable();
        list.sort_unstable();
        list.dedup();
        assert_eq!(list, &expected, "{name}");
    }
}
