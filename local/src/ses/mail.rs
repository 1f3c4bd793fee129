//! A mail of the mailbox, and the MIME message that it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::outgoing::Parts;
use super::request::Attachment;

/// A mail that was taken.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Mail {
    /// Its number in the mailbox, from 1.
    pub n: u64,
    /// The id that `SendEmail` answered.
    pub ses_message_id: String,
    /// When it was taken, by the clock that SES was given.
    pub time: Timestamp,
    /// The From address, with its name.
    pub from: String,
    /// The addresses it went to, without names, whether by To, Cc or Bcc.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The HTML body.
    pub html: Option<String>,
    /// The plain text body.
    pub text: Option<String>,
    /// The message's headers, in order; the subject decoded.
    #[serde(serialize_with = "as_map")]
    pub headers: Vec<(String, String)>,
    /// Message tags.
    pub tags: BTreeMap<String, String>,
    /// The configuration set it was sent with.
    pub configuration_set: Option<String>,
    /// What happened to it so far, oldest first.
    pub events: Vec<Event>,
}

/// Something that happened to a mail.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// As in SES's `eventType`: `Send`, `Delivery`, `Bounce`, `Complaint`,
    /// `Open`, `Click`, `Reject`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened.
    pub time: Timestamp,
    /// Whether the configuration set asks for such events, so that it was handed on.
    pub published: bool,
    /// What SES says of it: the event's `bounce`, `click`, … object.
    pub detail: Value,
}

fn as_map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// The message of a mail that came in parts. The same parts make the same
/// bytes each time: the boundaries come from the mail's own id.
pub(super) fn message(mail_id: &str, headers: &[(String, String)], parts: &Parts) -> Vec<u8> {
    let mut builder = MessageBuilder::new();
    for (name, value) in headers {
        builder = if name == "Subject" {
            builder.header(name.as_str(), Text::new(value.as_str()))
        } else {
            builder.header(name.as_str(), Raw::new(value.as_str()))
        };
    }
    let mut output = Vec::new();
    builder.body(body(mail_id, parts)).serialize(&mut output);
    output
}

fn body<'x>(mail_id: &str, parts: &'x Parts) -> MimePart<'x> {
    let text = |kind, body: &'x str| MimePart::new(kind, BodyPart::Text(body.into()));
    let plain = parts.text.as_deref().map(|body| text("text/plain", body));
    let html = parts.html.as_deref().map(|body| text("text/html", body));
    let content = match (plain, html) {
        (Some(plain), Some(html)) => multipart("alternative", mail_id, vec![plain, html]),
        (plain, html) => plain.or(html).unwrap_or_else(|| text("text/plain", "")),
    };
    let (shown, files): (Vec<_>, Vec<_>) = parts.attachments.iter().partition(|file| file.is_inline());
    let content = beside("related", mail_id, content, &shown);
    beside("mixed", mail_id, content, &files)
}

/// A part and the files that go with it.
fn beside<'x>(kind: &str, mail_id: &str, content: MimePart<'x>, files: &[&'x Attachment]) -> MimePart<'x> {
    if files.is_empty() {
        return content;
    }
    let files = files.iter().map(|file| {
        let disposition = if file.is_inline() { "inline" } else { "attachment" };
        let disposition = ContentType::new(disposition).attribute("filename", file.file_name.as_str());
        let kind = file.content_type.as_deref().unwrap_or("application/octet-stream");
        let part = MimePart::new(kind, BodyPart::Binary(file.raw_content.as_slice().into()));
        let part = part.header("Content-Disposition", disposition);
        file.content_id.iter().fold(part, |part, id| part.cid(id.as_str()))
    });
    multipart(kind, mail_id, std::iter::once(content).chain(files).collect())
}

fn multipart<'x>(kind: &str, mail_id: &str, parts: Vec<MimePart<'x>>) -> MimePart<'x> {
    let boundary = format!("{kind}_{mail_id}");
    let kind = ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary);
    MimePart::new(kind, BodyPart::Multipart(parts))
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn a_message_reads_back_as_what_went_in() {
        let parts = Parts {
            text: Some("Grüße\nan alle".into()),
            html: Some(format!("<p>{}</p>", "lang ".repeat(400))),
            attachments: vec![Attachment {
                file_name: "a.pdf".into(),
                raw_content: vec![0, 1, 2, 255],
                ..Attachment::default()
            }],
            ..Parts::default()
        };
        let url = format!("<https://example.com/u/{}>", "x".repeat(200));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = [
            header("From", "Shop <shop@example.com>"),
            header("To", "a@example.org"),
            header("Subject", "Ihre Bestellung: Größe 42"),
            header("Date", "Sun, 01 Mar 2026 12:00:00 +0000"),
            header("Message-ID", "<1@email.amazonses.com>"),
            header("List-Unsubscribe", &url),
        ];
        let bytes = message("id", &headers, &parts);
        assert_eq!(bytes, message("id", &headers, &parts));
        let read = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(read.subject(), Some("Ihre Bestellung: Größe 42"));
        let body = read.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(body, "Grüße\nan alle");
        assert_eq!(read.body_html(0).unwrap(), parts.html.clone().unwrap());
        assert_eq!(read.attachment(0).unwrap().contents(), [0, 1, 2, 255]);
        let kept = read.header_raw("List-Unsubscribe").unwrap();
        assert_eq!(kept.trim(), url);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.lines().all(|line| line.len() <= 998));
    }
}
