//! What the tests share.

use contracts::told::Told;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracking::{Kind, Message};

/// When everything is received here.
pub(crate) fn received() -> Timestamp {
    "2026-11-22T12:00:00.250Z".parse().unwrap()
}

/// What one message tells.
pub(crate) fn one(kind: Kind, message: &Value) -> Message {
    let mut read = tracking::read(Some(kind), message, "EUR", received()).unwrap();
    read.remove(0).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// All that a message became, to be looked at.
pub(crate) fn show(message: &Message) -> String {
    let shown = json!({
        "told": message.told.iter().map(show_told).collect::<Vec<_>>(),
        "faults": message.faults,
    });
    serde_json::to_string_pretty(&shown).unwrap()
}

fn show_told(told: &Told) -> Value {
    match told {
        Told::Customer { id, body } => json!({ format!("PATCH customer {id}"): body }),
        Told::Order { id, body, whole: true } => json!({ format!("PUT order {id}"): body }),
        Told::Order { id, body, whole: false } => json!({ format!("PATCH order {id}"): body }),
        Told::Event { body } => json!({ "POST event": body }),
        Told::Container { customer, code, body } => json!({ format!("POST {code} of {customer}"): body }),
        Told::Identified { visitor, customer } => json!({ format!("PUT visitor {visitor}"): customer }),
        Told::Merged { from, into } => json!({ format!("MERGE {from}"): into }),
        other => panic!("{other:?} is nothing that Segment's clients tell"),
    }
}
