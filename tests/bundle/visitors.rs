//! Visitors whom nobody knows yet, and who they turn out to be.

use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::orders::permutations;
use crate::support::Shop;

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn events_of(shop: &Shop, customer: &str) -> Vec<String> {
    let mut events = ids(&shop.get(&format!("/v1/customers/{customer}/events")).await);
    events.sort();
    events
}

fn seen(id: &str, visitor: &str) -> Value {
    json!({ "id": id, "anonymous_id": visitor, "name": "seen" })
}

async fn shop_with_campaigns() -> Shop {
    let shop = Shop::open().await;
    shop.template("seen", "{{event.id}}").await;
    shop.template("held", "{{customer.first_name}} holds {{change.product_id}}").await;
    let seen = json!({ "type": "event_received", "name": "seen" });
    shop.campaign("seen", seen, json!([{ "send": { "template": "seen" } }])).await;
    let added = json!({ "type": "container_changed", "container": "cart", "what": "item_added" });
    shop.campaign("held", added, json!([{ "send": { "template": "held" } }])).await;
    shop
}

#[tokio::test]
async fn what_a_visitor_did_becomes_the_customers_once_whatever_the_order() {
    let shop = shop_with_campaigns().await;
    let orders = permutations(4);
    join_all(orders.iter().enumerate().map(async |(n, order)| {
        let (customer, visitor) = (format!("c{n}"), format!("v{n}"));
        shop.customer(&customer).await;
        let mut both = seen(&format!("{n}-both"), &visitor);
        both["customer_id"] = json!(customer);
        let add = json!({ "id": "add", "op": "add", "items": [{ "product_id": "mug" }] });
        let told = [
            ("POST", "/v1/events".to_owned(), seen(&format!("{n}-alone"), &visitor)),
            ("POST", format!("/v1/customers/visitor:{visitor}/containers/cart"), add),
            ("PUT", format!("/v1/visitors/{visitor}"), json!({ "customer_id": customer })),
            // Says as well who the visitor is.
            ("POST", "/v1/events".to_owned(), both),
        ];
        for index in order.iter().chain(order) {
            let (method, path, body) = &told[*index];
            shop.api.tell(method, path, body).await.unwrap();
        }
    }))
    .await;
    shop.quiet().await;
    let mut mails = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        for id in [format!("c{n}"), format!("visitor:v{n}")] {
            assert_eq!(events_of(&shop, &id).await, [format!("{n}-alone"), format!("{n}-both")], "{order:?}");
            let cart = shop.get(&format!("/v1/customers/{id}/containers/cart")).await;
            let items = cart["items"].as_array().unwrap();
            assert_eq!((items.len(), &items[0]["quantity"]), (1, &json!("1")), "{order:?}: {cart}");
        }
        assert_eq!(shop.get(&format!("/v1/customers/c{n}")).await["also_known_as"], json!([format!("visitor:v{n}")]));
        mails.extend([format!("{n}-alone"), format!("{n}-both"), format!("c{n} holds mug")]);
    }
    mails.sort();
    assert_eq!(shop.subjects(), mails);
    let left: Vec<String> = shop.all_rows().await.into_iter().filter(|row| row.contains("customer#visitor:")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn carts_are_joined_and_only_what_is_new_sets_campaigns_off() {
    let shop = shop_with_campaigns().await;
    shop.customer("ada").await;
    let now = shop.bundle.now();
    let ago = |hours: i64| json!(now - SignedDuration::from_hours(hours));
    let add = async |owner: &str, product: &str, hours: i64| {
        let body = json!({ "id": format!("{owner}-{product}"), "op": "add", "at": ago(hours), "items": [{ "product_id": product }] });
        shop.tell(&format!("/v1/customers/{owner}/containers/cart"), body).await;
    };
    add("ada", "both", 50).await;
    shop.quiet().await;
    for (product, hours) in [("both", 49), ("old", 48), ("new", 2)] {
        add("visitor:phone", product, hours).await;
        let mut event = seen(&format!("{product}-event"), "phone");
        event["at"] = ago(hours);
        shop.tell("/v1/events", event).await;
    }
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["ada holds both"]);
    assert_eq!(events_of(&shop, "visitor:phone").await.len(), 3);
    assert_eq!(shop.get("/v1/customers/visitor:phone").await["id"], "visitor:phone");
    for _ in 0..2 {
        let answer = shop.put("/v1/visitors/phone", json!({ "customer_id": "ada" })).await;
        assert_eq!(answer, json!({ "id": "phone", "customer_id": "ada" }));
        shop.quiet().await;
    }
    let cart = shop.get("/v1/customers/ada/containers/cart").await;
    let mut held: Vec<String> = cart["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {}", item["product_id"], item["quantity"]).replace('"', ""))
        .collect();
    held.sort();
    assert_eq!(held, ["both 2", "new 1", "old 1"]);
    assert_eq!(shop.subjects(), ["ada holds both", "ada holds new", "new-event"]);

    // Whatever they do from now on is the customer's.
    shop.tell("/v1/events", seen("later", "phone")).await;
    add("visitor:phone", "later", 1).await;
    assert_eq!(shop.get("/v1/customers/ada/containers/cart").await["items"].as_array().unwrap().len(), 4);
    assert_eq!(events_of(&shop, "ada").await.len(), 4);
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["ada holds both", "ada holds later", "ada holds new", "later", "new-event"]);
}

