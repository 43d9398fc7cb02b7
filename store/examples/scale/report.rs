//! Medians, and the tables that are printed.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Sizes;

/// What the gate asks of a ratio.
pub const ASKED: f64 = 0.7;

pub fn bar(length: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").unwrap();
    ProgressBar::new(length.try_into().unwrap()).with_style(style).with_message(what.to_owned())
}

pub fn heading(what: &str, sizes: &Sizes) {
    let Sizes { batch, rounds, .. } = sizes;
    match what {
        "import" => {
            println!(
                "### Import\n\n{batch} records in a change; ours seals and applies, raw inserts the same bytes in turn."
            );
            println!("Records in a second; medians of {rounds} rounds.\n");
            println!("| database | what | ours | raw | ratio | rounds | |\n|---|---|--:|--:|--:|--:|---|");
        }
        "read" => {
            println!("### Reading\n\nOurs reads and opens, raw selects the same columns in turn. Records in a second;");
            println!("medians of {rounds} rounds.\n");
            println!("| database | what | ours | raw | ratio | rounds | |\n|---|---|--:|--:|--:|--:|---|");
        }
        "rotate" => {
            println!("### Rotation\n");
            println!(
                "| database | patients | workers | begin, s | patients in a second | in the first and the last tenth | memory before, MiB | begun | each \
                 10 % of the patients | highest |\n|---|--:|--:|--:|--:|--:|--:|--:|---|--:|"
            );
        }
        _ => {
            println!("### Growth\n");
            println!(
                "| database | records | imported in a second | read and opened, us | of 100 reads one above, us | bytes \
                 of the database for each record |\n|---|--:|--:|--:|--:|--:|"
            );
        }
    }
}

static NOTES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What is said below the table.
pub fn note(database: &str, text: &str) {
    NOTES.lock().unwrap().push(format!("On {database}, {text}."));
}

pub fn end() {
    println!();
    let notes = std::mem::take(&mut *NOTES.lock().unwrap());
    if !notes.is_empty() {
        println!("{}\n", notes.join("\n"));
    }
}

/// Rates of ours and of raw in each round.
#[derive(Debug)]
pub struct Series(Vec<(f64, f64)>);

impl Series {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn add(&mut self, count: usize, ours: Duration, raw: Duration) {
        let count = count as f64;
        self.0.push((count / ours.as_secs_f64(), count / raw.as_secs_f64()));
    }

    /// One row of a table. The ratio is the median of the rounds' ratios.
    pub fn print(&self, database: &str, what: &str, gate: bool) {
        let (ours, raw) = (median(self.0.iter().map(|round| round.0)), median(self.0.iter().map(|round| round.1)));
        let ratios = || self.0.iter().map(|(ours, raw)| ours / raw);
        let (ratio, least) = (median(ratios()), ratios().fold(f64::INFINITY, f64::min));
        let most = ratios().fold(0.0, f64::max);
        let verdict = match (gate, ratio >= ASKED) {
            (false, _) => "",
            (true, true) => "holds",
            (true, false) => "below the floor of 0.7",
        };
        println!("| {database} | {what} | {ours:.0} | {raw:.0} | {ratio:.3} | {least:.3} to {most:.3} | {verdict} |");
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

pub fn quantile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = ((values.len() - 1) as f64 * part).round();
    values[at as usize]
}

pub async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let begin = Instant::now();
    let result = work.await;
    (begin.elapsed(), result)
}

/// The memory of this process, in MiB.
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1_024.0
}
