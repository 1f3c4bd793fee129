//! Checks, renders, claims, sends and settles a message.
//!
//! SES has no way to recognise a call made twice, so the order of these steps
//! is what keeps a mail from going out twice: a message is claimed by a
//! conditional write right before SES is called, and settled after. A claim whose
//! sender was never heard of again becomes UNKNOWN; it is not sent again.

mod attempt;
mod limits;
mod pace;
mod plan;
mod ses;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::bail;
use aws::Queue;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use contracts::DeliverMessage;
use domain::message::Reason;
use domain::{Message, sortable};
use jiff::{SignedDuration, Timestamp};
use lambda::batch::{self, Answer};
use lambda::metrics::{Unit, emit};
use lambda::{Clock, Context};
use mail::{Composer, Draft, Identity, Stopped, Subject};
use store::{Catalogue, Customers, Definitions, Messages, Pace, Taken, Timer, Timers, Written};

use crate::limits::{Count, Limit};
use crate::pace::{Pacer, Probe, Ticket, Turn};
use crate::ses::Ses;

/// The time that one call to SES may take, and settling after it.
const ENOUGH: SignedDuration = SignedDuration::from_secs(9);

/// By how much the clocks of two machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

/// What was looked at longer ago than this is looked at once more right before the message goes.
/// It may wait for its turn for most of an invocation: time enough for somebody to leave and to
/// be told that they have. Most wait for far less, and they cost no second look.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// Serves both deliveries queues.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let sender = Sender::new(&aws::sdk_config().await, lambda::config::required, Clock::from_env())?;
    lambda::serve(async |event, context| sender.batch(event, context).await).await
}

/// Sends messages.
pub struct Sender {
    messages: Messages,
    timers: Timers,
    customers: Customers,
    composer: Composer,
    ses: Ses,
    pacer: Pacer,
    deliveries: Queue,
    bulk_deliveries: Queue,
    clock: Clock,
}

/// What came of looking at a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing is left to do about it for now; the timer that brought it has done its work.
    Over,
    /// It was put off, and the timer that brought it is gone already.
    PutOff,
    /// It, or another copy of it, waits on its queue.
    Waits,
}

/// A message that nothing keeps back.
struct Checked {
    subject: Subject,
    draft: Draft,
    /// When it was looked at.
    at: Timestamp,
}

