//! Bringing a vault back: what fails is named, the rest is read, granted and left alive.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lukko::{ClosedReason, FieldLabel, Padding, RecordContext, RecordId, Revision};
use lukko_store::placed::RecordRow;
use lukko_store::restore::{self, Console, Database, Kept, Named, Shares, fingerprint, shown};
use lukko_store::{Change, Erase, KeyOf, Records, SqliteStore, Store};

use crate::clinic::{Clinic, field, first, patient, rekeyed, with_notes};
use crate::sql::{Sql, hex};

/// What was said.
#[derive(Default)]
pub struct Heard(RefCell<Vec<String>>);

impl Console for Heard {
    fn say(&self, line: &str) {
        self.0.borrow_mut().push(line.to_owned());
    }

    fn complain(&self, line: &str) {
        self.0.borrow_mut().push(format!("! {line}"));
    }

    fn ask(&self) {}
}

pub fn intake() -> FieldLabel<'static> {
    FieldLabel::new("intake").unwrap()
}

fn bytes(id: &[u8]) -> String {
    format!("x'{}'", hex(id))
}

/// Pin and roster, as the clinic keeps them.
pub fn kept(clinic: &Clinic, directory: &Path) -> Kept {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("pin"), clinic.vault.pin().to_bytes()).unwrap();
    fs::write(directory.join("roster"), &clinic.roster).unwrap();
    Kept::new(directory)
}

/// Every file below a directory, by its path from there, with what is in it; each is for its owner alone.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, below: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(below), 0o700, "{}", below.display());
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

/// Patients and records that are named, as text.
pub fn places(named: &[Named]) -> Vec<String> {
    named.iter().map(|named| named.to_string().split(':').next().unwrap().to_owned()).collect()
}

/// Five patients: one is whole, one has a damaged master grant, one is in the middle of a re-key, one has a damaged note and
/// deposits, and one has ids that are no names for files.
async fn damaged(store: &impl Store, sql: &Sql, clinic: &mut Clinic) -> BTreeMap<String, Vec<u8>> {
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let mut expected = BTreeMap::new();
    let mut note = |path: String, text: &str| drop(expected.insert(path, text.as_bytes().to_vec()));
    for id in ["p-1", "p-2", "p-3", "p-4"] {
        let old = with_notes(store, clinic, id, 3).await;
        for number in 0..3 {
            if id != "p-2" && (id, number) != ("p-4", 1) {
                note(format!("{id}/r-000{number}.note"), &format!("session {number} of {id}"));
            }
        }
        if id == "p-3" {
            let new = rekeyed(store, clinic, id, &old).await;
            let sealed = clinic.seal(&new.key, "r-0003", 1, "after the re-key");
            let new = RecordRow { ..first(id, "r-0003", new.card_id, &sealed) };
            store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
            note("p-3/r-0003.note".to_owned(), "after the re-key");
        }
        if id == "p-4" {
            let stored = store.patient(clinic.id(), patient(id)).await.unwrap();
            let cards = stored.card_bytes();
            let card = clinic.vault.card(patient(id), &stored.stored(1, &cards).unwrap(), None).unwrap();
            for (field, name) in [(intake(), "intake"), (field(), "note")] {
                let made =
                    clinic.vault.deposit(&card, &clinic.aalto, field, Padding::Padme, b"ward 7", &mut clinic.rng);
                let made = made.unwrap();
                let (record, field) = (made.record.as_bytes(), field.as_bytes());
                let new = RecordRow { record, field, revision: 0, ..first(id, "x", card.id(), &made.bytes) };
                store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
                if name == "intake" {
                    note(format!("p-4/{}.intake", made.record), "ward 7");
                }
            }
        }
    }
    // Ids that lead elsewhere, that set a terminal's title, that are no text, and that are too long for a name.
    let odd: [(&[u8], &str); 7] = [
        (b"../../p-1/r-0000", "%2E%2E%2F%2E%2E%2Fp-1%2Fr-0000"),
        (b"\x1b]0;owned\x1b\\", "%1B%5D0%3Bowned%1B%5C"),
        (b"r.1", "r%2E1"),
        (b"\xff\xfe", "%FF%FE"),
        (b"a b", "a%20b"),
        ("m\u{e4}nni".as_bytes(), "m%C3%A4nni"),
        (b"100%", "100%25"),
    ];
    let (enrolled, grants) = clinic.enrol(" p/5.");
    store.apply(clinic.id(), &lukko_store::enrolment(patient(" p/5."), 1, &enrolled, &grants).unwrap()).await.unwrap();
    let (long, longer) = ([b'a'; 255], [[b'a'; 254].as_slice(), b"b"].concat());
    for (number, name) in odd.iter().map(|odd| odd.0).chain([&long[..], &longer]).enumerate() {
        let text = format!("odd {number}");
        let place = RecordContext::new(RecordId::new(name).unwrap(), field(), Revision::FIRST);
        let sealed = clinic.vault.seal(&enrolled.key, &place, text.as_bytes(), &mut clinic.rng).unwrap();
        let new = RecordRow { record: place.record().as_bytes(), ..first(" p/5.", "x", enrolled.card_id, &sealed) };
        store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
        if let Some((_, file)) = odd.get(number) {
            note(format!("%20p%2F5%2E/{file}.note"), &text);
        }
    }
    sql.run(&format!("UPDATE endorsement SET master_grant = x'00' WHERE patient = {}", bytes(b"p-2"))).await;
    spoil(sql, "p-4", "r-0001").await;
    expected
}

