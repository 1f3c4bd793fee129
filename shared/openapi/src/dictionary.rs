use contracts::Kind;
use serde_json::{Value, json};

use crate::operation::{Operation, on};
use crate::schema::{Object, between, boolean, code, count, either, list, many, of, one_of, text};
use crate::{Subject, terms};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Dictionary",
        description: "The shop's own words: fields, order statuses, kinds of event, sources, containers, audiences and \
            mailing categories. Some are always there; those can be given another name, but not deleted. One that is in use says where.",
        schemas: schemas(),
        operations: operations(),
    }
}

macro_rules! words {
    ($($kind:literal $one:literal $shown:literal $many:literal $name:literal $says:literal;)*) => {
        fn operations() -> Vec<Operation> {
            vec![$(
                on(concat!("GET /v1/", $kind), concat!("list", $many), concat!("List the ", $name))
                    .paged(of($shown)),
                on(concat!("GET /v1/", $kind, "/{code}"), concat!("get", $one), concat!("Read one of the ", $name))
                    .gives(200, "As it stands.", $shown),
                on(concat!("PUT /v1/", $kind, "/{code}"), concat!("put", $one), concat!("Define one of the ", $name))
                    .says($says)
                    .takes($one)
                    .gives(200, "As it was saved.", $shown)
                    .refuses(&[Kind::Conflict]),
                on(concat!("DELETE /v1/", $kind, "/{code}"), concat!("delete", $one), concat!("Delete one of the ", $name))
                    .says("One that is always there, or that something uses, is not deleted; the answer says which.")
                    .gives_nothing("It is deleted.")
                    .refuses(&[Kind::Conflict]),
            )*]
        }
    };
}

words! {
    "fields" "Field" "FieldShown" "Fields" "fields" "A field of the shop's own objects. What is told from now on is held to it.";
    "statuses" "Status" "StatusShown" "Statuses" "statuses" "A status of one of an order's three sets.";
    "event-types" "EventType" "EventTypeShown" "EventTypes" "kinds of event" "A kind of event. One that nobody defined is taken too; the list shows it as seen, with the fields it brought.";
    "sources" "Source" "SourceShown" "Sources" "sources" "One of the shop's sites, apps or systems. With a webhook's secret, it may send Shopify's or WooCommerce's webhooks.";
    "containers" "ContainerDefinition" "ContainerDefinitionShown" "ContainerDefinitions" "containers that are defined" "A list of products that each customer has.";
    "audiences" "Audience" "AudienceShown" "Audiences" "audiences" "A list of customers that the shop keeps by hand.";
    "mailing-categories" "MailingCategory" "MailingCategoryShown" "MailingCategories" "mailing categories" "A kind of message that customers may leave alone: campaigns and mailings name it under `sending.category`.";
}

/// A body takes what an answer shows, so that what is read may be sent back.
fn echoed(object: Object) -> Object {
    object
        .has("code", code(), "As in the path, if it is there.")
        .has("system", json!({}), "Shown; what is sent does not count.")
        .has("version", json!({}), "Shown; what is sent does not count.")
        .has("defined", json!({}), "Shown for event types; what is sent does not count.")
}

fn shown(object: Object) -> Value {
    object
        .needs("code", code(), "Its code.")
        .has("system", boolean(), "Whether it is always there.")
        .has("version", count(), "Which edit it is; not there if it never was edited.")
        .build()
}

fn name(object: Object) -> Object {
    object.needs("name", json!({ "type": "string", "minLength": 1, "maxLength": 200 }), "What people call it.")
}

fn duration() -> Value {
    json!({ "type": "string", "format": "duration", "examples": ["PT2H", "P3D"] })
}

fn types() -> Value {
    one_of(&["string", "integer", "decimal", "boolean", "date", "datetime", "list"])
}

