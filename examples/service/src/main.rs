//! `lukko-service`: see the README beside it.

use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lukko_service::{Command, Config, Failure, HELP, SystemClock, found, parse, start};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let command = match parse(std::env::args_os().skip(1), std::env::var("DATABASE_URL").ok()) {
        Ok(command) => command,
        Err(mistake) => {
            eprintln!("{mistake}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(run(command));
    // A file that is still being sealed is given up: what was not named yet is swept.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Failure) -> ExitCode {
    eprintln!("lukko-service: {error}");
    ExitCode::FAILURE
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Help => print([HELP.to_owned()]),
        Command::Init { state, database } => print(found(&state, &database).await?),
        Command::Run(config) => door(&config).await,
    }
}

async fn door(config: &Config) -> Result<(), Failure> {
    // One fixed form, without colours: time, level, target, fields.
    tracing_subscriber::fmt().with_max_level(config.log).with_ansi(false).with_writer(io::stderr).init();
    // Before the door is open: a signal that comes early is kept.
    let ends = ends()?;
    let running = start(config, Arc::new(SystemClock::default())).await?;
    print([format!("listening on http://{}", running.address())])?;
    running.until(ends).await
}

/// Done at the first SIGTERM or SIGINT.
fn ends() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn print(lines: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
