//! What puts a message off or stops it, by the clock and by count.
//!
//! The clock is looked at before the mail is made, and behind it whether the customer may have one
//! more. Its place among those that they may have a message takes when it has been claimed and
//! is about to go. A sender that dies with the place in hand leaves it to the message, of which nobody
//! knows then whether it went out.

use domain::Message;
use domain::dictionary::Settings;
use domain::message::{OverCap, Purpose, Reason};
use jiff::Timestamp;
use mail::{Stopped, Subject};
use sending::caps::{Caps, Room, whole_millisecond};
use sending::hours::{instant_of, quiet_until};
use sending::zone_of;
use store::{Customers, PutOffFor};

/// What is said of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Not before this instant.
    PutOff(PutOffFor, Timestamp),
    /// It is not sent, and why.
    Stopped(Stopped),
}

/// What is done about a message's place among those that the customer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// It is looked whether there is one.
    Look,
    /// It is taken.
    Take,
}

/// When a message is to go out, and from when on it is too late.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    fn of(message: &Message, subject: &Subject) -> Self {
        let terms = &message.terms;
        let local = terms.local_at.and_then(|local| instant_of(local, &zone(subject)));
        let from = local.unwrap_or(message.created_at);
        let later = |length| from.saturating_add(length).unwrap_or(Timestamp::MAX);
        Self { from, to: terms.lifetime.map_or(Timestamp::MAX, later) }
    }

    /// That it is put off, if that is not for too long.
    fn put_off(self, why: PutOffFor, until: Timestamp) -> Limit {
        if until < self.to {
            return Limit::PutOff(why, whole_millisecond(until));
        }
        let detail = format!("put off until {until} ({}), too late by then", why.as_str());
        Limit::Stopped((Reason::Expired, Some(detail)))
    }
}

/// What the clock says: whether it is too late, whether it is time by the customer's own
/// clock, whether they have their quiet hours.
pub(crate) fn by_the_clock(message: &Message, subject: &Subject, now: Timestamp) -> Option<Limit> {
    let span = Span::of(message, subject);
    if now >= span.to {
        return Some(Limit::Stopped((Reason::Expired, Some(format!("too late since {}", span.to)))));
    }
    if now < span.from && message.terms.local_at.is_some() {
        return Some(span.put_off(PutOffFor::LocalTime, span.from));
    }
    let has_quiet_hours = message.purpose == Purpose::Marketing && !message.terms.any_hour;
    let quiet = subject.dictionary.settings().quiet_hours.filter(|_| has_quiet_hours);
    let until = quiet.and_then(|quiet| quiet_until(quiet, &zone(subject), now))?;
    Some(span.put_off(PutOffFor::QuietHours, until))
}

/// What the count of messages says that the customer had: if they may have no more for now,
/// the message's terms say what becomes of it.
///
/// # Errors
/// If the table cannot be read or written to.
pub(crate) async fn by_count(
    customers: &Customers,
    message: &Message,
    subject: &Subject,
    now: Timestamp,
    count: Count,
) -> anyhow::Result<Option<Limit>> {
    let caps = Caps::of(message, &subject.dictionary.settings().caps);
    if caps.are_none() {
        return Ok(None);
    }
    let span = Span::of(message, subject);
    let last = match message.terms.over_cap {
        OverCap::SendWithin(length) => Some(span.from.saturating_add(length).unwrap_or(Timestamp::MAX)),
        OverCap::Skip | OverCap::Defer => None,
    };
    let room = customers.change_places(&message.customer_id, now, |kept| {
        let mut looked_at = kept.clone();
        let places = if count == Count::Take { kept } else { &mut looked_at };
        if last.is_some_and(|last| last <= now) {
            return places.insist(&caps, now);
        }
        places.take(&caps, now)
    });
    Ok(match (room.await?, message.terms.over_cap) {
        (None, _) => Some(Limit::Stopped((Reason::Erased, None))),
        (Some(Room::Held | Room::Granted), _) => None,
        (Some(Room::Full { until }), OverCap::Skip) => {
            Some(Limit::Stopped((Reason::FrequencyCap, Some(format!("no room before {until}")))))
        }
        (Some(Room::Full { until }), _) => {
            Some(span.put_off(PutOffFor::FrequencyCap, last.map_or(until, |last| until.min(last))))
        }
    })
}

/// Gives back the place of a message that does not go out, or not yet. One whose fate
/// nobody knows keeps its place.
///
/// # Errors
/// If the table cannot be read or written to.
pub(crate) async fn give_back(
    customers: &Customers,
    message: &Message,
    settings: &Settings,
    now: Timestamp,
) -> anyhow::Result<()> {
    if Caps::of(message, &settings.caps).are_none() {
        return Ok(());
    }
    customers.change_places(&message.customer_id, now, |places| places.give_back(&message.id)).await.map(drop)
}

fn zone(subject: &Subject) -> jiff::tz::TimeZone {
    let profile = &subject.customer.profile;
    let shop = subject.dictionary.settings();
    zone_of(profile.time_zone.as_deref(), profile.country.as_deref(), shop.time_zone.as_deref())
}
