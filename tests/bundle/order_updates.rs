//! What is told of an order after it was placed: parts, lines, history, its end.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::orders::permutations;
use crate::support::{Shop, order, refused};

fn at(hour: usize) -> String {
    format!("2026-11-20T{hour:02}:00:00Z")
}

#[tokio::test]
async fn a_part_of_an_order_changes_its_fields_alone_and_an_unknown_order_has_none() {
    let shop = Shop::open().await;
    let part = json!({ "total": "20", "delivery": { "carrier": "DHL", "note": null }, "amounts": { "discount": null }, "updated_at": at(10) });
    assert_eq!(shop.ask("PATCH", "/v1/orders/1", part.clone()).await.0, 404);
    let with_owner = json!({ "customer_id": "ada", "total": "20", "currency": "EUR" });
    assert_eq!(shop.ask("PATCH", "/v1/orders/1", with_owner).await.0, 404);
    assert_eq!(shop.ask("GET", "/v1/orders/1", Value::Null).await.0, 404);
    let paid = json!({ "set": "payment", "code": "paid" });
    assert_eq!(shop.ask("PUT", "/v1/orders/1/status", paid).await.0, 404);
    assert_eq!(shop.ask("PUT", "/v1/orders/1/lines/1/status", json!({ "code": "packed" })).await.0, 404);
    assert_eq!(shop.ask("DELETE", "/v1/orders/1", Value::Null).await.0, 404);
    assert_eq!(shop.ask("GET", "/v1/orders/1/history", Value::Null).await.0, 404);

    let whole = json!({
        "customer_id": "ada", "currency": "EUR", "total": "24.950", "updated_at": at(9), "source": "site",
        "amounts": { "money": 20.45, "bonus": "4.50", "delivery": 0, "discount": "1" },
        "delivery": { "type": "courier", "carrier": "post", "address": { "city": "Riga" }, "note": "ring" },
        "payment": { "type": "card" }, "fields": { "gift": true, "wrap": "red" },
        "lines": [{ "id": "1", "product_id": "mug", "quantity": "1.5", "price": "24.95", "categories": ["kitchen"], "fields": { "text": "Ada" } }],
    });
    assert_eq!(shop.ask("PUT", "/v1/orders/1", whole).await.0, 201);
    assert_eq!(shop.ask("PATCH", "/v1/orders/1", part).await.0, 200);
    // Older than what is known, so nothing of it holds but what nobody said since.
    shop.patch("/v1/orders/1", json!({ "total": "1", "fields": { "gift": false }, "updated_at": at(8) })).await;
    shop.patch("/v1/orders/1", json!({ "fields": { "gift": null, "seen": 1 }, "updated_at": at(11) })).await;
    shop.patch("/v1/orders/1", json!({ "status": { "payment": "paid" }, "updated_at": at(12) })).await;
    let known = shop.get("/v1/orders/1").await;
    assert_eq!(
        (&known["total"], &known["currency"], &known["status"]),
        (&json!("20"), &json!("EUR"), &json!({ "payment": "paid" }))
    );
    assert_eq!(known["amounts"], json!({ "money": "20.45", "bonus": "4.50", "delivery": "0" }));
    assert_eq!(known["delivery"], json!({ "type": "courier", "carrier": "DHL", "address": { "city": "Riga" } }));
    assert_eq!(
        (&known["payment"], &known["fields"]),
        (&json!({ "type": "card" }), &json!({ "wrap": "red", "seen": 1 }))
    );
    let line = &known["lines"][0];
    assert_eq!(
        (&line["quantity"], &line["categories"], &line["fields"]),
        (&json!("1.5"), &json!(["kitchen"]), &json!({ "text": "Ada" }))
    );

    assert_eq!(shop.ask("PATCH", "/v1/orders/1", json!({ "total": null })).await.0, 422);
    assert_eq!(shop.ask("PATCH", "/v1/orders/1", json!({ "customer_id": "bob", "total": "1" })).await.0, 409);
    assert_eq!(shop.ask("PATCH", "/v1/orders/1", json!({ "total": "7", "updated_at": at(10) })).await.0, 409);
    assert_eq!(shop.get("/v1/orders/1").await, known);
}

