//! Every function of the header, called with everything that is wrong: a C program is made from the header, in which
//! each argument in turn is NULL, zero, short, huge, stale, foreign or of another type, while all others are right.
//!
//! Outputs lie at odd addresses between bytes that must not change. After an error each output must be zero.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

#[path = "support/shared.rs"]
mod support;

use support::Function;

/// One call: what is wrong with it, the code that it must give (0: any known one but the panic), and its arguments.
struct Call {
    what: String,
    expected: &'static str,
    arguments: Vec<String>,
}

const ANY: &str = "0";
const NULL: &str = "LUKKO_E_NULL";
const LENGTH: &str = "LUKKO_E_LENGTH";
const BAD_HANDLE: &str = "-1";

/// What a right argument is. Outputs get a place of their own in `mem`.
fn right(function: &Function, at: usize) -> String {
    let (kind, name) = &function.parameters[at];
    let place = if name == "out" { 4096 } else { 64 * at + 1 };
    match kind.as_str() {
        "const void *" => format!("{}.data", input(function, name)),
        "const lukko_bytes *" => match name.as_str() {
            "entries" => "world_entries".to_owned(),
            "statements" => "statements".to_owned(),
            "descriptors" => "descriptors".to_owned(),
            _ => "world_cards".to_owned(),
        },
        "const size_t *" => {
            format!("&{}.len", input(function, &name.replace("_lens", "s").replace("entrys", "entries")))
        }
        "const lukko_place *" if function.name.contains("take_over") => "&world_file_place".to_owned(),
        "const lukko_source *" if function.name.contains("take_over") => "&file_source".to_owned(),
        "const lukko_place *" => "&world_place".to_owned(),
        "const lukko_context *" => "&world_context".to_owned(),
        "const lukko_stored_patient *" => "&world_stored".to_owned(),
        "const lukko_source *" => "&source".to_owned(),
        "const lukko_sink *" => "&sink".to_owned(),
        "size_t" if name == "out_capacity" => "2048".to_owned(),
        "size_t" if name.ends_with("_count") || name == "count" => "1".to_owned(),
        "size_t" if name.ends_with("_len") && name != "note_len" || is_length(function, at) => {
            format!("{}.len", input(function, name.trim_end_matches("_len")))
        }
        "uint32_t" => match name.as_str() {
            "suite" => "LUKKO_SUITE_X25519",
            "k" => "2",
            "n" => "3",
            _ => "1",
        }
        .to_owned(),
        "size_t" => "0".to_owned(),
        "uint64_t" | "int32_t" | "int64_t" => "1".to_owned(),
        kind if kind.ends_with('*') => format!("({kind})(void *)(mem + {place})"),
        kind => format!("world_{kind}"),
    }
}

/// A right input for a parameter of this name.
fn input(function: &Function, name: &str) -> &'static str {
    match name {
        "registrar_key" => "world_registrar_key",
        "public_key" if function.name.starts_with("lukko_registrar") => "world_registrar_key",
        "public_key" => "world_recipient_key",
        "to" if function.name.ends_with("_disclose") => "world_recipient_key",
        "to" | "key" | "lost" => "world_key",
        "cards" if function.name.ends_with("_packed") => "world_card",
        "entries" => "world_entry",
        "grants" | "master_grant" => "world_master_grant",
        "endorsement" => "world_endorsement",
        "card" if function.name.ends_with("_also_found") => "world_card",
        "card" | "cards" | "expect" | "older" | "known" => "world_card_id",
        "descriptor" => "world_descriptor",
        "roster" => "world_roster",
        "entry" => "world_entry",
        "id" if function.name.contains("take_over") => "world_file_id",
        "id" if function.name.ends_with("_at") => "world_id",
        "field" if function.name.contains("take_over") => "world_file_field",
        "field" if function.name.ends_with("_at") => "world_field",
        "record" => "world_record",
        "disclosure" => "world_disclosure",
        "grant" => "world_master_grant",
        "patient" => "patient",
        _ => "junk",
    }
}

