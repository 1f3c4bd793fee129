//! Tests of the profile.

use serde_json::json;

use super::{Case, case};
use crate::tables::{begin, begin_of_theirs, day_of};

pub(super) fn cases() -> Vec<Case> {
    [text(), numbers(), lists(), moments(), anniversaries()].into_iter().flatten().collect()
}

fn text() -> Vec<Case> {
    vec![
        case(json!({"field": "customer.city", "is": "Riga"}), "c.city = 'Riga'"),
        case(json!({"field": "customer.city", "is_not": "Riga"}), "c.city IS NOT 'Riga'"),
        case(json!({"field": "customer.city", "in": ["Kaunas", "Rīga", "Oslo"]}), "c.city IN ('Kaunas', 'Rīga')"),
        case(json!({"field": "customer.city", "contains": "ä"}), "instr(c.city, 'ä') > 0"),
        case(json!({"field": "customer.city", "set": true}), "c.city IS NOT NULL"),
        case(json!({"field": "customer.city", "set": false}), "c.city IS NULL"),
        case(json!({"field": "customer.email", "starts_with": "an"}), "c.email GLOB 'an*'"),
        case(json!({"field": "customer.email", "ends_with": ".lv"}), "c.email GLOB '*.lv'"),
        case(
            json!({"field": "customer.email", "matches": "^[a-m].*\\d0@(example|shop)\\.lv$"}),
            "c.email GLOB '[a-m]*[0-9]0@example.lv' OR c.email GLOB '[a-m]*[0-9]0@shop.lv'",
        ),
        case(json!({"field": "customer.first_name", "matches": "(?i)^..?n.*a$"}), "c.first_name IN ('Anna', 'ANNIJA')"),
        case(json!({"field": "customer.first_name", "more_than": "Juris"}), "c.first_name > 'Juris'"),
        case(json!({"field": "customer.city", "between": ["Riga", "Vilnius"]}), "c.city BETWEEN 'Riga' AND 'Vilnius'"),
        case(json!({"field": "customer.phone", "starts_with": "371"}), "c.phone GLOB '371*'"),
        case(json!({"field": "customer.phone", "ends_with": "7"}), "c.phone GLOB '*7'"),
        case(
            json!({"field": "customer.phone", "at_least": 3_712_500_000_i64}),
            "c.phone GLOB '371*' AND length(c.phone) = 10 AND c.phone >= '3712500000'",
        ),
        case(
            json!({"field": "customer.phone", "less_than": "0037125"}),
            "c.phone < '0037125' AND c.phone GLOB '[0+]*'",
        ),
    ]
}

fn numbers() -> Vec<Case> {
    vec![
        case(json!({"field": "customer.fields.points", "is": 12.5}), "c.points = 1250"),
        case(json!({"field": "customer.fields.points", "is_not": "12.500"}), "c.points IS NOT 1250"),
        case(json!({"field": "customer.fields.points", "in": ["25", 50.05, 100]}), "c.points IN (2500, 5005, 10000)"),
        case(json!({"field": "customer.fields.points", "more_than": 25}), "c.points > 2500"),
        case(json!({"field": "customer.fields.points", "at_least": "25.0"}), "c.points >= 2500"),
        case(json!({"field": "customer.fields.points", "less_than": "25.05"}), "c.points < 2505"),
        case(json!({"field": "customer.fields.points", "at_most": 25.05}), "c.points <= 2505"),
        case(json!({"field": "customer.fields.points", "between": [12.55, "25.00"]}), "c.points BETWEEN 1255 AND 2500"),
        case(json!({"field": "customer.fields.code", "is": 42}), "c.code IN ('42', '42.0', '\"42\"', '\"42.00\"')"),
        case(
            json!({"field": "customer.fields.code", "is_not": "42"}),
            "c.code IS NULL OR c.code NOT IN ('42', '42.0', '\"42\"', '\"42.00\"')",
        ),
        case(json!({"field": "customer.fields.code", "is": "042"}), "c.code = '\"042\"'"),
        case(
            json!({"field": "customer.fields.code", "in": ["+42", true, "7.0", "true"]}),
            "c.code IN ('\"+42\"', 'true', '\"true\"', '7', '\"7\"')",
        ),
        case(
            json!({"field": "customer.fields.code", "at_least": -3}),
            "c.code IN ('42', '42.0', '\"42\"', '\"42.00\"', '7', '\"7\"', '43.5', '-3', '\"-3.0\"')",
        ),
        case(json!({"field": "customer.fields.code", "less_than": "042"}), "c.code IN ('\"+42\"', '\".5\"')"),
        case(
            json!({"field": "customer.fields.code", "more_than": "042"}),
            "c.code IN ('\"abc\"', '\"true\"', '\"42.\"')",
        ),
        case(json!({"field": "customer.fields.code", "at_most": "2026-03-01"}), "c.code = '\"2026-03-01\"'"),
        case(json!({"field": "customer.fields.vip", "is": true}), "c.vip = 'true'"),
        case(json!({"field": "customer.fields.vip", "is_not": false}), "c.vip IS NOT 'false'"),
        case(json!({"field": "customer.consent.email.given", "is": false}), "c.consent = 0"),
    ]
}

