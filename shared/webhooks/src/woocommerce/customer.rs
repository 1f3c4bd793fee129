//! Customers, in a payload of their own and within orders.

use contracts::told::Told;
use domain::read::Faults;
use jiff::Timestamp;
use serde_json::Value;

use super::Delivery;
use super::entities::name;
use crate::clock;
use crate::payload::{self, Body};

/// A customer's account: all there is to say of names and contacts, so that what is
/// no more is taken away. WooCommerce itself knows of no consent.
pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let id = payload::required_id(payload)?;
    let billing = payload::object(payload, "billing");
    let created = payload::instant_gmt(payload, "date_created_gmt");
    let at = payload::instant_gmt(payload, "date_modified_gmt").or(created);
    let fields = Body::default()
        .put("company", name(billing, "company"))
        .put("paying_customer", payload::boolean(payload, "is_paying_customer"))
        .put("role", payload::text(payload, "role"));
    let body = delivery
        .said()
        .put("updated_at", at.map(|at| clock::content(at, None, 0).to_string()))
        .put_or_null("email", payload::text(payload, "email").or_else(|| payload::text(billing, "email")))
        .put_or_null("phone", payload::text(billing, "phone"))
        .put_or_null("first_name", name(payload, "first_name").or_else(|| name(billing, "first_name")))
        .put_or_null("last_name", name(payload, "last_name").or_else(|| name(billing, "last_name")))
        .put("city", name(billing, "city"))
        .put("zip", payload::text(billing, "postcode"))
        .put("country", payload::country(billing, "country"))
        .put("registered_at", created.map(|at| at.to_string()))
        .nest("fields", fields);
    Ok(vec![Told::Customer { id, body: body.done() }])
}

/// What an order's billing address says of its customer at that time. It takes
/// nothing away.
pub(super) fn within(delivery: &Delivery<'_>, payload: &Value, id: &str, at: Timestamp) -> Told {
    let billing = payload::object(payload, "billing");
    let body = delivery
        .said()
        .put("updated_at", Some(at.to_string()))
        .put("email", payload::text(billing, "email"))
        .put("phone", payload::text(billing, "phone"))
        .put("first_name", name(billing, "first_name"))
        .put("last_name", name(billing, "last_name"))
        .put("city", name(billing, "city"))
        .put("zip", payload::text(billing, "postcode"))
        .put("country", payload::country(billing, "country"));
    Told::Customer { id: id.to_owned(), body: body.done() }
}