/// What an empty input gives. These may be empty: a note, a part of a stream, an expected card, a list of cards.
fn empty(name: &str) -> &'static str {
    match name {
        "note" | "bytes" | "expect" | "cards" | "entries" | "grants" => ANY,
        _ => "LUKKO_E_EMPTY",
    }
}

fn is_length(function: &Function, at: usize) -> bool {
    at > 0 && function.parameters[at].0 == "size_t" && function.parameters[at - 1].0 == "const void *"
}

fn is_output(kind: &str) -> bool {
    kind.ends_with('*') && !kind.starts_with("const")
}

fn is_handle(kind: &str) -> bool {
    kind.starts_with("lukko_") && !kind.ends_with('*')
}

/// What can be wrong with one argument: a description, the code, and what stands there and in the argument after it.
fn wrongs(function: &Function, at: usize) -> Vec<(&'static str, &'static str, String, Option<String>)> {
    let (kind, name) = &function.parameters[at];
    let own = right(function, at);
    let one = |what, code, value: &str| (what, code, value.to_owned(), None);
    let two = |what, code, value: &str, next: &str| (what, code, value.to_owned(), Some(next.to_owned()));
    match kind.as_str() {
        kind if is_handle(kind) => {
            let other = if kind == "lukko_buffer" { "world_lukko_pin" } else { "world_lukko_buffer" };
            let zero = if function.name == "lukko_free" { ANY } else { BAD_HANDLE };
            let mut all = vec![
                one("0", zero, "0"),
                one("1", BAD_HANDLE, "1"),
                one("all bits", BAD_HANDLE, "UINT64_MAX"),
                one("freed", BAD_HANDLE, "stale"),
                one("another generation", BAD_HANDLE, &format!("{own} ^ (UINT64_C(1) << 40)")),
                one("another index", BAD_HANDLE, &format!("{own} ^ (UINT64_C(1) << 20)")),
                one("another type's number", BAD_HANDLE, &format!("{own} ^ (UINT64_C(1) << 63)")),
            ];
            if function.name != "lukko_free" {
                all.push(one("of another type", BAD_HANDLE, other));
            }
            all
        }
        "const void *" => vec![
            two("NULL, 0", empty(name), "NULL", "0"),
            two("NULL, 1", NULL, "NULL", "1"),
            two("length 0", empty(name), &own, "0"),
            two("length 1", ANY, &own, "1"),
            two("length SIZE_MAX", LENGTH, &own, "SIZE_MAX"),
            two("length PTRDIFF_MAX + 1", LENGTH, &own, "(size_t)PTRDIFF_MAX + 1"),
        ],
        "const lukko_bytes *" if name == "descriptors" => vec![one("NULL", NULL, "NULL")],
        "const lukko_bytes *" if name == "statements" => vec![two("NULL", NULL, "NULL", "1")],
        "const lukko_bytes *" => vec![
            two("NULL, 0", ANY, "NULL", "0"),
            two("NULL, 1", NULL, "NULL", "1"),
            two("count SIZE_MAX", LENGTH, &own, "SIZE_MAX"),
            two("count SIZE_MAX / 16", LENGTH, &own, "SIZE_MAX / 16"),
            two("an element NULL, 1", NULL, "null_element", "1"),
            two("an element of SIZE_MAX", LENGTH, "huge_element", "1"),
        ],
        "const size_t *" => vec![
            two("NULL, 1", NULL, "NULL", "1"),
            two("count 0", LENGTH, &own, "0"),
            two("count SIZE_MAX", LENGTH, &own, "SIZE_MAX"),
            two("one byte too short", LENGTH, "&one_len", "1"),
            two("longer than all", LENGTH, "&huge_len", "1"),
            two("an empty element", "LUKKO_E_EMPTY", "&no_len", "1"),
        ],
        "const lukko_place *" => {
            vec![one("NULL", NULL, "NULL"), one("NULL inside", NULL, "&null_place"), one("zeros", ANY, "&zero_place")]
        }
        "const lukko_context *" => vec![
            one("NULL", NULL, "NULL"),
            one("NULL inside", NULL, "&null_context"),
            one("zeros", ANY, "&zero_context"),
        ],
        "const lukko_stored_patient *" if name == "done" => vec![one("NULL inside", NULL, "&null_stored")],
        "const lukko_stored_patient *" => {
            vec![one("NULL", NULL, "NULL"), one("NULL inside", NULL, "&null_stored"), one("zeros", ANY, "&zero_stored")]
        }
        "const lukko_source *" => vec![
            one("NULL", NULL, "NULL"),
            one("no callback", NULL, "&null_source"),
            one("that fails", "LUKKO_E_IO", "&failing_source"),
            one("of 2^64 - 1 bytes", ANY, "&huge_source"),
        ],
        "const lukko_sink *" => vec![
            one("NULL", NULL, "NULL"),
            one("no callback", NULL, "&null_sink"),
            one("that fails", if function.name.contains("reseal") { "LUKKO_E_IO" } else { ANY }, "&failing_sink"),
        ],
        "void *" => vec![
            two("NULL, 0", ANY, "NULL", "0"),
            two("NULL, 1", NULL, "NULL", "1"),
            two("length SIZE_MAX", LENGTH, &own, "SIZE_MAX"),
        ],
        "lukko_share_fault *" => vec![one("NULL", ANY, "NULL")],
        _ if name == "out" => vec![
            two("NULL, 0", ANY, "NULL", "0"),
            two("NULL, 1", NULL, "NULL", "1"),
            two("capacity 0", ANY, &own, "0"),
            two("capacity 1", ANY, &own, "1"),
            two("capacity SIZE_MAX", LENGTH, &own, "SIZE_MAX"),
        ],
        kind if is_output(kind) => vec![one("NULL", NULL, "NULL")],
        "uint32_t" => vec![one("0", ANY, "0"), one("256", ANY, "256"), one("all bits", ANY, "UINT32_MAX")],
        "uint64_t" if name == "now" => vec![
            one("in milliseconds", "LUKKO_E_VALUE", "UINT64_C(1765000000000)"),
            one("after the year 9999", "LUKKO_E_VALUE", "UINT64_C(253402300800)"),
        ],
        "uint64_t" => vec![one("0", ANY, "0"), one("all bits", ANY, "UINT64_MAX")],
        "int64_t" => vec![one("INT64_MIN", ANY, "INT64_MIN"), one("INT64_MAX", ANY, "INT64_MAX")],
        "int32_t" => vec![one("INT32_MIN", ANY, "INT32_MIN")],
        "size_t" if name == "at" || name == "note_len" && !is_length(function, at) => {
            vec![one("SIZE_MAX", ANY, "SIZE_MAX")]
        }
        _ => Vec::new(),
    }
}