#[tokio::test]
async fn each_status_of_a_line_is_one_transition_however_it_is_told() {
    let shop = Shop::open().await;
    shop.template("line", "{{order.id}} {{change.line_id}} {{change.to}}").await;
    let packed = json!({ "type": "order_line_status_changed", "to": "packed" });
    shop.campaign("packed", packed, json!([{ "send": { "template": "line" } }])).await;
    shop.customer("ada").await;
    let lines = json!([
        { "id": "1", "product_id": "mug", "quantity": 1, "status": { "code": "packed", "at": at(10) } },
        { "id": "2", "product_id": "cup", "quantity": 1, "status": "reserved" },
    ]);
    let body = json!({ "customer_id": "ada", "currency": "EUR", "total": 1, "updated_at": at(9), "lines": lines });
    for _ in 0..2 {
        shop.put("/v1/orders/o", body.clone()).await;
        let packed = json!({ "code": "packed", "at": at(11), "source": "depot" });
        let answer = shop.put("/v1/orders/o/lines/2/status", packed).await;
        assert_eq!(answer["lines"][1]["status"], "packed");
        shop.put("/v1/orders/o/lines/1/status", json!({ "code": "sent", "at": at(12) })).await;
        shop.quiet().await;
    }
    // Undated, and nothing new.
    shop.put("/v1/orders/o/lines/1/status", json!({ "code": "sent" })).await;
    assert_eq!(shop.ask("PUT", "/v1/orders/o/lines/9/status", json!({ "code": "sent" })).await.0, 404);
    assert_eq!(shop.ask("PUT", "/v1/orders/o/lines/1/status", json!({ "code": "lost", "at": at(12) })).await.0, 409);
    let known = shop.get("/v1/orders/o").await;
    assert_eq!((&known["lines"][0]["status"], &known["lines"][1]["status"]), (&json!("sent"), &json!("packed")));
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["o 1 packed", "o 2 packed"]);
}

