//! Values that are drawn: always the same ones, written in many ways.

use conditions::At;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};

/// Nanoseconds of a day of 24 hours.
pub(crate) const DAY: i64 = 86_400_000_000_000;

/// When all is looked at, and by whose calendar: 28 February of a year without a 29th; a
/// day after clocks went forward; and an hour that is the 29th in UTC and March in the shop.
pub(crate) const NOWS: [(&str, &str); 3] = [
    ("2026-02-28T12:00:00Z", "UTC"),
    ("2026-03-30T20:15:00.25Z", "Europe/Riga"),
    ("2028-02-29T22:45:00Z", "Asia/Kolkata"),
];

pub(crate) fn nanos(at: &str) -> i64 {
    let at: Timestamp = at.parse().expect("an instant");
    i64::try_from(at.as_nanosecond()).expect("in this century")
}

pub(crate) fn at(now: i64, shop: &str) -> At {
    let now = Timestamp::from_nanosecond(now.into()).expect("in this century");
    At { now, shop: TimeZone::get(shop).expect("a zone") }
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Less than a limit.
    pub(crate) fn below(&mut self, limit: u64) -> i64 {
        i64::try_from(self.next() % limit).expect("limits are small")
    }

    /// So many times of a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.next() % from.len() as u64).expect("in range")]
    }

    /// The first ones more often.
    pub(crate) fn lean<T: Copy>(&mut self, from: &[T]) -> T {
        let (a, b) = (self.next() % from.len() as u64, self.next() % from.len() as u64);
        from[usize::try_from(a.min(b)).expect("in range")]
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, usize::try_from(self.next() % (end as u64 + 1)).expect("in range"));
        }
    }

    /// A time near one of those at which all is looked at, often at the very edge of what
    /// conditions ask for.
    pub(crate) fn moment(&mut self) -> i64 {
        const HOURS: i64 = DAY / 24;
        let (now, _) = self.pick(&NOWS);
        let now = nanos(now);
        match self.below(100) {
            0..=6 => now - self.pick(&[1, 2, 7, 14, 30, 60, 90, 365]) * DAY + self.pick(&[-1, 0, 1]),
            7..=10 => {
                let offset = self.pick(&[0, 4, 6, 11, 18, -14]) * (HOURS / 2);
                let days_ago = self.below(50);
                (now + offset) / DAY * DAY - days_ago * DAY - offset + self.pick(&[-1, 0])
            }
            11 => now + self.pick(&[-1, 0, 1]),
            12..=14 => now + self.below(20 * 24) * HOURS,
            _ => {
                let seconds = 1_u64 << (8 + self.below(18));
                now - (self.below(seconds) + 60) * 1_000_000_000 - self.pick(&[0, 0, 0, 123_456_789])
            }
        }
    }

    /// An instant, in one zone or another.
    pub(crate) fn instant(&mut self, nanos: i64) -> Value {
        let at = Timestamp::from_nanosecond(nanos.into()).expect("in this century");
        match self.below(6) {
            0 => json!(at.display_with_offset(Offset::constant(2)).to_string()),
            1 => json!(at.display_with_offset(Offset::constant(-7)).to_string()),
            _ => json!(at.to_string()),
        }
    }

    /// An amount of cents: mostly text with two decimals, at times shorter, longer or a number.
    pub(crate) fn amount(&mut self, cents: i64) -> Value {
        let text = format!("{}.{:02}", cents / 100, cents % 100);
        let short = text.trim_end_matches('0').trim_end_matches('.');
        match self.below(10) {
            0 => json!(short),
            1 => json!(format!("{text}0")),
            2 => serde_json::from_str(short).expect("a number"),
            _ => json!(text),
        }
    }

    /// One of the ways in which something is not there.
    pub(crate) fn nothing(&mut self) -> Option<Value> {
        match self.below(5) {
            0 => None,
            1 => Some(Value::Null),
            2 => Some(json!("")),
            3 => Some(json!([])),
            _ => Some(json!({})),
        }
    }

    /// Puts a value, or nothing, at a name.
    pub(crate) fn put(&mut self, into: &mut Map<String, Value>, name: &str, value: Option<Value>) {
        if let Some(value) = value.or_else(|| self.nothing()) {
            into.insert(name.to_owned(), value);
        }
    }
}

/// The date so many days after 1970-01-01.
pub(crate) fn date(day: i64) -> String {
    let at = Timestamp::from_second(day * 86_400).expect("in range");
    let date: Date = at.to_zoned(TimeZone::UTC).date();
    date.to_string()
}
