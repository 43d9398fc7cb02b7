//! Random files near the border of what is CSV and JSON Lines, compared with what Python's strict readers make of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use lukko::rand_core::TryRng;
use lukko_store::{ImportFault as Fault, ImportFile, ImportMistake};

use crate::clinic::TestRng;

/// How many files of each format: `LUKKO_IMPORT_FILES` in CI, and fewer otherwise.
fn files() -> usize {
    std::env::var("LUKKO_IMPORT_FILES").map_or(5_000, |number| number.parse().unwrap())
}

struct Dice(TestRng);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0.try_next_u64().unwrap() as usize % limit
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// A few of these, one after the other.
    fn some(&mut self, most: usize, of: &[&[u8]]) -> Vec<u8> {
        (0..self.below(most + 1)).flat_map(|_| self.pick(of).to_vec()).collect()
    }

    /// Changes one place, as a broken program or a cut does.
    fn damage(&mut self, text: &mut Vec<u8>, with: &[&[u8]]) {
        let at = self.below(text.len() + 1);
        match self.below(4) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..(at + 1).min(text.len()))),
            _ => drop(text.splice(at..at, self.pick(with).to_vec())),
        }
    }
}

const CSV_PARTS: [&[u8]; 18] = [
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"\\",
    b"\\\"",
    b"\\N",
    b" ",
    b"a",
    b"note",
    b"\0",
    b"\t",
    b";",
    "ä\u{308}\u{2028}".as_bytes(),
    b"\xEF\xBB\xBF",
    b"\xE4",
];

/// What stands in fields that are right.
const TEXTS: [&[u8]; 12] = [
    b"a",
    b"bc",
    b" ",
    b"\\",
    b"'",
    b";",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    "\u{85}".as_bytes(),
    "\u{1f600}".as_bytes(),
];

fn csv(dice: &mut Dice) -> Vec<u8> {
    let ends: [&[u8]; 3] = [b"\n", b"\r\n", b"\r"];
    let end = dice.pick(&ends);
    let mut text = dice.some(1, &[b"\xEF\xBB\xBF", b"", b"\n"]);
    text.extend_from_slice(dice.pick(&[
        &b"patient_id,record_id,note"[..],
        b"\"patient_id\",\"record_id\",\"note\"",
        b"note,patient_id,record_id",
        b"patient_id,record_id,note,plan",
    ]));
    let columns = text.iter().filter(|byte| **byte == b',').count() + 1;
    text.extend_from_slice(end);
    for row in 0..dice.below(5) {
        for column in 0..columns {
            if column > 0 {
                text.push(b',');
            }
            let quoted = dice.one_in(2);
            let mut field = format!("{}{row}", ["x", "y", "z"][dice.below(3)]).into_bytes();
            field.extend(dice.some(3, &TEXTS));
            if quoted {
                field.extend(dice.some(3, &[b"\"\"", b",", b"\n", b"\r\n", b"\r", b"\\"]));
                field = [b"\"", &field[..], b"\""].concat();
            }
            text.extend(field);
        }
        text.extend_from_slice(if dice.one_in(8) { dice.pick(&ends) } else { end });
        text.extend(dice.some(1, &[b"", end]));
    }
    for _ in 0..dice.below(3) {
        dice.damage(&mut text, &CSV_PARTS);
    }
    text
}

const JSON_PARTS: [&[u8]; 22] = [
    b"\"",
    b"\\",
    b"\\\\",
    b"\\\"",
    b"\\ud83d",
    b"\\ude00",
    b"\\uD83D\\uDE00",
    b"\\u0041",
    b"\\u00",
    b"\\x",
    b"\n",
    b"\r\n",
    b"\t",
    b"\x01",
    b",",
    b"{",
    b"}",
    b"null",
    b" ",
    b"\xEF\xBB\xBF",
    b"\xED\xA0\xBD",
    "ä\u{2028}\u{7f}".as_bytes(),
];

fn json(dice: &mut Dice) -> Vec<u8> {
    let escapes: [&[u8]; 9] =
        [b"\\n", b"\\t", b"\\\"", b"\\/", b"\\u00e4", b"\\ud83d\\ude00", b"\\u0000", b" ", "é\u{7f}".as_bytes()];
    let mut text = dice.some(1, &[b"\xEF\xBB\xBF", b"", b"\n"]);
    for row in 0..dice.below(4) {
        text.extend_from_slice(b"{");
        for (index, name) in ["patient_id", "record_id", "note"].into_iter().enumerate() {
            let space = dice.some(1, &[b" ", b"", b"\t", b"\r"]);
            let value = [format!("{index}{row}").as_bytes(), &dice.some(3, &escapes)].concat();
            let comma: &[u8] = if index > 0 { b"," } else { b"" };
            text.extend([comma, &space, b"\"", name.as_bytes(), b"\":", &space, b"\"", &value, b"\"", &space].concat());
        }
        text.extend_from_slice(dice.pick(&[&b"}\n"[..], b"}\r\n", b"}\n\n", b"} \t\r\n"]));
    }
    for _ in 0..dice.below(3) {
        dice.damage(&mut text, &JSON_PARTS);
    }
    text
}