/// The last byte of a sealed note is another one.
async fn spoil(sql: &Sql, patient: &str, record: &str) {
    let (patient, record) = (bytes(patient.as_bytes()), bytes(record.as_bytes()));
    let place = format!("WHERE patient = {patient} AND record = {record}");
    match sql {
        Sql::Sqlite(_) => {
            let altered = "cast(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB)";
            sql.run(&format!("UPDATE record SET sealed = {altered} {place}")).await;
        }
        Sql::Postgres(_) => {
            let altered = "substr(sealed, 1, length(sealed) - 1) || x'00'";
            sql.run(&format!("UPDATE record SET sealed = {altered} {place}")).await;
        }
    }
}

/// Everything that opens is in a file, once and under a name of its own; what does not is named; and a second run goes on.
async fn read_goes_on(store: &impl Store, sql: &Sql) {
    let scratch = tempfile::tempdir().unwrap();
    let mut clinic = Clinic::new(0x0405);
    let expected = damaged(store, sql, &mut clinic).await;
    let (root, master) = (scratch.path().join("notes"), clinic.recover());
    let by = (&clinic.vault, &master);
    let report = restore::read(store, None, by, &[intake()], &root).await.unwrap();
    let mut found = files(&root);
    let list = String::from_utf8(found.remove("which-file-is-which.txt").unwrap()).unwrap();
    let long: Vec<(String, Vec<u8>)> =
        found.iter().filter(|(name, _)| name.contains('~')).map(|(name, text)| (name.clone(), text.clone())).collect();
    found.retain(|name, _| !name.contains('~'));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found == expected);
    // Long ids are cut, and the list tells them apart.
    let mut texts: Vec<&[u8]> = long.iter().map(|(_, text)| text.as_slice()).collect();
    texts.sort();
    assert_eq!(texts, [b"odd 7", b"odd 8"]);
    for (name, text) in &long {
        let last = if text == b"odd 7" { "aaa, field note" } else { "aab, field note" };
        assert!(list.lines().any(|line| line.starts_with(&format!("{name}\t")) && line.ends_with(last)), "{list}");
    }
    assert!(list.contains("%1B%5D0%3Bowned%1B%5C.note\trecord \\u{1b}]0;owned\\u{1b}\\\\, field note\n"), "{list}");

    assert_eq!((report.patients, report.records, report.earlier), (4, expected.len() + 2, 0));
    let unread = places(&report.unread);
    assert_eq!(unread.len(), 3, "{unread:?}");
    assert_eq!((unread[0].as_str(), unread[2].as_str()), ("p-2 key", "p-4 r-0001 note"));
    assert!(unread[1].starts_with("p-4 ") && unread[1].ends_with(" note"), "{unread:?}");
    assert!(report.unread[1].what.contains("a deposit stands in the place of a note"), "{report:?}");

    // The next run does not touch what is there.
    fs::write(root.join("p-1/r-0000.note"), "mine").unwrap();
    let again = restore::read(store, None, by, &[intake()], &root).await.unwrap();
    assert_eq!((again.records, again.earlier, again.unread), (report.records, report.records, report.unread));
    assert_eq!(fs::read(root.join("p-1/r-0000.note")).unwrap(), b"mine");
    // Nobody else may enter the directory.
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = restore::read(store, None, by, &[], &root).await.unwrap_err().to_string();
    assert!(refused.contains("others may enter it"), "{refused}");
}

