//! What somebody did, as an event.

use contracts::told::Told;
use domain::digest;
use serde_json::{Map, Value, json};

use crate::plain;
use crate::said::Said;

/// What of a message's context an event keeps, and which parts of each. Where
/// somebody is and by what device they can be followed is left behind.
const KEPT: &[(&str, &[&str])] = &[
    ("page", &["url", "path", "title", "referrer", "search"]),
    ("campaign", &[]),
    ("referrer", &[]),
    ("app", &["name", "version"]),
    ("device", &["type", "manufacturer", "model"]),
    ("os", &[]),
    ("library", &[]),
];

/// What one knows of a page.
const PAGE: &[&str] = &["url", "path", "title", "referrer", "search"];

/// The event that a message is, with this name and what it says of itself.
pub(crate) fn told(said: &Said<'_>, name: &str, mut context: Map<String, Value>) -> Told {
    for (part, wanted) in KEPT {
        let Some(Value::Object(known)) = said.context.get(*part) else { continue };
        let kept: Map<String, Value> = known
            .iter()
            .filter(|(name, value)| (wanted.is_empty() || wanted.contains(&name.as_str())) && *value != "")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !kept.is_empty() && !context.contains_key(*part) {
            context.insert((*part).to_owned(), kept.into());
        }
    }
    let mut body = json!({
        "id": said.id,
        "name": name,
        "kind": "web_event",
        "at": said.at(),
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    put("customer_id", said.user.clone().map(Value::from));
    put("anonymous_id", said.visitor.clone().map(Value::from));
    put("session_id", session(said).map(Value::from));
    put("context", Some(context).filter(|context| !context.is_empty()).map(Value::from));
    Told::Event { body }
}

/// A page or a screen that was seen.
pub(crate) fn seen(said: &mut Said<'_>, name: &str) -> Told {
    let mut context = said.part("properties").into_owned();
    for part in ["name", "category"] {
        if let Some(value) = plain::text(said.object.get(part)) {
            context.entry(part).or_insert(value.into());
        }
    }
    if let Some(Value::Object(page)) = said.context.get("page") {
        for part in PAGE {
            if let Some(value) = page.get(*part).filter(|value| *value != "") {
                context.entry(*part).or_insert_with(|| value.clone());
            }
        }
    }
    told(said, name, context)
}

/// That somebody belongs to a group.
pub(crate) fn group(said: &mut Said<'_>) -> Option<Told> {
    let Some(group) = plain::text(said.object.get("groupId")) else {
        said.fault("/groupId", "is required");
        return None;
    };
    let mut context = Map::new();
    context.insert("group_id".into(), group.into());
    let traits = said.part("traits");
    if !traits.is_empty() {
        context.insert("traits".into(), traits.into_owned().into());
    }
    Some(told(said, "group", context))
}

/// The visit, where clients are wont to say which it is.
fn session(said: &Said<'_>) -> Option<String> {
    const NAMES: &[&str] = &["session_id", "sessionId"];
    let of = |object: &Map<String, Value>| plain::text(plain::first(object, NAMES).map(|(_, value)| value));
    let object = |name: &str| said.object.get(name).and_then(Value::as_object);
    let session = object("properties")
        .and_then(of)
        .or_else(|| of(&said.context))
        .or_else(|| object("integrations")?.values().filter_map(Value::as_object).find_map(of));
    session.filter(|session| session.chars().count() <= 500)
}

/// An event's name as a code: small letters and digits, with `_` for what is
/// between the words. If anything more than that is lost, a few characters made
/// from the whole name tell it from other names that lost as much.
pub(crate) fn code(name: &str) -> String {
    const MOST: usize = 100;
    let mut code = String::with_capacity(name.len() + 8);
    let (mut lost, mut small) = (false, false);
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
            if small && c.is_ascii_uppercase() {
                code.push('_');
            }
            code.push(c.to_ascii_lowercase());
        } else {
            lost |= !c.is_ascii();
            if !code.is_empty() && !code.ends_with('_') {
                code.push('_');
            }
        }
        small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    code.truncate(code.trim_end_matches('_').len());
    if code.is_empty() || code.len() > MOST || lost {
        code.truncate(MOST);
        let start = if code.is_empty() { "event" } else { code.trim_end_matches('_') };
        code = format!("{start}_{}", &digest(&["event", name])[..8]);
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Code;
    use proptest::prelude::*;

    #[test]
    fn a_name_becomes_a_code() {
        let check = |name: &str, want: &str| assert_eq!(code(name), want, "{name}");
        check("Item Purchased", "item_purchased");
        check("signedUp", "signed_up");
        check("order_shipped", "order_shipped");
        check("  Clicked: «Buy» (now!) ", "clicked_buy_now_eae6c4b1");
        check("Clicked: Buy (now!)", "clicked_buy_now");
        check("SKU Viewed", "sku_viewed");
        check("app.opened-1", "app.opened-1");
        assert_ne!(code("Заказ оформлен"), code("Заказ отменён"));
        assert!(code("Заказ оформлен").starts_with("event_"));
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_code(name in "\\PC{1,300}") {
            prop_assert!(Code::parse(&code(&name)).is_ok(), "{}", code(&name));
        }
    }
}
