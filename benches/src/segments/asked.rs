//! The conditions.

use conditions::{Condition, Scope};
use serde_json::{Value, json};

/// How many segments are built at once.
pub(super) const BUILT: usize = 20;

/// How many of the active segments may turn by what is sent.
pub(super) const CONCERNED: usize = 10;

/// An event that nobody asks about, and one that those segments ask about.
pub(super) const UNHEARD: &str = "page_viewed";
pub(super) const HEARD: &str = "category_viewed";

/// The audience that some segments ask about.
pub(super) const AUDIENCE: &str = "guests";

pub(super) fn parsed(json: &Value) -> anyhow::Result<Condition> {
    Condition::parse(json, &Scope::SEGMENT).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

/// What `benches/duckdb_segment.py` asks, over customers made the same way.
pub(super) fn six() -> Value {
    json!({ "all": [
        { "field": "customer.city", "is": "Riga" },
        { "field": "customer.birthday", "less_than": "2000-01-01" },
        { "count": "orders", "less_than": 18 },
        { "last": "orders.created_at", "at_most": { "ago": "10d" } },
        { "sum": "orders.total", "during": { "last": "90d" }, "more_than": 60 },
        five()["all"][4],
    ] })
}

pub(super) fn one() -> Value {
    json!({ "field": "customer.city", "is": "Riga" })
}

pub(super) fn five() -> Value {
    json!({ "all": [
        { "field": "customer.birthday", "less_than": "2000-01-01" },
        { "field": "customer.country", "in": ["LV", "EE"] },
        { "last": "orders.created_at", "at_least": { "ago": "60d" } },
        { "sum": "orders.total", "during": { "last": "90d" }, "more_than": 120 },
        {
            "count": "events", "during": { "last": "30d" },
            "where": { "all": [
                { "field": "event.name", "is": "category_viewed" },
                { "field": "event.context.category", "in": ["c1", "c2", "c3"] },
            ] },
        },
    ] })
}

/// As [`five`], about something else each time.
pub(super) fn like_five(number: usize) -> Value {
    let mut condition = five();
    condition["all"][3]["more_than"] = json!(50 + number);
    condition["all"][4]["where"]["all"][1]["in"] = json!([format!("c{}", number % 9), format!("c{}", number % 7)]);
    condition["all"][4]["during"]["last"] = json!(format!("{}d", 7 + number % 60));
    condition
}

/// The segments that are built at once: from those of one comparison to those of five leaves.
pub(super) fn built() -> Vec<Value> {
    let build = |number: usize| match number % 5 {
        0 | 1 => like_five(number),
        2 => json!({ "all": [
            { "field": "customer.city", "is": "Riga" },
            { "sum": "orders.total", "at_least": 20 + number },
        ] }),
        3 => json!({
            "count": "events", "during": { "last": format!("{}d", 5 + number) },
            "where": { "field": "event.name", "is": "product_viewed" }, "at_least": 1 + number % 3,
        }),
        _ => json!({ "last": "orders.created_at", "at_most": { "ago": format!("{}d", 10 + number) } }),
    };
    (0..BUILT).map(build).collect()
}

/// A segment that nobody is in.
pub(super) fn nobody(number: usize) -> Value {
    json!({ "field": "customer.city", "is": format!("Nowhere {number}") })
}

/// One of the active segments. The first [`CONCERNED`] ask about orders and about one kind of
/// event; an eleventh order lets a customer into the first, and nothing into any other. What
/// the rest asks about is not sent.
pub(super) fn active(number: usize) -> Value {
    if number < CONCERNED {
        let orders = if number == 0 { 11 } else { 1_000 + number };
        return json!({ "any": [
            { "count": "orders", "at_least": orders },
            { "count": "events", "where": { "field": "event.name", "is": HEARD }, "at_least": 10_000 + number },
        ] });
    }
    // No containers: an order may empty one.
    match number % 5 {
        0 => nobody(number),
        1 => json!({
            "count": "events", "where": { "field": "event.name", "is": format!("survey_{number}") }, "at_least": 1,
        }),
        2 => json!({ "all": [{ "audience": AUDIENCE }, { "field": "customer.country", "is": format!("X{number}") }] }),
        3 => json!({ "field": "customer.birthday", "less_than": format!("{}-01-01", 1000 + number % 900) }),
        _ => json!({ "count": "messages", "at_least": number }),
    }
}
