//! Rounds: all groups of this process, then those of the process beside it, which is another build of lukko.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::work::{Effort, Group, Outcome, ensure};

/// Measures, and prints `GROUP/PEER<TAB>NANOSECONDS` for each work and round.
///
/// # Errors
/// That of the other process, or of the output.
pub fn measure(groups: &mut [Group], rounds: usize, effort: Effort, other: Option<&Path>) -> Outcome {
    ensure(rounds > 0, || "no rounds".into())?;
    let mut other = other.map(|path| Other::start(path, effort)).transpose()?;
    for round in 0..rounds {
        if !std::io::stderr().is_terminal() {
            eprintln!("round {} of {rounds}", round + 1);
        }
        for group in &mut *groups {
            progress(round, rounds, &group.name);
            one_round(group, round, effort)?;
        }
        if let Some(other) = &mut other {
            progress(round, rounds, "aws-lc");
            print!("{}", other.round(round)?);
        }
    }
    progress(rounds - 1, rounds, "done\n");
    other.map_or(Ok(()), Other::end)
}

/// One line that changes, on a terminal only.
fn progress(round: usize, rounds: usize, what: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\rround {} of {rounds}: {what:<24}", round + 1);
    }
}

/// Measures a round for each line of the input that names one, and prints an empty line behind it.
///
/// # Errors
/// That of input or output.
pub fn serve(groups: &mut [Group], effort: Effort) -> Outcome {
    for line in std::io::stdin().lines() {
        let round = line?.parse()?;
        groups.iter_mut().try_for_each(|group| one_round(group, round, effort))?;
        println!();
    }
    Ok(())
}

fn one_round(group: &mut Group, round: usize, effort: Effort) -> Outcome {
    let medians = group.round(round, effort);
    let mut out = std::io::stdout().lock();
    medians.iter().try_for_each(|(peer, ns)| writeln!(out, "{}/{peer}\t{ns:.1}", group.name))?;
    Ok(())
}

/// The process beside this one. It measures only when it is told to, so that the two never run at once.
struct Other {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Other {
    fn start(path: &Path, effort: Effort) -> Outcome<Self> {
        let mut command = Command::new(path);
        command.arg("serve").args(effort.argument()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (to, from) = (child.stdin.take().ok_or("no input")?, child.stdout.take().ok_or("no output")?);
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    /// One round of it: its lines, in which lukko has the name of its backend.
    fn round(&mut self, round: usize) -> Outcome<String> {
        writeln!(self.to, "{round}")?;
        self.to.flush()?;
        let (mut lines, mut line) = (String::new(), String::new());
        loop {
            line.clear();
            ensure(self.from.read_line(&mut line)? > 0, || "the other build ended early".into())?;
            if line == "\n" {
                return Ok(lines);
            }
            let (name, ns) = line.split_once('\t').ok_or("not a measurement")?;
            lines += &format!("{name}, aws-lc\t{ns}");
        }
    }

    /// It ends when its input does.
    fn end(mut self) -> Outcome {
        drop(self.to);
        let status = self.child.wait()?;
        ensure(status.success(), || format!("the other build failed: {status}"))
    }
}
