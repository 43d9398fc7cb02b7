//! Files that are not taken: each cause is named, with the line on which the row begins and without a text of a note.

use lukko_store::{ImportColumn, ImportFault as Fault, ImportFile, ImportMistake};

use crate::import::{HEADER, csv, json_lines};

fn column(number: usize, name: &str) -> ImportColumn {
    ImportColumn { number, name: (!name.is_empty()).then(|| name.to_owned()) }
}

/// What stands in the notes below, and in no message.
const TEXTS: [&str; 4] = ["Geheim", "stop", "tall", "mood"];

#[track_caller]
fn refused(file: Result<ImportFile, ImportMistake>, line: u64, what: Fault) -> String {
    let refused = file.unwrap_err();
    let (said, shown) = (refused.to_string(), format!("{refused:?}"));
    let ImportMistake::Row { line: named, what: found } = refused else { panic!("{shown}") };
    assert_eq!((named, found), (line, what), "{said}");
    assert!(TEXTS.iter().all(|text| !said.contains(text) && !shown.contains(text)), "{said} {shown}");
    assert!(said.starts_with(&format!("line {line}: ")) && said.ends_with("; nothing was imported"), "{said}");
    said
}

/// One patient's note must not swallow the rows of others.
#[test]
fn a_quote_in_the_wrong_place_is_refused_in_every_row() {
    let text = |rows: &str| csv(format!("{HEADER}{rows}").as_bytes());
    let behind = |opened| Fault::TextBehindQuote { opened };
    let open = |opened| Fault::QuoteOpen { opened };
    refused(text("p-1,r-1,\"Geheim\np-2,r-2,slept better\np-3,r-3,and \"so on\n"), 2, behind(2));
    refused(text("p-0,r-0,a\np-1,r-1,\"x\ny\",\"Geheim\np-2,r-2,ab \"so on\n"), 3, behind(4));
    refused(text("p-1,r-1,\"Geheim\"two\n"), 2, behind(2));
    refused(text("p-1,r-1,\"Geheim\" \np-2,r-1,two\n"), 2, behind(2));
    refused(text("p-1,r-1,\"Geheim\"\u{a0}\r\n"), 2, behind(2));
    refused(text("p-1,r-1,he is 6'2\" tall\n"), 2, Fault::QuoteInside);
    refused(text("p-1,r-1,he is 6'2\" tall\np-1,r-2,two\n"), 2, Fault::QuoteInside);
    refused(text("p-1,r-1, \"Geheim\"\np-1,r-2,two\n"), 2, Fault::QuoteInside);
    refused(text("p-1,r-1,one\np-1,r-2,\"Geheim\nand no end\n"), 3, open(3));
    refused(text("p-1,r-1,\"a\r\nb\",\r\n"), 2, Fault::Columns { found: 4, expected: 3 });
    refused(text("p-1,r-1,\"\"\"\n"), 2, open(2));
    refused(text("\"p\n1\",\"r\n1\",\"Geheim"), 2, open(4));
    refused(text("p-1,r-1,\""), 2, open(2));
    // What looks near it, and is right.
    for rows in ["p-1,r-1,\"\"\"\"\n", "p-1,r-1,\"\"", "\"p-1\",\"r-1\",\"a\r\n\"\"b\"\",\"\r", "p-1,r-1,a\\,\n\n"] {
        let rows = if rows.ends_with(",\n\n") { rows.replace("\\,", "\\") } else { rows.to_owned() };
        assert_eq!(text(&rows).unwrap().len(), 1, "{rows:?}");
    }
}

