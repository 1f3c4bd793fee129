//! Moments that move with the clock, and when they pass a moment that does not.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::condition::{Anniversary, Moving, Unit, Zone};

/// When something is looked at, and by whose calendar.
#[derive(Clone, Debug)]
pub struct At {
    /// The time.
    pub now: Timestamp,
    /// The shop's time zone.
    pub shop: TimeZone,
}

impl At {
    /// This time, in UTC.
    #[must_use]
    pub fn utc(now: Timestamp) -> Self {
        Self { now, shop: TimeZone::UTC }
    }
}

/// A time, and whose calendars it is read by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock<'z> {
    pub(crate) now: Timestamp,
    pub(crate) shop: &'z TimeZone,
    pub(crate) customer: &'z TimeZone,
}

impl<'z> Clock<'z> {
    pub(crate) fn zone(&self, zone: Zone) -> &'z TimeZone {
        match zone {
            Zone::Shop => self.shop,
            Zone::Customer => self.customer,
        }
    }

    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}

/// Moments at which something may begin or cease to hold.
#[derive(Debug, Default)]
pub(crate) struct Turns(Vec<Timestamp>);

impl Turns {
    /// Something that holds at a moment, or from it on, may turn then; something that
    /// holds only after it, right after.
    pub(crate) fn around(&mut self, moment: Option<Timestamp>) {
        let Some(moment) = moment else { return };
        self.0.push(moment);
        self.0.extend(moment.checked_add(SignedDuration::from_nanos(1)).ok());
    }

    pub(crate) fn at(&mut self, moment: Option<Timestamp>) {
        self.0.extend(moment);
    }

    /// The earliest of them after a moment.
    pub(crate) fn after(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.iter().copied().filter(|turn| *turn > now).min()
    }
}

impl Moving {
    /// Where it stands.
    pub(crate) fn at(&self, clock: Clock<'_>) -> Timestamp {
        match self {
            Self::Ago(length) => clock.now.checked_sub(length.length).unwrap_or(Timestamp::MIN),
            Self::Ahead(length) => clock.now.checked_add(length.length).unwrap_or(Timestamp::MAX),
            Self::Start { unit, offset, zone } => {
                let zone = clock.zone(*zone);
                let today = zone.to_datetime(clock.now).date();
                start(moved(unit.start_of(today), *unit, *offset), zone)
            }
        }
    }

    /// By whose calendar it lies on a day.
    pub(crate) fn zone<'z>(&self, clock: Clock<'z>) -> &'z TimeZone {
        match self {
            Self::Start { zone: Zone::Customer, .. } => clock.customer,
            Self::Start { .. } | Self::Ago(_) | Self::Ahead(_) => clock.shop,
        }
    }

    /// When it comes to a moment, or to the first it can stand at that is not before.
    pub(crate) fn meets(&self, moment: Timestamp, clock: Clock<'_>, turns: &mut Turns) {
        match self {
            Self::Ago(length) => turns.around(moment.checked_add(length.length).ok()),
            Self::Ahead(length) => turns.around(moment.checked_sub(length.length).ok()),
            Self::Start { unit, offset, zone } => {
                let zone = clock.zone(*zone);
                let day = unit.start_of(zone.to_datetime(moment).date());
                // A whole unit to either side leaves nothing to the ends of months and zones.
                for near in -1..=2 {
                    let start_of = moved(moved(day, *unit, offset.saturating_neg()), *unit, near);
                    turns.at(Some(start(start_of, zone)));
                }
            }
        }
    }

    /// When the day on which it stands comes to this day, or goes past it.
    pub(crate) fn meets_day(&self, day: Date, clock: Clock<'_>, turns: &mut Turns) {
        let zone = self.zone(clock);
        for day in [Some(day), day.tomorrow().ok()].into_iter().flatten() {
            self.meets(start(day, zone), clock, turns);
        }
    }
}

impl Unit {
    /// The first day of the one that a day lies in.
    fn start_of(self, day: Date) -> Date {
        let started = match self {
            Self::Day => Some(day),
            Self::Week => {
                let since = day.weekday().since(Weekday::Monday);
                day.checked_sub(i64::from(since).days()).ok()
            }
            Self::Month => Some(day.first_of_month()),
            Self::Year => Some(day.first_of_year()),
        };
        started.unwrap_or(Date::MIN)
    }
}

/// So many units later.
fn moved(day: Date, unit: Unit, by: i32) -> Date {
    let by = i64::from(by);
    let span = match unit {
        Unit::Day => jiff::Span::new().try_days(by),
        Unit::Week => jiff::Span::new().try_weeks(by),
        Unit::Month => jiff::Span::new().try_months(by),
        Unit::Year => jiff::Span::new().try_years(by),
    };
    let end = if by < 0 { Date::MIN } else { Date::MAX };
    span.and_then(|span| day.checked_add(span)).unwrap_or(end)
}

/// When a day begins in a zone; the first moment of it, where midnight is skipped.
pub(crate) fn start(day: Date, zone: &TimeZone) -> Timestamp {
    let end = if day < jiff::civil::date(0, 1, 1) { Timestamp::MIN } else { Timestamp::MAX };
    day.to_zoned(zone.clone()).and_then(|day| day.start_of_day()).map_or(end, |start| start.timestamp())
}

/// How many days lie between two yearly returns at most.
const LONGEST_YEAR: i32 = 366;

impl Anniversary {
    /// Whether a yearly return of the date lies in the days that are meant.
    pub(crate) fn holds(self, date: Date, clock: Clock<'_>) -> bool {
        let today = clock.zone(self.zone).to_datetime(clock.now).date();
        let (from, to) = self.days(today);
        returns(date, from, to).next().is_some()
    }

    pub(crate) fn turns(self, date: Date, clock: Clock<'_>, turns: &mut Turns) {
        let zone = clock.zone(self.zone);
        if self.to - self.from >= LONGEST_YEAR {
            // Once it has returned, so it does within the days for ever.
            let first = returns(date, date, moved(date, Unit::Year, 2)).next();
            turns.at(first.map(|first| start(moved(first, Unit::Day, self.to.saturating_neg()), zone)));
            return;
        }
        let today = zone.to_datetime(clock.now).date();
        let (from, to) = self.days(today);
        // It returns every year, from the one after the date on.
        for anniversary in returns(date, from, moved(to.max(date), Unit::Year, 2)) {
            turns.at(Some(start(moved(anniversary, Unit::Day, self.to.saturating_neg()), zone)));
            turns.at(Some(start(moved(anniversary, Unit::Day, 1 - self.from), zone)));
        }
    }

    fn days(self, today: Date) -> (Date, Date) {
        (moved(today, Unit::Day, self.from), moved(today, Unit::Day, self.to))
    }
}

/// The yearly returns of a date from one day to another, both included. What was on
/// 29 February returns on the 28th in years that have none.
fn returns(date: Date, from: Date, to: Date) -> impl Iterator<Item = Date> {
    (from.year()..=to.year())
        .filter(move |year| *year > date.year())
        .filter_map(move |year| {
            let day = date.day().min(Date::new(year, date.month(), 1).ok()?.days_in_month());
            Date::new(year, date.month(), day).ok()
        })
        .filter(move |day| (from..=to).contains(day))
}
