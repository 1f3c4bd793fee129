//! A mail as its recipient's program reads it: taken apart by a parser that has nothing in
//! common with what wrote it, and held to the rules by which every mail server goes.

use std::fmt::Write as _;

use local::ses::Mail;
use mailparse::{DispositionType, MailHeader, MailHeaderMap, ParsedMail};

use crate::support::Shop;

/// The headers of a mail of ours, each there once, and no other.
const HEADERS: [&str; 9] = [
    "Content-Type",
    "Date",
    "From",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
];

/// The most bytes of a line (RFC 5322, 2.1.1).
const LONGEST_LINE: usize = 998;

/// A mail that was read.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The name and the address that it is from.
    pub(crate) from: (String, String),
    /// The address that it is to.
    pub(crate) to: String,
    pub(crate) subject: String,
    /// Where one click leaves.
    pub(crate) leave: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// Its parts, each further in than what holds it.
    pub(crate) outline: String,
    /// What comes along.
    pub(crate) files: Vec<Enclosed>,
}

/// A file that came along.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enclosed {
    pub(crate) name: String,
    pub(crate) media_type: String,
    /// What the HTML calls it, of one that is shown in the mail.
    pub(crate) content_id: Option<String>,
    pub(crate) content: Vec<u8>,
}

impl Letter {
    /// What a mail of the mailbox is, as it went out: sound, and what it was made of.
    pub(crate) fn of(shop: &Shop, mail: &Mail) -> Self {
        let bytes = shop.bundle.ses().eml(mail.n).unwrap().unwrap();
        check_bytes(&bytes);
        let parsed = mailparse::parse_mail(&bytes).unwrap();
        let mut names: Vec<String> = parsed.headers.iter().map(MailHeader::get_key).collect();
        names.sort();
        assert_eq!(names, HEADERS);
        let value = |name: &str| parsed.headers.get_first_value(name).unwrap();
        mailparse::dateparse(&value("Date")).unwrap();
        assert_eq!((value("MIME-Version").as_str(), value("Message-ID").matches('@').count()), ("1.0", 1));
        assert_eq!(value("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let mut letter = Self {
            from: address(&parsed, "From"),
            to: address(&parsed, "To").1,
            subject: value("Subject"),
            leave: value("List-Unsubscribe").trim_start_matches('<').trim_end_matches('>').to_owned(),
            text: String::new(),
            html: String::new(),
            outline: String::new(),
            files: Vec::new(),
        };
        letter.take(&parsed, 0);
        assert_eq!(mail.to, [letter.to.as_str()]);
        assert_eq!(letter.subject, mail.subject);
        assert_eq!(letter.text, lines(mail.text.as_deref().unwrap()));
        assert_eq!(letter.html, lines(mail.html.as_deref().unwrap()));
        letter
    }

    fn take(&mut self, part: &ParsedMail<'_>, depth: usize) {
        let charset = part.ctype.params.get("charset").map(|charset| format!("; charset={charset}"));
        let kind = part.ctype.mimetype.as_str();
        writeln!(self.outline, "{}{kind}{}", "  ".repeat(depth), charset.unwrap_or_default()).unwrap();
        for inner in &part.subparts {
            self.take(inner, depth + 1);
        }
        if !part.subparts.is_empty() {
            return;
        }
        let disposition = part.get_content_disposition();
        let content = part.get_body_raw().unwrap();
        // A text without a disposition of its own is the body.
        let is_body = part.headers.get_first_header("Content-Disposition").is_none();
        match kind {
            "text/plain" if is_body => self.text = lines(&String::from_utf8(content).unwrap()),
            "text/html" if is_body => self.html = lines(&String::from_utf8(content).unwrap()),
            _ => {
                let id = part.headers.get_first_value("Content-ID");
                let id = id.map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned());
                assert_eq!(disposition.disposition == DispositionType::Inline, id.is_some());
                let name = disposition.params.get("filename").cloned().unwrap_or_default();
                self.files.push(Enclosed { name, media_type: kind.to_owned(), content_id: id, content });
            }
        }
    }

    /// All of it, the same each time: without what is another one in each run.
    pub(crate) fn shown(&self) -> String {
        let (name, address) = &self.from;
        let html = self.html.replace(&self.leave, "LEAVE");
        let text = self.text.replace(&self.leave, "LEAVE");
        format!(
            "From: {name} <{address}>\nTo: {}\nSubject: {}\n\n{}\n== text ==\n{text}\n\n== html ==\n{html}",
            self.to, self.subject, self.outline
        )
    }
}

/// Whether nothing on the way may take offence at it: lines that end as they should and are not
/// too long, and 7-bit characters alone.
fn check_bytes(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_ascii() && !text.contains('\0'));
    assert!(text.split("\r\n").all(|line| line.len() <= LONGEST_LINE && !line.contains(['\r', '\n'])));
}

/// The one address of a header, and its name.
fn address(parsed: &ParsedMail<'_>, header: &str) -> (String, String) {
    let header = parsed.headers.get_first_header(header).unwrap();
    let one = mailparse::addrparse_header(header).unwrap().extract_single_info().unwrap();
    (one.display_name.unwrap_or_default(), one.addr)
}

/// A text whose lines end as here, and without breaks at its end: that is the mail's affair.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}