fn lists() -> Vec<Case> {
    let any = |table: &str, clause: &str| format!("EXISTS (SELECT 1 FROM {table} t WHERE @t. AND {clause})");
    vec![
        case(json!({"field": "customer.tags", "contains": "vip"}), any("tags", "t.tag = '\"vip\"'")),
        case(json!({"field": "customer.tags", "contains": 7}), any("tags", "t.tag IN ('7', '\"7.0\"')")),
        case(json!({"field": "customer.tags", "contains": "007"}), any("tags", "t.tag = '\"007\"'")),
        case(json!({"field": "customer.tags", "set": false}), format!("NOT {}", any("tags", "1"))),
        case(json!({"field": "customer.addresses.city", "contains": "Riga"}), any("addresses", "t.city = 'Riga'")),
        case(json!({"field": "customer.addresses.zip", "contains": "01010"}), any("addresses", "t.zip = '01010'")),
        case(
            json!({"field": "customer.addresses.zip", "contains": 1010}),
            any("addresses", "t.zip IN ('1010', '1010.0')"),
        ),
        case(json!({"field": "customer.addresses.zip", "set": true}), any("addresses", "t.zip IS NOT NULL")),
    ]
}

fn moments() -> Vec<Case> {
    let registered_day = day_of("c.registered");
    vec![
        case(
            json!({"field": "customer.registered_at", "more_than": {"ago": "30d"}}),
            "c.registered > @now - 30 * @days",
        ),
        case(
            json!({"field": "customer.registered_at", "at_least": {"ago": "PT168H"}}),
            "c.registered >= @now - 7 * @days",
        ),
        case(
            json!({"field": "customer.registered_at", "at_most": {"ago": "90d"}}),
            "c.registered <= @now - 90 * @days",
        ),
        case(json!({"field": "customer.registered_at", "less_than": {"ago": "1w"}}), "c.registered < @now - 7 * @days"),
        case(
            json!({"field": "customer.registered_at", "between": [{"ago": "90d"}, {"ago": "30d"}]}),
            "c.registered BETWEEN @now - 90 * @days AND @now - 30 * @days",
        ),
        case(
            json!({"field": "customer.fields.next_visit", "between": [{"ago": "1h"}, {"ahead": "1w"}]}),
            "c.visit BETWEEN @now - @hours AND @now + 7 * @days",
        ),
        case(
            json!({"field": "customer.registered_at", "less_than": "2026-02-20T14:00:00+02:00"}),
            format!("c.registered < {}", crate::random::nanos("2026-02-20T12:00:00Z")),
        ),
        case(
            json!({"field": "customer.registered_at", "at_most": "2026-02-27"}),
            format!("{registered_day} <= '2026-02-27'"),
        ),
        case(
            json!({"field": "customer.registered_at", "in": ["2026-02-27", "2026-02-28", "2026-03-30"]}),
            format!("{registered_day} IN ('2026-02-27', '2026-02-28', '2026-03-30')"),
        ),
        case(
            json!({"field": "customer.registered_at", "between": ["2026-02-21", "2026-02-28T12:00:00Z"]}),
            format!(
                "{registered_day} >= '2026-02-21' AND c.registered <= {}",
                crate::random::nanos("2026-02-28T12:00:00Z")
            ),
        ),
        case(
            json!({"field": "customer.registered_at", "at_least": {"start_of": "day", "offset": -7}}),
            format!("c.registered >= {}", begin("date(@today, '-7 days')")),
        ),
        case(
            json!({"field": "customer.registered_at", "less_than": {"start_of": "week"}}),
            format!("c.registered < {}", begin("date(@today, 'weekday 0', '-6 days')")),
        ),
        case(
            json!({
                "field": "customer.registered_at",
                "between": [{"start_of": "month", "offset": -1}, {"start_of": "month"}],
            }),
            format!(
                "c.registered BETWEEN {} AND {}",
                begin("date(@today, 'start of month', '-1 month')"),
                begin("date(@today, 'start of month')")
            ),
        ),
        case(
            json!({"field": "customer.registered_at", "at_least": {"start_of": "year"}}),
            format!("c.registered >= {}", begin("date(@today, 'start of year')")),
        ),
        case(
            json!({"field": "customer.registered_at", "at_least": {"start_of": "day", "zone": "customer"}}),
            format!("c.registered >= {}", begin_of_theirs("T")),
        ),
        case(
            json!({
                "field": "customer.registered_at",
                "less_than": {"start_of": "month", "offset": -1, "zone": "customer"},
            }),
            format!("c.registered < {}", begin_of_theirs("date(T, 'start of month', '-1 month')")),
        ),
        case(
            json!({
                "field": "customer.fields.next_visit",
                "more_than": {"start_of": "week", "offset": 1, "zone": "customer"},
            }),
            format!("c.visit > {}", begin_of_theirs("date(T, 'weekday 0', '+1 day')")),
        ),
        case(
            json!({"field": "customer.fields.member_since", "at_most": "2026-02-13T21:30:00Z"}),
            format!("c.member <= {}", day_of(&crate::random::nanos("2026-02-13T21:30:00Z").to_string())),
        ),
        case(
            json!({"any": [
                {"field": "customer.fields.member_since", "is": {"start_of": "week"}},
                {"field": "customer.fields.member_since", "is": {"start_of": "month"}},
                {"field": "customer.fields.member_since", "is": {"ago": "60d"}},
                {"field": "customer.fields.member_since", "is": {"start_of": "day", "offset": -5}},
                {"field": "customer.fields.member_since", "is": {"start_of": "day", "offset": -11}},
                {"field": "customer.fields.member_since", "is": {"start_of": "year"}},
                {"field": "customer.fields.member_since", "between": [{"ago": "24h"}, {"ahead": "24h"}]},
            ]}),
            format!(
                "c.member IN (date(@today, 'weekday 0', '-6 days'), date(@today, 'start of month'), {},
                 date(@today, '-5 days'),
                 date(@today, '-11 days'), date(@today, 'start of year')) OR c.member BETWEEN {} AND {}",
                day_of("@now - 60 * @days"),
                day_of("@now - @days"),
                day_of("@now + @days")
            ),
        ),
        case(json!({"field": "customer.birthday", "at_most": "1985-02-28"}), "c.birthday <= '1985-02-28'"),
        case(json!({"field": "customer.birthday", "is": "1996-02-29"}), "c.birthday = '1996-02-29'"),
        case(
            json!({"field": "customer.birthday", "more_than": {"start_of": "year", "offset": -30}}),
            "c.birthday > date(@today, 'start of year', '-30 years')",
        ),
        case(
            json!({"field": "customer.fields.member_since", "at_least": {"ago": "365d"}}),
            format!("c.member >= {}", day_of("@now - 365 * @days")),
        ),
        case(
            json!({
                "field": "customer.fields.member_since",
                "between": [{"start_of": "week", "offset": -8}, {"ago": "P14D"}],
            }),
            format!("c.member BETWEEN date(@today, 'weekday 0', '-62 days') AND {}", day_of("@now - 14 * @days")),
        ),
    ]
}

