//! The rooms of the core, and which may use which. The test reads `src/` and fails on every edge that [`ROOMS`] does not
//! list, so that a new dependency is a decision and never an accident.
//!
//! The last tests feed the scanner sources whose edges are known, so that it cannot fall silent unnoticed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "rooms/scan.rs"]
mod scan;

use scan::{Found, Token, paths, tokens, without_tests};

/// Each room, its tier, and the rooms below that it may use.
const ROOMS: [(&str, u8, &[&str]); 20] = [
    ("digest", 0, &[]),
    ("choice", 0, &[]),
    ("error", 0, &["digest", "choice"]),
    ("secret", 0, &["error"]),
    ("ident", 0, &["digest", "choice", "error"]),
    ("prim", 1, &["choice", "error", "secret", "ident"]),
    ("shamir", 1, &["error", "secret"]),
    ("wire", 1, &["digest", "choice", "error", "ident"]),
    ("chunked", 2, &["error", "secret", "prim"]),
    ("keys", 2, &["digest", "choice", "error", "secret", "ident", "prim", "wire"]),
    ("claimed", 3, &["digest", "choice", "error", "wire", "keys"]),
    ("custody", 3, &["digest", "choice", "error", "secret", "ident", "prim", "shamir", "wire", "keys"]),
    ("roster", 3, &["digest", "choice", "error", "ident", "prim", "wire", "keys", "custody"]),
    ("vault", 3, &["digest", "error", "ident", "keys", "custody", "roster"]),
    ("patient", 4, &["digest", "choice", "error", "ident", "prim", "wire", "keys", "custody", "roster", "vault"]),
    (
        "record",
        4,
        &[
            "digest", "choice", "error", "secret", "ident", "prim", "wire", "chunked", "keys", "roster", "vault",
            "patient",
        ],
    ),
    (
        "disclosure",
        4,
        &["digest", "choice", "error", "secret", "ident", "prim", "wire", "chunked", "keys", "vault", "record"],
    ),
    (
        "attachment",
        4,
        &[
            "digest", "choice", "error", "ident", "prim", "wire", "chunked", "keys", "roster", "vault", "patient",
            "record",
        ],
    ),
    ("erasure", 4, &["digest", "choice", "error", "ident", "wire", "custody", "roster", "vault", "patient"]),
    ("rotation", 4, &["digest", "error", "ident", "keys", "custody", "roster", "vault", "patient"]),
];

/// The crates of cryptography, which only `prim` may name.
const CRYPTO: [&str; 10] = [
    "aws_lc_rs",
    "chacha20",
    "chacha20poly1305",
    "ed25519_dalek",
    "hkdf",
    "hmac",
    "hpke",
    "poly1305",
    "sha2",
    "x25519_dalek",
];

/// The other direct dependencies: traits, wiping, comparison, encoding and threads, which any room may name.
const NEUTRAL: [&str; 6] = ["bech32", "getrandom", "rand_core", "rayon", "subtle", "zeroize"];

const MOST_LINES: usize = 500;

#[test]
fn no_room_uses_one_that_the_table_does_not_list() {
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for file in sources() {
        if file.module.is_empty() {
            continue; // lib.rs
        }
        seen.insert(file.module[0].clone());
        faults.extend(edge_faults(&file));
    }
    none(faults);
    let listed: BTreeSet<String> = ROOMS.iter().map(|(room, ..)| (*room).to_owned()).collect();
    assert_eq!(seen, listed, "rooms under src/ (left) and in the table (right)");
}

#[test]
fn the_table_points_down() {
    for (at, (room, tier, uses)) in ROOMS.iter().enumerate() {
        for used in *uses {
            let below = ROOMS.iter().position(|(other, ..)| other == used).expect("the table names a room of its own");
            assert!(below < at, "{room} -> {used} points up");
            assert!(ROOMS[below].1 <= *tier, "{room} -> {used} points to a higher tier");
        }
    }
}