fn schemas() -> Vec<(&'static str, Value)> {
    let echo = |code: &str, mut body: Value| {
        body["code"] = code.into();
        body["system"] = false.into();
        body["version"] = 3.into();
        body["defined"] = true.into();
        body
    };
    let body = |object: Object, example: Value| echoed(object).example(example).build();
    vec![
        (
            "Field",
            echoed(field(Object::new("A field of the shop's own.")))
                .example(echo(
                    "customer.tier",
                    json!({
                        "object": "customer", "name": "tier", "label": "Tier", "type": "string",
                        "allowed": ["silver", "gold"], "max_length": 10,
                    }),
                ))
                .example(json!({ "label": "Points", "type": "integer", "min": 0, "max": 1000 }))
                .build(),
        ),
        ("FieldShown", shown(field(Object::shown("A field.")))),
        (
            "Status",
            body(
                status(Object::new("A status of orders.")),
                echo(
                    "delivery.at_customs",
                    json!({
                        "set": "delivery", "name": "At customs", "in_analytics": true,
                    }),
                ),
            ),
        ),
        ("StatusShown", shown(status(Object::shown("A status of orders.")))),
        (
            "EventType",
            body(
                event_type(Object::new("A kind of event.")),
                echo(
                    "courier_missed",
                    json!({
                        "name": "Courier missed", "kind": "event", "fields": { "attempt": "integer" },
                    }),
                ),
            ),
        ),
        (
            "EventTypeShown",
            either([
                shown(event_type(Object::shown("A kind of event.")).has("defined", json!({ "const": true }), "")),
                seen(),
            ]),
        ),
        (
            "Source",
            body(
                source(Object::new("A source.")),
                echo(
                    "app",
                    json!({
                        "name": "Our shop", "domain": "shop.example.com", "active": true,
                        "webhook": { "kind": "shopify", "secret": "0123456789abcdef" },
                    }),
                ),
            ),
        ),
        (
            "SourceShown",
            shown(source(Object::shown("A source. A secret is never shown, only that there is one (`set`)."))),
        ),
        (
            "ContainerDefinition",
            body(
                container(Object::new("A container.")),
                echo(
                    "wishlist",
                    json!({
                        "name": "Wishlist", "idle_after": "P3D", "lifetime": "P90D",
                    }),
                ),
            ),
        ),
        ("ContainerDefinitionShown", shown(container(Object::shown("A container's definition.")))),
        ("Audience", body(name(Object::new("An audience.")), echo("vip", json!({ "name": "Very important" })))),
        ("AudienceShown", shown(name(Object::shown("An audience.")))),
        (
            "MailingCategory",
            body(
                mailing_category(Object::new("A mailing category.")),
                echo(
                    "offers",
                    json!({
                        "name": "Offers", "names": { "lv": "Piedāvājumi" }, "description": "Once a week.",
                        "visible": true, "default": "on", "active": true,
                    }),
                ),
            ),
        ),
        ("MailingCategoryShown", shown(mailing_category(Object::shown("A mailing category.")))),
    ]
}

fn field(object: Object) -> Object {
    object
        .has(
            "object",
            one_of(&["customer", "order", "order_line", "product", "category"]),
            "What has it, as in the code.",
        )
        .has("name", code(), "Its name under `fields`, as in the code.")
        .needs("label", json!({ "type": "string", "minLength": 1, "maxLength": 200 }), "What people call it.")
        .needs("type", types(), "What its values are.")
        .has("allowed", json!({ "type": "array", "items": {}, "minItems": 1, "maxItems": 200 }), "Only these values.")
        .has("min", json!({}), "This or more; for numbers, days and instants.")
        .has("max", json!({}), "This or less; for numbers, days and instants.")
        .has("max_length", between(1, 10_000), "At most so many characters, or items of a list.")
}

fn status(object: Object) -> Object {
    name(object)
        .has("set", one_of(&["general", "delivery", "payment"]), "Which of the three sets, as in the code.")
        .has("in_analytics", boolean(), "Whether orders of this status count.")
}

fn event_type(object: Object) -> Object {
    name(object).has("kind", one_of(&["web_event", "event", "system"]), "`web_event`, if it is left out.").has(
        "fields",
        json!({ "type": "object", "additionalProperties": types(), "maxProperties": 100 }),
        "What its context brings: names and types.",
    )
}

fn seen() -> Value {
    let names = || many(json!({ "type": "string" }));
    Object::shown("A kind of event that nobody defined, as it was seen.")
        .needs("code", code(), "Its name.")
        .needs("defined", json!({ "const": false }), "")
        .has("kinds", names(), "On which kinds it came.")
        .has("sources", names(), "From which sources.")
        .has(
            "fields",
            json!({ "type": "object", "additionalProperties": names() }),
            "What its context brought, each with the types it had.",
        )
        .has("first_seen", json!({ "type": ["string", "null"], "format": "date" }), "")
        .has("last_seen", json!({ "type": ["string", "null"], "format": "date" }), "")
        .build()
}

