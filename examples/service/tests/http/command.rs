//! The command line.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use lukko_service::{Command as Parsed, Door, HELP, Location, parse};

use crate::world::BINARY;

fn parsed(line: &str, url: Option<&str>) -> Result<Parsed, String> {
    parse(line.split(' ').map(OsString::from), url.map(str::to_owned))
}

#[test]
fn what_is_given_counts_and_what_is_wrong_is_named() {
    let url = "postgres://clinic:opensesame@db/clinic";
    let line = "glass --state s --listen 127.0.0.1:7 --open-for 60 --shares-for 30 --grace 2 --log debug --db d";
    let Ok(Parsed::Run(config)) = parsed(line, Some(url)) else { panic!("{line}") };
    assert_eq!(
        (config.door, config.database, config.log),
        (Door::Glass, Location::Sqlite("d".into()), tracing::Level::DEBUG)
    );
    assert_eq!((config.listen.port(), config.open_for.as_secs(), config.shares_for.as_secs()), (7, 60, 30));
    assert_eq!(config.grace, Duration::from_secs(2));

    let Ok(Parsed::Init { database, .. }) = parsed("init --state s", Some(url)) else { panic!("init") };
    assert_eq!(database, Location::Postgres(url.to_owned()));
    assert!(!format!("{database:?}").contains("opensesame"));
    assert_eq!(parsed("--help", None), Ok(Parsed::Help));

    for (line, expected) in [
        ("", "unknown command "),
        ("serve", "unknown command serve"),
        ("intake", "--state names the directory, and is needed"),
        ("intake --state", "--state needs a value"),
        ("intake --state s --open-for 60", "unknown argument --open-for"),
        ("glass --state s --open-for soon", "--open-for cannot be soon"),
        ("glass --state s --listen 7", "--listen cannot be 7"),
    ] {
        assert_eq!(parsed(line, None), Err(expected.to_owned()), "{line}");
    }
}

#[test]
fn the_process_says_what_is_wrong() {
    let run = |arguments: &[&str]| Command::new(BINARY).env_remove("DATABASE_URL").args(arguments).output().unwrap();
    let help = run(&["--help"]);
    assert_eq!((help.status.code(), String::from_utf8(help.stdout).unwrap()), (Some(0), format!("{HELP}\n")));
    assert_eq!(run(&["serve"]).status.code(), Some(2));
    let directory = tempfile::tempdir().unwrap();
    let (state, db) = (directory.path().join("none"), directory.path().join("db"));
    let missing = run(&["glass", "--state", state.to_str().unwrap(), "--db", db.to_str().unwrap()]);
    let said = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(said.contains("none/pin: No such file or directory"), "{said}");
}
