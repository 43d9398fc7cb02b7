//! What the example prints: steps, facts, and checks that decide the exit code.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The result of everything here that can fail: errors of lukko, the store, files and input meet in one type.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

#[cfg(test)]
thread_local! {
    /// What was printed, for the test that compares the README with it.
    pub(crate) static PRINTED: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

/// Prints one line. Who closes the pipe, such as `head`, has seen enough: the rest is done in silence, so that the
/// temporary files are removed and the exit code is right.
pub(crate) fn line(text: impl Display) {
    #[cfg(test)]
    PRINTED.with_borrow_mut(|printed| printed.push_str(&format!("{text}\n")));
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => panic!("cannot print: {error}"),
        _ => {}
    }
}

/// Prints the heading of a step.
pub(crate) fn step(heading: &str) {
    line(format_args!("\n{heading}"));
}

/// Prints one fact.
pub(crate) fn fact(text: impl AsRef<str>) {
    line(format_args!("   {}", text.as_ref()));
}

/// Counts what came out as it must and what did not.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    held: usize,
    failed: usize,
}

impl Checks {
    /// Something that must be so.
    pub(crate) fn holds(&mut self, what: impl AsRef<str>, holds: bool) {
        if holds {
            self.held += 1;
        } else {
            self.failed += 1;
        }
        line(format_args!("   {} {}", if holds { "ok    " } else { "FAILED" }, what.as_ref()));
    }

    /// Something that must be refused, and for the right reason.
    pub(crate) fn refused<T, E: Error + 'static>(&mut self, what: &str, attempt: Outcome<T>, reason: fn(&E) -> bool) {
        let (holds, answer) = match attempt {
            Ok(_) => (false, "it was accepted".into()),
            Err(error) => (error.downcast_ref().is_some_and(reason), brief(&error.to_string())),
        };
        self.holds(format!("{what}: refused"), holds);
        line(format_args!("          -> {answer}"));
    }

    /// Prints the verdict and says whether everything held.
    pub(crate) fn verdict(&self) -> bool {
        let all = self.held + self.failed;
        if self.failed == 0 {
            line(format_args!("\nAll {all} checks hold. Who copies this database has nothing to read."));
        } else {
            line(format_args!("\n{} of {all} checks FAILED. This must not happen: please report it.", self.failed));
        }
        self.failed == 0
    }
}

/// Shortens the 64 digits of a fingerprint or card id to the first eight, to fit a line.
pub(crate) fn brief(text: &str) -> String {
    let shorten = |word: &str| {
        let digits = word.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits == 64 { format!("{}..{}", &word[..8], &word[64..]) } else { word.to_owned() }
    };
    text.split(' ').map(shorten).collect::<Vec<_>>().join(" ")
}

/// A number with commas between thousands.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// A progress bar on the terminal; indicatif shows none where there is no terminal.
pub(crate) fn bar(what: &'static str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("   {msg} {bar:40} {pos}/{len}");
    let bar = ProgressBar::new(length.try_into().unwrap_or(u64::MAX)).with_message(what);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

/// How long a step took, with the database and in lukko alone.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    pub(crate) total: Duration,
    pub(crate) lukko: Duration,
}

/// The sizes of what went in and what is stored, in bytes.
#[derive(Debug)]
pub(crate) struct Sizes {
    pub(crate) notes: usize,
    pub(crate) records: usize,
    pub(crate) file: usize,
}

/// Prints the closing table.
pub(crate) fn table(notes: usize, patients: usize, sizes: &Sizes, rows: &[(&str, &Timing)]) {
    step("In figures");
    for (what, number) in [("notes", notes), ("patients", patients)] {
        fact(format!("{what:24}{:>14}", count(number)));
    }
    let bytes = [("notes as text", sizes.notes), ("the same, sealed", sizes.records), ("database file", sizes.file)];
    for (what, number) in bytes {
        fact(format!("{what:24}{:>14} bytes", count(number)));
    }
    line("");
    fact(format!("{:24}{:>14}{:>14}{:>14}{:>14}", "", "seconds", "notes/s", "lukko alone", "notes/s"));
    for (what, timing) in rows {
        let [total, alone] = [timing.total, timing.lukko].map(|time| (time.as_secs_f64(), rate(notes, time)));
        fact(format!("{what:24}{:>14.3}{:>14}{:>14.3}{:>14}", total.0, total.1, alone.0, alone.1));
    }
}

fn rate(notes: usize, time: Duration) -> String {
    count((notes as f64 / time.as_secs_f64().max(1e-9)) as usize)
}
