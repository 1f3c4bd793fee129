//! Orders.

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Delivery, customer, required_time, shop_money, tags};
use crate::payload::{self, Body};
use crate::{clock, guest_of_order};

pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let id = payload::required_id(payload);
    let at = required_time(said_at(payload));
    let currency = payload::text(payload, "currency").filter(|code| domain::Currency::parse(code).is_ok());
    let currency = currency.ok_or_else(|| vec![Fault::new("/currency", "is required, as three capitals (ISO 4217)")]);
    let total = shop_money(payload, "total_price_set", "total_price");
    let total = total.ok_or_else(|| vec![Fault::new("/total_price", "is required, as a decimal number")]);
    let (id, at, currency, total) = match (id, at, currency, total) {
        (Ok(id), Ok(at), Ok(currency), Ok(total)) => (id, at, currency, total),
        (id, at, currency, total) => {
            let faults = [id.err(), at.err(), currency.err(), total.err()];
            return Err(faults.into_iter().flatten().flatten().collect());
        }
    };

    let customer_id = customer::id_within(payload).unwrap_or_else(|| guest_of_order(&id));
    let statuses = Statuses::of(payload);
    let when = clock::content(at, delivery.sent(), statuses.rank());
    let customer = customer::within(delivery, payload, &customer_id, when);

    let body = delivery
        .said()
        .put("customer_id", Some(customer_id))
        .put("updated_at", Some(when.to_string()))
        .put("created_at", payload::instant(payload, "created_at").map(|at| at.to_string()))
        .put("currency", Some(currency))
        .put("total", Some(total))
        .nest("amounts", amounts(payload))
        .put("status", Some(statuses.said(payload, at)))
        .put("lines", Some(lines(payload, at)))
        .nest("delivery", how_it_gets_there(payload))
        .nest("payment", payment(payload))
        .nest("fields", fields(payload));
    Ok(vec![customer, Told::Order { id, body: body.done(), whole: true }])
}

/// The latest time of anything in it.
fn said_at(payload: &Value) -> Option<Timestamp> {
    let fulfillments = payload::list(payload, "fulfillments").iter().map(|one| payload::instant(one, "updated_at"));
    let refunds = payload::list(payload, "refunds").iter().map(|one| payload::instant(one, "created_at"));
    let updated = payload::instant(payload, "updated_at")?;
    fulfillments.chain(refunds).flatten().max().max(Some(updated))
}

fn amounts(payload: &Value) -> Body {
    Body::default()
        .put("delivery", shop_money(payload, "total_shipping_price_set", ""))
        .put("discount", shop_money(payload, "total_discounts_set", "total_discounts"))
}

/// A status and how far it comes after others that hold in the same second.
type Ranked = (String, i64);

struct Statuses {
    general: Ranked,
    delivery: Option<Ranked>,
    payment: Option<Ranked>,
}

impl Statuses {
    fn of(payload: &Value) -> Self {
        let delivery = delivery_status(payload);
        let is = |key: &str| payload::instant(payload, key).is_some();
        let (general, rank) = if is("cancelled_at") {
            ("cancelled", 3)
        } else if is("closed_at") {
            ("completed", 2)
        } else if delivery.is_some() {
            ("in_progress", 1)
        } else {
            ("received", 0)
        };
        let payment = payload::code(payload, "financial_status").map(|said| match said.as_str() {
            "pending" => ("awaiting_payment".to_owned(), 0),
            "authorized" => (said, 1),
            "partially_paid" => (said, 2),
            "paid" => (said, 4),
            "partially_refunded" => (said, 5),
            "refunded" => (said, 6),
            "voided" => (said, 7),
            _ => (said, 3),
        });
        Self { general: (general.to_owned(), rank), delivery, payment }
    }

    /// The further an order has come, the later its content within one second.
    fn rank(&self) -> i64 {
        let of = |ranked: &Option<Ranked>| ranked.as_ref().map_or(0, |(_, rank)| *rank);
        self.general.1 + of(&self.delivery) + of(&self.payment)
    }

    fn said(self, payload: &Value, at: Timestamp) -> Value {
        let since = |key: &str| payload::instant(payload, key).unwrap_or(at);
        let general = match self.general.0.as_str() {
            "cancelled" => since("cancelled_at"),
            "completed" => since("closed_at"),
            _ => at,
        };
        let since = |(code, rank): Ranked, at| json!({ "code": code, "at": clock::status(at, rank).to_string() });
        Body::default()
            .put("general", Some(since(self.general, general)))
            .put("delivery", self.delivery.map(|ranked| since(ranked, at)))
            .put("payment", self.payment.map(|ranked| since(ranked, at)))
            .done()
    }
}

/// How far the goods are: as far as the parcel that is furthest behind.
fn delivery_status(payload: &Value) -> Option<Ranked> {
    let (code, rank) = match payload::code(payload, "fulfillment_status")?.as_str() {
        "partial" => ("partially_shipped".to_owned(), 1),
        "fulfilled" => {
            let parcels = payload::list(payload, "fulfillments").iter().filter(|one| is_under_way(one));
            let furthest_behind = parcels.map(parcel).min_by_key(|(_, rank)| *rank).unwrap_or(("shipped", 2));
            (furthest_behind.0.to_owned(), furthest_behind.1)
        }
        other => (other.to_owned(), 8),
    };
    Some((code, rank))
}

fn is_under_way(fulfillment: &Value) -> bool {
    let status = fulfillment.get("status").and_then(Value::as_str).unwrap_or_default();
    !matches!(status, "cancelled" | "error" | "failure")
}