#[test]
fn only_prim_names_a_crate_of_cryptography() {
    none(sources().iter().filter(|file| file.room() != "prim").flat_map(crypto_faults).collect());
}

#[test]
fn every_dependency_is_sorted_into_cryptography_or_neutral() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let section = manifest.split("\n[").find(|part| part.starts_with("dependencies]")).expect("[dependencies]");
    let names = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_"));
    let strange: Vec<_> = names.filter(|name| !CRYPTO.contains(&&**name) && !NEUTRAL.contains(&&**name)).collect();
    assert!(strange.is_empty(), "neither in CRYPTO nor in NEUTRAL: {strange:?}");
}

#[test]
fn labels_are_made_in_one_file() {
    let allowed = [["keys", "labels"], ["prim", "label"]];
    let (inside, outside): (Vec<_>, Vec<_>) =
        sources().into_iter().partition(|file| file.module == allowed[0] || file.module == allowed[1]);
    none(outside.iter().flat_map(label_faults).collect());
    let made: usize = inside.iter().map(|file| label_faults(file).len()).sum();
    assert!(made > 0, "no label found in keys/labels.rs: has Label::new been renamed?");
}

#[test]
fn files_are_small_and_none_is_called_mod() {
    let mut faults = Vec::new();
    for path in rust_files(&root().join("src")) {
        let lines = fs::read_to_string(&path).expect("a source file").lines().count();
        if lines > MOST_LINES {
            faults.push(format!("{}: {lines} lines, at most {MOST_LINES}", path.display()));
        }
        if path.ends_with("mod.rs") {
            faults.push(format!("{}: name it after its folder, beside it", path.display()));
        }
    }
    none(faults);
}

#[test]
fn t136_the_core_forbids_unsafe_code() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let texts: String = tokens(&lib).into_iter().map(|token| token.text).collect();
    assert!(texts.contains("#![forbid(unsafe_code)]"));
}

// What is wrong with one file.

struct Source {
    name: String,
    /// The path of the file's module below the crate: `src/keys/labels.rs` is `["keys", "labels"]`.
    module: Vec<String>,
    tokens: Vec<Token>,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let stem = name.strip_suffix(".rs").expect("a Rust file");
        let module = if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() };
        Self { name: name.to_owned(), module, tokens: without_tests(tokens(text)) }
    }

    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    fn fault(&self, line: usize, what: &str) -> String {
        format!("src/{}:{line}: {what}", self.name)
    }
}

fn edge_faults(file: &Source) -> Vec<String> {
    let room = file.room();
    let Some((_, _, uses)) = ROOMS.iter().find(|(name, ..)| *name == room) else {
        return vec![file.fault(1, &format!("`{room}` is not a room of the table"))];
    };
    let judge = |(line, edge): (usize, Result<String, &str>)| match edge {
        Err(why) => Some(file.fault(line, why)),
        Ok(to) if to == room || uses.contains(&to.as_str()) => None,
        Ok(to) if ROOMS.iter().any(|(name, ..)| *name == to) => {
            Some(file.fault(line, &format!("`{room}` may not use `{to}`")))
        }
        Ok(to) => Some(file.fault(line, &format!("`crate::{to}` is not a room; name the room that holds it"))),
    };
    edges(file).into_iter().filter_map(judge).collect()
}

/// Every path of the file that starts at the crate or climbs: its line and the room it ends in.
fn edges(file: &Source) -> Vec<(usize, Result<String, &'static str>)> {
    let inner = paths(&file.tokens).into_iter().filter(|path| path.is_internal());
    inner.map(|path| (path.line, resolve(&file.module, &path))).collect()
}

