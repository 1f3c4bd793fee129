use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, amount, anything, code, either, id, instant, list, many, of, one_of, said, short, text};

/// The names of a part that says something about the part itself, or whose null says
/// nothing.
const LASTING: [&str; 4] = ["customer_id", "updated_at", "source", "status"];

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Orders",
        description: "What customers buy, and how far each order is.",
        schemas: schemas(),
        operations: vec![
            on("PUT /v1/orders/{id}", "putOrder", "Tell of an order")
                .says(
                    "Says all there is to say of an order: what is left out is taken away. Statuses are added to the \
                     order's history. A new order takes out of the customer's container what had been put into it by then.",
                )
                .takes("Order")
                .gives_taken("OrderShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("PATCH /v1/orders/{id}", "patchOrder", "Tell a part of an order")
                .says("What is left out stays; null takes away. The order must be known.")
                .takes("OrderPart")
                .gives(200, "As it stands now.", "OrderShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("POST /v1/orders/batch", "batchOrders", "Tell of many orders")
                .takes_batch("OrderInBatch", "Each is what `PUT /v1/orders/{id}` takes, with its `id`."),
            on("GET /v1/orders/{id}", "getOrder", "Read an order").gives(200, "The order, with the history of its statuses.", "OrderShown"),
            on("DELETE /v1/orders/{id}", "deleteOrder", "Take an order back")
                .says("It is as if it had never been placed. What is told of it later makes it an order again.")
                .gives_nothing("It is taken back."),
            on("PUT /v1/orders/{id}/status", "putOrderStatus", "Tell of an order's status")
                .takes("OrderStatus")
                .gives(200, "The order as it stands now.", "OrderShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("PUT /v1/orders/{id}/lines/{line}/status", "putOrderLineStatus", "Tell of a line's status")
                .takes("OrderLineStatus")
                .gives(200, "The order as it stands now.", "OrderShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("GET /v1/orders/{id}/history", "getOrderHistory", "Read what changed in an order")
                .says("Every change, the oldest first, with who said so.")
                .gives(200, "The changes.", "OrderHistory"),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("Order", order().build()),
        ("OrderPart", order().part("A part of an order.", &LASTING).build()),
        ("OrderInBatch", order().in_batch("An order of a batch.").build()),
        ("OrderLine", line().takes_defined_fields().build()),
        ("StatusSaid", status_said()),
        ("OrderStatuses", statuses()),
        ("OrderAmounts", amounts().build()),
        ("Delivery", delivery()),
        ("Payment", payment()),
        (
            "OrderStatus",
            coded()
                .needs("set", set(), "Which of the order's three status sets.")
                .example(json!({
                    "set": "delivery", "code": "shipped", "at": "2026-11-22T10:00:00Z", "source": "warehouse",
                }))
                .build(),
        ),
        (
            "OrderLineStatus",
            coded()
                .example(json!({
                    "code": "shipped", "at": "2026-11-22T10:00:00Z", "source": "warehouse",
                }))
                .build(),
        ),
        ("OrderShown", shown()),
        ("OrderHistory", history()),
    ]
}

fn set() -> Value {
    one_of(&["general", "delivery", "payment"])
}

fn order() -> Object {
    Object::new("An order, all of it.")
        .needs("customer_id", of("CustomerId"), "Whose order it is.")
        .needs("currency", of("Currency"), "What all its amounts are in.")
        .needs("total", amount(), "What the customer pays in all.")
        .has("created_at", instant(), "When it was placed.")
        .has("updated_at", instant(), "When all this was so, by the shop's account; now, if it is left out.")
        .has("source", code(), "Which of the shop's sites or apps tells of it.")
        .has("container", code(), "The container it came from; `cart`, if it is left out.")
        .has("amounts", of("OrderAmounts"), "What the total is made of.")
        .has("status", of("OrderStatuses"), "How far it is, in each of three sets.")
        .has("lines", list(of("OrderLine"), 1_000), "What was ordered.")
        .has("delivery", of("Delivery"), "How it comes.")
        .has("payment", of("Payment"), "How it is paid.")
        .has("fields", of("Fields"), "Fields of the shop's own.")
        .takes_defined_fields()
        .example(json!({
            "customer_id": "ada", "currency": "EUR", "total": "54.80",
            "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:05:00Z",
            "source": "online_store", "container": "cart",
            "amounts": { "money": "54.80", "bonus": "0", "delivery": "4.90", "discount": "5.00" },
            "status": {
                "general": "received", "delivery": "assembling",
                "payment": { "code": "paid", "at": "2026-11-22T10:04:00Z" },
            },
            "lines": [{
                "id": "1", "product_id": "mug-blue", "name": "Blue mug", "quantity": 2, "price": "24.95",
                "total": "49.90", "discount": "5.00", "weight": "0.8", "bonus_accrued": "1", "bonus_deducted": "0",
                "money": "49.90", "url": "https://shop.example/mug", "image": "https://shop.example/mug.jpg",
                "categories": ["mugs"], "status": "confirmed", "fields": { "engraving": "Ada" },
            }],
            "delivery": {
                "type": "courier", "carrier": "Omniva", "date": "24 November", "note": "Ring twice",
                "address": { "city": "Riga", "street": "Brīvības 1" },
            },
            "payment": { "type": "card", "provider": "Stripe" },
            "fields": { "gift": true },
        }))
}

fn line() -> Object {
    Object::new("A line of an order.")
        .needs("id", short(), "The line's id within the order.")
        .needs("product_id", short(), "Which product.")
        .needs("quantity", amount(), "How many.")
        .has("name", short(), "What the product was called.")
        .has("price", amount(), "What one cost.")
        .has("total", amount(), "What the line cost.")
        .has("discount", amount(), "What was taken off.")
        .has("weight", amount(), "What it weighs.")
        .has("bonus_accrued", amount(), "The bonus points that it brought.")
        .has("bonus_deducted", amount(), "The bonus points that went into it.")
        .has("money", amount(), "What of it was paid in money.")
        .has("url", text(2_000), "Where the product is found.")
        .has("image", text(2_000), "A picture of the product.")
        .has("categories", list(short(), 100), "The product's categories.")
        .has("status", of("StatusSaid"), "How far the line is.")
        .has("fields", of("Fields"), "Fields of the shop's own.")
}

fn status_said() -> Value {
    let dated = Object::new("A status and since when it holds.")
        .needs("code", code(), "The status, such as `shipped`.")
        .has("at", instant(), "Since when; when the request says all is so, if it is left out.")
        .build();
    said(either([code(), dated]), "A status by its code, or with since when it holds.")
}

fn statuses() -> Value {
    Object::new("How far an order is. Any code is taken; those that are defined have a name.")
        .has("general", of("StatusSaid"), "`received`, `confirmed`, `in_progress`, `completed`, `cancelled`, …")
        .has("delivery", of("StatusSaid"), "`assembling`, `shipped`, `at_pickup_point`, `delivered`, …")
        .has("payment", of("StatusSaid"), "`invoice_issued`, `awaiting_payment`, `paid`, `refunded`, …")
        .build()
}

fn amounts() -> Object {
    Object::new("What a total is made of.")
        .has("money", amount(), "What is paid in money.")
        .has("bonus", amount(), "What is paid in bonus points.")
        .has("delivery", amount(), "What delivery costs.")
        .has("discount", amount(), "What was taken off.")
}

fn delivery() -> Value {
    Object::new("How an order comes.")
        .has("type", short(), "Such as `courier` or `pickup`.")
        .has("carrier", short(), "Who brings it.")
        .has("address", of("Fields"), "Where to, in any parts.")
        .has("date", short(), "When, in words or as a date.")
        .has("note", text(2_000), "What the customer said about it.")
        .build()
}

fn payment() -> Value {
    Object::new("How an order is paid.")
        .has("type", short(), "Such as `card` or `on_delivery`.")
        .has("provider", short(), "Through whom.")
        .build()
}

fn coded() -> Object {
    Object::new("A status.")
        .needs("code", code(), "The status, such as `shipped`.")
        .has("at", instant(), "Since when it holds; now, if it is left out.")
        .has("source", code(), "Which of the shop's systems says so.")
}

fn shown() -> Value {
    let transition = Object::shown("A change of status.")
        .has("from", json!({ "type": ["string", "null"] }), "The status before, if one is known.")
        .needs("to", code(), "The status after.")
        .needs("at", instant(), "When it changed.")
        .has("source", code(), "Who said so.")
        .needs("nth", json!({ "type": "integer", "minimum": 1 }), "For the how-manieth time it came to this status.")
        .build();
    let status = Object::shown("The status in each set that has one.")
        .has("general", code(), "")
        .has("delivery", code(), "")
        .has("payment", code(), "");
    let histories = ["general", "delivery", "payment"]
        .into_iter()
        .fold(Object::shown("The changes of each status set, oldest first; of a single order only."), |object, set| {
            object.has(set, many(transition.clone()), "")
        });
    let mut line = line().build();
    line["properties"]["status"] = said(code(), "The line's status now.");
    line.as_object_mut().map(|line| line.remove("additionalProperties"));
    Object::shown("An order as it stands.")
        .needs("id", id(), "Its id.")
        .needs("customer_id", of("CustomerId"), "Whose it is.")
        .needs("currency", of("Currency"), "What all its amounts are in.")
        .needs("total", amount(), "What the customer pays in all.")
        .has("created_at", instant(), "When it was placed.")
        .has("updated_at", instant(), "When it was last so.")
        .has("source", code(), "Who said so last.")
        .has("container", code(), "The container it came from.")
        .has("amounts", amounts().build(), "What the total is made of.")
        .has("status", status.build(), "How far it is.")
        .has("lines", many(line), "What was ordered.")
        .has("delivery", of("Delivery"), "How it comes.")
        .has("payment", of("Payment"), "How it is paid.")
        .has("fields", of("Fields"), "Fields of the shop's own.")
        .has("status_history", histories.build(), "")
        .build()
}

fn history() -> Value {
    let change = Object::shown("A change: of fields, of a status, or that the order was taken back.")
        .needs("at", instant(), "When.")
        .has("source", code(), "Who said so.")
        .has("changed", anything(), "The fields that changed, each as `{\"from\": …, \"to\": …}`.")
        .has("status", one_of(&["general", "delivery", "payment", "line"]), "Which status changed.")
        .has("line", short(), "Of which line.")
        .has("from", code(), "The status before.")
        .has("to", code(), "The status after.")
        .has("deleted", json!({ "const": true }), "That the order was taken back.")
        .build();
    Object::shown("The changes of an order.").needs("items", many(change), "Oldest first.").build()
}
