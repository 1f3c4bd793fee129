use contracts::Kind;
use contracts::container::MAX_ITEMS;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, amount, code, id, instant, list, many, of, one_of, short, text};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Containers",
        description: "What customers hold: the cart, a wishlist, any others.",
        schemas: schemas(),
        operations: vec![
            on("POST /v1/customers/{id}/containers/{code}", "changeContainer", "Put in, take out, set or clear")
                .says(
                    "What happened to a container, dated and named by an id: the same id again is the same operation. \
                     Additions add up, whatever order they arrive in. `visitor:ID` names the container of an \
                     anonymous visitor.",
                )
                .takes("ContainerOperation")
                .gives(200, "The container as it stands now.", "ContainerShown")
                .refuses(&[Kind::Gone]),
            on("GET /v1/customers/{id}/containers", "listContainers", "List what a customer holds")
                .gives_as(
                    200,
                    "All their containers.",
                    "application/json",
                    crate::schema::page_of(of("ContainerShown")).build(),
                )
                .refuses(&[Kind::Gone]),
            on("GET /v1/customers/{id}/containers/{code}", "getContainer", "Read a container")
                .says("One that nothing was ever put into is empty.")
                .gives(200, "The container.", "ContainerShown")
                .refuses(&[Kind::Gone]),
            on("OPTIONS /v1/customers/{id}/containers/{code}", "askChangeContainer", "May a page change a container?")
                .says("A browser asks this before it sends across origins.")
                .gives_nothing("It may."),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let details = |item: Object| {
        item.has("price", amount(), "What one costs.")
            .has("name", short(), "What it is called.")
            .has("url", text(2_000), "Where it is found.")
            .has("image", text(2_000), "A picture of it.")
            .has("fields", of("Fields"), "Anything else about it.")
    };
    let item = Object::new("An item.").needs("product_id", id(), "Which product.").has(
        "quantity",
        amount(),
        "How many, not less than 0. To be added: 1, if it is left out; to be removed: all. Needed by `quantity`.",
    );
    let operation = Object::new("Something that was done to a container.")
        .needs("id", id(), "The operation's own id.")
        .needs(
            "op",
            one_of(&["add", "remove", "quantity", "set", "clear"]),
            "`add` puts in more, `remove` takes out, `quantity` says how many there are of each item, `set` says all \
             that there is, `clear` takes out everything.",
        )
        .has("at", instant(), "When it was done; now, if it is left out.")
        .has("source", code(), "On which of the shop's sites or apps.")
        .has("items", list(details(item).build(), MAX_ITEMS), "To which items; none for `clear`.")
        .example(json!({
            "id": "op-7f3a", "op": "add", "at": "2026-11-22T10:00:00Z", "source": "online_store",
            "items": [{
                "product_id": "mug-blue", "quantity": 2, "price": "24.95", "name": "Blue mug",
                "url": "https://shop.example/mug", "image": "https://shop.example/mug.jpg", "fields": { "colour": "blue" },
            }],
        }));
    let held = Object::shown("An item in a container.")
        .needs("product_id", id(), "Which product.")
        .needs("quantity", amount(), "How many.")
        .needs("since", instant(), "Since when it is in there.");
    let shown = Object::shown("A container.")
        .needs("container", code(), "Which.")
        .needs("items", many(details(held).build()), "What is in it; what came in last stands first.")
        .has("updated_at", instant(), "When it last changed.");
    vec![("ContainerOperation", operation.build()), ("ContainerShown", shown.build())]
}
