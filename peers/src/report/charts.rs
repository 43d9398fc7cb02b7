//! Which charts there are.

use super::chart::{Bar, Panel, svg};
use super::samples::Samples;
use super::tables::{microseconds, throughput};
use crate::LUKKO;

/// The peers of the small chart.
const FEW: [&str; 6] =
    [LUKKO, "lukko deposit, X-Wing", "age", "libsodium box", "hpke, X-Wing", "raw AEAD (chacha20poly1305)"];

/// The small one, for the README: a note of 1 KiB is sealed and opened.
pub fn seal_open(samples: &Samples) -> String {
    let panel = |group, title| times(samples, group, title, |peer| FEW.contains(&peer));
    svg(&[
        panel("seal-1k", "Sealing a note of 1 KiB, microseconds (less is better)"),
        panel("open-1k", "Opening it, microseconds (less is better)"),
    ])
}

/// All peers, in what they are compared in.
pub fn everything(samples: &Samples) -> String {
    let panel = |group, title| times(samples, group, title, |_| true);
    svg(&[
        panel("seal-1k", "Sealing a note of 1 KiB, microseconds (less is better)"),
        panel("open-1k", "Opening a note of 1 KiB, microseconds (less is better)"),
        panel("deposit-1k", "A signed note of 1 KiB, microseconds (less is better)"),
        streams(samples, "attach-64m", "Sealing a stream of 64 MiB, MiB/s (more is better)"),
        streams(samples, "attach-open-64m", "Opening a stream of 64 MiB, MiB/s (more is better)"),
        panel("split-128-255", "Sharing 32 bytes, 128 of 255, microseconds (less is better)"),
        panel("recover-128-255", "Recovering them, microseconds (less is better)"),
        panel("rotate-patient", "Rotating one patient, microseconds (less is better)"),
    ])
}

fn times(samples: &Samples, group: &str, title: &str, shown: impl Fn(&str) -> bool) -> Panel {
    let peers = samples.peers(&[group]).into_iter().filter(|peer| shown(peer));
    panel(title, peers.filter_map(|peer| samples.median(group, peer).map(|ns| (peer, ns, microseconds(ns)))))
}

fn streams(samples: &Samples, group: &str, title: &str) -> Panel {
    let peers = samples.peers(&[group]).into_iter();
    panel(title, peers.filter_map(|peer| samples.median(group, peer).map(|ns| (peer, 1.0 / ns, throughput(ns)))))
}

fn panel<'a>(title: &str, bars: impl Iterator<Item = (&'a str, f64, String)>) -> Panel {
    let bar = |(peer, length, label): (&str, f64, String)| Bar {
        name: peer.into(),
        length,
        label,
        own: peer.starts_with(LUKKO),
    };
    Panel { title: title.into(), bars: bars.map(bar).collect() }
}
