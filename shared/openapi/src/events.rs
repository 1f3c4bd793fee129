use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, anything, code, id, instant, of, one_of, short};

const ASK: &str = "A browser asks this before it sends across origins.";

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Events",
        description: "What happens on a site, in an app or elsewhere. An event does not change once it is told.",
        schemas: schemas(),
        operations: vec![
            on("POST /v1/events", "postEvent", "Tell of an event")
                .says(
                    "Named by an id of the caller's own: the same event again is the same event, another one under the \
                     same id is refused. An event that nobody defined is taken too, and listed as seen. A key with the \
                     scope `track` tells of `web_event`s alone and is told the id and nothing else.",
                )
                .takes("Event")
                .gives_taken("EventShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("GET /v1/events", "listEvents", "List the events about nobody in particular")
                .says(
                    "Those of the kind `system`, the newest first. A customer's own are at \
                     `GET /v1/customers/{id}/events`. A page may hold fewer than `limit` and yet not be the last: `next` \
                     tells.",
                )
                .paged(of("EventShown")),
            on("POST /v1/events/batch", "batchEvents", "Tell of many events")
                .takes_batch("Event", "Each is what `POST /v1/events` takes."),
            on("OPTIONS /v1/events", "askPostEvent", "May a page tell of an event?").says(ASK).gives_nothing("It may."),
            on("OPTIONS /v1/events/batch", "askBatchEvents", "May a page tell of many events?")
                .says(ASK)
                .gives_nothing("It may."),
        ],
    }
}

fn kind() -> Value {
    one_of(&["web_event", "event", "system"])
}

fn schemas() -> Vec<(&'static str, Value)> {
    let event = Object::new("Something that happened. `customer_id` or `anonymous_id` is needed unless it is of the kind `system`.")
        .needs("id", id(), "The event's own id, unique within one customer, or among the events of the kind `system`.")
        .needs(
            "name",
            code(),
            "What happened. Ready-made: `session_started`, `logged_in`, `registered`, `page_viewed`, `product_viewed`, \
             `category_viewed`, `searched`, `added_to_container`, `removed_from_container`, `checkout_started`, \
             `order_completed`.",
        )
        .has("customer_id", of("CustomerId"), "To whom it happened.")
        .has(
            "anonymous_id",
            json!({ "type": "string", "minLength": 1, "maxLength": 192 }),
            "To which anonymous visitor. With `customer_id` beside it, the visitor is that customer.",
        )
        .has("kind", kind(), "On a site or in an app (`web_event`, if it is left out), elsewhere (`event`), or about nobody in particular (`system`).")
        .has("at", instant(), "When it happened; now, if it is left out.")
        .has("source", code(), "On which of the shop's sites or apps.")
        .has("session_id", short(), "In which visit.")
        .has(
            "context",
            anything(),
            "What belongs to it, kept as it is for ever: `product_id` or `products`, `category`, `url`, `query`, …",
        )
        .example(json!({
            "id": "evt-1", "name": "product_viewed", "customer_id": "ada", "anonymous_id": "8f14e45f", "kind": "web_event",
            "at": "2026-11-22T10:00:00Z", "source": "online_store", "session_id": "s-42",
            "context": { "product_id": "mug-blue", "price": "24.95", "url": "https://shop.example/mug" },
        }));
    let shown = Object::shown("An event.")
        .needs("id", id(), "Its id.")
        .has("customer_id", of("CustomerId"), "To whom it happened.")
        .needs("name", code(), "What happened.")
        .needs("kind", kind(), "On a site or app, elsewhere, or about nobody in particular.")
        .needs("at", instant(), "When it happened.")
        .has("source", code(), "On which site or app.")
        .has("session_id", short(), "In which visit.")
        .needs("context", anything(), "What belongs to it.");
    vec![("Event", event.build()), ("EventShown", shown.build())]
}
