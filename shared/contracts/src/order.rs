//! Orders over the API.

use std::collections::BTreeSet;

use domain::dated::Said;
use domain::read::{self, Faults, Reader, put};
use domain::{
    Amount, Code, Currency, CustomerId, Delivery, Fault, History, Line, Order, OrderAmounts, OrderId, OrderUpdate,
    Payment, StatusOf, StatusSet, StatusUpdate,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::times::not_ahead;

/// The most lines that an order may have.
const MAX_LINES: usize = 1_000;

/// What an order cannot be without.
const NEEDED: [&str; 2] = ["currency", "total"];

/// Reads the body of `PUT /v1/orders/{id}`, which is the whole, or of `PATCH`,
/// which is a part of it: there, null takes a field away.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(id: OrderId, body: &Value, whole: bool, now: Timestamp) -> Result<OrderUpdate, Faults> {
    let mut reader = Reader::new(body);
    let customer_id = match whole {
        true => reader.required("customer_id", read::parsed(CustomerId::parse)),
        false => reader.optional("customer_id", read::parsed(CustomerId::parse)),
    };
    let updated_at = reader.optional("updated_at", read::instant);
    let source = reader.optional("source", read::parsed(Code::parse));
    let mut fields = Map::new();
    put(&mut fields, "created_at", reader.optional("created_at", read::instant));
    put(&mut fields, "currency", reader.optional("currency", read::parsed(Currency::parse)));
    put(&mut fields, "total", reader.optional("total", read::amount));
    for name in NEEDED {
        if body.is_object() && (whole && body.get(name).is_none() || body.get(name).is_some_and(Value::is_null)) {
            reader.fault(name, "is required");
        }
    }
    if !whole && body.get("customer_id").is_some_and(Value::is_null) {
        reader.fault("customer_id", "is required, so it cannot be taken away");
    }
    let amounts = reader.nested("amounts", |mut reader| {
        let amounts = OrderAmounts {
            money: reader.optional("money", read::amount),
            bonus: reader.optional("bonus", read::amount),
            delivery: reader.optional("delivery", read::amount),
            discount: reader.optional("discount", read::amount),
        };
        reader.finish().map(|()| amounts)
    });
    put(&mut fields, "amounts", amounts);
    let mut statuses = reader.nested("status", statuses).unwrap_or_default();
    let lines = reader.raw("lines").is_some().then(|| reader.list("lines", MAX_LINES, line));
    let place = reader.place("lines");
    reader.faults(twice(body).map(|index| Fault::new(format!("{place}/{index}/id"), "is the id of a line before it")));
    if let Some(lines) = lines {
        let (lines, line_statuses): (Vec<Line>, Vec<_>) = lines.into_iter().unzip();
        statuses.extend(line_statuses.into_iter().flatten());
        put(&mut fields, "lines", Some(lines));
    }
    let delivery = reader.nested("delivery", |mut reader| {
        let delivery = Delivery {
            r#type: reader.optional("type", read::short),
            carrier: reader.optional("carrier", read::short),
            address: reader.optional("address", read::fields).unwrap_or_default(),
            date: reader.optional("date", read::short),
            note: reader.optional("note", |value| read::text(value, 2_000)),
        };
        reader.finish().map(|()| delivery)
    });
    put(&mut fields, "delivery", delivery);
    let payment = reader.nested("payment", |mut reader| {
        let payment = Payment {
            r#type: reader.optional("type", read::short),
            provider: reader.optional("provider", read::short),
        };
        reader.finish().map(|()| payment)
    });
    put(&mut fields, "payment", payment);
    put(&mut fields, "container", reader.optional("container", read::parsed(Code::parse)));
    put(&mut fields, "fields", reader.optional("fields", read::fields));
    not_ahead(&mut reader, "updated_at", updated_at, now);
    let late: Vec<Fault> =
        statuses.iter().filter_map(|status| crate::times::ahead(&status.pointer, status.at?, now)).collect();
    reader.faults(late);
    reader.finish()?;
    if !whole {
        read::take_nulls(&mut fields, body, &["customer_id", "updated_at", "source", "status"]);
    }
    if whole || !fields.is_empty() {
        put(&mut fields, "source", source.clone());
    }
    for status in &mut statuses {
        status.source.clone_from(&source);
    }
    Ok(OrderUpdate { id, customer_id, updated_at, said: Said { whole, fields }, statuses })
}

/// `{"delivery": "shipped"}`, or `{"delivery": {"code": "shipped", "at": "…"}}`.
fn statuses(mut reader: Reader<'_>) -> Result<Vec<StatusUpdate>, Faults> {
    let mut updates = Vec::new();
    for set in StatusSet::ALL {
        updates.extend(status(&mut reader, set.as_str(), StatusOf::Order(set)));
    }
    reader.finish().map(|()| updates)
}

