//! Orders.

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::entities::name;
use super::{Delivery, customer};
use crate::payload::{self, Body};
use crate::{clock, guest, guest_of_order};

pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let status = payload::code(payload, "status").unwrap_or_default();
    if matches!(status.as_str(), "checkout-draft" | "auto-draft" | "draft" | "new" | "trash") {
        return Ok(Vec::new());
    }
    let id = payload::required_id(payload);
    let at = payload::instant_gmt(payload, "date_modified_gmt");
    let at = at.or_else(|| payload::instant_gmt(payload, "date_created_gmt"));
    let at = at.ok_or_else(|| vec![Fault::new("/date_modified_gmt", "is required, as a date and time in UTC")]);
    let currency = payload::text(payload, "currency").filter(|code| domain::Currency::parse(code).is_ok());
    let currency = currency.ok_or_else(|| vec![Fault::new("/currency", "is required, as three capitals (ISO 4217)")]);
    let total = payload::amount(payload, "total");
    let total = total.ok_or_else(|| vec![Fault::new("/total", "is required, as a decimal number")]);
    let (id, at, currency, total) = match (id, at, currency, total) {
        (Ok(id), Ok(at), Ok(currency), Ok(total)) => (id, at, currency, total),
        (id, at, currency, total) => {
            let faults = [id.err(), at.err(), currency.err(), total.err()];
            return Err(faults.into_iter().flatten().flatten().collect());
        }
    };

    let email = payload::text(payload::object(payload, "billing"), "email");
    let customer_id = payload::id(payload, "customer_id").or_else(|| email.as_deref().map(guest));
    let customer_id = customer_id.unwrap_or_else(|| guest_of_order(&id));
    let statuses = Statuses::of(&status, payload, at);
    let when = clock::content(at, None, statuses.rank);
    let customer = customer::within(delivery, payload, &customer_id, when);
    let body = delivery
        .said()
        .put("customer_id", Some(customer_id))
        .put("updated_at", Some(when.to_string()))
        .put("created_at", payload::instant_gmt(payload, "date_created_gmt").map(|at| at.to_string()))
        .put("currency", Some(currency))
        .put("total", Some(total))
        .nest("amounts", amounts(payload))
        .nest("status", statuses.said)
        .put("lines", Some(lines(payload)))
        .nest("delivery", how_it_gets_there(payload))
        .nest("payment", payment(payload))
        .nest("fields", fields(payload, &status));
    Ok(vec![customer, Told::Order { id, body: body.done(), whole: true }])
}

fn amounts(payload: &Value) -> Body {
    Body::default()
        .put("delivery", payload::amount(payload, "shipping_total"))
        .put("discount", payload::amount(payload, "discount_total"))
}

struct Statuses {
    said: Body,
    rank: i64,
}

impl Statuses {
    fn of(status: &str, payload: &Value, at: Timestamp) -> Self {
        let dated = |key: &str| payload::instant_gmt(payload, key);
        let on_delivery = payload.get("payment_method").and_then(Value::as_str) == Some("cod");
        // The rank is how far an order of this status usually has come.
        let (general, delivery, payment, rank) = match status {
            "pending" => (Some("received"), None, Some("awaiting_payment"), 0),
            "on-hold" => (Some("received"), None, Some("awaiting_payment"), 1),
            "failed" => (Some("received"), None, Some("failed"), 2),
            "processing" if on_delivery => (Some("confirmed"), None, Some("awaiting_payment"), 3),
            "processing" => (Some("confirmed"), None, Some("paid"), 3),
            "partial-shipped" => (None, Some("partially_shipped"), None, 5),
            "shipped" => (None, Some("shipped"), None, 6),
            "delivered" => (None, Some("delivered"), None, 7),
            "completed" => (Some("completed"), None, Some("paid"), 8),
            "cancelled" => (Some("cancelled"), None, None, 9),
            "refunded" => (None, None, Some("refunded"), 10),
            other => (Some(other).filter(|other| !other.is_empty()), None, None, 4),
        };
        let entry =
            |code: &str, at: Timestamp, rank| json!({ "code": code, "at": clock::status(at, rank).to_string() });
        let completed = dated("date_completed_gmt").filter(|_| status == "completed");
        let payment = match dated("date_paid_gmt") {
            // A fixed rank: it is paid since then whatever became of it later.
            Some(paid) if status != "refunded" => Some(entry("paid", paid, 4)),
            _ => payment.map(|code| entry(code, at, rank)),
        };
        let said = Body::default()
            .put("general", general.map(|code| entry(code, completed.unwrap_or(at), rank)))
            .put("delivery", delivery.map(|code| entry(code, at, rank)))
            .put("payment", payment);
        Self { said, rank }
    }
}