fn calls(function: &Function) -> Vec<Call> {
    let rights: Vec<String> = (0..function.parameters.len()).map(|at| right(function, at)).collect();
    let nothing = |kind: &str| if kind.ends_with('*') { "NULL" } else { "0" };
    let nothings: Vec<String> = function.parameters.iter().map(|(kind, _)| nothing(kind).to_owned()).collect();
    let mut calls = vec![Call { what: "everything NULL and 0".to_owned(), expected: ANY, arguments: nothings }];
    for (at, (_, name)) in function.parameters.iter().enumerate() {
        for (what, expected, value, next) in wrongs(function, at) {
            let mut arguments = rights.clone();
            arguments[at] = value;
            if let Some(next) = next {
                arguments[at + 1] = next;
            }
            calls.push(Call { what: format!("{name} {what}"), expected, arguments });
        }
    }
    calls
}

/// The C program, and how many calls it makes.
fn program(functions: &[Function]) -> (String, usize) {
    let (mut text, mut count) = ("#include \"misuse.h\"\n\n".to_owned(), 0);
    for function in functions {
        // The calls in which only another argument is wrong may use a successor up.
        let renews = function.parameters.iter().any(|(kind, _)| kind == "lukko_successor");
        let before = if renews { "before();\n    renew_successor();" } else { "before();" };
        writeln!(text, "static void t_{}(void)\n{{", function.name).unwrap();
        for Call { what, expected, arguments } in calls(function) {
            let (name, list, outputs) = (&function.name, arguments.join(", "), outputs(function, &arguments));
            writeln!(
                text,
                "    {before}\n    {{\n        static const struct output outputs[] = {{{outputs}{{0, 0, 0, 0}}}};\n        \
                 after(\"{name}: {what}\", {expected}, outputs, {name}({list}));\n    }}"
            )
            .unwrap();
            count += 1;
        }
        text.push_str("}\n\n");
    }
    text.push_str("static void every_function(void)\n{\n");
    for function in functions {
        writeln!(text, "    t_{}();", function.name).unwrap();
    }
    text.push_str("}\n\nint main(void)\n{\n    return misuse(every_function);\n}\n");
    (text, count)
}

