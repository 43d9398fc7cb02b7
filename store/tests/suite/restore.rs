//! The restore drill runs what `docs/RESTORE.md` tells people to type, all of it, and nothing in its place.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn read(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The name of a drill's mark, if the line is one.
fn mark(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- drill: ")?.strip_suffix(" -->")
}

#[test]
fn t145_every_command_of_the_document_is_run_by_the_drill() {
    let (document, drill) = (read("docs/RESTORE.md"), read("store/drill"));
    let lines: Vec<&str> = document.lines().collect();
    let mut named = BTreeSet::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim().starts_with("```")) {
        match line.trim() {
            "```" => {}
            "```sh" => {
                let name = mark(lines[at - 1]).unwrap_or_else(|| panic!("line {}: commands without a mark", at + 1));
                assert!(named.insert(name), "{name} is there two times");
            }
            other => panic!("line {}: {other}: commands are `sh`", at + 1),
        }
    }
    assert_eq!(lines.iter().filter_map(|line| mark(line)).count(), named.len(), "a mark without commands");
    assert!(named.len() >= 10, "only {named:?}");

    // The functions of the drill that take commands from the document.
    let takes = ["bare", "backup", "comes_back", "block"];
    let mut run = BTreeSet::new();
    let calls = drill.lines().filter(|line| !line.trim().starts_with('#') && !line.ends_with("() {"));
    for line in calls {
        let words: Vec<&str> = line.split([' ', ')', '(', '"', ';']).filter(|word| !word.is_empty()).collect();
        run.extend(words.windows(2).filter(|pair| takes.contains(&pair[0])).map(|pair| pair[1]));
    }
    assert_eq!(run.into_iter().filter(|name| !name.starts_with('$')).collect::<BTreeSet<_>>(), named);
    assert!(!drill.contains("./restore "), "the drill types a command that it should take from the document");
}

/// What the document says that the program answers, it answers: each text is in a source.
#[test]
fn t145_the_answers_of_the_document_are_those_of_the_program() {
    let document = read("docs/RESTORE.md");
    let rooms = ["admit", "files", "kept", "open", "shares", "typed", "verify"];
    let sources = rooms.map(|room| read(&format!("store/src/restore/{room}.rs"))).concat();
    let sources = sources
        + &read("store/examples/restore/main.rs")
        + &read("store/src/jobs/place.rs")
        + &read("src/error/display.rs");
    let table = document.split("| it says | do |").nth(1).unwrap().split("\n\n").next().unwrap();
    let answers: Vec<&str> = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert!(answers.len() >= 7, "{answers:?}");
    for answer in answers {
        // Numbers and names are put in when it is said.
        let words = answer.split(|letter: char| letter.is_ascii_digit());
        let parts: Vec<&str> = words.map(str::trim).filter(|part| part.len() > 4).collect();
        assert!(!parts.is_empty(), "{answer}");
        for part in parts {
            assert!(sources.contains(part), "nothing says `{part}` of `{answer}`");
        }
    }
}
