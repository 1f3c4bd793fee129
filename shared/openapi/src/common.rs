//! What many operations have in common: values, problems, parameters, headers.

use contracts::Kind;
use contracts::key::{MOST_RATE, RATE};
use serde_json::{Map, Value, json};

use crate::schema::{Object, between, count, id, many, of};

/// The schemas that others are made of.
pub(crate) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Id",
            json!({
                "type": "string", "minLength": 1, "maxLength": 200, "examples": ["1001"],
                "description": "An id in the shop's own system: 1 to 200 bytes of UTF-8, without control characters, \
                    and without white space at its ends.",
            }),
        ),
        (
            "CustomerId",
            json!({
                "type": "string", "minLength": 1, "maxLength": 200, "examples": ["ada", "visitor:8f14e45f"],
                "description": "A customer's id in the shop's own system, 1 to 200 bytes. `visitor:ID` names an \
                    anonymous visitor by their anonymous id.",
            }),
        ),
        (
            "Code",
            json!({
                "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,200}$", "maxLength": 200,
                "description": "A short name: letters, digits, `_`, `-` and `.`, at most 200.",
            }),
        ),
        (
            "Amount",
            json!({
                "type": ["string", "number"], "examples": ["24.95", 3],
                "description": "An exact decimal with at most 18 digits before the point and 9 behind it. As text it is \
                    kept to the last digit; a number goes through a double first. Answers give text.",
            }),
        ),
        (
            "Currency",
            json!({ "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"], "description": "An ISO 4217 code." }),
        ),
        (
            "Instant",
            json!({
                "type": "string", "format": "date-time", "examples": ["2026-11-22T10:00:00Z"],
                "description": "RFC 3339, with its zone, from 1970 to 9999; kept to the millisecond. What says when \
                    something was so must not be more than a day ahead of our clock.",
            }),
        ),
        (
            "FieldValue",
            json!({
                "type": ["string", "number", "boolean", "array", "null"],
                "items": { "type": ["string", "number", "boolean", "null"] },
                "description": "A value of a field of the shop's own: a text, a number, true, false, or a list of these.",
            }),
        ),
        (
            "Fields",
            json!({
                "type": "object", "additionalProperties": of("FieldValue"), "examples": [{ "tier": "gold", "sizes": [38, 39] }],
                "description": "Fields of the shop's own, by name. A field that is defined is held to its definition; \
                    one that is not may be anything.",
            }),
        ),
        (
            "Fault",
            Object::shown("One thing that is wrong with a request.")
                .needs(
                    "pointer",
                    json!({ "type": "string" }),
                    "Where: a JSON pointer into the body, empty for the whole; `?name` for a parameter of the query.",
                )
                .needs("detail", json!({ "type": "string" }), "What is wrong and what would be right.")
                .build(),
        ),
        ("Problem", problem()),
        (
            "BatchAnswer",
            Object::shown("What became of each thing of a batch, in their order.")
                .needs("items", many(of("BatchOutcome")), "")
                .build(),
        ),
        (
            "BatchOutcome",
            Object::shown("What became of one thing of a batch.")
                .needs("index", count(), "Its place in the request, from 0.")
                .has("id", json!({ "type": "string" }), "Its id, if it could be read.")
                .needs("status", json!({ "type": "integer" }), "What it would have been answered with alone.")
                .has("problem", of("Problem"), "What stopped it. Pointers are into the thing, not into the body.")
                .build(),
        ),
        (
            "RowFault",
            Object::shown("A row of a file that was not taken in.")
                .needs("line", json!({ "type": "integer", "minimum": 1 }), "The line on which it begins, from 1.")
                .has("id", json!({ "type": "string" }), "The row's id, if that much could be read.")
                .has("column", json!({ "type": "string" }), "The column or element at fault, if it is one.")
                .needs("detail", json!({ "type": "string" }), "What is wrong and what would be right.")
                .has("problem", of("Problem"), "What the same would have been answered with alone.")
                .build(),
        ),
        (
            "ImportReport",
            Object::shown("What became of the rows of a file.")
                .needs("rows", count(), "How many rows there were.")
                .needs("created", count(), "Of how many nothing was known before.")
                .needs("known", count(), "How many were known.")
                .needs("faulty", many(of("RowFault")), "Each row that was not taken in, and why.")
                .needs("ignored_columns", many(json!({ "type": "string" })), "Columns that nothing was made of.")
                .build(),
        ),
    ]
}

