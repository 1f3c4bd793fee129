//! What is on record of a customer that a campaign waits for.

use campaigns::{By, Trigger};
use domain::{Change, CustomerId, Item, Order};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::Manage;

/// How many pages of a customer's events are looked through.
const MOST_PAGES: usize = 10;

/// Of how many orders it is looked up what their lines were before.
const MOST_ORDERS: usize = 20;

/// Something that a campaign waits for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    /// What.
    pub(crate) change: Change,
    /// When, by the shop's own account.
    pub(crate) at: Timestamp,
}

/// What is known of whether something that a trigger waits for has happened.
pub(crate) enum OnRecord {
    /// It has; this is the latest.
    Happened(Box<Cause>),
    /// It has not.
    Nothing,
    /// Nothing is kept by which it could be told.
    NotKept,
}

impl Manage {
    /// The latest of what a trigger waits for, by all that is kept of a customer now.
    pub(crate) async fn on_record(
        &self,
        id: &CustomerId,
        trigger: &Trigger,
        since: Timestamp,
    ) -> anyhow::Result<OnRecord> {
        let happened = match trigger {
            Trigger::OrderCreated | Trigger::OrderStatusChanged { .. } | Trigger::OrderLineStatusChanged { .. } => {
                let orders = self.customers.orders(id).await?;
                orders.iter().filter(|order| !order.is_deleted()).flat_map(of_order).collect()
            }
            Trigger::OrderLinesChanged => self.of_lines(id).await?,
            Trigger::EventReceived { .. } => self.of_events(id, trigger, since).await?,
            Trigger::ContainerChanged { container, .. } => {
                let mut known = self.customers.containers(id).await?;
                let items = known.remove(container).map(|known| known.items).unwrap_or_default();
                items.values().filter_map(|item| of_item(&item.value)).collect()
            }
            Trigger::SegmentEntered { .. } | Trigger::SegmentLeft { .. } => self.of_segments(id).await?,
            // Whom a product concerned is not kept, nor what they were asked to confirm.
            _ => return Ok(OnRecord::NotKept),
        };
        Ok(latest(trigger, happened).map_or(OnRecord::Nothing, |cause| OnRecord::Happened(Box::new(cause))))
    }

    /// The last change of the lines of each of a customer's latest orders.
    async fn of_lines(&self, id: &CustomerId) -> anyhow::Result<Vec<Cause>> {
        let mut orders = self.customers.orders(id).await?;
        orders.retain(|order| order.has_sayings && !order.is_deleted());
        orders.sort_by_key(|order| std::cmp::Reverse(order.content_at()));
        let mut happened = Vec::new();
        for order in orders.iter().take(MOST_ORDERS) {
            let changed = self.lines_changed(order).await?;
            happened.extend(changed.map(|change| Cause { change, at: order.lines_at() }));
        }
        Ok(happened)
    }

    /// The latest event that a trigger waits for: those from `since` on, and of older ones as
    /// many as are on a few pages.
    async fn of_events(&self, id: &CustomerId, trigger: &Trigger, since: Timestamp) -> anyhow::Result<Vec<Cause>> {
        let (mut after, mut pages) = (None, 0);
        loop {
            let (events, next) = self.customers.events(id, after.as_deref(), 500).await?;
            let oldest = events.last().map(|event| event.at);
            let causes = events.iter().map(|event| Cause { change: Change::of_event(event), at: event.at });
            let found: Vec<Cause> = causes.filter(|cause| trigger.is_set_off_by(&cause.change)).take(1).collect();
            (after, pages) = (next, pages + 1);
            let enough = pages >= MOST_PAGES && oldest.is_none_or(|oldest| oldest < since);
            if !found.is_empty() || after.is_none() || enough {
                return Ok(found);
            }
        }
    }

    /// The segments that the customer entered or left, as far as that was news.
    async fn of_segments(&self, id: &CustomerId) -> anyhow::Result<Vec<Cause>> {
        let kept = self.customers.segments(id).await?;
        let news = kept.into_iter().filter(|(_, membership)| membership.by != By::Found);
        let cause = |((segment, _), membership): (campaigns::EditionOf, campaigns::Membership)| {
            let at = membership.since;
            let change = match membership.is_in {
                true => Change::SegmentEntered { segment, at },
                false => Change::SegmentLeft { segment, at },
            };
            Cause { change, at }
        };
        Ok(news.map(cause).collect())
    }
}

/// The latest that a trigger waits for.
pub(crate) fn latest(trigger: &Trigger, happened: Vec<Cause>) -> Option<Cause> {
    happened.into_iter().filter(|cause| trigger.is_set_off_by(&cause.change)).max_by_key(|cause| cause.at)
}

/// What happened to an order, but for what its lines were before.
pub(crate) fn of_order(order: &Order) -> Vec<Cause> {
    let changes = Change::of_order(None, order).into_iter();
    let cause = |change| match change {
        Change::OrderStatusChanged { at, .. } | Change::OrderLineStatusChanged { at, .. } => Cause { change, at },
        change => Cause { change, at: order.created_at() },
    };
    changes.map(cause).collect()
}

fn of_item(item: &Item) -> Option<Cause> {
    let change = Change::of_item(None, item)?;
    match change {
        Change::ContainerChanged { at, .. } => Some(Cause { change, at }),
        _ => None,
    }
}

/// What a trigger waits for, in words: its kind, and what it is limited to.
pub(super) fn waits_for(shown: &Value) -> String {
    let limits = shown.as_object().into_iter().flatten().filter(|(name, _)| *name != "type");
    let limits = limits.map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    });
    let limits: Vec<String> = limits.collect();
    let kind = crate::messages::kind_of(shown);
    if limits.is_empty() { kind } else { format!("{kind} ({})", limits.join(", ")) }
}

/// How long after something happened a run that it sets off may not be there yet.
pub(super) const MOMENTS: SignedDuration = SignedDuration::from_secs(60);
