//! lukko beside its peers: the same work, in one process, in turns. `peers/run` builds and starts it.
//!
//! ```text
//! lukko-peers measure [--rounds N] [--quick] [--other PATH]    prints a line for each work and round
//! lukko-peers serve [--quick]                                  the same of lukko alone, a round when told to
//! lukko-peers report FILE [--about TEXT] [--write DIR]         makes tables, ratios and charts of such lines
//! ```

mod clinic;
mod note;
mod peer;
mod report;
mod sharing;
mod stream;
mod suite;
mod threads;
mod turns;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use work::{Effort, Outcome};

/// What lukko is called, in every group that has no more than one of it.
pub const LUKKO: &str = "lukko";

/// The arguments behind the first.
#[derive(Default)]
struct Arguments {
    rounds: Option<usize>,
    quick: bool,
    other: Option<PathBuf>,
    file: Option<PathBuf>,
    about: Vec<String>,
    write: Option<PathBuf>,
}

impl Arguments {
    fn read(mut from: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut arguments = Self::default();
        while let Some(argument) = from.next() {
            let mut value = || from.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => arguments.rounds = Some(value()?.parse()?),
                "--quick" => arguments.quick = true,
                "--other" => arguments.other = Some(value()?.into()),
                "--about" => arguments.about.push(value()?),
                "--write" => arguments.write = Some(value()?.into()),
                option if option.starts_with('-') => return Err(format!("unknown option {option}").into()),
                file => arguments.file = Some(file.into()),
            }
        }
        Ok(arguments)
    }

    const fn effort(&self) -> Effort {
        if self.quick { Effort::QUICK } else { Effort::FULL }
    }
}

fn run() -> Outcome {
    let mut given = std::env::args().skip(1);
    let mode = given.next().unwrap_or_default();
    let arguments = Arguments::read(given)?;
    let effort = arguments.effort();
    match mode.as_str() {
        "measure" => {
            eprintln!("every peer seals and opens once, and must refuse what was altered ...");
            let mut groups = suite::everything()?;
            turns::measure(&mut groups, arguments.rounds.unwrap_or(7), effort, arguments.other.as_deref())
        }
        "serve" => turns::serve(&mut suite::lukko_alone()?, effort),
        "report" => {
            let file = arguments.file.as_deref().ok_or("report needs a file")?;
            report::report(&std::fs::read_to_string(file)?, &arguments.about, arguments.write.as_deref())
        }
        _ => Err("measure, serve or report; see the first lines of src/main.rs".into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nlukko-peers: {error}");
            ExitCode::FAILURE
        }
    }
}
