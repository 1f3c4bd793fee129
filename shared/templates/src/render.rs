//! From a template and the data to a message.

use serde_json::Value;

use crate::{
    Part, Place, Template,
    compile::{self, Compiled, Variant},
    helpers::{self, Language},
    plain,
    run::Stop,
};

/// The most bytes a subject may be when rendered; a header line of mail holds no more
/// (RFC 5322, 2.1.1).
const SUBJECT_LIMIT: usize = 998;

/// The most bytes a body may be when rendered: two of them, encoded, are well within the
/// 40 MB that SES takes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The most bytes of HTML that Gmail shows.
const GMAIL_LIMIT: usize = 102 * 1024;

/// A message, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters, 1 to 998 bytes.
    pub subject: String,
    /// At most 10 MiB and the preheader.
    pub html: String,
    /// At most 10 MiB.
    pub text: String,
    /// In which of the template's languages it is; none if the template does not say.
    pub language: Option<String>,
}

impl Rendered {
    /// Whether Gmail cuts the HTML off: from 102 KB on.
    #[must_use]
    pub fn is_clipped_by_gmail(&self) -> bool {
        self.html.len() > GMAIL_LIMIT
    }
}

/// Why there is no message. Lines and columns are those of the part's source, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRendered {
    /// The data has nothing for something that is printed.
    #[error("{place}: there is no {path}")]
    Missing {
        /// Where it is printed.
        place: Place,
        /// The path as the template writes it; inside `{{#each}}` it is relative.
        path: String,
    },
    /// The template itself stopped the message.
    #[error("blocked by the template: {reason}")]
    Blocked {
        /// What the template says, at most 200 characters.
        reason: String,
    },
    /// There is no promo code for it: [`Template::promo_groups`] says which it wants.
    #[error("{place}: there is no promo code of the group {group}")]
    NoPromoCode {
        /// Where it is printed.
        place: Place,
        /// The group.
        group: String,
    },
    /// The data is there but is not what the template takes it for.
    #[error("{place}: {message}")]
    Failed {
        /// Where.
        place: Place,
        /// What is wrong; never more of the data than the value in question.
        message: String,
    },
    /// A body comes to more than a mail may be.
    #[error("{part} comes to more than {BODY_LIMIT} bytes")]
    TooLarge {
        /// The part.
        part: Part,
    },
}

impl Template {
    /// Renders all parts, in the language that `customer.language` of the data asks for: of
    /// `lv-LV`, what is written in that, else in `lv`, else the base.
    ///
    /// # Errors
    /// No part is rendered without the others: the first thing missing or failing
    /// in subject, preheader, HTML, text (in this order) stops the message. A block wins over
    /// these when it is in another part, for then the message was not wanted anyway; in the
    /// same part, what comes first counts.
    pub fn render(&self, data: &Value) -> Result<Rendered, NotRendered> {
        let wanted = data.pointer("/customer/language").and_then(Value::as_str);
        self.variant(wanted).render(data)
    }

    /// The variant for who reads this language.
    fn variant(&self, wanted: Option<&str>) -> &Variant {
        let wanted = wanted.filter(|_| !self.translations.is_empty()).map(compile::key).unwrap_or_default();
        let own = self.base.language.as_deref().map(compile::key);
        let mut range = wanted.as_str();
        while !range.is_empty() {
            if let Some(translation) = self.translations.get(range) {
                return translation;
            }
            if own.as_deref() == Some(range) {
                break;
            }
            range = range.rsplit_once('-').map_or("", |(general, _)| general);
        }
        &self.base
    }
}

