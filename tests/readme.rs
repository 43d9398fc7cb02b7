//! The README says what is so.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The quickstart is compiled and run as a doctest of the crate; the README shows the same lines, at most 30.
#[test]
fn the_quickstart_is_the_one_that_is_tested() {
    let source = read("docs/quickstart.rs");
    let visible: Vec<&str> = source.lines().filter(|line| !line.starts_with("# ")).collect();
    assert!((10..=30).contains(&visible.len()), "{} lines", visible.len());
    assert!(read("README.md").contains(&format!("```rust\n{}\n```", visible.join("\n"))));
}

#[test]
fn the_two_commands_are_there() {
    let readme = read("README.md");
    assert!(readme.contains("cargo run --release --example clinic\n"));
    assert!(readme.contains("cargo test --workspace\n"));
}

/// Every relative link leads to a file.
#[test]
fn links_lead_somewhere() {
    let mut documents: Vec<PathBuf> = Vec::new();
    for folder in ["", "docs"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        documents.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    let mut links = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !target.contains("://") && !file.is_empty() {
                links += 1;
                assert!(document.with_file_name(file).exists(), "{}: {target}", document.display());
            }
        }
    }
    assert!(links >= 7, "only {links} links were found");
}

/// The sizes that it names.
#[test]
fn the_sizes_are_right() {
    use lukko::{Padding, sealed_len};
    let readme = read("README.md");
    let sizes = [(1024, Padding::Padme, "1,280"), (1024, Padding::None, "1,216"), (255, Padding::Padme, "448")];
    for (length, padding, text) in sizes {
        assert_eq!(sealed_len(length, padding).unwrap().to_string(), text.replace(',', ""));
        assert!(readme.contains(text));
    }
}
