//! The part of `docs/BENCHMARKS.md` that is generated.

use std::fs;
use std::path::Path;

use crate::work::Outcome;

const BEGIN: &str = "<!-- written by `peers/run --write`: do not edit from here -->";
const END: &str = "<!-- to here -->";

/// What stands around the generated part of a new document.
const AROUND: &str = "# Benchmarks

lukko beside its peers on the same work. What each peer does and lacks, and how this was measured, is in
[peers/README.md](../peers/README.md).

![Times and throughputs as bars](benchmarks.svg)
";

/// Where and how it was measured.
pub fn about(lines: &[String], rounds: usize) -> String {
    let mut text = String::from("## Beside the peers\n\n");
    lines.iter().for_each(|line| text += &format!("* {line}\n"));
    text + &format!("* medians of {rounds} rounds\n")
}

/// Replaces the generated part, or appends it to a document without one.
///
/// # Errors
/// That of the file; a beginning without an end.
pub fn update(path: &Path, section: &str) -> Outcome {
    let before = if path.exists() { fs::read_to_string(path)? } else { AROUND.to_owned() };
    fs::write(path, replaced(&before, section)?)?;
    Ok(())
}

fn replaced(document: &str, section: &str) -> Outcome<String> {
    let section = format!("{BEGIN}\n\n{section}\n{END}");
    match document.split_once(BEGIN) {
        None => Ok(format!("{document}\n{section}\n")),
        Some((above, rest)) => {
            let (_, below) = rest.split_once(END).ok_or("the generated part has no end")?;
            Ok([above, &section, below].concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_generated_part_is_replaced() {
        let first = replaced("# Title\n", "one\n").unwrap();
        let second = replaced(&(first.clone() + "\nBelow.\n"), "two\n").unwrap();
        assert_eq!(second, first.replace("one", "two") + "\nBelow.\n");
        assert!(replaced(BEGIN, "three").is_err());
    }
}
