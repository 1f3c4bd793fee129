//! The mailbox as pages.

use axum::extract::{Form, Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessageParser, MimeHeaders as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::render::decoded;
use super::{Failure, Page};
use crate::ses::{Find, Kind, Mail};

/// Mails on one page of the list.
const PER_PAGE: u64 = 50;
/// Characters of a message's source that are shown.
const SOURCE: usize = 200_000;

/// What a list shows of a mail.
#[derive(Serialize)]
pub(super) struct Line {
    n: u64,
    time: String,
    to: Vec<String>,
    subject: String,
    events: Vec<String>,
}

/// Lines of a list, newest first.
pub(super) fn rows(mails: Vec<Mail>) -> Vec<Line> {
    let line = |mail: Mail| Line {
        n: mail.n,
        time: mail.time.to_string(),
        to: mail.to,
        subject: mail.subject,
        // That a mail was sent is said by its being in the list.
        events: mail.events.into_iter().map(|event| event.event_type).filter(|kind| kind != "Send").collect(),
    };
    mails.into_iter().rev().map(line).collect()
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: u64,
}

pub(super) async fn list(State(page): State<Page>, Query(search): Query<Search>) -> Result<Response, Failure> {
    let text = Some(search.q.trim().to_owned()).filter(|q| !q.is_empty());
    let searching = text.is_some();
    let find = Find {
        to: None,
        text,
        skip: search.page.saturating_mul(PER_PAGE),
        // One more tells whether there is a next page.
        limit: Some(PER_PAGE + 1),
    };
    let mut mails = rows(page.ses.mails(&find)?);
    let more = mails.len() as u64 > PER_PAGE;
    mails.truncate(PER_PAGE as usize);
    let data = json!({
        "title": "Mailbox",
        "overview": false,
        "mailbox": true,
        "live": search.page == 0,
        "q": search.q,
        "searching": searching,
        "count": page.ses.sent_count(),
        "newer": (search.page > 0).then(|| (search.page - 1).to_string()),
        "older": more.then(|| search.page + 1),
        "mails": mails,
    });
    Ok(page.templates.page("mailbox", &data))
}

/// `/mailbox/7`, `/mailbox/7.eml` or `/mailbox/7.json`.
pub(super) async fn show(State(page): State<Page>, Path(name): Path<String>) -> Result<Response, Failure> {
    let (n, form) = name.split_once('.').unwrap_or((&name, ""));
    let n: u64 = n.parse().map_err(|_| Failure::NotFound)?;
    let mail = || page.ses.mail(n)?.ok_or(Failure::NotFound);
    match form {
        "eml" => {
            let message = page.ses.eml(n)?.ok_or(Failure::NotFound)?;
            Ok(([(header::CONTENT_TYPE, "message/rfc822")], message).into_response())
        }
        "json" => Ok(axum::Json(mail()?).into_response()),
        "" => one(&page, mail()?),
        _ => Err(Failure::NotFound),
    }
}

fn one(page: &Page, mail: Mail) -> Result<Response, Failure> {
    let n = mail.n;
    let source = page.ses.eml(n)?.unwrap_or_default();
    let files = files(&source);
    let source = String::from_utf8_lossy(&source);
    let count = page.ses.sent_count();
    let to = mail.headers.iter().find(|(name, _)| name == "To");
    let data = json!({
        "title": if mail.subject.is_empty() { "(no subject)" } else { &mail.subject },
        "overview": false,
        "mailbox": true,
        "from": decoded(&mail.from),
        "to": to.map_or_else(|| mail.to.join(", "), |(_, to)| decoded(to)),
        "tags": mail.tags.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "headers": mail.headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        // Links open beside the page, not in the frame.
        "frame": mail.html.as_ref().map(|html| format!("<base target=\"_blank\">{}", with_pictures(html, &files))),
        "files": files,
        "source": source.chars().take(SOURCE).collect::<String>(),
        "older": (n > 1).then(|| n - 1),
        "newer": (n < count).then(|| n + 1),
        "mail": mail,
    });
    Ok(page.templates.page("mail", &data))
}

/// A file that came along with a mail.
#[derive(Serialize)]
struct File {
    name: String,
    kind: String,
    bytes: usize,
    /// What the HTML calls it, and what a page shows in its place.
    #[serde(skip)]
    shown: Option<(String, String)>,
}

fn files(message: &[u8]) -> Vec<File> {
    let parsed = MessageParser::default().parse(message);
    let parts = parsed.iter().flat_map(|message| &message.parts);
    let file = |part: &mail_parser::MessagePart<'_>| {
        let name = part.attachment_name()?.to_owned();
        let kind = part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()));
        let (kind, content) = (kind.unwrap_or_default(), part.contents());
        let data = || format!("data:{kind};base64,{}", STANDARD.encode(content));
        let shown = part.content_id().map(|id| (format!("cid:{id}"), data()));
        Some(File { name, bytes: content.len(), shown, kind })
    };
    parts.filter_map(file).collect()
}

/// HTML with the pictures in it that came along.
fn with_pictures(html: &str, files: &[File]) -> String {
    let pictures = files.iter().filter_map(|file| file.shown.as_ref());
    pictures.fold(html.to_owned(), |html, (id, data)| {
        ['"', '\'', ')'].iter().fold(html, |html, end| html.replace(&format!("{id}{end}"), &format!("{data}{end}")))
    })
}

#[derive(Deserialize)]
pub(super) struct Pretend {
    kind: Kind,
}

pub(super) async fn pretend(
    State(page): State<Page>,
    Path(n): Path<u64>,
    Form(form): Form<Pretend>,
) -> Result<Redirect, Failure> {
    page.ses.inject(n, form.kind, 1)?;
    Ok(Redirect::to(&format!("/mailbox/{n}#events")))
}