/// What our reader makes of a file: its texts, written as the script writes them.
fn ours(directory: &Path, kind: &str, text: &[u8]) -> Result<String, ImportMistake> {
    // A file of its own: some file systems wait for the disk where one is written over.
    let mut file = tempfile::NamedTempFile::new_in(directory).unwrap();
    file.write_all(text).unwrap();
    let path = file.path();
    let notes = if kind == "csv" { ImportFile::csv(path) } else { ImportFile::json_lines(path) }?;
    let digits = |bytes: &[u8]| match bytes {
        [] => "-".to_owned(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let mut found = Vec::new();
    for patient in notes.patients() {
        for row in notes.rows(patient).unwrap().map(Result::unwrap) {
            for (field, text) in &row.fields {
                let places = [patient.as_bytes(), &row.record, field, text.as_bytes()];
                found.push(places.map(digits).join(" "));
            }
        }
    }
    found.sort();
    found.insert(0, "taken".to_owned());
    Ok(found.join(" "))
}

/// What Python makes of all of them.
fn python(kind: &str, texts: &[Vec<u8>]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/strict.py");
    let mut child = Command::new("python3")
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3, which reads the same files, is installed");
    let (mut given, texts, kind) = (child.stdin.take().unwrap(), texts.to_vec(), kind.to_owned());
    let writer = std::thread::spawn(move || {
        for text in texts {
            given.write_all(format!("{kind} {}\n", text.len()).as_bytes()).unwrap();
            given.write_all(&text).unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Compares all, and counts what came out.
fn compare(kind: &str, seed: u64, make: fn(&mut Dice) -> Vec<u8>, agree: fn(&ImportMistake, &str) -> bool) {
    let mut dice = Dice(TestRng::new(seed));
    let texts: Vec<Vec<u8>> = (0..files()).map(|_| make(&mut dice)).collect();
    let directory = tempfile::tempdir().unwrap();
    let theirs = python(kind, &texts);
    assert_eq!(theirs.len(), texts.len());
    let mut counts = BTreeMap::<&str, usize>::new();
    for (text, theirs) in texts.iter().zip(&theirs) {
        let shown = text.escape_ascii();
        let outcome = match ours(directory.path(), kind, text) {
            // This is the direction that matters: a text that is taken is the text that a strict reader gives.
            Ok(ours) => {
                assert_eq!(&ours, theirs, "{shown}");
                "taken by both"
            }
            Err(mistake) => {
                assert!(agree(&mistake, theirs), "{shown}: {mistake}, and Python: {theirs}");
                if theirs.starts_with("taken") { "taken by Python only" } else { "refused by both" }
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    println!("{kind}: {counts:?}");
    // Both sides of the border are there.
    assert!(["taken by both", "refused by both"].iter().all(|outcome| counts[outcome] > files() / 8), "{counts:?}");
}

/// Whatever is taken is what Python's `csv` gives with `strict=True`, and a row that both refuse begins on the same line.
#[test]
fn csv_is_taken_only_if_a_strict_reader_gives_the_same() {
    compare("csv", 0x4180, csv, |mistake, theirs| match mistake {
        ImportMistake::Row { line, what: Fault::TextBehindQuote { .. } | Fault::QuoteOpen { .. } } => {
            // Python decodes the whole file first, and names no line if it is not UTF-8.
            theirs == format!("refused {line}") || theirs == "refused 0"
        }
        ImportMistake::Row { line, what: Fault::Columns { .. } } => {
            theirs == format!("columns {line}") || theirs.starts_with("refused")
        }
        // Python takes a quote in a field that is not quoted, and checks neither ids nor names.
        _ => true,
    });
}

/// What is taken is what Python's `json` gives, and what it gives is refused only for a name that is not seen whole.
#[test]
fn json_lines_are_taken_if_and_only_if_a_strict_reader_takes_them() {
    compare("json", 0x8259, json, |mistake, theirs| match mistake {
        // Python knows nothing of names that a person cannot tell from others.
        ImportMistake::Row { what: Fault::HiddenInName(_), .. } => true,
        ImportMistake::Row { line, .. } => theirs == format!("refused {line}"),
        ImportMistake::Twice { .. } => theirs == "refused 0",
        _ => false,
    });
}

/// No input makes the readers panic, or say that the file cannot be read.
#[test]
fn random_bytes_are_refused_or_read() {
    let mut dice = Dice(TestRng::new(0x9A0));
    let directory = tempfile::tempdir().unwrap();
    let starts: [&[u8]; 4] =
        [b"", b"patient_id,record_id,note\n", b"\xEF\xBB\xBF", b"{\"patient_id\":\"p\",\"record_id\":\"r"];
    for _ in 0..files() {
        let mut text = dice.pick(&starts).to_vec();
        for _ in 0..dice.below(40) {
            match dice.below(4) {
                0 => text.push(dice.below(256) as u8),
                1 => text.extend_from_slice(dice.pick(&JSON_PARTS)),
                _ => text.extend_from_slice(dice.pick(&CSV_PARTS)),
            }
        }
        for kind in ["csv", "json"] {
            if let Err(mistake @ ImportMistake::Unreadable(_)) = ours(directory.path(), kind, &text) {
                panic!("{}: {mistake}", text.escape_ascii());
            }
        }
    }
}
