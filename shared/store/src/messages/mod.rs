mod ledger;
mod reading;
mod search;
mod waiting;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::message::{Reason, State};
use domain::{CustomerId, Message, MessageId};
use jiff::Timestamp;

use crate::rows::{self, Written, failed, text, time, transact};
use crate::{Timer, Timers};

pub use ledger::{AndThen, Entry, Evidence, Lapsed, Outcome, PutOffFor, Taken};
use ledger::{Move, Row, key, made_at, new_row};
use search::unsent_of;
pub use search::{DecidedBy, Search, Whose};

/// That SES told nothing of a message.
fn silent() -> String {
    Evidence::ALL.map(|kind| format!("attribute_not_exists({})", kind.attribute())).join(" AND ")
}

/// The messages table: the send ledger, one row per message, ever.
///
/// A row is written once and its state only moves forward, each move by a
/// conditional write. See [`domain::message`] for the moves.
#[derive(Debug, Clone)]
pub struct Messages {
    db: Client,
    table: String,
}

impl Messages {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Writes a message that is to be sent. One that is there already, in
    /// whatever state, is left as it is. When the one was made that is there then.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put(&self, message: &Message) -> anyhow::Result<Timestamp> {
        let put = self
            .db
            .put_item()
            .table_name(&self.table)
            .set_item(Some(new_row(message)?))
            .condition_expression("attribute_not_exists(message)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(message.created_at),
            Err(error) => error,
        };
        match error {
            SdkError::ServiceError(error) if error.err().is_conditional_check_failed_exception() => {
                let there = match error.into_err() {
                    PutItemError::ConditionalCheckFailedException(refused) => refused.item.unwrap_or_default(),
                    _ => rows::Item::new(),
                };
                made_at(&there)
            }
            error => Err(failed("a message could not be written")(error)),
        }
    }

    pub(crate) fn put_in_transaction(&self, message: &Message) -> anyhow::Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(new_row(message)?))
            .condition_expression("attribute_not_exists(message)");
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Takes a message up, right before SES is called.
    ///
    /// `claim` names this attempt and no other; the claim holds until `lease`. What nobody
    /// knows of is taken up `again` only if that is said, only while SES has told nothing
    /// of it, and only once.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn claim(
        &self,
        id: &MessageId,
        claim: &str,
        again: bool,
        lease: Timestamp,
        now: Timestamp,
    ) -> anyhow::Result<Taken> {
        let update = self
            .update(id)
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":lease", time(lease));
        let update = if again {
            update
                .update_expression(
                    "SET #state = :claimed, claim = :claim, claimed_at = :now, lease = :lease, again = :again REMOVE unsent",
                )
                .condition_expression(format!("#state = :unknown AND attribute_not_exists(again) AND {}", silent()))
                .expression_attribute_values(":again", AttributeValue::Bool(true))
                .expression_attribute_values(":unknown", text(State::Unknown.as_str()))
        } else {
            update
                .update_expression("SET #state = :claimed, claim = :claim, claimed_at = :now, lease = :lease")
                .condition_expression("#state = :pending AND attribute_not_exists(accepted_at)")
                .expression_attribute_values(":pending", text(State::Pending.as_str()))
        };
        match self.moved(update).await? {
            // The first try of this very write got through and its answer got lost.
            Move::Refused(Some(row)) if row.state == State::Claimed && row.claim.as_deref() == Some(claim) => {
                Ok(Taken::Done)
            }
            moved => Ok(moved.taken(now)),
        }
    }

    /// Notes that a message is not going to be sent, and why, before anybody
    /// took it up.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn refuse(
        &self,
        id: &MessageId,
        reason: Reason,
        detail: Option<&str>,
        now: Timestamp,
    ) -> anyhow::Result<Taken> {
        let update = self
            .update(id)
            .update_expression(
                "SET #state = :not_sent, settled_at = :now, reason = :reason, detail = :detail, unsent = :unsent",
            )
            .condition_expression("#state = :pending AND attribute_not_exists(accepted_at)")
            .expression_attribute_values(":pending", text(State::Pending.as_str()))
            .expression_attribute_values(":not_sent", text(State::NotSent.as_str()))
            .expression_attribute_values(":unsent", text(unsent_of(id, State::NotSent)))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":reason", text(reason.as_str()))
            .expression_attribute_values(":detail", text(detail.unwrap_or(reason.as_str())));
        Ok(self.moved(update).await?.taken(now))
    }

    /// Notes how the attempt of this claim ended. A claim that lapsed meanwhile
    /// may still be settled: its sender is back with the truth.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn settle(
        &self,
        id: &MessageId,
        claim: &str,
        outcome: &Outcome,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let update = self
            .update(id)
            .condition_expression("claim = :claim AND #state IN (:claimed, :unknown)")
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":unknown", text(State::Unknown.as_str()))
            .expression_attribute_values(":now", time(now));
        let update = match outcome {
            Outcome::Sent { ses_id } => update
                .update_expression("SET #state = :settled, settled_at = :now, ses_id = :ses_id REMOVE lease, unsent, waits, put_back_by, waited_at")
                .expression_attribute_values(":settled", text(State::Sent.as_str()))
                .expression_attribute_values(":ses_id", text(ses_id)),
            Outcome::NotSent { reason, detail } => update
                .update_expression(
                    "SET #state = :settled, settled_at = :now, reason = :reason, detail = :detail, unsent = :unsent \
                     REMOVE lease",
                )
                .expression_attribute_values(":unsent", text(unsent_of(id, State::NotSent)))
                .expression_attribute_values(":settled", text(State::NotSent.as_str()))
                .expression_attribute_values(":reason", text(reason.as_str()))
                .expression_attribute_values(":detail", text(detail.as_deref().unwrap_or(reason.as_str()))),
        };
        Ok(self.moved(update).await?.written())
    }

    /// Gives a message back that SES was not asked to send, or refused for now.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn give_back(&self, id: &MessageId, claim: &str) -> anyhow::Result<Written> {
        let update = self
            .update(id)
            .update_expression("SET #state = :pending REMOVE claim, lease")
            .condition_expression("claim = :claim AND #state = :claimed")
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":pending", text(State::Pending.as_str()));
        Ok(self.moved(update).await?.written())
    }

    /// Ends the claim of a second attempt that came to nothing: of the first nobody knows still
    /// whether it went out, unless SES has told of it meanwhile.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn back_to_unknown(
        &self,
        id: &MessageId,
        claim: &str,
        and_then: AndThen,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        const CLAIMED: &str = "claim = :claim AND #state = :claimed";
        let update = |state: State| {
            self.update(id)
                .expression_attribute_values(":claim", text(claim))
                .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
                .expression_attribute_values(":closed", text(state.as_str()))
        };
        let change = match and_then {
            AndThen::TriedAgain => ", waited_at = :now REMOVE claim, lease, again",
            AndThen::LeftAtThat => " REMOVE lease",
        };
        let unknown = update(State::Unknown)
            .update_expression(format!("SET #state = :closed, unsent = :unsent{change}"))
            .condition_expression(format!("{CLAIMED} AND {}", silent()))
            .expression_attribute_values(":unsent", text(unsent_of(id, State::Unknown)));
        let unknown = match and_then {
            AndThen::TriedAgain => unknown.expression_attribute_values(":now", time(now)),
            AndThen::LeftAtThat => unknown,
        };
        match self.moved(unknown).await? {
            Move::Refused(Some(Row { proof: Some(proof), .. })) => {
                let sent = update(State::Sent)
                    .update_expression(
                        "SET #state = :closed, settled_at = :at REMOVE lease, waits, put_back_by, waited_at",
                    )
                    .condition_expression(CLAIMED)
                    .expression_attribute_values(":at", time(proof.min(now)));
                Ok(self.moved(sent).await?.written())
            }
            moved => Ok(moved.written()),
        }
    }

    /// Closes a claim that lapsed: SENT where SES told of the message, UNKNOWN
    /// where nobody knows. Overtaken means that it is closed already, or that SES
    /// has told of it only now. A message that its terms send once more gets the timer
    /// for it in the same transaction, unless this was the second attempt.
    ///
    /// # Errors
    /// If the tables cannot be written to.
    pub async fn close_lapsed(
        &self,
        timers: &Timers,
        message: &Message,
        Lapsed { claim, proof, again }: &Lapsed,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        const CLAIMED: &str = "claim = :claim AND #state = :claimed";
        let (state, condition) = match proof {
            Some(_) => (State::Sent, CLAIMED.to_owned()),
            None => (State::Unknown, format!("{CLAIMED} AND {}", silent())),
        };
        let unsent = text(unsent_of(&message.id, state));
        let once_more = message.terms.resend_after.filter(|_| proof.is_none() && !again);
        let Some(until) = once_more.map(|length| now.saturating_add(length).unwrap_or(Timestamp::MAX)) else {
            let update = match proof {
                Some(_) => {
                    self.update(&message.id).update_expression("SET #state = :closed, settled_at = :at REMOVE lease")
                }
                None => self
                    .update(&message.id)
                    .update_expression("SET #state = :closed, settled_at = :at, unsent = :unsent REMOVE lease")
                    .expression_attribute_values(":unsent", unsent),
            };
            let update = update
                .condition_expression(condition)
                .expression_attribute_values(":claim", text(claim))
                .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
                .expression_attribute_values(":closed", text(state.as_str()))
                .expression_attribute_values(":at", time(proof.unwrap_or(now)));
            return Ok(self.moved(update).await?.written());
        };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&message.id)))
            .update_expression(
                "SET #state = :closed, settled_at = :at, unsent = :unsent, due = :until, put_off_for = :why \
                 REMOVE lease, waits, put_back_by, waited_at",
            )
            .expression_attribute_values(":unsent", unsent)
            .condition_expression(condition)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":closed", text(state.as_str()))
            .expression_attribute_values(":at", time(now))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":why", text(PutOffFor::Unknown.as_str()));
        let update = TransactWriteItem::builder().update(update.build()?).build();
        let timer = timers.put(&Timer::of_message(message, until))?;
        transact(&self.db, vec![update, timer], "a claim that lapsed could not be closed").await
    }

    /// Notes what SES told of a message. Whatever SES tells proves that it took the
    /// mail. A message that is claimed is left to its sender, who is about to
    /// say so itself; should it be gone, what is noted here settles the claim when
    /// it lapses. Answers which message it is, unless there is none or its customer was
    /// erased.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn record(
        &self,
        id: &MessageId,
        evidence: &BTreeMap<Evidence, Timestamp>,
        ses_id: &str,
    ) -> anyhow::Result<Option<Message>> {
        let Some(earliest) = evidence.values().min().copied() else { return Ok(None) };
        let row = match self.note(id, evidence, |kind, _| format!("attribute_not_exists({kind})")).await? {
            Move::Done(row) | Move::Refused(row @ None) => row,
            // Some of it was told before: each goes by itself.
            Move::Refused(row) => {
                let earlier = |kind: &str, at: &str| format!("(attribute_not_exists({kind}) OR {kind} > {at})");
                let mut latest = row;
                for (kind, at) in evidence {
                    match self.note(id, &BTreeMap::from([(*kind, *at)]), earlier).await? {
                        Move::Done(row) | Move::Refused(row) => latest = row,
                    }
                }
                latest
            }
        };
        let Some(row) = row else { return Ok(None) };
        if matches!(row.state, State::Pending | State::Unknown) {
            let update = self
                .update(id)
                .update_expression("SET #state = :sent, settled_at = :at, ses_id = :ses_id REMOVE lease, unsent")
                .condition_expression("#state IN (:pending, :unknown)")
                .expression_attribute_values(":pending", text(State::Pending.as_str()))
                .expression_attribute_values(":sent", text(State::Sent.as_str()))
                .expression_attribute_values(":unknown", text(State::Unknown.as_str()))
                .expression_attribute_values(":at", time(earliest))
                .expression_attribute_values(":ses_id", text(ses_id));
            self.moved(update).await?;
        }
        row.customer.map(|_| rows::parse(&row.body)).transpose()
    }

    /// Notes evidence, if the row meets a condition for each kind of it, made from the
    /// names of what is known of that kind and of what is to be noted.
    async fn note(
        &self,
        id: &MessageId,
        evidence: &BTreeMap<Evidence, Timestamp>,
        each: impl Fn(&str, &str) -> String,
    ) -> anyhow::Result<Move> {
        let (mut set, mut condition) = (Vec::new(), vec!["attribute_exists(message)".to_owned()]);
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        for (number, (kind, at)) in evidence.iter().enumerate() {
            let (name, value) = (format!("#kind{number}"), format!(":at{number}"));
            set.push(format!("{name} = {value}"));
            condition.push(each(&name, &value));
            names.insert(name, kind.attribute().to_owned());
            values.insert(value, time(*at));
        }
        // The names take the place of #state, which these expressions have no use for.
        let update = self
            .update(id)
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(condition.join(" AND "))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew);
        self.moved(update).await
    }

    /// Takes a customer's name off all their messages, which stay for the accounts of
    /// what was sent and what was not. One that is still to be sent is not.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn scrub(&self, timers: &Timers, id: &CustomerId, now: Timestamp) -> anyhow::Result<()> {
        let mut after = None;
        loop {
            let (entries, next) = self.of_customer(id, &[], 100, after.as_deref()).await?;
            for Entry { message, state, mut put_off, .. } in entries {
                if state == State::Pending {
                    self.refuse(&message.id, Reason::Erased, None, now).await?;
                    // From here on nobody puts it off any more; somebody may have, up to here.
                    put_off = self.get(&message.id).await?.and_then(|entry| entry.put_off);
                }
                if let Some((until, _)) = put_off {
                    timers.forget(&Timer::of_message(&message, until)).await?;
                }
                self.scrub_one(&message).await?;
            }
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Takes the customer's name off one message.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn scrub_one(&self, message: &Message) -> anyhow::Result<()> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&message.id)))
            .update_expression("SET body = :body REMOVE customer")
            .condition_expression("attribute_exists(message)")
            .expression_attribute_values(":body", text(rows::body(&message.scrubbed())?));
        self.moved(update).await.map(drop)
    }

    fn update(&self, id: &MessageId) -> UpdateItemFluentBuilder {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .expression_attribute_names("#state", "state")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn moved(&self, update: UpdateItemFluentBuilder) -> anyhow::Result<Move> {
        match update.send().await {
            Ok(done) => Ok(Move::Done(done.attributes.map(Row::read).transpose()?)),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => {
                    Ok(Move::Refused(failed.item.map(Row::read).transpose()?))
                }
                error => {
                    let code = error.code().unwrap_or("an error that was not named");
                    Err(anyhow::anyhow!("a message could not be moved on: {code}"))
                }
            },
            Err(error) => Err(failed("a message could not be moved on")(error)),
        }
    }
}