impl Variant {
    fn render(&self, data: &Value) -> Result<Rendered, NotRendered> {
        let reader = data.pointer("/customer/language").and_then(Value::as_str);
        let language = self.language.as_deref().and_then(|own| helpers::of_mail(own, reader));
        let mut failure = None;
        let mut parts = [const { String::new() }; 4];
        let templates = [
            (Part::Subject, Some(&self.subject)),
            (Part::Preheader, self.preheader.as_ref()),
            (self.body, Some(&self.html)),
            (Part::Text, Some(&self.text)),
        ];
        for (rendered, (part, compiled)) in parts.iter_mut().zip(templates) {
            let Some(compiled) = compiled else { continue };
            match render_part(part, compiled, data, language) {
                Ok(text) => *rendered = text,
                Err(blocked @ NotRendered::Blocked { .. }) => return Err(blocked),
                Err(other) => failure = failure.or_else(|| Some(self.located(other, compiled))),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let [subject, preheader, html, text] = parts;
        let [html, text] = [html, if self.text_is_derived { plain::tidied(&text) } else { text }].map(without_nul);
        self.says_something(&html, &text)?;
        let language = self.language.clone();
        Ok(Rendered {
            subject: checked_subject(&subject).map_err(|error| self.located(error, &self.subject))?,
            html: if preheader.is_empty() { html } else { with_preheader(&html, &one_line(&preheader)) },
            text,
            language,
        })
    }

    /// That there is something to read, or at least to look at: a mail that came to nothing is
    /// none.
    fn says_something(&self, html: &str, text: &str) -> Result<(), NotRendered> {
        let empty = |part, compiled| {
            let place = Place::of(part, 1, 1);
            Err(self.located(NotRendered::Failed { place, message: "is empty".to_owned() }, compiled))
        };
        if html.trim().is_empty() {
            return empty(self.body, &self.html);
        }
        if !text.trim().is_empty() {
            Ok(())
        } else if !self.text_is_derived {
            empty(Part::Text, &self.text)
        } else if has_picture(html) {
            Ok(())
        } else {
            empty(self.body, &self.html)
        }
    }

    /// The same, at the place where its author wrote it.
    fn located(&self, mut error: NotRendered, compiled: &Compiled) -> NotRendered {
        if let NotRendered::Missing { place, .. }
        | NotRendered::Failed { place, .. }
        | NotRendered::NoPromoCode { place, .. } = &mut error
        {
            let (partial, line, column) = compiled.places.spot(place.line, place.column);
            let partial = partial.map(str::to_owned);
            *place = Place { language: self.language.clone(), partial, line, column, ..*place };
        }
        error
    }
}

fn render_part(
    part: Part,
    compiled: &Compiled,
    data: &Value,
    language: Option<&'static Language>,
) -> Result<String, NotRendered> {
    let html = matches!(part, Part::Html | Part::Mjml | Part::Preheader);
    compiled.program.run(data, language, html, BODY_LIMIT).map_err(|(stop, (line, column))| {
        let place = Place::of(part, line, column);
        match stop {
            Stop::Missing(path) => NotRendered::Missing { place, path },
            Stop::Failed(message) => NotRendered::Failed { place, message },
            Stop::Blocked(reason) => NotRendered::Blocked { reason },
            Stop::NoCode(group) => NotRendered::NoPromoCode { place, group },
            Stop::TooLarge => NotRendered::TooLarge { part },
        }
    })
}

fn checked_subject(rendered: &str) -> Result<String, NotRendered> {
    let subject = without_encoded_words(one_line(rendered));
    let failed = |message: String| NotRendered::Failed { place: Place::of(Part::Subject, 1, 1), message };
    match subject.len() {
        0 => Err(failed("is empty".to_owned())),
        1..=SUBJECT_LIMIT => Ok(subject),
        length => Err(failed(format!("comes to {length} bytes; at most {SUBJECT_LIMIT} are allowed"))),
    }
}

/// One line: a run of blanks, breaks and control characters becomes one space, so that no
/// value can add a header to the mail.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || c.is_whitespace() && c != '\u{a0}';
    let mut line = String::with_capacity(text.len());
    for word in text.split(breaks).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// The same where nothing looks like an encoded word (RFC 2047): SES hands on plain ASCII as it
/// is, and whoever reads the mail would decode it into what nobody has looked at.
fn without_encoded_words(line: String) -> String {
    let looks = line.find("=?").is_some_and(|start| line[start + 2..].contains("?="));
    if looks { line.replace("=?", "=\u{2060}?") } else { line }
}

/// The same without the NULs that a value may have: some mail programs end a text there. It is
/// what a browser makes of them.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// Whether HTML shows a picture, be it as a background.
fn has_picture(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    // A style sheet is none, and a font is none, though they are at addresses too.
    let is_background = |style: &str| style.trim_start().starts_with("background") && style.contains("url(");
    html.contains("<img") || html.contains(" background=") || html.split(['"', '\'', '=', '{', ';']).any(is_background)
}

/// The preheader goes first in the body, since inboxes show the first text they find.
fn with_preheader(html: &str, preheader: &str) -> String {
    let at = body_start(html).unwrap_or(0);
    format!(
        "{}<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">{preheader}</div>{}",
        &html[..at],
        &html[at..]
    )
}

/// The offset after the `<body …>` tag. Values cannot add one: they are escaped.
fn body_start(html: &str) -> Option<usize> {
    let bytes = html.as_bytes();
    let start = bytes.windows(6).position(|window| {
        window[..5].eq_ignore_ascii_case(b"<body") && (window[5] == b'>' || window[5].is_ascii_whitespace())
    })?;
    let mut quote = None;
    for (offset, &byte) in bytes.iter().enumerate().skip(start) {
        match (quote, byte) {
            (None, b'>') => return Some(offset + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}