/// Programs that write a backslash before a quote: a strict reader refuses, and a lenient one alters the text.
#[test]
fn backslashes_before_quotes_are_named() {
    let hint =
        refused(csv(b"patient_id,record_id,note\np-1,r-1,\"{\\\"mood\\\":\\\"low\\\"}\"\n"), 2, Fault::Backslash);
    assert!(
        hint.contains("a quote inside a quoted field is written as two quotes; this file seems to use backslashes")
    );
    let quoted = "\"patient_id\",\"record_id\",\"note\"\n";
    let text = |rows: &str| csv(format!("{quoted}{rows}").as_bytes());
    refused(text("\"p-1\",\"r-1\",\"He said \\\"stop\\\".\"\n\"p-1\",\"r-2\",\"ok\"\n"), 2, Fault::Backslash);
    refused(text("\"p-1\",\"r-1\",\"ends with \\\"stop\\\"\"\n"), 2, Fault::Backslash);
    refused(text("\"p-1\",\"r-1\",\"ok\"\n\"p-2\",\"r-1\",\"stop \\\"\"\n"), 3, Fault::Backslash);
    refused(csv(b"patient_id,record_id,note\np-1,r-1,he said \\\"stop\\\"\n"), 2, Fault::Backslash);
    refused(text("\"p-1\",\"r-1\",\"line one\\\nline two\"\n\"p-1\",\"r-2\",\\N\n"), 4, Fault::Null);
    // A backslash that is text, in a file that is right.
    assert_eq!(text("\"C:\\\",\"r-1\",\"\\N\"\np-1,r-1,\\N.\n").unwrap().len(), 2);
}

#[test]
fn a_first_row_that_is_wrong_is_said_to_be_what_it_is() {
    let first = |row: &str| csv(format!("{row}\np-1,r-1,Geheim,x\n").as_bytes());
    refused(csv(b""), 1, Fault::Empty);
    refused(csv(b"\xEF\xBB\xBF\r\n\n"), 1, Fault::Empty);
    refused(first("patient_id;record_id;note"), 1, Fault::Separator(';'));
    refused(first("\"patient_id\";\"record_id\";\"note\""), 1, Fault::Separator(';'));
    refused(first("\n\npatient_id\trecord_id\tnote"), 3, Fault::Separator('\t'));
    refused(first("patient_id|record_id|note, free"), 1, Fault::Separator('|'));
    refused(first("sep=;\npatient_id;record_id;note"), 1, Fault::SepLine);
    refused(first("SEP=,\npatient_id,record_id,note"), 1, Fault::SepLine);
    refused(first("# exported 2026-11-28\npatient_id,record_id,note"), 1, Fault::Comment);
    refused(first("# \"all\" patients; all notes; all\npatient_id,record_id,note"), 1, Fault::Comment);
    let almost = |number, name: &str, id| Fault::AlmostNamed(column(number, name), id);
    refused(first("Patient_ID,Record_ID,note"), 1, almost(1, "Patient_ID", "patient_id"));
    refused(first("patient_id, record_id, note"), 1, almost(2, "", "record_id"));
    refused(first("patient_id\u{200b},record_id,note"), 1, almost(1, "", "patient_id"));
    refused(first("note,record_id,Patient-Id"), 1, almost(3, "Patient-Id", "patient_id"));
    refused(first("patient_id,record_id,note,"), 1, Fault::NoName(column(4, "")));
    refused(first("patient_id,,record_id"), 1, Fault::NoName(column(2, "")));
    refused(first("patient_id,record_id,note,note"), 1, Fault::SameName(column(3, "note"), column(4, "note")));
    let twice = Fault::SameName(column(1, "patient_id"), column(3, "patient_id"));
    refused(first("patient_id,record_id,patient_id,note"), 1, twice);
    refused(first("patient_id,record_id, note"), 1, Fault::HiddenInName(column(3, "")));
    refused(first("patient_id,record_id,note\u{feff}"), 1, Fault::HiddenInName(column(3, "")));
    refused(first("patient_id,record_id,\"no\nte\""), 1, Fault::HiddenInName(column(3, "")));
    refused(first(&format!("patient_id,record_id,{}", "x".repeat(256))), 1, Fault::LongName(column(3, "")));
    assert!(csv(format!("patient_id,record_id,{}\n", "x".repeat(255)).as_bytes()).is_ok());
    refused(first("patient_id,record_id"), 1, Fault::NoFields);
    refused(first("patient_id,note"), 1, Fault::Missing("record_id"));
    // Without a first row of names: the first note is not repeated.
    refused(csv(b"p-1,r-1,Geheim\np-2,r-1,Geheim\n"), 1, Fault::Missing("patient_id"));
    refused(csv(b"p-1,r-1,\"Geheim\"x\n"), 1, Fault::TextBehindQuote { opened: 1 });
    // Names with a semicolon or a space inside are names.
    assert_eq!(csv(b"record_id,patient_id,plan; long term\nr-1,p-1,a\n").unwrap().len(), 1);
}

