//! Helpers that cut, order, search and count lists.

use handlebars::{Context, Helper, RenderError};
use serde_json::Value;

use super::{
    compare::{self, Operator},
    failed, required, shown,
};

/// `limit list n`
pub(super) fn limit(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let items = list(helper)?;
    let most = required(helper, 1)?;
    let Some(count) = most.as_u64() else {
        return Err(failed(format!("{} is not a number of items", shown(most))));
    };
    Ok(items.iter().take(usize::try_from(count).unwrap_or(usize::MAX)).cloned().collect())
}

/// `len value`
pub(super) fn len(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    Ok(Value::from(match helper.param(0).map(|given| given.value()) {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(fields)) => fields.len(),
        Some(Value::String(text)) => text.chars().count(),
        _ => 0,
    }))
}

/// `lookup container key`
pub(super) fn lookup(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let key = required(helper, 1)?;
    let container = helper.param(0).map_or(&Value::Null, |given| given.value());
    let found = match (container, key) {
        (Value::Array(items), key) => {
            key.as_u64().and_then(|index| usize::try_from(index).ok()).and_then(|index| items.get(index))
        }
        (Value::Object(fields), Value::String(key)) => fields.get(key),
        _ => None,
    };
    Ok(found.cloned().unwrap_or_default())
}

/// `sort list path "desc"?`: by the value at the path, amounts by their worth, what is blank last.
pub(super) fn sort(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let path = required(helper, 1)?.as_str().unwrap_or_default();
    let descending = helper.param(2).is_some_and(|given| given.value() == "desc");
    let mut items: Vec<(compare::Key<'_>, &Value)> =
        list(helper)?.iter().map(|item| (compare::Key::of(at(item, path)), item)).collect();
    items.sort_by(|(a, _), (b, _)| a.order(b, descending));
    Ok(items.into_iter().map(|(_, item)| item.clone()).collect())
}

/// `where list path value`, or `where list path "gt" value`: those of which it holds.
pub(super) fn r#where(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let path = required(helper, 1)?.as_str().unwrap_or_default();
    let given = |index: usize| helper.param(index).map_or(&Value::Null, |given| given.value());
    let (operator, wanted) = match helper.params().len() {
        4 => (given(2).as_str().and_then(Operator::named).unwrap_or(Operator::Eq), given(3)),
        _ => (Operator::Eq, given(2)),
    };
    let kept = list(helper)?.iter().filter(|item| operator.holds(at(item, path), wanted));
    Ok(kept.cloned().collect())
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

fn list<'a>(helper: &'a Helper<'_>) -> Result<&'a Vec<Value>, RenderError> {
    let given = required(helper, 0)?;
    given.as_array().ok_or_else(|| failed(format!("{} is not a list", shown(given))))
}

/// What is at a path of an item: `price`, `fields.colour`.
fn at<'v>(item: &'v Value, path: &str) -> &'v Value {
    path.split('.').try_fold(item, |within, name| within.get(name)).unwrap_or(&Value::Null)
}
