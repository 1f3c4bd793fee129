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