/// Whoever opens is granted, with older cards; who does not is named. A second run goes on, as the same member.
async fn admit_goes_on(store: &impl Store, sql: &Sql) {
    let scratch = tempfile::tempdir().unwrap();
    let mut clinic = Clinic::new(0x0505);
    damaged(store, sql, &mut clinic).await;
    let (kept, master) = (kept(&clinic, &scratch.path().join("kept")), clinic.recover());
    let (file, heard) = (scratch.path().join("dr-new.key"), Heard::default());
    let grant = store.patient(clinic.id(), patient("p-1")).await.unwrap().grants[0].clone();
    let before = clinic.vault.roster().members().count();
    let mut members = Vec::new();
    for run in 0..3 {
        let root = (&mut clinic.vault, &master);
        let done = restore::admit(store, root, &kept, ("dr-new", &file), &heard).await.unwrap();
        members.push(done.member.fingerprint());
        assert_eq!((done.granted, places(&done.missed)), (4, vec!["p-2 key".to_owned()]), "{run}: {:?}", done.missed);
        assert_eq!(clinic.vault.roster().members().count(), before + 1);
        let whole = (&clinic.vault, KeyOf::Member(&done.member));
        let (patients, findings) = restore::verify(store, None, whole, &[intake()], SystemTime::now).await.unwrap();
        let mut findings = places(&findings);
        findings.sort();
        assert_eq!((patients, findings.len(), findings[0].as_str()), (5, 3, "p-2 key"), "{findings:?}");
        // What the first run granted is lost, or replaced by a thief: the next one mends it.
        let row = format!("patient = {} AND recipient = {}", bytes(b"p-3"), bytes(members[0].as_bytes()));
        if run == 0 {
            sql.run(&format!("DELETE FROM patient_grant WHERE {row}")).await;
        } else {
            sql.run(&format!("UPDATE patient_grant SET bytes = {} WHERE {row}", bytes(&grant.bytes))).await;
        }
    }
    members.dedup();
    assert_eq!(members.len(), 1);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // The file is the key of one member, and admits no other one.
    let root = (&mut clinic.vault, &master);
    let refused = restore::admit(store, root, &kept, ("dr-other", &file), &heard).await.unwrap_err().to_string();
    assert!(refused.contains("it is the key of dr-new, not of dr-other"), "{refused}");
}

