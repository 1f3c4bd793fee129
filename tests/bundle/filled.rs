//! What a mail is filled with, beyond what set it off.

use serde_json::{Value, json};

use crate::support::Shop;

/// A shop whose mugs and cups are in its catalogue, and who writes to whoever rings.
async fn shop(html: &str) -> Shop {
    let shop = Shop::open().await;
    shop.customer("ada").await;
    for (id, price) in [("mug", "9.00"), ("cup", "4.00")] {
        let product = json!({ "name": format!("The {id}"), "price": price, "currency": "EUR", "available": true });
        shop.put(&format!("/v1/products/{id}"), product).await;
    }
    shop.put("/v1/templates/full", json!({ "subject": "s", "html": html })).await;
    let trigger = json!({ "type": "event_received", "name": "rang" });
    shop.campaign("full", trigger, json!([{ "send": { "template": "full" } }])).await;
    shop
}

async fn ring(shop: &Shop, context: Value) -> String {
    let event = json!({ "id": "r1", "customer_id": "ada", "name": "rang", "context": context });
    shop.tell("/v1/events", event).await;
    shop.quiet().await;
    let mails = shop.mails();
    assert_eq!(mails.len(), 1, "{:?}", shop.outcomes("ada").await);
    mails[0].html.clone().unwrap()
}

#[tokio::test]
async fn a_container_is_shown_with_its_products_as_they_are_when_the_mail_is_made() {
    let html = "<p>{{containers.cart.total}}:{{#each containers.cart.items}} {{product.name}} {{quantity}} \
                at {{price}}, now {{product.price}};{{/each}}</p>";
    let shop = shop(html).await;
    let items = json!([{ "product_id": "mug", "quantity": 2, "price": "9.00" }]);
    shop.tell("/v1/customers/ada/containers/cart", json!({ "id": "1", "op": "add", "items": items })).await;
    shop.patch("/v1/products/mug", json!({ "price": "7.50" })).await;
    let html = ring(&shop, json!({})).await;
    assert!(html.contains("18.00: The mug 2 at 9.00, now 7.50;"), "{html}");
}

#[tokio::test]
async fn the_last_order_is_the_one_that_was_placed_last_and_its_lines_have_live_products() {
    let html = "<p>{{len orders}}: {{last_order.id}}{{#each last_order.lines}} {{name}}/{{product.price}}{{/each}}</p>";
    let shop = shop(html).await;
    for (id, at) in [("new", "2026-11-02T10:00:00Z"), ("old", "2026-11-01T10:00:00Z")] {
        let mut order = crate::support::order("ada");
        order["created_at"] = json!(at);
        order["updated_at"] = json!(at);
        shop.put(&format!("/v1/orders/{id}"), order).await;
    }
    let html = ring(&shop, json!({})).await;
    assert!(html.contains("2: new Mug/9.00"), "{html}");
}

#[tokio::test]
async fn an_event_brings_its_context_as_it_was_and_its_products_as_they_are() {
    let html = "<p>{{event.context.price}} then, {{event.product.price}} now;\
                {{#each event.products}} {{name}}{{/each}}</p>";
    let shop = shop(html).await;
    shop.patch("/v1/products/cup", json!({ "price": "3.00" })).await;
    let products = json!([{ "product_id": "mug" }, { "product_id": "cup" }, { "product_id": "gone" }]);
    let html = ring(&shop, json!({ "product_id": "cup", "price": "4.00", "products": products })).await;
    assert!(html.contains("4.00 then, 3.00 now; The cup The mug"), "{html}");
}

#[tokio::test]
async fn what_a_customer_has_none_of_keeps_the_mail_back_and_says_so() {
    let shop = shop("<p>{{last_order.id}}</p>").await;
    let event = json!({ "id": "r1", "customer_id": "ada", "name": "rang", "context": {} });
    shop.tell("/v1/events", event).await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT missing_variable"]);
    assert_eq!(shop.mails().len(), 0);
}

#[tokio::test]
async fn a_date_is_shown_in_the_readers_own_zone_else_their_countrys_else_the_shops() {
    let html = "<p>{{date event.context.at \"%H:%M\"}}, {{default customer.time_zone \"not said\"}}</p>";
    let shop = shop(html).await;
    shop.put("/v1/settings", json!({ "time_zone": "America/Sao_Paulo" })).await;
    shop.advance("PT1M").await;
    let readers = [
        ("own", json!({ "time_zone": "Europe/Riga", "country": "JP" }), "14:00, Europe/Riga"),
        // It is not for that the customer's own.
        ("country", json!({ "country": "JP" }), "21:00, not said"),
        ("nothing", json!({}), "09:00, not said"),
    ];
    let context = json!({ "at": "2026-11-02T12:00:00Z" });
    for (customer, more, expected) in readers {
        shop.customer(customer).await;
        shop.patch(&format!("/v1/customers/{customer}"), more).await;
        let event = json!({ "id": customer, "customer_id": customer, "name": "rang", "context": context });
        shop.tell("/v1/events", event).await;
        shop.quiet().await;
        let mails = shop.mails();
        let mail = mails.iter().find(|mail| mail.to.contains(&format!("{customer}@example.com"))).unwrap();
        assert!(mail.html.as_ref().unwrap().contains(expected), "{customer}: {:?}", mail.html);
    }
    // What a preview is given takes the place of what there is, there too.
    let given = json!({ "customer": { "country": "LV" }, "event": { "context": context } });
    let shown = shop.tell("/v1/templates/full/preview", json!({ "customer_id": "own", "data": given })).await;
    assert!(shown["html"].as_str().is_some_and(|html| html.contains("14:00, not said")), "{shown}");
}

#[tokio::test]
async fn a_mail_names_the_company_or_else_the_shop() {
    let shop = shop("<p>By {{shop.company}} of {{shop.name}}.</p>").await;
    let shown = async || shop.tell("/v1/templates/full/preview", json!({ "customer_id": "ada" })).await;
    let (before, _) = (shown().await, shop.put("/v1/settings", json!({ "company": "Mugs Ltd" })).await);
    let name = before["html"].as_str().unwrap().split_once(" of ").unwrap().1.split_once('.').unwrap().0.to_owned();
    assert!(before["html"].as_str().unwrap().contains(&format!("By {name} of {name}.")), "{before}");
    shop.advance("PT1M").await;
    let html = ring(&shop, json!({})).await;
    assert!(html.contains(&format!("By Mugs Ltd of {name}.")), "{html}");
}