#[tokio::test]
async fn what_a_visitor_ordered_is_the_customers_order_and_not_in_their_cart_any_more() {
    let shop = shop_with_campaigns().await;
    shop.template("ordered", "{{customer.first_name}} ordered {{order.id}}").await;
    shop.campaign("ordered", json!({ "type": "order_created" }), json!([{ "send": { "template": "ordered" } }])).await;
    shop.customer("ada").await;
    let minutes_ago = |minutes: i64| json!(shop.bundle.now() - SignedDuration::from_mins(minutes));
    for (product, minutes) in [("mug", 3), ("cup", 1)] {
        let at = minutes_ago(minutes);
        let add = json!({ "id": product, "op": "add", "at": at, "items": [{ "product_id": product }] });
        shop.tell("/v1/customers/visitor:phone/containers/cart", add).await;
    }
    let mut order = crate::support::order("visitor:phone");
    order["updated_at"] = minutes_ago(2);
    shop.put("/v1/orders/1", order.clone()).await;
    shop.quiet().await;
    shop.put("/v1/visitors/phone", json!({ "customer_id": "ada" })).await;
    shop.quiet().await;
    // Told of by either name it is the same order.
    shop.put("/v1/orders/1", order.clone()).await;
    order["customer_id"] = json!("ada");
    assert_eq!(shop.ask("PUT", "/v1/orders/1", order).await.0, 200);
    shop.quiet().await;
    assert_eq!(shop.get("/v1/orders/1").await["customer_id"], "ada");
    assert_eq!(shop.get("/v1/customers/ada").await["orders"]["count"], 1);
    let cart = shop.get("/v1/customers/ada/containers/cart").await;
    assert_eq!(
        (cart["items"].as_array().unwrap().len(), &cart["items"][0]["product_id"]),
        (1, &json!("cup")),
        "{cart}"
    );
    assert_eq!(
        shop.subjects().iter().filter(|subject| *subject == "ada ordered 1").count(),
        1,
        "{:?}",
        shop.subjects()
    );
}

#[tokio::test]
async fn what_a_guest_orders_is_in_their_cart_no_more() {
    let shop = Shop::open().await;
    shop.put("/v1/containers/gifts", json!({ "name": "Gifts" })).await;
    shop.advance("PT2S").await;
    let minutes_ago = |minutes: i64| json!(shop.bundle.now() - SignedDuration::from_mins(minutes));
    for (container, product, minutes) in
        [("cart", "mug", 9), ("gifts", "pot", 8), ("wishlist", "pan", 7), ("cart", "cup", 1)]
    {
        let at = minutes_ago(minutes);
        let add = json!({ "id": product, "op": "add", "at": at, "items": [{ "product_id": product }] });
        shop.tell(&format!("/v1/customers/visitor:guest/containers/{container}"), add).await;
    }
    let held = async || {
        let all = shop.get("/v1/customers/visitor:guest/containers").await;
        let mut held = Vec::new();
        for known in all["items"].as_array().unwrap() {
            let container = known["container"].as_str().unwrap();
            let all = shop.get(&format!("/v1/customers/visitor:guest/containers/{container}")).await;
            held.extend(all["items"].as_array().unwrap().iter().map(|item| item["product_id"].clone()));
        }
        held
    };
    let mut order = crate::support::order("visitor:guest");
    order["updated_at"] = minutes_ago(5);
    for _ in 0..2 {
        shop.put("/v1/orders/1", order.clone()).await;
        shop.quiet().await;
        assert_eq!(held().await, ["cup", "pot", "pan"]);
    }
    order["container"] = json!("gifts");
    shop.put("/v1/orders/2", order).await;
    shop.quiet().await;
    assert_eq!(held().await, ["cup", "pan"]);
    assert_eq!((shop.subjects(), shop.dead_letters().await), (Vec::new(), 0));
}

