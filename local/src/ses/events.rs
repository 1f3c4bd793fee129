//! What happens to a mail, as SES tells it through EventBridge.
//!
//! The shapes are those of "Examples of event data that Amazon SES publishes"
//! and of the EventBridge events reference.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::mail::{Event, Mail};

/// The kinds of event that are made here, in the order of a mail's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EventType {
    Send,
    Reject,
    Delivery,
    Bounce,
    Complaint,
    Open,
    Click,
}

impl EventType {
    const ALL: [Self; 7] =
        [Self::Send, Self::Reject, Self::Delivery, Self::Bounce, Self::Complaint, Self::Open, Self::Click];

    /// Those named by an event destination's `MatchingEventTypes` (`SEND` or `send`).
    /// Names of kinds that never happen here are passed over.
    pub(super) fn named(names: &[String]) -> BTreeSet<Self> {
        let is_named = |kind: &Self| names.iter().any(|n| n.eq_ignore_ascii_case(kind.name()));
        Self::ALL.into_iter().filter(is_named).collect()
    }

    /// As in `detail.eventType`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Send => "Send",
            Self::Reject => "Reject",
            Self::Delivery => "Delivery",
            Self::Bounce => "Bounce",
            Self::Complaint => "Complaint",
            Self::Open => "Open",
            Self::Click => "Click",
        }
    }

    fn detail_type(self) -> &'static str {
        match self {
            Self::Send => "Email Sent",
            Self::Reject => "Email Rejected",
            Self::Delivery => "Email Delivered",
            Self::Bounce => "Email Bounced",
            Self::Complaint => "Email Complaint Received",
            Self::Open => "Email Opened",
            Self::Click => "Email Clicked",
        }
    }
}

/// Something that has happened to a mail, or to one recipient's copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    Send,
    Reject,
    Delivery { to: String },
    Bounce { to: String, why: Bounce },
    Complaint { to: String },
    Open { by: Reader },
    Click { link: String, by: Reader },
}

/// Who opens a mail or follows its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Person,
    /// Something that looks for harmful mail, or fetches what is in it ahead.
    Machine,
}

impl Reader {
    /// Marks an event as a machine's.
    fn mark(self, mut event: Value) -> Value {
        if self == Self::Machine {
            event["isAutomated"] = json!(true);
        }
        event
    }
}

/// Why a mail came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounce {
    /// No such mailbox.
    NoMailbox,
    /// Mailbox full.
    MailboxFull,
    /// It did arrive, and a machine answered it.
    OutOfOffice,
    /// On SES's own list of addresses that bounce.
    Suppressed,
    /// On the account's suppression list.
    OnAccountSuppressionList,
}

impl Bounce {
    /// Type, subtype, SMTP status, what the other side said.
    fn words(self) -> [&'static str; 4] {
        match self {
            Self::NoMailbox => ["Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"],
            Self::MailboxFull => ["Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full"],
            Self::OutOfOffice => ["Transient", "General", "", ""],
            Self::Suppressed => [
                "Permanent",
                "Suppressed",
                "5.1.1",
                "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.",
            ],
            Self::OnAccountSuppressionList => [
                "Permanent",
                "OnAccountSuppressionList",
                "5.1.1",
                "Amazon SES did not send the message to this address because it is on the suppression list for your account.",
            ],
        }
    }
}

impl Happening {
    pub(super) fn event_type(&self) -> EventType {
        match self {
            Self::Send => EventType::Send,
            Self::Reject => EventType::Reject,
            Self::Delivery { .. } => EventType::Delivery,
            Self::Bounce { .. } => EventType::Bounce,
            Self::Complaint { .. } => EventType::Complaint,
            Self::Open { .. } => EventType::Open,
            Self::Click { .. } => EventType::Click,
        }
    }

