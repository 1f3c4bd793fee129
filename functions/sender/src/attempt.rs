//! One attempt to send a message: from its claim to what came of the call to SES.

use contracts::DeliverMessage;
use domain::Message;
use domain::message::Origin;
use jiff::{SignedDuration, Timestamp};
use lambda::metrics::{Unit, emit};
use mail::{Finished, Mail};
use store::{AndThen, Outcome, Taken, Written};

use crate::limits::{self, Count, Limit};
use crate::pace::{Probe, Turn};
use crate::ses::{Answered, NotNow};
use crate::{Checked, End, Sender, not_sent};

/// How long a claim outlasts the invocation that made it. Lambda ends the
/// process at its deadline, so behind this nobody can be calling SES.
const AFTERMATH: SignedDuration = SignedDuration::from_secs(2);

/// How long a message waits before SES is asked again that could not be reached.
const UNREACHED: SignedDuration = SignedDuration::from_secs(15);

/// An attempt to send a message that was claimed for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'c> {
    claim: &'c str,
    /// Whether it is the second, after one of which nobody knows whether it went out.
    again: bool,
}

impl Sender {
    /// Takes the message up, also if nobody knows whether it went out and its terms are that
    /// it is sent once more by now.
    pub(crate) async fn claim<'c>(
        &self,
        message: &Message,
        claim: &'c str,
        due: Option<Timestamp>,
        deadline: Timestamp,
    ) -> anyhow::Result<Result<Attempt<'c>, Taken>> {
        let lease = deadline + AFTERMATH;
        let claimed = async |again| {
            let taken = self.messages.claim(&message.id, claim, again, lease, self.clock.now()).await?;
            anyhow::Ok(if taken == Taken::Done { Ok(Attempt { claim, again }) } else { Err(taken) })
        };
        match (claimed(false).await?, message.terms.resend_after) {
            (Err(Taken::Unknown { since, twice: false }), Some(after)) if since + after <= self.now(due) => {
                claimed(true).await
            }
            (taken, _) => Ok(taken),
        }
    }

    /// The mail of a message that was claimed, as it goes out: with its place among those that
    /// the customer may have, and then with its promo codes. Where it lacks one of them, or
    /// nobody can tell, the place and the claim are given back.
    ///
    /// Only under the claim are these taken: of two copies, one would otherwise give back the
    /// place by which the other goes, and a message that finds no place would have a code.
    pub(crate) async fn ready(
        &self,
        message: &Message,
        checked: Checked,
        attempt: Attempt<'_>,
        due: Option<Timestamp>,
    ) -> anyhow::Result<Result<Mail, Limit>> {
        let made = self.with_place_and_codes(message, checked, self.now(due)).await;
        if !matches!(made, Ok(Ok(_))) {
            self.let_go(message, attempt).await?;
        }
        made
    }

    async fn with_place_and_codes(
        &self,
        message: &Message,
        Checked { subject, draft, .. }: Checked,
        now: Timestamp,
    ) -> anyhow::Result<Result<Mail, Limit>> {
        if let Some(limit) = limits::by_count(&self.customers, message, &subject, now, Count::Take).await? {
            return Ok(Err(limit));
        }
        let Finished { mail, few_codes_left } = match self.composer.finish(draft, message, now).await? {
            Ok(finished) => finished,
            Err(stopped) => return Ok(Err(Limit::Stopped(stopped))),
        };
        if few_codes_left {
            emit(now, "PromoCodesLow", Unit::Count, 1.0, &[]);
        }
        Ok(Ok(mail))
    }

    /// Gives back what an attempt has in which SES was not called, or to no effect: the message's
    /// place, unless an attempt before may have gone out by it, and the claim, whatever becomes
    /// of the place.
    async fn let_go(&self, message: &Message, Attempt { claim, again }: Attempt<'_>) -> anyhow::Result<()> {
        if again {
            return self
                .messages
                .back_to_unknown(&message.id, claim, AndThen::TriedAgain, self.clock.now())
                .await
                .map(drop);
        }
        let place = self.give_place_back(message).await;
        self.messages.give_back(&message.id, claim).await?;
        place
    }

    /// Calls SES, once, and does what its answer asks for.
    pub(crate) async fn send(
        &self,
        work: &DeliverMessage,
        mail: &Mail,
        attempt: Attempt<'_>,
        probe: Option<Probe>,
    ) -> anyhow::Result<End> {
        let (message, Attempt { claim, again }) = (&work.message, attempt);
        let why = match self.ses.send(mail, message).await {
            Answered::Accepted { ses_id } => {
                self.settle(message, claim, &Outcome::Sent { ses_id }).await?;
                if let Some(probe) = probe {
                    self.pacer.go_on(probe).await?;
                }
                return Ok(End::Over);
            }
            // What SES says of this call it does not say of the one before.
            Answered::Refused { .. } if again => {
                self.messages.back_to_unknown(&message.id, claim, AndThen::LeftAtThat, self.clock.now()).await?;
                self.learned_nothing(probe).await?;
                return Ok(End::Over);
            }
            Answered::Refused { reason, detail } => {
                // While the claim holds nobody else sends it. That nothing went out is certain,
                // and is noted whatever becomes of the place.
                let place = self.give_place_back(message).await;
                self.settle(message, claim, &Outcome::NotSent { reason, detail: Some(detail) }).await?;
                place?;
                self.learned_nothing(probe).await?;
                return Ok(End::Over);
            }
            // It may have gone out. The claim stays, so that nobody else sends
            // it; SES's own events, or the end of the lease, will settle it.
            Answered::Silent(error) => return Err(error.context("SES was called and no answer came")),
            Answered::NotNow(why) => why,
        };
        self.let_go(message, attempt).await?;
        let turn = match why {
            NotNow::Stopped(why) => self.pacer.stop(why).await?,
            NotNow::TooFast => self.pacer.hold().await?,
            NotNow::NotReached(error) => {
                tracing::warn!(error = format!("{error:#}"), "SES cannot be reached");
                Turn::Held(UNREACHED, "unreachable")
            }
            NotNow::Other(error) => {
                self.learned_nothing(probe).await?;
                return Err(error.context("SES did not take the message"));
            }
        };
        self.learned_nothing(probe).await?;
        self.wait(work, claim, turn).await
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
