//! Custodians type in their shares. A share is never an argument of a command: arguments stand in the list of processes.

use std::collections::VecDeque;
use std::io::BufRead;

use lukko::error::ShareFault;
use lukko::{Error, MasterKey, Recovery, Share, Vault};
use zeroize::Zeroizing;

use super::failure::{Console, Failure};

const AGAIN: &str = "type it again, or take another custodian's";
/// How every share begins, and nothing in the middle of one: its alphabet has no 1.
const BEGIN: &[u8] = b"lukko1";

/// Room for a line, in bytes: a longer one leaves a copy of its beginning in memory.
const LINE: usize = 4096;

/// Shares, one a line. A line that is none is named, and the next one is read: what was given before stands.
///
/// # Security
/// The line is wiped here; what the operating system and the input's buffer hold of it is not. Run it on a machine that you
/// trust.
#[derive(Debug)]
pub struct Shares<R> {
    input: R,
    /// Those of a line that were not asked for yet.
    waiting: VecDeque<Share>,
}

impl<R: BufRead> Shares<R> {
    /// Reads from a terminal, a pipe or a file.
    pub const fn new(input: R) -> Self {
        Self { input, waiting: VecDeque::new() }
    }

    /// The next share; none at the end of the input.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn next(&mut self, console: &impl Console) -> Result<Option<Share>, Failure> {
        while self.waiting.is_empty() {
            console.ask();
            let mut line = Zeroizing::new(Vec::with_capacity(LINE));
            let read = self.input.read_until(b'\n', &mut line);
            if read.map_err(|error| Failure::new(format!("the shares cannot be read: {error}")))? == 0 {
                return Ok(None);
            }
            for piece in pieces(&line) {
                match parse(piece) {
                    Ok(share) => self.waiting.push_back(share),
                    Err(why) => console.complain(&format!("this is not a share as it was dealt: {why}; {AGAIN}")),
                }
            }
        }
        Ok(self.waiting.pop_front())
    }

    /// Takes shares until they are enough, and gives the master key. A share that is refused is named, and another one is
    /// asked for.
    ///
    /// # Errors
    /// If the input ends before they are enough, or the recovered key is not the vault's.
    pub fn complete(&mut self, vault: &Vault, first: Share, console: &impl Console) -> Result<MasterKey, Failure> {
        let mut recovery = Recovery::new(vault.descriptor());
        let mut share = Some(first);
        while let Some(given) = share {
            match recovery.add(given) {
                Ok(progress) => {
                    console.say(&format!("{} of {} shares", progress.have, progress.need));
                    if progress.have == progress.need {
                        return Ok(recovery.finish()?);
                    }
                }
                Err(error) => console.complain(&format!("{error}; {}", advice(&error))),
            }
            share = self.next(console)?;
        }
        let progress = recovery.progress();
        let missing = progress.need.saturating_sub(progress.have);
        Err(Failure::new(format!(
            "{} of {} shares, and no more were given: call {missing} more of the custodians on the list, and begin again",
            progress.have, progress.need
        )))
    }
}

fn parse(piece: &[u8]) -> Result<Share, String> {
    let text =
        std::str::from_utf8(piece).map_err(|error| format!("byte {} is no text (UTF-8)", error.valid_up_to()))?;
    Share::from_text(text).map_err(|error| error.to_string())
}

/// A line, cut before each beginning of a share: files without a line end may have been put together. Blank ones are left
/// out.
fn pieces(line: &[u8]) -> Vec<&[u8]> {
    let begins = |at: &usize| line.get(*at..).is_some_and(starts_like_a_share);
    let mut cuts: Vec<usize> = (1..line.len()).filter(begins).collect();
    cuts.insert(0, 0);
    let ends = cuts.iter().skip(1).copied().chain([line.len()]);
    let pieces = cuts.iter().zip(ends).filter_map(|(begin, end)| line.get(*begin..end));
    pieces.filter(|piece| !piece.trim_ascii().is_empty()).collect()
}

fn starts_like_a_share(text: &[u8]) -> bool {
    text.get(..BEGIN.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(BEGIN))
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
