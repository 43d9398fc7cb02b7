//! The files: written, compared, and every case of them run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lukko::Suite;
use serde_json::Value;

use crate::case::{Book, hex_of, world_file};
use crate::cases::{self, Desk};
use crate::examples::{self, Example};
use crate::readme;
use crate::run::{layer, run};
use crate::world::{World, agrees_with_builder};

/// From this and the suite's number all randomness of the files follows: see [`crate::rng::Seeded`].
const SEED: &[u8] = b"lukko-vectors/1 seed 1";

/// Everything that is in the folder.
struct All {
    x25519: Desk,
    x_wing: Desk,
    books: Vec<Book>,
    /// Worked examples of both suites.
    examples: [Vec<Example>; 2],
}

impl All {
    fn new() -> Result<Self, String> {
        let (mut x25519, mut x_wing) = (Desk::new(Suite::X25519, SEED), Desk::new(Suite::XWing, SEED));
        for world in [&x25519.world, &x_wing.world] {
            agrees_with_builder(world)?;
        }
        let books = cases::all(&mut x25519, &mut x_wing);
        let examples = [&x25519, &x_wing].map(examples::all);
        Ok(Self { x25519, x_wing, books, examples })
    }

    fn world(&self, suite: Suite) -> &World {
        if suite == Suite::XWing { &self.x_wing.world } else { &self.x25519.world }
    }

    fn files(&self) -> BTreeMap<String, String> {
        let worlds = [&self.x25519.world, &self.x_wing.world];
        let worlds = worlds.map(|world| (world_file(world.suite), pretty(&world.to_json())));
        let examples = [Suite::X25519, Suite::XWing].into_iter().zip(&self.examples);
        let examples = examples.map(|(suite, all)| (examples::file(suite), examples::text(suite, all)));
        let books = self.books.iter().map(|book| (book.file(), book.text()));
        books.chain(worlds).chain(examples).chain([("README.md".to_owned(), readme::text(&self.books))]).collect()
    }
}

fn pretty(value: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).expect("plain values"))
}

/// Writes all files.
pub(crate) fn generate(folder: &Path) -> Result<String, String> {
    let all = All::new()?;
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    for (name, text) in all.files() {
        fs::write(folder.join(&name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(format!("{} cases in {} files", all.books.iter().map(|book| book.cases.len()).sum::<usize>(), all.files().len()))
}

/// Writes the page of worked examples.
pub(crate) fn page(file: &Path) -> Result<String, String> {
    let text = examples::page(&All::new()?.examples[0]);
    fs::write(file, text).map_err(|error| error.to_string())?;
    Ok(format!("written: {}", file.display()))
}

/// Compares the files with what would be written, and runs every case through the library.
pub(crate) fn check(folder: &Path) -> Result<String, String> {
    let all = All::new()?;
    let mut faults = Vec::new();
    for (name, text) in all.files() {
        let stored = fs::read_to_string(folder.join(&name)).map_err(|error| format!("{name}: {error}"))?;
        if stored != text {
            faults.push(format!("{name}: differs from what would be written"));
        }
    }
    let mut count = 0;
    for book in &all.books {
        for case in &book.cases {
            count += 1;
            faults.extend(judge(all.world(book.suite), case));
        }
    }
    for (suite, examples) in [Suite::X25519, Suite::XWing].into_iter().zip(&all.examples) {
        for example in examples {
            let made = run(all.world(suite), "sealing", &example.input).map(|result| result["bytes"].clone());
            if made != Ok(hex_of(example.object()).into()) {
                faults.push(format!("{}: {} is sealed otherwise", examples::file(suite), example.input["kind"]));
            }
        }
    }
    if faults.is_empty() { Ok(format!("{count} cases, all as expected")) } else { Err(faults.join("\n")) }
}

/// What is wrong with the library's verdict, if anything is.
fn judge(world: &World, case: &Value) -> Option<String> {
    let object = case["object"].as_str().expect("a text");
    let verdict = run(world, object, &case["input"]);
    let right = match &verdict {
        Ok(result) => case["expect"] == "ok" && *result == case["result"],
        Err(error) => case["expect"] == "reject" && case["layer"] == layer(error).name(),
    };
    let (id, comment, expected) = (&case["id"], &case["comment"], &case["layer"]);
    (!right).then(|| format!("{id} {comment}: expected {expected} {}, got {verdict:?}", case["result"]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
    }

    #[test]
    fn the_files_are_current_and_every_case_is_judged_as_it_says() {
        check(&folder()).unwrap();
    }

    #[test]
    fn the_page_of_worked_examples_is_current() {
        let stored = fs::read_to_string(folder().join("../../docs/EXAMPLES.md")).unwrap();
        assert_eq!(stored, examples::page(&All::new().unwrap().examples[0]));
    }

    #[test]
    fn nothing_else_is_in_the_folder() {
        let written: BTreeSet<String> = All::new().unwrap().files().into_keys().collect();
        let stored = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(stored.collect::<BTreeSet<_>>(), written);
    }

    #[test]
    fn a_wrong_verdict_layer_or_result_is_noticed() {
        let all = All::new().unwrap();
        let (mut verdicts, mut layers, mut results) = (0, 0, 0);
        for book in all.books.iter().filter(|book| book.suite == Suite::X25519) {
            for case in book.cases.iter().step_by(17) {
                let mut wrong = case.clone();
                if case["expect"] == "ok" {
                    wrong["result"]["more"] = Value::Null;
                    results += usize::from(judge(all.world(book.suite), &wrong).is_some());
                    wrong["expect"] = "reject".into();
                    verdicts += usize::from(judge(all.world(book.suite), &wrong).is_some());
                } else {
                    wrong["layer"] = "randomness".into();
                    layers += usize::from(judge(all.world(book.suite), &wrong).is_some());
                    wrong["expect"] = "ok".into();
                    verdicts += usize::from(judge(all.world(book.suite), &wrong).is_some());
                }
            }
        }
        assert_eq!(verdicts, layers + results);
        assert!(layers > 40 && results > 5, "{layers} {results}");
    }
}
