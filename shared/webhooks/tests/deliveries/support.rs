//! The payloads, and what was told as text.

use std::path::PathBuf;

use contracts::told::Told;
use serde_json::{Value, json};

/// A payload as a shop sends it; all of them are made up.
pub(crate) fn payload(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/deliveries/payloads").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The payload with some of its fields given other values.
pub(crate) fn with(name: &str, patch: Value) -> Value {
    let mut payload = payload(name);
    payload.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    payload
}

/// What was told, to be compared with what was approved.
pub(crate) fn written(told: &[Told]) -> String {
    let one = |told: &Told| {
        let (what, body) = match told {
            Told::Customer { id, body } => (format!("customer {id}"), body.clone()),
            Told::CustomerErased { id } => (format!("customer {id} erased"), json!({})),
            Told::Order { id, body, whole } => (format!("order {id}, {}", part(*whole)), body.clone()),
            Told::OrderDeleted { id, at } => (format!("order {id} deleted"), json!({ "at": at })),
            Told::Event { body } => ("event".to_owned(), body.clone()),
            Told::Container { customer, code, body } => (format!("{code} of {customer}"), body.clone()),
            Told::Product { id, body, whole } => (format!("product {id}, {}", part(*whole)), body.clone()),
            Told::ProductDeleted { id, at } => (format!("product {id} deleted"), json!({ "at": at })),
            Told::Identified { visitor, customer } => (format!("visitor {visitor} is {customer}"), json!({})),
            Told::Merged { from, into } => (format!("{from} is {into}"), json!({})),
        };
        format!("{what}\n{}\n", serde_json::to_string_pretty(&body).unwrap())
    };
    told.iter().map(one).collect()
}

fn part(whole: bool) -> &'static str {
    if whole { "whole" } else { "part" }
}

/// The order of what was told.
pub(crate) fn order(told: &[Told]) -> &Value {
    fn order(told: &Told) -> Option<&Value> {
        match told {
            Told::Order { body, .. } => Some(body),
            _ => None,
        }
    }
    told.iter().find_map(order).unwrap()
}
