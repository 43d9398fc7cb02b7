//! The commands of the README, as they stand there, but for the ports.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::world::BINARY;

#[test]
fn the_commands_of_the_readme_run() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("LUKKO_REQUIRE_CURL").is_none(), "LUKKO_REQUIRE_CURL is set, and there is no curl");
        println!("SKIPPED: there is no curl");
        return;
    }
    let readme = include_str!("../../README.md");
    let block = readme.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let (build, mut script) = block.split_once('\n').map(|(first, rest)| (first, rest.to_owned())).unwrap();
    assert!(build.starts_with("cargo build -p lukko-service"));
    assert_eq!(script.lines().filter(|line| line.starts_with("# ")).count(), 11);
    let free: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    for (listed, listener) in ["7001", "7002", "7003"].iter().zip(&free) {
        script = script.replace(listed, &listener.local_addr().unwrap().port().to_string());
    }
    drop(free);
    let directory = tempfile::tempdir().unwrap();
    let path = format!("{}:{}", Path::new(BINARY).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-eu", "-c", &script]).current_dir(directory.path()).env("PATH", path).env_remove("DATABASE_URL");
    let output = command.output().unwrap();
    let (said, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}\n{log}");
    // What each command says, in this order.
    let mut rest = said.as_str();
    for expected in [
        "{\"patient\":\"",
        "\"revision\":1}",
        "etag: \"1\"",
        "\"text\":\"slept better\"",
        "\"revision\":2}",
        "revision 2 is stored",
        "\"status\":403",
        "\"revision\":0}",
        "\"field\":\"intake\"",
        "\"shares_given\":1",
        "{\"open\":true",
        "\"text\":\"slept well\"",
        "\"event\":\"read\",\"who\":\"dr-niemi\"",
        "\"event\":\"closed\",\"who\":\"custodian-1\"",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("{expected} is not in: {rest}\n{log}"));
        rest = &rest[at + expected.len()..];
    }
    assert_eq!(log.matches(": closed").count(), 3, "{log}");
}