#[tokio::test]
async fn a_mail_says_which_lines_changed_what_they_were_and_what_they_are_until_its_reader_is_erased() {
    let shop = Shop::open().await;
    let html = "{{#each change.lines}}<p>{{name}}: {{#if (eq what \"removed\")}}no more, {{from.quantity}} at \
                {{money from.price from.currency}}{{else if from}}{{from.quantity}} to {{to.quantity}}{{else}}\
                {{to.quantity}}, now {{product.price}}{{/if}}</p>{{/each}}";
    let block = json!([{ "when": { "field": "change.lines.name", "contains": "Spoon" }, "reason": "spoons" }]);
    let template =
        json!({ "subject": "{{order.id}}: {{change.count}}", "html": html, "language": "en", "block": block });
    shop.put("/v1/templates/lines", template).await;
    let campaign = |trigger: &str| {
        let filter = json!({ "field": "change.lines.what", "contains": "removed" });
        let steps = json!([{ "send": { "template": "lines" } }]);
        json!({ "name": "c", "trigger": { "type": trigger }, "filter": filter, "steps": steps })
    };
    let told = refused(&shop, "/v1/campaigns/c", campaign("order_created")).await;
    let told: Vec<&str> = told.iter().map(|(_, told)| told.split(" (").next().unwrap()).collect();
    assert_eq!(told, ["prints change.count", "prints change.lines", "asks for change.lines.name"]);
    shop.put("/v1/campaigns/c", campaign("order_lines_changed")).await;
    shop.put("/v1/products/pot", json!({ "name": "The pot", "price": "30", "currency": "EUR" })).await;
    shop.customer("ada").await;

    let line = |id: &str, product: &str, name: &str, quantity: u64| json!({ "id": id, "product_id": product, "name": name, "quantity": quantity, "price": "9.5" });
    let whole = |hour: usize, lines: &Value| json!({ "customer_id": "ada", "currency": "EUR", "total": 1, "updated_at": at(hour), "lines": lines });
    let first = json!([line("1", "mug", "Blue mug", 3), line("2", "cup", "Red cup", 2), line("3", "jar", "Jar", 1)]);
    let last = json!([line("4", "pot", "Tea pot", 1), line("3", "jar", "Jar", 1), line("1", "mug", "Blue mug", 1)]);
    shop.put("/v1/orders/o", whole(9, &first)).await;
    shop.quiet().await;
    for _ in 0..2 {
        shop.put("/v1/orders/o", whole(11, &last)).await;
        // Told late, and so nobody was ever shown it.
        shop.put("/v1/orders/o", whole(10, &json!([line("1", "mug", "Blue mug", 7)]))).await;
        shop.put("/v1/orders/o", whole(9, &first)).await;
        shop.quiet().await;
    }
    // Nothing is taken out of it, and then something that stops the mail.
    shop.put("/v1/orders/o", whole(12, &json!([last[0], last[1], last[2], line("5", "spoon", "Spoon", 6)]))).await;
    shop.quiet().await;
    shop.put("/v1/orders/o", whole(13, &last)).await;
    shop.quiet().await;
    let mails = shop.mails();
    assert_eq!(shop.subjects(), ["o: 3"]);
    let html = mails[0].html.as_deref().unwrap();
    let said: Vec<&str> = html.split("<p>").skip(1).map(|line| line.split('<').next().unwrap()).collect();
    assert_eq!(said, ["Tea pot: 1, now 30", "Blue mug: 3 to 1", "Red cup: no more, 2 at €9.50"]);
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT blocked_by_template", "SENT"]);

    let asked = json!({ "customer_id": "ada", "order_id": "o", "campaign_id": "c" });
    let (_, preview) = shop.ask("POST", "/v1/templates/lines/preview", asked).await;
    // Of it as of the mail: of what changed last. The spoons were taken out.
    assert_eq!((&preview["subject"], &preview["reason"]), (&json!("o: 1"), &json!("blocked_by_template")), "{preview}");

    let naming = async || {
        let mut rows = shop.all_rows().await;
        rows.retain(|row| row.contains("Red cup"));
        rows
    };
    assert!(naming().await.iter().any(|row| row.starts_with("messages: ")));
    assert_eq!(shop.ask("DELETE", "/v1/customers/ada", Value::Null).await.0, 202);
    shop.quiet().await;
    assert_eq!(naming().await, Vec::<String>::new());
}

#[tokio::test]
async fn each_order_of_a_batch_is_answered_for_in_its_place() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.order("known", "ada").await;
    let named = |id: &str, customer: &str| {
        let mut body = order(customer);
        body["id"] = json!(id);
        body
    };
    let mut bad = named("bad", "ada");
    bad["total"] = json!("much");
    let orders = json!([
        named("a", "ada"),
        bad,
        named("known", "ada"),
        named("known", "bob"),
        order("ada"),
        7,
        named("b", "ada")
    ]);
    let (status, answer) = shop.ask("POST", "/v1/orders/batch", orders).await;
    let items = answer["items"].as_array().unwrap();
    let statuses: Vec<u64> = items.iter().map(|item| item["status"].as_u64().unwrap()).collect();
    assert_eq!((status, statuses), (207, vec![201, 422, 200, 409, 422, 422, 201]), "{answer}");
    assert_eq!((&items[1]["id"], &items[1]["problem"]["errors"][0]["pointer"]), (&json!("bad"), &json!("/total")));
    let lines = format!("{}\n{}\n", named("a", "ada"), named("c", "ada"));
    let reply = shop.api.send("POST", "/v1/orders/batch", "application/x-ndjson", lines.into()).await.unwrap();
    let answer = reply.json();
    assert_eq!((&answer["items"][0]["status"], &answer["items"][1]["status"]), (&json!(200), &json!(201)));
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["order a", "order b", "order c", "order known"]);
}

