//! Named changes: what the difference between two images of a row means.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Allows, Amount, Code, ConsentState, Content, Customer, Event, EventId, EventKind, Item, LineChange, Order, OrderId,
    ProductId, ProductNews, StatusSet, sortable,
};

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
    /// The status of one line of an order went from one to another.
    OrderLineStatusChanged {
        /// Which order.
        order_id: OrderId,
        /// Which of its lines.
        line_id: String,
        /// The status before, as far as was known at the time.
        from: Option<Code>,
        /// The status after.
        to: Code,
        /// When, by the shop's own account.
        at: Timestamp,
        /// For the how-manieth time the line came to this status, from 1.
        nth: usize,
    },
    /// What was ordered is no longer the same.
    OrderLinesChanged {
        /// Which order.
        order_id: OrderId,
        /// When, by the shop's own account.
        at: Timestamp,
        /// Which lines are not what they were, as far as was known at the time; of many the
        /// first ([`LineChange::between`]). None, if they only stand in another order or what
        /// is another is not shown here.
        #[serde(default)]
        lines: Vec<LineChange>,
        /// How many such lines there are, listed or not.
        #[serde(default)]
        count: usize,
    },
    /// What is in one of the customer's containers is no longer the same.
    ContainerChanged {
        /// Which container.
        container: Code,
        /// What happened to it.
        what: ContainerChange,
        /// To which product; none if it was emptied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product_id: Option<String>,
        /// When, by the caller's own account.
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
    /// Somebody is said to agree to something, and is to say so themselves (double opt-in).
    ConsentRequested {
        /// The mailing categories that were asked about. With none, it is being written
        /// to at all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        categories: Vec<Code>,
        /// When, by the caller's own account.
        at: Timestamp,
    },
    /// Something happened to a product that concerns the customer.
    ProductChanged {
        /// Which product.
        product_id: ProductId,
        /// What happened to it.
        what: ProductNews,
        /// The price or the stock before, where it was that which changed, as far as
        /// was known at the time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Amount>,
        /// The price or the stock after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Amount>,
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// The customer came into a segment.
    SegmentEntered {
        /// Which.
        segment: Code,
        /// When.
        at: Timestamp,
    },
    /// The customer is in a segment no more.
    SegmentLeft {
        /// Which.
        segment: Code,
        /// When; of a time that ran out, that time.
        at: Timestamp,
    },
}

/// What happened to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerChange {
    /// A product that was not in it came in.
    ItemAdded,
    /// A product that was in it is not any more.
    ItemRemoved,
    /// There is more or less of a product.
    QuantityChanged,
    /// Everything was taken out at once.
    Emptied,
}

