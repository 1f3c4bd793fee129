//! Orders over the API.

use domain::read::{self, Faults, Reader};
use domain::{
    Amount, Code, Content, Currency, CustomerId, Delivery, Fault, Line, Order, OrderAmounts, OrderId, OrderUpdate,
    Payment, StatusSet, StatusUpdate,
};
use serde_json::{Map, Value, json};

/// The most lines that an order may have.
const MAX_LINES: usize = 1_000;

/// Reads the body of `PUT /v1/orders/{id}`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(id: OrderId, body: &Value) -> Result<OrderUpdate, Faults> {
    let mut reader = Reader::new(body);
    let customer_id = reader.required("customer_id", read::parsed(CustomerId::parse));
    let updated_at = reader.optional("updated_at", read::instant);
    let created_at = reader.optional("created_at", read::instant);
    let currency = reader.required("currency", read::parsed(Currency::parse));
    let total = reader.required("total", read::amount);
    let amounts = reader.nested("amounts", |mut reader| {
        let amounts = OrderAmounts {
            money: reader.optional("money", read::amount),
            bonus: reader.optional("bonus", read::amount),
            delivery: reader.optional("delivery", read::amount),
            discount: reader.optional("discount", read::amount),
        };
        reader.finish().map(|()| amounts)
    });
    let statuses = reader.nested("status", statuses).unwrap_or_default();
    let lines = reader.list("lines", MAX_LINES, line);
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
    let payment = reader.nested("payment", |mut reader| {
        let payment = Payment {
            r#type: reader.optional("type", read::short),
            provider: reader.optional("provider", read::short),
        };
        reader.finish().map(|()| payment)
    });
    let fields = reader.optional("fields", read::fields).unwrap_or_default();
    reader.finish()?;
    let (Some(customer_id), Some(currency), Some(total)) = (customer_id, currency, total) else {
        return Err(vec![Fault::new("", "could not be read")]);
    };
    let amounts = amounts.unwrap_or_default();
    let content = Content { created_at, currency, total, amounts, lines, delivery, payment, fields };
    Ok(OrderUpdate { id, customer_id, updated_at, content, statuses })
}

/// `{"delivery": "shipped"}`, or `{"delivery": {"code": "shipped", "at": "…"}}`.
fn statuses(mut reader: Reader<'_>) -> Result<Vec<StatusUpdate>, Faults> {
    let mut updates = Vec::new();
    for set in StatusSet::ALL {
        let pointer = reader.place(set.as_str());
        let (code, at) = if reader.raw(set.as_str()).is_some_and(Value::is_object) {
            let read = reader.nested(set.as_str(), |mut reader| {
                let code = reader.required("code", read::parsed(Code::parse));
                let at = reader.optional("at", read::instant);
                reader.finish().map(|()| (code, at))
            });
            read.unwrap_or_default()
        } else {
            (reader.optional(set.as_str(), read::parsed(Code::parse)), None)
        };
        updates.extend(code.map(|code| StatusUpdate { set, code, at, pointer }));
    }
    reader.finish().map(|()| updates)
}

fn line(mut reader: Reader<'_>) -> Result<Line, Faults> {
    let id = reader.required("id", read::short);
    let product_id = reader.required("product_id", read::short);
    let quantity = reader.required("quantity", read::amount);
    let name = reader.optional("name", read::short);
    let price = reader.optional("price", read::amount);
    let total = reader.optional("total", read::amount);
    let discount = reader.optional("discount", read::amount);
    let url = reader.optional("url", |value| read::text(value, 2_000));
    let image = reader.optional("image", |value| read::text(value, 2_000));
    let fields = reader.optional("fields", read::fields).unwrap_or_default();
    reader.finish()?;
    match (id, product_id, quantity) {
        (Some(id), Some(product_id), Some(quantity)) => {
            Ok(Line { id, product_id, name, quantity, price, total, discount, url, image, fields })
        }
        _ => Err(vec![Fault::new("", "could not be read")]),
    }
}

