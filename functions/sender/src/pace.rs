//! When a message may be sent: slots of one bucket for all senders, and what to do while
//! nothing may be sent.
//!
//! The messages of a batch take their slots together, by one write (see [`store::Pace`]), as
//! soon as each of them has got past its checks or was stopped by one. Order mail may take any
//! slot that comes in time; mass mail only those of the next moment, and waits for them to
//! come near, so that order mail is never more than that moment behind. What would wait beyond
//! its invocation is put back instead.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::WhyStopped;
use jiff::{SignedDuration, Timestamp};
use lambda::Clock;
use lambda::metrics::{Unit, emit};
use store::{Pace, Sending, SendingAccount, Slots, Stop, Written};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::plan::{Plan, SOON, late_us};
use crate::ses::Ses;

/// What every account may send in a second, for as long as SES does not say.
const UNTOLD: SendingAccount = SendingAccount { rate: 1.0, per_day: None, used: 0.0 };

/// No slot is taken as far ahead as this: it is longer than an invocation.
const TOO_FAR: SignedDuration = SignedDuration::from_mins(2);

/// How long what is known of a stop is gone by.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(3);

/// The same while one message is tried: it will soon be known what became of it.
const PROBE_KNOWN_FOR: SignedDuration = SignedDuration::from_millis(200);

/// How long what is known of the account is gone by.
const ACCOUNT_FOR: SignedDuration = SignedDuration::from_secs(60);

/// How soon SES is asked again that did not say what the account may do.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// How long slots are kept free after SES said that it was too fast: somebody else sends too.
const HOLD: SignedDuration = SignedDuration::from_secs(1);

/// How long one message may take that is tried while sending is stopped. Longer than an invocation.
const PROBE: SignedDuration = SignedDuration::from_secs(30);

/// How long the others wait for it.
const WHILE_PROBED: SignedDuration = SignedDuration::from_secs(5);

/// When the first message is tried after sending was stopped.
const FIRST_PROBE: SignedDuration = SignedDuration::from_mins(1);

/// Most time between two tries.
const RARELY: SignedDuration = SignedDuration::from_mins(15);

/// The same where the daily quota is used up, which frees itself by and by.
const QUOTA_RARELY: SignedDuration = SignedDuration::from_hours(1);

/// How often slots are asked for before the message is put back.
const TRIES: usize = 60;

/// When messages may be sent.
pub(crate) struct Pacer {
    rows: Pace,
    ses: Ses,
    clock: Clock,
    /// The row as it was last seen, and when.
    seen: Mutex<Option<(Sending, Timestamp)>>,
}

/// What a message is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Be sent now; with a probe it is the one that is tried while sending is stopped.
    Go(Option<Probe>),
    /// Wait on its queue for so long.
    Wait(SignedDuration),
    /// The same, because nothing is sent at all, and why.
    Held(SignedDuration, &'static str),
}

/// The right to try one message while sending is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    lease: Timestamp,
}

/// A moment at which SES may be called.
#[derive(Debug, Clone, Copy)]
struct Slot {
    at_us: i64,
    /// How long after it that still holds.
    late_us: i64,
}

/// What came of asking for slots.
enum Asked {
    Slots(VecDeque<Slot>),
    Turn(Turn),
}

/// The messages of one batch, which take their slots together.
pub(crate) struct Round<'p> {
    pacer: &'p Pacer,
    /// When SES may be called at the latest.
    latest: Timestamp,
    /// How many are still being checked.
    checked: watch::Sender<usize>,
    /// How many wait for a slot.
    waiting: AtomicUsize,
    slots: tokio::sync::Mutex<VecDeque<Slot>>,
}

/// One message's place in a round.
pub(crate) struct Ticket<'r> {
    round: &'r Round<'r>,
    asks: bool,
}

impl Pacer {
    pub(crate) fn new(rows: Pace, ses: Ses, clock: Clock) -> Self {
        Self { rows, ses, clock, seen: Mutex::default() }
    }

