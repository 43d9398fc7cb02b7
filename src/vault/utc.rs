//! Times as people read them.

use core::fmt;

const DAY: u64 = 86_400;
/// Days of 400 years, after which the calendar repeats.
const CYCLE: u64 = 146_097;

/// Seconds since 1970-01-01 UTC, written as `2026-11-29 12:30:00 UTC`. Leap seconds are not counted.
pub(super) struct Utc(pub(super) u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / DAY, self.0 % DAY);
        let (mut year, mut day) = ((days / CYCLE).saturating_mul(400).saturating_add(1970), days % CYCLE);
        while let Some(rest) = day.checked_sub(if is_leap(year) { 366 } else { 365 }) {
            (year, day) = (year.saturating_add(1), rest);
        }
        let february = if is_leap(year) { 29 } else { 28 };
        let mut month = 1_u8;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            let Some(rest) = day.checked_sub(length) else { break };
            (month, day) = (month.saturating_add(1), rest);
        }
        let (day, hour, minute, second) = (day.saturating_add(1), second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::Utc;

    /// As GNU `date -u` writes them.
    #[test]
    fn t084_a_time_is_written_as_the_calendar_has_it() {
        let known = [
            (0, "1970-01-01 00:00:00 UTC"),
            (86399, "1970-01-01 23:59:59 UTC"),
            (68169599, "1972-02-28 23:59:59 UTC"),
            (951782400, "2000-02-29 00:00:00 UTC"),
            (951868799, "2000-02-29 23:59:59 UTC"),
            (951868800, "2000-03-01 00:00:00 UTC"),
            (1796000451, "2026-11-30 01:00:51 UTC"),
            (4107542399, "2100-02-28 23:59:59 UTC"),
            (4107542400, "2100-03-01 00:00:00 UTC"),
            (253402300799, "9999-12-31 23:59:59 UTC"),
        ];
        for (seconds, expected) in known {
            assert_eq!(Utc(seconds).to_string(), expected);
        }
        assert_eq!(Utc(u64::MAX).to_string().rsplit(' ').next(), Some("UTC"));
    }
}
