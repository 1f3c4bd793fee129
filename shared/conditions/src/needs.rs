//! What conditions can depend on, and how far back.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::condition::{Moving, Operand, Unit, Window};
use crate::field::Collection;
use crate::value::{Kind, Scalar};

/// What a condition can depend on. That of no condition is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Whether it looks at the profile, consent included.
    pub profile: bool,
    /// Which collections it goes through. Who asks for lines needs the orders.
    pub collections: BTreeSet<Collection>,
    /// The names of the events that it goes through; none where it may be any.
    pub events: Option<BTreeSet<String>>,
    /// How far back it goes through events.
    pub events_back: Reach,
    /// How far back it goes through messages.
    pub messages_back: Reach,
    /// The audiences that it asks about.
    pub audiences: BTreeSet<String>,
    /// Whether it may turn by the passing of time alone.
    pub clock: bool,
}

impl Default for Needs {
    fn default() -> Self {
        Self {
            profile: false,
            collections: BTreeSet::new(),
            events: Some(BTreeSet::new()),
            events_back: Reach::default(),
            messages_back: Reach::default(),
            audiences: BTreeSet::new(),
            clock: false,
        }
    }
}

impl Needs {
    /// Adds what others can depend on.
    pub fn join(&mut self, other: &Self) {
        self.profile |= other.profile;
        self.collections.extend(&other.collections);
        // Once it may be any event, it stays that.
        self.events = self.events.take().zip(other.events.as_ref()).map(|(known, named)| &known | named);
        self.events_back = self.events_back.or(other.events_back);
        self.messages_back = self.messages_back.or(other.messages_back);
        self.audiences.extend(other.audiences.iter().cloned());
        self.clock |= other.clock;
    }

    pub(crate) fn go_back(&mut self, over: Collection, reach: Reach) {
        match over {
            Collection::Events => self.events_back = self.events_back.or(reach),
            Collection::Messages => self.messages_back = self.messages_back.or(reach),
            Collection::Orders | Collection::Lines | Collection::Items | Collection::Containers => {}
        }
    }
}

/// How far back things are gone through: to so long ago or to a moment, whichever is
/// earlier. What is older counts for nothing, now and whenever the clock is later: neither
/// for a verdict nor for why it is so nor for when it turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    ago: SignedDuration,
    from: Timestamp,
}

/// By how much the day of one zone can begin beside that of another at most: none is 26
/// hours from UTC.
const ZONES: SignedDuration = SignedDuration::from_hours(2 * 26);

impl Reach {
    /// As far as there is anything.
    pub const ALL: Self = Self { ago: SignedDuration::MAX, from: Timestamp::MIN };

    /// The oldest moment that things may have at a time, itself included; none if things
    /// of every time count.
    #[must_use]
    pub fn since(self, now: Timestamp) -> Option<Timestamp> {
        let since = now.checked_sub(self.ago).ok()?.min(self.from);
        (since > Timestamp::MIN).then_some(since)
    }

    /// As far as either.
    fn or(self, other: Self) -> Self {
        Self { ago: self.ago.max(other.ago), from: self.from.min(other.from) }
    }

    fn ago(ago: SignedDuration) -> Self {
        Self { ago, ..Self::default() }
    }

    /// Of the things in a window, wherever it moves to.
    pub(crate) fn of(window: Option<&Window>) -> Self {
        match window {
            Some(Window::Last(length)) => Self::ago(length.length),
            Some(Window::Between { from: Some(from), .. }) => Self::of_start(from),
            // What things are since may be as old as can be.
            None | Some(Window::Between { from: None, .. } | Window::Since(_)) => Self::ALL,
        }
    }

    fn of_start(from: &Operand) -> Self {
        match from {
            Operand::Moving(Moving::Ago(length)) => Self::ago(length.length),
            Operand::Moving(Moving::Ahead(_)) => Self::default(),
            // From the first day of this one to now it is a whole one at most.
            Operand::Moving(Moving::Start { unit, offset, .. }) => {
                let units = 1 + i64::from(offset.saturating_neg().max(0));
                Self::ago(SignedDuration::from_hours(24 * units * unit.most_days()).saturating_add(ZONES))
            }
            Operand::Fixed(_, Scalar { kind: Kind::Instant(at), .. }) => Self { from: *at, ..Self::default() },
            // When the day begins is up to the zone.
            Operand::Fixed(_, Scalar { kind: Kind::Date(day), .. }) => {
                let begins = day.to_zoned(TimeZone::UTC).and_then(|day| day.timestamp().checked_sub(ZONES));
                begins.map_or(Self::ALL, |from| Self { from, ..Self::default() })
            }
            Operand::Fixed(..) => Self::ALL,
        }
    }
}

/// Nothing but what is dated ahead.
impl Default for Reach {
    fn default() -> Self {
        Self { ago: SignedDuration::ZERO, from: Timestamp::MAX }
    }
}

impl Unit {
    /// How many days the longest has.
    fn most_days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 31,
            Self::Year => 366,
        }
    }
}
