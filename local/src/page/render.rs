//! Templates, and how values look in them. Everything is escaped.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use handlebars::{Handlebars, handlebars_helper};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

const TEMPLATES: [(&str, &str); 7] = [
    ("layout", include_str!("templates/layout.hbs")),
    ("overview", include_str!("templates/overview.hbs")),
    ("mails", include_str!("templates/mails.hbs")),
    ("mailbox", include_str!("templates/mailbox.hbs")),
    ("mail", include_str!("templates/mail.hbs")),
    ("logs", include_str!("templates/logs.hbs")),
    ("failure", include_str!("templates/failure.hbs")),
];

handlebars_helper!(number: |n: u64| grouped(n));
handlebars_helper!(megabytes: |n: u64| format!("{:.1} MB", n as f64 / 1_000_000.0));
handlebars_helper!(halved: |n: f64| halves(n));
handlebars_helper!(moment: |t: Value| t.as_str().map(in_words).unwrap_or_default());
handlebars_helper!(pretty: |v: Value| serde_json::to_string_pretty(&v).unwrap_or_default());

/// The page's templates.
#[derive(Debug)]
pub(super) struct Templates(Handlebars<'static>);

impl Templates {
    /// # Errors
    /// If a template can't be read, which a test rules out.
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        for (name, template) in TEMPLATES {
            handlebars.register_template_string(name, template)?;
        }
        handlebars.register_helper("number", Box::new(number));
        handlebars.register_helper("megabytes", Box::new(megabytes));
        handlebars.register_helper("halved", Box::new(halved));
        handlebars.register_helper("moment", Box::new(moment));
        handlebars.register_helper("pretty", Box::new(pretty));
        Ok(Self(handlebars))
    }

    pub(super) fn page(&self, template: &str, data: &impl Serialize) -> Response {
        match self.0.render(template, data) {
            Ok(html) => Html(html).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// `1234567` as `1 234 567`, with narrow spaces that do not break.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Request units come in halves.
fn halves(n: f64) -> String {
    let half = if n.fract() >= 0.5 { "½" } else { "" };
    match n as u64 {
        0 if !half.is_empty() => half.to_owned(),
        whole => format!("{}{half}", grouped(whole)),
    }
}

/// An instant as a person reads it, in UTC.
fn in_words(instant: &str) -> String {
    let Ok(instant) = instant.parse::<Timestamp>() else {
        return instant.to_owned();
    };
    instant.strftime("%a %-d %b %Y, %H:%M:%S").to_string()
}

/// How far a moved clock is from the system's: `1 day 2 h ahead`.
pub(super) fn offset(ms: i64) -> Option<String> {
    let minutes = ms.unsigned_abs() / 60_000;
    let units = [
        (minutes / 1440, if minutes / 1440 == 1 { "day" } else { "days" }),
        (minutes / 60 % 24, "h"),
        (minutes % 60, "min"),
    ];
    let said: Vec<String> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    let way = if ms < 0 { "behind" } else { "ahead" };
    (!said.is_empty()).then(|| format!("{} {way}", said.join(" ")))
}

/// A header with encoded words (`=?utf-8?q?…?=`) as it is meant.
pub(super) fn decoded(header: &str) -> String {
    let message = format!("Subject: {header}\r\n\r\n");
    let parsed = mail_parser::MessageParser::default().parse(&message);
    let subject = parsed.as_ref().and_then(|message| message.subject());
    subject.unwrap_or(header).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_times_and_names_read_well() {
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!([0.0, 0.5, 1234.5].map(halves), ["0", "½", "1\u{202f}234½"]);
        assert_eq!(in_words("2026-03-01T12:00:05.1Z"), "Sun 1 Mar 2026, 12:00:05");
        assert_eq!(offset(86_400_000 + 7_200_000).unwrap(), "1 day 2 h ahead");
        assert_eq!(offset(-60_000).unwrap(), "1 min behind");
        assert_eq!(offset(900), None);
        let name = "=?utf-8?q?M=C3=BCller?= <a@example.com>";
        assert_eq!(decoded(name), "Müller <a@example.com>");
        assert_eq!(decoded("Jo <jo@example.org>"), "Jo <jo@example.org>");
    }
}
