//! Messages that callers make themselves (`Content.Raw`).

use mail_parser::{Address, MessageParser};

/// Headers that SES replaces by its own, or takes out.
const REPLACED: [&str; 4] = ["message-id", "date", "bcc", "return-path"];

/// A message, and what can be read of it.
#[derive(Debug)]
pub(super) struct Message {
    /// As it goes on: without the headers that SES replaces.
    pub(super) bytes: Vec<u8>,
    pub(super) from: Option<String>,
    /// Of the To, Cc and Bcc headers.
    pub(super) recipients: Vec<String>,
    pub(super) subject: String,
    pub(super) html: Option<String>,
    pub(super) text: Option<String>,
    /// The headers that stay, as written.
    pub(super) headers: Vec<(String, String)>,
}

impl Message {
    /// Reads a message; none if it has no headers.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let parsed = MessageParser::default().parse(&bytes)?;
        let addresses = [parsed.to(), parsed.cc(), parsed.bcc()];
        let from = parsed.from().into_iter().flat_map(bare).next();
        let recipients = addresses.into_iter().flatten().flat_map(bare).collect();
        let subject = parsed.subject().unwrap_or_default().to_owned();
        // `body_html` makes HTML of a text when there is none, and the other way round.
        let has_html = parsed.html_part(0).is_some_and(|part| part.is_text_html());
        let has_text = parsed.text_part(0).is_some_and(|part| !part.is_text_html());
        let html = parsed.body_html(0).filter(|_| has_html);
        let text = parsed.body_text(0).filter(|_| has_text);
        let (html, text) = (html.map(Into::into), text.map(Into::into));
        let (headers, body) = split(&bytes);
        let headers: Vec<(String, String)> =
            headers.into_iter().filter(|(name, _)| !REPLACED.contains(&name.to_ascii_lowercase().as_str())).collect();
        let mut kept = Vec::with_capacity(bytes.len());
        for (name, value) in &headers {
            kept.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        kept.extend_from_slice(b"\r\n");
        kept.extend_from_slice(body);
        let unfold = |(name, value): (String, String)| (name, value.replace("\r\n", ""));
        Some(Self {
            bytes: kept,
            from,
            recipients,
            subject,
            html,
            text,
            headers: headers.into_iter().map(unfold).collect(),
        })
    }
}

fn bare(address: &Address<'_>) -> Vec<String> {
    let bare = |a: &mail_parser::Addr<'_>| a.address.as_deref().map(str::to_owned);
    address.iter().filter_map(bare).collect()
}

/// The headers, folded lines still folded (by CRLF), and the body.
fn split(bytes: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |i| i + 1);
        let line = String::from_utf8_lossy(&rest[..end]);
        let line = line.trim_end_matches(['\r', '\n']);
        at += end;
        if line.is_empty() {
            break;
        }
        match (line.starts_with([' ', '\t']), headers.last_mut()) {
            (true, Some((_, value))) => {
                value.push_str("\r\n");
                value.push_str(line);
            }
            _ => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
    }
    (headers, &bytes[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_and_loses_what_ses_writes_itself() {
        let written = "From: Shop <shop@example.com>\nTo: a@example.org,\n b@example.org\n\
            Bcc: c@example.org\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <1@x>\n\
            X-Kind: test\n\nHello\n";
        let message = Message::read(written.as_bytes().to_vec()).unwrap();
        assert_eq!(message.from.as_deref(), Some("shop@example.com"));
        let everybody = ["a@example.org", "b@example.org", "c@example.org"];
        assert_eq!(message.recipients, everybody);
        assert_eq!(message.subject, "Grüße");
        assert_eq!(message.text.as_deref(), Some("Hello\n"));
        assert_eq!(message.html, None);
        let kept = String::from_utf8(message.bytes).unwrap();
        assert!(kept.contains("To: a@example.org,\r\n b@example.org\r\n"));
        assert!(kept.ends_with("X-Kind: test\r\n\r\nHello\n"));
        assert!(!kept.contains("Bcc") && !kept.contains("Message-ID"));
    }

    #[test]
    fn a_message_of_html_alone_has_no_text() {
        let written = "From: a@example.com\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>";
        let message = Message::read(written.as_bytes().to_vec()).unwrap();
        assert_eq!(message.html.as_deref(), Some("<p>Hi</p>"));
        assert_eq!(message.text, None);
    }
}
