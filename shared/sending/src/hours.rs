//! What the clock on somebody's wall has to say.

use domain::dictionary::QuietHours;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// When the quiet hours are over in which this moment lies; none if it lies in none. That is
/// the first instant at which a clock in the zone shows a time outside them, whatever
/// changes of the clock come before it.
#[must_use]
pub fn quiet_until(quiet: QuietHours, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut at = now;
    loop {
        let shown = zone.to_datetime(at);
        if !quiet.covers(shown.time()) {
            return (at != now).then_some(at);
        }
        // Until the clock is changed it runs on as it does now.
        let end = shown.with().time(quiet.to).build().ok()?;
        let end = if quiet.to > shown.time() { end } else { end.tomorrow().ok()? };
        let end = at.checked_add(end.duration_since(shown)).ok()?;
        match zone.following(at).next() {
            Some(change) if change.timestamp() < end => at = change.timestamp(),
            _ => at = end,
        }
    }
}

/// When a clock in the zone shows this time: the first time, if it does so twice; if it
/// never does, because the clock is put forward over it, when that is done. None at the
/// ends of time.
#[must_use]
pub fn instant_of(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // By the clock as it is afterwards this would have been before the change.
            let before = after.to_timestamp(local).ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        crate::zone_of(Some(name), None, None)
    }

    fn quiet(from: &str, to: &str) -> QuietHours {
        QuietHours { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn quiet_hours_pass_midnight_and_end_on_the_minute() {
        let night = quiet("21:00", "08:00");
        let until = |now: &str| quiet_until(night, &zone("Europe/Riga"), now.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(until("2026-11-23T18:59:59.9Z"), None);
        assert_eq!(until("2026-11-23T19:00:00Z").unwrap(), "2026-11-24T06:00:00Z");
        assert_eq!(until("2026-11-24T05:59:59.5Z").unwrap(), "2026-11-24T06:00:00Z");
        assert_eq!(until("2026-11-24T06:00:00Z"), None);
        let noon = quiet("12:00", "13:00");
        let until = |now: &str| quiet_until(noon, &zone("Europe/Riga"), now.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(until("2026-11-24T10:30:00Z").unwrap(), "2026-11-24T11:00:00Z");
        assert_eq!(until("2026-11-24T11:30:00Z"), None);
    }

    #[test]
    fn quiet_hours_end_when_the_clock_is_put_past_their_end_and_begin_again_when_it_is_put_back() {
        let new_york = zone("America/New_York");
        let until = |quiet, now: &str| quiet_until(quiet, &new_york, now.parse().unwrap()).map(|at| at.to_string());
        // 8 March 2026: after 01:59:59 comes 03:00:00.
        assert_eq!(until(quiet("21:00", "02:30"), "2026-03-08T06:30:00Z").unwrap(), "2026-03-08T07:00:00Z");
        // 1 November 2026: after 01:59:59 comes 01:00:00, so 01:30 comes twice.
        let early = quiet("21:00", "01:30");
        assert_eq!(until(early, "2026-11-01T05:00:00Z").unwrap(), "2026-11-01T05:30:00Z");
        assert_eq!(until(early, "2026-11-01T05:45:00Z"), None);
        assert_eq!(until(early, "2026-11-01T06:00:00Z").unwrap(), "2026-11-01T06:30:00Z");
        assert_eq!(until(quiet("01:30", "02:30"), "2026-11-01T05:45:00Z").unwrap(), "2026-11-01T06:00:00Z");
    }

    #[test]
    fn a_time_that_the_clock_never_shows_is_when_it_is_put_forward_and_one_shown_twice_the_first() {
        let at = |local: &str| instant_of(local.parse().unwrap(), &zone("America/New_York")).unwrap().to_string();
        assert_eq!(at("2026-03-08T02:30:00"), "2026-03-08T07:00:00Z");
        assert_eq!(at("2026-11-01T01:30:00"), "2026-11-01T05:30:00Z");
        assert_eq!(at("2026-12-01T10:00:00"), "2026-12-01T15:00:00Z");
    }
}
