//! Values of arbitrary JSON as the plain ones that our API takes.

use domain::{Amount, read};
use serde_json::{Map, Value};

/// A text or a number as text; nothing if it is empty or anything else.
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first of several spellings of one property that is there.
pub(crate) fn first<'a>(object: &'a Map<String, Value>, names: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    names.iter().find_map(|name| {
        let value = object.get(*name).filter(|value| !value.is_null() && *value != "")?;
        Some((*name, value))
    })
}

/// An exact decimal as text.
///
/// A number that a script worked out, such as `0.1 + 0.2`, has more digits than
/// any money; what is behind the ninth is rounded.
///
/// # Errors
/// Says what is wrong.
pub(crate) fn amount(value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => {
            let exact = number.to_string();
            let digits = exact.split_once('.').map_or(0, |(_, behind)| behind.len());
            match number.as_f64() {
                Some(double) if digits > 9 || exact.contains(['e', 'E']) => {
                    let rounded = format!("{double:.9}");
                    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
                }
                _ => exact,
            }
        }
        _ => return read::amount(value).map(|_| Value::Null),
    };
    Amount::parse(&text)?;
    Ok(text.into())
}

/// An object's values as fields, which are plain: what is nested gets the names
/// on its way joined with `_`, what is nested in a list becomes its JSON.
pub(crate) fn flatten(object: &Map<String, Value>, leave_out: &[&str], into: &mut Map<String, Value>) {
    for (name, value) in object.iter().filter(|(name, _)| !leave_out.contains(&name.as_str())) {
        put(name.clone(), value, into);
    }
}

/// One value as a field, or as several.
pub(crate) fn put(name: String, value: &Value, into: &mut Map<String, Value>) {
    let plain = match value {
        Value::Object(nested) => {
            for (inner, value) in nested {
                put(format!("{name}_{inner}"), value, into);
            }
            return;
        }
        Value::Array(items) => items
            .iter()
            .map(|item| if item.is_object() || item.is_array() { item.to_string().into() } else { item.clone() })
            .collect(),
        plain => plain.clone(),
    };
    into.entry(name).or_insert(plain);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_amount_is_kept_to_its_last_digit_unless_it_was_never_one() {
        let check = |value: Value, want: Option<&str>| {
            assert_eq!(amount(&value).ok(), want.map(Value::from), "{value}");
        };
        check(json!("24.90"), Some("24.90"));
        check(json!(24.95), Some("24.95"));
        check(json!(19), Some("19"));
        check(json!(0.1 + 0.2), Some("0.3"));
        check(json!(59.970_000_000_000_006), Some("59.97"));
        check(json!(1e-12), Some("0"));
        check(json!(1e300), None);
        check(json!("12,50"), None);
        check(json!(null), None);
        check(json!({}), None);
    }

    #[test]
    fn nested_values_become_fields() {
        let value = json!({"plan": "pro", "company": {"id": 7, "tags": ["a", {"b": 1}]}, "gone": null, "id": 1});
        let mut fields = Map::new();
        flatten(value.as_object().unwrap(), &["id"], &mut fields);
        let want = json!({"plan": "pro", "company_id": 7, "company_tags": ["a", "{\"b\":1}"], "gone": null});
        assert_eq!(Value::Object(fields), want);
    }
}
