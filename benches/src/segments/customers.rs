//! Customers with what they did, each a little otherwise.

use anyhow::Context as _;
use conditions::Facts;
use domain::{CustomerId, Event, Order, OrderId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// How many orders and events each customer has.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct History {
    pub(super) orders: u32,
    pub(super) events: u32,
}

impl History {
    /// What the figures are for.
    pub(super) const FULL: Self = Self { orders: 10, events: 50 };
}

/// A customer's rows, as the table keeps their bodies.
pub(super) struct Rows {
    pub(super) customer: Value,
    pub(super) orders: Vec<String>,
    pub(super) events: Vec<String>,
}

/// What a customer's rows hold.
pub(super) struct Decoded {
    orders: Vec<Order>,
    events: Vec<Event>,
}

/// An id that is found in no other text.
pub(super) fn id(number: usize) -> String {
    format!("c{number:07}x")
}

/// A customer as they are told.
pub(super) fn profile(number: u32) -> Value {
    json!({
        "city": if number.is_multiple_of(3) { "Riga" } else { "Tallinn" },
        "country": if number.is_multiple_of(2) { "LV" } else { "EE" },
        "birthday": format!("{}-05-01", 1960 + number % 50), "time_zone": "Europe/Riga",
    })
}

/// One of a customer's orders as it is told, spread over the last months.
pub(super) fn order(id: &str, number: u32, which: u32, now: Timestamp) -> anyhow::Result<Value> {
    let at = ago(now, which * 20 * 24 + number % 700 + 1)?;
    Ok(json!({
        "customer_id": id, "currency": "EUR", "total": format!("{}.50", 20 + (number + which) % 40),
        "created_at": at, "updated_at": at,
        "status": { "payment": "paid", "general": "completed" },
        "lines": [
            { "id": "1", "product_id": format!("p-{which}"), "quantity": "1", "price": "12.50", "categories": ["mugs"] },
            { "id": "2", "product_id": "p-x", "quantity": "2", "price": "4.00" },
        ],
    }))
}

/// One of a customer's events as it is told, spread over the last weeks.
pub(super) fn event(id: &str, number: u32, which: u32, now: Timestamp) -> anyhow::Result<Value> {
    let name = ["product_viewed", "page_viewed", "category_viewed"][which as usize % 3];
    Ok(json!({
        "id": format!("{id}-e{which}"), "customer_id": id, "name": name,
        "at": ago(now, which * 30 + number % 500)?, "source": "shop",
        "context": { "category": format!("c{}", (number + which) % 9), "price": "10.00" },
    }))
}

fn ago(now: Timestamp, hours: u32) -> anyhow::Result<Timestamp> {
    Ok(now.checked_sub(SignedDuration::from_hours(i64::from(hours)))?)
}

/// A customer's rows.
pub(super) fn rows(number: u32, history: History, now: Timestamp) -> anyhow::Result<Rows> {
    let id = id(number as usize);
    let mut customer = profile(number);
    customer["id"] = json!(CustomerId::parse(&id)?);
    let (mut orders, mut events) = (Vec::new(), Vec::new());
    for which in 0..history.orders {
        let body = order(&id, number, which, now)?;
        let update = contracts::order::read(OrderId::parse(&format!("{id}-o{which}"))?, &body, true, now);
        let update = update.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let order = Order::merge(None, update, now).ok().flatten().context("an order came to nothing")?;
        orders.push(serde_json::to_string(&order)?);
    }
    for which in 0..history.events {
        let received = contracts::event::read(&event(&id, number, which, now)?, now);
        let received = received.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        events.push(serde_json::to_string(&received.event)?);
    }
    Ok(Rows { customer, orders, events })
}

impl Rows {
    /// Parses the bodies.
    pub(super) fn decoded(&self) -> anyhow::Result<Decoded> {
        let orders: Result<Vec<Order>, _> = self.orders.iter().map(|body| serde_json::from_str(body)).collect();
        let events: Result<Vec<Event>, _> = self.events.iter().map(|body| serde_json::from_str(body)).collect();
        Ok(Decoded { orders: orders?, events: events? })
    }

    /// What conditions may ask about.
    pub(super) fn facts(&self) -> anyhow::Result<Facts> {
        Ok(self.shown(&self.decoded()?))
    }

    /// The same, of rows that were parsed.
    pub(super) fn shown(&self, decoded: &Decoded) -> Facts {
        Facts {
            single: Map::from_iter([("customer".to_owned(), self.customer.clone())]),
            orders: decoded.orders.iter().map(contracts::order::show).collect(),
            events: decoded.events.iter().map(contracts::event::show).collect(),
            ..Facts::default()
        }
    }
}
