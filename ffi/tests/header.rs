//! The header, the library and the sources say the same.

use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "support/shared.rs"]
mod support;

fn read(path: &str) -> String {
    fs::read_to_string(support::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// T119: the committed header is what cbindgen makes of the sources. Without cbindgen `.ci/run` shows it.
#[test]
fn t119_the_header_is_generated() {
    let output = Command::new("bash").arg(support::root().join("header")).arg("--check").output().expect("bash");
    if output.status.code() == Some(2) || output.status.code() == Some(127) {
        println!("NOT SHOWN: cbindgen 0.29.4 is not installed");
        return;
    }
    assert!(output.status.success(), "run ffi/header:\n{}", String::from_utf8_lossy(&output.stdout));
}

/// T119: the shared library exports the functions of the header, and nothing else.
#[test]
fn t119_the_exported_symbols_are_those_of_the_header() {
    let listed = support::succeed(Command::new("nm").args(["-D", "--defined-only"]).arg(support::shared_library()));
    let mut exported: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next_back()).collect();
    exported.sort_unstable();
    assert_eq!(exported, support::symbols(&support::header()));
    assert!(exported.len() > 150, "{}", exported.len());
}

/// The version macros, the manifest and what `cargo cinstall` is told are one version.
#[test]
fn the_version_is_that_of_the_manifest() {
    let version = env!("CARGO_PKG_VERSION");
    let header = support::header();
    let [major, minor, patch] =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    for line in [
        format!("#define LUKKO_VERSION_MAJOR {major}\n"),
        format!("#define LUKKO_VERSION_MINOR {minor}\n"),
        format!("#define LUKKO_VERSION_PATCH {patch}\n"),
        format!("#define LUKKO_VERSION \"{version}\"\n"),
    ] {
        assert!(header.contains(&line), "{line}");
    }
    let manifest = read("Cargo.toml");
    let versions = manifest.lines().filter(|line| line.starts_with("version = "));
    assert_eq!(versions.filter(|line| line.contains(version)).count(), 3, "package, library, pkg-config");
    assert!(read("../Cargo.toml").contains(&format!("version = \"{version}\"")), "the core has the same version");
}

/// A new variant of an error of the core must be given a code on purpose.
#[test]
fn every_error_of_the_core_is_named_where_codes_are_given() {
    let (core, ours) = (read("../src/error.rs"), read("src/error.rs") + &read("src/values.rs"));
    let mut seen = 0;
    for kind in ["Error", "Usage", "Untrusted", "ShareFault"] {
        let body = core.split(&format!("pub enum {kind} {{")).nth(1).expect("the enum").split("\n}").next().unwrap();
        for line in body.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     ")) {
            let name: String = line.trim().chars().take_while(|c| c.is_alphanumeric()).collect();
            if name.is_empty() {
                continue;
            }
            seen += 1;
            let named =
                ours.split(&format!("{kind}::{name}")).skip(1).any(|rest| !rest.starts_with(char::is_alphanumeric));
            assert!(named, "{kind}::{name} has no code in ffi/src");
        }
    }
    assert!(seen > 55, "has the core's error.rs been read? {seen} variants");
}

/// T121: codes are fixed. A line here may be added, and never changed.
#[test]
fn t121_the_codes_are_never_given_another_meaning() {
    let codes = [
        (0, "OK"),
        (101, "E_NULL"),
        (102, "E_LENGTH"),
        (103, "E_TOO_SMALL"),
        (104, "E_HANDLE"),
        (105, "E_HANDLE_TYPE"),
        (106, "E_BUSY"),
        (107, "E_SPENT"),
        (108, "E_VALUE"),
        (109, "E_PANIC"),
        (110, "E_EMPTY"),
        (111, "E_FULL"),
        (201, "E_USAGE"),
        (202, "E_MISMATCH"),
        (203, "E_NOT_YET"),
        (301, "E_MALFORMED"),
        (401, "E_UNTRUSTED"),
        (402, "E_REVOKED"),
        (403, "E_CLOSED"),
        (501, "E_STALE"),
        (502, "E_CONFLICT"),
        (601, "E_SHARE"),
        (602, "E_NOT_ENOUGH_SHARES"),
        (701, "E_NOT_AUTHENTIC"),
        (801, "E_RANDOMNESS"),
        (802, "E_IO"),
    ];
    let header = support::header();
    assert!(header.contains("#define LUKKO_CALLBACK_OK 1280658255\n"));
    for (code, name) in codes {
        assert!(header.contains(&format!("#define LUKKO_{name} {code}\n")), "{name}");
    }
    assert_eq!(lukko_ffi::error::CODES.map(|(code, _)| code), codes.map(|(code, _)| code));
}

