//! Conditions joined, audiences and segments.

use serde_json::json;

use super::fields::returns;
use super::{Case, case};
use crate::tables::{begin, day_of};

pub(super) fn cases() -> Vec<Case> {
    let loyal = "(SELECT count(*) FROM every_order o WHERE @o. AND o.status = 'completed') >= 2";
    let local = "coalesce(c.city, '') IN ('Riga', 'Rīga')";
    let vip = "EXISTS (SELECT 1 FROM audiences a WHERE @a. AND a.code = 'vip')";
    let staff = "EXISTS (SELECT 1 FROM audiences a WHERE @a. AND a.code = 'staff')";
    vec![
        case(json!({"audience": "vip"}), vip),
        case(json!({"not": {"audience": "staff"}}), format!("NOT {staff}")),
        case(json!({"segment": "loyal"}), loyal),
        case(json!({"segment": "regulars"}), format!("{loyal} AND NOT {local}")),
        case(json!({"any": [{"segment": "nobody"}, {"segment": "local"}]}), local),
        case(
            json!({
                "all": [{"field": "customer.city", "is": "Riga"}, {"field": "customer.fields.points", "at_least": 25}],
            }),
            "c.city = 'Riga' AND c.points >= 2500",
        ),
        case(
            json!({
                "any": [{"field": "customer.city", "is": "Riga"}, {"field": "customer.fields.points", "at_least": 200}],
            }),
            "c.city = 'Riga' OR c.points >= 20000",
        ),
        case(
            json!({"not": {"field": "customer.fields.points", "more_than": 25}}),
            "c.points IS NULL OR c.points <= 2500",
        ),
        case(
            json!({"not": {"any": [
                {"field": "customer.city", "is_not": "Riga"},
                {"not": {"field": "customer.birthday", "set": true}},
            ]}}),
            "c.city = 'Riga' AND c.birthday IS NOT NULL",
        ),
        case(
            json!({"any": [
                {"all": [{"audience": "vip"}, {"not": {"audience": "staff"}}]},
                {"all": [{"segment": "loyal"}, {"audience": "staff"}, {"all": []}]},
                {"not": {"all": []}},
            ]}),
            format!("({vip} AND NOT {staff}) OR ({loyal} AND {staff})"),
        ),
        case(
            json!({"all": [
                {"field": "customer.tags", "is_not": "vip"},
                {"field": "customer.tags", "contains": "vip"},
                {"not": {"field": "customer.tags", "is": "vip"}},
            ]}),
            "EXISTS (SELECT 1 FROM tags t WHERE @t. AND t.tag = '\"vip\"')",
        ),
        case(
            json!({"all": [
                {"field": "customer.city", "set": true},
                {"not": {"all": [
                    {"count": "orders", "at_least": 1},
                    {"count": "events", "during": {"last": "30d"}},
                ]}},
                {"any": [{"field": "customer.registered_at", "less_than": {"ago": "30d"}}, {"segment": "loyal"}]},
            ]}),
            format!(
                "c.city IS NOT NULL AND NOT (EXISTS (SELECT 1 FROM orders o WHERE @o.) AND EXISTS (SELECT 1
                 FROM events e
                 WHERE @e. AND e.happened > @now - 30 * @days AND e.happened <= @now))
                 AND (coalesce(c.registered < @now - 30 * @days, 0) OR {loyal})"
            ),
        ),
        // Several that turn with the clock, each at its own time.
        case(
            json!({"all": [
                {"field": "customer.registered_at", "less_than": {"ago": "7d"}},
                {"field": "customer.fields.next_visit", "more_than": {"ahead": "1d"}},
                {"any": [
                    {"count": "events", "during": {"last": "30d"}, "is": 0},
                    {"max": "messages.created_at", "at_least": {"ago": "14d"}},
                    {"field": "customer.birthday", "anniversary": {"from_day": -60, "to_day": 60}},
                ]},
            ]}),
            format!(
                "c.registered < @now - 7 * @days AND c.visit > @now + @days AND (NOT EXISTS (SELECT 1 FROM events e
                 WHERE @e. AND e.happened > @now - 30 * @days AND e.happened <= @now)
                 OR (SELECT max(m.created) FROM messages m WHERE @m.) >= @now - 14 * @days OR {})",
                returns("c.birthday", "@today", -60, 60)
            ),
        ),
        case(
            json!({"any": [
                {"field": "customer.registered_at", "between": [{"ago": "60d"}, {"ago": "50d"}]},
                {"field": "customer.fields.next_visit", "between": [{"ahead": "2d"}, {"ahead": "9d"}]},
                {"count": "orders", "during": {"from": {"start_of": "week", "offset": -1}, "to": {"start_of": "day"}}},
                {"not": {"field": "customer.fields.member_since", "less_than": {"start_of": "month"}}},
            ]}),
            format!(
                "coalesce(c.registered BETWEEN @now - 60 * @days AND @now - 50 * @days, 0)
                 OR coalesce(c.visit BETWEEN @now + 2 * @days AND @now + 9 * @days, 0)
                 OR EXISTS (SELECT 1 FROM orders o WHERE @o. AND o.created >= {} AND o.created < {})
                 OR coalesce(c.member >= date(@today, 'start of month'), 1)",
                begin("date(@today, 'weekday 0', '-13 days')"),
                begin("@today")
            ),
        ),
        case(
            json!({"count": "orders", "where": {"any": [
                {"all": [
                    {"field": "order.created_at", "at_most": {"ago": "7d"}},
                    {"field": "order.delivery.on", "more_than": {"ago": "30d"}},
                ]},
                {"field": "order.created_at", "between": [{"start_of": "day"}, {"ahead": "3d"}]},
            ]}, "is": 1}),
            format!(
                "(SELECT count(*) FROM orders o WHERE @o. AND ((o.created <= @now - 7 * @days AND o.delivered > {})
                 OR o.created BETWEEN {} AND @now + 3 * @days)) = 1",
                day_of("@now - 30 * @days"),
                begin("@today")
            ),
        ),
    ]
}