#[test]
fn a_row_that_is_wrong_is_named_by_the_line_on_which_it_begins() {
    let text = |rows: &str| csv(format!("{HEADER}{rows}").as_bytes());
    let empty = |name| Fault::IdLength { name, length: 0 };
    let columns = |found| Fault::Columns { found, expected: 3 };
    refused(text("p-1,r-1,one\n\n\n\np-1,,bad\n"), 6, empty("record_id"));
    refused(text("p-1,r-1,one\r\n\r\n\n\r\np-1,,bad\r\n"), 6, empty("record_id"));
    refused(csv(b"patient_id,record_id,note\rp-1,r-1,one\rp-1,r-2,two\rp-1,,bad\r"), 4, empty("record_id"));
    refused(text("p-1,r-1,\"a\nb\r\nc\rd\"\n,r-2,two\n"), 6, empty("patient_id"));
    refused(text("p-1,r-1,one\np-1,r-2\n"), 3, columns(2));
    refused(text("p-1,r-1,one\np-1,r-2,two, Geheim\n"), 3, columns(4));
    refused(text("p-1,r-1,one\n \np-1,r-2,two\n"), 3, columns(1));
    refused(text("p-1,r-1,one\n\"\"\n"), 3, columns(1));
    refused(
        text(&format!("p-1,{},Geheim\n", "x".repeat(2_000))),
        2,
        Fault::IdLength { name: "record_id", length: 2_000 },
    );
    // Encodings.
    refused(csv(b"patient_id,record_id,note\np-1,r-1,\"one\n\"\np-1,r-2,\"Geheim\nM\xE4ki\"\n"), 4, Fault::NotUtf8);
    refused(csv(b"patient_id,record_id,note\np-1,r-1,\xED\xA0\xBD\n"), 2, Fault::NotUtf8);
    refused(csv(b"\xFF\xFEp\0a\0t\0"), 1, Fault::Utf16);
    refused(csv(b"\xFE\xFF\0p\0a\0t"), 1, Fault::Utf16);
    refused(csv(b"p\0a\0t\0i\0"), 1, Fault::Utf16);
    refused(csv(b"PK\x03\x04\x14\0"), 1, Fault::Archive);
    // A byte order mark is passed over once, and a text may hold whatever UTF-8 can.
    let file = csv(b"\xEF\xBB\xBFpatient_id,record_id,note\np-1,r-1,a\0\xC2\x85\xE2\x80\xA8b\n").unwrap();
    assert_eq!(file.len(), 1);
    refused(
        csv(b"\xEF\xBB\xBF\xEF\xBB\xBFpatient_id,record_id,note\n"),
        1,
        Fault::AlmostNamed(column(1, ""), "patient_id"),
    );
}

