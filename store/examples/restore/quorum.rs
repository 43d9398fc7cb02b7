//! Custodians type in their shares. A share is never an argument of a command: arguments stand in the list of processes.
//! The text of a share stays in this process's memory until it ends, which is soon: run it on a machine that you trust.

use std::io::{self, IsTerminal};

use lukko::error::ShareFault;
use lukko::{Error, MasterKey, Recovery, Share, Vault};

use crate::{Outcome, say};

const AGAIN: &str = "type it again, or take another custodian's";

/// The next line that is a share. One that is mistyped is named, with the place of the mistake.
fn next() -> Outcome<Option<Share>> {
    loop {
        if io::stdin().is_terminal() {
            eprint!("share: ");
        }
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match Share::from_text(line.trim()) {
            Ok(share) => return Ok(Some(share)),
            Err(_) if line.trim().is_empty() => {}
            Err(error) => eprintln!("this is not a share as it was dealt: {error}; {AGAIN}"),
        }
    }
}

/// The first share, which also names the vault.
pub(crate) fn first() -> Outcome<Share> {
    next()?.ok_or("no share was given: type them in, one a line".into())
}

/// Takes shares until they are enough.
pub(crate) fn complete(vault: &Vault, first: Share) -> Outcome<MasterKey> {
    let mut recovery = Recovery::new(vault.descriptor());
    let mut share = Some(first);
    while let Some(given) = share {
        match recovery.add(given) {
            Ok(progress) => {
                say(format_args!("{} of {} shares", progress.have, progress.need));
                if progress.have == progress.need {
                    return Ok(recovery.finish()?);
                }
            }
            Err(error) => eprintln!("{error}; {}", advice(&error)),
        }
        share = next()?;
    }
    let progress = recovery.progress();
    let missing = progress.need.saturating_sub(progress.have);
    Err(format!(
        "{} of {} shares, and no more were given: call {missing} more of the custodians on the list, and begin again",
        progress.have, progress.need
    )
    .into())
}

fn advice(error: &Error) -> &'static str {
    match error {
        Error::Share { reason: ShareFault::Generation, .. } => {
            "the custodians have changed since, or the backup is older than the change: take the shares of its time"
        }
        Error::Share { reason: ShareFault::Duplicate, .. } => "take another custodian's",
        _ => AGAIN,
    }
}
