use campaigns::{Mailing, MailingProgress, Stage};
use domain::{CustomerId, MailingId, Message, MessageId};
use lambda::http::Failure;
use serde_json::{Value, json};
use store::{AudiencePage, Entry, Kind};

use super::{Asked, Because};
use crate::{Manage, not_found};

impl Manage {
    /// Why a customer got a mailing or did not, and the messages of it to them.
    pub(super) async fn why_mailing(&self, id: &MailingId, asked: &Asked) -> Result<(Because, Vec<Entry>), Failure> {
        let known = self.definitions.get::<Mailing>(Kind::Mailing, id.as_str()).await?;
        let known = known.ok_or_else(|| not_found("mailing"))?;
        // The checkpoint is read before the messages: what comes to be meanwhile is seen.
        let progress = self.mailings.progress(id).await?.map(|progress| progress.value);
        let progress = progress.unwrap_or_else(|| MailingProgress::scheduled(known.version));
        let ids: Vec<MessageId> = asked.ids.iter().map(|customer| Message::id_of_mailing(id, customer)).collect();
        let mut messages = self.messages.entries(&ids, true).await?;
        messages.sort_by_key(|entry| std::cmp::Reverse(entry.message.created_at));
        if let Some(entry) = messages.first() {
            let because = Because::of_message(entry);
            return Ok((because, messages));
        }
        let because = match progress.stage {
            Stage::Scheduled => {
                let at = known.value.at;
                let in_words = match known.value.local_at {
                    Some(local) => {
                        format!("The mailing has not begun; it goes out at {local} by each customer's clock.")
                    }
                    None => format!("The mailing has not begun; it begins at {at}."),
                };
                Because::not("not_begun", in_words).with("begins_at", json!(at))
            }
            Stage::Collecting if self.is_on_pages(id, &progress, &asked.ids).await? => {
                Because::not("on_its_way", "They are in the audience as it was put down; the message is being written.")
            }
            Stage::Collecting => {
                Because::not("not_reached", "The audience is being put down, and they are not in what there is of it.")
            }
            Stage::Sending | Stage::Sent => {
                Because::not("not_in_audience", "They were not in the audience when it was put down.")
            }
        };
        let sent = self.definitions.version::<Mailing>(Kind::Mailing, id.as_str(), progress.definition_version).await?;
        let worked_out = self.audience_now(&sent.unwrap_or(known.value), asked).await?;
        let because = match progress.started_at {
            Some(at) => because.with("begun_at", json!(at)),
            None => because,
        };
        Ok((because.worked_out(worked_out), messages))
    }

    /// Whether a customer is on one of the pages of which the messages are not all written. On
    /// the others nobody is who has no message.
    async fn is_on_pages(
        &self,
        id: &MailingId,
        progress: &MailingProgress,
        ids: &[CustomerId],
    ) -> anyhow::Result<bool> {
        for number in progress.written..progress.pages {
            if let AudiencePage::Audience(audience) = self.mailings.page(id, number).await?
                && audience.iter().any(|customer| ids.contains(customer))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether they are in the audience as of now, and why.
    async fn audience_now(&self, mailing: &Mailing, asked: &Asked) -> anyhow::Result<Value> {
        let mut shown = match &mailing.audience {
            Some(audience) => self.explained(audience, &asked.customer).await?,
            None => json!({ "in_words": "everybody", "holds": true, "why": [], "why_in_words": "always" }),
        };
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("customer_id");
        }
        Ok(json!({ "audience": shown }))
    }
}