    /// A batch whose messages may call SES until `latest`.
    pub(crate) fn round(&self, latest: Timestamp) -> Round<'_> {
        Round {
            pacer: self,
            latest,
            checked: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
            slots: tokio::sync::Mutex::default(),
        }
    }

    /// Whether nothing may be sent, by what was seen of it a moment ago: without any call.
    pub(crate) fn stopped(&self) -> Option<Turn> {
        let now = self.clock.now();
        let (sending, at) = self.seen()?;
        let stop = sending.stop.filter(|stop| stop.until > now && is_fresh(stop, at, now))?;
        Some(waits(&stop, now))
    }

    /// Stops sending, as SES takes no mail: until when a message is tried again.
    ///
    /// # Errors
    /// If the row cannot be written.
    pub(crate) async fn stop(&self, why: WhyStopped) -> anyhow::Result<Turn> {
        let account = match why {
            WhyStopped::DailyQuota => self.account().await,
            _ => None,
        };
        let now = self.clock.now();
        let since = self.seen().and_then(|(sending, _)| sending.stop).map_or(now, |stop| stop.since);
        let until = now + tried_again_in(why, now.duration_since(since), account.as_ref());
        emit(now, "SendingStopped", Unit::Count, 1.0, &[("Reason", why.as_str())]);
        self.see(self.rows.stop(why, now, until).await?);
        let stop = self.seen().and_then(|(sending, _)| sending.stop);
        let stop = stop.unwrap_or(Stop { since, until, why, probed: false });
        Ok(waits(&stop, now))
    }

    /// Notes that the message of a probe was taken: everything goes on.
    ///
    /// # Errors
    /// If the row cannot be written.
    pub(crate) async fn go_on(&self, probe: Probe) -> anyhow::Result<()> {
        self.see(self.rows.go_on(probe.lease).await?);
        Ok(())
    }

    /// Notes that nothing was learned by a probe: another message is tried.
    ///
    /// # Errors
    /// If the row cannot be written.
    pub(crate) async fn end_probe(&self, probe: Probe) -> anyhow::Result<()> {
        self.see(self.rows.end_probe(probe.lease, self.clock.now()).await?);
        Ok(())
    }

    /// Keeps slots free, as SES said that it was too fast: for how long a message waits.
    ///
    /// # Errors
    /// If the row cannot be written.
    pub(crate) async fn hold(&self) -> anyhow::Result<Turn> {
        self.see(self.rows.hold((self.clock.now() + HOLD).as_microsecond()).await?);
        Ok(Turn::Wait(SOON))
    }

    async fn reserve(&self, bulk: bool, wanted: usize, latest: Timestamp) -> anyhow::Result<Asked> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            if now > latest {
                return Ok(Asked::Turn(Turn::Wait(SOON)));
            }
            let sending = self.known(now).await?;
            if let Some(stop) = sending.stop {
                if stop.until > now {
                    return Ok(Asked::Turn(waits(&stop, now)));
                }
                let lease = now + PROBE;
                match self.rows.probe(&stop, lease).await? {
                    Written::Done => {
                        let stop = Some(Stop { until: lease, probed: true, ..stop });
                        self.see(Some(Sending { stop, ..sending }));
                        return Ok(Asked::Turn(Turn::Go(Some(Probe { lease }))));
                    }
                    Written::Overtaken => self.forget(),
                }
                continue;
            }
            let now_us = now.as_microsecond();
            if sending.free_us > (now + TOO_FAR).as_microsecond() {
                self.see(self.rows.bring_back(&sending, now_us).await?);
                continue;
            }
            let plan = Plan::of(&sending, bulk, wanted, now_us, latest.as_microsecond());
            let wanted = match plan {
                Plan::Take(wanted) => wanted,
                Plan::Sleep { us, spread_us } => {
                    // Several wait for the same room: not all of them are to ask at once.
                    let us = us + fastrand::i64(0..=spread_us.max(0));
                    sleep(Duration::from_micros(us.unsigned_abs())).await;
                    continue;
                }
                Plan::PutBack(after) => return Ok(Asked::Turn(Turn::Wait(after))),
            };
            match self.rows.reserve(&wanted, sending.free_us <= now_us).await? {
                Slots::Given { first_us, sending } => {
                    self.see(Some(sending));
                    self.keep_up_to_date(&sending).await;
                    let late_us = late_us(wanted.every_us);
                    let slot = |number| Slot { at_us: first_us + number * wanted.every_us, late_us };
                    return Ok(Asked::Slots((0..wanted.count).map(slot).collect()));
                }
                Slots::Refused(row) => self.see(row),
            }
        }
        Ok(Asked::Turn(Turn::Wait(SOON)))
    }

    /// The row, as it was last seen if that is good enough. The next free slot only ever
    /// moves on, and a write that goes by an older row is refused.
    async fn known(&self, now: Timestamp) -> anyhow::Result<Sending> {
        match self.seen() {
            Some((sending, at)) if sending.stop.is_none_or(|stop| is_fresh(&stop, at, now)) => return Ok(sending),
            _ => {}
        }
        if let Some(sending) = self.rows.get().await? {
            self.see(Some(sending));
            return Ok(sending);
        }
        let read = match self.account().await {
            Some(account) => self.rows.note_account(&account, now).await?,
            None => self.rows.note_account(&UNTOLD, now - ACCOUNT_FOR + ASK_AGAIN).await?,
        };
        self.see(read);
        Ok(read.unwrap_or(Sending { free_us: 0, account: UNTOLD, read_at: now, stop: None }))
    }

    /// Reads anew what the account may do, once a minute, whoever of all senders comes to it.
    /// A failure costs nothing but that it stays as it was.
    async fn keep_up_to_date(&self, sending: &Sending) {
        let now = self.clock.now();
        if now.duration_since(sending.read_at).abs() < ACCOUNT_FOR {
            return;
        }
        let refreshed = async {
            if self.rows.begin_reading(sending, now).await? == Written::Done
                && let Some(account) = self.account().await
            {
                self.see(self.rows.note_account(&account, now).await?);
            }
            anyhow::Ok(())
        };
        if let Err(error) = refreshed.await {
            tracing::warn!(error = format!("{error:#}"), "the pace of sending could not be brought up to date");
        }
    }

    async fn account(&self) -> Option<SendingAccount> {
        let read = self.ses.account().await;
        read.inspect_err(|error| tracing::warn!(error = format!("{error:#}"), "SES does not say what we may send")).ok()
    }

    fn seen(&self) -> Option<(Sending, Timestamp)> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, sending: Option<Sending>) {
        let at = self.clock.now();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = sending.map(|sending| (sending, at));
    }

    fn forget(&self) {
        self.see(None);
    }
}