/// Unsafe code stands in one file, and each block has its reason. One other file declares one function of C.
#[test]
fn unsafe_code_is_in_one_file() {
    let mut blocks = 0;
    for path in rust_files(&support::root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let here = code.filter(|line| line.contains("unsafe {") || line.contains("unsafe impl")).count();
        assert!(here == 0 || path.ends_with("buffer.rs"), "{}: {here}", path.display());
        assert!(!text.contains("unsafe extern \"C\" {") || path.ends_with("fork.rs"), "{}", path.display());
        assert!(text.lines().count() <= 500, "{} is too long", path.display());
        blocks += here;
    }
    assert!(blocks > 5, "has buffer.rs been read? {blocks}");
}

/// README.md has a line for each function, so that its table can be trusted.
#[test]
fn the_readme_names_every_function_and_no_other() {
    let readme = read("README.md");
    let known = support::symbols(&support::header());
    let named: Vec<&str> = readme
        .split('`')
        .filter(|part| part.starts_with("lukko_") && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect();
    let missing: Vec<&String> = known.iter().filter(|name| !named.contains(&name.as_str())).collect();
    let strange: Vec<&&str> = named
        .iter()
        .filter(|name| !known.contains(&(**name).to_owned()) && !support::header().contains(&format!(" {name};")))
        .collect();
    assert!(missing.is_empty() && strange.is_empty(), "missing {missing:?}, no function {strange:?}");
}

/// README.md has every public function of the core, so that one that C cannot reach is noticed.
#[test]
fn the_readme_names_every_public_function_of_the_core() {
    let readme = read("README.md");
    let inner = ["chunked", "shamir", "prim", "wire"];
    let mut seen = 0;
    for path in rust_files(&support::root().join("../src")) {
        let inside = path.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            inner.contains(&part.trim_end_matches(".rs"))
        });
        if inside || path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests")) {
            continue;
        }
        let mut holder = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let in_macro = line.trim_start().strip_prefix("impl").filter(|rest| rest.contains("$name"));
            if let Some(rest) = line.strip_prefix("impl").or(in_macro) {
                holder = implemented(rest);
            } else if line == "}" {
                holder.clear();
            }
            let Some(rest) = line.trim_start().strip_prefix("pub ") else { continue };
            let Some(rest) = rest.strip_prefix("const ").unwrap_or(rest).strip_prefix("fn ") else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            for item in items(&path, &holder, &name) {
                assert!(readme.contains(&format!("`{item}`")), "{item} ({}) is not in README.md", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 190, "has the core been read? {seen} functions");
}

/// A function as the README writes it. Those of a macro are there once for each type that the macro makes.
fn items(path: &Path, holder: &str, name: &str) -> Vec<String> {
    let made: &[&str] = match path.file_name().and_then(|name| name.to_str()) {
        Some("ident.rs") if holder == "$name" => &["PatientId", "RecordId", "FieldLabel", "MemberId"],
        Some("digest.rs") if holder == "$name" => &["VaultId", "Fingerprint", "KeyFingerprint", "CardId"],
        _ if holder.is_empty() => return vec![name.to_owned()],
        _ => &[holder],
    };
    made.iter().map(|holder| format!("{holder}::{name}")).collect()
}

/// The type of `<'a, T: X> Trait for Type<'a> {` or `Type {`; `$name` where a macro makes it.
fn implemented(rest: &str) -> String {
    let mut depth = 0_u32;
    let start = rest.find(|c| {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        depth == 0 && c == ' '
    });
    let rest = start.map_or("", |start| &rest[start + 1..]);
    let rest = rest.split_once(" for ").map_or(rest, |(_, after)| after);
    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '$').collect()
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(rust_files(&path)) } else { files.push(path) }
    }
    files
}