/// A code, or an object with the code and since when it holds.
fn status(reader: &mut Reader<'_>, key: &'static str, of: StatusOf) -> Option<StatusUpdate> {
    let pointer = reader.place(key);
    let (code, at) = if reader.raw(key).is_some_and(Value::is_object) {
        let read = reader.nested(key, |mut reader| {
            let code = reader.required("code", read::parsed(Code::parse));
            let at = reader.optional("at", read::instant);
            reader.finish().map(|()| (code, at))
        });
        read.unwrap_or_default()
    } else {
        (reader.optional(key, read::parsed(Code::parse)), None)
    };
    Some(StatusUpdate { of, code: code?, at, source: None, pointer })
}

/// Which lines of a body have the id of one before them. A line is known by its id, and
/// of two with the same it could not be said which of them a status is of.
fn twice(body: &Value) -> impl Iterator<Item = usize> {
    let lines = body.get("lines").and_then(Value::as_array).filter(|lines| lines.len() <= MAX_LINES);
    let mut known = BTreeSet::new();
    let lines = lines.into_iter().flatten().enumerate();
    let mut again = move |line| Value::as_str(line).is_some_and(|id| !known.insert(id));
    lines.filter(move |(_, line)| line.get("id").is_some_and(&mut again)).map(|(index, _)| index)
}

fn line(mut reader: Reader<'_>) -> Result<(Line, Option<StatusUpdate>), Faults> {
    let id = reader.required("id", read::short);
    let product_id = reader.required("product_id", read::short);
    let quantity = reader.required("quantity", read::amount);
    let name = reader.optional("name", read::short);
    let price = reader.optional("price", read::amount);
    let total = reader.optional("total", read::amount);
    let discount = reader.optional("discount", read::amount);
    let weight = reader.optional("weight", read::amount);
    let bonus_accrued = reader.optional("bonus_accrued", read::amount);
    let bonus_deducted = reader.optional("bonus_deducted", read::amount);
    let money = reader.optional("money", read::amount);
    let categories = reader.optional("categories", read::texts).unwrap_or_default();
    let url = reader.optional("url", |value| read::text(value, 2_000));
    let image = reader.optional("image", |value| read::text(value, 2_000));
    let fields = reader.optional("fields", read::fields).unwrap_or_default();
    let of = StatusOf::Line(id.clone().unwrap_or_default());
    let status = status(&mut reader, "status", of);
    reader.finish()?;
    match (id, product_id, quantity) {
        (Some(id), Some(product_id), Some(quantity)) => {
            let line = Line {
                id,
                product_id,
                name,
                quantity,
                price,
                total,
                discount,
                weight,
                bonus_accrued,
                bonus_deducted,
                money,
                categories,
                url,
                image,
                fields,
            };
            Ok((line, status))
        }
        _ => Err(vec![Fault::new("", "could not be read")]),
    }
}

/// Reads the body of `PUT /v1/orders/{id}/status`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_status(body: &Value, now: Timestamp) -> Result<StatusUpdate, Faults> {
    let mut reader = Reader::new(body);
    let set = reader.required(
        "set",
        read::parsed(|text| StatusSet::parse(text).ok_or("must be \"general\", \"delivery\" or \"payment\"")),
    );
    read_code(reader, set.map(StatusOf::Order), now)
}

/// Reads the body of `PUT /v1/orders/{id}/lines/{line}/status`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_line_status(line_id: String, body: &Value, now: Timestamp) -> Result<StatusUpdate, Faults> {
    read_code(Reader::new(body), Some(StatusOf::Line(line_id)), now)
}

fn read_code(mut reader: Reader<'_>, of: Option<StatusOf>, now: Timestamp) -> Result<StatusUpdate, Faults> {
    let pointer = reader.place("code");
    let code = reader.required("code", read::parsed(Code::parse));
    let at = reader.optional("at", read::instant);
    let source = reader.optional("source", read::parsed(Code::parse));
    not_ahead(&mut reader, "at", at, now);
    reader.finish()?;
    match (of, code) {
        (Some(of), Some(code)) => Ok(StatusUpdate { of, code, at, source, pointer }),
        _ => Err(vec![Fault::new("", "could not be read")]),
    }
}

