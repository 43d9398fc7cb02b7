//! What was measured: for each work one median of each round.

use crate::work::{Outcome, median};

/// Nanoseconds for one unit of work, in the order in which the works were first named.
pub struct Samples(Vec<Sample>);

/// One work.
pub struct Sample {
    /// Its group.
    pub group: String,
    /// Who did it.
    pub peer: String,
    /// One value of each round, in order.
    pub rounds: Vec<f64>,
}

impl Samples {
    /// Of lines `GROUP/PEER<TAB>NANOSECONDS`.
    ///
    /// # Errors
    /// Names the line that is none.
    pub fn read(lines: &str) -> Outcome<Self> {
        let mut samples = Self(Vec::new());
        for line in lines.lines() {
            let parts = line.split_once('\t').and_then(|(name, ns)| Some((name.split_once('/')?, ns.parse().ok()?)));
            let Some(((group, peer), ns)) = parts else { return Err(format!("not a measurement: {line}").into()) };
            samples.add(group, peer, ns);
        }
        Ok(samples)
    }

    fn add(&mut self, group: &str, peer: &str, ns: f64) {
        match self.0.iter_mut().find(|sample| sample.group == group && sample.peer == peer) {
            Some(sample) => sample.rounds.push(ns),
            None => self.0.push(Sample { group: group.into(), peer: peer.into(), rounds: vec![ns] }),
        }
    }

    /// The peers that are in any of the groups.
    pub fn peers(&self, groups: &[&str]) -> Vec<&str> {
        let mut peers = Vec::new();
        for sample in self.0.iter().filter(|sample| groups.contains(&sample.group.as_str())) {
            if !peers.contains(&sample.peer.as_str()) {
                peers.push(sample.peer.as_str());
            }
        }
        peers
    }

    /// The rounds of one work.
    pub fn get(&self, group: &str, peer: &str) -> Option<&[f64]> {
        self.0.iter().find(|sample| sample.group == group && sample.peer == peer).map(|sample| &*sample.rounds)
    }

    /// The median of one work over its rounds.
    pub fn median(&self, group: &str, peer: &str) -> Option<f64> {
        self.get(group, peer).map(|rounds| median(&mut rounds.to_vec()))
    }

    /// How many rounds there were.
    pub fn rounds(&self) -> usize {
        self.0.iter().map(|sample| sample.rounds.len()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_medians() {
        let samples = Samples::read("a/x\t3\na/y\t9\na/x\t5\na/x\t4\n").unwrap();
        assert_eq!(samples.median("a", "x"), Some(4.0));
        assert_eq!(samples.peers(&["a"]), ["x", "y"]);
        assert_eq!(samples.rounds(), 3);
        assert!(samples.get("b", "x").is_none());
        assert!(Samples::read("a/x 3").is_err());
    }
}
