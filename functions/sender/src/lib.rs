//! Checks, renders, claims, sends and settles a message.
//!
//! SES has no way to recognise a call made twice, so the order of these steps
//! is what keeps a mail from going out twice: a message is claimed by a
//! conditional write right before SES is called, and settled after. A claim whose
//! sender was never heard of again becomes UNKNOWN; it is not sent again.

mod ses;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::bail;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use contracts::DeliverMessage;
use domain::Message;
use domain::message::{Origin, Reason};
use jiff::{SignedDuration, Timestamp};
use lambda::batch::{self, Answer};
use lambda::metrics::{Unit, emit};
use lambda::{Clock, Context};
use mail::{Composer, Identity, Mail, Stopped};
use store::{Catalogue, Customers, Definitions, Messages, Outcome, Taken, Timer, Timers, Written};

use crate::ses::{Answered, Ses};

/// How long a claim outlasts the invocation that made it. Lambda ends the
/// process at its deadline, so behind this nobody can be calling SES.
const AFTERMATH: SignedDuration = SignedDuration::from_secs(2);

/// The time that one call to SES may take, and settling after it.
const ENOUGH: SignedDuration = SignedDuration::from_secs(9);

/// By how much the clocks of two machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

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
    composer: Composer,
    ses: Ses,
    clock: Clock,
}

