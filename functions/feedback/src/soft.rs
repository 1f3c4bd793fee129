//! Addresses to which so many mails came back for now that they count as gone.

use domain::dictionary::Settings;
use domain::{EmailAddress, Message, SuppressedFor};
use jiff::{SignedDuration, Timestamp};
use store::{Evidence, Found, SoftBounce, Suppression};

use crate::Feedback;
use crate::event::Told;

/// How long after it was decided on a mail may be delivered at the latest, with some to
/// spare: SES tries for 14 hours.
const UNDER_WAY: SignedDuration = SignedDuration::from_hours(72);

impl Feedback {
    /// Notes that a mail came back for now, and stops mail to its address if that was so of
    /// too many one after the other, by what SES has told so far.
    ///
    /// No write is spent on mails that get through: when a mail was delivered last stands in
    /// the ledger, and is looked up only where it matters.
    pub(crate) async fn soft_bounced(
        &self,
        address: &EmailAddress,
        message: &Message,
        told: &Told,
    ) -> anyhow::Result<()> {
        let bounce = SoftBounce { message_id: message.id.clone(), at: told.at };
        let mut bounces = self.customers.soft_bounced(address, &bounce, told.sent).await?;
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        let most = dictionary.settings().soft_bounces.unwrap_or(Settings::SOFT_BOUNCES) as usize;
        let Some(first) = bounces.first().map(|bounce| bounce.at).filter(|_| bounces.len() >= most) else {
            return Ok(());
        };
        if let Some(delivered) = self.last_delivered(message, first).await? {
            bounces.retain(|bounce| bounce.at > delivered);
        }
        if bounces.len() >= most {
            let suppression = Suppression { reason: SuppressedFor::SoftBounces, since: told.at, by: None };
            self.customers.suppress(address, &suppression, Some(told.sent)).await?;
        }
        Ok(())
    }

    /// When a mail to the message's customer was delivered last, if that was after `since`.
    async fn last_delivered(&self, message: &Message, since: Timestamp) -> anyhow::Result<Option<Timestamp>> {
        let Found::Here { id, .. } = self.customers.resolve(&message.customer_id).await? else { return Ok(None) };
        let aliases = self.customers.aliases(&id).await?;
        let from = since.checked_sub(UNDER_WAY).unwrap_or(Timestamp::MIN);
        let (mut last, mut after) = (None, None);
        loop {
            let page = self.messages.of_customer_since(&id, &aliases, Some(from), 100, after.as_deref());
            let (entries, next) = page.await?;
            let told = entries.iter().flat_map(|entry| &entry.evidence);
            let delivered = told.filter(|(kind, _)| *kind == Evidence::Delivered.attribute()).map(|(_, at)| *at);
            last = delivered.filter(|at| *at > since).chain(last).max();
            after = next;
            if after.is_none() {
                return Ok(last);
            }
        }
    }
}
