//! Looks for secrets in the memory of a process that has dropped them.
//!
//! The same work is done twice from one seed: here, where every secret is written down, and in a child process, which
//! drops everything and waits. The child's memory is dumped with `gcore`, and every 16-byte window of every secret and
//! of every note is looked for in the dump: heap, stack, registers. A child that has not dropped yet is the control, in
//! which they must be found.
//!
//! `cargo run --release -p lukko-residue -- [RUNS]`; needs `gcore` (package gdb) and the right to trace a child.

mod dump;
mod secrets;
mod work;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitCode, Stdio};

use crate::dump::Windows;
use crate::secrets::Secret;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["child", seed, when] => seed.parse().map_err(Into::into).and_then(|seed| child(seed, *when == "live")),
        [] => search(20),
        [runs] => runs.parse().map_err(Into::into).and_then(search),
        _ => Err("usage: lukko-residue [RUNS]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("residue: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does the work, says so, and waits until its standard input ends.
fn child(seed: u64, live: bool) -> Outcome<()> {
    let kept = work::whole_life(seed, &mut |_| {})?;
    let kept = Some(kept).filter(|_| live);
    println!("ready");
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(kept);
    Ok(())
}

fn search(runs: u64) -> Outcome<()> {
    let mut left = 0;
    for seed in 1..=runs {
        let secrets = secrets::of(seed)?;
        let windows = Windows::of(&secrets);
        let found = scan(seed, "dropped", &windows)?;
        left += found.len();
        let live = if seed == 1 { Some(scan(seed, "live", &windows)?) } else { None };
        report(seed, &secrets, &found, live.as_deref());
        if live.is_some_and(|live| !secrets.iter().enumerate().any(|(at, _)| live.contains(&at))) {
            return Err("the control found nothing: the search does not work".into());
        }
    }
    if left == 0 { Ok(()) } else { Err(format!("{left} secrets were left in {runs} runs").into()) }
}

fn report(seed: u64, secrets: &[Secret], found: &[usize], live: Option<&[usize]>) {
    if let Some(live) = live {
        println!("control: {} of {} secrets found while they were live", live.len(), secrets.len());
    }
    println!("run {seed}: {} of {} secrets left", found.len(), secrets.len());
    for at in found {
        println!("  left: {}", secrets[*at].name);
    }
}

/// The secrets that a child's memory shows, by their place in the list.
fn scan(seed: u64, when: &str, windows: &Windows) -> Outcome<Vec<usize>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["child", &seed.to_string(), when])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let found = wait_until_ready(&mut child).and_then(|()| dump::of(child.id())).map(|core| windows.found_in(&core));
    drop(child.stdin.take());
    child.wait()?;
    found
}

fn wait_until_ready(child: &mut Child) -> Outcome<()> {
    let output = child.stdout.take().ok_or("the child has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    if line.trim() == "ready" { Ok(()) } else { Err("the child did not get ready".into()) }
}
