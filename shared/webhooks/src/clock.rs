//! Times that tell apart what a shop says within one second.

use jiff::{SignedDuration, Timestamp};

/// The most that a delivery's own time adds, in milliseconds; ranks go beyond it.
const MOST: i64 = 900;

fn later(at: Timestamp, milliseconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_millis(milliseconds)).unwrap_or(at)
}

/// The second that this is in.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Since when a status of this rank holds that was said to hold at `at`.
pub(crate) fn status(at: Timestamp, rank: i64) -> Timestamp {
    later(second(at), rank)
}

/// When a content was true that was said to be true at `at` and sent at `sent`.
pub(crate) fn content(at: Timestamp, sent: Option<Timestamp>, rank: i64) -> Timestamp {
    let at = second(at);
    let since = sent.map_or(0, |sent| sent.as_millisecond().saturating_sub(at.as_millisecond()));
    later(at, since.clamp(0, MOST) + rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_or_came_later_within_a_second_is_later() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let said = at("2026-11-22T10:00:00Z");
        assert_eq!(status(at("2026-11-22T10:00:00.7Z"), 3), at("2026-11-22T10:00:00.003Z"));
        assert_eq!(content(said, None, 2), at("2026-11-22T10:00:00.002Z"));
        assert_eq!(content(said, Some(at("2026-11-22T10:00:00.25Z")), 2), at("2026-11-22T10:00:00.252Z"));
        assert_eq!(content(said, Some(at("2026-11-22T11:00:00Z")), 2), at("2026-11-22T10:00:00.902Z"));
        assert_eq!(content(said, Some(at("2026-11-22T09:00:00Z")), 2), at("2026-11-22T10:00:00.002Z"));
        assert!(content(Timestamp::MAX, Some(Timestamp::MIN), 2) >= second(Timestamp::MAX));
    }
}
