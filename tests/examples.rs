//! The examples stay short, and the README leads to each.

use std::fs;
use std::path::PathBuf;

/// The name and the text of each example that is a single file.
fn examples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn each_has_fewer_than_100_lines() {
    for (name, text) in examples() {
        let lines = text.lines().count();
        assert!(lines < 100, "{name} has {lines} lines");
    }
}

#[test]
fn the_readme_leads_to_each() {
    let readme = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let examples = examples();
    for (name, _) in &examples {
        let row = readme.lines().find(|line| line.contains(&format!("](examples/{name}.rs)")));
        let row = row.unwrap_or_else(|| panic!("no link to {name}"));
        assert!(row.ends_with(&format!("| `cargo run --example {name}` |")), "{row}");
    }
    let rows = readme.lines().filter(|line| line.contains(".rs): ") && line.contains("](examples/")).count();
    assert_eq!(rows, examples.len());
    assert!(rows >= 7, "only {rows} examples were found");
}

/// Whoever has little time copies from them.
#[test]
fn none_unwraps() {
    for (name, text) in examples() {
        assert!(!text.contains(".unwrap()"), "{name}");
    }
}
