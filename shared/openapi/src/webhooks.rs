use serde_json::{Value, json};

use crate::Subject;
use crate::operation::{Access, on};
use crate::schema::{Object, anything, many, of, one_of};

const SAYS: &str = "A delivery of at most 5 MB, signed with the secret of the source in the path. What will never be \
    taken is answered 200 as well, with what is wrong with it in the body: for anything else a shop would send it \
    again, or take the webhook away. The same delivery again changes nothing.";

const DELETED: &str = "That the shop deleted its record of a customer changes nothing here: it is no wish to be \
    forgotten, and an erasure cannot be taken back. `DELETE /v1/customers/{id}` erases.";

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Shop webhooks",
        description: "What Shopify and WooCommerce send. Define a source with the webhook's secret, then point the shop here.",
        schemas: vec![("WebhookAnswer", answer())],
        operations: vec![
            on("POST /v1/webhooks/shopify/{source}", "shopifyWebhook", "Take in a webhook of Shopify")
                .says(&format!("{SAYS}\n\nTopics of orders, customers, products and checkouts. {DELETED} `customers/redact` erases."))
                .takes_as("application/json", anything())
                .gives(200, "What became of it.", "WebhookAnswer")
                .open_to(Access::Shopify),
            on("POST /v1/webhooks/woocommerce/{source}", "wooCommerceWebhook", "Take in a webhook of WooCommerce")
                .says(&format!("{SAYS}\n\nTopics of orders, customers and products. {DELETED}"))
                .takes_as("application/json", anything())
                .gives(200, "What became of it.", "WebhookAnswer")
                .open_to(Access::WooCommerce),
        ],
    }
}

fn answer() -> Value {
    let told = Object::shown(
        "One thing that the delivery tells; its id stands beside, under what it is (`order`, `customer`, …).",
    )
    .needs("became", one_of(&["created", "taken", "stale", "erased", "unknown", "refused"]), "What became of it.")
    .has("problem", of("Problem"), "Why it is stale or was refused.");
    let text = || json!({ "type": "string" });
    Object::shown("What became of a delivery.")
        .has("topic", text(), "What it was about.")
        .has("delivery", text(), "The delivery's id.")
        .has("told", many(told.build()), "Each thing that it tells.")
        .build()
}
