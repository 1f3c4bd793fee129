//! What would have set a message off that is only tried out: the latest that is on record, or
//! what may come.

use campaigns::Trigger;
use contracts::{Kind, Problem};
use domain::dictionary::{Dictionary, Word, WordKind};
use domain::{
    Change, Code, ContainerChange, Content, CustomerId, EventId, History, Order, OrderId, Product, ProductId,
    ProductNews, StatusSet,
};
use jiff::Timestamp;
use lambda::http::Failure;
use store::Wanted;

use crate::Manage;
use crate::previews::{Asked, Sending, does_not_set_off};
use crate::why::{OnRecord, latest, of_order};

impl Manage {
    /// What would have set the message off. With a campaign it is what that waits for: the
    /// latest of it that is known, and with none, what it would be if it happened now.
    pub(crate) async fn change_of(
        &self,
        asked: &Asked,
        sending: &Sending,
        now: Timestamp,
    ) -> Result<Option<Change>, Failure> {
        let trigger = sending.trigger();
        Ok(match asked {
            Asked { order_id: Some(order_id), .. } => {
                Some(self.to_order(&asked.customer_or_nobody()?, order_id, trigger, now).await?)
            }
            Asked { event_id: Some(event_id), .. } => {
                let change = self.received(&asked.customer_or_nobody()?, event_id).await?;
                if trigger.is_some_and(|trigger| !trigger.is_set_off_by(&change)) {
                    return Err(does_not_set_off("/event_id").into());
                }
                Some(change)
            }
            Asked { product_id: Some(product_id), .. } => {
                let product = self.composer.product(product_id).await?;
                Some(to_product(trigger, product_id, product.as_ref(), now))
            }
            Asked { customer_id: Some(customer_id), .. } => match trigger {
                Some(trigger) => self.to_customer(customer_id, trigger, now).await?,
                None => None,
            },
            _ => None,
        })
    }

    async fn to_order(
        &self,
        customer_id: &CustomerId,
        order_id: &OrderId,
        trigger: Option<&Trigger>,
        now: Timestamp,
    ) -> anyhow::Result<Change> {
        let created = Change::OrderCreated { order_id: order_id.clone() };
        let Some(trigger) = trigger.filter(|trigger| **trigger != Trigger::OrderCreated) else { return Ok(created) };
        let wanted = Wanted { orders: vec![order_id.clone()], ..Wanted::default() };
        let loaded = self.customers.load(customer_id, &wanted).await?;
        // Of one that is not there the preview says so.
        let Some(order) = loaded.orders.first() else { return Ok(created) };
        if let Some(happened) = latest(trigger, of_order(order)) {
            return Ok(happened.change);
        }
        if *trigger == Trigger::OrderLinesChanged
            && let Some(happened) = self.lines_changed(order).await?
        {
            return Ok(happened);
        }
        let dictionary = self.composer.dictionary(now).await?;
        Ok(may_come_of(order, trigger, &dictionary, now).unwrap_or(created))
    }

