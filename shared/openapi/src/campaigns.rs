use contracts::Kind;
use serde_json::{Value, json};

use crate::operation::on;
use crate::schema::{Object, code, count, either, instant, list, of, one_of, said, short};
use crate::{Subject, conditions};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Campaigns",
        description: "What goes out, to whom and when: campaigns that something sets off, and mass mailings. \
            Everything is checked when it is saved, and each edit is a new version.",
        schemas: schemas(),
        operations: vec![
            on("GET /v1/campaigns", "listCampaigns", "List the campaigns").paged(head()),
            on("GET /v1/campaigns/{id}", "getCampaign", "Read a campaign").gives(200, "The campaign.", "CampaignShown"),
            on("PUT /v1/campaigns/{id}", "putCampaign", "Define a campaign")
                .says("What sets it off, whom it is for, and its steps. A run that has begun goes by the version it began with.")
                .takes("Campaign")
                .gives(200, "As it was saved.", "CampaignShown"),
            on("GET /v1/mailings", "listMailings", "List the mailings").paged(head()),
            on("GET /v1/mailings/{id}", "getMailing", "Read a mailing")
                .gives(200, "The mailing, and how far it is.", "MailingShown"),
            on("PUT /v1/mailings/{id}", "putMailing", "Define a mailing")
                .says("It may be changed until its work has begun. It goes to a customer at most once.")
                .takes("Mailing")
                .gives(200, "As it was saved.", "MailingShown")
                .refuses(&[Kind::Conflict]),
        ],
    }
}

pub(crate) fn head() -> Value {
    versioned(Object::shown("A definition.")).build()
}

pub(crate) fn versioned(object: Object) -> Object {
    object.needs("id", code(), "Its id.").needs("version", count(), "Which edit it is, from 1.")
}

fn schemas() -> Vec<(&'static str, Value)> {
    let mut schemas = conditions::schemas();
    schemas.extend(definitions());
    schemas
}

fn definitions() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Campaign",
            campaign(Object::new("A campaign: what sets it off, and what it does."))
                .example(json!({
                    "name": "Shipped", "status": "active", "purpose": "transactional",
                    "trigger": { "type": "order_status_changed", "set": "delivery", "from": "assembling", "to": "shipped" },
                    "filter": { "all": [
                        { "field": "customer.city", "is": "Riga" },
                        { "count": "orders", "during": { "last": "P365D" }, "at_least": 3 },
                    ] },
                    "steps": [{ "wait": "PT2H" }, { "send": { "template": "shipped" } }],
                    "sending": sending(),
                }))
                .example(minimal(json!({ "type": "order_created" })))
                .example(minimal(json!({ "type": "order_lines_changed" })))
                .example(minimal(json!({ "type": "order_line_status_changed", "from": "confirmed", "to": "cancelled" })))
                .example(minimal(json!({ "type": "container_changed", "container": "cart", "what": "item_added" })))
                .example(minimal(json!({ "type": "event_received", "name": "product_viewed", "kind": "web_event" })))
                .example(minimal(json!({
                    "type": "product_changed", "what": "price_dropped", "whom": { "viewed_within": "P14D" },
                })))
                .example(minimal(json!({
                    "type": "product_changed", "what": "back_in_stock", "whom": { "holding": "wishlist" },
                })))
                .example(minimal(json!({ "type": "segment_entered", "segment": "loyal" })))
                .example(minimal(json!({ "type": "segment_left", "segment": "recent" })))
                .example(minimal(json!({ "type": "consent_requested" })))
                .build(),
        ),
        ("CampaignShown", versioned(campaign(Object::shown("A campaign."))).build()),
        ("Sending", crate::terms::sending()),
        ("Trigger", trigger()),
        ("Step", step()),
        (
            "Mailing",
            mailing(Object::new("A mass mailing."))
                .example(json!({
                    "name": "Black Friday", "template": "sale", "at": "2026-11-27T07:00:00Z",
                    "audience": { "all": [
                        { "field": "customer.city", "in": ["Riga", "Jūrmala"] },
                        { "sum": "orders.total", "during": { "last": "P90D" }, "at_least": 100 },
                        { "not": { "audience": "staff" } },
                    ] },
                }))
                .example(json!({
                    "name": "Advent", "template": "advent", "local_at": "2026-12-01T10:00:00",
                    "sending": sending(),
                }))
                .build(),
        ),
        (
            "MailingShown",
            versioned(mailing(Object::shown("A mass mailing.")))
                .has("progress", progress(), "How far it is; not there before its work is taken down.")
                .build(),
        ),
    ]
}

fn sending() -> Value {
    json!({
        "category": "news", "lifetime": "PT24H", "any_hour": true, "cap": { "most": 1, "per": "P7D" },
        "over_cap": { "send_within": "PT48H" }, "if_unknown": { "resend_after": "PT6H" },
    })
}

fn minimal(trigger: Value) -> Value {
    json!({ "name": "Thanks", "trigger": trigger, "steps": [{ "send": { "template": "thanks" } }] })
}

fn campaign(object: Object) -> Object {
    object
        .needs("name", short(), "Its name, for people.")
        .needs("trigger", of("Trigger"), "What sets it off.")
        .needs("steps", list(of("Step"), 50), "What it does, one after the other; at least one sends.")
        .has("status", one_of(&["draft", "active", "paused"]), "Whether it is set off; `active`, if it is left out.")
        .has(
            "purpose",
            one_of(&["transactional", "marketing"]),
            "`marketing` needs the customer's consent. About an order, and for `consent_requested`, it is `transactional`, \
             if it is left out; else `marketing`.",
        )
        .has(
            "filter",
            of("Condition"),
            "Whom it is for; everybody, if it is left out. It sees the customer, all that they did and have, and what \
             happened: the `order`, `event` or `product`, and the `change`.",
        )
        .has("filter_in_words", in_words(), "The filter in plain English. It is made of `filter`; sent back, it says nothing.")
        .has("sending", of("Sending"), "On what terms its messages go out.")
}

