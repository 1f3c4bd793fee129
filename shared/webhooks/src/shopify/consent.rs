//! What Shopify knows of a customer's consent to e-mail.

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use jiff::Timestamp;
use serde_json::Value;

use super::Delivery;
use crate::payload::{self, Body};

/// `customers_email_marketing_consent/update`.
pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let id = payload::id(payload, "customer_id")
        .ok_or_else(|| vec![Fault::new("/customer_id", "is required, as a number or a text of at most 200 bytes")])?;
    let consent = given(payload);
    if consent.is_none() {
        return Ok(Vec::new());
    }
    // Undated, this would speak of the profile as it is now, of which it says nothing.
    let body = delivery.said().put("consent", consent).put("updated_at", delivery.sent().map(|at| at.to_string()));
    Ok(vec![Told::Customer { id, body: body.done() }])
}

/// The consent of a customer's payload, in either of the ways that Shopify has had.
///
/// Whoever never subscribed said nothing, and neither did who has yet to confirm.
pub(super) fn given(customer: &Value) -> Option<Value> {
    let consent = payload::object(customer, "email_marketing_consent");
    if !consent.is_null() {
        let at = payload::instant(consent, "consent_updated_at");
        return match consent.get("state").and_then(Value::as_str)? {
            "subscribed" => Some(state("granted", at)),
            "unsubscribed" | "redacted" => Some(state("denied", at)),
            _ => None,
        };
    }
    let at = payload::instant(customer, "accepts_marketing_updated_at");
    match payload::boolean(customer, "accepts_marketing")? {
        true => Some(state("granted", at)),
        // At first everybody's is false, as of when they were created.
        false if at > payload::instant(customer, "created_at") => Some(state("denied", at)),
        false => None,
    }
}

/// Consent in the words of our API.
pub(super) fn state(state: &str, at: Option<Timestamp>) -> Value {
    let email = Body::default().put("state", Some(state)).put("at", at.map(|at| at.to_string()));
    Body::default().nest("email", email).done()
}
