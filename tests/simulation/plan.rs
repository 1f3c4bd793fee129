//! What a run is like: its customers and messages, what the shop has set up, and all that goes wrong.

use std::time::Duration;

use domain::message::{Origin, OverCap, Purpose, Terms};
use domain::{CustomerId, MailingId, Message, TemplateId};
use jiff::civil::Time;
use jiff::tz::{Offset, offset};
use jiff::{SignedDuration, Timestamp};

/// What a run is like.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) messages: Vec<Planned>,
    /// Of a hundred calls, how many are lost on each way.
    pub(crate) faults: u8,
    /// Of a hundred invocations, how many are killed.
    pub(crate) kills: u8,
    /// Of a hundred events of SES's, how many are lost.
    pub(crate) deaf: u8,
    /// How often each message is put on its queue, at most.
    pub(crate) copies: u8,
    /// Whether that is fifty times for each of them, and all at the same moment.
    pub(crate) crowded: bool,
    pub(crate) paused: bool,
    /// Whether a customer may have only so many messages ([`CAP`]).
    pub(crate) capped: bool,
    pub(crate) codes: Codes,
    /// From when until when no marketing goes out, by each customer's own clock.
    pub(crate) quiet: Option<(Time, Time)>,
    /// Whether the mail is not meant for whoever lives in [`NOT_FOR`].
    pub(crate) blocks: bool,
}

/// How many marketing messages a customer may have in how long, where they may not have more.
pub(crate) const CAP: (usize, SignedDuration) = (2, SignedDuration::from_hours(6));

/// The country for which the mail is not meant, in runs in which it is not meant for all.
pub(crate) const NOT_FOR: &str = "US";

/// Of what kind the promo codes are that the mails print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    /// They print none.
    None,
    /// They are made by a pattern.
    Made,
    /// So many were uploaded, fewer than there are messages; and after this long the same once more.
    Uploaded(usize, Duration),
}

#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) message: Message,
    pub(crate) after: Duration,
    /// Whether the first code that a pattern makes for it is another message's already.
    pub(crate) is_outrun: bool,
}

/// A customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) id: &'static str,
    pub(crate) country: Option<&'static str>,
    pub(crate) time_zone: Option<&'static str>,
    /// What their clock, by which quiet hours go, is ahead of UTC at the time of a run.
    ahead: Offset,
}

/// The shop's time zone.
pub(crate) const ZONE: &str = "Europe/Riga";

const RIGA: Offset = offset(2);
const NEW_YORK: Offset = offset(-5);

/// The customers: two whose mail arrives, one whose address bounces, one who complains, one
/// who has not agreed. Whoever names neither goes by the shop's clock, and a zone of one's own goes before
/// that of one's country.
pub(crate) const CUSTOMERS: [Person; 5] = [
    Person { id: "arrives1", country: None, time_zone: None, ahead: RIGA },
    Person { id: "arrives2", country: Some("US"), time_zone: None, ahead: NEW_YORK },
    Person { id: "bounces", country: None, time_zone: None, ahead: RIGA },
    Person { id: "complains", country: Some("US"), time_zone: Some(ZONE), ahead: RIGA },
    Person { id: "denied", country: None, time_zone: None, ahead: RIGA },
];

impl Plan {
    pub(crate) fn by(rng: &mut fastrand::Rng) -> Self {
        let count = rng.usize(1..=8);
        // In some runs all are decided on at the same moment.
        let within = rng.choice([200, 900_000, 900_000]).unwrap();
        let messages = (0..count).map(|number| planned(number, within, rng)).collect();
        Self {
            messages,
            faults: rng.choice([0, 2, 8]).unwrap(),
            kills: rng.choice([0, 10, 40]).unwrap(),
            deaf: rng.choice([0, 5, 60, 95]).unwrap(),
            copies: rng.u8(1..=5),
            crowded: rng.u8(..60) == 0,
            paused: rng.u8(..4) == 0,
            capped: rng.bool(),
            codes: match rng.u8(..4) {
                0 => Codes::Made,
                1 => Codes::Uploaded(rng.usize(..count), Duration::from_millis(rng.u64(..900_000))),
                _ => Codes::None,
            },
            quiet: (rng.u8(..3) == 0).then(|| quiet_hours(rng)),
            blocks: rng.u8(..3) == 0,
        }
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().map(|planned| &planned.message)
    }

    /// Whether a message is one of those that caps count.
    pub(crate) fn caps(&self, message: &Message) -> bool {
        self.capped && message.purpose == Purpose::Marketing
    }

    /// Whether a message is one of those that the mail is not meant for.
    pub(crate) fn is_blocked(&self, message: &Message) -> bool {
        self.blocks && recipient(message).country == Some(NOT_FOR)
    }

    /// Whether a message must not go out at this time of day.
    pub(crate) fn is_quiet(&self, message: &Message, at: Timestamp) -> bool {
        let shown = recipient(message).ahead.to_datetime(at).time();
        message.purpose == Purpose::Marketing && self.quiet.is_some_and(|(from, to)| (from..to).contains(&shown))
    }

    /// Whether nothing at all goes wrong but for what is sent twice.
    pub(crate) fn is_calm(&self) -> bool {
        self.faults == 0 && self.kills == 0 && !self.paused
    }
}

fn recipient(message: &Message) -> &'static Person {
    CUSTOMERS.iter().find(|person| person.id == message.customer_id.as_str()).unwrap()
}

/// Quiet hours that have begun by the clock of Riga when the run begins (at ten there), that
/// begin while messages are decided on, or later, when some are to be sent once more; in New
/// York, five hours behind, they find those that a cap put off.
fn quiet_hours(rng: &mut fastrand::Rng) -> (Time, Time) {
    let from = match rng.u8(..4) {
        0 => rng.i64(8 * 60..10 * 60),
        1 => rng.i64(10 * 60..10 * 60 + 15),
        _ => rng.i64(10 * 60 + 15..11 * 60 + 30),
    };
    let minutes = |minutes| Time::midnight() + SignedDuration::from_mins(minutes);
    (minutes(from), minutes(from + rng.i64(60..300)))
}

fn planned(number: usize, within: u64, rng: &mut fastrand::Rng) -> Planned {
    let customer_id = CustomerId::parse(rng.choice(CUSTOMERS).unwrap().id).unwrap();
    let mailing_id = MailingId::parse(&format!("m{number}")).unwrap();
    let hours = |rng: &mut fastrand::Rng, most: i64| SignedDuration::from_mins(rng.i64(15..most * 60));
    let terms = Terms {
        resend_after: rng.bool().then(|| hours(rng, 3)),
        lifetime: (rng.u8(..6) == 0).then(|| hours(rng, 2)),
        over_cap: if rng.bool() { OverCap::Skip } else { OverCap::Defer },
        ..Terms::default()
    };
    let after = Duration::from_millis(rng.u64(..within));
    let message = Message {
        id: Message::id_of_mailing(&mailing_id, &customer_id),
        customer_id,
        origin: Origin::Mailing { mailing_id, version: 1 },
        purpose: if rng.bool() { Purpose::Marketing } else { Purpose::Transactional },
        terms,
        template_id: TemplateId::parse("plain").unwrap(),
        template_version: 1,
        created_at: Timestamp::UNIX_EPOCH,
    };
    Planned { message, after, is_outrun: rng.u8(..3) == 0 }
}
