//! Every error has a code, a hint and an answer to "again?", and the page has them.

use std::collections::BTreeSet;
use std::io;

use lukko::error::{Conflict, Object, ShareFault, Untrusted, Usage, Versioned};
use lukko::{CardId, KeyFingerprint};
use lukko_clinic::{Error, FrontDesk, Note, RolledBack};
use lukko_store::error as store;

use crate::world::sqlite;

/// One of each kind of this crate. The match fails to compile when a kind is missing here and the crate lists all of them.
fn own(note: &Note) -> Vec<Error> {
    let (key, card) = (KeyFingerprint::from_bytes([7; 32]), CardId::from_bytes([7; 32]));
    let note = || note.clone();
    let patient = || "p-1".to_owned();
    vec![
        Error::MemoryEmpty,
        Error::MemoryInUse,
        Error::MemoryBeside,
        Error::MemoryMode,
        Error::Memory("a disk is full".into()),
        Error::NotNoted("a disk is full".into()),
        Error::OtherDatabase,
        Error::Invitation,
        Error::RolledBack(RolledBack::Roster { remembered: 2, stored: 1 }),
        Error::RolledBack(RolledBack::Generation { remembered: 2 }),
        Error::RolledBack(RolledBack::Card { patient: patient(), remembered: card, stored: Some(card) }),
        Error::RolledBack(RolledBack::Card { patient: patient(), remembered: card, stored: None }),
        Error::RolledBack(RolledBack::Record { note: note(), remembered: 2 }),
        Error::RolledBack(RolledBack::Dropped(note())),
        Error::RolledBack(RolledBack::Undeleted(note())),
        Error::RolledBack(RolledBack::TakenOver(note())),
        Error::NotAMember,
        Error::NotGranted,
        Error::NoPatient,
        Error::NotEndorsed,
        Error::PatientExists,
        Error::NoRecord,
        Error::Overtaken(Box::default()),
        Error::Expired,
        Error::Misplaced,
        Error::NoColleague,
        Error::SeveralKeys(vec![key, key]),
        Error::NewKey(key),
        Error::NoFiles,
        Error::Name,
        Error::NotText,
        Error::KeySource("no token".into()),
        Error::KeyMode,
        Error::KeyFile,
        Error::Passphrase,
        Error::Plan("it has no member"),
        Error::Stream(io::ErrorKind::BrokenPipe.into()),
    ]
}

/// One of each kind from below.
fn below() -> Vec<Error> {
    let core = [
        Usage::NoCard.into(),
        lukko::Error::Malformed { object: Object::Card, field: "suite", offset: 4 },
        lukko::Error::ShareCharacter { met: 'x', position: 3 },
        Untrusted::MasterKey.into(),
        lukko::Error::Stale { what: Versioned::Roster, known: 2, met: 1 },
        lukko::Error::Conflict(Conflict::Roster { version: 2 }),
        lukko::Error::Share { index: 1, reason: ShareFault::Value },
        lukko::Error::NotEnoughShares { have: 1, need: 2 },
        lukko::Error::NotAuthentic,
        lukko::Error::Randomness,
    ];
    let store = [
        store::Usage::JobOver.into(),
        store::Mismatch::Patient.into(),
        store::Conflict::Roster(2).into(),
        store::Conflict::Card.into(),
        store::Error::Stale { what: store::Counted::Roster, stored: 2, given: 1 },
        store::Missing::Job.into(),
        store::Error::Corrupt { table: "card", what: "bytes are missing" },
        store::Error::Schema { found: 9, known: 4 },
        store::Error::Unavailable("no answer".into()),
        store::Error::Held { pieces: 1, seconds: 10 },
    ];
    core.into_iter().map(Error::Core).chain(store.into_iter().map(Error::Store)).collect()
}

async fn a_note() -> Note {
    let world = sqlite().await;
    let patient = world.session().enrol().await.unwrap();
    FrontDesk::from(world.join("intake").await).deposit(&patient.id(), "form", "text").await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_error_says_what_it_is_what_to_do_and_whether_to_try_again() {
    let errors: Vec<Error> = own(&a_note().await).into_iter().chain(below()).collect();
    for error in &errors {
        let (code, hint, text) = (error.code(), error.hint(), error.to_string());
        assert!(!code.is_empty() && code.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'), "{code}");
        assert!(hint.ends_with('.') && hint.starts_with(char::is_uppercase), "{code}: {hint}");
        assert!(text.len() > 10 && text != "refused", "{code}: {text}");
    }
    // What may be tried again as it is, is so by a failure of something else.
    let again: BTreeSet<_> = errors.iter().filter(|error| error.is_retryable()).map(Error::code).collect();
    assert_eq!(again, BTreeSet::from(["job-held", "key-source", "memory", "randomness", "stream", "unavailable"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_has_the_table() {
    let errors: Vec<Error> = own(&a_note().await).into_iter().chain(below()).collect();
    let row = |error: &Error| {
        let again = if error.is_retryable() { "yes" } else { "no" };
        format!("| `{}` | {again} | {} |", error.code(), error.hint())
    };
    let rows: BTreeSet<String> = errors.iter().map(row).collect();
    let page = include_str!("../../../docs/SESSION.md");
    let listed: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 2)
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = rows.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&rows).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:#?}\nunknown: {unknown:#?}");
}

/// The first program, which runs as a doctest of the crate: the README shows the same lines, at most 15.
#[test]
fn the_readme_shows_the_first_program() {
    let program = include_str!("../../first.rs");
    assert!(program.lines().count() <= 15);
    assert!(include_str!("../../../README.md").contains(&format!("```rust\n{program}```\n")));
}

/// Who is told what to do must be able to do it: no hint tells a member to write to the database, or to sign.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hint_names_what_its_reader_cannot_do() {
    for error in own(&a_note().await).iter().chain(&below()) {
        for word in ["UPDATE", "INSERT", "sign ", "master key", "unwrap"] {
            assert!(!error.hint().contains(word), "{}: {}", error.code(), error.hint());
        }
    }
}