#[test]
fn a_line_of_json_that_is_wrong_is_said_to_be_what_it_is() {
    // The value of `note` begins at byte 42.
    let right = "{\"patient_id\":\"p\",\"record_id\":\"r\",\"note\":\"Geheim\"}";
    let note = |value: &str| json_lines(format!("\n{{\"patient_id\":\"p\",\"record_id\":\"r\",\"note\":{value}}}\n"));
    let kind = |kind| Fault::NotString { column: column(3, "note"), kind };
    refused(json_lines(format!("[\n{right}\n]\n")), 1, Fault::JsonArray);
    refused(json_lines(format!("{right}\n\"Geheim\"\n")), 2, Fault::JsonNotObject);
    refused(json_lines("patient_id,record_id,note\n"), 1, Fault::JsonNotObject);
    for (value, what) in [
        ("null", "null"),
        ("17", "a number"),
        ("-1", "a number"),
        ("true", "true or false"),
        ("[\"Geheim\"]", "a list"),
        ("{\"a\":\"Geheim\"}", "an object"),
    ] {
        refused(note(value), 2, kind(what));
    }
    let number = Fault::NotString { column: column(1, "patient_id"), kind: "a number" };
    refused(json_lines("{\"patient_id\":17,\"record_id\":\"r\",\"note\":\"a\"}"), 1, number);
    refused(note("Geheim"), 2, Fault::Json { byte: 42 });
    refused(note("\"Geheim\",\"plan\":\"a\" \"b\""), 2, Fault::Json { byte: 62 });
    refused(note("\"Geheim\","), 2, Fault::Json { byte: 51 });
    refused(note("\"a\tb\""), 2, Fault::JsonControl { byte: 44 });
    refused(note("\"a\rb\""), 2, Fault::JsonControl { byte: 44 });
    refused(note("\"\\x\""), 2, Fault::Json { byte: 43 });
    refused(note("\"\\u00g0\""), 2, Fault::Json { byte: 47 });
    for half in ["\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\ud83d\\ud83d\\ude00", "\\ud83dx"] {
        refused(note(&format!("\"é{half}\"")), 2, Fault::JsonHalf { byte: 45 });
    }
    refused(note("\"Geheim\nb\""), 2, Fault::JsonCut);
    refused(json_lines(format!("{right}\n{{\"patient_id\":\"p\",\"record_id\":\"r2\",\"no")), 2, Fault::JsonCut);
    refused(json_lines("{\n\"patient_id\":\"p\"\n}\n"), 1, Fault::JsonCut);
    refused(json_lines(format!("{right},\n{right}\n")), 1, Fault::JsonBehind);
    refused(json_lines(format!("{right}\r{right}\r")), 1, Fault::JsonBehind);
    // Names, as in CSV.
    refused(note("\"a\",\"n\\u006fte\":\"Geheim\""), 2, Fault::SameName(column(3, "note"), column(4, "note")));
    refused(note("\"a\",\"\":\"Geheim\""), 2, Fault::NoName(column(4, "")));
    refused(note("\"a\",\"\\u200bplan\":\"Geheim\""), 2, Fault::HiddenInName(column(4, "")));
    refused(json_lines(format!("{right}\n{{\"patient_id\":\"p-1\"}}")), 2, Fault::Missing("record_id"));
    let almost = Fault::AlmostNamed(column(2, "recordId"), "record_id");
    refused(json_lines("{\"patient_id\":\"p-1\",\"recordId\":\"r\"}"), 1, almost);
    refused(json_lines("{}"), 1, Fault::Missing("patient_id"));
    let id = format!("{{\"patient_id\":\"{}\",\"record_id\":\"r\",\"note\":\"a\"}}", "x".repeat(2_000));
    refused(json_lines(id), 1, Fault::IdLength { name: "patient_id", length: 2_000 });
    // Encodings.
    refused(json_lines(b"{\"patient_id\":\"p\",\"record_id\":\"r\",\"note\":\"M\xE4ki\"}\n"), 1, Fault::NotUtf8);
    refused(json_lines(b"\xFF\xFE{\0\"\0"), 1, Fault::Utf16);
    refused(json_lines(b"{\0\"\0p\0"), 1, Fault::Utf16);
    assert_eq!(json_lines(format!("\u{feff}\n \t\r\n{right}\r\n")).unwrap().len(), 1);
    refused(json_lines(format!("\n\u{feff}{right}")), 2, Fault::JsonNotObject);
}

/// A name that a person would take for a text is not repeated.
#[test]
fn a_name_is_repeated_only_if_it_looks_like_one() {
    for name in ["Geheim und mehr", "Geheim!", "Geheimnis-in-einem-Wort-von-mehr-als-40-Zeichen", "Geh\u{e4}im"] {
        let line = format!("{{\"{name}\":null}}");
        refused(json_lines(line), 1, Fault::NotString { column: column(1, ""), kind: "null" });
    }
}
