//! AWS as the functions meet it: tables that are the real engine, SES, two queues.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contracts::DeliverMessage;
use domain::message::{Reason, State};
use jiff::{SignedDuration, Timestamp};
use local::Tables;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::codes;
use crate::network::{Answer, Call, refusal};
use crate::queue::Queue;

pub(crate) struct World {
    pub(crate) rng: fastrand::Rng,
    tables: Tables,
    pub(crate) ledger: Ledger,
    pub(crate) ses: Ses,
    pub(crate) deliveries: Queue,
    pub(crate) feedback: Queue,
    /// How often each message was put back onto its queue.
    pub(crate) put_back: BTreeMap<String, usize>,
    /// Of a hundred calls, how many are lost on each way.
    pub(crate) faults: u8,
    pub(crate) time: Time,
}

/// The states that the messages' rows have had.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    states: BTreeMap<String, Option<State>>,
    /// Each move from one state to another, by message; a row that is not there has none.
    pub(crate) moves: Vec<(String, [Option<State>; 2])>,
    /// How many promo codes had been given when it was said of a message that there is none for it.
    pub(crate) without_code: BTreeMap<String, u64>,
}

impl Ledger {
    const TABLE: &str = "cartwire-MessagesTable";

    /// Sees what a write has made of each row of the messages that it names: nobody writes
    /// to them by another way, so what they were before is known.
    fn follow(&mut self, tables: &mut Tables, operation: &str, body: &[u8]) {
        if !matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems") {
            return;
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let actions = body["TransactItems"].as_array().into_iter().flatten();
        let actions = actions.flat_map(|action| action.as_object().unwrap().values());
        for write in actions.chain([&body]).filter(|write| write["TableName"] == Self::TABLE) {
            let key = write.get("Key").unwrap_or(&write["Item"])["message"].clone();
            let id = key["S"].as_str().unwrap().to_owned();
            let read = json!({ "TableName": Self::TABLE, "Key": { "message": key }, "ConsistentRead": true });
            let (_, row) = tables.call("GetItem", read.to_string().as_bytes());
            let row: Value = serde_json::from_str(&row).unwrap();
            let now = serde_json::from_value(row["Item"]["state"]["S"].clone()).ok();
            let before = self.states.insert(id.clone(), now).flatten();
            if row["Item"]["reason"]["S"] == Reason::NoPromoCode.as_str() {
                self.without_code.entry(id.clone()).or_insert_with(|| codes::given(tables));
            }
            if before != now {
                self.moves.push((id, [before, now]));
            }
        }
    }
}

/// The time of a run: it begins at one moment, and passes as the runtime lets it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    begun: Instant,
}

impl Time {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    pub(crate) fn now(self) -> Timestamp {
        let passed = SignedDuration::try_from(self.begun.elapsed()).unwrap();
        "2026-03-02T08:00:00Z".parse::<Timestamp>().unwrap() + passed
    }
}

/// What SES was asked, and how it is with its account.
#[derive(Debug, Default)]
pub(crate) struct Ses {
    /// The mails that it took, by message.
    pub(crate) taken: BTreeMap<String, Vec<Taken>>,
    /// How many calls it turned away without taking the mail.
    pub(crate) turned_away: usize,
    /// From when until when the account is paused.
    pub(crate) paused: Option<(Instant, Instant)>,
    /// Of a hundred events, how many are lost.
    pub(crate) deaf: u8,
}

#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) to: String,
    pub(crate) at: Timestamp,
    /// The promo codes that it named.
    pub(crate) codes: BTreeSet<String>,
    /// Whether any of its events will be told.
    pub(crate) told: bool,
}

impl World {
    pub(crate) fn new(seed: u64, clock: Arc<local::Clock>) -> Self {
        let template = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        Self {
            rng: fastrand::Rng::with_seed(seed),
            tables: Tables::of_template(&template, clock).unwrap(),
            ledger: Ledger::default(),
            ses: Ses::default(),
            deliveries: Queue::default(),
            feedback: Queue::default(),
            put_back: BTreeMap::new(),
            faults: 0,
            time: Time::begin(),
        }
    }

