//! A mail that may be sent: what `SendEmail` asked for, checked by SES's rules.

use std::collections::{BTreeMap, BTreeSet};

use super::address::Address;
use super::error::Refusal;
use super::raw;
use super::request::{Attachment, Pair, SendEmail, Simple};

const MAX_RECIPIENTS: usize = 50;
const MAX_TAGS: usize = 50;
const MAX_TAG_BYTES: usize = 256;
const MAX_HEADERS: usize = 15;
const MAX_HEADER_NAME: usize = 126;
const MAX_HEADER_VALUE: usize = 995;
const MAX_HEADER: usize = 996;
const MAX_MAIL_BYTES: usize = 40 * 1024 * 1024;
const TOO_LONG: &str = "Message length is more than 41943040 bytes long";

/// Headers that SES writes itself. Bcc must not be in a mail at all.
const OWN_HEADERS: [&str; 12] = [
    "bcc",
    "cc",
    "content-disposition",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "reply-to",
    "return-path",
    "subject",
    "to",
];

/// A mail as it will go out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) cc: Vec<Address>,
    pub(super) bcc: Vec<Address>,
    pub(super) reply_to: Vec<Address>,
    pub(super) content: Content,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) configuration_set: Option<String>,
}

/// What is in it.
#[derive(Debug)]
pub(super) enum Content {
    /// Parts, of which the message has yet to be made.
    Parts(Parts),
    /// A message that the caller made.
    Raw(raw::Message),
}

/// Subject, bodies, the caller's headers and attachments.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) subject: String,
    pub(super) html: Option<String>,
    pub(super) text: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) attachments: Vec<Attachment>,
}

impl Outgoing {
    /// Everybody it goes to.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

impl TryFrom<SendEmail> for Outgoing {
    type Error = Refusal;

    fn try_from(request: SendEmail) -> Result<Self, Refusal> {
        let tags = tags(request.email_tags)?;
        let mut from = request.from_email_address;
        let mut destination = request.destination;
        let content = match (request.content.simple, request.content.raw, request.content.template) {
            (Some(simple), None, None) => Content::Parts(parts(simple)?),
            (None, Some(raw), None) => {
                if raw.data.len() > MAX_MAIL_BYTES {
                    return Err(bad(TOO_LONG));
                }
                let message = raw::Message::read(raw.data).ok_or_else(|| bad("Missing header"))?;
                from = from.or_else(|| message.from.clone());
                if destination.to_addresses.is_empty()
                    && destination.cc_addresses.is_empty()
                    && destination.bcc_addresses.is_empty()
                {
                    destination.to_addresses.clone_from(&message.recipients);
                }
                Content::Raw(message)
            }
            (None, None, Some(_)) => return Err(bad("Templates are not kept here")),
            _ => return Err(bad("Content must be one of Simple, Raw and Template")),
        };
        let from = from.ok_or_else(|| bad("FromEmailAddress is missing"))?;
        let outgoing = Self {
            from: Address::parse(&from).map_err(bad)?,
            to: addresses(destination.to_addresses)?,
            cc: addresses(destination.cc_addresses)?,
            bcc: addresses(destination.bcc_addresses)?,
            reply_to: addresses(request.reply_to_addresses)?,
            content,
            tags,
            configuration_set: request.configuration_set_name,
        };
        match outgoing.recipients().count() {
            0 => Err(bad("Destination has no recipients")),
            n if n > MAX_RECIPIENTS => Err(bad("Recipient count exceeds 50")),
            _ => Ok(outgoing),
        }
    }
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal::BadRequest(text.into())
}

fn addresses(written: Vec<String>) -> Result<Vec<Address>, Refusal> {
    let parse = |text: &String| Address::parse(text).map_err(bad);
    written.iter().map(parse).collect()
}

fn parts(simple: Simple) -> Result<Parts, Refusal> {
    let parts = Parts {
        subject: simple.subject.data,
        html: simple.body.html.map(|text| text.data),
        text: simple.body.text.map(|text| text.data),
        headers: headers(simple.headers)?,
        attachments: simple.attachments,
    };
    if parts.html.is_none() && parts.text.is_none() {
        return Err(bad("Body must have Text or Html"));
    }
    for file in &parts.attachments {
        // Not said, it is SEVEN_BIT.
        let encoded = matches!(file.content_transfer_encoding.as_deref(), Some("BASE64" | "QUOTED_PRINTABLE"));
        if !encoded && !file.raw_content.is_ascii() {
            return Err(bad(format!("Attachment {} cannot be sent as 7bit", file.file_name)));
        }
    }
    let bodies = parts.html.iter().chain(&parts.text).map(String::len);
    // In base64, which is the dearest that a part can become.
    let files = parts.attachments.iter().map(|file| file.raw_content.len() / 3 * 4);
    if bodies.sum::<usize>() + files.sum::<usize>() > MAX_MAIL_BYTES {
        return Err(bad(TOO_LONG));
    }
    Ok(parts)
}

fn headers(pairs: Vec<Pair>) -> Result<Vec<(String, String)>, Refusal> {
    if pairs.len() > MAX_HEADERS {
        return Err(bad("At most 15 headers"));
    }
    let mut seen = BTreeSet::new();
    for Pair { name, value } in &pairs {
        let known = name.to_ascii_lowercase();
        if name.is_empty() || name.len() > MAX_HEADER_NAME || !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            return Err(bad(format!("Invalid header name: {name}")));
        }
        if value.len() > MAX_HEADER_VALUE
            || name.len() + value.len() > MAX_HEADER
            || !value.bytes().all(|b| (b' '..=b'~').contains(&b))
        {
            return Err(bad(format!("Invalid value of header {name}")));
        }
        if OWN_HEADERS.contains(&known.as_str()) {
            return Err(bad(format!("Header {name} is not allowed")));
        }
        if !seen.insert(known) {
            return Err(bad(format!("Duplicate header {name}")));
        }
    }
    Ok(pairs.into_iter().map(|h| (h.name, h.value)).collect())
}

