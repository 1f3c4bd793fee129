use std::collections::HashMap;

use domain::{EmailAddress, MessageId};
use jiff::Timestamp;
use serde::Deserialize;
use store::Evidence;

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
    open: Option<At>,
    click: Option<At>,
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
    /// Addresses to stop writing to, each with why.
    pub(crate) suppress: Vec<(EmailAddress, &'static str)>,
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
        let (evidence, at, suppress) = match event_type.as_str() {
            "Send" if send.is_some() => (Some(Evidence::Accepted), mail.timestamp, Vec::new()),
            "Delivery" => (Some(Evidence::Delivered), happened(delivery, &event_type)?.timestamp, Vec::new()),
            "Open" => (Some(Evidence::Opened), happened(open, &event_type)?.timestamp, Vec::new()),
            "Click" => (Some(Evidence::Clicked), happened(click, &event_type)?.timestamp, Vec::new()),
            "Bounce" => {
                let bounce = happened(bounce, &event_type)?;
                if bounce.bounce_type == "Permanent" {
                    (Some(Evidence::Bounced), bounce.timestamp, addresses(bounce.bounced_recipients, "bounce"))
                } else {
                    (Some(Evidence::SoftBounced), bounce.timestamp, Vec::new())
                }
            }
            "Complaint" => {
                let complaint = happened(complaint, &event_type)?;
                // A recipient who takes a mail out of the spam folder is reported
                // as a complaint too.
                if complaint.complaint_feedback_type.as_deref() == Some("not-spam") {
                    (None, complaint.timestamp, Vec::new())
                } else {
                    (
                        Some(Evidence::Complained),
                        complaint.timestamp,
                        addresses(complaint.complained_recipients, "complaint"),
                    )
                }
            }
            _ => (None, mail.timestamp, Vec::new()),
        };
        let tag = mail.tags.get("message_id").and_then(|values| values.first());
        let message_id = tag.and_then(|id| MessageId::parse(id).ok());
        Ok(Told { message_id, ses_id: mail.message_id, evidence, at, suppress })
    }
}

fn happened<T>(told: Option<T>, event_type: &str) -> anyhow::Result<T> {
    told.ok_or_else(|| anyhow::anyhow!("an event of type {event_type} does not tell what happened"))
}

/// The addresses that can be read; SES may give one in the form that the
/// recipient's server reported.
fn addresses(recipients: Vec<Recipient>, reason: &'static str) -> Vec<(EmailAddress, &'static str)> {
    let plain = |text: &str| text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>')).to_owned();
    recipients
        .into_iter()
        .filter_map(|recipient| Some((EmailAddress::parse(&plain(&recipient.email_address)).ok()?, reason)))
        .collect()
}