    /// What a service answers. `chance` below a hundred is a service that has a bad moment;
    /// none is an answer that never comes.
    pub(crate) fn answer(&mut self, call: &Call, chance: u8) -> Option<Answer> {
        match call {
            Call::Tables { operation, body } => Some(match chance {
                0..=39 => refusal(500, "InternalServerError", "try again"),
                40..=79 => refusal(400, "ProvisionedThroughputExceededException", "too fast"),
                80..=99 if operation == "TransactWriteItems" => {
                    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                                   [TransactionConflict]";
                    let body = json!({
                        "__type": "TransactionCanceledException", "Message": message,
                        "CancellationReasons": [{ "Code": "TransactionConflict" }],
                    });
                    (400, Some("TransactionCanceledException"), body.to_string())
                }
                _ => {
                    let (status, answer) = self.tables.call(operation, body);
                    self.ledger.follow(&mut self.tables, operation, body);
                    (status, None, answer)
                }
            }),
            Call::Send { body } => Some(self.queued(body)),
            Call::Account => Some((200, None, account())),
            Call::Mail { body } => self.mail(body, chance),
        }
    }

    fn queued(&mut self, body: &Value) -> Answer {
        let mut sent = Vec::new();
        for entry in body["Entries"].as_array().unwrap() {
            let delay = Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or_default());
            let body = entry["MessageBody"].as_str().unwrap();
            let work: DeliverMessage = serde_json::from_str(body).unwrap();
            *self.put_back.entry(work.message.id.to_string()).or_default() += 1;
            self.deliveries.put(body.to_owned(), delay);
            sent.push(json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d" }));
        }
        (200, None, json!({ "Successful": sent, "Failed": [] }).to_string())
    }

    fn mail(&mut self, body: &Value, chance: u8) -> Option<Answer> {
        let now = Instant::now();
        if self.ses.paused.is_some_and(|(from, to)| from <= now && now < to) {
            self.ses.turned_away += 1;
            return Some(refusal(400, "SendingPausedException", "Email sending is disabled for this account."));
        }
        match chance {
            0..=39 => {
                self.ses.turned_away += 1;
                return Some(refusal(429, "TooManyRequestsException", "Maximum sending rate exceeded."));
            }
            40..=49 => {
                self.ses.turned_away += 1;
                return Some(refusal(400, "MessageRejected", "Email content contains a virus."));
            }
            // A server error, before the mail was taken or after.
            50..=64 => return Some(refusal(500, "InternalServiceErrorException", "try again")),
            _ => {}
        }
        let tag = |tag: &Value| (tag["Name"] == "message_id").then(|| tag["Value"].as_str().unwrap().to_owned());
        let message = body["EmailTags"].as_array().unwrap().iter().find_map(tag).unwrap();
        let to = body["Destination"]["ToAddresses"][0].as_str().unwrap().to_owned();
        let told = self.tell(&message, &to);
        let taken = Taken { to, at: self.time.now(), codes: codes::named(&body["Content"]), told };
        self.ses.taken.entry(message.clone()).or_default().push(taken);
        match chance {
            65..=79 => Some(refusal(500, "InternalServiceErrorException", "try again")),
            80..=99 => None,
            _ => Some((200, None, json!({ "MessageId": format!("ses-{message}") }).to_string())),
        }
    }

    /// Has the events of a mail told: late, more than once, in any order, some not at all.
    fn tell(&mut self, message: &str, to: &str) -> bool {
        let at = self.time.now();
        let mail =
            json!({ "messageId": format!("ses-{message}"), "timestamp": at, "tags": { "message_id": [message] } });
        let recipient = json!([{ "emailAddress": to }]);
        let mut events = vec![json!({ "eventType": "Send", "mail": mail, "send": {} })];
        if to.starts_with("bounces") {
            let bounce = json!({ "bounceType": "Permanent", "bounceSubType": "General",
                "bouncedRecipients": recipient, "timestamp": at });
            events.push(json!({ "eventType": "Bounce", "mail": mail, "bounce": bounce }));
        } else {
            let delivery = json!({ "timestamp": at, "recipients": [to] });
            events.push(json!({ "eventType": "Delivery", "mail": mail, "delivery": delivery }));
        }
        if to.starts_with("complains") {
            let complaint = json!({ "complainedRecipients": recipient, "timestamp": at });
            events.push(json!({ "eventType": "Complaint", "mail": mail, "complaint": complaint }));
        }
        let mut told = false;
        for event in events {
            if self.rng.u8(..100) < self.ses.deaf {
                continue;
            }
            told = true;
            for _ in 0..self.rng.u8(1..=3) {
                let late = if self.rng.u8(..10) == 0 { 600_000 } else { 20_000 };
                let delay = Duration::from_millis(self.rng.u64(50..late));
                self.feedback.put(json!({ "source": "aws.ses", "detail": event }).to_string(), delay);
            }
        }
        told
    }
}

fn account() -> String {
    json!({
        "DedicatedIpAutoWarmupEnabled": false, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": true,
        "SendingEnabled": true,
        "SendQuota": { "Max24HourSend": 50_000.0, "MaxSendRate": 50.0, "SentLast24Hours": 0.0 },
    })
    .to_string()
}
