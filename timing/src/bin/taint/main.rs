//! Runs one case under valgrind's memcheck with its secrets marked as undefined, as in `ctgrind` (A. Langley, 2010).
//!
//! Memcheck then reports every branch and every address that depends on one. `taint list` prints the cases, `taint CASE`
//! runs one; `timing/run-taint` runs them all at several levels of optimisation.

// For the tests of `field.rs`, which are compiled by `--all-targets` and never run here.
#[cfg(test)]
extern crate alloc;

mod comparisons;
mod controls;
mod mark;
mod sharing;

use std::process::ExitCode;

use mark::Draws;

/// What memcheck must count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Nothing.
    None,
    /// As many comparisons, whose outcome is public: somebody branches on it. One branch for each, so that the mark is
    /// seen to have arrived; a second one where the caller looks at the `Result`; and no more or less of them in any run,
    /// wherever a difference lies.
    Verdicts(usize),
    /// More than a comparison may show, or the measurement does not work.
    Leak,
}

/// Runs of one case that must not differ from each other. Each gives how often it branched on a secret.
struct Case {
    name: &'static str,
    expect: Expect,
    runs: &'static [Run],
}

type Run = (&'static str, fn(&mut Draws) -> usize);

fn cases() -> impl Iterator<Item = &'static Case> {
    sharing::CASES.iter().chain(comparisons::CASES).chain(controls::CASES)
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "list" {
        cases().for_each(|case| println!("{} {}", case.name, kind(case.expect)));
        return ExitCode::SUCCESS;
    }
    let Some(case) = cases().find(|case| case.name == name) else {
        eprintln!("usage: taint list | taint CASE");
        return ExitCode::FAILURE;
    };
    if !mark::is_measuring() {
        eprintln!("taint: runs under valgrind only, built with `--features valgrind`");
        return ExitCode::FAILURE;
    }
    if run(case) {
        return ExitCode::SUCCESS;
    }
    println!("refused");
    ExitCode::FAILURE
}

const fn kind(expect: Expect) -> &'static str {
    match expect {
        Expect::None => "none",
        Expect::Verdicts(_) => "verdict",
        Expect::Leak => "leak",
    }
}

fn run(case: &Case) -> bool {
    let found: Vec<usize> = case
        .runs
        .iter()
        .map(|(run, operation)| {
            let found = operation(&mut Draws::new());
            println!("{} ({run}): {found}", case.name);
            found
        })
        .collect();
    holds(case.expect, &found)
}

fn holds(expect: Expect, found: &[usize]) -> bool {
    let (least, most) = (found.iter().min().copied().unwrap_or(0), found.iter().max().copied().unwrap_or(0));
    match expect {
        Expect::None => most == 0,
        Expect::Verdicts(verdicts) => least == most && verdicts <= least && least <= 2 * verdicts,
        Expect::Leak => least > 0 && !holds(Expect::Verdicts(1), found),
    }
}
