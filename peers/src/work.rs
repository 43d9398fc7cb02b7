//! What is measured: a unit of work with a name, in a group of others that do the same.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Everything here ends the program: a check that failed, or a file that could not be read.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// One unit of work of one peer, which is repeated.
pub struct Work {
    /// Who does it.
    pub peer: &'static str,
    run: Box<dyn FnMut()>,
    /// How often in one turn; 0 until that was found out.
    count: u32,
}

/// Works that are compared with one another, and so take turns.
pub struct Group {
    /// What they do, for example `seal-1k`.
    pub name: String,
    /// Who does it.
    pub works: Vec<Work>,
}

/// How long is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The time that one turn should take.
    turn: Duration,
    /// How many turns each work has in a round.
    laps: usize,
    /// The same for works that take longer than a turn.
    long_laps: usize,
}

impl Effort {
    /// What the published figures are measured with.
    pub const FULL: Self = Self { turn: Duration::from_millis(2), laps: 15, long_laps: 3 };
    /// To see that everything runs.
    pub const QUICK: Self = Self { turn: Duration::from_micros(500), laps: 5, long_laps: 1 };

    /// How another process is told.
    pub fn argument(self) -> Option<&'static str> {
        (self.turn == Self::QUICK.turn).then_some("--quick")
    }
}

impl Work {
    /// A work whose success was shown before; what it gives is dropped within the time.
    pub fn new<T>(peer: &'static str, mut work: impl FnMut() -> Outcome<T> + 'static) -> Self {
        let run = move || drop(black_box(work().expect("it succeeded when it was checked")));
        Self { peer, run: Box::new(run), count: 0 }
    }

    fn times(&mut self, count: u32) -> Duration {
        let start = Instant::now();
        (0..count).for_each(|_| (self.run)());
        start.elapsed()
    }

    /// Finds out how often it is done in one turn; also warms it up.
    fn prepare(&mut self, turn: Duration) {
        let mut count = 1;
        while self.count == 0 {
            // The quickest of three: another process may have had the processor in between.
            let took = (0..3).map(|_| self.times(count)).min().unwrap_or_default();
            if took >= turn {
                self.count = count;
            }
            // At most tenfold, because the first run is the slowest.
            let wanted = f64::from(count) * turn.as_secs_f64() / took.as_secs_f64().max(1e-9);
            count = (wanted * 1.05).ceil().clamp(f64::from(count) + 1.0, f64::from(count) * 10.0) as u32;
        }
    }

    /// One turn: nanoseconds for one unit of work.
    fn turn(&mut self) -> f64 {
        self.times(self.count).as_secs_f64() * 1e9 / f64::from(self.count)
    }
}

impl Group {
    /// A group without works.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), works: Vec::new() }
    }

    /// One round: all works take turns, beginning with another one each round. Gives for each peer the median of its
    /// turns, in nanoseconds for one unit of work.
    pub fn round(&mut self, round: usize, effort: Effort) -> Vec<(&'static str, f64)> {
        self.works.iter_mut().for_each(|work| work.prepare(effort.turn));
        let many = self.works.len();
        let mut turns = vec![Vec::new(); many];
        let long = self.works.iter().any(|work| work.count == 1);
        for lap in 0..if long { effort.long_laps } else { effort.laps } {
            for step in 0..many {
                let at = (round + lap + step) % many;
                turns[at].push(self.works[at].turn());
            }
        }
        self.works.iter().zip(turns).map(|(work, mut turns)| (work.peer, median(&mut turns))).collect()
    }
}

/// The median; of an even number, the mean of the two in the middle.
///
/// # Panics
/// If there is no value.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// Fails with the text unless the condition holds.
///
/// # Errors
/// The text.
pub fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&mut [9.0, 1.0, 5.0, 7.0]), 6.0);
    }

    #[test]
    fn a_round_gives_one_figure_for_each_work() {
        let mut group = Group::new("nothing");
        group.works.push(Work::new("a", || Ok(1)));
        group.works.push(Work::new("b", || Ok(2)));
        let round = group.round(1, Effort::QUICK);
        assert_eq!(round.iter().map(|(peer, _)| *peer).collect::<Vec<_>>(), ["a", "b"]);
        assert!(round.iter().all(|(_, ns)| *ns > 0.0));
    }
}
