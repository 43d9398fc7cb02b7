//! docs/musts.json beside the page and the vectors: every MUST, and every check of the tables, has a vector that breaks
//! it, or says why not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::tables;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The page in one line, so that a sentence may be broken anywhere.
fn page() -> String {
    read("docs/FORMAT.md").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn musts() -> Vec<Value> {
    serde_json::from_str(&read("docs/musts.json")).unwrap()
}

/// The class of every vector, by object and comment.
fn vectors() -> BTreeMap<(String, String), Vec<Value>> {
    let mut all: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    for entry in fs::read_dir(root().join("tests/vectors")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for case in file["cases"].as_array().into_iter().flatten() {
            let name = |part: &str| case[part].as_str().unwrap().to_owned();
            all.entry((name("object"), name("comment"))).or_default().push(case["layer"].clone());
        }
    }
    all
}

/// The classes of the vectors of this object and comment.
fn classes<'a>(vectors: &'a BTreeMap<(String, String), Vec<Value>>, named: &Value) -> &'a [Value] {
    let [object, comment] = [0, 1].map(|at| named[at].as_str().unwrap().to_owned());
    vectors.get(&(object, comment)).unwrap_or_else(|| panic!("no such vector: {named}"))
}

/// `file: function`, of a test that is there.
fn assert_test_exists(named: &Value) {
    let (file, function) = named.as_str().unwrap().split_once(": ").unwrap();
    assert!(read(file).contains(&format!("#[test]\nfn {function}(")), "no such test: {named}");
}

#[test]
fn every_entry_stands_in_the_page_and_names_what_breaks_it() {
    let (page, vectors) = (page(), vectors());
    for entry in musts() {
        let text = entry["text"].as_str().unwrap();
        assert_eq!(page.matches(text).count(), 1, "once in the page: {text}");
        for named in entry["vectors"].as_array().into_iter().flatten() {
            assert!(classes(&vectors, named).iter().all(Value::is_string), "must be refused: {named}");
        }
        entry["tests"].as_array().into_iter().flatten().for_each(assert_test_exists);
        let has = |name: &str| !entry[name].is_null();
        assert!(has("vectors") != has("why"), "either vectors, or why there is none: {text}");
    }
}

#[test]
fn every_must_of_the_page_is_in_the_index() {
    let page = page();
    let covered: Vec<(usize, usize)> = musts()
        .iter()
        .map(|entry| {
            let text = entry["text"].as_str().unwrap();
            let start = page.find(text).unwrap_or_else(|| panic!("not in the page: {text}"));
            (start, start + text.len())
        })
        .collect();
    // From section 10 on, "refuse" explains what was said before.
    let rules = page.find("## 10. ").unwrap();
    let musts = page.match_indices("MUST");
    let refusals = page.match_indices("efuse").filter(|(at, _)| *at < rules);
    let mut count = 0;
    for (at, word) in musts.chain(refusals) {
        count += 1;
        let here = covered.iter().any(|(start, end)| (*start..*end).contains(&at));
        let start = (0..at.saturating_sub(80)).rev().find(|start| page.is_char_boundary(*start)).unwrap_or(0);
        assert!(here, "{word} is not in docs/musts.json: {}", &page[start..at + word.len()]);
    }
    assert!(count > 40, "{count}");
}

#[test]
fn every_check_of_the_tables_has_a_vector_of_its_class() {
    let vectors = vectors();
    for check in tables()["checks"].as_object().unwrap().values().flat_map(|checks| checks.as_array().unwrap()) {
        match &check["vector"] {
            Value::Null => assert_test_exists(&check["test"]),
            named => assert!(classes(&vectors, named).iter().all(|class| *class == check["class"]), "{check}"),
        }
    }
}
