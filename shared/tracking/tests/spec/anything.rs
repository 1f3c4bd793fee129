//! Whatever a client sends: nothing panics, and what is told is what our API takes.

use crate::common::received;
use contracts::told::Told;
use domain::{Code, CustomerId, Fault, OrderId};
use proptest::prelude::*;
use serde_json::{Value, json};
use tracking::Kind;

const KINDS: [Kind; 6] = [Kind::Identify, Kind::Track, Kind::Page, Kind::Screen, Kind::Group, Kind::Alias];

/// What our API would answer.
fn heard(told: &Told) -> Result<(), Vec<Fault>> {
    let now = received();
    let id = |id: &str| CustomerId::parse(id).unwrap();
    match told {
        Told::Customer { id: customer, body } => contracts::customer::read(id(customer), body, false, now).map(drop),
        Told::Order { id, body, whole } => {
            contracts::order::read(OrderId::parse(id).unwrap(), body, *whole, now).map(drop)
        }
        Told::Event { body } => contracts::event::read(body, now).map(drop),
        Told::Container { customer, code, body } => {
            contracts::container::read(id(customer), Code::parse(code).unwrap(), body, now).map(drop)
        }
        Told::Identified { visitor, customer } => {
            id(&format!("visitor:{visitor}"));
            id(customer);
            Ok(())
        }
        Told::Merged { from, into } => {
            id(from);
            id(into);
            Ok(())
        }
        other => unreachable!("{other:?}"),
    }
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let keys = "type userId anonymousId previousId groupId messageId timestamp originalTimestamp sentAt context \
        integrations event properties traits batch name category page locale timezone email phone firstName address \
        city postalCode country birthday createdAt gender language order_id orderId total revenue currency products \
        product_id id sku quantity price discount shipping variant image_url url coupon payment_method session_id a/b";
    let keys: Vec<&str> = keys.split_whitespace().collect();
    let names = [
        "Order Completed",
        "Order Updated",
        "Order Refunded",
        "Product Added",
        "Product Removed",
        "Wishlist Product Added to Cart",
        "Product Viewed",
        "Products Searched",
        "Что-то",
        "track",
        "identify",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-1e4..1e4).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(names.to_vec()).prop_map(Value::from),
        Just(json!("2026-11-22T10:00:00Z")),
        Just(json!("EUR")),
        Just(json!("x".repeat(600))),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(keys.clone()).prop_map(str::to_owned), inner, 0..9)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Something that is more likely to be a message.
fn message() -> impl Strategy<Value = Value> {
    let names = [
        "Order Completed",
        "Order Updated",
        "Order Cancelled",
        "Product Added",
        "Product Removed",
        "Product Added to Wishlist",
        "Wishlist Product Added to Cart",
        "Product List Viewed",
        "Anything",
    ];
    (arbitrary_json(), arbitrary_json(), prop::sample::select(names.to_vec()), arbitrary_json()).prop_map(
        |(base, part, name, context)| {
            let mut message = base.as_object().cloned().unwrap_or_default();
            let own = json!({"userId": "u", "event": name, "groupId": "g", "properties": part, "traits": part,
                             "context": context});
            message.extend(own.as_object().unwrap().clone());
            message.into()
        },
    )
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(body in arbitrary_json()) {
        for kind in KINDS.map(Some).into_iter().chain([None]) {
            drop(tracking::read(kind, &body, "EUR", received()));
        }
    }

    #[test]
    fn what_is_told_is_what_our_api_takes(message in message()) {
        for kind in KINDS {
            let read = tracking::read(Some(kind), &message, "EUR", received()).unwrap().remove(0);
            for told in read.iter().flat_map(|message| &message.told) {
                prop_assert_eq!(heard(told), Ok(()), "{:?}", told);
            }
        }
    }

    #[test]
    fn the_same_message_again_is_told_in_the_same_words(message in message(), later in 0i64..9_000) {
        let again = received() + jiff::SignedDuration::from_millis(later);
        for kind in KINDS {
            let mut message = message.clone();
            message["timestamp"] = json!("2026-11-22T11:00:00Z");
            message.as_object_mut().unwrap().remove("originalTimestamp");
            message["sentAt"] = json!(received().to_string());
            let once = tracking::read(Some(kind), &message, "EUR", received());
            message["sentAt"] = json!(again.to_string());
            prop_assert_eq!(once, tracking::read(Some(kind), &message, "EUR", again));
        }
    }
}