#[tokio::test]
async fn a_visitor_is_one_customer_for_good() {
    let shop = Shop::open().await;
    for id in ["ada", "bob", "carl"] {
        shop.customer(id).await;
    }
    shop.put("/v1/visitors/phone", json!({ "customer_id": "bob" })).await;
    assert_eq!(shop.ask("PUT", "/v1/visitors/phone", json!({ "customer_id": "carl" })).await.0, 409);
    // Whoever is named keeps what is told of them by name.
    let view = |id: &str, customer: Option<&str>| json!({ "id": id, "anonymous_id": "phone", "customer_id": customer, "name": "page_viewed" });
    shop.tell("/v1/events", view("named", Some("carl"))).await;
    shop.tell("/v1/events", view("alone", None)).await;
    shop.quiet().await;
    assert_eq!(
        (events_of(&shop, "carl").await, events_of(&shop, "bob").await),
        (vec!["named".to_owned()], vec!["alone".to_owned()])
    );
    // Who was that customer is who that customer is now.
    shop.tell("/v1/customers/ada/merge", json!({ "from": "bob" })).await;
    for customer in ["ada", "bob"] {
        assert_eq!(shop.ask("PUT", "/v1/visitors/phone", json!({ "customer_id": customer })).await.0, 200);
    }
    assert_eq!(shop.ask("PUT", "/v1/visitors/phone", json!({ "customer_id": "carl" })).await.0, 409);
    shop.tell("/v1/events", view("after", None)).await;
    shop.quiet().await;
    assert_eq!(events_of(&shop, "ada").await, ["after", "alone"]);
    for bad in [
        json!({}),
        json!({ "customer_id": "ada", "link": "x" }),
        json!({ "customer_id": 7 }),
        json!({ "customer": "ada" }),
    ] {
        assert_eq!(shop.ask("PUT", "/v1/visitors/tablet", bad.clone()).await.0, 422, "{bad}");
    }
    // Nobody is known as a whole of whom only a browser is known.
    assert_eq!(shop.ask("PUT", "/v1/customers/visitor:tablet", json!({ "first_name": "X" })).await.0, 404);
    shop.patch("/v1/customers/visitor:tablet", json!({ "language": "lv" })).await;
    shop.put("/v1/visitors/tablet", json!({ "customer_id": "carl" })).await;
    shop.quiet().await;
    let carl = shop.get("/v1/customers/carl").await;
    assert_eq!((&carl["language"], &carl["first_name"]), (&json!("lv"), &json!("carl")));
}

#[tokio::test]
async fn what_a_visitor_did_is_forgotten_after_60_days() {
    let shop = shop_with_campaigns().await;
    shop.customer("ada").await;
    let days = async |days: i64| {
        let step = std::time::Duration::from_secs(10 * 24 * 60 * 60);
        shop.bundle.advance_in_steps(SignedDuration::from_hours(24 * days), step).await.unwrap();
    };
    let add = json!({ "id": "1", "op": "add", "items": [{ "product_id": "mug" }] });
    for visitor in ["read", "merged"] {
        shop.tell("/v1/events", seen(&format!("{visitor}-old"), visitor)).await;
        shop.tell(&format!("/v1/customers/visitor:{visitor}/containers/cart"), add.clone()).await;
    }
    days(30).await;
    for visitor in ["read", "merged"] {
        shop.tell("/v1/events", seen(&format!("{visitor}-young"), visitor)).await;
    }
    days(31).await;
    assert_eq!(events_of(&shop, "visitor:read").await, ["read-young"]);
    assert_eq!(shop.get("/v1/customers/visitor:read/containers/cart").await["items"], json!([]));
    shop.put("/v1/visitors/merged", json!({ "customer_id": "ada" })).await;
    shop.quiet().await;
    assert_eq!(events_of(&shop, "ada").await, ["merged-young"]);
    assert_eq!(shop.get("/v1/customers/ada/containers/cart").await["items"], json!([]));
    // What is the customer's stays.
    days(61).await;
    assert_eq!(events_of(&shop, "ada").await, ["merged-young"]);
    assert_eq!(shop.get("/v1/customers/visitor:merged").await["id"], "ada");
    assert_eq!(shop.subjects(), [""; 0]);
}

