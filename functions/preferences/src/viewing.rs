//! The mail itself, as a page for whoever cannot see it well in their mail program.
//!
//! What was sent is not kept. The mail is made once more, by the same version of its
//! template, of what is known now: what changed since shows as it is now, and what is gone
//! cannot be shown.

use contracts::link::Link;
use domain::message::State;
use jiff::SignedDuration;
use lambda::http::{Failure, Request, Response};
use serde_json::json;

use crate::{Preferences, token};

/// How long after it was sent a mail is shown: whoever it is passed on to sees what is known of
/// the customer by then, and so not for ever.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(60 * 24);

/// The largest mail that is shown, in bytes: a function's answer may have 6 MB, as JSON. Of its
/// pictures those are shown that fit.
const MOST_SHOWN: usize = 4 * 1024 * 1024;

/// What a mail may do as a page: have pictures, styles and fonts, and lead elsewhere.
const POLICY: &str = "default-src 'none'; img-src https: data:; style-src 'unsafe-inline' https:; font-src https:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox";

impl Preferences {
    /// Shows the mail that a link came with. Nothing is written.
    pub(crate) async fn view(&self, request: &Request) -> Result<Response, Failure> {
        let Some(message_id) = self.signed(Link::View, &token(request)?).await? else { return self.unknown().await };
        let Some(entry) = self.messages.get(&message_id).await? else { return self.gone().await };
        if entry.message.origin.is_test() {
            return self.nobody(&message_id).await;
        }
        let now = self.clock.now();
        let sent_at = entry.settled_at.filter(|_| entry.state == State::Sent && !entry.scrubbed);
        let Some(sent_at) = sent_at.filter(|at| now.duration_since(*at) <= GOOD_FOR) else { return self.gone().await };
        let mail = self.composer.once_more(&entry.message, sent_at, now, MOST_SHOWN).await?;
        let Some(mail) = mail.filter(|mail| mail.html.len() <= MOST_SHOWN) else { return self.gone().await };
        let page = Response::html(200, mail.html)
            .with_header("content-security-policy", POLICY)
            .with_header("referrer-policy", "no-referrer")
            .with_header("x-content-type-options", "nosniff")
            .with_header("x-robots-tag", "noindex, nofollow");
        Ok(match mail.language {
            Some(language) => page.with_header("content-language", language),
            None => page,
        })
    }

    /// What is shown where there is no mail to show any more, whatever the reason.
    async fn gone(&self) -> Result<Response, Failure> {
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        Ok(self.pages.view(&dictionary, None).page(410, json!({ "gone": true }))?)
    }
}