fn trigger() -> Value {
    let of_type = |name: &str, description: &str| Object::new(description).needs("type", one_of(&[name]), "");
    let from_to =
        |object: Object| object.has("from", code(), "From this status only.").has("to", code(), "To this status only.");
    let what = one_of(&["item_added", "item_removed", "quantity_changed", "emptied"]);
    let kind = one_of(&["web_event", "event", "system"]);
    let happened = one_of(&["price_changed", "price_dropped", "stock_changed", "back_in_stock", "out_of_stock"]);
    let triggers =
        [
            of_type("order_created", "An order is seen for the first time."),
            from_to(of_type("order_status_changed", "One of an order's statuses changes.")).needs(
                "set",
                one_of(&["general", "delivery", "payment"]),
                "In which of the three sets.",
            ),
            from_to(of_type("order_line_status_changed", "The status of one of an order's lines changes.")),
            of_type(
                "order_lines_changed",
                "What was ordered is no longer the same. In the filter and in the templates `change.lines` has each \
                 line that came, went or is of another quantity, price or total: its `line_id`, `product_id`, `name`, \
                 `what` (`added`, `removed` or `changed`), and what it was and is, `from` and `to`, each with \
                 `quantity`, `price`, `total` and `currency`. Of many it has the first 50, or as many as go into 9 KB; \
                 `change.count` is how many they are. Of a line whose name, picture or own fields alone are others it \
                 says nothing.",
            ),
            of_type("container_changed", "What is in a container changes.")
                .needs("container", code(), "Which container.")
                .has("what", what, "This only."),
            of_type("event_received", "An event of this name is taken in.")
                .needs("name", code(), "The event's name.")
                .has("kind", kind, "Of this kind only."),
            of_type("product_changed", "Something happens to a product that concerns the customer.")
                .needs("what", happened, "What. A price that dropped has changed, too.")
                .needs("whom", whom(), "Whom it concerns."),
            of_type(
                "segment_entered",
                "The customer comes into a segment. Not if they are found in one that is new or was edited.",
            )
            .needs("segment", code(), "Which. It is `change.segment` in the filter and in the templates."),
            of_type(
                "segment_left",
                "The customer is in a segment no more. Not if one was edited and they are not in it now.",
            )
            .needs("segment", code(), "Which. It is `change.segment` in the filter and in the templates."),
            of_type(
                "consent_requested",
                "Somebody is said to agree to being written to, and is to say so themselves (double opt-in). In its \
                 templates `links.confirm` leads to the page on which they do, for 30 days.",
            ),
        ];
    said(either(triggers.map(Object::build)), "What sets a campaign off.")
}

fn whom() -> Value {
    let length = json!({ "type": "string", "format": "duration", "examples": ["P14D"] });
    let whom = [
        Object::new("Who viewed it lately.")
            .needs("viewed_within", length, "How long before at most: ISO 8601, from a second to 60 days.")
            .build(),
        Object::new("Who holds it in a container.").needs("holding", code(), "Which container.").build(),
    ];
    either(whom)
}

fn step() -> Value {
    let send = Object::new("").needs("template", code(), "The id of the template that fills it.").build();
    let wait = json!({ "type": "string", "format": "duration", "examples": ["PT2H", "P3D"] });
    let steps = [
        Object::new("Wait.").needs("wait", wait, "ISO 8601, from a second to 365 days.").build(),
        Object::new("Send a mail.").needs("send", send, "").build(),
    ];
    said(either(steps), "What a campaign does.")
}

fn mailing(object: Object) -> Object {
    object
        .needs("name", short(), "Its name, for people.")
        .needs("template", code(), "The id of the template that fills it.")
        .has(
            "audience",
            of("Condition"),
            "Whom it goes to; every customer, if it is left out. It sees the customer and all that they did and have. \
             If it names a segment, or asks for `all` of several conditions with a segment among them, only the \
             members of the segment are looked at.",
        )
        .has(
            "audience_in_words",
            in_words(),
            "The same in plain English. It is made of `audience`; sent back, it says nothing.",
        )
        .has("at", instant(), "When it starts; now, if it is left out.")
        .has(
            "local_at",
            json!({ "type": "string", "examples": ["2026-12-01T10:00:00"] }),
            "In place of `at`: when it reaches each customer by their own clock, that of their `time_zone`, else their \
             country's, else the shop's. A time without a zone.",
        )
        .has("sending", of("Sending"), "On what terms its messages go out.")
}

/// What is made of a condition, and never read.
pub(crate) fn in_words() -> Value {
    json!({ "type": "string", "readOnly": true })
}

fn progress() -> Value {
    Object::shown("How far a mailing is.")
        .needs("stage", one_of(&["scheduled", "collecting", "sending", "sent"]), "")
        .needs("audience", count(), "How many customers it goes to, as far as is known.")
        .needs("sent", count(), "")
        .needs("unknown", count(), "How many nobody knows about.")
        .needs(
            "not_sent",
            json!({ "type": "object", "additionalProperties": count() }),
            "How many were not sent, by reason.",
        )
        .needs("under_way", count(), "")
        .has("started_at", json!({ "type": ["string", "null"], "format": "date-time" }), "")
        .has("ended_at", json!({ "type": ["string", "null"], "format": "date-time" }), "")
        .build()
}
