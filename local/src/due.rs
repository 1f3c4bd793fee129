//! When a schedule is due: `rate(…)` and `cron(…)`, in UTC. See
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>.

use crate::clock::millis;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use std::collections::BTreeSet;
use std::time::Duration;

/// How far ahead a time is looked for, in days: February 29th may be eight years away.
const FAR_DAYS: usize = 9 * 366;

/// The times of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// On whole multiples of this, since 1970.
    Every(Duration),
    /// On the minutes that fit.
    Cron(Box<Cron>),
}

/// The fields of a cron expression, each with the values that fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: BTreeSet<i16>,
    months: BTreeSet<i16>,
    /// 1 is Sunday.
    weekdays: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Due {
    /// Reads an expression.
    pub(crate) fn parse(expression: &str) -> Result<Self, String> {
        let text = expression.trim();
        let inside = |name: &str| text.strip_prefix(name)?.strip_suffix(')');
        let read = match (inside("rate("), inside("cron(")) {
            (Some(rate), _) => every(rate).map(Self::Every),
            (_, Some(fields)) => cron(fields).map(|cron| Self::Cron(Box::new(cron))),
            _ => None,
        };
        read.ok_or_else(|| {
            format!("{expression} is not supported: only rate(n minutes|hours|days), and cron( ) without L, W and #")
        })
    }

    /// The first time after `now_ms`; never is the last millisecond there is.
    pub(crate) fn next(&self, now_ms: i64) -> i64 {
        match self {
            Self::Every(every) => {
                let every_ms = millis(*every).max(1);
                now_ms - now_ms.rem_euclid(every_ms) + every_ms
            }
            Self::Cron(cron) => cron.next(now_ms).unwrap_or(i64::MAX),
        }
    }

    /// What a start is for that was due at `due_ms` and is made up for at `now_ms`: of the times in between
    /// the last for a rate, the first otherwise.
    pub(crate) fn meant(&self, due_ms: i64, now_ms: i64) -> i64 {
        match self {
            Self::Every(every) => now_ms - now_ms.rem_euclid(millis(*every).max(1)),
            Self::Cron(_) => due_ms,
        }
    }
}

/// `5 minutes`.
fn every(rate: &str) -> Option<Duration> {
    let (number, unit) = rate.trim().split_once(' ')?;
    let number: u64 = number.parse().ok().filter(|n| *n > 0)?;
    let seconds = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// `0 9 ? * MON-FRI *`.
fn cron(fields: &str) -> Option<Cron> {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays, years] = fields[..] else { return None };
    // A day is either one of the month or one of the week.
    if (days == "?") == (weekdays == "?") {
        return None;
    }
    Some(Cron {
        minutes: field(minutes, 0, 59, &[])?,
        hours: field(hours, 0, 23, &[])?,
        days: field(days, 1, 31, &[])?,
        months: field(months, 1, 12, MONTHS)?,
        weekdays: field(weekdays, 1, 7, WEEKDAYS)?,
        years: field(years, 1970, 2199, &[])?,
    })
}

fn field(text: &str, least: i16, most: i16, names: &[&str]) -> Option<BTreeSet<i16>> {
    let value = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(position) => i16::try_from(position).ok()? + least,
            None => text.parse().ok()?,
        };
        (least..=most).contains(&value).then_some(value)
    };
    let mut values = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (value(first)?, value(last)?),
            None if matches!(range, "*" | "?") => (least, most),
            // From there on, if there is a step: `0/15`.
            None => (value(range)?, if part.contains('/') { most } else { value(range)? }),
        };
        values.extend((first..=last).step_by(step));
    }
    (!values.is_empty()).then_some(values)
}

impl Cron {
    fn next(&self, now_ms: i64) -> Option<i64> {
        let minute_ms = now_ms - now_ms.rem_euclid(60_000) + 60_000;
        let mut from = Timestamp::from_millisecond(minute_ms).ok()?.to_zoned(TimeZone::UTC).datetime();
        for _ in 0..FAR_DAYS {
            if let Some(found) = self.on_day_of(from) {
                return Some(TimeZone::UTC.to_timestamp(found).ok()?.as_millisecond());
            }
            from = from.date().checked_add(1.day()).ok()?.at(0, 0, 0, 0);
        }
        None
    }

    /// The first time on that day that is not before it.
    fn on_day_of(&self, from: DateTime) -> Option<DateTime> {
        let fits = self.years.contains(&from.year())
            && self.months.contains(&i16::from(from.month()))
            && self.days.contains(&i16::from(from.day()))
            && self.weekdays.contains(&i16::from(from.weekday().to_sunday_one_offset()));
        if !fits {
            return None;
        }
        let (now_hour, now_minute) = (i16::from(from.hour()), i16::from(from.minute()));
        let times =
            self.hours.range(now_hour..).flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
        let (hour, minute) = times.into_iter().find(|time| *time >= (now_hour, now_minute))?;
        Some(from.date().at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, now: &str) -> String {
        let now: Timestamp = now.parse().unwrap();
        let next = Due::parse(expression).unwrap().next(now.as_millisecond());
        Timestamp::from_millisecond(next).map_or("never".to_owned(), |next| next.to_string())
    }

    #[test]
    fn a_rate_is_due_on_whole_multiples() {
        let every = |now_ms| Due::parse("rate(1 minute)").unwrap().next(now_ms);
        assert_eq!([0, 59_999, 60_000].map(every), [60_000, 60_000, 120_000]);
        assert_eq!(next("rate(2 hours)", "2026-11-22T09:59:00Z"), "2026-11-22T10:00:00Z");
    }

    #[test]
    fn a_cron_expression_is_due_on_the_minutes_that_fit() {
        let check = |expression: &str, now: &str, expected: &str| assert_eq!(next(expression, now), expected, "{now}");
        check("cron(15 10 * * ? *)", "2026-11-22T10:14:59Z", "2026-11-22T10:15:00Z");
        check("cron(15 10 * * ? *)", "2026-11-22T10:15:00Z", "2026-11-23T10:15:00Z");
        check("cron(0/20 8-9 ? * MON-FRI *)", "2026-11-20T09:41:00Z", "2026-11-23T08:00:00Z");
        check("cron(0/20 8-9 ? * MON-FRI *)", "2026-11-23T08:00:30Z", "2026-11-23T08:20:00Z");
        check("cron(0 0 1 JAN,JUL ? *)", "2026-11-22T10:00:00Z", "2027-01-01T00:00:00Z");
        check("cron(0 12 ? * 1 *)", "2026-11-22T12:00:00Z", "2026-11-29T12:00:00Z");
        check("cron(0 0 29 2 ? *)", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z");
        check("cron(0 0 31 2 ? *)", "2026-11-22T10:00:00Z", "never");
        check("cron(0 0 1 1 ? 2025)", "2026-11-22T10:00:00Z", "never");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            "rate(0 minutes)",
            "rate(1 week)",
            "at(2026-11-22T10:00:00)",
            "cron(0 10 * * ? )",
            "cron(0 10 * * * *)",
            "cron(0 10 ? * ? *)",
            "cron(0 10 L * ? *)",
            "cron(0 10 ? * 6#3 *)",
            "cron(60 10 * * ? *)",
            "cron(0 10 * 13 ? *)",
            "cron(5-1 10 * * ? *)",
            "cron(*/0 10 * * ? *)",
        ] {
            assert!(Due::parse(wrong).is_err(), "{wrong}");
        }
    }
}
