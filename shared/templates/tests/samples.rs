//! The demonstration shop's templates, rendered and compared with what was approved.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use templates::{Content, NotRendered, Rendered, Template};

fn compiled(name: &str) -> Template {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../local/shop/templates").join(name);
    let part = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let content = Content {
        subject: part("subject.txt").expect("every template has a subject"),
        html: part("body.html"),
        mjml: None,
        text: part("text.txt"),
        preheader: part("preheader.txt"),
    };
    Template::compile(&content.into()).unwrap_or_else(|problems| panic!("{name}: {problems:?}"))
}

fn data() -> Value {
    json!({
        "customer": {"id": "c-1", "email": "anna@example.com", "first_name": "Anna & Co", "last_name": null,
                     "city": "Rīga", "country": "LV", "language": "en", "time_zone": "Europe/Riga", "fields": {}},
        "shop": {"name": "North & Oak", "time_zone": "Europe/Riga"},
        "links": {"unsubscribe": "https://shop.example/u/t0ken?x=1&y=2"},
        "now": "2026-12-01T10:00:00Z",
    })
}

fn with_order() -> Value {
    let mut data = data();
    data["order"] = json!({
        "id": "1007", "currency": "EUR", "total": "1303.90",
        "created_at": "2026-11-30T22:30:00Z", "updated_at": "2026-12-01T09:00:00Z",
        "status": {"general": "received", "delivery": null, "payment": "paid"},
        "lines": [
            {"id": "1", "product_id": "p-1", "name": "Oak table <long>", "quantity": "1", "price": "1250.00",
             "total": "1250.00", "url": "https://shop.example/p/1?c=oak&s=l", "image": null, "fields": {}},
            {"id": "2", "product_id": "p-2", "name": "Beeswax candle", "quantity": "6", "price": "9.00",
             "total": "54.00", "url": null, "image": null, "fields": {}},
        ],
        "delivery": {"type": "courier", "carrier": "Omniva",
                     "address": {"country": "LV", "city": "Rīga", "street": "Brīvības 1-2", "zip": "LV-1010"},
                     "date": "2026-12-04", "note": null},
        "payment": {"type": "card", "provider": "Klix"},
        "amounts": {"money": "1303.90", "bonus": "0.00", "delivery": "4.90", "discount": "5.00"},
        "fields": {},
    });
    data
}

fn shown(rendered: &Rendered) -> String {
    format!("Subject: {}\n\n== text ==\n{}\n== html ==\n{}", rendered.subject, rendered.text, rendered.html)
}

#[test]
fn order_confirmation() {
    let rendered = compiled("order-confirmation").render(&with_order()).unwrap();
    insta::assert_snapshot!("order-confirmation", shown(&rendered));
}

#[test]
fn order_confirmation_of_the_least_order() {
    let mut data = with_order();
    data["customer"] = json!({"id": "c-1"});
    let order = data["order"].as_object_mut().unwrap();
    for absent in ["delivery", "amounts", "payment", "fields"] {
        order.remove(absent);
    }
    let rendered = compiled("order-confirmation").render(&data).unwrap();
    insta::assert_snapshot!("order-confirmation-least", rendered.text);
}

#[test]
fn order_shipped() {
    let mut data = with_order();
    data["change"] = json!({"set": "delivery", "from": "packed", "to": "shipped"});
    let rendered = compiled("order-shipped").render(&data).unwrap();
    insta::assert_snapshot!("order-shipped", shown(&rendered));
}

#[test]
fn how_was_it() {
    let rendered = compiled("how-was-it").render(&with_order()).unwrap();
    insta::assert_snapshot!("how-was-it", shown(&rendered));
}

#[test]
fn viewed_product() {
    let mut data = data();
    data["event"] = json!({"id": "e-1", "name": "product viewed", "at": "2026-11-30T23:30:00Z", "context": {
        "product": {"id": "p-1", "name": "Oak table", "price": "1250.00", "currency": "EUR", "url": "https://shop.example/p/1"}}});
    let rendered = compiled("viewed-product").render(&data).unwrap();
    insta::assert_snapshot!("viewed-product", shown(&rendered));
}

#[test]
fn winter_newsletter() {
    let rendered = compiled("winter-newsletter").render(&data()).unwrap();
    insta::assert_snapshot!("winter-newsletter", shown(&rendered));
}

#[test]
fn a_mass_mail_without_its_unsubscribe_link_is_not_sent() {
    let mut data = data();
    data["links"] = json!({});
    let error = compiled("winter-newsletter").render(&data).unwrap_err();
    assert!(matches!(error, NotRendered::Missing { ref path, .. } if path == "links.unsubscribe"), "{error}");
}
