//! Time, as an argument, and how long a session lasts.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// Two clocks: one that only moves forward, and the one on the wall. A test gives its own.
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

/// How long keys of patients stay open, and how old the list of members may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A session that was not used for so long is over: 15 minutes unless set.
    pub idle: Duration,
    /// A session is over after so long, used or not: 8 hours unless set.
    pub longest: Duration,
    /// How long a list of members that was read may be used: one second unless set. A member who was revoked a moment ago
    /// works for so long; zero asks the database with each call.
    pub members_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (idle, longest) = (Duration::from_secs(15 * 60), Duration::from_secs(8 * 60 * 60));
        Self { idle, longest, members_for: Duration::from_secs(1) }
    }
}

/// A moment by both clocks. Whichever reaches an end first counts: setting the wall clock back prolongs nothing, and
/// neither does a machine that slept, during which the other clock stands still.
#[derive(Debug, Clone, Copy)]
struct Moment {
    elapsed: Duration,
    unix: Duration,
}

impl Moment {
    fn now(clock: &dyn Clock) -> Self {
        Self { elapsed: clock.elapsed(), unix: clock.unix() }
    }

    fn is_over(self, span: Duration, now: Self) -> bool {
        now.elapsed.saturating_sub(self.elapsed) >= span || now.unix.saturating_sub(self.unix) >= span
    }
}

/// The life of a session.
#[derive(Debug)]
pub(crate) struct Life {
    clock: Arc<dyn Clock>,
    limits: Limits,
    began: Moment,
    /// When it was used last; none once it is closed.
    used: Mutex<Option<Moment>>,
}

impl Life {
    pub(crate) fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let began = Moment::now(clock.as_ref());
        Self { clock, limits, began, used: Mutex::new(Some(began)) }
    }

    /// Uses the session now.
    pub(crate) fn touch(&self) -> Result<()> {
        let now = Moment::now(self.clock.as_ref());
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_over_at(*used, now) {
            *used = None;
            return Err(Error::Expired);
        }
        *used = Some(now);
        Ok(())
    }

    pub(crate) fn is_over(&self) -> bool {
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_over_at(used, Moment::now(self.clock.as_ref()))
    }

    pub(crate) fn close(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn is_over_at(&self, used: Option<Moment>, now: Moment) -> bool {
        used.is_none_or(|used| used.is_over(self.limits.idle, now) || self.began.is_over(self.limits.longest, now))
    }
}