/// The order as the API shows it and as templates and conditions see it.
#[must_use]
pub fn show(order: &Order) -> Value {
    let content = &order.content;
    let mut shown = object([
        ("id", json!(order.id)),
        ("customer_id", json!(order.customer_id)),
        ("created_at", json!(order.created_at())),
        ("updated_at", json!(order.updated_at())),
        ("source", json!(content.source)),
        ("container", json!(content.container)),
        ("currency", json!(content.currency)),
        ("total", json!(content.total)),
        (
            "amounts",
            object([
                ("money", money(content.amounts.money)),
                ("bonus", money(content.amounts.bonus)),
                ("delivery", money(content.amounts.delivery)),
                ("discount", money(content.amounts.discount)),
            ])
            .into(),
        ),
        ("lines", content.lines.iter().map(|line| show_line(line, order.line_statuses.get(&line.id))).collect()),
        ("fields", json!(content.fields)),
    ]);
    let of = |set| json!(order.statuses.of(set).current().map(|current| &current.code));
    let status = StatusSet::ALL.map(|set| (set.as_str(), of(set)));
    shown.insert("status".into(), object(status).into());
    if let Some(delivery) = &content.delivery {
        let block = object([
            ("type", json!(delivery.r#type)),
            ("carrier", json!(delivery.carrier)),
            ("address", json!(delivery.address)),
            ("date", json!(delivery.date)),
            ("note", json!(delivery.note)),
        ]);
        shown.insert("delivery".into(), block.into());
    }
    if let Some(payment) = &content.payment {
        let block = object([("type", json!(payment.r#type)), ("provider", json!(payment.provider))]);
        shown.insert("payment".into(), block.into());
    }
    Value::Object(shown)
}

/// The history of each status set, for `GET /v1/orders/{id}`.
#[must_use]
pub fn show_history(order: &Order) -> Value {
    let histories = StatusSet::ALL.map(|set| (set.as_str(), json!(order.statuses.of(set).transitions())));
    Value::Object(object(histories))
}

fn show_line(line: &Line, status: Option<&History>) -> Value {
    Value::Object(object([
        ("id", json!(line.id)),
        ("product_id", json!(line.product_id)),
        ("name", json!(line.name)),
        ("quantity", json!(line.quantity)),
        ("price", money(line.price)),
        ("total", money(line.total)),
        ("discount", money(line.discount)),
        ("weight", json!(line.weight)),
        ("bonus_accrued", json!(line.bonus_accrued)),
        ("bonus_deducted", json!(line.bonus_deducted)),
        ("money", money(line.money)),
        ("categories", if line.categories.is_empty() { Value::Null } else { json!(line.categories) }),
        ("status", json!(status.and_then(History::current).map(|current| &current.code))),
        ("url", json!(line.url)),
        ("image", json!(line.image)),
        ("fields", json!(line.fields)),
    ]))
}

fn money(amount: Option<Amount>) -> Value {
    json!(amount)
}

/// An object without the values that are not there.
fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod arrival;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn places(body: &Value) -> Vec<String> {
        let faults = read(OrderId::parse("o").unwrap(), body, true, NOW).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    fn small() -> Value {
        json!({"customer_id": "c", "currency": "EUR", "total": "49.90", "updated_at": "2026-11-22T10:00:00Z"})
    }

    #[test]
    fn an_order_is_read_or_every_fault_is_named() {
        let check = |patch: Value, want: &[&str]| {
            let mut body = small();
            body.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
            assert_eq!(places(&body), want, "{patch}");
        };
        check(json!({"lines": [{"id": "1", "product_id": "p", "quantity": 2, "price": "24.95"}]}), &[]);
        check(
            json!({"status": {"delivery": "shipped", "payment": {"code": "paid", "at": "2026-11-22T10:00:00Z"}}}),
            &[],
        );
        check(json!({"lines": [{"id": "1", "quantity": "many"}]}), &["/lines/0/product_id", "/lines/0/quantity"]);
        let line = |id: &str| json!({"id": id, "product_id": "p", "quantity": 1});
        check(json!({"lines": [line("1"), line("2"), line("1"), line("1")]}), &["/lines/2/id", "/lines/3/id"]);
        check(json!({"status": {"delivery": "on its way", "mood": "good"}}), &["/status/delivery", "/status/mood"]);
        check(json!({"total": "NaN", "currency": "euro"}), &["/currency", "/total"]);
        check(json!({"updated_at": "2026-11-22"}), &["/updated_at"]);
        check(json!({"lines": vec![json!({}); 10_000]}), &["/lines"]);
        check(json!({"colour": "red"}), &["/colour"]);
    }

    #[test]
    fn an_order_shown_is_an_order_read() {
        let update = read(OrderId::parse("o").unwrap(), &small(), true, NOW).unwrap();
        let order = Order::merge(None, update, Timestamp::UNIX_EPOCH).unwrap().unwrap();
        let shown = show(&order);
        assert_eq!((&shown["total"], &shown["status"]), (&json!("49.90"), &json!({})));
    }

    proptest! {
        #[test]
        fn no_json_makes_the_readers_panic(body in arbitrary_json()) {
            for whole in [true, false] {
                drop(read(OrderId::parse("o").unwrap(), &body, whole, NOW));
                drop(crate::customer::read(CustomerId::parse("c").unwrap(), &body, whole, NOW));
            }
            drop(read_status(&body, NOW));
            drop(read_line_status("1".into(), &body, NOW));
            drop(crate::event::read(&body, NOW));
            drop(crate::container::read(CustomerId::parse("c").unwrap(), Code::parse("cart").unwrap(), &body, NOW));
        }
    }

    fn arbitrary_json() -> impl Strategy<Value = Value> {
        let key = prop::sample::select(vec![
            "id",
            "customer_id",
            "updated_at",
            "currency",
            "total",
            "lines",
            "status",
            "delivery",
            "fields",
            "code",
            "set",
            "at",
            "name",
            "context",
            "email",
            "consent",
            "quantity",
            "product_id",
            "x",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(json!("2026-11-22T10:00:00Z")),
            Just(json!("EUR")),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }
}