impl Sender {
    /// A sender whose clients are made by this configuration; `required` gives what the
    /// environment holds for it, by its name.
    ///
    /// # Errors
    /// What `required` fails with.
    pub fn new(
        config: &SdkConfig,
        required: impl Fn(&str) -> Result<String, lambda::Error>,
        clock: Clock,
    ) -> Result<Self, lambda::Error> {
        let db = Client::new(config);
        // The SDK must not repeat a call of which it does not know the outcome.
        let ses = aws_sdk_sesv2::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(8)).build())
            .build();
        let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
        let messages = Messages::new(db.clone(), required("MESSAGES_TABLE")?);
        let ses = Ses::new(aws_sdk_sesv2::Client::from_conf(ses), required("CONFIGURATION_SET")?);
        let pace = Pace::new(db.clone(), required("CHECKPOINTS_TABLE")?);
        let client = aws_sdk_sqs::Client::new(config);
        Ok(Self {
            timers: Timers::new(db.clone(), required("TIMERS_TABLE")?),
            customers: customers.clone(),
            composer: Composer::new(
                customers,
                Catalogue::new(db.clone(), required("CATALOGUE_TABLE")?),
                Definitions::new(db, required("DEFINITIONS_TABLE")?),
                messages.clone(),
                Identity::read(&required)?,
            ),
            messages,
            pacer: Pacer::new(pace, ses.clone(), clock.clone()),
            ses,
            deliveries: Queue::new(client.clone(), required("DELIVERIES_QUEUE_URL")?),
            bulk_deliveries: Queue::new(client, required("BULK_DELIVERIES_QUEUE_URL")?),
            clock,
        })
    }

    /// Serves one invocation.
    ///
    /// # Errors
    /// If a message of the batch has no id.
    pub async fn batch(&self, event: SqsEvent, context: Context) -> anyhow::Result<Answer> {
        let deadline = Timestamp::from_millisecond(i64::try_from(context.deadline)?)?;
        // Two copies of one message may be in one batch, and neither must take
        // the other's claim for its own.
        let copies = AtomicUsize::new(0);
        let round = self.pacer.round(deadline - ENOUGH);
        batch::messages(event, async |work: DeliverMessage| {
            let ticket = round.enter();
            let claim = format!("{}#{}", context.request_id, copies.fetch_add(1, Ordering::Relaxed));
            self.deliver(work, ticket, &claim, deadline).await
        })
        .await
    }

    async fn deliver(
        &self,
        work: DeliverMessage,
        ticket: Ticket<'_>,
        claim: &str,
        deadline: Timestamp,
    ) -> anyhow::Result<()> {
        if work.message.origin.is_test() {
            // From here on it is on the queue alone where it goes, and whom it is about.
            self.messages.scrub_one(&work.message).await?;
        }
        let end = self.attempt(&work, ticket, claim, deadline).await?;
        match work.due {
            Some(due) if end == End::Over => self.timers.forget(&Timer::of_message(&work.message, due)).await,
            _ => Ok(()),
        }
    }

    /// What can fail without SES comes before the claim, but for what only the message's one
    /// sender may take; so hardly anything but a call to SES of which nobody knows the outcome
    /// leaves a claim behind.
    async fn attempt(
        &self,
        work: &DeliverMessage,
        mut ticket: Ticket<'_>,
        claim: &str,
        deadline: Timestamp,
    ) -> anyhow::Result<End> {
        let DeliverMessage { message, due, .. } = work;
        if let Some(turn) = self.pacer.stopped() {
            return self.wait(work, claim, turn).await;
        }
        let checked = match self.check(message, *due).await? {
            Ok(checked) => checked,
            Err(limit) => return self.heed(message, limit, *due).await,
        };
        match ticket.turn(message.is_bulk()).await? {
            Turn::Go(probe) => self.go(work, checked, claim, deadline, probe).await,
            turn => self.wait(work, claim, turn).await,
        }
    }

    /// Looks whom and what a message is about, whether anything keeps it from them by now, and
    /// makes the mail but for its promo codes.
    async fn check(&self, message: &Message, due: Option<Timestamp>) -> anyhow::Result<Result<Checked, Limit>> {
        let at = self.clock.now();
        let now = self.now(due);
        let subject = match self.composer.look(message, now).await? {
            Ok(subject) => subject,
            Err(stopped) => return Ok(Err(Limit::Stopped(stopped))),
        };
        if let Some(limit) = limits::by_the_clock(message, &subject, now) {
            return Ok(Err(limit));
        }
        let draft = match self.composer.fill(message, &subject, now).await? {
            Ok(draft) => draft,
            Err(stopped) => return Ok(Err(Limit::Stopped(stopped))),
        };
        // Only looked at: a place is taken by whoever has the claim, and by nobody else. And no
        // turn is spent on a message for which there is none.
        match limits::by_count(&self.customers, message, &subject, now, Count::Look).await? {
            Some(limit) => Ok(Err(limit)),
            None => Ok(Ok(Checked { subject, draft, at })),
        }
    }

    /// Sends a message whose turn has come, if nothing came between meanwhile.
    async fn go(
        &self,
        work: &DeliverMessage,
        checked: Checked,
        claim: &str,
        deadline: Timestamp,
        probe: Option<Probe>,
    ) -> anyhow::Result<End> {
        let DeliverMessage { message, due, .. } = work;
        let end = match self.checked_lately(message, checked, *due).await? {
            Ok(checked) => match self.claim(message, claim, *due, deadline).await? {
                Ok(attempt) => match self.ready(message, checked, attempt, *due).await? {
                    Ok(mail) => return self.send(work, &mail, attempt, probe).await,
                    Err(limit) => self.heed(message, limit, *due).await?,
                },
                Err(taken) => {
                    self.wind_up(message, taken).await?;
                    End::Over
                }
            },
            Err(limit) => self.heed(message, limit, *due).await?,
        };
        self.learned_nothing(probe).await?;
        Ok(end)
    }

    /// Looks once more at what was looked at too long ago, and at the clock in any case: it may
    /// have waited for its turn into quiet hours.
    async fn checked_lately(
        &self,
        message: &Message,
        checked: Checked,
        due: Option<Timestamp>,
    ) -> anyhow::Result<Result<Checked, Limit>> {
        if self.clock.now().duration_since(checked.at) > A_MOMENT {
            return self.check(message, due).await;
        }
        Ok(match limits::by_the_clock(message, &checked.subject, self.now(due)) {
            Some(limit) => Err(limit),
            None => Ok(checked),
        })
    }

    /// Puts a message back onto its queue, to come again after a while. It is a new message
    /// there, so that waiting does not count as failing; the attempt gives it its name, and
    /// it comes in the place of the one that is put back.
    async fn wait(&self, work: &DeliverMessage, attempt: &str, turn: Turn) -> anyhow::Result<End> {
        let after = match turn {
            Turn::Go(_) => SignedDuration::ZERO,
            Turn::Wait(after) => after,
            Turn::Held(after, why) => {
                emit(self.clock.now(), "HeldUp", Unit::Count, 1.0, &[]);
                emit(self.clock.now(), "HeldUp", Unit::Count, 1.0, &[("Reason", why)]);
                after
            }
        };
        let DeliverMessage { message, due, copy } = work;
        match self.messages.put_back(&message.id, *due, copy.as_deref(), attempt, self.clock.now()).await? {
            Taken::Done => {
                let lane = if message.is_bulk() { &self.bulk_deliveries } else { &self.deliveries };
                lane.send(&[(DeliverMessage { copy: Some(attempt.to_owned()), ..work.clone() }, after)]).await?;
                Ok(End::Waits)
            }
            Taken::Settled { .. } | Taken::Absent => Ok(End::Over),
            Taken::Busy | Taken::Lapsed(_) | Taken::Unknown { .. } => Ok(End::Waits),
        }
    }

    /// Where a message was to show whether sending can go on, and did not come to it.
    async fn learned_nothing(&self, probe: Option<Probe>) -> anyhow::Result<()> {
        match probe {
            Some(probe) => self.pacer.end_probe(probe).await,
            None => Ok(()),
        }
    }

    /// The time; of a message whose timer came a little early, by another machine's clock,
    /// the time of that.
    fn now(&self, due: Option<Timestamp>) -> Timestamp {
        let now = self.clock.now();
        due.map_or(now, |due| now.max(due.min(now + CLOCKS_DIFFER)))
    }

    /// Puts a message off, or stops it.
    async fn heed(&self, message: &Message, limit: Limit, due: Option<Timestamp>) -> anyhow::Result<End> {
        let (why, until) = match limit {
            Limit::PutOff(why, until) => (why, until),
            Limit::Stopped(stopped) => return self.refuse(message, stopped).await,
        };
        if due.is_some_and(|due| sortable(due) == sortable(until)) {
            bail!("its timer came too early; look again");
        }
        let now = self.clock.now();
        match self.messages.put_off(&self.timers, message, why, until, due, now).await? {
            Taken::Done => Ok(End::PutOff),
            taken => {
                self.wind_up(message, taken).await?;
                Ok(End::Over)
            }
        }
    }

    /// Gives back the place that a message has among those that the customer may have.
    async fn give_place_back(&self, message: &Message) -> anyhow::Result<()> {
        let now = self.clock.now();
        let dictionary = self.composer.dictionary(now).await?;
        limits::give_back(&self.customers, message, dictionary.settings(), now).await
    }

    /// Notes that a message is not sent, and why.
    async fn refuse(&self, message: &Message, (reason, detail): Stopped) -> anyhow::Result<End> {
        let now = self.clock.now();
        let taken = self.messages.refuse(&message.id, reason, detail.as_deref(), now).await?;
        if taken == Taken::Done {
            not_sent(now, reason);
        }
        if reason == Reason::Erased {
            self.messages.scrub_one(message).await?;
        }
        // To somebody who was erased nothing is sent once more, and no timer names them.
        let mut message = message.clone();
        message.terms.resend_after = message.terms.resend_after.filter(|_| reason != Reason::Erased);
        self.wind_up(&message, taken).await?;
        Ok(End::Over)
    }

    /// What is left to do about a message that is refused now, or that somebody else took.
    async fn wind_up(&self, message: &Message, taken: Taken) -> anyhow::Result<()> {
        match taken {
            // Whoever refused it may have failed to.
            Taken::Done | Taken::Settled { sent: false } => self.give_place_back(message).await,
            Taken::Settled { sent: true } | Taken::Unknown { .. } | Taken::Absent => Ok(()),
            Taken::Busy => bail!("another sender has it; look again when its lease is over"),
            Taken::Lapsed(lapsed) => {
                let now = self.clock.now();
                let closed = self.messages.close_lapsed(&self.timers, message, &lapsed, now).await?;
                if closed == Written::Overtaken {
                    bail!("it was closed a moment ago; look again");
                }
                if lapsed.proof.is_none() {
                    emit(now, "Unknown", Unit::Count, 1.0, &[]);
                }
                Ok(())
            }
        }
    }
}

fn not_sent(now: Timestamp, reason: Reason) {
    emit(now, "NotSent", Unit::Count, 1.0, &[]);
    emit(now, "NotSent", Unit::Count, 1.0, &[("Reason", reason.as_str())]);
}
