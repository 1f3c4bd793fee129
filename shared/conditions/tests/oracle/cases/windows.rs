//! Of which time.

use serde_json::{Value, json};

use super::{Case, case};
use crate::random::nanos;
use crate::tables::{begin, begin_of_theirs, day_of};

pub(super) fn cases() -> Vec<Case> {
    [last(), between(), since()].into_iter().flatten().collect()
}

/// The last so much, up to now.
fn within(time: &str, length: &str) -> String {
    format!("{time} > @now - {length} AND {time} <= @now")
}

fn last() -> Vec<Case> {
    vec![
        case(
            json!({"count": "orders", "during": {"last": "30d"}}),
            format!("EXISTS (SELECT 1 FROM orders o WHERE @o. AND {})", within("o.created", "30 * @days")),
        ),
        case(
            json!({"count": "events", "during": {"last": "1d"}, "is": 0}),
            format!("NOT EXISTS (SELECT 1 FROM events e WHERE @e. AND {})", within("e.happened", "@days")),
        ),
        case(
            json!({
                "sum": "orders.total", "during": {"last": "P60D"},
                "where": {"field": "order.currency", "is": "EUR"}, "at_least": 50,
            }),
            format!(
                "(SELECT sum(o.total) FROM orders o WHERE @o. AND o.currency = 'EUR' AND {}) >= 5000",
                within("o.created", "60 * @days")
            ),
        ),
        case(
            json!({
                "sum": "lines.quantity", "during": {"last": "90d"},
                "where": {"field": "line.product_id", "in": ["p-1", "p-2"]}, "more_than": 2,
            }),
            format!(
                "(SELECT sum(l.quantity) FROM @lines WHERE l.product IN ('p-1', 'p-2') AND {}) > 2",
                within("o.created", "90 * @days")
            ),
        ),
        case(
            json!({"max": "items.price", "during": {"last": "14d"}, "more_than": 12.5}),
            format!("(SELECT max(i.price) FROM items i WHERE @i. AND {}) > 1250", within("i.since", "14 * @days")),
        ),
        case(
            json!({
                "count": "containers", "during": {"last": "30d"},
                "where": {"field": "container.code", "is": "cart"},
            }),
            format!(
                "EXISTS (SELECT 1 FROM containers b WHERE @b. AND b.code = 'cart' AND {})",
                within("b.changed", "30 * @days")
            ),
        ),
        case(
            json!({"count": "messages", "during": {"last": "2w"}, "less_than": 2}),
            format!("(SELECT count(*) FROM messages m WHERE @m. AND {}) < 2", within("m.created", "14 * @days")),
        ),
        case(
            json!({"first": "events.name", "during": {"last": "90d"}, "is": "page_viewed"}),
            format!(
                "(SELECT e.name FROM events e WHERE @e. AND {} ORDER BY e.happened, e.id LIMIT 1) = 'page_viewed'",
                within("e.happened", "90 * @days")
            ),
        ),
        case(
            json!({"average": "orders.total", "during": {"last": "365d"}, "set": false}),
            format!("NOT EXISTS (SELECT 1 FROM orders o WHERE @o. AND {})", within("o.created", "365 * @days")),
        ),
    ]
}

