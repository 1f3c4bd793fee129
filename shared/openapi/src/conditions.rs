//! The condition language, as far as JSON schema can say it.

use serde_json::{Value, json};

use crate::schema::{Object, boolean, either, list, many, of, one_of, said, text};

/// Tests that a number can be put to.
const OF_NUMBERS: &[&str] = &["is", "is_not", "in", "more_than", "at_least", "less_than", "at_most", "between", "set"];

/// Tests of text, lists and dates.
const OF_OTHERS: &[&str] = &["contains", "starts_with", "ends_with", "matches", "anniversary"];

/// How many units a moment may lie away, and how many days an anniversary.
const FARTHEST: i64 = 3660;

pub(crate) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("Condition", condition()),
        ("FieldCondition", field()),
        ("NumberCondition", number()),
        ("ValueCondition", value()),
        ("Collection", collection()),
        ("Period", period()),
        ("Moment", moment()),
        ("Operand", operand("A value: text, a number, true or false, or a moment.", &["string", "number", "boolean"])),
        ("OrderedOperand", operand("A value that has an order: text, a number, or a moment.", &["string", "number"])),
        ("NumberOperand", number_operand()),
        ("Length", length()),
    ]
}

fn condition() -> Value {
    let several = |name: &str, list: Value, says: &str| Object::new(says).needs(name, list, "").build();
    let mut at_least_one = many(of("Condition"));
    at_least_one["minItems"] = 1.into();
    let audience = Object::new("The customer is in an audience.").needs("audience", words(64), "Its code.").build();
    let segment = Object::new("The customer is in a segment.").needs("segment", words(64), "Its code.").build();
    let mut schema = either([
        several("all", many(of("Condition")), "All of them hold; an empty `all` always does."),
        several("any", at_least_one, "At least one of them holds."),
        Object::new("The other does not hold.").needs("not", of("Condition"), "").build(),
        of("FieldCondition"),
        of("NumberCondition"),
        of("ValueCondition"),
        audience,
        segment,
    ]);
    schema["examples"] = examples();
    said(
        schema,
        "A condition: `all`, `any` or `not` of others; a test of one field; a test of what several things that the \
         customer did or has come to; or whether the customer is in an audience or a segment. At most 200 tests, 16 levels deep. \
         What is not there (absent, null, `\"\"`, `[]`, `{}`) fails every test but `set: false` and `is_not`. \
         When it is saved it is held to the dictionary: a field, status, source, container or audience that is not \
         defined, a test that does not fit a field's type, and a range in which a field never lies are refused, with \
         the nearest names.",
    )
}

fn field() -> Value {
    let path = json!({
        "type": "string", "maxLength": 256,
        "pattern": "^(customer|order|event|product|change|line|item|container|message)(\\.[^.]+)+$",
    });
    let object = Object::new("A test of one field: `field` and one test.").needs(
        "field",
        path,
        "A path, such as `customer.city` or `order.lines.product_id`. It begins with what there is: `customer`, and \
         in a campaign's filter what happened (`order`, `event`, `product`, `change`); in a `where` with the thing \
         that is looked at (`order`, `line`, `event`, `item`, `container`, `message`). Through a list it leads to the \
         list of what it finds.",
    );
    with_one_test(tests(object), &[OF_NUMBERS, OF_OTHERS].concat(), None)
}

/// What several things come to, if that is a number whatever they are.
fn number() -> Value {
    let name = collection_field;
    let object = Object::new(
        "A number that several things come to: one of `count`, `sum`, `average` and `distinct`, and one test; `count` \
         without a test asks whether there is any.",
    )
    .has("count", of("Collection"), "How many there are.")
    .has(
        "sum",
        name(),
        "The sum of a field of theirs; of nothing it is 0. Of several currencies, ask for one in `where`.",
    )
    .has("average", name(), "The average of a field of theirs; of nothing there is none.")
    .has("distinct", name(), "How many different values a field of theirs has.");
    let operand = || of("NumberOperand");
    let object = which(object)
        .has("is", operand(), "It is this.")
        .has("is_not", operand(), "It is not this.")
        .has("in", some(operand()), "It is one of these.")
        .has("more_than", operand(), "It is more.")
        .has("at_least", operand(), "It is this or more.")
        .has("less_than", operand(), "It is less.")
        .has("at_most", operand(), "It is this or less.")
        .has("between", two(operand()), "It is at least the first and at most the second.")
        .has("set", boolean(), "Whether there is a value at all.");
    with_one_function(with_one_test(object, OF_NUMBERS, Some("count")), &["count", "sum", "average", "distinct"])
}

/// What several things come to, if that is a value of one of them.
fn value() -> Value {
    let name = collection_field;
    let object =
        Object::new("A field of one of several things: one of `min`, `max`, `first` and `last`, and one test.")
            .has("min", name(), "The least.")
            .has("max", name(), "The greatest.")
            .has("first", name(), "That of the first of them, by time.")
            .has("last", name(), "That of the last of them, by time.");
    let schema = with_one_test(tests(which(object)), &[OF_NUMBERS, OF_OTHERS].concat(), None);
    with_one_function(schema, &["min", "max", "first", "last"])
}

