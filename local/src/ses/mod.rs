//! Amazon SES v2 on this machine, as far as the bundle uses it.
//!
//! Mail is checked by SES's rules, put into a mailbox and goes no further.
//! What would happen to it (delivery, bounces, complaints) is told as the
//! EventBridge events that SES sends. Time, and with it quotas, follow the
//! clock that is given.

mod account;
mod address;
mod api;
mod error;
mod events;
mod inject;
mod mail;
mod mailbox;
mod outgoing;
mod raw;
mod request;
mod send;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

pub use self::inject::{InjectError, Kind};
pub use self::mail::{Event, Mail};
pub use self::mailbox::Find;

use self::account::Account;
use self::events::{EventType, Sender};
use self::mailbox::Mailbox;

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// What takes EventBridge events. It is called before `SendEmail` is answered, so
/// it should hand on quickly and not wait.
pub type Events = Arc<dyn Fn(Value) + Send + Sync>;

/// How SES is set up.
#[derive(Clone)]
pub struct Config {
    /// The mailbox's file; in memory if not said.
    pub path: Option<PathBuf>,
    /// The clock.
    pub now: Clock,
    /// Where events go.
    pub events: Events,
    /// Verified addresses and domains.
    pub identities: Vec<String>,
    /// Configuration sets that exist.
    pub configuration_sets: Vec<ConfigurationSet>,
    /// Recipients per second.
    pub max_send_rate: f64,
    /// Recipients per 24 hours; negative for no limit.
    pub max_24_hour_send: f64,
    /// The region of ARNs.
    pub region: String,
    /// The account of ARNs.
    pub account: String,
}

/// A configuration set and the events that its event destination asks for.
#[derive(Clone, Debug)]
pub struct ConfigurationSet {
    /// Its name.
    pub name: String,
    /// As in `MatchingEventTypes`: `SEND`, `DELIVERY`, …; case does not matter.
    pub event_types: Vec<String>,
}

impl Config {
    /// In memory, without identities or configuration sets, with quotas that
    /// are seldom in the way.
    pub fn new(now: Clock, events: Events) -> Self {
        Self {
            path: None,
            now,
            events,
            identities: Vec::new(),
            configuration_sets: Vec::new(),
            max_send_rate: 1_000.0,
            max_24_hour_send: 5_000_000.0,
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
        }
    }
}

/// The account's settings and counts.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Recipients per second.
    pub max_send_rate: f64,
    /// Recipients per 24 hours; negative for no limit.
    pub max_24_hour_send: f64,
    /// Recipients of the last 24 hours.
    pub sent_last_24_hours: u64,
    /// Whether sending is paused.
    pub paused: bool,
    /// Configuration sets whose sending is paused.
    pub paused_sets: Vec<String>,
    /// Whether SES has taken away the right to send.
    pub suspended: bool,
    /// Whether mail may go to verified addresses only.
    pub sandbox: bool,
    /// Whether the MAIL FROM domain fails its check.
    pub mail_from_failed: bool,
    /// Mails in the mailbox.
    pub mails: u64,
    /// Mails refused since the start because they were too many in a second.
    pub too_fast: u64,
    /// How many of the next answers will be lost.
    pub lose_answers: u32,
    /// Verified addresses and domains.
    pub identities: Vec<String>,
}

/// The local SES. Clones are the same one.
#[derive(Clone)]
pub struct Ses {
    inner: Arc<Inner>,
}

struct Inner {
    now: Clock,
    events: Events,
    sets: BTreeMap<String, BTreeSet<EventType>>,
    sender: Sender,
    lose_answers: AtomicU32,
    state: Mutex<State>,
}

/// What changes. One lock: a mail must not slip in between a count and its limit.
struct State {
    account: Account,
    mailbox: Mailbox,
    newest: u64,
    /// Grows with whatever happens to any mail.
    changes: u64,
}

impl Ses {
    /// Opens the mailbox and starts with the settings given.
    ///
    /// # Errors
    /// If the mailbox's file can't be opened.
    pub fn open(config: Config) -> Result<Self, rusqlite::Error> {
        let mailbox = Mailbox::open(config.path.as_deref())?;
        let now = (config.now)();
        let mut account = Account::new(config.max_send_rate, config.max_24_hour_send, now);
        account.identities.extend(config.identities);
        account.identities.extend(mailbox.identities()?);
        let yesterday = now - SignedDuration::from_hours(24);
        for (minute, recipients) in mailbox.counted_since(yesterday.as_millisecond())? {
            account.count(minute, recipients);
        }
        let sets = config.configuration_sets.into_iter();
        let state = State { account, newest: mailbox.newest()?, mailbox, changes: 0 };
        Ok(Self {
            inner: Arc::new(Inner {
                now: config.now,
                events: config.events,
                sets: sets.map(|set| (set.name, EventType::named(&set.event_types))).collect(),
                sender: Sender { region: config.region, account: config.account },
                lose_answers: AtomicU32::new(0),
                state: Mutex::new(state),
            }),
        })
    }

