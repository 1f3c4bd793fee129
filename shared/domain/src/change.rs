//! Named changes: what the difference between two images of a row means.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Code, Event, EventId, EventKind, Order, OrderId, StatusSet, sortable};

/// Something that happened to one customer and may set a campaign off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// An order was seen for the first time.
    OrderCreated {
        /// Which.
        order_id: OrderId,
    },
    /// One of an order's statuses went from one to another.
    OrderStatusChanged {
        /// Which order.
        order_id: OrderId,
        /// In which set.
        set: StatusSet,
        /// The status before, as far as was known at the time.
        from: Option<Code>,
        /// The status after.
        to: Code,
        /// When, by the shop's own account.
        at: Timestamp,
        /// For the how-manieth time the set came to this status, from 1.
        nth: usize,
    },
    /// What was ordered is no longer the same.
    OrderLinesChanged {
        /// Which order.
        order_id: OrderId,
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// An event was taken in.
    EventReceived {
        /// Which.
        event_id: EventId,
        /// What happened.
        name: Code,
        /// On a site or app, or elsewhere.
        kind: EventKind,
    },
}

impl Change {
    /// What identifies the cause: the same cause gives the same text, however
    /// often and in whatever order the changes that show it arrive.
    ///
    /// A transition is known by what it led to, and for the how-manieth time. What
    /// it came *from*, and when, may be learned later, as older statuses arrive;
    /// it is the same transition still.
    #[must_use]
    pub fn cause(&self) -> Vec<String> {
        let parts: Vec<&str> = match self {
            Self::OrderCreated { order_id } => vec!["order_created", order_id.as_str()],
            Self::OrderStatusChanged { order_id, set, to, nth, .. } => {
                return vec![
                    "order_status".into(),
                    order_id.to_string(),
                    set.to_string(),
                    to.to_string(),
                    nth.to_string(),
                ];
            }
            Self::OrderLinesChanged { order_id, at } => {
                return vec!["order_lines".into(), order_id.to_string(), sortable(*at)];
            }
            Self::EventReceived { event_id, .. } => vec!["event", event_id.as_str()],
        };
        parts.into_iter().map(str::to_owned).collect()
    }

    /// The order that it is about, if it is about one.
    #[must_use]
    pub fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::OrderCreated { order_id }
            | Self::OrderStatusChanged { order_id, .. }
            | Self::OrderLinesChanged { order_id, .. } => Some(order_id),
            Self::EventReceived { .. } => None,
        }
    }

    /// The event that it is, if it is one.
    #[must_use]
    pub fn event_id(&self) -> Option<&EventId> {
        match self {
            Self::EventReceived { event_id, .. } => Some(event_id),
            _ => None,
        }
    }

    /// What happened to an order between two images of it.
    #[must_use]
    pub fn of_order(old: Option<&Order>, new: &Order) -> Vec<Self> {
        let mut changes = Vec::new();
        let order_id = || new.id.clone();
        if old.is_none() {
            changes.push(Self::OrderCreated { order_id: order_id() });
        }
        if old.is_some_and(|old| old.content.lines != new.content.lines) {
            changes.push(Self::OrderLinesChanged { order_id: order_id(), at: new.updated_at });
        }
        for set in StatusSet::ALL {
            let known = old.map(|old| old.statuses.of(set).transitions()).unwrap_or_default();
            for transition in new.statuses.of(set).transitions() {
                let crate::Transition { from, to, at, nth } = transition;
                if !known.iter().any(|known| (&known.from, &known.to, known.nth) == (&from, &to, nth)) {
                    changes.push(Self::OrderStatusChanged { order_id: order_id(), set, from, to, at, nth });
                }
            }
        }
        changes
    }

    /// What an event that was taken in means.
    #[must_use]
    pub fn of_event(event: &Event) -> Self {
        Self::EventReceived { event_id: event.id.clone(), name: event.name.clone(), kind: event.kind }
    }
}