fn problem() -> Value {
    let urns: Vec<String> = Kind::ALL.into_iter().map(Kind::urn).collect();
    Object::shown("Why a request could not be carried out (RFC 9457). Nothing of such a request was written.")
        .needs(
            "type",
            json!({ "type": "string", "enum": urns }),
            "Which kind of problem. Stable: programs may compare it.",
        )
        .needs("title", json!({ "type": "string" }), "The kind in words.")
        .needs("status", json!({ "type": "integer" }), "The HTTP status.")
        .has("detail", json!({ "type": "string" }), "What happened here, in words.")
        .has("errors", many(of("Fault")), "Everything that is wrong with the request, each with its place.")
        .example(json!({
            "type": Kind::Invalid.urn(), "title": "The body is not what this route takes", "status": 422,
            "errors": [{ "pointer": "/total", "detail": "must be a decimal number, such as \"24.95\"" }],
        }))
        .build()
}

/// The answer for problems of one status: its name among the responses, and what it
/// is. API Gateway itself answers those whom its authorizer does not let in.
pub(crate) fn refusal(kinds: &[Kind], by_gateway: bool) -> (String, Value) {
    let status = kinds.first().map_or(500, |kind| kind.status());
    let gateway = by_gateway && matches!(status, 401 | 403);
    let title = |kind: &Kind| serde_json::to_value(contracts::Problem::new(*kind)).unwrap_or_default()["title"].clone();
    let titles: Vec<String> = kinds.iter().map(|kind| title(kind).as_str().unwrap_or_default().to_owned()).collect();
    let urns: Vec<String> = kinds.iter().map(|kind| kind.urn()).collect();
    let names: Vec<&str> = urns.iter().filter_map(|urn| urn.rsplit(':').next()).collect();
    let mut headers = Map::new();
    if status == 429 || kinds.contains(&Kind::InProgress) {
        headers.extend(header("Retry-After"));
    }
    if status == 429 {
        headers.extend(header("RateLimit"));
        headers.extend(header("RateLimit-Policy"));
    }
    let mut content = Map::new();
    let narrowed = json!({ "allOf": [of("Problem"), { "properties": { "type": { "enum": urns } } }] });
    content.insert("application/problem+json".into(), json!({ "schema": narrowed }));
    let mut description = titles.join(". ") + ".";
    if gateway {
        let message = json!({ "type": "object", "properties": { "message": { "type": "string" } } });
        content.insert("application/json".into(), json!({ "schema": message }));
        description += " Where the request gets no further than the authorizer, the body is `{\"message\": …}`.";
    }
    let mut response = json!({ "description": description, "content": content });
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    (names.join(".") + if gateway { ".key" } else { "" }, response)
}

/// A header that is described in the components.
pub(crate) fn header(name: &str) -> Option<(String, Value)> {
    Some((name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })))
}

/// The headers of answers.
pub(crate) fn headers() -> Value {
    let text = |description: String, example: &str| json!({ "description": description, "schema": { "type": "string" }, "example": example });
    json!({
        "RateLimit": text("What is left of the key's window (`r`) and in how many seconds the next begins (`t`).".into(), "\"default\";r=4987;t=6"),
        "RateLimit-Policy": text(
            format!("How many requests (`q`) the key may make in how many seconds (`w`). A key has {RATE} a second unless it was made with another rate, of at most {MOST_RATE}."),
            "\"default\";q=5000;w=10",
        ),
        "Retry-After": { "description": "After how many seconds the request may be sent again.", "schema": { "type": "integer", "minimum": 1 } },
        "Idempotency-Replayed": text("`true` if the answer was given before, to the same request.".into(), "true"),
    })
}

