//! What several things come to.

use serde_json::{Value, json};

use super::fields::returns;
use super::{Case, case};
use crate::random::nanos;
use crate::tables::{begin, begin_of_theirs, day_of};

pub(super) fn cases() -> Vec<Case> {
    [counts(), analytics(), amounts(), ends(), lines(), nested(), others()].into_iter().flatten().collect()
}

fn orders(what: &str, clause: &str) -> String {
    format!("(SELECT {what} FROM orders o WHERE @o. AND ({clause}))")
}

/// Those that do not count for analytics as well.
fn every(what: &str, clause: &str) -> String {
    orders(what, clause).replacen("orders", "every_order", 1)
}

fn counts() -> Vec<Case> {
    let status = |status: &str| json!({"field": "order.status.general", "is": status});
    let all = orders("count(*)", "1");
    vec![
        case(json!({"count": "orders"}), format!("{all} > 0")),
        case(json!({"count": "orders", "is": 0}), format!("{all} = 0")),
        case(json!({"count": "orders", "is_not": "1.0"}), format!("{all} != 1")),
        case(json!({"count": "orders", "in": [1, 3, "5"]}), format!("{all} IN (1, 3, 5)")),
        case(json!({"count": "orders", "between": [2, 4]}), format!("{all} BETWEEN 2 AND 4")),
        case(json!({"count": "orders", "at_most": 2.5}), format!("{all} <= 2")),
        case(
            json!({"count": "orders", "where": status("completed"), "at_least": 3}),
            format!("{} >= 3", every("count(*)", "o.status = 'completed'")),
        ),
        case(
            json!({
                "count": "orders", "where": {"not": {"any": [status("completed"), status("received")]}},
                "less_than": 1,
            }),
            format!("{} = 0", every("count(*)", "o.status NOT IN ('completed', 'received')")),
        ),
        case(
            json!({
                "count": "orders", "where": {"field": "order.coupon", "matches": "^(?i:spring)-\\d+$"},
                "more_than": 1,
            }),
            format!("{} > 1", orders("count(*)", "lower(o.coupon) IN ('spring-10', 'spring-5')")),
        ),
        case(
            json!({"count": "orders", "where": {"all": [
                {"field": "order.delivery.city", "is_not": "Riga"},
                {"field": "order.coupon", "set": false},
                {"field": "order.created_at", "less_than": {"ago": "14d"}},
            ]}, "at_least": 2}),
            format!(
                "{} >= 2",
                orders("count(*)", "o.city IS NOT 'Riga' AND o.coupon IS NULL AND o.created < @now - 14 * @days")
            ),
        ),
    ]
}

/// Orders that do not count unless they are asked for.
fn analytics() -> Vec<Case> {
    let cancelled = json!({"field": "order.status.general", "is": "cancelled"});
    let kids = "EXISTS (SELECT 1 FROM categories g WHERE g.ord = o.id AND g.category = 'kids')";
    vec![
        case(
            json!({"count": "orders", "where": {"field": "order.in_analytics", "is": false}, "at_least": 2}),
            format!("{} >= 2", every("count(*)", "o.in_analytics = 0")),
        ),
        case(
            json!({
                "sum": "lines.quantity", "where": {"not": {"field": "order.in_analytics", "is": true}}, "at_least": 5,
            }),
            "(SELECT sum(l.quantity) FROM @every_line WHERE o.in_analytics IS NOT 1) >= 5",
        ),
        case(
            json!({"count": "orders", "where": {"all": [
                cancelled, {"count": "lines", "where": {"field": "line.categories", "contains": "kids"}},
            ]}}),
            format!("{} > 0", every("count(*)", &format!("o.status = 'cancelled' AND {kids}"))),
        ),
        case(
            json!({"count": "orders", "where": {"any": [
                {"field": "order.total", "less_than": 50},
                {"count": "lines", "where": {"all": [cancelled, {"field": "line.categories", "contains": "kids"}]}},
            ]}, "at_least": 2}),
            format!("{} >= 2", every("count(*)", &format!("o.total < 5000 OR (o.status = 'cancelled' AND {kids})"))),
        ),
        case(
            json!({"count": "events", "during": {"since": {"last": "orders", "where": cancelled}}, "at_least": 3}),
            "(SELECT count(*) FROM events e WHERE @e. AND e.happened > (SELECT max(o.created) FROM every_order o
             WHERE @o. AND o.status = 'cancelled')) >= 3",
        ),
        case(
            json!({
                "min": "orders.total", "during": {"since": {"first": "lines", "where": cancelled}}, "less_than": 50,
            }),
            "(SELECT min(o.total) FROM orders o WHERE @o. AND o.created > (SELECT min(p.created) FROM every_order p
             WHERE p.customer = c.num AND p.status = 'cancelled')) < 5000",
        ),
    ]
}

