//! What changed in an order, when, and who said so.

use domain::dated::Dated;
use domain::{Content, History, Order, StatusSet};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::Saying;

/// Every change of an order, oldest first: each names the fields that changed, with
/// what was and what is, or the status that changed.
pub(crate) fn of(order: &Order, sayings: &[Saying]) -> Vec<Value> {
    let mut changes: Vec<(Timestamp, Value)> = Vec::new();
    let mut known: Option<Dated<Content>> = None;
    for saying in sayings {
        // What was refused when it was said is not among the sayings; what was kept
        // of one that never came to hold is passed over.
        let Ok(Some(after)) = Dated::merge(known.as_ref(), &saying.said(), Some(saying.at), saying.at) else {
            continue;
        };
        let before = known.as_ref().map(|known| fields(&known.content)).unwrap_or_default();
        let changed = differences(&before, &fields(&after.content));
        if !changed.is_empty() {
            let mut entry = json!({ "at": saying.at, "changed": changed });
            if let Some(source) = saying.fields.get("source").filter(|source| source.is_string()) {
                entry["source"] = source.clone();
            }
            changes.push((saying.at, entry));
        }
        known = Some(after);
    }
    for set in StatusSet::ALL {
        statuses(&mut changes, order.statuses.of(set), &json!({ "status": set.as_str() }));
    }
    for (line, history) in &order.line_statuses {
        statuses(&mut changes, history, &json!({ "status": "line", "line": line }));
    }
    if let Some(at) = order.deleted_at {
        changes.push((at, json!({ "at": at, "deleted": true })));
    }
    changes.sort_by_key(|(at, _)| *at);
    changes.into_iter().map(|(_, entry)| entry).collect()
}

fn statuses(changes: &mut Vec<(Timestamp, Value)>, history: &History, of: &Value) {
    for transition in history.transitions() {
        let mut entry = of.clone();
        entry["at"] = json!(transition.at);
        entry["to"] = json!(transition.to);
        if let Some(from) = transition.from {
            entry["from"] = json!(from);
        }
        if let Some(source) = transition.source {
            entry["source"] = json!(source);
        }
        changes.push((transition.at, entry));
    }
}

fn fields(content: &Content) -> Map<String, Value> {
    match serde_json::to_value(content) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("source");
            fields.retain(|_, value| !is_nothing(value));
            fields
        }
        _ => Map::new(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(object) => object.values().all(is_nothing),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut changed = Map::new();
    for name in before.keys().chain(after.keys()) {
        let (was, is) = (before.get(name), after.get(name));
        if was != is {
            changed.insert(name.clone(), json!({ "from": was, "to": is }));
        }
    }
    changed
}
