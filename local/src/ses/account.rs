//! The sending account: quotas, who may send, and whether sending is on.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;

use super::address::Address;
use super::error::Refusal;

/// How long a recipient counts against the daily quota.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Recipients of one minute are counted together.
const MINUTE_MS: i64 = 60 * 1000;

/// What the account may do and has done.
///
/// Quotas count recipients. As with SES, a mail goes through when anything at
/// all is left of the rate, and a mail to several takes what follows in advance.
#[derive(Debug)]
pub(super) struct Account {
    /// Recipients per second.
    pub(super) max_send_rate: f64,
    /// Recipients in any 24 hours; negative for no limit.
    pub(super) max_24_hour_send: f64,
    pub(super) paused: bool,
    /// Configuration sets whose sending is paused.
    pub(super) paused_sets: BTreeSet<String>,
    /// Whether SES has taken away the right to send.
    pub(super) suspended: bool,
    /// Whether mail may go to verified addresses only.
    pub(super) sandbox: bool,
    /// Whether the MAIL FROM domain was set up, and its MX record is not there.
    pub(super) mail_from_failed: bool,
    /// Verified addresses and domains.
    pub(super) identities: BTreeSet<String>,
    /// Mails refused because they were too many in a second.
    pub(super) too_fast: u64,
    left_this_second: f64,
    filled: Timestamp,
    minutes: VecDeque<(i64, u64)>,
}

impl Account {
    pub(super) fn new(max_send_rate: f64, max_24_hour_send: f64, now: Timestamp) -> Self {
        Self {
            max_send_rate,
            max_24_hour_send,
            paused: false,
            paused_sets: BTreeSet::new(),
            suspended: false,
            sandbox: false,
            mail_from_failed: false,
            identities: BTreeSet::new(),
            too_fast: 0,
            left_this_second: most_at_once(max_send_rate),
            filled: now,
            minutes: VecDeque::new(),
        }
    }

    /// Recipients of the 24 hours before `now`.
    pub(super) fn sent_last_24_hours(&self, now: Timestamp) -> u64 {
        let since = now.as_millisecond() - DAY_MS;
        let recent = self.minutes.iter().filter(|(minute, _)| *minute > since);
        recent.map(|(_, count)| count).sum()
    }

    /// Notes recipients of the past, such as those of an earlier start.
    pub(super) fn count(&mut self, at_ms: i64, recipients: u64) {
        let minute = at_ms - at_ms.rem_euclid(MINUTE_MS);
        match self.minutes.back_mut() {
            Some((last, count)) if *last == minute => *count += recipients,
            _ => self.minutes.push_back((minute, recipients)),
        }
    }

    /// Takes `recipients` from the rate and, of those, `counted` from the day.
    /// (Mail for the mailbox simulator counts against the rate alone.)
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`] or [`Refusal::LimitExceeded`], and nothing is taken.
    pub(super) fn take(&mut self, recipients: u64, counted: u64, now: Timestamp) -> Result<(), Refusal> {
        self.refill(now);
        if self.left_this_second < 1.0 {
            self.too_fast += 1;
            return Err(Refusal::TooManyRequests);
        }
        self.forget_before(now);
        let day = self.sent_last_24_hours(now) + counted;
        if counted > 0 && self.max_24_hour_send >= 0.0 && day as f64 > self.max_24_hour_send {
            return Err(Refusal::LimitExceeded);
        }
        self.left_this_second -= recipients as f64;
        self.count(now.as_millisecond(), counted);
        Ok(())
    }

    /// Changes the rate. What was saved up under the old one is lost.
    pub(super) fn set_rate(&mut self, max_send_rate: f64) {
        self.max_send_rate = max_send_rate;
        self.left_this_second = most_at_once(max_send_rate);
    }

    /// Whether mail may come from an address, or in the sandbox go to it: it, its domain, or a
    /// domain above that has been verified.
    pub(super) fn is_verified(&self, from: &Address) -> bool {
        let above = |(at, _): (usize, char)| &from.domain()[at + 1..];
        let dots = from.domain().char_indices().filter(|(_, c)| *c == '.');
        self.identities.contains(&from.bare())
            || self.identities.contains(from.domain())
            || dots.map(above).any(|d| self.identities.contains(d))
    }

    /// A clock that was moved back starts a new second: it takes nothing away.
    fn refill(&mut self, now: Timestamp) {
        let seconds = now.duration_since(self.filled).as_secs_f64().max(0.0);
        let most = most_at_once(self.max_send_rate);
        self.left_this_second = (self.left_this_second + seconds * self.max_send_rate).min(most);
        self.filled = now;
    }

    fn forget_before(&mut self, now: Timestamp) {
        let since = now.as_millisecond() - DAY_MS;
        while self.minutes.front().is_some_and(|(m, _)| *m <= since) {
            self.minutes.pop_front();
        }
    }
}

/// A rate of one in ten seconds still lets that one go; none lets none.
fn most_at_once(max_send_rate: f64) -> f64 {
    if max_send_rate > 0.0 { max_send_rate.max(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn start() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_second_gives_as_many_recipients_as_the_rate() {
        let mut account = Account::new(2.0, -1.0, start());
        let mut taken = |now| account.take(1, 1, now).is_ok();
        assert!(taken(start()) && taken(start()) && !taken(start()));
        let half = start() + 500.milliseconds();
        assert!(taken(half) && !taken(half));
    }

    #[test]
    fn several_recipients_go_through_and_are_paid_for_after() {
        let mut account = Account::new(1.0, -1.0, start());
        assert!(account.take(5, 5, start()).is_ok());
        assert!(account.take(1, 1, start() + 4.seconds()).is_err());
        assert!(account.take(1, 1, start() + 5.seconds()).is_ok());
    }

    #[test]
    fn the_day_is_the_24_hours_before_now() {
        let mut account = Account::new(100.0, 2.0, start());
        assert!(account.take(2, 2, start()).is_ok());
        let refused = account.take(1, 1, start() + 23.hours());
        assert!(matches!(refused, Err(Refusal::LimitExceeded)));
        assert!(account.take(1, 0, start() + 23.hours()).is_ok());
        assert!(account.take(1, 1, start() + 24.hours()).is_ok());
        assert_eq!(account.sent_last_24_hours(start() + 24.hours()), 1);
    }

    #[test]
    fn a_verified_domain_covers_what_is_below_it() {
        let mut account = Account::new(1.0, -1.0, start());
        account.identities.insert("example.com".into());
        account.identities.insert("one@example.org".into());
        let verified = |a: &str| account.is_verified(&Address::parse(a).unwrap());
        assert!(verified("a@example.com") && verified("a@mail.example.com"));
        assert!(verified("one@example.org") && !verified("two@example.org"));
        assert!(!verified("a@notexample.com"));
    }
}