fn tags(pairs: Vec<Pair>) -> Result<BTreeMap<String, String>, Refusal> {
    if pairs.len() > MAX_TAGS {
        return Err(bad("At most 50 message tags"));
    }
    let mut tags = BTreeMap::new();
    for Pair { name, value } in pairs {
        let fits = |text: &str| !text.is_empty() && text.len() <= MAX_TAG_BYTES;
        if !fits(&name) || !name.bytes().all(is_tag_byte) {
            return Err(bad(format!(
                "Invalid tag name <{name}>: only alphanumeric ASCII characters, '_', and '-' are allowed."
            )));
        }
        if !fits(&value) || !value.bytes().all(is_tag_byte) {
            return Err(bad(format!(
                "Invalid tag value <{value}>: only alphanumeric ASCII characters, '_', and '-' are allowed."
            )));
        }
        if tags.insert(name.clone(), value).is_some() {
            return Err(bad(format!("Duplicate tag name <{name}>")));
        }
    }
    Ok(tags)
}

fn is_tag_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

#[cfg(test)]
mod tests {
    use super::super::request::{Body, Text};
    use super::*;

    fn pair(name: &str, value: &str) -> Vec<Pair> {
        let (name, value) = (name.to_owned(), value.to_owned());
        vec![Pair { name, value }]
    }

    #[test]
    fn headers_hold_printable_ascii_of_limited_length() {
        let ok = |name: &str, value: &str| headers(pair(name, value)).is_ok();
        assert!(ok("List-Unsubscribe", "<https://example.com/u/1>"));
        assert!(ok("X-A", &"v".repeat(993)) && !ok("X-A", &"v".repeat(994)));
        assert!(ok(&"n".repeat(126), "") && !ok(&"n".repeat(127), ""));
        assert!(!ok("X-A", "a\r\nBcc: b@example.com") && !ok("X-A", "ä"));
        assert!(!ok("X A", "") && !ok("X:A", "") && !ok("", ""));
        assert!(!ok("Subject", "a") && !ok("message-id", "a"));
    }

    #[test]
    fn what_is_attached_is_encoded_unless_it_is_plain() {
        let ok = |content: &[u8], encoding: Option<&str>| {
            let (raw_content, encoding) = (content.to_vec(), encoding.map(str::to_owned));
            let file = Attachment { raw_content, content_transfer_encoding: encoding, ..Attachment::default() };
            let body = Body { text: Some(Text::default()), html: None };
            parts(Simple { body, attachments: vec![file], ..Simple::default() }).is_ok()
        };
        assert!(ok(b"plain", None) && ok(&[0xff], Some("BASE64")));
        assert!(!ok(&[0xff], None) && !ok(&[0xff], Some("SEVEN_BIT")));
    }

    #[test]
    fn tags_hold_the_characters_that_ses_allows() {
        let ok = |name: &str, value: &str| tags(pair(name, value)).is_ok();
        assert!(ok("message-id", "a_B-9") && ok("a", &"v".repeat(256)));
        assert!(!ok("a.b", "v") && !ok("", "v") && !ok("a", "") && !ok("a", "b c"));
        assert!(!ok("a", &"v".repeat(257)));
        let many = |n: u32| tags((0..n).flat_map(|i| pair(&format!("t{i}"), "v")).collect());
        assert!(many(50).is_ok() && many(51).is_err());
    }
}
