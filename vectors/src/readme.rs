//! The README of the folder: written with the files, so that its numbers are theirs.

use std::collections::BTreeMap;

use crate::case::{Book, suite_name};

/// All but the table.
const TEXT: &str = include_str!("readme.md");

pub(crate) fn text(books: &[Book]) -> String {
    let mut rows: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut layers: BTreeMap<&str, usize> = BTreeMap::new();
    for book in books {
        let suite = if book.by_suite { suite_name(book.suite) } else { "-" };
        let row = rows.entry((book.object, suite)).or_default();
        for case in &book.cases {
            match case["layer"].as_str() {
                None => row.0 += 1,
                Some(layer) => {
                    row.1 += 1;
                    *layers.entry(name(layer)).or_default() += 1;
                }
            }
        }
    }
    let lines =
        rows.iter().map(|((object, suite), (ok, reject))| format!("| `{object}` | {suite} | {ok} | {reject} |\n"));
    let (ok, reject) = rows.values().fold((0, 0), |(ok, reject), row| (ok + row.0, reject + row.1));
    let share = reject * 100 / (ok + reject);
    let by_layer: Vec<String> = layers.iter().map(|(layer, count)| format!("{layer} {count}")).collect();
    let table = format!(
        "| object | suite | ok | reject |\n|---|---|---|---|\n{}| all | | {ok} | {reject} |\n\n\
         {} cases, of which {share} % must be refused: {}.\n",
        lines.collect::<String>(),
        ok + reject,
        by_layer.join(", ")
    );
    TEXT.replace("TABLE\n", &table)
}

/// The layer's name with a life of its own.
fn name(layer: &str) -> &'static str {
    use crate::case::Layer::*;
    let all = [Malformed, Usage, Untrusted, Stale, Conflict, Share, NotAuthentic];
    all.into_iter().map(crate::case::Layer::name).find(|name| *name == layer).expect("a layer")
}