/// What came of looking at a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing is left to do about it for now; the timer that brought it has done its work.
    Over,
    /// It was put off, and the timer that brought it is gone already.
    PutOff,
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
        Ok(Self {
            messages: Messages::new(db.clone(), required("MESSAGES_TABLE")?),
            timers: Timers::new(db.clone(), required("TIMERS_TABLE")?),
            composer: Composer::new(
                Customers::new(db.clone(), required("CUSTOMERS_TABLE")?),
                Catalogue::new(db.clone(), required("CATALOGUE_TABLE")?),
                Definitions::new(db, required("DEFINITIONS_TABLE")?),
                Identity {
                    from_address: required("FROM_ADDRESS")?,
                    shop_name: required("SHOP_NAME")?,
                    public_url: required("PUBLIC_URL")?,
                },
            ),
            ses: Ses::new(aws_sdk_sesv2::Client::from_conf(ses), required("CONFIGURATION_SET")?),
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
        batch::messages(event, async |work: DeliverMessage| {
            let claim = format!("{}#{}", context.request_id, copies.fetch_add(1, Ordering::Relaxed));
            self.deliver(work, &claim, deadline).await
        })
        .await
    }

    async fn deliver(&self, work: DeliverMessage, claim: &str, deadline: Timestamp) -> anyhow::Result<()> {
        let DeliverMessage { message, due } = work;
        let end = self.attempt(&message, due, claim, deadline).await?;
        match due {
            Some(due) if end == End::Over => self.timers.forget(&Timer::of_message(&message, due)).await,
            _ => Ok(()),
        }
    }

    /// Everything that can fail without SES comes before the claim, so that only
    /// a call to SES of which nobody knows the outcome can leave one behind.
    async fn attempt(
        &self,
        message: &Message,
        due: Option<Timestamp>,
        claim: &str,
        deadline: Timestamp,
    ) -> anyhow::Result<End> {
        let now = self.now(due);
        let subject = match self.composer.look(message, now).await? {
            Ok(subject) => subject,
            Err(stopped) => return self.refuse(message, stopped).await,
        };
        let mail = match self.composer.fill(message, &subject, now).await? {
            Ok(mail) => mail,
            Err(stopped) => return self.refuse(message, stopped).await,
        };
        if self.clock.now() + ENOUGH > deadline {
            bail!("too little time is left to call SES; another invocation will");
        }
        match self.claim(message, claim, due, deadline).await? {
            Taken::Done => self.send(message, &mail, claim, deadline).await?,
            taken => self.by_others(message, taken).await?,
        }
        Ok(End::Over)
    }

    /// The time; of a message whose timer came a little early, by another machine's clock,
    /// the time of that.
    fn now(&self, due: Option<Timestamp>) -> Timestamp {
        let now = self.clock.now();
        due.map_or(now, |due| now.max(due.min(now + CLOCKS_DIFFER)))
    }

    /// Takes the message up, also if nobody knows whether it went out and its terms are that
    /// it is sent once more by now.
    async fn claim(
        &self,
        message: &Message,
        claim: &str,
        due: Option<Timestamp>,
        deadline: Timestamp,
    ) -> anyhow::Result<Taken> {
        let lease = deadline + AFTERMATH;
        let taken = self.messages.claim(&message.id, claim, false, lease, self.clock.now()).await?;
        match (taken, message.terms.resend_after) {
            (Taken::Unknown { since, twice: false }, Some(after)) if since + after <= self.now(due) => {
                self.messages.claim(&message.id, claim, true, lease, self.clock.now()).await
            }
            (taken, _) => Ok(taken),
        }
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
        self.by_others(message, taken).await?;
        Ok(End::Over)
    }

    /// What is left to do about a message that somebody else took.
    async fn by_others(&self, message: &Message, taken: Taken) -> anyhow::Result<()> {
        match taken {
            Taken::Done | Taken::Settled | Taken::Unknown { .. } | Taken::Absent => Ok(()),
            Taken::Busy => bail!("another sender has it; look again when its lease is over"),
            Taken::Lapsed { claim, proof } => {
                let now = self.clock.now();
                let closed = self.messages.close_lapsed(&self.timers, message, &claim, proof, now).await?;
                if closed == Written::Overtaken {
                    bail!("it was closed a moment ago; look again");
                }
                if proof.is_none() {
                    emit(now, "Unknown", Unit::Count, 1.0, &[]);
                }
                Ok(())
            }
        }
    }

    async fn send(&self, message: &Message, mail: &Mail, claim: &str, deadline: Timestamp) -> anyhow::Result<()> {
        let id = &message.id;
        match self.ses.send(mail, message, || self.clock.now() + ENOUGH < deadline).await {
            Answered::Accepted { ses_id } => self.settle(message, claim, &Outcome::Sent { ses_id }).await,
            Answered::Refused { detail } => {
                let outcome = Outcome::NotSent { reason: Reason::RefusedBySes, detail: Some(detail) };
                self.settle(message, claim, &outcome).await
            }
            Answered::NotNow(error) => {
                self.messages.give_back(id, claim).await?;
                Err(error.context("SES did not take the message for now"))
            }
            // It may have gone out. The claim stays, so that nobody else sends
            // it; SES's own events, or the end of the lease, will settle it.
            Answered::Silent(error) => Err(error.context("SES was called and no answer came")),
        }
    }

    async fn settle(&self, message: &Message, claim: &str, outcome: &Outcome) -> anyhow::Result<()> {
        let now = self.clock.now();
        if self.messages.settle(&message.id, claim, outcome, now).await? == Written::Overtaken {
            // The claim lapsed and was closed by what SES told.
            return Ok(());
        }
        match outcome {
            Outcome::Sent { .. } => {
                emit(now, "Sent", Unit::Count, 1.0, &[]);
                if let Origin::Campaign { step: 0, change, caused_at, .. } = &message.origin
                    && change.order_id().is_some()
                {
                    let took = now.duration_since(*caused_at).as_millis();
                    emit(now, "OrderToMail", Unit::Milliseconds, took as f64, &[]);
                }
            }
            Outcome::NotSent { reason, .. } => not_sent(now, *reason),
        }
        Ok(())
    }
}

fn not_sent(now: Timestamp, reason: Reason) {
    emit(now, "NotSent", Unit::Count, 1.0, &[]);
    emit(now, "NotSent", Unit::Count, 1.0, &[("Reason", reason.as_str())]);
}