fn between() -> Vec<Case> {
    let during = |during: Value| json!({"count": "events", "during": during});
    let events = |clause: &str| format!("EXISTS (SELECT 1 FROM events e WHERE @e. AND {clause})");
    let day = day_of("e.happened");
    vec![
        case(
            during(json!({"from": "2026-02-21T12:00:00Z", "to": "2026-02-28T14:00:00+02:00"})),
            events(&format!(
                "e.happened >= {} AND e.happened < {}",
                nanos("2026-02-21T12:00:00Z"),
                nanos("2026-02-28T12:00:00Z")
            )),
        ),
        case(
            during(json!({"from": "2026-02-01", "to": "2026-03-01"})),
            events(&format!("{day} >= '2026-02-01' AND {day} < '2026-03-01'")),
        ),
        case(
            json!({
                "count": "orders", "during": {"from": "2026-03-30"},
                "where": {"field": "order.currency", "is": "EUR"},
            }),
            format!(
                "EXISTS (SELECT 1 FROM orders o WHERE @o. AND o.currency = 'EUR' AND {} >= '2026-03-30')",
                day_of("o.created")
            ),
        ),
        case(
            json!({"distinct": "orders.currency", "during": {"to": {"ago": "90d"}}, "is": 2}),
            "(SELECT count(DISTINCT o.currency) FROM orders o WHERE @o. AND o.created < @now - 90 * @days) = 2",
        ),
        case(
            during(json!({"from": {"ago": "60d"}, "to": {"ago": "30d"}})),
            events("e.happened >= @now - 60 * @days AND e.happened < @now - 30 * @days"),
        ),
        case(
            during(json!({"from": {"start_of": "month", "offset": -1}, "to": {"start_of": "month"}})),
            events(&format!(
                "e.happened >= {} AND e.happened < {}",
                begin("date(@today, 'start of month', '-1 month')"),
                begin("date(@today, 'start of month')")
            )),
        ),
        case(
            json!({"count": "messages", "during": {"from": {"start_of": "week", "offset": -1}}, "at_least": 2}),
            format!(
                "(SELECT count(*) FROM messages m WHERE @m. AND m.created >= {}) >= 2",
                begin("date(@today, 'weekday 0', '-13 days')")
            ),
        ),
        case(
            json!({
                "sum": "lines.total",
                "during": {"from": {"start_of": "year", "offset": -1}, "to": {"start_of": "day"}},
                "more_than": 100,
            }),
            format!(
                "(SELECT sum(l.total) FROM @lines WHERE o.created >= {} AND o.created < {}) > 10000",
                begin("date(@today, 'start of year', '-1 year')"),
                begin("@today")
            ),
        ),
        case(
            json!({
                "count": "events",
                "during": {"from": {"start_of": "day", "zone": "customer"}, "to": {"ahead": "7d"}},
            }),
            events(&format!("e.happened >= {} AND e.happened < @now + 7 * @days", begin_of_theirs("T"))),
        ),
        case(
            json!({
                "count": "items",
                "during": {
                    "from": {"start_of": "day", "offset": -14, "zone": "customer"},
                    "to": {"start_of": "day", "offset": 1, "zone": "customer"},
                },
            }),
            format!(
                "EXISTS (SELECT 1 FROM items i WHERE @i. AND i.since >= {} AND i.since < {})",
                begin_of_theirs("date(T, '-14 days')"),
                begin_of_theirs("date(T, '+1 day')")
            ),
        ),
        case(
            json!({
                "count": "orders",
                "where": {
                    "count": "lines", "during": {"last": "60d"},
                    "where": {"field": "line.quantity", "at_least": 2}, "at_least": 2,
                },
            }),
            format!(
                "EXISTS (SELECT 1 FROM orders o WHERE @o. AND {}
                 AND (SELECT count(*) FROM lines l WHERE l.ord = o.id AND l.quantity >= 2) >= 2)",
                within("o.created", "60 * @days")
            ),
        ),
    ]
}

fn since() -> Vec<Case> {
    vec![
        case(
            json!({"count": "events", "during": {"since": {"last": "orders"}}, "at_least": 2}),
            "(SELECT count(*) FROM events e WHERE @e.
             AND e.happened > (SELECT max(o.created) FROM orders o WHERE @o.)) >= 2",
        ),
        case(
            json!({"count": "orders", "during": {"since": {"first": "messages"}}}),
            "EXISTS (SELECT 1 FROM orders o WHERE @o.
             AND o.created > (SELECT min(m.created) FROM messages m WHERE @m.))",
        ),
        case(
            json!({
                "count": "orders",
                "during": {"since": {"last": "events", "where": {"field": "event.name", "is": "checkout_started"}}},
                "is": 0,
            }),
            "NOT EXISTS (SELECT 1 FROM orders o WHERE @o. AND o.created > (SELECT max(e.happened) FROM events e
             WHERE @e. AND e.name = 'checkout_started'))",
        ),
        case(
            json!({"count": "events", "during": {"since": {"first": "events"}}, "between": [1, 10]}),
            "(SELECT count(*) FROM events e WHERE @e. AND e.happened > (SELECT min(f.happened) FROM events f
             WHERE f.customer = c.num)) BETWEEN 1 AND 10",
        ),
        case(
            json!({"sum": "lines.total", "during": {"since": {"first": "lines", "where": {"all": [
                {"field": "line.categories", "contains": "sale"}, {"field": "order.currency", "is": "EUR"},
            ]}}}, "at_least": 100}),
            "(SELECT sum(l.total) FROM @lines WHERE o.created > (SELECT min(p.created) FROM orders p JOIN categories g
             ON g.ord = p.id AND g.category = 'sale' WHERE p.customer = c.num AND p.currency = 'EUR')) >= 10000",
        ),
        case(
            json!({
                "last": "messages.campaign", "during": {"since": {"last": "containers"}},
                "in": ["welcome", "birthday"],
            }),
            "(SELECT m.campaign FROM messages m WHERE @m.
             AND m.created > (SELECT max(b.changed) FROM containers b WHERE @b.)
             ORDER BY m.created DESC, m.id DESC LIMIT 1) IN ('welcome', 'birthday')",
        ),
        case(
            json!({
                "sum": "events.value",
                "during": {"since": {
                    "last": "orders",
                    "where": {"count": "lines", "where": {"field": "line.product_id", "is": "p-2"}},
                }},
                "is": 0,
            }),
            "coalesce((SELECT sum(e.value) FROM events e WHERE @e. AND e.happened > (SELECT max(o.created) FROM orders o
             JOIN lines l ON l.ord = o.id AND l.product = 'p-2' WHERE @o.)), 0) = 0",
        ),
        case(
            json!({
                "distinct": "events.session",
                "during": {"since": {"last": "items", "where": {"field": "item.container", "is": "cart"}}},
                "at_least": 2,
            }),
            "(SELECT count(DISTINCT e.session) FROM events e WHERE @e.
             AND e.happened > (SELECT max(i.since) FROM items i WHERE @i. AND i.container = 'cart')) >= 2",
        ),
    ]
}
