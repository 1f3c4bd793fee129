//! Whom a dead letter is about.

use std::collections::{BTreeSet, HashMap};

use contracts::{DeliverMessage, Evaluation, ProductWork};
use domain::{CustomerId, EmailAddress, MessageId};
use serde::Deserialize;
use serde_json::Value;

/// What a letter names by which it may be known whom it is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Customers.
    pub(crate) customers: BTreeSet<CustomerId>,
    /// Messages, which know their customers.
    pub(crate) messages: BTreeSet<MessageId>,
    /// Addresses, by which to go where no message is known.
    pub(crate) addresses: Vec<EmailAddress>,
}

/// As much of an event of SES's as says which mail it is about. Those that are dead
/// letters may lack anything else.
#[derive(Deserialize)]
struct SesEvent {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    mail: Mail,
}

#[derive(Deserialize)]
struct Mail {
    tags: HashMap<String, Vec<String>>,
}

impl Named {
    /// What a letter names. One that is nothing we know, such as one of another version
    /// of the bundle, or no JSON, is taken to name every text in it that may be a name:
    /// better it goes without need than somebody stays.
    pub(crate) fn by(letter: &str) -> Self {
        if let Some(customer) = customer_of(letter) {
            return Self { customers: customer.into_iter().collect(), ..Self::default() };
        }
        let mut texts = Texts::default();
        match serde_json::from_str(letter) {
            Ok(value) => texts.take(&value, false),
            Err(_) => texts.all.extend(letter.split('"').map(str::to_owned)),
        }
        let addresses = texts.all.iter().filter_map(|text| address(text)).collect();
        let tags = serde_json::from_str::<SesEvent>(letter).map(|event| event.detail.mail.tags).unwrap_or_default();
        if let Some(values) = tags.get("message_id") {
            let messages = values.iter().filter_map(|id| MessageId::parse(id).ok()).collect();
            return Self { messages, addresses, ..Self::default() };
        }
        let customers = if texts.of_customers.is_empty() { &texts.all } else { &texts.of_customers };
        Self {
            customers: customers.iter().filter_map(|id| CustomerId::parse(id).ok()).collect(),
            messages: texts.all.iter().filter_map(|id| MessageId::parse(id).ok()).collect(),
            addresses,
        }
    }
}

/// The customer whom a letter of our own names, if it names any; none if it is another's
/// or cannot be read.
fn customer_of(letter: &str) -> Option<Option<CustomerId>> {
    if let Ok(Evaluation { customer_id, .. }) = serde_json::from_str(letter) {
        return Some(Some(customer_id));
    }
    if let Ok(DeliverMessage { message, .. }) = serde_json::from_str(letter) {
        return Some(Some(message.customer_id));
    }
    match serde_json::from_str(letter).ok()? {
        ProductWork::Changed { .. } => Some(None),
        ProductWork::Page { customer_id, .. } => Some(customer_id),
    }
}

/// The texts in a letter.
#[derive(Default)]
struct Texts {
    all: BTreeSet<String>,
    /// Those of them that are said to be customers' ids.
    of_customers: BTreeSet<String>,
}

impl Texts {
    fn take(&mut self, value: &Value, of_customer: bool) {
        match value {
            Value::String(text) => {
                self.all.insert(text.clone());
                if of_customer {
                    self.of_customers.insert(text.clone());
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.take(value, of_customer)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| self.take(value, name == "customer_id")),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The address in `ada@example.com`, or in `"Ada" <ada@example.com>`.
fn address(text: &str) -> Option<EmailAddress> {
    let plain = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    if plain.contains('@') { EmailAddress::parse(plain).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(letter: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let named = Named::by(letter);
        (
            named.customers.into_iter().map(String::from).collect(),
            named.messages.into_iter().map(String::from).collect(),
            named.addresses.iter().map(|address| address.as_str().to_owned()).collect(),
        )
    }

    #[test]
    fn an_evaluation_is_about_its_customer_and_nobody_who_has_an_orders_name() {
        let change = json!({ "type": "order_created", "order_id": "1001" });
        let cause = json!({ "cause": "changed", "change": change, "at": "2026-11-22T10:00:00Z" });
        let letter = json!({ "customer_id": "ada", "causes": [cause] });
        assert!(serde_json::from_value::<Evaluation>(letter.clone()).is_ok(), "it is one");
        assert_eq!(named(&letter.to_string()), (vec!["ada".into()], vec![], vec![]));
        // Of a version whose causes are not ours.
        let other = json!({ "customer_id": "ada", "causes": [{ "cause": "moved", "to": "1001" }] });
        assert_eq!(named(&other.to_string()).0, ["ada"]);
    }

    #[test]
    fn a_delivery_is_about_its_messages_customer() {
        let message = json!({
            "id": "m-1", "customer_id": "ada", "origin": { "type": "mailing", "mailing_id": "spring", "version": 1 },
            "purpose": "marketing", "template_id": "spring", "template_version": 1, "created_at": "2026-11-22T10:00:00Z",
        });
        let letter = json!({ "message": message });
        assert!(serde_json::from_value::<DeliverMessage>(letter.clone()).is_ok(), "it is one");
        assert_eq!(named(&letter.to_string()), (vec!["ada".into()], vec![], vec![]));
    }

    #[test]
    fn what_happened_to_a_product_is_about_nobody() {
        let change = json!({ "type": "product_changed", "product_id": "1001", "what": "back_in_stock", "at": "2026-11-22T10:00:00Z" });
        let happened = json!({ "change": change, "at": "2026-11-22T10:00:00Z" });
        let changed = json!({ "work": "changed", "happened": [happened] });
        assert!(serde_json::from_value::<ProductWork>(changed.clone()).is_ok(), "it is one");
        assert_eq!(named(&changed.to_string()), (vec![], vec![], vec![]));
    }

    #[test]
    fn a_page_of_whom_a_product_concerns_is_about_whom_its_place_names() {
        let change = json!({ "type": "product_changed", "product_id": "bob", "what": "back_in_stock", "at": "2026-11-22T10:00:00Z" });
        let happened = json!({ "change": change, "at": "2026-11-22T10:00:00Z" });
        let page = json!({
            "work": "page", "happened": happened, "concerned": { "holding": "wishlist" },
            "after": "3\ncustomer#ada\nitem#wishlist#bob", "customer_id": "ada",
        });
        assert!(serde_json::from_value::<ProductWork>(page.clone()).is_ok(), "it is one");
        assert_eq!(named(&page.to_string()).0, ["ada"]);
    }

    #[test]
    fn an_event_of_ses_is_about_the_message_in_its_tag_however_broken_the_rest_is() {
        let mail =
            json!({ "destination": ["ada@example.com"], "tags": { "message_id": ["m-1"], "campaign": ["ada"] } });
        let letter = json!({ "detail": { "eventType": 7, "mail": mail } });
        assert_eq!(named(&letter.to_string()), (vec![], vec!["m-1".into()], vec!["ada@example.com".into()]));
    }

    #[test]
    fn of_what_is_nothing_that_we_know_every_text_counts() {
        let letter = r#"{"who": "ada", "to": ["\"Ada\" <ada@example.com>"]}"#;
        assert_eq!(named(letter).0, ["\"Ada\" <ada@example.com>", "ada"]);
        assert_eq!(named(letter).2, ["ada@example.com"]);
        let broken = r#"{"customer_id":"ada","causes":[{"mail":"ada@example.com","#;
        assert!(named(broken).0.contains(&"ada".to_owned()) && named(broken).2 == ["ada@example.com"]);
    }
}