fn resolve(module: &[String], path: &Found) -> Result<String, &'static str> {
    let mut base: Vec<&str> = module.iter().chain(&path.inline).map(String::as_str).collect();
    for segment in &path.segments {
        match segment.as_str() {
            "self" => {}
            "crate" => base.clear(),
            "super" if base.len() < 2 => return Err("`super` leaves the room; write `crate::ROOM`"),
            "super" => drop(base.pop()),
            name => return Ok((*base.first().unwrap_or(&name)).to_owned()),
        }
    }
    base.first().map(|room| (*room).to_owned()).ok_or("names the crate's root; write `crate::ROOM`")
}

fn crypto_faults(file: &Source) -> Vec<String> {
    let paths = paths(&file.tokens);
    let declared = file.tokens.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| &pair[1].text);
    let own: BTreeSet<&String> =
        paths.iter().filter(|path| path.is_internal()).filter_map(|path| path.binds.as_ref()).chain(declared).collect();
    let foreign = paths.iter().filter(|path| {
        let first = &path.segments[0];
        CRYPTO.contains(&first.as_str()) && !own.contains(first)
    });
    let named = foreign.map(|path| file.fault(path.line, &format!("only `prim` may name `{}`", path.segments[0])));
    let externs = file.tokens.windows(3).filter(|three| three[0].text == "extern" && three[1].text == "crate");
    let externs = externs.filter(|three| CRYPTO.contains(&three[2].text.as_str()));
    named
        .chain(externs.map(|three| file.fault(three[0].line, "only `prim` may name a crate of cryptography")))
        .collect()
}

fn label_faults(file: &Source) -> Vec<String> {
    let made = file.tokens.windows(3).filter(|three| three.iter().map(|t| t.text.as_str()).eq(["Label", "::", "new"]));
    made.map(|three| file.fault(three[0].line, "labels are made in keys/labels.rs only")).collect()
}

// The files.

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `src/` that is not a test.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut all = Vec::new();
    for path in rust_files(&src) {
        let name = path.strip_prefix(&src).expect("below src").to_str().expect("a plain name").replace('\\', "/");
        if !name.ends_with("/tests.rs") && !name.contains("/tests/") {
            all.push(Source::new(&name, &fs::read_to_string(&path).expect("a source file")));
        }
    }
    assert!(all.iter().any(|file| file.name == "lib.rs"), "src/ was not read");
    all
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

// The scanner is seen to find what it must.

fn edges_of(name: &str, text: &str) -> Vec<String> {
    edges(&Source::new(name, text)).into_iter().map(|(_, edge)| edge.unwrap_or_else(|_| "!".to_owned())).collect()
}

#[test]
fn the_scanner_finds_edges() {
    let cases: [(&str, &[&str]); 17] = [
        ("use crate::prim::hash;", &["prim"]),
        ("use crate::{error::Error, wire::{card, grant::*}, secret as s};", &["error", "wire", "wire", "secret"]),
        ("use crate :: \n /* room */ vault;", &["vault"]),
        ("pub(crate) use crate::record;", &["record"]),
        ("pub(in crate::keys) fn f(x: &crate::wire::Card) -> crate::error::Result<()> {}", &["keys", "wire", "error"]),
        ("fn f() { g(crate::vault::open::<crate::ident::Suite>()) }", &["vault", "ident"]),
        ("macro_rules! m { () => { $crate::record::seal() } }", &["record"]),
        ("#[derive(A)] struct S(#[b(crate::roster::X)] u8);", &["roster"]),
        ("use super::super::vault; fn f() { super::super::record::g() }", &["!", "!"]),
        (
            "use super::labels::{self, A}; use self::inner::B; use super::{super::vault, x};",
            &["keys", "keys", "keys", "!", "keys"],
        ),
        (
            "mod a { use super::B; mod b { use super::super::C; } use super::super::D; } use super::E;",
            &["keys", "keys", "keys", "keys"],
        ),
        ("mod a { use super::super::super::vault; }", &["!"]),
        ("use crate as root;", &["!"]),
        ("use crate::{self as root, *};", &["!", "*"]),
        ("use crate::r#vault;", &["vault"]),
        ("const A: char = '\"'; use crate::vault; const B: &str = \"\\\"\";", &["vault"]),
        ("#[cfg(not(test))] use crate::vault; #[cfg(feature = \"std\")] use crate::record;", &["vault", "record"]),
    ];
    for (text, rooms) in cases {
        assert_eq!(edges_of("keys/schedule.rs", text), rooms, "{text}");
    }
    assert_eq!(edges_of("keys.rs", "use super::vault;"), ["!"]);
}