/// The erased patient of a backup is erased again. One who was enrolled anew under the same id is not, though the old card
/// came back, or was put there by a thief. Where it is not clear, nothing is deleted.
async fn erasures_are_caught_up(store: &impl Store, sql: &Sql) {
    let scratch = tempfile::tempdir().unwrap();
    let mut clinic = Clinic::new(0x0713);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let mut old = Vec::new();
    for id in ["p-1", "p-2", "p-3", "p-4"] {
        old.push(with_notes(store, &mut clinic, id, 2).await);
    }
    let erased: Vec<_> = old[..3].iter().map(|old| old.card_id).collect();
    let (version, roster) = clinic.closing(&erased, ClosedReason::Erased);
    store.apply(clinic.id(), &[Change::Roster { generation: 1, version, roster: &roster }]).await.unwrap();
    clinic.follow(&roster);
    let keys = [clinic.salo.fingerprint()];
    for (id, card) in [("p-1", erased[0]), ("p-3", erased[2])] {
        let (patient, vault, cards, records) = (patient(id), &clinic.vault, [card], Records::Delete);
        let erase = Erase { patient, vault, cards: &cards, keys: &keys, at: 1, records, claim: None };
        store.apply(clinic.id(), &[Change::Erase(erase)]).await.unwrap();
        with_notes(store, &mut clinic, id, 2).await;
        let vault = bytes(clinic.id().as_bytes());
        let old = &old[if id == "p-1" { 0 } else { 2 }];
        let row = [vault, bytes(id.as_bytes()), "2".into(), bytes(card.as_bytes()), bytes(&old.card)].join(", ");
        sql.run(&format!("INSERT INTO card (vault, patient, version, card, bytes) VALUES ({row})")).await;
    }
    sql.run(&format!("UPDATE endorsement SET endorsement = x'00' WHERE patient = {}", bytes(b"p-3"))).await;
    let (kept, heard) = (kept(&clinic, &scratch.path().join("kept")), Heard::default());
    let unclear = kept.catch_up(store, &clinic.vault, 7, &heard).await.unwrap();
    assert_eq!(places(&unclear), ["p-3 key"]);
    let mut left = Vec::new();
    for id in ["p-1", "p-2", "p-3", "p-4"] {
        left.push(store.records(clinic.id(), patient(id), None, 10).await.unwrap().len());
    }
    assert_eq!(left, [2, 0, 2, 2]);
    assert_eq!(heard.0.borrow()[..], ["1 patients who were erased after the backup are erased again"]);
}

crate::sql::on_both! { "bring_back";
    read_goes_on: t145_read_goes_on_in_sqlite, t145_read_goes_on_in_postgresql;
    admit_goes_on: t145_admit_goes_on_in_sqlite, t145_admit_goes_on_in_postgresql;
    erasures_are_caught_up: t108_an_old_card_erases_nobody_in_sqlite, t108_an_old_card_erases_nobody_in_postgresql;
}

/// From the first share to the open vault. A share of elsewhere, a byte that is no text, and a mistyped share are named; what
/// was given before stands, and nothing of a share is said.
#[tokio::test]
async fn t145_one_bad_line_does_not_throw_away_the_shares_before_it() {
    let scratch = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    let (clinic, other) = (Clinic::new(0x1601), Clinic::new(0x1602));
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let kept = kept(&clinic, &scratch.path().join("kept"));
    let text = |clinic: &Clinic, number: usize| clinic.shares[number].to_text().expose().as_bytes().to_vec();
    let (one, two, three) = (text(&clinic, 0), text(&clinic, 1), text(&clinic, 2));
    let mistyped = [&two[..60], &two[61..]].concat();
    let lines: [&[&[u8]]; 4] = [
        &[&text(&other, 0), b"\r\n", &one, b"\r\n", b"lukko1\xa0\n", &mistyped, b"\n", &one, b"\n\n  \n", &two, b"\n"],
        // Files without an end of line, put together.
        &[&one, &three],
        &[b"\n", &one.to_ascii_uppercase(), b" \t", &two],
        &[&mistyped, &one, &three, b"\n"],
    ];
    for (number, input) in lines.iter().enumerate() {
        let input = input.concat();
        let (mut shares, heard) = (Shares::new(BufReader::new(&input[..])), Heard::default());
        let (vault, master, unclear) = restore::open(&store, &kept, &mut shares, 7, &heard).await.unwrap();
        assert_eq!((vault.descriptor().master_fingerprint(), unclear.len()), (master.fingerprint(), 0));
        let heard = heard.0.into_inner();
        let complaints: Vec<&String> = heard.iter().filter(|line| line.starts_with('!')).collect();
        assert_eq!(complaints.len(), [4, 0, 0, 1][number], "{heard:?}");
        if number == 0 {
            assert!(complaints[0].contains("does not have the vault that this share is of"), "{heard:?}");
            assert!(complaints[1].contains("byte 6 is no text"), "{heard:?}");
            assert!(complaints[2].contains("131"), "{heard:?}");
            assert!(complaints[3].contains("a share of this index was given already"), "{heard:?}");
        }
        let said = heard.concat();
        for share in [&one, &two, &three] {
            let share = String::from_utf8(share.clone()).unwrap();
            for at in 0..share.len() - 8 {
                assert!(!said.contains(&share[at..at + 8]), "a part of a share was said");
            }
        }
    }
    let (mut shares, heard) = (Shares::new(BufReader::new(&one[..])), Heard::default());
    let refused = restore::open(&store, &kept, &mut shares, 7, &heard).await.unwrap_err().to_string();
    assert!(refused.contains("1 of 2 shares, and no more were given: call 1 more"), "{refused}");
    let (mut shares, heard) = (Shares::new(BufReader::new(&b""[..])), Heard::default());
    let refused = restore::open(&store, &kept, &mut shares, 7, &heard).await.unwrap_err().to_string();
    assert!(refused.contains("no share was given"), "{refused}");
}

