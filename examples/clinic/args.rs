//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Replays the breach of a clinic's database whose notes are sealed with lukko.

usage: cargo run --release --example clinic -- [--notes FILE.csv] [--db FILE] [--keep]

  --notes FILE.csv  import these notes: UTF-8, RFC 4180, with the columns patient_id, record_id and note;
                    without it, the example makes up a small clinic
  --db FILE         make the database here and leave it; FILE must not exist yet
  --keep            leave the temporary database where it is and say where
  --help            print this

The exit code is 0 if everything came out as it must, 1 if not, 2 for a mistake on the command line.";

/// The arguments, as given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) notes: Option<PathBuf>,
    pub(crate) db: Option<PathBuf>,
    pub(crate) keep: bool,
    pub(crate) help: bool,
}

/// Reads the arguments behind the program's name, or says what is wrong with them.
pub(crate) fn parse(given: impl IntoIterator<Item = OsString>) -> Result<Args, String> {
    let mut args = Args::default();
    let mut given = given.into_iter();
    while let Some(option) = given.next() {
        match option.to_str() {
            Some("--notes") => set(&mut args.notes, "--notes", given.next())?,
            Some("--db") => set(&mut args.db, "--db", given.next())?,
            Some("--keep") => args.keep = true,
            Some("--help" | "-h") => args.help = true,
            _ => return Err(format!("unknown argument {}", option.display())),
        }
    }
    Ok(args)
}

fn set(slot: &mut Option<PathBuf>, option: &str, value: Option<OsString>) -> Result<(), String> {
    let value = value.filter(|value| !value.is_empty()).ok_or(format!("{option} needs a file"))?;
    match slot.replace(value.into()) {
        None => Ok(()),
        Some(_) => Err(format!("{option} is given twice")),
    }
}