/// Whether a date's yearly return lies so many days from a day.
pub(super) fn returns(date: &str, today: &str, from: i32, to: i32) -> String {
    format!(
        "EXISTS (WITH years(y) AS (VALUES ('2024'), ('2025'), ('2026'), ('2027'), ('2028'), ('2029'), ('2030'))
            SELECT 1 FROM years WHERE
            CASE WHEN {date} GLOB '*-02-29' AND strftime('%d', y || '-03-01', '-1 day') = '28' THEN y || '-02-28'
                ELSE y || substr({date}, 5) END
            BETWEEN max(date({today}, '{from} days'), date({date}, '+1 day')) AND date({today}, '{to} days'))"
    )
}

fn anniversaries() -> Vec<Case> {
    let theirs = "(SELECT t.day FROM today t WHERE t.zone = coalesce(c.zone, k.shop))";
    let birthday = |test: serde_json::Value| json!({"field": "customer.birthday", "anniversary": test});
    vec![
        case(birthday(json!({"from_day": 0, "to_day": 7})), returns("c.birthday", "@today", 0, 7)),
        case(birthday(json!({})), returns("c.birthday", "@today", 0, 0)),
        case(birthday(json!({"from_day": -3, "to_day": -1})), returns("c.birthday", "@today", -3, -1)),
        case(birthday(json!({"from_day": -75, "to_day": -45})), returns("c.birthday", "@today", -75, -45)),
        case(birthday(json!({"to_day": 1, "zone": "customer"})), returns("c.birthday", theirs, 0, 1)),
    ]
}
