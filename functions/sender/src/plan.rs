//! Which slots a sender asks for.

use jiff::SignedDuration;
use store::{Sending, WantedSlots};

/// How much of the account's rate is used. The rest is for calls that arrive a little early.
const USED: f64 = 0.975;

/// The least rate that is reckoned with, in mails a second.
const LEAST_RATE: f64 = 0.1;

/// How far ahead mass mail takes slots.
const AHEAD: SignedDuration = SignedDuration::from_millis(1_500);

/// A slot that passed longer ago than this is not used any more: many that are late would
/// be too many at once.
const LATE: SignedDuration = SignedDuration::from_millis(400);

/// For how long mass mail is put back whose turn does not come in this invocation.
const MASS_BACK: SignedDuration = SignedDuration::from_secs(20);

/// For how long anything is put back that only just missed its turn.
pub(crate) const SOON: SignedDuration = SignedDuration::from_secs(2);

/// What to ask of the row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plan {
    /// These slots.
    Take(WantedSlots),
    /// Nothing yet: there is no room.
    Sleep {
        /// For so many microseconds.
        us: i64,
        /// And up to so many more.
        spread_us: i64,
    },
    /// Nothing in this invocation: the message is put back for so long.
    PutBack(SignedDuration),
}

impl Plan {
    /// As many of the `wanted` slots as come in time; all times in microseconds.
    pub(crate) fn of(sending: &Sending, bulk: bool, wanted: usize, now_us: i64, latest_us: i64) -> Self {
        let rate = sending.account.rate;
        let every_us = (1e6 / (rate.max(LEAST_RATE) * USED)).ceil().max(1.0) as i64;
        let free_us = sending.free_us.max(now_us);
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX).max(1);
        let in_time = latest_us.saturating_sub(free_us).div_euclid(every_us) + 1;
        let take = |count: i64, end_us: i64| {
            let latest_us = end_us - (count - 1) * every_us;
            Self::Take(WantedSlots { count, every_us, rate, now_us, latest_us })
        };
        if in_time < 1 {
            let after = SignedDuration::from_micros(free_us - now_us);
            return Self::PutBack(if bulk { MASS_BACK } else { after.max(SOON) });
        }
        if !bulk {
            return take(wanted.min(in_time), latest_us);
        }
        // Half of what lies ahead at most, so that there is still some left when the next asks.
        let count = wanted.min(in_time).min((micros(AHEAD) / 2).div_euclid(every_us).max(1));
        let length_us = (count - 1) * every_us;
        let end_us = (now_us + micros(AHEAD)).max(now_us + length_us);
        let too_early = free_us + length_us - end_us;
        if too_early <= 0 {
            return take(count, end_us.min(latest_us));
        }
        if now_us + too_early > latest_us {
            return Self::PutBack(MASS_BACK);
        }
        Self::Sleep { us: too_early, spread_us: (end_us - now_us - length_us) / 2 }
    }
}

/// How long after its time a slot still holds, in microseconds. SES lets a second's mails go at
/// once: so much may be made up for, and next to nothing where that is one mail.
pub(crate) fn late_us(every_us: i64) -> i64 {
    ((1_000_000 - every_us) / 2).clamp(every_us / 50, micros(LATE).max(every_us / 50))
}

fn micros(length: SignedDuration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::SendingAccount;

    use super::*;

    const NOW: i64 = 1_000_000_000_000;
    const LATEST: i64 = NOW + 11_000_000;

    fn sending(rate: f64, free_in_us: i64) -> Sending {
        let account = SendingAccount { rate, per_day: None, used: 0.0 };
        Sending { free_us: NOW + free_in_us, account, read_at: Timestamp::UNIX_EPOCH, stop: None }
    }

    fn plan(rate: f64, free_in_us: i64, bulk: bool) -> Plan {
        Plan::of(&sending(rate, free_in_us), bulk, 10, NOW, LATEST)
    }

    fn taken(plan: Plan) -> (i64, i64) {
        match plan {
            Plan::Take(wanted) => (wanted.count, wanted.latest_us - NOW),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn slots_lie_a_little_farther_apart_than_the_rate_allows() {
        let Plan::Take(wanted) = plan(100.0, -5, false) else { panic!() };
        assert_eq!(wanted.every_us, 10_257);
        let Plan::Take(wanted) = plan(1.0, -5, false) else { panic!() };
        assert_eq!(wanted.every_us, 1_025_642);
    }

    #[test]
    fn a_slot_holds_for_a_while_unless_each_mail_takes_a_second() {
        assert_eq!([10_257, 73_261, 512_821, 1_025_642].map(late_us), [400_000, 400_000, 243_589, 20_512]);
    }

    #[test]
    fn order_mail_takes_whatever_comes_in_time() {
        assert_eq!(taken(plan(14.0, 10_000_000, false)).0, 10);
        assert_eq!(taken(plan(14.0, 10_900_000, false)).0, 2);
        assert_eq!(taken(plan(1.0, 0, false)).0, 10);
        assert_eq!(
            plan(14.0, 15_000_000, false),
            Plan::PutBack(SignedDuration::from_secs(15)),
            "no slot is taken that comes too late"
        );
    }

    #[test]
    fn mass_mail_takes_no_slot_beyond_the_next_moment() {
        assert_eq!(taken(plan(100.0, 0, true)), (10, 1_500_000 - 9 * 10_257));
        let (count, latest) = taken(plan(14.0, 0, true));
        assert_eq!(count, 10);
        assert!(latest + 9 * 73_261 <= 1_500_000, "the last of them comes within the moment too: {latest}");
        assert!(matches!(plan(100.0, 1_480_000, true), Plan::Sleep { us, .. } if us == 1_480_000 - 1_500_000 + 92_313));
        assert_eq!(taken(plan(1.0, 0, true)).0, 1, "one at a time where they are far apart");
        assert!(matches!(plan(1.0, 1_600_000, true), Plan::Sleep { us: 100_000, .. }));
    }

    #[test]
    fn whoever_waits_for_room_asks_before_what_is_taken_runs_out() {
        for rate in [0.5, 1.0, 5.0, 14.0, 50.0, 100.0, 1_000.0] {
            let free_in_us = 1_499_999;
            let Plan::Sleep { us, spread_us } = plan(rate, free_in_us, true) else { continue };
            assert!(us + spread_us <= free_in_us, "{rate}: {us} {spread_us}");
        }
    }
}
