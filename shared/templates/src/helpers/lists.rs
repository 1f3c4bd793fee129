//! Helpers that cut, order, search and count lists.

use std::borrow::Cow;

use serde_json::Value;

use crate::run::Stop;

use super::{
    Answer, Given,
    compare::{self, Operator},
    failed, required, shown,
};

/// `limit list n`
pub(super) fn limit<'v>(given: &Given<'v>) -> Answer<'v> {
    let items = list(given)?;
    let most = required(given, 1)?;
    let Some(count) = most.as_u64() else {
        return Err(failed(format!("{} is not a number of items", shown(most))));
    };
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(Cow::Owned(items.iter().take(most).cloned().collect()))
}

/// `len value`
pub(super) fn len<'v>(given: &Given<'v>) -> Answer<'v> {
    let count = match given.param(0).map(|given| &*given.value) {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(fields)) => fields.len(),
        Some(Value::String(text)) => text.chars().count(),
        _ => 0,
    };
    Ok(Cow::Owned(Value::from(count)))
}

/// `lookup container key`
pub(super) fn lookup<'v>(given: &Given<'v>) -> Answer<'v> {
    let key = required(given, 1)?;
    let found = match given.param(0).map(|given| &given.value) {
        Some(Cow::Borrowed(container)) => item(container, key).map(Cow::Borrowed),
        Some(Cow::Owned(container)) => item(container, key).cloned().map(Cow::Owned),
        None => None,
    };
    Ok(found.unwrap_or_default())
}

/// `sort list path "desc"?`: by the value at the path, amounts by their worth, what is blank last.
pub(super) fn sort<'v>(given: &Given<'v>) -> Answer<'v> {
    let path = required(given, 1)?.as_str().unwrap_or_default();
    let descending = given.param(2).is_some_and(|given| *given.value == "desc");
    let mut items: Vec<(compare::Key<'_>, &Value)> =
        list(given)?.iter().map(|item| (compare::Key::of(at(item, path)), item)).collect();
    items.sort_by(|(a, _), (b, _)| a.order(b, descending));
    Ok(Cow::Owned(items.into_iter().map(|(_, item)| item.clone()).collect()))
}

/// `where list path value`, or `where list path "gt" value`: those of which it holds.
pub(super) fn r#where<'v>(given: &Given<'v>) -> Answer<'v> {
    let path = required(given, 1)?.as_str().unwrap_or_default();
    let value = |index: usize| given.param(index).map_or(&Value::Null, |given| &given.value);
    let (operator, wanted) = match given.params.len() {
        4 => (value(2).as_str().and_then(Operator::named).unwrap_or(Operator::Eq), value(3)),
        _ => (Operator::Eq, value(2)),
    };
    let kept = list(given)?.iter().filter(|item| operator.holds(at(item, path), wanted));
    Ok(Cow::Owned(kept.cloned().collect()))
}

/// Checks what the template must spell out.
pub(super) fn check(name: &str, literals: &[Option<&Value>]) -> Result<(), String> {
    let text = |index: usize| literals.get(index).map(|given| given.and_then(Value::as_str));
    if text(1) == Some(None) {
        return Err(format!("{name} takes the path in quotes: {{{{#each ({name} order.lines \"price\" …)}}}}"));
    }
    match (name, text(2)) {
        ("sort", Some(order)) if !matches!(order, Some("asc" | "desc")) => {
            Err("the order is \"asc\" or \"desc\"".to_owned())
        }
        ("where", Some(operator)) if literals.len() == 4 && operator.and_then(Operator::named).is_none() => {
            Err("where compares with \"eq\", \"ne\", \"gt\", \"gte\", \"lt\" or \"lte\"".to_owned())
        }
        _ => Ok(()),
    }
}

fn list<'a>(given: &'a Given<'_>) -> Result<&'a Vec<Value>, Stop> {
    let list = required(given, 0)?;
    list.as_array().ok_or_else(|| failed(format!("{} is not a list", shown(list))))
}

/// The item of a list by its index, or of an object by its name.
fn item<'v>(container: &'v Value, key: &Value) -> Option<&'v Value> {
    match (container, key) {
        (Value::Array(items), key) => {
            key.as_u64().and_then(|index| usize::try_from(index).ok()).and_then(|index| items.get(index))
        }
        (Value::Object(fields), Value::String(key)) => fields.get(key),
        _ => None,
    }
}

/// What is at a path of an item: `price`, `fields.colour`.
fn at<'v>(item: &'v Value, path: &str) -> &'v Value {
    path.split('.').try_fold(item, |within, name| within.get(name)).unwrap_or(&Value::Null)
}