#[tokio::test]
async fn an_order_taken_back_stays_away_until_something_newer_is_said() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    for _ in 0..2 {
        assert_eq!(shop.ask("DELETE", "/v1/orders/1", Value::Null).await.0, 204);
    }
    let is_away = async || {
        for path in ["/v1/orders/1", "/v1/orders/1/history"] {
            assert_eq!(shop.ask("GET", path, Value::Null).await.0, 404, "{path}");
        }
        assert_eq!(shop.get("/v1/customers/ada").await["orders"]["count"], 0);
    };
    is_away().await;
    // What was said before it was taken back, or is only repeated, does not count.
    let mut older = order("ada");
    older["updated_at"] = json!("2026-11-02T10:00:00Z");
    older["total"] = json!("30");
    for body in [order("ada"), older] {
        shop.ask("PUT", "/v1/orders/1", body).await;
        is_away().await;
    }
    assert_eq!(shop.ask("PUT", "/v1/orders/1/status", json!({ "set": "payment", "code": "paid" })).await.0, 404);
    let mut newer = order("ada");
    newer["updated_at"] = json!(shop.bundle.now() + jiff::SignedDuration::from_hours(1));
    newer["total"] = json!("40");
    shop.put("/v1/orders/1", newer).await;
    assert_eq!(shop.get("/v1/orders/1").await["total"], "40");
    let history = shop.get("/v1/orders/1/history").await;
    let entries = history["items"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry["deleted"] == true).count(), 1, "{history}");
    // It is the same order, of which the customer has heard.
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["order 1"]);

    // A mail about an order that is not there any more is not sent.
    let later = json!([{ "wait": "PT1H" }, { "send": { "template": "plain" } }]);
    shop.campaign("confirm", json!({ "type": "order_created" }), later).await;
    shop.order("2", "ada").await;
    shop.quiet().await;
    shop.ask("DELETE", "/v1/orders/2", Value::Null).await;
    shop.advance("PT2H").await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT subject_gone", "SENT"]);
}

#[tokio::test]
async fn the_history_says_what_changed_when_and_by_whom_whatever_the_order_of_arrival() {
    let shop = Shop::open().await;
    let whole = |hour: usize, total: &str, source: &str| {
        let line = json!({ "id": "1", "product_id": "mug", "quantity": 1 });
        json!({ "customer_id": "ada", "currency": "EUR", "total": total, "lines": [line], "updated_at": at(hour), "source": source })
    };
    let updates = [
        ("PUT", "", whole(8, "10", "site")),
        ("PATCH", "", json!({ "delivery": { "carrier": "DHL" }, "total": "12", "updated_at": at(9), "source": "erp" })),
        ("PUT", "", whole(11, "15", "crm")),
        ("PUT", "/status", json!({ "set": "delivery", "code": "shipped", "at": at(10), "source": "carrier" })),
        ("PUT", "/lines/1/status", json!({ "code": "packed", "at": at(12) })),
    ];
    // Parts are of an order that is there.
    let mut orders = permutations(5);
    orders.retain(|order| matches!(order[0], 0 | 2));
    let all = join_all(orders.iter().enumerate().map(async |(number, order)| {
        for index in order.iter().chain(&order[..2]) {
            let (method, path, body) = &updates[*index];
            shop.api.tell(method, &format!("/v1/orders/o{number}{path}"), body).await.unwrap();
        }
        shop.get(&format!("/v1/orders/o{number}/history")).await
    }))
    .await;
    for (history, order) in all.iter().zip(&orders) {
        assert_eq!(history, &all[0], "{order:?}");
    }
    let entries = all[0]["items"].as_array().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry["at"].as_str().unwrap(), entry["source"].as_str())).collect();
    let wanted = [(8, Some("site")), (9, Some("erp")), (10, Some("carrier")), (11, Some("crm")), (12, None)];
    let wanted: Vec<_> = wanted.map(|(hour, source)| (at(hour), source)).into();
    assert_eq!(told, wanted.iter().map(|(at, source)| (at.as_str(), *source)).collect::<Vec<_>>());
    let first: Vec<&String> = entries[0]["changed"].as_object().unwrap().keys().collect();
    assert_eq!(first, ["currency", "lines", "total"]);
    assert_eq!(entries[1]["changed"]["total"], json!({ "from": "10", "to": "12" }));
    assert_eq!(entries[1]["changed"]["delivery"]["to"]["carrier"], "DHL");
    assert_eq!((&entries[2]["status"], &entries[2]["to"]), (&json!("delivery"), &json!("shipped")));
    let changed = entries[3]["changed"].as_object().unwrap();
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["delivery", "total"]);
    assert_eq!(changed["total"], json!({ "from": "12", "to": "15" }));
    assert_eq!((&entries[4]["line"], &entries[4]["to"]), (&json!("1"), &json!("packed")));

    // Of what was said once, the order itself is the account.
    shop.order("single", "ada").await;
    let history = shop.get("/v1/orders/single/history").await;
    assert_eq!(history["items"].as_array().unwrap().len(), 2, "{history}");
}

