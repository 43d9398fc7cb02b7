//! The page, the code, the vectors and the Python verifier beside the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use lukko::Suite;

use super::*;
use crate::case::Layer;
use crate::fields::{self, Field};
use crate::world::World;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// All `.rs` files of a folder, one behind the other, without their unit tests.
fn sources(folder: &str) -> String {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let is_source = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs");
    let texts = files.filter(is_source).map(|path| fs::read_to_string(path).unwrap());
    texts.map(|text| text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()).collect()
}

/// What stands between `before` and `after`, at every place.
fn between<'a>(text: &'a str, before: &str, after: char) -> BTreeSet<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_page_has_the_tables() {
    let page = read("docs/FORMAT.md");
    let now = rewritten(&page).unwrap();
    assert!(page == now, "run: cargo run -p lukko-vectors -- page docs/FORMAT.md");
    for kind in ["objects", "checks"] {
        for name in tables()[kind].as_object().unwrap().keys() {
            let mark = if kind == "objects" { "fields" } else { "checks" };
            assert!(page.contains(&format!("<!-- {mark} {name} -->")), "{kind} {name}");
        }
    }
}

/// The registry of the code, by what its comments say of each label's use.
#[test]
fn the_code_has_the_labels() {
    let source = read("src/keys/labels.rs");
    let uses = [
        ("Hash", "H"),
        ("HKDF", "KDF"),
        ("Signature", "Sign"),
        ("HPKE info", "HPKE info"),
        ("Associated data", "associated data"),
    ];
    let mut code: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for part in source.split("#[cfg(test)]\nmod tests").next().unwrap().split("\n/// ").skip(1) {
        let name = part.split("Label::new(\"lukko/v1 ").nth(1).unwrap().split('"').next().unwrap();
        let (_, kind) = uses.iter().find(|(start, _)| part.starts_with(start)).unwrap();
        code.entry(kind).or_default().insert(name.to_owned());
    }
    let tables = tables();
    let listed = tables["labels"].as_array().unwrap().iter().map(|row| (text(row, "use"), names(&row["names"])));
    assert_eq!(code, listed.collect());
    assert_eq!(tables["prefix"], "lukko/v1 ");
}

/// The builder's `label` refuses what is not listed; here, that it uses all.
#[test]
fn builder_and_verifier_use_every_label() {
    let builder = ["vectors/src/make", "vectors/src/cases"].map(sources).concat();
    let folder = fs::read_dir(root().join("tests/interop")).unwrap().map(|entry| entry.unwrap().path());
    let python = folder.filter(|path| path.extension().is_some_and(|end| end == "py"));
    let python: String = python.map(|path| fs::read_to_string(path).unwrap()).collect();
    for label in tables()["labels"].as_array().unwrap().iter().flat_map(|row| names(&row["names"])) {
        let quoted = format!("\"{label}\"");
        assert!(builder.contains(&quoted), "the builder does not use {label}");
        assert!(python.contains(&quoted), "the verifier does not use {label}");
    }
}

#[test]
fn the_code_has_the_magics_and_the_names_of_fields() {
    let wire = sources("src/wire");
    let tables = tables();
    let objects = tables["objects"].as_object().unwrap();
    let listed: BTreeSet<String> =
        objects.values().map(|fields| fields[0]["value"].as_str().unwrap()[1..4].into()).collect();
    let magics = between(&wire, "4] = *b\"", '\\').into_iter().map(str::to_owned).collect();
    assert_eq!(listed, magics);
    let fields: BTreeSet<&str> =
        objects.values().flat_map(|fields| fields.as_array().unwrap()).map(|field| text(field, "name")).collect();
    let calls = [
        "reader.array(\"",
        "reader.array_ref(\"",
        "reader.u8(\"",
        "reader.u32(\"",
        "reader.u64(\"",
        "reader.bytes(\"",
        "reader.identifier(\"",
        "reader.require(\"",
        "reader.refuse(\"",
    ];
    let mut used = 0;
    for name in calls.iter().flat_map(|call| between(&wire, call, '"')) {
        used += 1;
        // What stands behind the last field has no name in a table.
        assert!(fields.contains(name) || name == "trailing bytes", "the code names a field {name}");
    }
    assert!(used > 40, "{used}");
}

#[test]
fn the_classes_are_those_of_the_code() {
    let classes = tables()["classes"].as_array().unwrap().iter().map(|class| text(class, "name").to_owned()).collect();
    let all = [
        Layer::Malformed,
        Layer::Usage,
        Layer::Untrusted,
        Layer::Stale,
        Layer::Conflict,
        Layer::Share,
        Layer::NotAuthentic,
    ];
    let mut names: Vec<String> = all.map(|layer| layer.name().to_owned()).into();
    names.push("randomness".into());
    assert_eq!(names, classes_in_order());
    assert_eq!(names.iter().cloned().collect::<BTreeSet<_>>(), classes);
    let source = read("src/error.rs");
    let body = source.split("pub enum Error {").nth(1).unwrap().split("\n}\n").next().unwrap();
    for variant in
        ["Usage(", "Malformed {", "Untrusted(", "Stale {", "Conflict(", "Share {", "NotAuthentic,", "Randomness,"]
    {
        assert!(body.contains(variant), "{variant}");
    }
}