    /// The event's own object: `bounce`, `delivery`, ….
    pub(super) fn detail(&self, mail: &Mail, at: Timestamp) -> Value {
        let timestamp = format!("{at:.3}");
        let address = "127.0.0.1";
        let agent = "Mozilla/5.0 (local mailbox)";
        match self {
            Self::Send => json!({}),
            Self::Reject => json!({ "reason": "Bad content" }),
            Self::Delivery { to } => json!({
                "timestamp": timestamp,
                "processingTimeMillis": at.duration_since(mail.time).max(SignedDuration::ZERO).as_millis() as i64,
                "recipients": [to],
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": "localhost",
                "remoteMtaIp": address,
            }),
            Self::Bounce { to, why } => {
                let [kind, subtype, status, said] = why.words();
                let mut recipient = json!({ "emailAddress": to });
                if !status.is_empty() {
                    recipient =
                        json!({ "emailAddress": to, "action": "failed", "status": status, "diagnosticCode": said });
                }
                json!({
                    "bounceType": kind,
                    "bounceSubType": subtype,
                    "bouncedRecipients": [recipient],
                    "timestamp": timestamp,
                    "feedbackId": new_id(at),
                    "reportingMTA": "dns; localhost",
                })
            }
            Self::Complaint { to } => json!({
                "complaintSubType": null,
                "complainedRecipients": [{ "emailAddress": to }],
                "timestamp": timestamp,
                "feedbackId": new_id(at),
                "userAgent": "Amazon SES Mailbox Simulator",
                "complaintFeedbackType": "abuse",
                "arrivalDate": timestamp,
            }),
            Self::Open { by } => by.mark(json!({ "ipAddress": address, "timestamp": timestamp, "userAgent": agent })),
            Self::Click { link, by } => by.mark(json!({
                "ipAddress": address,
                "timestamp": timestamp,
                "userAgent": agent,
                "link": link,
                "linkTags": null,
            })),
        }
    }
}

/// An id of the form SES gives to messages and feedback. It begins with the time.
pub(super) fn new_id(at: Timestamp) -> String {
    let millis = at.as_millisecond().max(0);
    format!("0100{millis:012x}-{}-000000", Uuid::new_v4())
}

/// Whose events they are: the parts of an ARN.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) region: String,
    pub(super) account: String,
}

impl Sender {
    /// The whole EventBridge event.
    pub(super) fn envelope(&self, mail: &Mail, set: &str, kind: EventType, event: &Event) -> Value {
        let Self { region, account } = self;
        let arn = format!("arn:aws:ses:{region}:{account}:configuration-set/{set}");
        let mut detail = Map::new();
        detail.insert("eventType".into(), kind.name().into());
        detail.insert("mail".into(), self.mail(mail, set));
        detail.insert(kind.name().to_lowercase(), event.detail.clone());
        json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": kind.detail_type(),
            "source": "aws.ses",
            "account": account,
            "time": format!("{:.0}", event.time),
            "region": region,
            "resources": [arn],
            "detail": detail,
        })
    }

    fn mail(&self, mail: &Mail, set: &str) -> Value {
        let header = |(name, value): &(String, String)| json!({ "name": name, "value": value });
        let headers: Vec<Value> = mail.headers.iter().map(header).collect();
        let to = mail.headers.iter().filter(|(name, _)| name == "To");
        let to: Vec<&str> = to.map(|(_, value)| value.as_str()).collect();
        let domain = mail.from.rsplit('@').next().unwrap_or_default();
        let mut tags = Map::new();
        tags.insert("ses:operation".into(), json!(["SendEmail"]));
        tags.insert("ses:configuration-set".into(), json!([set]));
        tags.insert("ses:source-ip".into(), json!(["127.0.0.1"]));
        tags.insert("ses:from-domain".into(), json!([domain.trim_end_matches('>')]));
        tags.insert("ses:caller-identity".into(), json!(["local"]));
        tags.extend(mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))));
        json!({
            "timestamp": format!("{:.3}", mail.time),
            "source": mail.from,
            "sendingAccountId": self.account,
            "messageId": mail.ses_message_id,
            "destination": mail.to,
            "headersTruncated": false,
            "headers": headers,
            "commonHeaders": {
                "from": [mail.from],
                "to": to,
                "messageId": mail.ses_message_id,
                "subject": mail.subject,
            },
            "tags": tags,
        })
    }
}