#[test]
fn the_scanner_finds_no_edge_where_there_is_none() {
    let cases = [
        "// use crate::vault;\n/* use crate::vault; /* crate::vault */ crate::vault */",
        "/// [`crate::vault::Vault`]\n//! crate::vault\n/** crate::vault */ struct S;",
        "const A: &str = \"crate::vault \\\" crate::vault\"; const B: &[u8] = b\"crate::vault\";",
        "const A: &str = r\"crate::vault\\\"; const B: &str = r##\"\"# crate::vault\"##; const C: char = '\\'';",
        "#[cfg(test)] mod tests { use crate::vault; fn f() { { crate::vault::g() } } } fn h<'a>(x: &'a u8) {}",
        "#[cfg(test)]\n#[allow(x)]\nmod tests;\n#[cfg(all(test, feature = \"std\"))] use crate::{vault, record};",
        "pub(crate) fn f() {} pub(super) fn g() {} fn h() -> impl Sized + use<> {}",
        "fn f() { a.b.c(); other::vault::g(); vault::h(); <T as Self>::vault::g() }",
    ];
    for text in cases {
        assert_eq!(edges_of("keys/schedule.rs", text), [""; 0], "{text}");
    }
    assert_eq!(edges_of("keys.rs", "#[cfg(test)] fn f() {} use crate::vault;"), ["vault"]);
}

#[test]
fn the_scanner_judges_edges() {
    let faults = |name: &str, text: &str| edge_faults(&Source::new(name, text)).concat();
    assert_eq!(faults("keys/a.rs", "use crate::prim::hash;\nuse crate::keys::b;"), "");
    assert_eq!(faults("keys/a.rs", "\n\nuse crate::vault;"), "src/keys/a.rs:3: `keys` may not use `vault`");
    assert!(faults("keys/a.rs", "use crate::Error;").contains("is not a room; name the room"));
    assert!(faults("attic.rs", "").contains("`attic` is not a room of the table"));
    assert!(faults("wire.rs", "use super::error;").contains("`super` leaves the room"));
}

#[test]
fn the_scanner_finds_crates_and_labels() {
    let crypto = |text: &str| crypto_faults(&Source::new("keys/a.rs", text)).len();
    for text in [
        "use hkdf::Hkdf;",
        "use ::sha2;",
        "use {hmac::Hmac as H, core::fmt};",
        "extern crate hpke;",
        "fn f() -> ed25519_dalek::Signature {}",
        "impl ::sha2::Digest for S {}",
        "type K = x25519_dalek::StaticSecret; use crate::prim::hkdf;",
    ] {
        assert_eq!(crypto(text), 1, "{text}");
    }
    for text in [
        "use crate::prim::{hkdf, hpke::{self, Key}}; fn f() { hkdf::expand(); hpke::open() }",
        "use crate::prim; fn f() { prim::hkdf::expand(); let hmac = x.hmac; hmac.finish() }",
        "mod hkdf; use self::hkdf::f; // hkdf::Hkdf",
        "#[cfg(test)] mod tests { use sha2::Sha256; }",
    ] {
        assert_eq!(crypto(text), 0, "{text}");
    }
    let labels = |text: &str| label_faults(&Source::new("wire/a.rs", text)).len();
    assert_eq!(labels("const A: Label = Label::new(\"a\"); const B: L = x::Label::new(\"b\"); // Label::new("), 2);
}
