use std::collections::HashMap;

use domain::{EmailAddress, MessageId, SuppressedFor};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Evidence;

use crate::happened::Happened;

/// An event of SES's, in EventBridge's envelope.
///
/// The shape is that of the "Amazon SES event data" that EventBridge publishes
/// from source `aws.ses`.
#[derive(Debug, Deserialize)]
pub(crate) struct SesEvent {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    mail: Mail,
    send: Option<serde_json::Value>,
    delivery: Option<At>,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    open: Option<Seen>,
    click: Option<Seen>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    timestamp: Timestamp,
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct At {
    timestamp: Timestamp,
}

/// That a mail was opened, or a link in it followed.
#[derive(Debug, Deserialize)]
struct Seen {
    timestamp: Timestamp,
    link: Option<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Seen {
    /// Whether SES says that it was no person: something that looks for harmful mail, or
    /// fetches what is in a mail ahead. It says so since August 2026. By whatever name it
    /// does, a mark of this meaning counts: what is taken for a person's by mistake sets
    /// campaigns off.
    fn by_machine(&self) -> bool {
        const MARKS: [&str; 3] = ["automated", "machine", "bot"];
        self.more.iter().any(|(name, value)| match value {
            Value::Bool(is_so) => *is_so && MARKS.iter().any(|mark| name.to_lowercase().contains(mark)),
            Value::String(word) => MARKS.iter().any(|mark| word.eq_ignore_ascii_case(mark)),
            _ => false,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounced_recipients: Vec<Recipient>,
    timestamp: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
    complaint_feedback_type: Option<String>,
    timestamp: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

/// What an event tells us.
#[derive(Debug)]
pub(crate) struct Told {
    /// Which of our messages it is about, if it is one of ours.
    pub(crate) message_id: Option<MessageId>,
    /// SES's own id for it.
    pub(crate) ses_id: String,
    /// What happened to it.
    pub(crate) evidence: Option<Evidence>,
    /// When.
    pub(crate) at: Timestamp,
    /// When SES took the mail.
    pub(crate) sent: Timestamp,
    /// Addresses to stop writing to, each with why.
    pub(crate) suppress: Vec<(EmailAddress, SuppressedFor)>,
    /// Addresses that the mail did not reach for now.
    pub(crate) soft: Vec<EmailAddress>,
    /// What of it is an event of the customer's.
    pub(crate) happened: Option<Happened>,
}

impl SesEvent {
    /// What it is about: a mail, by our own id if it is one of ours, else by SES's.
    pub(crate) fn about(&self) -> String {
        let ours = self.detail.mail.tags.get("message_id").and_then(|values| values.first());
        ours.unwrap_or(&self.detail.mail.message_id).clone()
    }

    /// Takes out what we go by. An event of a kind that we have no use for tells
    /// nothing.
    pub(crate) fn read(self) -> anyhow::Result<Told> {
        let Detail { event_type, mail, send, delivery, bounce, complaint, open, click } = self.detail;
        let tag = mail.tags.get("message_id").and_then(|values| values.first());
        let mut told = Told {
            message_id: tag.and_then(|id| MessageId::parse(id).ok()),
            ses_id: mail.message_id,
            evidence: None,
            at: mail.timestamp,
            sent: mail.timestamp,
            suppress: Vec::new(),
            soft: Vec::new(),
            happened: None,
        };
        let mut tells = |evidence, at, event: Option<&'static str>, link| {
            (told.evidence, told.at) = (Some(evidence), at);
            told.happened = event.map(|name| Happened { name, at, link });
        };
        match event_type.as_str() {
            "Send" if send.is_some() => tells(Evidence::Accepted, mail.timestamp, None, None),
            // Of this no time is told. The mail itself is at fault, and no address is.
            "Reject" => tells(Evidence::Rejected, mail.timestamp, None, None),
            "Delivery" => tells(Evidence::Delivered, happened(delivery, &event_type)?.timestamp, None, None),
            "Open" => {
                let open = happened(open, &event_type)?;
                match open.by_machine() {
                    true => tells(Evidence::MachineOpened, open.timestamp, None, None),
                    false => tells(Evidence::Opened, open.timestamp, Some("message_opened"), None),
                }
            }
            "Click" => {
                let click = happened(click, &event_type)?;
                match click.by_machine() {
                    true => tells(Evidence::MachineClicked, click.timestamp, None, None),
                    false => tells(Evidence::Clicked, click.timestamp, Some("message_clicked"), click.link),
                }
            }
            "Bounce" => {
                let bounce = happened(bounce, &event_type)?;
                let recipients = addresses(bounce.bounced_recipients);
                if bounce.bounce_type == "Permanent" {
                    tells(Evidence::Bounced, bounce.timestamp, Some("message_bounced"), None);
                    told.suppress = recipients.map(|address| (address, SuppressedFor::Bounce)).collect();
                } else {
                    tells(Evidence::SoftBounced, bounce.timestamp, None, None);
                    told.soft = recipients.collect();
                }
            }
            "Complaint" => {
                let complaint = happened(complaint, &event_type)?;
                // A recipient who takes a mail out of the spam folder is reported
                // as a complaint too.
                if complaint.complaint_feedback_type.as_deref() != Some("not-spam") {
                    tells(Evidence::Complained, complaint.timestamp, Some("message_complained"), None);
                    let recipients = addresses(complaint.complained_recipients);
                    told.suppress = recipients.map(|address| (address, SuppressedFor::Complaint)).collect();
                }
            }
            _ => {}
        }
        Ok(told)
    }
}

fn happened<T>(told: Option<T>, event_type: &str) -> anyhow::Result<T> {
    told.ok_or_else(|| anyhow::anyhow!("an event of type {event_type} does not tell what happened"))
}

/// The addresses that can be read; SES may give one in the form that the
/// recipient's server reported.
fn addresses(recipients: Vec<Recipient>) -> impl Iterator<Item = EmailAddress> {
    let plain = |text: &str| text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>')).to_owned();
    recipients.into_iter().filter_map(move |recipient| EmailAddress::parse(&plain(&recipient.email_address)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evidence(kind: &str, of: Value) -> Option<Evidence> {
        let mail = json!({ "messageId": "1", "timestamp": "2026-11-23T10:00:00Z" });
        let mut of = of;
        of["timestamp"] = json!("2026-11-23T11:00:00Z");
        let detail = json!({ "eventType": kind, "mail": mail, kind.to_lowercase(): of });
        let event: SesEvent = serde_json::from_value(json!({ "detail": detail })).unwrap();
        let told = event.read().unwrap();
        assert_eq!(told.happened.is_some(), matches!(told.evidence, Some(Evidence::Opened | Evidence::Clicked)));
        told.evidence
    }

    #[test]
    fn what_a_machine_opens_or_follows_is_told_apart() {
        let agent = "Mozilla/5.0 (compatible; robot)";
        let person = json!({ "ipAddress": "198.51.100.7", "userAgent": agent, "linkTags": null, "isBot": false });
        assert_eq!(evidence("Open", person.clone()), Some(Evidence::Opened));
        assert_eq!(evidence("Click", person), Some(Evidence::Clicked));
        for mark in [json!({ "isAutomated": true }), json!({ "machineGenerated": true }), json!({ "type": "BOT" })] {
            assert_eq!(evidence("Open", mark.clone()), Some(Evidence::MachineOpened), "{mark}");
            assert_eq!(evidence("Click", mark.clone()), Some(Evidence::MachineClicked), "{mark}");
        }
    }
}