fn lines(payload: &Value) -> Vec<Value> {
    payload::list(payload, "line_items").iter().enumerate().map(|(index, item)| line(index, item)).collect()
}

/// The amounts of a line are before tax where the shop's prices are; the tax stands
/// beside them.
fn line(index: usize, item: &Value) -> Value {
    let before = payload::decimal(item, "subtotal").zip(payload::decimal(item, "total"));
    let discount = before.and_then(|(subtotal, total)| subtotal.checked_sub(total));
    let fields = Body::default()
        .put("sku", payload::text(item, "sku"))
        .put("tax", payload::amount(item, "total_tax"))
        .put("variant_id", payload::id(item, "variation_id"));
    Body::default()
        .put("id", Some(payload::id(item, "id").unwrap_or_else(|| (index + 1).to_string())))
        // A product that is no more has no id left.
        .put("product_id", Some(payload::id(item, "product_id").unwrap_or_else(|| "custom".to_owned())))
        .put("name", name(item, "name"))
        .put("quantity", payload::amount(item, "quantity"))
        .put("price", payload::amount(item, "price"))
        .put("total", payload::amount(item, "total"))
        .put("discount", payload::reckoned(discount))
        .put("image", payload::url(payload::object(item, "image"), "src"))
        .nest("fields", fields)
        .done()
}

fn how_it_gets_there(payload: &Value) -> Body {
    let shipping = payload::object(payload, "shipping");
    let billing = payload::object(payload, "billing");
    // Without a shipping address of its own it goes to the billing address.
    let to = if payload::text(shipping, "address_1").is_some() { shipping } else { billing };
    let line = payload::list(payload, "shipping_lines").first().unwrap_or(&Value::Null);
    let pickup = matches!(line.get("method_id").and_then(Value::as_str), Some("local_pickup" | "pickup_location"));
    let address = Body::default()
        .put("first_name", name(to, "first_name"))
        .put("last_name", name(to, "last_name"))
        .put("company", name(to, "company"))
        .put("street", name(to, "address_1"))
        .put("street_2", name(to, "address_2"))
        .put("city", name(to, "city"))
        .put("zip", payload::text(to, "postcode"))
        .put("province", payload::text(to, "state"))
        .put("country", payload::text(to, "country"))
        .put("phone", payload::text(to, "phone"));
    Body::default()
        .put("type", if pickup { Some("self_pickup".to_owned()) } else { name(line, "method_title") })
        .nest("address", address)
        .put("note", payload::long_text(payload, "customer_note"))
}

fn payment(payload: &Value) -> Body {
    let kind = match payload.get("payment_method").and_then(Value::as_str) {
        Some("cod") => Some("cash_on_delivery"),
        Some("bacs") => Some("bank_transfer"),
        Some("cheque") => Some("cheque"),
        _ => None,
    };
    Body::default().put("type", kind).put("provider", payload::text(payload, "payment_method"))
}

fn fields(payload: &Value, status: &str) -> Body {
    Body::default()
        .put("coupons", payload::texts(payload, "coupon_lines", "code"))
        .put("created_via", payload::text(payload, "created_via"))
        .put("number", payload::text(payload, "number"))
        .put("payment_method", name(payload, "payment_method_title"))
        .put("payment_url", payload::url(payload, "payment_url"))
        .put("tax", payload::amount(payload, "total_tax"))
        .put("woocommerce_status", Some(status).filter(|status| !status.is_empty()))
}
