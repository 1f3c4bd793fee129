//! How many messages a customer may have in how long.
//!
//! What a customer had is kept in a small ledger of places: one for each message that went
//! out, or may have, and that any cap counted. A message takes its place right before it is
//! sent, so whoever writes the ledger by its version cannot let one too many through.

use domain::dictionary::ShopCap;
use domain::message::{Cap, Origin, Purpose};
use domain::{CampaignId, Code, MailingId, Message, MessageId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The most places that are remembered of a customer, the newest: so many fit into a row,
/// and no single cap counts as many.
pub const MOST_PLACES: usize = 1_000;

/// The caps that a message is held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps<'m> {
    message: &'m Message,
    caps: Vec<(Cap, Scope)>,
}

/// Which messages a cap counts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    All,
    Category(Code),
    Source(Source),
}

/// The campaign or mailing that a message is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Campaign(CampaignId),
    Mailing(MailingId),
}

/// What a customer had lately of messages that caps counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    places: Vec<Place>,
}

/// The place of one message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    at: Timestamp,
    message: MessageId,
    /// When no cap counts it any more by which it was counted.
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<Code>,
    of: Source,
}

/// Whether there is room for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// The message has its place already.
    Held,
    /// There is.
    Granted,
    /// There is none before this instant, and then there is unless others come first.
    Full {
        /// When.
        until: Timestamp,
    },
}

impl<'m> Caps<'m> {
    /// Those of the shop that count a message, and its own. A transactional message and a test
    /// are held to none, and none counts them.
    #[must_use]
    pub fn of(message: &'m Message, shop: &[ShopCap]) -> Self {
        let counted = |cap: &ShopCap| match &cap.category {
            None => Some((cap.cap, Scope::All)),
            Some(category) => {
                let is_of = message.terms.category.as_ref() == Some(category);
                is_of.then(|| (cap.cap, Scope::Category(category.clone())))
            }
        };
        let own = message.terms.cap.and_then(|cap| Some((cap, Scope::Source(source(message)?))));
        let mut caps: Vec<_> = shop.iter().filter_map(counted).chain(own).collect();
        if message.purpose == Purpose::Transactional || message.origin.is_test() {
            caps.clear();
        }
        Self { message, caps }
    }

    /// Whether there are none.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.caps.is_empty()
    }

    fn longest(&self) -> SignedDuration {
        self.caps.iter().map(|(cap, _)| cap.per).max().unwrap_or_default()
    }
}

impl Ledger {
    /// Takes a place for a message, if there is room under all of its caps. A message has
    /// one place, for as long as its caps look back, at the time at which it last took it: if an
    /// attempt before had one, this is the one of which it is known that it goes out.
    pub fn take(&mut self, caps: &Caps<'_>, now: Timestamp) -> Room {
        let room = self.room(caps, now);
        if !matches!(room, Room::Full { .. }) {
            self.put(caps, now);
        }
        room
    }

    /// Takes a place for a message, be there room or not.
    pub fn insist(&mut self, caps: &Caps<'_>, now: Timestamp) -> Room {
        let room = if self.holds(caps, now) { Room::Held } else { Room::Granted };
        self.put(caps, now);
        room
    }

    fn put(&mut self, caps: &Caps<'_>, now: Timestamp) {
        let Some(of) = source(caps.message).filter(|_| !caps.are_none()) else { return };
        self.give_back(&caps.message.id);
        // Never earlier than it was, so that no cap forgets it too soon.
        let at = whole_millisecond(now);
        let message = caps.message;
        self.places.push(Place {
            at,
            message: message.id.clone(),
            until: at.saturating_add(caps.longest()).unwrap_or(Timestamp::MAX),
            category: message.terms.category.clone(),
            of,
        });
        self.places.retain(|place| place.until > now);
        self.tidy();
    }

    /// Takes the place of a message away, so that another may have it.
    pub fn give_back(&mut self, message: &MessageId) {
        self.places.retain(|place| place.message != *message);
    }

    /// What two had who are one: a message that both have a place for has one, the later.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        for place in other.places {
            match self.places.iter_mut().find(|known| known.message == place.message) {
                Some(known) => *known = place.max(known.clone()),
                None => self.places.push(place),
            }
        }
        self.tidy();
        self
    }

    /// Whether a message has a place that all of its caps still count.
    fn holds(&self, caps: &Caps<'_>, now: Timestamp) -> bool {
        let own = self.places.iter().find(|place| place.message == caps.message.id);
        own.is_some_and(|own| caps.caps.iter().all(|(cap, _)| is_within(own.at, cap.per, now)))
    }

    fn room(&self, caps: &Caps<'_>, now: Timestamp) -> Room {
        if self.holds(caps, now) {
            return Room::Held;
        }
        let full_until = caps.caps.iter().filter_map(|(cap, scope)| {
            let others = self.places.iter().filter(|place| place.message != caps.message.id && scope.counts(place));
            let mut times: Vec<Timestamp> =
                others.map(|place| place.at).filter(|at| is_within(*at, cap.per, now)).collect();
            times.sort_unstable_by(|one, other| other.cmp(one));
            // As soon as this one is out of the window, fewer than the most are in it.
            let last = times.get(usize::try_from(cap.most.max(1)).ok()? - 1)?;
            Some(last.saturating_add(cap.per).unwrap_or(Timestamp::MAX))
        });
        full_until.max().map_or(Room::Granted, |until| Room::Full { until })
    }

    fn tidy(&mut self) {
        self.places.sort_unstable();
        self.places.drain(..self.places.len().saturating_sub(MOST_PLACES));
    }
}

impl Scope {
    fn counts(&self, place: &Place) -> bool {
        match self {
            Self::All => true,
            Self::Category(category) => place.category.as_ref() == Some(category),
            Self::Source(source) => place.of == *source,
        }
    }
}

/// Whether a moment lies in the span of this length that ends now. What another machine's
/// clock put a little ahead does.
fn is_within(at: Timestamp, per: SignedDuration, now: Timestamp) -> bool {
    at.saturating_add(per).unwrap_or(Timestamp::MAX) > now
}

/// The first instant that is no earlier and has whole milliseconds, as timers have.
#[must_use]
pub fn whole_millisecond(at: Timestamp) -> Timestamp {
    let behind = i64::from(at.subsec_nanosecond().rem_euclid(1_000_000));
    let missing = if behind == 0 { 0 } else { 1_000_000 - behind };
    at.checked_add(SignedDuration::from_nanos(missing)).unwrap_or(at)
}

fn source(message: &Message) -> Option<Source> {
    match &message.origin {
        Origin::Campaign { campaign_id, .. } => Some(Source::Campaign(campaign_id.clone())),
        Origin::Mailing { mailing_id, .. } => Some(Source::Mailing(mailing_id.clone())),
        Origin::Test { .. } => None,
    }
}