/// Every output of a call that is not NULL: its place, its length, and the codes that it explains.
fn outputs(function: &Function, arguments: &[String]) -> String {
    let mut list = String::new();
    for (at, (kind, name)) in function.parameters.iter().enumerate() {
        if !is_output(kind) || kind == "void *" || name == "out" || arguments[at] == "NULL" {
            continue;
        }
        let kept = match name.as_str() {
            "out_written" => "LUKKO_E_TOO_SMALL, LUKKO_E_TOO_SMALL",
            "out_fault" => "LUKKO_E_SHARE, LUKKO_E_MALFORMED",
            _ => "0, 0",
        };
        write!(list, "{{{}, sizeof({}), {kept}}}, ", 64 * at + 1, kind.trim_end_matches(" *")).unwrap();
    }
    list
}

/// The program, under a name of its own for each test: two at once would write one file.
fn write_program(name: &str) -> (PathBuf, usize) {
    let (text, count) = program(&support::functions(&support::header()));
    let source = support::folder("misuse").join(name);
    fs::write(&source, text).unwrap();
    (source, count)
}

/// T111, T112, T113, T114, T115, T118: nothing crashes, nothing is written where it must not be, and each call gives its
/// code; first from one thread, then from two at once.
#[test]
fn t111_to_t118_every_function_refuses_everything_that_is_wrong() {
    let (source, count) = write_program("misuse.c");
    let program = support::build(&source, "c99");
    let printed = support::succeed(&mut support::prepared(&program));
    println!("{count} calls of each of 3 rounds: {printed}");
    assert!(count > 2000, "has the header been read? {count} calls");
}

/// T116: with a panic in its way every function gives the code for it, and afterwards works as before.
#[test]
#[cfg(feature = "failpoint")]
fn t116_a_panic_in_any_function_is_a_code() {
    let (source, _) = write_program("panics.c");
    let program = support::build(&source, "c99");
    let printed = support::succeed(support::prepared(&program).env("LUKKO_MISUSE_PANIC", "1"));
    assert!(printed.contains("every function panicked and came back"), "{printed}");
}

/// The parser of the header reads what it should.
#[test]
fn the_header_is_read() {
    let functions =
        support::functions("/* int32_t lukko_no(void); */\nint32_t lukko_a(lukko_b b,\n  const void *c, size_t *d);");
    let expected = [("lukko_b", "b"), ("const void *", "c"), ("size_t *", "d")];
    assert_eq!(functions.len(), 1);
    assert_eq!(functions[0].parameters, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
    let mut kinds = BTreeMap::new();
    for function in support::functions(&support::header()) {
        for (kind, _) in function.parameters {
            *kinds.entry(kind).or_insert(0) += 1;
        }
    }
    println!("parameters by type: {kinds:?}");
}
