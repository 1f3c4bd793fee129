//! Customers, in a payload of their own and within orders and checkouts.

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Delivery, consent, tags};
use crate::payload::{self, Body};
use crate::{clock, guest};

/// A customer's own payload: all there is to say of their contacts and names, so
/// that what is no more is taken away.
pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let id = payload::required_id(payload)?;
    let address = payload::object(payload, "default_address");
    let at = payload::instant(payload, "updated_at").or(delivery.sent());
    let body = delivery
        .said()
        .put("updated_at", at.map(|at| clock::content(at, delivery.sent(), 0).to_string()))
        .put_or_null("email", payload::text(payload, "email"))
        .put_or_null("phone", payload::text(payload, "phone").or(payload::text(address, "phone")))
        .put_or_null("first_name", payload::text(payload, "first_name"))
        .put_or_null("last_name", payload::text(payload, "last_name"))
        .put("city", payload::text(address, "city"))
        .put("zip", payload::text(address, "zip"))
        .put("country", payload::country(address, "country_code"))
        .put("language", language(payload, "locale"))
        .put("registered_at", payload::instant(payload, "created_at").map(|at| at.to_string()))
        .put("consent", consent::given(payload))
        .nest("fields", fields(payload));
    Ok(vec![Told::Customer { id, body: body.done() }])
}

fn fields(payload: &Value) -> Body {
    Body::default()
        .put("account", payload::text(payload, "state"))
        .put("note", payload::long_text(payload, "note"))
        .put("tags", tags(payload))
        .put("tax_exempt", payload::boolean(payload, "tax_exempt"))
        .put("verified_email", payload::boolean(payload, "verified_email"))
}

/// `customers/merge`. Shopify also tells of merges that failed or go on still.
pub(super) fn merged(payload: &Value) -> Result<Vec<Told>, Faults> {
    if payload.get("status").and_then(Value::as_str).is_some_and(|status| status != "completed") {
        return Ok(Vec::new());
    }
    let one = |key: &str| payload::id(payload, key).ok_or_else(|| vec![Fault::new(format!("/{key}"), "is required")]);
    let into = one("admin_graphql_api_customer_kept_id")?;
    let from = one("admin_graphql_api_customer_deleted_id")?;
    Ok(if from == into { Vec::new() } else { vec![Told::Merged { from, into }] })
}

/// Whose an order or a checkout is: the shop's customer, or a guest by the address.
pub(super) fn id_within(payload: &Value) -> Option<String> {
    payload::id(payload::object(payload, "customer"), "id").or_else(|| email(payload).map(|email| guest(&email)))
}

fn email(payload: &Value) -> Option<String> {
    let of_customer = payload::text(payload::object(payload, "customer"), "email");
    of_customer.or_else(|| payload::text(payload, "email")).or_else(|| payload::text(payload, "contact_email"))
}

/// What an order or a checkout knows of its customer at that time. It takes nothing
/// away: not everything is known there.
pub(super) fn within(delivery: &Delivery<'_>, payload: &Value, id: &str, at: Timestamp) -> Told {
    let customer = payload::object(payload, "customer");
    let of_customer = payload::object(customer, "default_address");
    let addresses =
        [of_customer, payload::object(payload, "shipping_address"), payload::object(payload, "billing_address")];
    let address = addresses.into_iter().find(|address| address.is_object()).unwrap_or(&Value::Null);
    let name = |key: &str| payload::text(customer, key).or_else(|| payload::text(address, key));
    let phone = payload::text(customer, "phone").or_else(|| payload::text(payload, "phone"));
    let body = delivery
        .said()
        .put("updated_at", Some(at.to_string()))
        .put("email", email(payload))
        .put("phone", phone.or_else(|| payload::text(address, "phone")))
        .put("first_name", name("first_name"))
        .put("last_name", name("last_name"))
        .put("city", payload::text(address, "city"))
        .put("zip", payload::text(address, "zip"))
        .put("country", payload::country(address, "country_code"))
        .put("language", language(payload, "customer_locale"))
        .put("registered_at", payload::instant(customer, "created_at").map(|at| at.to_string()))
        .put("consent", consent::given(customer).or_else(|| ticked(payload)));
    Told::Customer { id: id.to_owned(), body: body.done() }
}

/// The box for marketing at the end of a checkout, ticked when the order was placed.
fn ticked(payload: &Value) -> Option<Value> {
    let placed = payload::id(payload, "id").is_some() && payload.get("financial_status").is_some();
    let ticked = placed && payload.get("buyer_accepts_marketing") == Some(&json!(true));
    let at = payload::instant(payload, "created_at").filter(|_| ticked)?;
    Some(consent::state("granted", Some(at)))
}

fn language(from: &Value, key: &str) -> Option<String> {
    payload::text(from, key)
        .filter(|tag| tag.len() <= 35 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}