#[tokio::test]
async fn an_order_empties_the_container_that_it_came_from_of_what_was_in_it_then() {
    let shop = Shop::open().await;
    let add = async |customer: &str, container: &str, product: &str, hour: usize| {
        let body = json!({ "id": product, "op": "add", "at": at(hour), "items": [{ "product_id": product }] });
        shop.tell(&format!("/v1/customers/{customer}/containers/{container}"), body).await;
    };
    let held = async |customer: &str, container: &str| {
        let known = shop.get(&format!("/v1/customers/{customer}/containers/{container}")).await;
        let items = known["items"].as_array().unwrap().iter();
        items.map(|item| item["product_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let placed = |customer: &str, hour: usize, container: Value| {
        let mut body = order(customer);
        body["created_at"] = json!(at(hour));
        body["updated_at"] = json!(at(15));
        body["container"] = container;
        body
    };
    // Whether the order comes after what was added later, or before it.
    for (customer, late) in [("ada", true), ("bob", false)] {
        let path = format!("/v1/orders/of-{customer}");
        add(customer, "cart", "mug", 8).await;
        add(customer, "wishlist", "pot", 8).await;
        if late {
            add(customer, "cart", "cup", 10).await;
        }
        shop.put(&path, placed(customer, 9, Value::Null)).await;
        shop.quiet().await;
        if !late {
            add(customer, "cart", "cup", 10).await;
        }
        assert_eq!(
            (held(customer, "cart").await, held(customer, "wishlist").await),
            (vec!["cup".to_owned()], vec!["pot".to_owned()])
        );
        // Neither what is told of it again nor what arrives late changes that.
        shop.put(&path, placed(customer, 9, Value::Null)).await;
        shop.put(&format!("{path}/status"), json!({ "set": "payment", "code": "paid" })).await;
        add(customer, "cart", "mug", 8).await;
        add(customer, "cart", "pan", 7).await;
        shop.quiet().await;
        assert_eq!(held(customer, "cart").await, ["cup"]);
    }
    shop.put("/v1/orders/wish", placed("ada", 12, json!("wishlist"))).await;
    shop.quiet().await;
    assert_eq!((held("ada", "cart").await, held("ada", "wishlist").await), (vec!["cup".to_owned()], vec![]));
}

#[tokio::test]
async fn what_a_queue_does_not_take_as_it_is_gets_there_all_the_same() {
    let shop = Shop::open().await;
    shop.template("lines", "{{order.id}}").await;
    let changed = json!({ "type": "order_lines_changed" });
    shop.campaign("lines", changed, json!([{ "send": { "template": "lines" } }])).await;
    shop.customer("ada").await;
    let odd = "Mug\u{ffff}\u{fffe}";
    for (hour, name) in [(9, "Mug"), (10, odd)] {
        let line = json!({ "id": "1", "product_id": "mug", "name": name, "quantity": hour });
        let body =
            json!({ "customer_id": "ada", "currency": "EUR", "total": 1, "updated_at": at(hour), "lines": [line] });
        shop.put("/v1/orders/o", body).await;
        shop.quiet().await;
    }
    let message = shop.messages("ada").await[0].clone();
    assert_eq!(
        (shop.subjects(), &message["cause"]["lines"][0]["name"]),
        (vec!["o".to_owned()], &json!(odd)),
        "{message}"
    );
    assert_eq!(shop.dead_letters().await, 0);
}
