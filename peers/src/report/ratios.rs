//! The ratios, and what they must not fall below.

use std::fmt::Write;

use super::samples::Samples;
use crate::LUKKO;
use crate::work::median;

/// What is asked of a ratio.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Shown beside the others.
    None,
}

/// A ratio of two works, and its name.
struct Ratio {
    name: &'static str,
    bound: Bound,
    over: (&'static str, &'static str),
    under: (&'static str, &'static str),
}

/// A ratio and its value in each round; empty if it was not measured.
pub struct Measured {
    ratio: Ratio,
    rounds: Vec<f64>,
}

const fn ratio(
    name: &'static str,
    bound: Bound,
    over: (&'static str, &'static str),
    under: (&'static str, &'static str),
) -> Ratio {
    Ratio { name, bound, over, under }
}

const RAW: &str = "raw AEAD (chacha20poly1305)";
const RAW_CHUNKS: &str = "raw AEAD, 16 KiB (chacha20poly1305)";
const LUKKO_AWS: &str = "lukko, aws-lc";

/// All of them.
fn ratios() -> Vec<Ratio> {
    use Bound::{AtLeast, AtMost};
    vec![
        ratio("seal-1k/age", AtLeast(12.0), ("seal-1k", "age"), ("seal-1k", LUKKO)),
        ratio("open-1k/age", AtLeast(15.0), ("open-1k", "age"), ("open-1k", LUKKO)),
        ratio("seal-1k/libsodium-box", AtLeast(7.0), ("seal-1k", "libsodium box"), ("seal-1k", LUKKO)),
        ratio("open-1k/libsodium-box", AtLeast(5.5), ("open-1k", "libsodium box"), ("open-1k", LUKKO)),
        ratio("seal-1k/raw-aead", AtLeast(0.33), ("seal-1k", RAW), ("seal-1k", LUKKO)),
        ratio("seal-4k/raw-aead", AtLeast(0.50), ("seal-4k", RAW), ("seal-4k", LUKKO)),
        ratio("seal-16k/raw-aead", AtLeast(0.65), ("seal-16k", RAW), ("seal-16k", LUKKO)),
        ratio("open-1k/raw-aead", AtLeast(0.42), ("open-1k", RAW), ("open-1k", LUKKO)),
        ratio(
            "deposit-1k/hpke+sign",
            AtLeast(0.85),
            ("deposit-1k", "hpke + sign, X-Wing"),
            ("deposit-1k", "lukko deposit, X-Wing"),
        ),
        ratio(
            "deposit-1k-x25519/hpke+sign",
            Bound::None,
            ("deposit-1k", "hpke + sign, X25519"),
            ("deposit-1k", "lukko deposit, X25519"),
        ),
        ratio("attach-64m/raw-aead-16k", AtLeast(0.92), ("attach-64m", RAW_CHUNKS), ("attach-64m", LUKKO)),
        ratio(
            "attach-64m-unpadded/raw-aead-16k",
            Bound::None,
            ("attach-64m", RAW_CHUNKS),
            ("attach-64m", "lukko, without padding"),
        ),
        ratio("attach-64m/age", AtLeast(1.0), ("attach-64m", "age"), ("attach-64m", LUKKO)),
        ratio(
            "attach-64m-2-threads/1-thread",
            AtLeast(1.6),
            ("attach-64m-threads", LUKKO),
            ("attach-64m-threads", "lukko, 2 threads"),
        ),
        ratio("split-3-5/blahaj", AtLeast(1.5), ("split-3-5", "blahaj"), ("split-3-5", LUKKO)),
        ratio("split-128-255/blahaj", AtLeast(3.0), ("split-128-255", "blahaj"), ("split-128-255", LUKKO)),
        ratio("recover-128-255/blahaj", AtLeast(6.0), ("recover-128-255", "blahaj"), ("recover-128-255", LUKKO)),
        ratio(
            "rotate-per-patient/hpke-open+seal",
            AtLeast(0.8),
            ("rotate-patient", "hpke open + seal, X-Wing"),
            ("rotate-patient", "lukko, X-Wing, 1 record"),
        ),
        ratio(
            "rotate-per-patient-x25519/hpke-open+seal",
            Bound::None,
            ("rotate-patient", "hpke open + seal, X25519"),
            ("rotate-patient", "lukko, X25519, 1 record"),
        ),
        ratio(
            "rotate-100-records/rotate-1-record",
            AtMost(1.1),
            ("rotate-patient", "lukko, X-Wing, 100 records"),
            ("rotate-patient", "lukko, X-Wing, 1 record"),
        ),
        ratio("aws-lc/default-seal-1k", AtLeast(2.0), ("seal-1k", LUKKO), ("seal-1k", LUKKO_AWS)),
        ratio("aws-lc/default-attach-64m", AtLeast(1.4), ("attach-64m", LUKKO), ("attach-64m", LUKKO_AWS)),
    ]
}