#[test]
fn t145_a_fingerprint_is_read_as_people_give_it() {
    let digits: String = (0..64).map(|at| char::from_digit(at * 7 % 16, 16).unwrap()).collect();
    let expected: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect();
    let groups = |size: usize, between: &str| {
        let groups: Vec<&str> = (0..64 / size).map(|at| &digits[at * size..(at + 1) * size]).collect();
        groups.join(between)
    };
    let file = Path::new("kept/fingerprint");
    let good = [
        digits.clone(),
        format!("\u{feff}{digits}"),
        format!("{digits}\r\n"),
        digits.to_uppercase(),
        groups(8, " "),
        groups(8, "\u{a0}"),
        groups(32, "\n"),
        groups(2, ":"),
        groups(4, "-"),
        groups(16, "\u{200b}\u{2060}\u{ad}"),
    ];
    for text in good {
        assert_eq!(fingerprint(text.as_bytes(), file).unwrap().as_bytes()[..], expected, "{text:?}");
    }
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(digits.bytes().flat_map(|digit| [digit, 0])).collect();
    let bare: Vec<u8> = digits.bytes().flat_map(|digit| [digit, 0]).collect();
    let cases: [(&[u8], &str); 7] = [
        (&utf16, "it is not plain text. PowerShell writes UTF-16"),
        (&bare, "it is not plain text"),
        (&digits.as_bytes()[1..], "it has 63 hexadecimal digits, and a fingerprint has 64"),
        (&[digits.as_bytes(), b"0"].concat(), "it has 65 hexadecimal digits"),
        (b"", "it has 0 hexadecimal digits"),
        (&[b"01\n2O", &digits.as_bytes()[4..]].concat(), "line 2, character 2: `O` is no hexadecimal digit"),
        (b"12\x1b34", "line 1, character 3: `\\u{1b}` is no hexadecimal digit"),
    ];
    for (text, why) in cases {
        let refused = fingerprint(text, file).unwrap_err().to_string();
        assert!(refused.starts_with("kept/fingerprint: ") && refused.contains(why), "{refused}");
    }
}

#[test]
fn t145_a_database_is_named_by_either_scheme() {
    for text in ["postgres:///clinic", "postgresql:///clinic", "POSTGRES:///clinic", "PostgreSQL:///clinic"] {
        assert_eq!(Database::new(text), Database::Server("postgres:///clinic".to_owned()), "{text}");
    }
    for text in ["clinic.db", "./postgres", "postgres.db", "C:\\clinic.db", "mysql://clinic"] {
        assert_eq!(Database::new(text), Database::File(PathBuf::from(text)), "{text}");
    }
}

/// No id of the database reaches the terminal in which custodians type.
#[test]
fn t145_ids_are_escaped_on_terminals() {
    let odd: [&[u8]; 5] =
        [b"\x1b]0;owned\x1b\\", b"\r\x1b[2K0 findings", b"\xff\x1b\xc2\x9b", "\u{9b}2J\u{202e}".as_bytes(), b"\n"];
    for id in odd {
        let named = Named { patient: id.to_vec(), record: Some((id.to_vec(), id.to_vec())), what: "x".to_owned() };
        for text in [shown(id), named.to_string()] {
            assert!(text.chars().all(|letter| !letter.is_control() && letter != '\u{202e}'), "{text:?}");
        }
    }
    assert_eq!(shown("p-1 m\u{e4}nni".as_bytes()), "p-1 m\u{e4}nni");
}
