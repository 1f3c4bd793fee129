use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, code, count, either, instant, list, many, of, one_of, said, short};

/// The most that one part of a template may be, in bytes.
const PART: usize = 256 * 1024;

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Campaigns",
        description: "What goes out, to whom and when: templates, campaigns that something sets off, and mass mailings. \
            Everything is checked when it is saved, and each edit is a new version.",
        schemas: schemas(),
        operations: vec![
            on("GET /v1/templates", "listTemplates", "List the templates").paged(head()),
            on("GET /v1/templates/{id}", "getTemplate", "Read a template").gives(200, "The template.", "TemplateShown"),
            on("PUT /v1/templates/{id}", "putTemplate", "Define a template")
                .says("Handlebars in every part. A template that does not compile is refused, with the line and column of each fault.")
                .takes("Template")
                .gives(200, "As it was saved.", "TemplateShown"),
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

fn head() -> Value {
    versioned(Object::shown("A definition.")).build()
}

fn versioned(object: Object) -> Object {
    object.needs("id", code(), "Its id.").needs("version", count(), "Which edit it is, from 1.")
}

fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Template",
            template(Object::new("A template: Handlebars in every part."))
                .example(json!({
                    "subject": "Order {{order.id}}", "html": "<p>Thank you, {{customer.first_name}}!</p>",
                    "text": "Thank you, {{customer.first_name}}!", "preheader": "We are packing it.",
                }))
                .build(),
        ),
        ("TemplateShown", versioned(template(Object::shown("A template."))).build()),
        (
            "Campaign",
            campaign(Object::new("A campaign: what sets it off, and what it does."))
                .example(json!({
                    "name": "Shipped", "status": "active", "purpose": "transactional",
                    "trigger": { "type": "order_status_changed", "set": "delivery", "from": "assembling", "to": "shipped" },
                    "filter": { "field": "customer.city", "is": "Riga" },
                    "steps": [{ "wait": "PT2H" }, { "send": { "template": "shipped" } }],
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
                .build(),
        ),
        ("CampaignShown", versioned(campaign(Object::shown("A campaign."))).build()),
        ("Trigger", trigger()),
        ("Step", step()),
        ("Condition", condition()),
        (
            "Mailing",
            mailing(Object::new("A mass mailing."))
                .example(json!({
                    "name": "Black Friday", "template": "sale", "at": "2026-11-27T07:00:00Z",
                    "audience": { "field": "customer.city", "in": ["Riga", "Jūrmala"] },
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

fn minimal(trigger: Value) -> Value {
    json!({ "name": "Thanks", "trigger": trigger, "steps": [{ "send": { "template": "thanks" } }] })
}

fn template(object: Object) -> Object {
    let part = || crate::schema::text(PART);
    object
        .needs("subject", part(), "The subject; one line when rendered.")
        .needs("html", part(), "The HTML body.")
        .has("text", part(), "The plain-text body; made from `html`, if it is left out.")
        .has("preheader", part(), "What an inbox shows beside the subject.")
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
            "`marketing` needs the customer's consent. About an order it is `transactional`, if it is left out; else `marketing`.",
        )
        .has("filter", of("Condition"), "Whom it is for; everybody, if it is left out.")
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
            of_type("order_lines_changed", "What was ordered is no longer the same."),
            of_type("container_changed", "What is in a container changes.")
                .needs("container", code(), "Which container.")
                .has("what", what, "This only."),
            of_type("event_received", "An event of this name is taken in.")
                .needs("name", code(), "The event's name.")
                .has("kind", kind, "Of this kind only."),
            of_type("product_changed", "Something happens to a product that concerns the customer.")
                .needs("what", happened, "What. A price that dropped has changed, too.")
                .needs("whom", whom(), "Whom it concerns."),
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

fn condition() -> Value {
    let several = |name: &str, says: &str| Object::new(says).needs(name, many(of("Condition")), "").build();
    let value = json!({ "type": ["string", "number", "boolean"] });
    let field = json!({
        "type": "string", "maxLength": 256, "pattern": "^(customer|order|event|product|change)(\\.[^.]+)+$",
    });
    let texts = Object::new("A test of one field: `field` and one more.")
        .needs("field", field, "A path into the facts, such as `customer.city` or `order.lines.product_id`.")
        .has("is", value.clone(), "It is this.")
        .has("is_not", value.clone(), "It is not this.")
        .has("in", list(value.clone(), 500), "It is one of these.")
        .has("contains", value.clone(), "The text or the list has this in it.")
        .has("starts_with", json!({ "type": "string", "minLength": 1 }), "The text begins so.")
        .has("more_than", value.clone(), "It is more, or later.")
        .has("at_least", value.clone(), "It is this or more.")
        .has("less_than", value.clone(), "It is less, or earlier.")
        .has("at_most", value, "It is this or less.")
        .has("set", json!({ "type": "boolean" }), "Whether there is a value at all.");
    let mut test = texts.build();
    test["minProperties"] = 2.into();
    test["maxProperties"] = 2.into();
    let not = Object::new("The other does not hold.").needs("not", of("Condition"), "").build();
    let mut schema =
        either([several("all", "All of them hold."), several("any", "At least one of them holds."), not, test]);
    schema["examples"] = json!([
        { "all": [{ "field": "customer.city", "is": "Riga" }, { "field": "order.total", "at_least": "50" }] },
        { "not": { "any": [{ "field": "customer.phone", "set": true }] } },
    ]);
    said(
        schema,
        "A condition: `all`, `any` or `not` of others, or one test of one field; at most 200 tests, 16 levels deep.",
    )
}

fn mailing(object: Object) -> Object {
    object
        .needs("name", short(), "Its name, for people.")
        .needs("template", code(), "The id of the template that fills it.")
        .has("audience", of("Condition"), "Whom it goes to; every customer, if it is left out.")
        .has("at", instant(), "When it starts; now, if it is left out.")
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
