//! The tables in Markdown, medians over all rounds.

use super::samples::Samples;
use crate::stream::LEN;

/// A table: a column for each group, a row for each peer.
struct Table {
    title: &'static str,
    text: &'static str,
    columns: &'static [(&'static str, &'static str)],
    cell: fn(f64) -> String,
}

const TABLES: [Table; 7] = [
    Table {
        title: "Sealing a note",
        text: "Microseconds for one note; less is better.",
        columns: &[("seal-256", "256 B"), ("seal-1k", "1 KiB"), ("seal-4k", "4 KiB"), ("seal-16k", "16 KiB")],
        cell: microseconds,
    },
    Table {
        title: "Opening a note",
        text: "Microseconds for one note; less is better.",
        columns: &[("open-256", "256 B"), ("open-1k", "1 KiB"), ("open-4k", "4 KiB"), ("open-16k", "16 KiB")],
        cell: microseconds,
    },
    Table {
        title: "A signed note from someone who cannot read it back",
        text: "Microseconds for one note; less is better.",
        columns: &[("deposit-1k", "1 KiB")],
        cell: microseconds,
    },
    Table {
        title: "A stream of 64 MiB",
        text: "MiB of plaintext in a second, from memory to memory on one thread; more is better.",
        columns: &[("attach-64m", "seal"), ("attach-open-64m", "open")],
        cell: throughput,
    },
    Table {
        title: "The same attachment on several threads",
        text: "MiB of plaintext in a second; more is better.",
        columns: &[("attach-64m-threads", "seal")],
        cell: throughput,
    },
    Table {
        title: "Sharing a secret of 32 bytes",
        text: "Microseconds for one secret; less is better. All draw from the same generator in user space.",
        columns: &[
            ("split-3-5", "split, 3 of 5"),
            ("recover-3-5", "recover, 3 of 5"),
            ("split-128-255", "split, 128 of 255"),
            ("recover-128-255", "recover, 128 of 255"),
        ],
        cell: microseconds,
    },
    Table {
        title: "Rotation",
        text: "Microseconds for one patient; less is better.",
        columns: &[("rotate-patient", "one patient")],
        cell: microseconds,
    },
];

/// All tables that have a row.
pub fn all(samples: &Samples) -> String {
    TABLES.iter().filter_map(|table| table.markdown(samples)).collect::<Vec<_>>().join("\n")
}

impl Table {
    fn markdown(&self, samples: &Samples) -> Option<String> {
        let groups: Vec<&str> = self.columns.iter().map(|(group, _)| *group).collect();
        let peers = samples.peers(&groups);
        let first = peers.first()?;
        let headings: Vec<&str> = self.columns.iter().map(|(_, heading)| *heading).collect();
        let (heads, rule) = (headings.join(" | "), "--:|".repeat(headings.len()));
        let mut text = format!("### {}\n\n{}\n\n| | {heads} |\n|---|{rule}\n", self.title, self.text);
        for peer in &peers {
            let cell = |group: &&str| samples.median(group, peer).map(self.cell).unwrap_or_default();
            let cells: Vec<String> = groups.iter().map(cell).collect();
            let name = if peer == first { format!("**{peer}**") } else { (*peer).to_owned() };
            text += &format!("| {name} | {} |\n", cells.join(" | "));
        }
        Some(text)
    }
}

/// Three digits at least, of nanoseconds.
pub fn microseconds(ns: f64) -> String {
    let value = ns / 1e3;
    let places = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.places$}")
}

/// MiB in a second, of the nanoseconds for a whole stream.
pub fn throughput(ns: f64) -> String {
    format!("{:.0}", LEN as f64 / f64::from(1 << 20) / (ns / 1e9))
}