fn amounts() -> Vec<Case> {
    let euro = json!({"field": "order.currency", "is": "EUR"});
    let of_euro = |what: &str| orders(what, "o.currency = 'EUR'");
    vec![
        case(
            json!({"sum": "orders.total", "where": euro, "more_than": "500"}),
            format!("{} > 50000", of_euro("sum(o.total)")),
        ),
        case(json!({"sum": "orders.total", "is": 0}), format!("coalesce({}, 0) = 0", orders("sum(o.total)", "1"))),
        case(
            json!({"sum": "orders.total", "where": euro, "between": [0, 149.97]}),
            format!("coalesce({}, 0) BETWEEN 0 AND 14997", of_euro("sum(o.total)")),
        ),
        case(
            json!({"all": [{"sum": "orders.total", "set": true}, {"average": "orders.total", "set": false}]}),
            format!("{} = 0", orders("count(*)", "1")),
        ),
        case(
            json!({"average": "orders.total", "where": euro, "at_most": 120.5}),
            format!("{} AND {}", of_euro("count(*)"), of_euro("sum(o.total) <= 12050 * count(*)")),
        ),
        case(
            json!({"average": "orders.total", "less_than": "99.995"}),
            format!("{} AND {}", orders("count(*)", "1"), orders("sum(o.total) * 10 < 99995 * count(*)", "1")),
        ),
        case(
            json!({"any": [{"average": "lines.quantity", "is": 2}, {"average": "lines.quantity", "is": "1.5"}]}),
            "(SELECT count(*) AND (sum(l.quantity) = 2 * count(*) OR 2 * sum(l.quantity) = 3 * count(*)) FROM @lines)",
        ),
        case(json!({"min": "orders.total", "less_than": 20}), format!("{} < 2000", orders("min(o.total)", "1"))),
        case(json!({"max": "orders.total", "at_least": "250.00"}), format!("{} >= 25000", orders("max(o.total)", "1"))),
        case(
            json!({"max": "lines.price", "where": {"field": "order.currency", "is": "SEK"}, "is_not": "100.0"}),
            "(SELECT max(l.price) FROM @lines WHERE o.currency = 'SEK') IS NOT 10000",
        ),
        case(
            json!({"distinct": "lines.product_id", "at_least": 5}),
            "(SELECT count(DISTINCT l.product) FROM @lines) >= 5",
        ),
        case(json!({"distinct": "lines.price", "is": 3}), "(SELECT count(DISTINCT l.price) FROM @lines) = 3"),
        case(
            json!({"distinct": "orders.delivery.city", "in": [2, 3]}),
            format!("{} IN (2, 3)", orders("count(DISTINCT o.city)", "1")),
        ),
    ]
}