    /// What happens to a customer, and to nothing that is named.
    async fn to_customer(
        &self,
        customer_id: &CustomerId,
        trigger: &Trigger,
        now: Timestamp,
    ) -> anyhow::Result<Option<Change>> {
        let may_come = match trigger {
            Trigger::ConsentRequested => return self.requested(customer_id, now).await.map(Some),
            Trigger::SegmentEntered { segment } => Change::SegmentEntered { segment: segment.clone(), at: now },
            Trigger::SegmentLeft { segment } => Change::SegmentLeft { segment: segment.clone(), at: now },
            Trigger::ContainerChanged { container, what } => {
                let what = what.unwrap_or(ContainerChange::ItemAdded);
                Change::ContainerChanged { container: container.clone(), what, product_id: None, at: now }
            }
            // Without an order, an event or a product it is about nothing.
            Trigger::OrderCreated
            | Trigger::OrderStatusChanged { .. }
            | Trigger::OrderLineStatusChanged { .. }
            | Trigger::OrderLinesChanged
            | Trigger::EventReceived { .. }
            | Trigger::ProductChanged { .. } => return Ok(None),
        };
        let customer = self.customers.load(customer_id, &Wanted::default()).await?.customer;
        let Some(id) = customer.map(|customer| customer.id) else { return Ok(Some(may_come)) };
        if let OnRecord::Happened(happened) = self.on_record(&id, trigger, now).await? {
            return Ok(Some(happened.change));
        }
        Ok(Some(match may_come {
            Change::ContainerChanged { container, what, at, .. } if what != ContainerChange::Emptied => {
                let added = Trigger::ContainerChanged { container: container.clone(), what: None };
                let product_id = match self.on_record(&id, &added, now).await? {
                    OnRecord::Happened(happened) => product_of(happened.change),
                    OnRecord::Nothing | OnRecord::NotKept => None,
                };
                Change::ContainerChanged { container, what, product_id, at }
            }
            change => change,
        }))
    }

    /// What a customer is asked to confirm; with nothing that is still to be confirmed, as though
    /// they were asked now whether mail may be sent to them at all.
    async fn requested(&self, customer_id: &CustomerId, now: Timestamp) -> anyhow::Result<Change> {
        let customer = self.customers.load(customer_id, &Wanted::default()).await?.customer;
        let asked = customer.and_then(|customer| Change::of_consents(None, &customer));
        Ok(asked.unwrap_or(Change::ConsentRequested { categories: Vec::new(), at: now }))
    }

    async fn received(&self, customer_id: &CustomerId, event_id: &EventId) -> Result<Change, Failure> {
        let wanted = Wanted { events: vec![event_id.clone()], ..Wanted::default() };
        let loaded = self.customers.load(customer_id, &wanted).await?;
        match loaded.events.first() {
            Some(event) => Ok(Change::of_event(event)),
            None => Err(Problem::new(Kind::NotFound).because("the customer has no such event").into()),
        }
    }
}

/// The product that something happened to in a container.
fn product_of(change: Change) -> Option<String> {
    match change {
        Change::ContainerChanged { product_id, .. } => product_id,
        _ => None,
    }
}

/// What this trigger waits for, if it happened to the order now.
fn may_come_of(order: &Order, trigger: &Trigger, dictionary: &Dictionary, now: Timestamp) -> Option<Change> {
    let order_id = order.id.clone();
    match trigger {
        Trigger::OrderStatusChanged { set, from, to } => {
            let next = Next::after(order.statuses.of(*set), (from.as_ref(), to.as_ref()), *set, dictionary)?;
            let Next { from, to, nth } = next;
            Some(Change::OrderStatusChanged { order_id, set: *set, from, to, at: now, nth })
        }
        Trigger::OrderLineStatusChanged { from, to } => {
            let line_id = order.content.lines.first().map_or_else(|| "1".to_owned(), |line| line.id.clone());
            let known = order.line_statuses.get(&line_id).cloned().unwrap_or_default();
            // A line has no set of its own: it is mostly told of where the goods are.
            let next = Next::after(&known, (from.as_ref(), to.as_ref()), StatusSet::Delivery, dictionary)?;
            let Next { from, to, nth } = next;
            Some(Change::OrderLineStatusChanged { order_id, line_id, from, to, at: now, nth })
        }
        Trigger::OrderLinesChanged => {
            // They are what they were from the beginning: as though none had been there before.
            let before = Content { lines: Vec::new(), ..order.content.clone() };
            Some(Change::of_lines(order_id, order.lines_at(), &before, &order.content))
        }
        _ => None,
    }
}

/// A transition that may come next.
#[derive(Debug, PartialEq)]
struct Next {
    from: Option<Code>,
    to: Code,
    nth: usize,
}