#[tokio::test]
async fn a_link_in_one_of_our_mails_says_who_reads_it() {
    let shop = shop_with_campaigns().await;
    shop.customer("ada").await;
    shop.event("mailed", "ada", "seen").await;
    shop.quiet().await;
    let mail = shop.mails().remove(0);
    let (_, link) = mail.headers.iter().find(|(name, _)| name == "List-Unsubscribe").unwrap();
    let token = link.trim_matches(['<', '>']).split_once("/u/").unwrap().1.to_owned();
    shop.tell("/v1/events", seen("before", "laptop")).await;
    let answer = shop.put("/v1/visitors/laptop", json!({ "link": token })).await;
    assert_eq!(answer["customer_id"], "ada");
    shop.quiet().await;
    assert_eq!(events_of(&shop, "ada").await, ["before", "mailed"]);
    for bad in
        ["nonsense".to_owned(), format!("{token}x"), token.replace('.', "x."), token[..token.len() - 1].to_owned()]
    {
        let (status, problem) = shop.ask("PUT", "/v1/visitors/tablet", json!({ "link": bad })).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/link")));
    }

    // Of somebody erased it names nobody, also none who is called so.
    shop.customer("erased").await;
    assert_eq!(shop.ask("DELETE", "/v1/customers/ada", Value::Null).await.0, 202);
    shop.quiet().await;
    let (status, problem) = shop.ask("PUT", "/v1/visitors/tablet", json!({ "link": token })).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/link")), "{problem}");
}

#[tokio::test]
async fn that_a_visitor_emptied_a_cart_is_heard_of_once_if_it_is_new_and_anything_was_in_it() {
    let shop = Shop::open().await;
    shop.template("emptied", "{{customer.first_name}} emptied").await;
    let emptied = json!({ "type": "container_changed", "container": "cart", "what": "emptied" });
    shop.campaign("emptied", emptied, json!([{ "send": { "template": "emptied" } }])).await;
    for id in ["ada", "bob"] {
        shop.customer(id).await;
    }
    let now = shop.bundle.now();
    let mut heard = Vec::new();
    for (visitor, hours, held, is_heard) in [
        ("phone", 3, true, true),
        // What was emptied later holds.
        ("tablet", 4, true, false),
        ("laptop", 2, false, false),
        ("watch", 1, true, true),
    ] {
        let at = |hours: i64| json!(now - SignedDuration::from_hours(hours));
        let path = format!("/v1/customers/visitor:{visitor}/containers/cart");
        if held {
            let id = format!("{visitor}-add");
            let add = json!({ "id": id, "op": "add", "at": at(hours + 1), "items": [{ "product_id": "mug" }] });
            shop.tell(&path, add).await;
        }
        for _ in 0..2 {
            shop.tell(&path, json!({ "id": visitor, "op": "clear", "at": at(hours) })).await;
            shop.quiet().await;
        }
        assert_eq!(shop.subjects(), heard, "{visitor}: nobody knows who it is");
        for _ in 0..2 {
            shop.put(&format!("/v1/visitors/{visitor}"), json!({ "customer_id": "ada" })).await;
            shop.quiet().await;
        }
        heard.extend(is_heard.then_some("ada emptied"));
        assert_eq!(shop.subjects(), heard, "{visitor}");
    }
    let long_ago = json!(now - SignedDuration::from_hours(48));
    for body in [
        json!({ "id": "1", "op": "add", "at": long_ago, "items": [{ "product_id": "mug" }] }),
        json!({ "id": "2", "op": "clear", "at": long_ago }),
    ] {
        shop.tell("/v1/customers/visitor:desk/containers/cart", body).await;
    }
    shop.put("/v1/visitors/desk", json!({ "customer_id": "bob" })).await;
    shop.quiet().await;
    // What another customer had was heard of then.
    shop.tell("/v1/customers/bob/merge", json!({ "from": "ada" })).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), heard);
}
