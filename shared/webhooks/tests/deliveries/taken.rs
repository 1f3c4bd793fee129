//! What is told is what our own API takes.

use contracts::told::Told;
use contracts::{container, customer, event, order, product};
use domain::read::Faults;
use domain::{Code, CustomerId, OrderId, ProductId, VisitorId};
use jiff::Timestamp;
use webhooks::{shopify, woocommerce};

use crate::support::payload;

const NOW: Timestamp = Timestamp::constant(1_795_300_000, 0);

/// What our API would find wrong with it.
pub(crate) fn faults(told: &Told) -> Faults {
    fn of<T>(read: Result<T, Faults>) -> Faults {
        read.err().unwrap_or_default()
    }
    let customer_id = |id: &str| CustomerId::parse(id).unwrap();
    match told {
        Told::Customer { id, body } => of(customer::read(customer_id(id), body, false, NOW)),
        Told::CustomerErased { id } => drop_id(CustomerId::parse(id)),
        Told::Order { id, body, whole } => of(order::read(OrderId::parse(id).unwrap(), body, *whole, NOW)),
        Told::OrderDeleted { id, .. } => drop_id(OrderId::parse(id)),
        Told::Event { body } => of(event::read(body, NOW)),
        Told::Container { customer, code, body } => {
            of(container::read(customer_id(customer), Code::parse(code).unwrap(), body, NOW))
        }
        Told::Product { id, body, whole } => of(product::read(ProductId::parse(id).unwrap(), body, *whole, NOW)),
        Told::ProductDeleted { id, .. } => drop_id(ProductId::parse(id)),
        Told::Identified { visitor, customer } => {
            drop(customer_id(customer));
            drop_id(VisitorId::parse(visitor))
        }
        Told::Merged { from, into } => {
            drop((customer_id(from), customer_id(into)));
            Faults::new()
        }
    }
}

fn drop_id<T, E: std::fmt::Debug>(id: Result<T, E>) -> Faults {
    drop(id.unwrap());
    Faults::new()
}

#[test]
fn each_payload_is_told_as_our_api_takes_it() {
    for (topic, name) in [
        ("orders/create", "shopify-order"),
        ("customers/update", "shopify-customer"),
        ("products/create", "shopify-product"),
        ("checkouts/create", "shopify-checkout"),
    ] {
        let delivery =
            shopify::Delivery { topic, source: "shop", triggered_at: None, domain: Some("shop.example.com") };
        for told in shopify::told(&delivery, &payload(name)).unwrap() {
            assert_eq!(faults(&told), Faults::new(), "{topic}");
        }
    }
    for (topic, name) in [
        ("order.created", "woocommerce-order"),
        ("customer.updated", "woocommerce-customer"),
        ("product.updated", "woocommerce-product"),
    ] {
        let delivery = woocommerce::Delivery { topic, source: "shop" };
        for told in woocommerce::told(&delivery, &payload(name)).unwrap() {
            assert_eq!(faults(&told), Faults::new(), "{topic}");
        }
    }
}
