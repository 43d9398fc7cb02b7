//! Test vectors of lukko: generates them, checks them, and makes fresh valid objects for other implementations.
//!
//! ```text
//! lukko-vectors generate DIR     writes all files
//! lukko-vectors check DIR        compares the files with what would be written, and runs every case
//! lukko-vectors fresh N DIR      writes N valid objects of the operating system's randomness
//! lukko-vectors examples FILE    writes the page of worked examples
//! lukko-vectors page FILE        writes the tables of docs/format.json into the page of the format
//! ```

mod case;
mod cases;
mod examples;
mod fields;
mod files;
mod format;
mod fresh;
mod make;
mod mutate;
mod readme;
mod rng;
mod run;
mod world;

use std::env;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["generate", folder] => files::generate(Path::new(folder)),
        ["fresh", count, folder] => {
            let count = count.parse().map_err(|_| format!("not a number: {count}"));
            count.and_then(|count| fresh::fresh(count, Path::new(folder)))
        }
        ["examples", file] => files::page(Path::new(file)),
        ["page", file] => format::write_page(Path::new(file)),
        ["check", folder] => files::check(Path::new(folder)),
        _ => Err("usage: lukko-vectors generate DIR | check DIR | fresh N DIR | examples FILE | page FILE".to_owned()),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