/// Which things, and of which time.
fn which(object: Object) -> Object {
    object
        .has(
            "where",
            of("Condition"),
            "Which of them: a condition over one of them, whose paths begin with `order`, `line` (and its `order`), \
             `event`, `item`, `container` or `message`. Over orders it may go through the `lines` of each.",
        )
        .has("during", of("Period"), "Of which time.")
}

fn tests(object: Object) -> Object {
    let (operand, ordered) = (|| of("Operand"), || of("OrderedOperand"));
    let mut pattern = words(256);
    pattern["examples"] = json!(["^LV-[0-9]{4}$"]);
    object
        .has("is", operand(), "It is this.")
        .has("is_not", operand(), "It is not this.")
        .has("in", some(plain(&["string", "number", "boolean"])), "It is one of these.")
        .has("contains", plain(&["string", "number", "boolean"]), "The text has this in it, or the list among it.")
        .has("starts_with", plain(&["string"]), "The text begins so.")
        .has("ends_with", plain(&["string"]), "The text ends so.")
        .has("matches", pattern, "The text has in it what this regular expression finds.")
        .has("more_than", ordered(), "It is more, or later.")
        .has("at_least", ordered(), "It is this or more.")
        .has("less_than", ordered(), "It is less, or earlier.")
        .has("at_most", ordered(), "It is this or less.")
        .has("between", two(ordered()), "It is at least the first and at most the second.")
        .has("anniversary", anniversary(), "The yearly return of the date lies in these days.")
        .has("set", boolean(), "Whether there is a value at all.")
}

/// The schema of an object that has one of these tests; none, if it has this function.
fn with_one_test(object: Object, tests: &[&str], but: Option<&str>) -> Value {
    let mut schema = object.build();
    let mut ways: Vec<Value> = tests.iter().map(|test| json!({ "required": [test] })).collect();
    if let Some(function) = but {
        ways.push(json!({ "required": [function], "not": { "anyOf": ways } }));
    }
    schema["allOf"] = json!([{ "oneOf": ways }]);
    schema
}

fn with_one_function(mut schema: Value, functions: &[&str]) -> Value {
    let ways: Vec<Value> = functions.iter().map(|function| json!({ "required": [function] })).collect();
    if let Some(parts) = schema["allOf"].as_array_mut() {
        parts.push(json!({ "oneOf": ways }));
    }
    schema
}

fn collection() -> Value {
    said(
        one_of(&["orders", "lines", "events", "items", "containers", "messages"]),
        "What a customer has several of, and by which time: orders and all their lines, by when the order was placed; \
         events, by when they happened; items in containers now, by since when; containers, by their last change; \
         messages, by when they were decided on. An order that its statuses keep out of analytics does not count, nor \
         do its lines, unless `where` asks for `order.status` or `order.in_analytics` itself.",
    )
}

fn collection_field() -> Value {
    json!({
        "type": "string", "pattern": "^(orders|lines|events|items|containers|messages)(\\.[^.]+)+$",
        "examples": ["orders.total"],
    })
}

fn period() -> Value {
    let end = || {
        let fixed = json!({
            "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$",
            "examples": ["2026-11-22T08:00:00Z", "2026-11-22"],
        });
        either([fixed, of("Moment")])
    };
    let since = |name: &str, says: &str| {
        Object::new(says)
            .needs(name, of("Collection"), "")
            .has("where", of("Condition"), "Which of them counts.")
            .build()
    };
    let mut between = Object::new("From one moment on, up to another.")
        .has("from", end(), "It is within.")
        .has("to", end(), "It is not within any more.")
        .build();
    between["minProperties"] = 1.into();
    let since = either([since("last", "After the last of them."), since("first", "After the first of them.")]);
    let periods = [
        Object::new("The last so much, up to now.").needs("last", of("Length"), "").build(),
        between,
        Object::new("Since something, and without it; if it never was, nothing is since.")
            .needs("since", since, "")
            .build(),
    ];
    said(either(periods), "A stretch of time.")
}

fn moment() -> Value {
    let start = Object::new("The start of a stretch of the calendar; a week begins on Monday.")
        .needs("start_of", one_of(&["day", "week", "month", "year"]), "Of this one.")
        .has("offset", far(), "So many of them later; earlier, below 0. At most 3660 to either side.")
        .has("zone", zone(), "By whose calendar; the shop's, if it is left out.");
    let moments = [
        Object::new("So long ago.").needs("ago", of("Length"), "").build(),
        Object::new("So far ahead.").needs("ahead", of("Length"), "").build(),
        start.build(),
    ];
    said(either(moments), "A moment that moves with the clock.")
}

fn anniversary() -> Value {
    Object::new("Days before and after today. 29 February returns on the 28th.")
        .has("from_day", far(), "The first of them: 0 is today, and is meant if it is left out.")
        .has("to_day", far(), "The last of them: 0 is today, and is meant if it is left out.")
        .has("zone", zone(), "By whose calendar; the shop's, if it is left out.")
        .build()
}