fn classes_in_order() -> Vec<String> {
    tables()["classes"].as_array().unwrap().iter().map(|class| text(class, "name").to_owned()).collect()
}

/// Every border between two fields of the tables is one of those by which the vectors are made.
#[test]
fn the_vectors_take_objects_apart_where_the_tables_do() {
    for suite in [Suite::X25519, Suite::XWing] {
        let world = World::new(suite, &mut crate::rng::Seeded::new(b"tables"));
        let (card, endorsement) = (&world.stored.card, &world.stored.endorsement);
        let (entry, descriptor) = (&world.people[0].entry, &world.first.descriptor);
        let apart: [(&str, &[u8], Vec<Field>); 8] = [
            ("descriptor", descriptor, fields::descriptor(suite, descriptor)),
            ("share", &world.first.shares[0], fields::share()),
            ("pin", &world.pin, fields::pin()),
            ("member entry", entry, fields::member(suite, entry)),
            ("card", card, fields::card(suite, card)),
            ("grant", &world.grant, fields::grant(suite, &world.grant)),
            ("endorsement", endorsement, fields::endorsement(endorsement)),
            ("rotation", &world.statement, fields::rotation()),
        ];
        for (name, bytes, fields) in apart {
            check(name, suite, bytes, &fields);
        }
        check("grant", suite, &world.stored.master_grant, &fields::grant(suite, &world.stored.master_grant));
    }
    // Records, disclosures and rosters, from the files.
    for (file, suite) in [("x25519", Suite::X25519), ("xwing", Suite::XWing)] {
        for (object, input, name) in [
            ("record", "record", "record"),
            ("deposit", "record", "record"),
            ("deposited-attachment", "record", "record"),
            ("disclosure", "disclosure", "disclosure"),
        ] {
            let book: Value = serde_json::from_str(&read(&format!("tests/vectors/{object}-{file}.json"))).unwrap();
            for case in book["cases"].as_array().unwrap().iter().filter(|case| case["expect"] == "ok") {
                let bytes = hex::decode(case["input"][input].as_str().unwrap()).unwrap();
                let fields =
                    if name == "record" { fields::record(suite, &bytes) } else { fields::disclosure(suite, &bytes) };
                check(name, suite, &bytes, &fields);
            }
        }
        let book: Value = serde_json::from_str(&read(&format!("tests/vectors/roster-{file}.json"))).unwrap();
        for case in book["cases"].as_array().unwrap().iter().filter(|case| case["expect"] == "ok") {
            let bytes = hex::decode(case["input"]["roster"].as_str().unwrap()).unwrap();
            assert_eq!(borders("roster", suite, &bytes).last(), Some(&bytes.len()));
        }
    }
}

fn check(name: &str, suite: Suite, bytes: &[u8], fields: &[Field]) {
    let borders = borders(name, suite, bytes);
    assert_eq!(borders.last(), Some(&bytes.len()), "{name}");
    let starts: BTreeSet<usize> = fields.iter().map(|field| field.start).chain([bytes.len()]).collect();
    for border in borders {
        assert!(starts.contains(&border), "{name}: a field begins at {border}");
    }
}

/// Where the fields of a valid object begin, and where the last one ends, by the tables.
fn borders(name: &str, suite: Suite, bytes: &[u8]) -> Vec<usize> {
    let tables = tables();
    let fields = tables["objects"][name].as_array().expect("an object of the tables");
    let (mut at, mut borders, mut bytes_of) = (0_usize, Vec::new(), BTreeMap::new());
    for field in fields {
        let applies = field["if"].as_array().is_none_or(|condition| {
            let met = bytes_of.get(condition[0].as_str().expect("a name")).copied();
            condition.iter().skip(1).any(|value| value.as_u64() == met)
        });
        if !applies {
            continue;
        }
        let trailer = if name == "record" && bytes[6] == 4 { 96 } else { 0 };
        let count = bytes[..at].last_chunk().map_or(0, |four| u32::from_be_bytes(*four) as usize);
        let length = match field["bytes"].as_str() {
            None => field["bytes"].as_u64().expect("a length") as usize,
            Some("public key") => suite.public_key_len(),
            Some("sealed secret") => suite.encapsulation_len() + 48,
            Some("lp") => 1 + usize::from(bytes[at]),
            Some("32 n" | "rest" | "payload") => bytes.len() - trailer - at,
            Some("34 each") => 34 * count,
            Some("33 each") => 33 * count,
            Some(other) => panic!("no such length: {other}"),
        };
        if length == 1 {
            bytes_of.insert(text(field, "name"), u64::from(bytes[at]));
        }
        borders.push(at);
        at += length;
    }
    borders.push(at);
    borders
}