/// The parameters that many operations take.
pub(crate) fn parameters() -> Value {
    json!({
        "limit": {
            "name": "limit", "in": "query", "description": "How many things are on a page.",
            "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 100 },
        },
        "after": {
            "name": "after", "in": "query", "schema": { "type": "string" },
            "description": "Where the page begins: the `next` of the answer before.",
        },
        "idempotency-key": {
            "name": "Idempotency-Key", "in": "header",
            "description": "Names the request: sent again under the same key within a day, it is not carried out again, \
                but answered as it was. Another request under the same key is refused.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$" },
        },
    })
}

/// A part of a path.
pub(crate) fn path_parameter(path: &str, name: &str) -> Value {
    let subject = path.split('/').nth(2).unwrap_or_default();
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let (schema, description, example) = match (subject, name) {
        ("customers", "id") => {
            (of("CustomerId"), "The customer's id. One who was merged into another may be named by either.", "ada")
        }
        ("customers", "code") => (of("Code"), "The container's code, such as `cart` or `wishlist`.", "cart"),
        ("visitors", "id") => {
            let id = json!({ "type": "string", "minLength": 1, "maxLength": 192 });
            (id, "The visitor's anonymous id, 1 to 192 bytes.", "8f14e45f")
        }
        ("orders", "id") => (id(), "The order's id in the shop's own system.", "1001"),
        ("orders", "line") => (id(), "The line's id within the order.", "1"),
        ("products", "id") if path.contains("/import/") => {
            (text("^[0-9a-f]{32}$"), "The import's id.", "0123456789abcdef0123456789abcdef")
        }
        ("products", "id") => (id(), "The product's id in the shop's own system.", "mug-blue"),
        ("categories", "id") => (id(), "The category's id in the shop's own system.", "mugs"),
        ("keys", "id") => (text("^[0-9a-f]{16}$"), "The key's id.", "0123456789abcdef"),
        ("audit", "id") => (json!({ "type": "string" }), "The change's id, as the list gives it.", "CHANGE"),
        ("fields", "code") => (
            of("Code"),
            "`OBJECT.NAME`; the object is `customer`, `order`, `order_line`, `product` or `category`.",
            "customer.tier",
        ),
        ("statuses", "code") => {
            (of("Code"), "`SET.CODE`; the set is `general`, `delivery` or `payment`.", "delivery.at_customs")
        }
        ("event-types", "code") => (of("Code"), "The event's name.", "courier_missed"),
        ("sources", "code") => (of("Code"), "The source's code.", "app"),
        ("containers", "code") => (of("Code"), "The container's code.", "wishlist"),
        ("audiences", "code") => (of("Code"), "The audience's code.", "vip"),
        ("attachments", "code") => (of("Code"), "The attachment's code.", "terms"),
        ("messages", "id") => (text("^[0-9a-f]{32}$"), "The message's id.", "0123456789abcdef0123456789abcdef"),
        ("suppressions", "address") => {
            (json!({ "type": "string", "format": "email" }), "The e-mail address.", "ada@example.com")
        }
        ("promo-code-groups", "id") => (of("Code"), "The group's id.", "summer"),
        ("segments", "code") => (of("Code"), "The segment's code.", "loyal"),
        ("segments", "other") => (of("Code"), "The code of the other segment.", "recent"),
        ("segments", "id") => {
            (of("CustomerId"), "The customer's id. One who was merged into another may be named by either.", "ada")
        }
        ("projects", "key") => (json!({ "type": "string" }), "The write key.", "KEY"),
        ("webhooks", "source") => (of("Code"), "The code of the source whose secret signs the delivery.", "app"),
        ("{call}", _) => (json!({ "type": "string" }), "One of the calls here, such as `track`.", "track"),
        (_, "token") => (json!({ "type": "string" }), "The token of a link in one of our mails.", "TOKEN"),
        _ => (of("Code"), "Its id, chosen by whoever defines it.", "shipped"),
    };
    json!({
        "name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example,
    })
}

/// A rate, in requests a second.
pub(crate) fn rate() -> Value {
    between(1, MOST_RATE.into())
}