fn operand(says: &str, types: &[&str]) -> Value {
    let mut schema = either([plain(types), of("Moment")]);
    schema["examples"] = json!(["Riga", 20, "2026-11-22T08:00:00Z", { "ago": "P30D" }]);
    said(schema, &format!("{says} Numbers may be written as text; instants (RFC 3339) and days are compared as such."))
}

fn number_operand() -> Value {
    json!({
        "type": ["string", "number"], "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$", "examples": [3, "49.90"],
        "description": "A number, which may be written as text.",
    })
}

fn length() -> Value {
    json!({
        "type": "string", "examples": ["P30D", "30d", "PT2H", "90m"],
        "description": "A length of time of at most ten years, as ISO 8601 has it or in short. It is exact: a day of it \
            is 24 hours.",
    })
}

fn plain(types: &[&str]) -> Value {
    let types = if let [one] = types { json!(one) } else { json!(types) };
    json!({ "type": types, "minLength": 1 })
}

fn words(most: usize) -> Value {
    let mut schema = text(most);
    schema["minLength"] = 1.into();
    schema
}

fn some(items: Value) -> Value {
    let mut schema = list(items, 500);
    schema["minItems"] = 1.into();
    schema
}

fn two(items: Value) -> Value {
    let mut schema = list(items, 2);
    schema["minItems"] = 2.into();
    schema
}

fn far() -> Value {
    json!({ "type": "integer", "minimum": -FARTHEST, "maximum": FARTHEST })
}

fn zone() -> Value {
    one_of(&["shop", "customer"])
}

fn examples() -> Value {
    json!([
        { "all": [
            { "field": "customer.country", "in": ["LV", "LT"] },
            { "sum": "orders.total", "during": { "last": "P90D" }, "at_least": 100 },
            { "not": { "audience": "staff" } },
            { "segment": "loyal" },
        ] },
        { "count": "orders", "where": { "field": "order.total", "at_least": "50" }, "at_least": 3 },
        { "count": "orders", "where": { "count": "lines", "where": { "field": "line.product_id", "is": "mug" } } },
        { "all": [
            { "count": "events", "during": { "last": "1h" }, "where": { "field": "event.name", "is": "product_viewed" } },
            { "sum": "items.total", "where": { "field": "item.container", "is": "cart" }, "more_than": 20 },
        ] },
        {
            "distinct": "lines.product_id", "between": [2, 5],
            "during": { "from": { "start_of": "month", "offset": -1, "zone": "customer" }, "to": { "start_of": "month" } },
        },
        { "count": "orders", "is": 0, "during": { "since": {
            "last": "messages", "where": { "field": "message.campaign", "is": "come-back" },
        } } },
        { "average": "orders.total", "at_most": "49.90", "during": { "since": {
            "first": "events", "where": { "field": "event.name", "is": "subscribed" },
        } } },
        { "last": "orders.created_at", "less_than": { "ago": "P60D" } },
        { "first": "orders.lines.product_id", "contains": "mug" },
        { "field": "customer.fields.birthday", "anniversary": { "from_day": 0, "to_day": 7, "zone": "customer" } },
        { "field": "customer.fields.expires_at", "between": ["2026-11-22T08:00:00Z", { "ahead": "P7D" }] },
        { "any": [
            { "field": "customer.email", "ends_with": "@example.com" },
            { "field": "customer.postal_code", "starts_with": "LV" },
            { "field": "customer.postal_code", "matches": "^LV-[0-9]{4}$" },
            { "field": "customer.fields.interests", "contains": "coffee" },
            { "field": "customer.fields.tier", "is_not": "gold" },
            { "field": "customer.fields.points", "more_than": 100 },
            { "field": "customer.fields.points", "less_than": 10 },
            { "field": "customer.fields.points", "at_most": 10 },
            { "field": "customer.phone", "set": false },
        ] },
        { "any": [
            { "sum": "orders.total", "less_than": 10 },
            { "count": "orders", "is_not": 1 },
            { "count": "orders", "in": [1, 2] },
            { "average": "orders.total", "set": false },
        ] },
        { "any": [
            { "max": "orders.total", "more_than": 200 },
            { "min": "orders.total", "at_least": 20 },
            { "max": "lines.price", "where": { "field": "line.product_id", "is": "mug" }, "at_most": 30 },
            { "last": "orders.total", "between": [10, 20] },
            { "last": "orders.currency", "in": ["EUR", "USD"] },
            { "last": "orders.source", "is": "app" },
            { "first": "orders.source", "is_not": "app" },
            { "first": "orders.id", "starts_with": "W-" },
            { "last": "orders.id", "ends_with": "-1" },
            { "last": "orders.id", "matches": "^W-[0-9]+$" },
            { "first": "orders.created_at", "anniversary": { "to_day": 7 } },
            { "last": "events.context.product_id", "during": { "last": "P1D" }, "set": true },
        ] },
    ])
}