impl Next {
    /// One that is wanted; where it is wanted from or to anything, it goes from what is in force to
    /// another status of the set.
    fn after(
        known: &History,
        (from, to): (Option<&Code>, Option<&Code>),
        set: StatusSet,
        dictionary: &Dictionary,
    ) -> Option<Self> {
        let from = from.or(known.current().map(|entry| &entry.code)).filter(|from| Some(*from) != to);
        let mut others = dictionary.of(WordKind::Status).filter_map(|word| match word {
            Word::Status(status) if status.set == set && from != Some(&status.code) => Some(&status.code),
            _ => None,
        });
        let to = to.or_else(|| others.next())?;
        let before = known.transitions().iter().filter(|transition| transition.to == *to).count();
        Some(Self { from: from.cloned(), to: to.clone(), nth: before + 1 })
    }
}

/// What happened to a product of what a trigger waits for, or any price if there is none; with
/// nothing of it known, as though the product came to be as it is just now.
fn to_product(trigger: Option<&Trigger>, product_id: &ProductId, product: Option<&Product>, now: Timestamp) -> Change {
    let what = match trigger {
        Some(Trigger::ProductChanged { what, .. }) => *what,
        _ => ProductNews::PriceChanged,
    };
    let fits = |change: &Change| match trigger {
        Some(trigger) => trigger.is_set_off_by(change),
        None => matches!(change.what(), Some(ProductNews::PriceChanged | ProductNews::PriceDropped)),
    };
    let news = product.map(|product| Product::news(None, product)).unwrap_or_default();
    if let Some(change) = news.into_iter().rfind(fits) {
        return change;
    }
    let content = product.map(|product| &product.content);
    let (from, to) = match what {
        ProductNews::PriceChanged | ProductNews::PriceDropped => {
            content.map(|content| (content.old_price, content.price)).unwrap_or_default()
        }
        ProductNews::StockChanged => (None, content.and_then(|content| content.stock)),
        ProductNews::BackInStock | ProductNews::OutOfStock => (None, None),
    };
    Change::ProductChanged { product_id: product_id.clone(), what, from, to, at: now }
}

#[cfg(test)]
mod tests {
    use domain::{Conflict, Entry};

    use super::*;

    #[test]
    fn what_may_come_next_is_what_is_wanted_and_otherwise_another_status_than_the_one_in_force() -> Result<(), Conflict>
    {
        let code = |text: &str| Code::parse(text).unwrap();
        let dictionary = Dictionary::new([]);
        let mut known = History::default();
        for (second, status) in [(1, "assembling"), (2, "shipped"), (3, "assembling")] {
            let at = Timestamp::from_second(second).unwrap();
            known.record(Entry { at, code: code(status), source: None }, "")?;
        }
        let next = |known: &History, from: Option<&str>, to: Option<&str>| {
            let (from, to) = (from.map(code), to.map(code));
            let next = Next::after(known, (from.as_ref(), to.as_ref()), StatusSet::Delivery, &dictionary).unwrap();
            (next.from.map(|from| from.to_string()), next.to.to_string(), next.nth)
        };
        let said = |from: Option<&str>, to: &str, nth| (from.map(str::to_owned), to.to_owned(), nth);
        assert_eq!(next(&known, None, Some("shipped")), said(Some("assembling"), "shipped", 2));
        assert_eq!(next(&known, Some("delivered"), Some("lost")), said(Some("delivered"), "lost", 1));
        assert_eq!(next(&known, None, Some("assembling")), said(None, "assembling", 3));
        assert_eq!(next(&History::default(), None, Some("lost")), said(None, "lost", 1));
        for (known, from) in [(&known, None), (&known, Some("at_pickup_point")), (&History::default(), None)] {
            let (before, after, _) = next(known, from, None);
            assert!(before.as_ref() != Some(&after) && dictionary.status(StatusSet::Delivery, &after).is_some());
        }
        Ok(())
    }
}