fn source(object: Object) -> Object {
    let webhook =
        Object::new("The webhooks that it sends.").needs("kind", one_of(&["shopify", "woocommerce"]), "Whose.").has(
            "secret",
            text(200),
            "What signs them: 8 to 200 visible ASCII characters. It stays what it is, if it is left out or `set`.",
        );
    name(object)
        .has("domain", text(253), "Where it is found.")
        .has("active", boolean(), "Whether it is in use; it is, if this is left out.")
        .has("webhook", webhook.build(), "The webhooks that it sends.")
}

fn mailing_category(object: Object) -> Object {
    let named = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
    name(object)
        .has(
            "names",
            json!({ "type": "object", "additionalProperties": named, "maxProperties": 50 }),
            "Its name in other languages, each by a language tag (BCP 47).",
        )
        .has("description", text(500), "What it is about, as customers read it.")
        .has(
            "visible",
            boolean(),
            "Whether customers see it on their page; they do, if this is left out. One that they do not see they \
             cannot leave, but by leaving everything.",
        )
        .has(
            "default",
            one_of(&["on", "off"]),
            "Whether who never said anything of it gets its messages; `on`, if it is left out.",
        )
        .has(
            "active",
            boolean(),
            "Whether it is in use; it is, if this is left out. Nothing is sent that is of one which is not.",
        )
}

fn container(object: Object) -> Object {
    name(object)
        .has(
            "idle_after",
            duration(),
            "After how long without a change it counts as abandoned. ISO 8601, from a second to 365 days.",
        )
        .has(
            "lifetime",
            duration(),
            "How long after the last change it is emptied. ISO 8601, from a second to 365 days.",
        )
}

/// The settings, which are one word of the dictionary without a code.
pub(crate) fn settings() -> Vec<(&'static str, Value)> {
    let all = |object: Object| {
        object
            .has("company", json!({ "type": "string", "minLength": 1, "maxLength": 200 }), "The company's name.")
            .has("time_zone", json!({ "type": "string", "examples": ["Europe/Riga"] }), "The shop's time zone (IANA).")
            .has("currency", of("Currency"), "The shop's currency.")
            .has(
                "languages",
                list(json!({ "type": "string", "minLength": 2, "maxLength": 35 }), 20),
                "Its languages (BCP 47), the main one first.",
            )
            .has(
                "country",
                json!({ "type": "string", "pattern": "^[A-Z]{2}$", "maxLength": 2 }),
                "Where it is (ISO 3166-1).",
            )
            .has("quiet_hours", terms::quiet_hours(), "When no marketing goes out, by each customer's own clock.")
            .has(
                "caps",
                list(terms::shop_cap(), 10),
                "How many marketing messages a customer may have. Each counts what has gone out since it is there; \
                 order mail neither counts nor is held to any.",
            )
            .has(
                "logo",
                json!({ "type": "string", "pattern": "^https://[A-Za-z0-9.:-]+([/?#][!-~]*)?$", "maxLength": 2000 }),
                "The logo that customers see on the pages behind the links in mails.",
            )
            .has(
                "soft_bounces",
                between(1, 20),
                "After how many mails that came back for now, one after the other, an address is not written to any \
                 more; 5, if it is left out.",
            )
    };
    let body = all(Object::new("The shop's settings, all of them."))
        .has("system", json!({}), "Shown; what is sent does not count.")
        .has("version", json!({}), "Shown; what is sent does not count.")
        .has("defined", json!({}), "What is sent does not count.")
        .example(json!({
            "company": "Mugs & Co", "time_zone": "Europe/Riga", "currency": "EUR", "languages": ["lv", "en-GB"],
            "country": "LV", "logo": "https://shop.example.com/logo.png", "version": 3, "system": true, "defined": true,
            "quiet_hours": { "from": "21:00", "to": "08:00" }, "soft_bounces": 5,
            "caps": [{ "most": 3, "per": "P7D" }, { "most": 1, "per": "P1D", "category": "news" }],
        }));
    let shown = all(Object::shown("The shop's settings.")).has("version", count(), "Which edit it is.");
    vec![("Settings", body.build()), ("SettingsShown", shown.build())]
}