impl<'p> Round<'p> {
    /// One more message, which begins to be checked.
    pub(crate) fn enter<'r>(&'r self) -> Ticket<'r>
    where
        'p: 'r,
    {
        self.checked.send_modify(|checked| *checked += 1);
        Ticket { round: self, asks: false }
    }
}

impl Ticket<'_> {
    /// Returns when it is this message's turn, or says for how long it has to wait elsewhere.
    ///
    /// # Errors
    /// If the row of all senders cannot be read or written.
    pub(crate) async fn turn(&mut self, bulk: bool) -> anyhow::Result<Turn> {
        let round = self.round;
        round.waiting.fetch_add(1, Ordering::Relaxed);
        self.ask();
        let mut checked = round.checked.subscribe();
        // It cannot fail: who counts lives as long as the round does.
        drop(checked.wait_for(|checked| *checked == 0).await);
        let Round { pacer, latest, waiting, .. } = round;
        for attempt in 0..TRIES {
            if attempt > 0 {
                waiting.fetch_add(1, Ordering::Relaxed);
            }
            let slot = self.slot(bulk).await;
            waiting.fetch_sub(1, Ordering::Relaxed);
            let slot = match slot? {
                Ok(slot) => slot,
                Err(turn) => return Ok(turn),
            };
            let early = slot.at_us - pacer.clock.now().as_microsecond();
            if early > 0 {
                sleep(Duration::from_micros(early.unsigned_abs())).await;
            }
            let now = pacer.clock.now();
            if now > *latest {
                return Ok(Turn::Wait(SOON));
            }
            if now.as_microsecond() - slot.at_us <= slot.late_us {
                return Ok(Turn::Go(None));
            }
        }
        Ok(Turn::Wait(SOON))
    }

    async fn slot(&self, bulk: bool) -> anyhow::Result<Result<Slot, Turn>> {
        let Round { pacer, latest, waiting, slots, .. } = self.round;
        // Whoever comes first asks for all that wait.
        let mut slots = slots.lock().await;
        if slots.is_empty() {
            match pacer.reserve(bulk, waiting.load(Ordering::Relaxed), *latest).await? {
                Asked::Slots(new) => *slots = new,
                Asked::Turn(turn) => return Ok(Err(turn)),
            }
        }
        Ok(slots.pop_front().ok_or(Turn::Wait(SOON)))
    }

    fn ask(&mut self) {
        if !self.asks {
            self.asks = true;
            self.round.checked.send_modify(|checked| *checked = checked.saturating_sub(1));
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        // One that was stopped by a check holds up nobody.
        self.ask();
    }
}

fn is_fresh(stop: &Stop, seen_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(seen_at).abs() < if stop.probed { PROBE_KNOWN_FOR } else { KNOWN_FOR }
}

/// What a message does while sending is stopped.
fn waits(stop: &Stop, now: Timestamp) -> Turn {
    let after = if stop.probed { WHILE_PROBED } else { stop.until.duration_since(now) };
    Turn::Held(after.max(SignedDuration::from_secs(1)), stop.why.as_str())
}

/// How long after a stop one message is tried: soon at first, and more rarely the longer it
/// lasts; where the quota is used up, when the account says that there is room.
fn tried_again_in(why: WhyStopped, stopped_for: SignedDuration, account: Option<&SendingAccount>) -> SignedDuration {
    let usual = (stopped_for / 2).clamp(FIRST_PROBE, RARELY);
    match (why, account) {
        (WhyStopped::DailyQuota, Some(account)) => account.room_in().clamp(usual, QUOTA_RARELY),
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_is_tried_ever_more_rarely() {
        let after = |minutes| tried_again_in(WhyStopped::SendingPaused, SignedDuration::from_mins(minutes), None);
        assert_eq!([0, 10, 600].map(|minutes| after(minutes).as_secs()), [60, 300, 900]);
        let account = |used| SendingAccount { rate: 1.0, per_day: Some(200.0), used };
        let quota = |used| tried_again_in(WhyStopped::DailyQuota, SignedDuration::ZERO, Some(&account(used))).as_secs();
        assert_eq!([200.0, 199.0, 260.0].map(quota), [432, 60, 3_600]);
    }
}
