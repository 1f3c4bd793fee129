use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use conditions::Verdict;
use domain::{Change, Code, Touched};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many memberships turn in one go at most: with what goes along, a transaction has
/// room for a hundred rows. What is left turns in the next.
const MOST_AT_ONCE: usize = 90;

/// Which members: of a segment, under the number of one of its editions.
pub type EditionOf = (Code, u64);

/// Whether a customer is in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Whether they are in it, or were and left.
    pub is_in: bool,
    /// Since when.
    pub since: Timestamp,
    /// What made it so.
    pub by: By,
}

/// What made a customer enter or leave a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Something that was written about them.
    Touched(Vec<Touched>),
    /// The passing of time.
    Time,
    /// Nothing: the segment is new or has another condition, and it was found out then.
    Found,
}

impl By {
    /// Its name in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Touched(_) => "written",
            Self::Time => "time",
            Self::Found => "found",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Time => return f.write_str("by the passing of time"),
            Self::Found => return f.write_str("it was so when the members of the segment were found"),
            Self::Touched(what) => what,
        };
        f.write_str("by what was written: ")?;
        for (place, touched) in what.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            match touched {
                Touched::Everything => f.write_str("they became known"),
                Touched::Profile => f.write_str("the profile"),
                Touched::Orders => f.write_str("an order"),
                Touched::Event(name) => write!(f, "an event {name}"),
                Touched::Containers => f.write_str("a container"),
                Touched::Audience(code) => write!(f, "the audience {code}"),
                Touched::Messages => f.write_str("a message to them"),
            }?;
        }
        Ok(())
    }
}

/// All that is kept of the segments of one customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memberships {
    /// The version of the row that goes with every change of them; none if there is none.
    pub version: Option<u64>,
    /// As of when they were last changed.
    pub at: Option<Timestamp>,
    /// When they have to be looked at again, even if nothing happens.
    pub turns_at: Option<Timestamp>,
    /// The segments that they are in, or were.
    pub of: BTreeMap<EditionOf, Membership>,
}

/// What a segment's condition says of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Of which edition.
    pub edition: EditionOf,
    /// Whether it is the one that serves; of any other nobody need hear.
    pub serves: bool,
    /// What it says.
    pub verdict: Verdict,
}

/// What changes in a customer's memberships.
#[derive(Debug, Clone, PartialEq)]
pub struct Turned {
    /// Those that are otherwise now.
    pub memberships: Vec<(EditionOf, Membership, Option<Change>)>,
    /// Those that nobody keeps any more.
    pub forgotten: Vec<EditionOf>,
    /// When they have to be looked at again.
    pub turns_at: Option<Timestamp>,
    /// As of when this is so.
    pub at: Timestamp,
}

impl Memberships {
    /// What has to change to be as it was judged at a time; nothing, if all is so already.
    ///
    /// A time that has come is done with only by whoever looks because of it, at every
    /// segment that may turn by the passing of time alone. Whoever looks because of something
    /// else may die before they looked at a segment that is new to them, and nobody would. A
    /// time that is still to come stays even if nothing turns then, as to look once too often
    /// costs less than to move it with each thing that happens. `kept` are the editions that
    /// there are.
    #[must_use]
    pub fn turned(&self, judged: &[Judged], kept: &BTreeSet<EditionOf>, by: &By, now: Timestamp) -> Option<Turned> {
        let mut memberships = Vec::new();
        let mut next = judged.iter().filter_map(|judged| judged.verdict.next).min();
        let others = judged
            .iter()
            .filter(|judged| self.of.get(&judged.edition).is_some_and(|known| known.is_in) != judged.verdict.holds);
        for judged in others {
            if memberships.len() == MOST_AT_ONCE {
                break;
            }
            memberships.push(self.turn(judged, by, now));
        }
        let is_to_come = self.turns_at.is_some_and(|at| at > now);
        if is_to_come || *by != By::Time {
            next = self.turns_at.into_iter().chain(next).min();
        }
        if memberships.is_empty() && next == self.turns_at {
            return None;
        }
        let room = MOST_AT_ONCE - memberships.len();
        // Of one that is newer than all of these it is not known here yet that it is kept.
        let last = kept.iter().map(|(_, number)| *number).max().unwrap_or_default();
        let is_gone = |edition: &&EditionOf| edition.1 <= last && !kept.contains(edition);
        let forgotten = self.of.keys().filter(is_gone).take(room).cloned().collect();
        Some(Turned { memberships, forgotten, turns_at: next, at: now })
    }

    fn turn(&self, judged: &Judged, by: &By, now: Timestamp) -> (EditionOf, Membership, Option<Change>) {
        // Who leaves and comes back is there again later than they left: by the time it is
        // known which entry it was.
        let known = self.of.get(&judged.edition).map(|known| known.since.saturating_add(SignedDuration::from_nanos(1)));
        let since = known.and_then(Result::ok).map_or(now, |after| after.max(now));
        let segment = judged.edition.0.clone();
        let is_in = judged.verdict.holds;
        let change = match is_in {
            true => Change::SegmentEntered { segment, at: since },
            false => Change::SegmentLeft { segment, at: since },
        };
        let change = Some(change).filter(|_| judged.serves);
        (judged.edition.clone(), Membership { is_in, since, by: by.clone() }, change)
    }
}