impl ContainerChange {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ItemAdded, Self::ItemRemoved, Self::QuantityChanged, Self::Emptied];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ItemAdded => "item_added",
            Self::ItemRemoved => "item_removed",
            Self::QuantityChanged => "quantity_changed",
            Self::Emptied => "emptied",
        }
    }

    /// The one of that name.
    ///
    /// # Errors
    /// Says which there are.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        Self::ALL
            .into_iter()
            .find(|what| what.as_str() == name)
            .ok_or("must be \"item_added\", \"item_removed\", \"quantity_changed\" or \"emptied\"")
    }
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
            Self::OrderLinesChanged { order_id, at, .. } => {
                return vec!["order_lines".into(), order_id.to_string(), sortable(*at)];
            }
            Self::OrderLineStatusChanged { order_id, line_id, to, nth, .. } => {
                return vec![
                    "order_line_status".into(),
                    order_id.to_string(),
                    line_id.clone(),
                    to.to_string(),
                    nth.to_string(),
                ];
            }
            Self::ContainerChanged { container, what, product_id, at } => {
                return vec![
                    "container".into(),
                    container.to_string(),
                    what.as_str().into(),
                    product_id.clone().unwrap_or_default(),
                    sortable(*at),
                ];
            }
            Self::EventReceived { event_id, .. } => vec!["event", event_id.as_str()],
            Self::ProductChanged { product_id, what, at, .. } => {
                return vec![what.of().into(), product_id.to_string(), sortable(*at)];
            }
            Self::ConsentRequested { categories, at } => {
                let categories: Vec<&str> = categories.iter().map(Code::as_str).collect();
                return vec!["consent_requested".into(), at.to_string(), categories.join(",")];
            }
            // Who leaves at the very instant is there again at another: the time tells
            // which entry it was, to the nanosecond.
            Self::SegmentEntered { segment, at } => {
                return vec!["segment_entered".into(), segment.to_string(), at.to_string()];
            }
            Self::SegmentLeft { segment, at } => {
                return vec!["segment_left".into(), segment.to_string(), at.to_string()];
            }
        };
        parts.into_iter().map(str::to_owned).collect()
    }

    /// Takes off it which order, event or product it was about, and the lines of an order;
    /// what happened stays.
    pub fn scrub(&mut self) {
        #[expect(clippy::expect_used, reason = "a constant that is a well-formed id")]
        let (order, event, product) = (
            OrderId::parse("erased").expect("well formed"),
            EventId::parse("erased").expect("well formed"),
            ProductId::parse("erased").expect("well formed"),
        );
        match self {
            Self::OrderCreated { order_id }
            | Self::OrderStatusChanged { order_id, .. }
            | Self::OrderLineStatusChanged { order_id, .. } => *order_id = order,
            Self::OrderLinesChanged { order_id, lines, .. } => (*order_id, *lines) = (order, Vec::new()),
            Self::ContainerChanged { product_id, .. } => *product_id = None,
            Self::EventReceived { event_id, .. } => *event_id = event,
            Self::ProductChanged { product_id, .. } => *product_id = product,
            Self::ConsentRequested { .. } | Self::SegmentEntered { .. } | Self::SegmentLeft { .. } => {}
        }
    }

    /// The order that it is about, if it is about one.
    #[must_use]
    pub fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::OrderCreated { order_id }
            | Self::OrderStatusChanged { order_id, .. }
            | Self::OrderLineStatusChanged { order_id, .. }
            | Self::OrderLinesChanged { order_id, .. } => Some(order_id),
            Self::ContainerChanged { .. }
            | Self::EventReceived { .. }
            | Self::ConsentRequested { .. }
            | Self::ProductChanged { .. }
            | Self::SegmentEntered { .. }
            | Self::SegmentLeft { .. } => None,
        }
    }

    /// The product to which something happened, if that is what it is about.
    #[must_use]
    pub fn product_id(&self) -> Option<&ProductId> {
        match self {
            Self::ProductChanged { product_id, .. } => Some(product_id),
            _ => None,
        }
    }

    /// What happened to the product, if it is about one.
    #[must_use]
    pub fn what(&self) -> Option<ProductNews> {
        match self {
            Self::ProductChanged { what, .. } => Some(*what),
            _ => None,
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

    /// That the lines of an order are other ones than before, from this moment on.
    #[must_use]
    pub fn of_lines(order_id: OrderId, at: Timestamp, before: &Content, after: &Content) -> Self {
        let (lines, count) = LineChange::between(before, after);
        Self::OrderLinesChanged { order_id, at, lines, count }
    }

    /// What happened to an order between two images of it.
    #[must_use]
    pub fn of_order(old: Option<&Order>, new: &Order) -> Vec<Self> {
        let mut changes = Vec::new();
        let order_id = || new.id.clone();
        if old.is_none() {
            changes.push(Self::OrderCreated { order_id: order_id() });
        }
        if let Some(old) = old.filter(|old| old.content.lines != new.content.lines) {
            changes.push(Self::of_lines(order_id(), new.lines_at(), &old.content, &new.content));
        }
        for set in StatusSet::ALL {
            let known = old.map(|old| old.statuses.of(set).transitions()).unwrap_or_default();
            for transition in new.statuses.of(set).transitions() {
                let crate::Transition { from, to, at, nth, .. } = transition;
                if !known.iter().any(|known| (&known.from, &known.to, known.nth) == (&from, &to, nth)) {
                    changes.push(Self::OrderStatusChanged { order_id: order_id(), set, from, to, at, nth });
                }
            }
        }
        for (line_id, history) in &new.line_statuses {
            let known = old.and_then(|old| old.line_statuses.get(line_id)).map(crate::History::transitions);
            for crate::Transition { from, to, at, nth, .. } in history.transitions() {
                let is = |known: &crate::Transition| (&known.from, &known.to, known.nth) == (&from, &to, nth);
                if !known.iter().flatten().any(is) {
                    let (order_id, line_id) = (order_id(), line_id.clone());
                    changes.push(Self::OrderLineStatusChanged { order_id, line_id, from, to, at, nth });
                }
            }
        }
        changes
    }

    /// What happened to an item of a container between two images of it.
    #[must_use]
    pub fn of_item(old: Option<&Item>, new: &Item) -> Option<Self> {
        // What was in it before the container was emptied is not what was in it now.
        let before = old.and_then(|old| old.held(new.floor));
        let after = new.held(None);
        let (what, at) = match (before, after) {
            (None, Some(held)) => (ContainerChange::ItemAdded, Some(held.since)),
            (Some(_), None) => (ContainerChange::ItemRemoved, new.latest()),
            (Some(before), Some(after)) if before.quantity != after.quantity => {
                (ContainerChange::QuantityChanged, new.latest())
            }
            _ => return None,
        };
        let product_id = Some(new.product_id.clone());
        Some(Self::ContainerChanged { container: new.container.clone(), what, product_id, at: at? })
    }

    /// What a customer is to confirm, of what was said between two images of them.
    #[must_use]
    pub fn of_consents(old: Option<&Customer>, new: &Customer) -> Option<Self> {
        let is_news = |what: &Allows| {
            let now = new.consent_to(what).filter(|consent| consent.state == ConsentState::Requested)?;
            (old.and_then(|old| old.consent_to(what)) != Some(now)).then_some(now.at)
        };
        let categories = new.category_consents.keys().cloned();
        let asked: Vec<(Code, Timestamp)> =
            categories.filter_map(|code| is_news(&Allows::Category(code.clone())).map(|at| (code, at))).collect();
        let at = asked.iter().map(|(_, at)| *at).chain(is_news(&Allows::Email)).max()?;
        Some(Self::ConsentRequested { categories: asked.into_iter().map(|(code, _)| code).collect(), at })
    }

    /// That everything that was in a container was taken out of it.
    #[must_use]
    pub fn emptied(container: Code, at: Timestamp) -> Self {
        Self::ContainerChanged { container, what: ContainerChange::Emptied, product_id: None, at }
    }

    /// What an event that was taken in means.
    #[must_use]
    pub fn of_event(event: &Event) -> Self {
        Self::EventReceived { event_id: event.id.clone(), name: event.name.clone(), kind: event.kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConsentUpdate, CustomerId};

    #[test]
    fn what_is_requested_is_to_be_confirmed_once_for_each_time_that_it_is() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let code = |text: &str| Code::parse(text).unwrap();
        let says = |customer: &Customer, what: Allows, state, second| {
            let mut customer = customer.clone();
            customer.consent(&what, ConsentUpdate { state, at: Some(at(second)) }, at(second));
            customer
        };
        let (requested, granted) = (ConsentState::Requested, ConsentState::Granted);
        let nobody = Customer::unknown(CustomerId::parse("c").unwrap());
        let asked = says(&nobody, Allows::Email, requested, 5);
        let change = |categories: &[&str], second| {
            let categories = categories.iter().map(|text| code(text)).collect();
            Some(Change::ConsentRequested { categories, at: at(second) })
        };
        assert_eq!(Change::of_consents(None, &asked), change(&[], 5));
        assert_eq!(Change::of_consents(Some(&asked), &asked), None);
        assert_eq!(Change::of_consents(Some(&asked), &says(&asked, Allows::Email, granted, 6)), None);
        assert_eq!(Change::of_consents(Some(&asked), &says(&asked, Allows::Email, requested, 7)), change(&[], 7));
        let more = says(&asked, Allows::Category(code("news")), requested, 5);
        let also = Change::of_consents(Some(&asked), &more);
        assert_eq!(also, change(&["news"], 5));
        // It is another cause than what was requested at the same time.
        assert_ne!(also.unwrap().cause(), change(&[], 5).unwrap().cause());
    }
}