/// The first, the last, the least and the most.
fn ends() -> Vec<Case> {
    let end = |what: &str, clause: &str, order: &str| {
        format!(
            "(SELECT {what} FROM orders o WHERE @o. AND ({clause}) ORDER BY o.created {order}, o.id {order} LIMIT 1)"
        )
    };
    vec![
        case(
            json!({"first": "orders.status.general", "is": "completed"}),
            format!("{} = 'completed'", end("o.status", "1", "")),
        ),
        case(
            json!({"last": "orders.status.general", "is_not": "completed"}),
            format!("{} IS NOT 'completed'", end("o.status", "1", "DESC")),
        ),
        case(
            json!({"last": "orders.coupon", "where": {"field": "order.coupon", "set": true}, "starts_with": "SPRING"}),
            format!("{} GLOB 'SPRING*'", end("o.coupon", "o.coupon IS NOT NULL", "DESC")),
        ),
        case(
            json!({"first": "orders.total", "between": [10, 50]}),
            format!("{} BETWEEN 1000 AND 5000", end("o.total", "1", "")),
        ),
        case(
            json!({"first": "lines.product_id", "in": ["p-1", "p-2"]}),
            "(SELECT l.product FROM @lines ORDER BY o.created, o.id, l.pos LIMIT 1) IN ('p-1', 'p-2')",
        ),
        case(
            json!({"last": "lines.categories", "contains": "sale"}),
            "EXISTS (SELECT 1 FROM categories g WHERE g.category = 'sale' AND (g.ord, g.pos) = (SELECT l.ord, l.pos
             FROM @lines WHERE EXISTS (SELECT 1 FROM categories h WHERE h.ord = l.ord AND h.pos = l.pos)
             ORDER BY o.created DESC, o.id DESC, l.pos DESC LIMIT 1))",
        ),
        case(
            json!({
                "last": "events.context.page", "where": {"field": "event.context.page", "set": true},
                "contains": "shoes",
            }),
            "(SELECT e.page FROM events e WHERE @e. AND e.page IS NOT NULL ORDER BY e.happened DESC, e.id DESC LIMIT 1)
             GLOB '*shoes*'",
        ),
        case(
            json!({"max": "orders.created_at", "less_than": {"ago": "90d"}}),
            format!("{} < @now - 90 * @days", orders("max(o.created)", "1")),
        ),
        case(
            json!({"min": "events.at", "between": [{"ago": "365d"}, {"start_of": "week"}]}),
            format!(
                "(SELECT min(e.happened) FROM events e WHERE @e.) BETWEEN @now - 365 * @days AND {}",
                begin("date(@today, 'weekday 0', '-6 days')")
            ),
        ),
        case(
            json!({
                "max": "orders.created_at",
                "between": [{"start_of": "week", "offset": -2, "zone": "customer"}, {"ago": "2h"}],
            }),
            format!(
                "{} BETWEEN {} AND @now - 2 * @hours",
                orders("max(o.created)", "1"),
                begin_of_theirs("date(T, 'weekday 0', '-20 days')")
            ),
        ),
        case(
            json!({"max": "orders.delivery.on", "at_least": {"start_of": "month"}}),
            format!("{} >= date(@today, 'start of month')", orders("max(o.delivered)", "1")),
        ),
        case(
            json!({"max": "orders.delivery.on", "anniversary": {"from_day": -30, "to_day": 5}}),
            returns(&orders("max(o.delivered)", "1"), "@today", -30, 5),
        ),
        case(
            json!({"all": [{"first": "orders.id", "set": true}, {"last": "orders.coupon", "set": false}]}),
            format!("{} > 0 AND {} = 0", orders("count(*)", "1"), orders("count(*)", "o.coupon IS NOT NULL")),
        ),
        case(
            json!({"last": "orders.coupon", "during": {"last": "90d"}, "matches": "-[0-9]+$"}),
            format!(
                "{} IN ('SPRING-10', 'spring-5')",
                end("o.coupon", "o.coupon IS NOT NULL AND o.created > @now - 90 * @days AND o.created <= @now", "DESC")
            ),
        ),
        case(
            json!({
                "last": "messages.opened_at", "where": {"field": "message.opened_at", "set": true},
                "more_than": {"ago": "60d"},
            }),
            "(SELECT m.opened FROM messages m WHERE @m. AND m.opened IS NOT NULL
             ORDER BY m.created DESC, m.id DESC LIMIT 1) > @now - 60 * @days",
        ),
    ]
}

