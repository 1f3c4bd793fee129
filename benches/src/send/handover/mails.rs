//! Mails that are finished, each a customer's own.

use crate::order_to_mail::shop::news;
use crate::render::sample;
use serde_json::{Value, json};
use templates::{Content, Source, Template};

/// How many of a kind there are.
pub(super) const DIFFERENT: usize = 50;

/// What the sender has in hand when it calls SES.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) html: String,
    pub(super) text: String,
    /// Where its unsubscribe button leads.
    pub(super) leave: String,
    pub(super) message_id: String,
}

/// What the mailings of this benchmark send.
pub(super) fn newsletters() -> anyhow::Result<Vec<Finished>> {
    let news = news();
    let part = |name: &str| news[name].as_str().unwrap_or_default().to_owned();
    filled(&Content::of(part("subject"), part("html")))
}

/// What `render` renders: an order of ten lines.
pub(super) fn confirmations() -> anyhow::Result<Vec<Finished>> {
    filled(&Content::of(sample::SUBJECT, sample::HTML))
}

fn filled(content: &Content) -> anyhow::Result<Vec<Finished>> {
    let source: Source = content.clone().into();
    let template = Template::compile(&source);
    let template = template.map_err(|problems| anyhow::anyhow!("a mail's template is wrong: {problems:?}"))?;
    (0..DIFFERENT).map(|number| one(&template, number, sample::data())).collect()
}

fn one(template: &Template, number: usize, mut data: Value) -> anyhow::Result<Finished> {
    let message_id = format!("mailing.news.c-{number:08}");
    let leave = format!("https://abcdefghij.execute-api.eu-west-1.amazonaws.com/u/{message_id}/4Zr2vJ0sQhGm3kXyT1bNwA");
    data["customer"]["last_name"] = json!(format!("Number {number}"));
    data["links"]["unsubscribe"] = json!(leave);
    let rendered = template.render(&data)?;
    Ok(Finished {
        to: format!("c-{number}@example.com"),
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text,
        leave,
        message_id,
    })
}
