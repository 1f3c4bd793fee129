//! Conditions, each written twice: as JSON, and as a clause over the tables.

mod fields;
mod history;
mod joints;
mod windows;

use serde_json::{Value, json};

pub(crate) struct Case {
    pub(crate) json: Value,
    pub(crate) sql: String,
}

fn case(json: Value, sql: impl Into<String>) -> Case {
    Case { json, sql: sql.into() }
}

/// The segments that there are.
pub(crate) fn segments() -> Vec<(&'static str, Value)> {
    vec![
        (
            "loyal",
            json!({"count": "orders", "where": {"field": "order.status.general", "is": "completed"}, "at_least": 2}),
        ),
        ("local", json!({"field": "customer.city", "in": ["Riga", "Rīga"]})),
        ("regulars", json!({"all": [{"segment": "loyal"}, {"not": {"segment": "local"}}]})),
    ]
}

pub(crate) fn all() -> Vec<Case> {
    [fields::cases(), history::cases(), windows::cases(), joints::cases()].into_iter().flatten().collect()
}
