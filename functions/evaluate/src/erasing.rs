//! Deletes what is left of somebody who was erased: in the tables, and among the dead
//! letters.
//!
//! A letter is asked whom it is about, and the tables whether they were erased. So it
//! does not matter when it was written, what an erased customer's addresses were, nor
//! who looks: whoever does clears up after everybody. It is done at the end of each
//! erasing, and once an hour, as a message that fails on may become a dead letter after
//! its customer was erased.

use aws::{DeadLetters, LookedThrough};
use domain::CustomerId;
use jiff::{SignedDuration, Timestamp};
use lambda::Clock;
use store::{Customers, Entry, Found, Identity, MembershipRows, Messages, Runs, Timers};

use crate::letters::Named;

/// How long before the end of the invocation no more letters are received: enough to be
/// done with those that were.
const AFTERMATH: SignedDuration = SignedDuration::from_secs(6);

pub(crate) struct Erasing {
    pub(crate) customers: Customers,
    pub(crate) messages: Messages,
    pub(crate) timers: Timers,
    pub(crate) runs: Runs,
    pub(crate) memberships: MembershipRows,
    /// Of all queues whose messages are about customers.
    pub(crate) dead_letters: Vec<DeadLetters>,
    pub(crate) clock: Clock,
}

impl Erasing {
    /// Deletes all that there is of somebody who was erased. May be done again.
    ///
    /// It ends with the dead letters, so that they are looked through again if that failed.
    pub(crate) async fn erase(&self, id: &CustomerId, deadline: Timestamp) -> anyhow::Result<()> {
        self.erase_rows(id).await?;
        // What stays unclear or was not come to is looked at again each hour.
        if self.look_through(deadline).await?.cut_short {
            tracing::warn!("there are more dead letters than there was time for");
        }
        Ok(())
    }

    /// Deletes all letters about anybody who was erased.
    pub(crate) async fn look_through(&self, deadline: Timestamp) -> anyhow::Result<LookedThrough> {
        let has_time = || self.clock.now() + AFTERMATH < deadline;
        let queues =
            self.dead_letters.iter().map(|queue| queue.delete_those(has_time, async |body| self.to_go(body).await));
        let mut all = LookedThrough::default();
        for looked in futures::future::join_all(queues).await {
            let looked = looked?;
            all.deleted += looked.deleted;
            all.unclear += looked.unclear;
            all.cut_short |= looked.cut_short;
        }
        Ok(all)
    }

    async fn erase_rows(&self, id: &CustomerId) -> anyhow::Result<()> {
        let now = self.clock.now();
        let erased = self.customers.erase(id, now).await?;
        self.runs.forget_timers(&erased.runs).await?;
        for id in &erased.ids {
            self.memberships.forget(id).await?;
            self.messages.scrub(&self.timers, id, now).await?;
        }
        self.customers.forget(&erased).await
    }

    async fn to_go(&self, letter: &str) -> anyhow::Result<bool> {
        let to_go = self.is_about_somebody_erased(letter).await;
        if let Err(error) = &to_go {
            tracing::error!(error = format!("{error:#}"), "whom a dead letter is about could not be found out");
        }
        to_go
    }

    async fn is_about_somebody_erased(&self, letter: &str) -> anyhow::Result<bool> {
        let Named { mut customers, messages, addresses } = Named::by(letter);
        let known = self.messages.entries(&Vec::from_iter(messages), true).await?;
        // A test's row forgets its address without anybody being erased.
        let is_test = |entry: &Entry| entry.message.origin.is_test();
        if known.iter().any(|entry| entry.scrubbed && !is_test(entry)) {
            return Ok(true);
        }
        // Whose a mail is, its message knows better than its address: others may have it too.
        let by_address = known.iter().all(is_test);
        customers.extend(known.into_iter().map(|entry| entry.message.customer_id));
        let erased = self.erased_of(&Vec::from_iter(customers)).await?;
        for id in &erased {
            // The letter may be the very one that was to do this.
            self.erase_rows(id).await?;
        }
        if !erased.is_empty() || !by_address {
            return Ok(!erased.is_empty());
        }
        for address in &addresses {
            if self.customers.is_erased(address).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn erased_of(&self, ids: &[CustomerId]) -> anyhow::Result<Vec<CustomerId>> {
        let mut erased = Vec::new();
        for (id, identity) in self.customers.identities(ids).await? {
            let gone = match identity {
                Identity::Erased => true,
                Identity::Is(_) => self.customers.resolve(&id).await? == Found::Erased,
            };
            if gone {
                erased.push(id);
            }
        }
        Ok(erased)
    }
}