    /// SES v2's HTTP API. Requests need no signature.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// Mails, newest last.
    ///
    /// # Errors
    /// If the mailbox can't be read.
    pub fn mails(&self, find: &Find) -> Result<Vec<Mail>, rusqlite::Error> {
        self.state().mailbox.mails(find)
    }

    /// One mail, by its number.
    ///
    /// # Errors
    /// If the mailbox can't be read.
    pub fn mail(&self, n: u64) -> Result<Option<Mail>, rusqlite::Error> {
        self.state().mailbox.mail(n)
    }

    /// The MIME message of a mail, the same bytes each time.
    ///
    /// # Errors
    /// If the mailbox can't be read.
    pub fn eml(&self, n: u64) -> Result<Option<Vec<u8>>, rusqlite::Error> {
        let state = self.state();
        if let Some(message) = state.mailbox.message(n)? {
            return Ok(Some(message));
        }
        Ok(state.mailbox.mail(n)?.map(send::made_again))
    }

    /// How many mails have been taken since the mailbox was made.
    pub fn sent_count(&self) -> u64 {
        self.state().newest
    }

    /// A number that is another when something has happened to a mail.
    pub(crate) fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Changes quotas: recipients per second, and per 24 hours (negative for no limit).
    pub fn set_quota(&self, max_send_rate: f64, max_24_hour_send: f64) {
        let account = &mut self.state().account;
        account.set_rate(max_send_rate);
        account.max_24_hour_send = max_24_hour_send;
    }

    /// Pauses the account's sending, or lets it go on.
    pub fn pause(&self, paused: bool) {
        self.state().account.paused = paused;
    }

    /// Pauses the sending of a configuration set, or lets it go on.
    pub fn pause_set(&self, name: &str, paused: bool) {
        let sets = &mut self.state().account.paused_sets;
        if paused {
            sets.insert(name.to_owned());
        } else {
            sets.remove(name);
        }
    }

    /// Takes away the account's right to send, or gives it back.
    pub fn suspend(&self, suspended: bool) {
        self.state().account.suspended = suspended;
    }

    /// Puts the account into the sandbox, where mail goes to verified addresses only, or
    /// takes it out. Quotas are a matter of their own.
    pub fn sandbox(&self, sandbox: bool) {
        self.state().account.sandbox = sandbox;
    }

    /// Makes the MAIL FROM domain fail its check, or pass it.
    pub fn fail_mail_from(&self, failed: bool) {
        self.state().account.mail_from_failed = failed;
    }

    /// Verifies an address or a domain, until the next start.
    pub fn verify(&self, identity: &str) {
        self.state().account.identities.insert(identity.to_owned());
    }

    /// Takes the verification of an address or a domain away, until it is asked for again.
    pub fn unverify(&self, identity: &str) {
        self.state().account.identities.remove(identity);
    }

    /// Loses the answers to the next `count` mails that are taken: the mail is
    /// in the mailbox, its events go out, and the connection breaks.
    pub fn lose_answers(&self, count: u32) {
        self.inner.lose_answers.store(count, Ordering::SeqCst);
    }

    /// Settings and counts.
    pub fn status(&self) -> Status {
        let now = self.now();
        let state = self.state();
        Status {
            max_send_rate: state.account.max_send_rate,
            max_24_hour_send: state.account.max_24_hour_send,
            sent_last_24_hours: state.account.sent_last_24_hours(now),
            paused: state.account.paused,
            paused_sets: state.account.paused_sets.iter().cloned().collect(),
            suspended: state.account.suspended,
            sandbox: state.account.sandbox,
            mail_from_failed: state.account.mail_from_failed,
            mails: state.newest,
            too_fast: state.account.too_fast,
            lose_answers: self.inner.lose_answers.load(Ordering::SeqCst),
            identities: state.account.identities.iter().cloned().collect(),
        }
    }

    /// Whole milliseconds, which is what the mailbox keeps.
    fn now(&self) -> Timestamp {
        let now = (self.inner.now)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half-done here: the mailbox writes in transactions.
        let state = self.inner.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn sets(&self) -> &BTreeMap<String, BTreeSet<EventType>> {
        &self.inner.sets
    }

    fn sender(&self) -> &Sender {
        &self.inner.sender
    }

    fn publish(&self, envelopes: Vec<Value>, repeat: usize) {
        for envelope in envelopes {
            for _ in 0..repeat {
                (self.inner.events)(envelope.clone());
            }
        }
    }

    /// Whether this answer is one to lose.
    fn loses_answer(&self) -> bool {
        let less = |count: u32| count.checked_sub(1);
        let lose = &self.inner.lose_answers;
        let before = lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        before.is_ok()
    }
}

impl fmt::Debug for Ses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ses").finish_non_exhaustive()
    }
}