/// All ratios, each of both works in the same round, so that a slow minute of the machine counts for both.
pub fn measured(samples: &Samples) -> Vec<Measured> {
    ratios().into_iter().map(|ratio| Measured { rounds: ratio.rounds(samples).unwrap_or_default(), ratio }).collect()
}

impl Ratio {
    fn rounds(&self, samples: &Samples) -> Option<Vec<f64>> {
        let (over, under) = (samples.get(self.over.0, self.over.1)?, samples.get(self.under.0, self.under.1)?);
        Some(over.iter().zip(under).map(|(over, under)| over / under).collect())
    }
}

impl Measured {
    fn value(&self) -> Option<f64> {
        (!self.rounds.is_empty()).then(|| median(&mut self.rounds.clone()))
    }

    fn verdict(&self) -> String {
        match (self.ratio.bound, self.value()) {
            (_, None) => "not measured: this build of lukko lacks the feature".into(),
            (Bound::None, _) => String::new(),
            (Bound::AtLeast(floor), Some(value)) if value < floor => format!("below the floor of {floor}"),
            (Bound::AtMost(ceiling), Some(value)) if value > ceiling => format!("above the ceiling of {ceiling}"),
            _ => "holds".into(),
        }
    }

    /// One row of the table.
    fn row(&self) -> String {
        let bound = match self.ratio.bound {
            Bound::AtLeast(floor) => format!("≥ {floor}"),
            Bound::AtMost(ceiling) => format!("≤ {ceiling}"),
            Bound::None => String::new(),
        };
        let least = self.rounds.iter().copied().reduce(f64::min);
        let most = self.rounds.iter().copied().reduce(f64::max);
        let value = self.value().map(shown).unwrap_or_default();
        let spread = least.zip(most).map(|(least, most)| format!("{} to {}", shown(least), shown(most)));
        let cells = [self.ratio.name, &value, &bound, &spread.unwrap_or_default(), &self.verdict()].join(" | ");
        format!("| {cells} |\n")
    }
}

fn shown(value: f64) -> String {
    let places = if value < 10.0 { 3 } else { 1 };
    format!("{value:.places$}")
}

/// The table, with what is asked beside each ratio.
pub fn table(ratios: &[Measured]) -> String {
    let mut table = String::from("### Ratios\n\n| ratio | median | asked | rounds | |\n|---|--:|--:|--:|---|\n");
    ratios.iter().for_each(|ratio| table += &ratio.row());
    table
}

/// A line `RATIO NAME VALUE` for each that was measured.
pub fn lines(ratios: &[Measured]) -> String {
    ratios.iter().filter_map(|ratio| Some((ratio.ratio.name, ratio.value()?))).fold(
        String::new(),
        |mut lines, (name, value)| {
            let _ = writeln!(lines, "RATIO {name} {value:.3}");
            lines
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_floor_is_said_to_be() {
        let samples = Samples::read("seal-1k/age\t1000\nseal-1k/lukko\t100\nopen-1k/age\t1600\nopen-1k/lukko\t100\n");
        let ratios = measured(&samples.unwrap());
        assert_eq!(lines(&ratios), "RATIO seal-1k/age 10.000\nRATIO open-1k/age 16.000\n");
        let table = table(&ratios);
        assert!(table.contains("| seal-1k/age | 10.0 | ≥ 12 | 10.0 to 10.0 | below the floor of 12 |"), "{table}");
        assert!(table.contains("| open-1k/age | 16.0 | ≥ 15 | 16.0 to 16.0 | holds |"), "{table}");
        assert!(table.contains("not measured"), "{table}");
    }
}