/// Reads the body of `PUT /v1/orders/{id}/status`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_status(body: &Value) -> Result<StatusUpdate, Faults> {
    let mut reader = Reader::new(body);
    let pointer = reader.place("code");
    let set = reader.required(
        "set",
        read::parsed(|text| StatusSet::parse(text).ok_or("must be \"general\", \"delivery\" or \"payment\"")),
    );
    let code = reader.required("code", read::parsed(Code::parse));
    let at = reader.optional("at", read::instant);
    reader.finish()?;
    match (set, code) {
        (Some(set), Some(code)) => Ok(StatusUpdate { set, code, at, pointer }),
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
        ("updated_at", json!(order.updated_at)),
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
        ("lines", content.lines.iter().map(show_line).collect()),
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

fn show_line(line: &Line) -> Value {
    Value::Object(object([
        ("id", json!(line.id)),
        ("product_id", json!(line.product_id)),
        ("name", json!(line.name)),
        ("quantity", json!(line.quantity)),
        ("price", money(line.price)),
        ("total", money(line.total)),
        ("discount", money(line.discount)),
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
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn places(body: &Value) -> Vec<String> {
        let faults = read(OrderId::parse("o").unwrap(), body).err().unwrap_or_default();
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
        check(json!({"status": {"delivery": "on its way", "mood": "good"}}), &["/status/delivery", "/status/mood"]);
        check(json!({"total": "NaN", "currency": "euro"}), &["/currency", "/total"]);
        check(json!({"updated_at": "2026-11-22"}), &["/updated_at"]);
        check(json!({"lines": vec![json!({}); 10_000]}), &["/lines"]);
        check(json!({"colour": "red"}), &["/colour"]);
    }

    #[test]
    fn an_order_shown_is_an_order_read() {
        let update = read(OrderId::parse("o").unwrap(), &small()).unwrap();
        let order = Order::merge(None, update, Timestamp::UNIX_EPOCH).unwrap().unwrap();
        let shown = show(&order);
        assert_eq!((&shown["total"], &shown["status"]), (&json!("49.90"), &json!({})));
    }

    proptest! {
        #[test]
        fn no_json_makes_the_readers_panic(body in arbitrary_json()) {
            drop(read(OrderId::parse("o").unwrap(), &body));
            drop(read_status(&body));
            drop(crate::event::read(&body, Timestamp::UNIX_EPOCH));
            drop(crate::customer::read(CustomerId::parse("c").unwrap(), &body));
        }

        #[test]
        fn the_order_of_arrival_does_not_matter(
            updates in prop::collection::btree_map(1i64..40, (0u8..3, prop::option::of(0u8..3), prop::option::of(41i64..80)), 1..7),
            shuffle in prop::collection::vec(any::<prop::sample::Index>(), 14),
        ) {
            let updates: Vec<OrderUpdate> = updates.into_iter().map(|(at, (total, general, paid))| update(at, total, general, paid)).collect();
            let mut shuffled: Vec<OrderUpdate> = updates.iter().chain(&updates).cloned().collect();
            let length = shuffled.len();
            for (index, other) in shuffle.iter().enumerate().take(length) {
                shuffled.swap(index, other.index(length));
            }
            prop_assert_eq!(merged(&updates), merged(&shuffled));
        }
    }

    fn update(at: i64, total: u8, general: Option<u8>, paid: Option<i64>) -> OrderUpdate {
        let when = |second| Timestamp::from_second(second).unwrap();
        let mut body =
            json!({"customer_id": "c", "currency": "EUR", "total": total, "updated_at": when(at), "status": {}});
        if let Some(code) = general {
            body["status"]["general"] = json!(format!("g{code}"));
        }
        if let Some(at) = paid {
            // One code for one time: two would be a conflict, which is refused.
            body["status"]["payment"] = json!({"code": format!("p{}", at % 3), "at": when(at)});
        }
        read(OrderId::parse("o").unwrap(), &body).unwrap()
    }

    fn merged(updates: &[OrderUpdate]) -> Option<Order> {
        updates.iter().cloned().fold(None, |known, update| {
            let merged = Order::merge(known.as_ref(), update, Timestamp::UNIX_EPOCH).unwrap();
            merged.or(known)
        })
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