fn parcel(fulfillment: &Value) -> (&'static str, i64) {
    match fulfillment.get("shipment_status").and_then(Value::as_str).unwrap_or_default() {
        "out_for_delivery" => ("out_for_delivery", 3),
        "attempted_delivery" => ("attempted_delivery", 4),
        "ready_for_pickup" => ("at_pickup_point", 5),
        "failure" => ("delivery_failed", 6),
        "delivered" => ("delivered", 7),
        _ => ("shipped", 2),
    }
}

fn lines(payload: &Value, at: Timestamp) -> Vec<Value> {
    payload::list(payload, "line_items").iter().enumerate().map(|(index, item)| line(index, item, at)).collect()
}

fn line(index: usize, item: &Value, at: Timestamp) -> Value {
    let (price, quantity) = (payload::decimal(item, "price"), payload::decimal(item, "quantity"));
    // The discounts on the whole order that fall on this line stand in its
    // allocations alone.
    let allocated = payload::list(item, "discount_allocations").iter();
    let allocated: Vec<Decimal> = allocated.filter_map(|one| payload::decimal(one, "amount")).collect();
    let discount = match allocated.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(*one)) {
        Some(sum) if !allocated.is_empty() => Some(sum),
        _ => payload::decimal(item, "total_discount"),
    };
    let total = price.zip(quantity).and_then(|(price, quantity)| price.checked_mul(quantity));
    let total = total.and_then(|total| total.checked_sub(discount.unwrap_or_default()));
    let status = match item.get("fulfillment_status").and_then(Value::as_str) {
        Some("fulfilled") => Some(("shipped", 2)),
        Some("partial") => Some(("partially_shipped", 1)),
        _ => None,
    };
    let fields = Body::default()
        .put("sku", payload::text(item, "sku"))
        .put("variant_id", payload::id(item, "variant_id"))
        .put("variant_title", payload::text(item, "variant_title"))
        .put("vendor", payload::text(item, "vendor"));
    Body::default()
        .put("id", Some(payload::id(item, "id").unwrap_or_else(|| (index + 1).to_string())))
        .put("product_id", Some(product_of(item)))
        .put("name", payload::text(item, "name").or_else(|| payload::text(item, "title")))
        .put("quantity", payload::amount(item, "quantity"))
        .put("price", payload::amount(item, "price"))
        .put("total", payload::reckoned(total))
        .put("discount", payload::reckoned(discount))
        .put("weight", payload::amount(item, "grams"))
        .put("status", status.map(|(code, rank)| json!({ "code": code, "at": clock::status(at, rank).to_string() })))
        .nest("fields", fields)
        .done()
}

/// The product of a line. A line that somebody typed in, such as a tip or a gift
/// wrap, has none in the shop; it has an id of its own kind.
pub(super) fn product_of(item: &Value) -> String {
    let custom = || match payload::id(item, "sku") {
        Some(sku) if sku.len() <= 150 => format!("custom:{sku}"),
        _ => "custom".to_owned(),
    };
    payload::id(item, "product_id").unwrap_or_else(custom)
}

fn how_it_gets_there(payload: &Value) -> Body {
    let address = payload::object(payload, "shipping_address");
    let line = payload::list(payload, "shipping_lines").first().unwrap_or(&Value::Null);
    let fulfillments = payload::list(payload, "fulfillments").iter().rev();
    let carrier = fulfillments.filter_map(|one| payload::text(one, "tracking_company")).next();
    let address = Body::default()
        .put("first_name", payload::text(address, "first_name"))
        .put("last_name", payload::text(address, "last_name"))
        .put("company", payload::text(address, "company"))
        .put("street", payload::text(address, "address1"))
        .put("street_2", payload::text(address, "address2"))
        .put("city", payload::text(address, "city"))
        .put("zip", payload::text(address, "zip"))
        .put("province", payload::text(address, "province"))
        .put("country", payload::country(address, "country_code").or_else(|| payload::text(address, "country")))
        .put("phone", payload::text(address, "phone"));
    Body::default()
        .put("type", payload::text(line, "title"))
        .put("carrier", carrier)
        .nest("address", address)
        .put("note", payload::long_text(payload, "note"))
}

fn payment(payload: &Value) -> Body {
    let names = payload::list(payload, "payment_gateway_names").iter();
    let names: Vec<String> = names.filter_map(|name| payload::text_of(name, 200)).collect();
    let on_delivery = names.iter().any(|name| name.to_lowercase().contains("cash on delivery"));
    let provider = (!names.is_empty()).then(|| names.join(", ").chars().take(500).collect::<String>());
    Body::default()
        .put("type", on_delivery.then_some("cash_on_delivery"))
        .put("provider", provider.or_else(|| payload::text(payload, "gateway")))
}

fn fields(payload: &Value) -> Body {
    let parcels = || payload::list(payload, "fulfillments").iter().filter(|one| is_under_way(one));
    let tracked = |key: &str| {
        let found: Vec<String> = parcels().filter_map(|parcel| payload::url(parcel, key)).collect();
        (!found.is_empty()).then_some(found)
    };
    Body::default()
        .put("cancel_reason", payload::text(payload, "cancel_reason"))
        .put("current_total", shop_money(payload, "current_total_price_set", "current_total_price"))
        .put("discount_codes", payload::texts(payload, "discount_codes", "code"))
        .put("name", payload::text(payload, "name"))
        .put("sales_channel", payload::text(payload, "source_name"))
        .put("status_url", payload::url(payload, "order_status_url"))
        .put("tags", tags(payload))
        .put("tax", shop_money(payload, "total_tax_set", "total_tax"))
        .put("test", payload::boolean(payload, "test").filter(|test| *test))
        .put("tracking_numbers", tracked("tracking_number"))
        .put("tracking_urls", tracked("tracking_url"))
}