fn lines() -> Vec<Case> {
    let category = "EXISTS (SELECT 1 FROM categories g WHERE g.ord = l.ord AND g.pos = l.pos AND g.category = 'shoes')";
    vec![
        case(
            json!({"count": "lines", "where": {"field": "line.categories", "contains": "shoes"}, "at_least": 3}),
            format!("(SELECT count(*) FROM @lines WHERE {category}) >= 3"),
        ),
        case(
            json!({"sum": "lines.total", "where": {"all": [
                {"field": "line.categories", "contains": "shoes"},
                {"field": "order.currency", "is": "EUR"},
                {"not": {"field": "order.status.general", "in": ["cancelled", "returned"]}},
            ]}, "at_least": 100}),
            format!(
                "(SELECT sum(l.total) FROM @every_line WHERE {category} AND o.currency = 'EUR'
                 AND o.status NOT IN ('cancelled', 'returned')) >= 10000"
            ),
        ),
        case(
            json!({"sum": "lines.quantity", "where": {"any": [
                {"field": "line.price", "at_least": "39.9"},
                {"field": "order.total", "less_than": 30},
            ]}, "between": [3, 8]}),
            "(SELECT sum(l.quantity) FROM @lines WHERE l.price >= 3990 OR o.total < 3000) BETWEEN 3 AND 8",
        ),
        case(
            json!({"count": "lines", "where": {"all": [
                {"field": "line.note", "is_not": "gift"}, {"field": "line.price", "is": "10.0"},
            ]}, "is": 2}),
            "(SELECT count(*) FROM @lines WHERE l.note IS NOT 'gift' AND l.price = 1000) = 2",
        ),
    ]
}

/// Lines gone through in a filter over orders, and paths through lists.
fn nested() -> Vec<Case> {
    let of = |inner: Value| json!({"count": "orders", "where": inner});
    let that = |sql: &str| format!("EXISTS (SELECT 1 FROM orders o WHERE @o. AND ({sql}))");
    let lines = |what: &str, clause: &str| format!("(SELECT {what} FROM lines l WHERE l.ord = o.id AND ({clause}))");
    let noted = "l.pos = (SELECT max(n.pos) FROM lines n WHERE n.ord = o.id AND n.note IS NOT NULL)";
    let any = [
        lines("count(*) AND 2 * sum(l.quantity) >= 5 * count(*)", "l.price < 2000"),
        format!("{} = 'p-3' AND {} IS NOT 'gift'", lines("l.product", "l.pos = 0"), lines("l.note", noted)),
        format!("{} > 1250", lines("min(l.price)", "1")),
    ]
    .join(" OR ");
    vec![
        case(
            json!({"count": "orders", "where": {"field": "order.lines.product_id", "contains": "p-1"}, "at_least": 2}),
            format!(
                "{} >= 2",
                orders("count(*)", "EXISTS (SELECT 1 FROM lines l WHERE l.ord = o.id AND l.product = 'p-1')")
            ),
        ),
        case(
            of(json!({"all": [
                {"field": "order.lines.categories", "contains": "kids"},
                {"not": {"field": "order.lines.note", "set": true}},
            ]})),
            that(&format!(
                "EXISTS (SELECT 1 FROM categories g WHERE g.ord = o.id AND g.category = 'kids') AND {} = 0",
                lines("count(*)", "l.note IS NOT NULL")
            )),
        ),
        case(
            of(json!({"count": "lines", "where": {"all": [
                {"field": "line.quantity", "more_than": 1}, {"field": "order.currency", "is": "SEK"},
            ]}, "at_least": 3})),
            that(&format!("{} >= 3", lines("count(*)", "l.quantity > 1 AND o.currency = 'SEK'"))),
        ),
        case(
            json!({
                "sum": "orders.total",
                "where": {"not": {"count": "lines", "where": {"field": "line.product_id", "is": "p-1"}}},
                "at_least": "300",
            }),
            format!(
                "{} >= 30000",
                orders("sum(o.total)", "NOT EXISTS (SELECT 1 FROM lines l WHERE l.ord = o.id AND l.product = 'p-1')")
            ),
        ),
        case(
            of(json!({"all": [
                {"sum": "lines.total", "at_least": 100},
                {"max": "lines.price", "less_than": 39.9},
                {"distinct": "lines.product_id", "is_not": 1},
            ]})),
            that(&format!(
                "{} >= 10000 AND {} < 3990 AND {} != 1",
                lines("sum(l.total)", "1"),
                lines("max(l.price)", "1"),
                lines("count(DISTINCT l.product)", "1")
            )),
        ),
        case(
            json!({"count": "orders", "where": {"any": [
                {"average": "lines.quantity", "where": {"field": "line.price", "less_than": 20}, "at_least": "2.5"},
                {"all": [{"first": "lines.product_id", "is": "p-3"}, {"last": "lines.note", "is_not": "gift"}]},
                {"min": "lines.price", "more_than": 12.5},
            ]}, "at_least": 2}),
            format!("{} >= 2", orders("count(*)", &any)),
        ),
    ]
}

