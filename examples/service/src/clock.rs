//! Time, as an argument, so that a test can move it.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Two clocks: one that only moves forward, and the one on the wall.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time since some moment in the past. Nobody can set it.
    fn elapsed(&self) -> Duration;

    /// The time since 1970. Whoever runs the machine can set it.
    fn unix(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn unix(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// The end of something that is open, by both clocks: whichever reaches it first closes. Setting the wall clock back thus
/// prolongs nothing, and neither does a machine that slept, during which the other clock stands still.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    elapsed: Duration,
    unix: Duration,
}

impl Deadline {
    pub(crate) fn after(clock: &dyn Clock, span: Duration) -> Self {
        Self { elapsed: clock.elapsed().saturating_add(span), unix: clock.unix().saturating_add(span) }
    }

    /// What is left; zero when it is over.
    pub(crate) fn left(&self, clock: &dyn Clock) -> Duration {
        self.elapsed.saturating_sub(clock.elapsed()).min(self.unix.saturating_sub(clock.unix()))
    }

    pub(crate) fn is_over(&self, clock: &dyn Clock) -> bool {
        self.left(clock).is_zero()
    }
}
