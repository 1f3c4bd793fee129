//! What conditions see of a customer whose rows are at hand, so that next to nothing more
//! has to be read.

use conditions::{At, Collection, Facts, Needs, Program, State};
use domain::Order;
use jiff::Timestamp;
use store::{EventsMeant, Kinds, Scanned};

use crate::{History, shown};

/// What a scan has to bring for these needs, at that time or later.
#[must_use]
pub fn kinds(needs: &Needs, now: Timestamp) -> Kinds {
    let wants = |over: Collection| needs.collections.contains(&over);
    Kinds {
        orders: wants(Collection::Orders),
        events: wants(Collection::Events)
            .then(|| EventsMeant { names: needs.events.clone(), since: needs.events_back.since(now) }),
        containers: wants(Collection::Items) || wants(Collection::Containers),
    }
}

impl History {
    /// A customer as a program sees them at that time. Nothing is read but messages, if the
    /// program asks about them, and the dictionary now and then.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn seen(&self, program: &Program, scanned: &Scanned, at: &At) -> anyhow::Result<State> {
        Ok(program.state(&self.seen_facts(scanned, &program.all_needs(), at.now).await?))
    }

    /// The customer, and what is needed of all that they did and have, at that time or later.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn seen_facts(&self, scanned: &Scanned, needs: &Needs, now: Timestamp) -> anyhow::Result<Facts> {
        let wants = |over: Collection| needs.collections.contains(&over);
        let single = contracts::facts::of(scanned.customer.as_ref(), None, None, None, None);
        let mut facts = Facts { audiences: scanned.audiences.clone(), ..Facts::single(single) };
        if wants(Collection::Orders) {
            let dictionary = self.dictionary.current(now).await?;
            let orders = scanned.orders.iter().filter(|order| !order.is_deleted());
            facts.orders = orders.map(|order| shown::order(order, &dictionary)).collect();
        }
        if wants(Collection::Events) {
            let is_meant = |name: &str| needs.events.as_ref().is_none_or(|names| names.contains(name));
            let meant = scanned.events.iter().filter(|event| is_meant(event.name.as_str()));
            facts.events = meant.map(contracts::event::show).collect();
        }
        if wants(Collection::Items) || wants(Collection::Containers) {
            scanned.containers.iter().for_each(|(code, known)| shown::container(code, known, &mut facts));
        }
        if wants(Collection::Messages) {
            facts.messages = self.messages(&scanned.id, needs.messages_back.since(now)).await?;
        }
        Ok(facts)
    }

    /// The orders of a customer that count: those that were not taken back and that their
    /// statuses do not keep out of analytics.
    ///
    /// # Errors
    /// If the dictionary cannot be read.
    pub async fn counting<'s>(&self, scanned: &'s Scanned, at: &At) -> anyhow::Result<Vec<&'s Order>> {
        let dictionary = self.dictionary.current(at.now).await?;
        let orders = scanned.orders.iter().filter(|order| !order.is_deleted());
        Ok(orders.filter(|order| shown::counts(order, &dictionary)).collect())
    }
}