/// Events, items, containers and messages.
fn others() -> Vec<Case> {
    vec![
        case(
            json!({"count": "events", "where": {"all": [
                {"field": "event.name", "is": "product_viewed"}, {"field": "event.source", "is": "web"},
            ]}, "at_least": 3}),
            "(SELECT count(*) FROM events e WHERE @e. AND e.name = 'product_viewed' AND e.source = 'web') >= 3",
        ),
        case(
            json!({
                "count": "events",
                "where": {"field": "event.context.utm.source", "in": ["newsletter", "mail"]}, "more_than": 2,
            }),
            "(SELECT count(*) FROM events e WHERE @e. AND e.utm = 'newsletter') > 2",
        ),
        case(
            json!({"count": "events", "where": {"field": "event.at", "in": [
                "2026-02-27T14:00:00+02:00", "2026-02-21T12:00:00Z", "2026-02-14", "2026-01-29T05:00:00-07:00",
            ]}, "at_least": 1}),
            format!(
                "EXISTS (SELECT 1 FROM events e WHERE @e. AND (e.happened - {} IN (-30 * @days, -7 * @days, -1 * @days)
                 OR {} = '2026-02-14'))",
                nanos("2026-02-28T12:00:00Z"),
                day_of("e.happened")
            ),
        ),
        case(
            json!({
                "distinct": "events.session", "where": {"field": "event.name", "is_not": "page_viewed"},
                "at_least": 4,
            }),
            "(SELECT count(DISTINCT e.session) FROM events e WHERE @e. AND e.name != 'page_viewed') >= 4",
        ),
        case(
            json!({"sum": "events.value", "between": [0.1, "5.60"]}),
            "(SELECT sum(e.value) FROM events e WHERE @e.) BETWEEN 10 AND 560",
        ),
        case(
            json!({"sum": "items.quantity", "where": {"field": "item.container", "is": "cart"}, "at_least": 4}),
            "(SELECT sum(i.quantity) FROM items i WHERE @i. AND i.container = 'cart') >= 4",
        ),
        case(json!({"max": "items.price", "is": "39.90"}), "(SELECT max(i.price) FROM items i WHERE @i.) = 3990"),
        case(
            json!({"last": "items.product_id", "in": ["p-1", "p-2", "p-3"]}),
            "(SELECT i.product FROM items i WHERE @i. ORDER BY i.since DESC, i.id DESC LIMIT 1)
             IN ('p-1', 'p-2', 'p-3')",
        ),
        case(
            json!({"count": "containers", "where": {"all": [
                {"field": "container.code", "ends_with": "list"}, {"field": "container.total", "more_than": 50},
                {"field": "container.count", "at_most": 8},
            ]}}),
            "EXISTS (SELECT 1 FROM containers b WHERE @b. AND b.code = 'wishlist' AND b.total > 5000 AND b.count <= 8)",
        ),
        case(
            json!({"count": "messages", "where": {"all": [
                {"field": "message.channel", "is": "email"}, {"field": "message.opened_at", "set": true},
                {"not": {"field": "message.state", "is": "bounced"}},
            ]}, "less_than": 1}),
            "NOT EXISTS (SELECT 1 FROM messages m WHERE @m. AND m.channel = 'email' AND m.opened IS NOT NULL
             AND m.state != 'bounced')",
        ),
        case(
            json!({"distinct": "messages.campaign", "where": {"field": "message.channel", "is": "sms"}, "in": [2, 3]}),
            "(SELECT count(DISTINCT m.campaign) FROM messages m WHERE @m. AND m.channel = 'sms') IN (2, 3)",
        ),
    ]
}
