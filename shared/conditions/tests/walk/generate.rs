//! Customers with a past and a little of a future, and conditions over all of the language.

use conditions::{At, Collection, Condition, Facts, Scope};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Some change their clocks at midnight, by half an hour, or not at all.
const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Europe/Riga",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Apia",
];

/// Around these, some of the clocks change, or a month, a year or a February ends.
const DAYS: [&str; 14] = [
    "2026-03-08T12:00:00Z",
    "2026-03-29T00:00:00Z",
    "2026-04-05T00:00:00Z",
    "2026-04-24T00:00:00Z",
    "2026-06-15T17:45:00Z",
    "2026-09-06T04:00:00Z",
    "2026-10-04T00:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-10-30T00:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-12-31T20:00:00Z",
    "2027-02-28T12:00:00Z",
    "2028-02-28T22:00:00Z",
    "2028-02-29T23:00:00Z",
];

/// The lengths of time in conditions, as they are written and in seconds.
pub(crate) const LENGTHS: [(&str, i64); 9] = [
    ("1s", 1),
    ("90m", 5_400),
    ("PT6H", 21_600),
    ("1d", 86_400),
    ("36h", 129_600),
    ("2d", 172_800),
    ("3d 1h", 262_800),
    ("1w", 604_800),
    ("P30D", 2_592_000),
];

pub(crate) const SEGMENTS: [&str; 2] = ["s-1", "s-2"];

/// A customer, conditions about them, and when they are looked at first.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) facts: Facts,
    pub(crate) at: At,
    pub(crate) conditions: Vec<Value>,
    /// Of the segments, in their order.
    pub(crate) segments: Vec<Value>,
}

pub(crate) fn parsed(json: &Value) -> Condition {
    Condition::parse(json, &Scope::ALL).unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
}

/// When a customer is looked at first, and the zone of the shop.
pub(crate) fn start() -> impl Strategy<Value = (Timestamp, &'static str)> {
    let start = (select(&DAYS[..]), -90..40_i64)
        .prop_map(|(day, hours)| day.parse::<Timestamp>().expect("a day") + SignedDuration::from_hours(hours));
    (start, select(&ZONES[..]))
}

pub(crate) fn case(conditions: std::ops::Range<usize>) -> impl Strategy<Value = Case> {
    start().prop_flat_map(move |(now, shop)| {
        let at = At { now, shop: TimeZone::get(shop).expect("a zone") };
        (facts(now), vec(condition(now), conditions.clone()), vec(condition_without_segments(now), SEGMENTS.len()))
            .prop_map(move |(facts, conditions, segments)| Case { facts, at: at.clone(), conditions, segments })
    })
}

/// From some weeks ago to a day ahead; often at a full hour, or right beside one.
fn instant(now: Timestamp) -> impl Strategy<Value = Value> {
    let hours = prop_oneof![4 => -120..=24_i64, 1 => -504..=24_i64];
    let beside = select(vec![0, 0, 0, 0, 1, -1, 30_000_000_000, 1_234_567_890_123]);
    (hours, beside).prop_map(move |(hours, beside)| {
        let instant = now + SignedDuration::from_hours(hours) + SignedDuration::from_nanos(beside);
        Value::from(instant.to_string())
    })
}

/// Near, or of some years before.
fn date(now: Timestamp) -> impl Strategy<Value = Value> {
    let years = prop_oneof![4 => Just(0), 1 => -40..=1_i64];
    (years, -5..9_i64, 0..12_u8).prop_map(move |(years, days, leap)| {
        let day = now.to_zoned(TimeZone::UTC).date();
        let day = day.saturating_add(jiff::Span::new().years(years).days(days));
        Value::from(if leap == 0 { "1988-02-29".to_owned() } else { day.to_string() })
    })
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![(0..4_i64).prop_map(|n| json!(n)), "[0-3]\\.[05]0".prop_map(|n| json!(n))]
}

fn text() -> impl Strategy<Value = Value> {
    "[ab]{1,2}".prop_map(Value::from)
}

/// Things with ids, which do not follow the order in which they come.
fn things<S: Strategy<Value = Value>>(thing: S) -> impl Strategy<Value = Vec<Value>> {
    vec(thing, 1..6).prop_map(|mut things| {
        for (place, thing) in things.iter_mut().enumerate() {
            thing["id"] = json!(format!("{}", 9 - place));
        }
        things
    })
}

pub(crate) fn order(now: Timestamp) -> impl Strategy<Value = Value> {
    let counts = select(vec![Value::Null, json!(true), json!(false)]);
    let line = (number(), text(), option::of(instant(now)))
        .prop_map(|(price, product, shipped)| json!({"price": price, "product": product, "shipped_at": shipped}));
    (instant(now), number(), text(), option::of(instant(now)), date(now), counts, vec(line, 0..3)).prop_map(
        |(at, total, status, paid, due, counts, lines)| {
            json!({"created_at": at, "total": total, "status": status, "paid_at": paid, "due": due,
                   "in_analytics": counts, "lines": lines})
        },
    )
}

pub(crate) fn event(now: Timestamp) -> impl Strategy<Value = Value> {
    (instant(now), text(), number(), option::of(date(now)))
        .prop_map(|(at, name, value, until)| json!({"at": at, "name": name, "value": value, "until": until}))
}

pub(crate) fn item(now: Timestamp) -> impl Strategy<Value = Value> {
    (instant(now), number(), text())
        .prop_map(|(since, price, product)| json!({"since": since, "price": price, "product": product}))
}

pub(crate) fn container(now: Timestamp) -> impl Strategy<Value = Value> {
    (instant(now), number(), text())
        .prop_map(|(changed, total, code)| json!({"changed_at": changed, "total": total, "code": code}))
}

pub(crate) fn message(now: Timestamp) -> impl Strategy<Value = Value> {
    (instant(now), option::of(instant(now)), text())
        .prop_map(|(at, opened, channel)| json!({"created_at": at, "opened_at": opened, "channel": channel}))
}

pub(crate) fn customer(now: Timestamp) -> impl Strategy<Value = Value> {
    (option::of(select(&ZONES[..])), text(), date(now), instant(now), number(), vec(text(), 0..3)).prop_map(
        |(zone, city, born, seen, points, tags)| {
            json!({"time_zone": zone, "city": city, "born": born, "seen_at": seen, "points": points, "tags": tags})
        },
    )
}

pub(crate) fn facts(now: Timestamp) -> impl Strategy<Value = Facts> {
    let audiences = select(vec![vec![], vec!["a".to_owned()], vec!["b".to_owned(), "a".to_owned()]]);
    let of_each =
        (things(order(now)), things(event(now)), things(item(now)), things(container(now)), things(message(now)));
    (customer(now), of_each, audiences).prop_map(
        |(customer, (orders, events, items, containers, messages), audiences)| Facts {
            single: Map::from_iter([("customer".to_owned(), customer)]),
            orders,
            events,
            items,
            containers,
            messages,
            audiences,
        },
    )
}

/// What a value is, and so by what it may be tested.
#[derive(Clone, Copy, Debug)]
enum Is {
    Instant,
    Date,
    Number,
    Text,
    Truth,
    List,
}

/// The fields of what a path begins with.
fn fields(root: &str) -> Vec<(&'static str, Is)> {
    use Is::*;
    match root {
        "customer" => vec![("seen_at", Instant), ("born", Date), ("points", Number), ("city", Text), ("tags", List)],
        "order" => vec![
            ("created_at", Instant),
            ("paid_at", Instant),
            ("due", Date),
            ("total", Number),
            ("status", Text),
            ("in_analytics", Truth),
            ("lines.price", List),
        ],
        "line" => vec![("shipped_at", Instant), ("price", Number), ("product", Text)],
        "event" => vec![("at", Instant), ("until", Date), ("value", Number), ("name", Text)],
        "item" => vec![("since", Instant), ("price", Number), ("product", Text)],
        "container" => vec![("changed_at", Instant), ("total", Number), ("code", Text)],
        _ => vec![("created_at", Instant), ("opened_at", Instant), ("channel", Text)],
    }
}

fn length() -> impl Strategy<Value = &'static str> {
    select(LENGTHS.map(|(text, _)| text).to_vec())
}

fn zone() -> impl Strategy<Value = Value> {
    select(vec![json!({}), json!({"zone": "shop"}), json!({"zone": "customer"}), json!({"zone": "customer"})])
}

fn moving() -> impl Strategy<Value = Value> {
    let unit = select(vec!["day", "day", "day", "week", "month", "year"]);
    let start =
        (unit, -4..3_i32, zone()).prop_map(|(unit, by, zone)| with(json!({"start_of": unit, "offset": by}), zone));
    prop_oneof![
        2 => length().prop_map(|ago| json!({"ago": ago})),
        1 => length().prop_map(|ahead| json!({"ahead": ahead})),
        3 => start,
    ]
}

fn moment(now: Timestamp) -> BoxedStrategy<Value> {
    prop_oneof![8 => moving(), 1 => instant(now), 1 => date(now)].boxed()
}

/// Two moments; mostly the first is the earlier.
fn span(now: Timestamp) -> BoxedStrategy<(Value, Value)> {
    let start = |unit: &str, by: i32, zone: &Value| with(json!({"start_of": unit, "offset": by}), zone.clone());
    let starts = (select(vec!["day", "week"]), -4..1_i32, 1..4_i32, zone())
        .prop_map(move |(unit, from, by, zone)| (start(unit, from, &zone), start(unit, from + by, &zone)));
    let ago = |place: usize| json!({"ago": LENGTHS[place].0});
    let agos = (0..LENGTHS.len(), 0..LENGTHS.len()).prop_map(move |(a, b)| (ago(a.max(b)), ago(a.min(b))));
    let both = (length(), length()).prop_map(|(ago, ahead)| (json!({"ago": ago}), json!({"ahead": ahead})));
    prop_oneof![2 => starts, 2 => agos, 1 => both, 1 => (moment(now), moment(now))].boxed()
}

fn anniversary() -> impl Strategy<Value = Value> {
    (-6..6_i32, prop_oneof![4 => 0..3_i32, 1 => 300..800_i32], zone()).prop_map(
        |(from, days, zone)| json!({"anniversary": with(json!({"from_day": from, "to_day": from + days}), zone)}),
    )
}

/// A test as the one entry of an object.
fn test(is: Is, now: Timestamp) -> BoxedStrategy<Value> {
    let order = || select(vec!["more_than", "at_least", "less_than", "at_most"]);
    let name = || prop_oneof![3 => order(), 1 => select(vec!["is", "is_not"])];
    let set = any::<bool>().prop_map(|set| json!({"set": set}));
    let between = |ends: BoxedStrategy<(Value, Value)>| {
        ends.prop_map(|(from, to)| json!({"between": [from, to]})).prop_filter("the first is more", |test| {
            let mut leaf = test.clone();
            leaf["field"] = json!("customer.x");
            Condition::parse(&leaf, &Scope::ALL).is_ok()
        })
    };
    match is {
        Is::Instant | Is::Date => prop_oneof![
            4 => (name(), moment(now)).prop_map(|(name, moment)| json!({name: moment})),
            4 => between(span(now)),
            3 => anniversary(),
            1 => set,
        ]
        .boxed(),
        Is::Number => prop_oneof![
            4 => (name(), number()).prop_map(|(name, number)| json!({name: number})),
            1 => between((number(), number()).boxed()),
            1 => vec(number(), 1..3).prop_map(|list| json!({"in": list})),
            1 => set,
        ]
        .boxed(),
        Is::Text => prop_oneof![
            2 => (name(), text()).prop_map(|(name, text)| json!({name: text})),
            2 => (select(vec!["contains", "starts_with", "ends_with", "matches"]), text())
                .prop_map(|(name, text)| json!({name: text})),
            1 => vec(text(), 1..3).prop_map(|list| json!({"in": list})),
            1 => set,
        ]
        .boxed(),
        Is::Truth => prop_oneof![any::<bool>().prop_map(|value| json!({"is": value})), set].boxed(),
        Is::List => prop_oneof![
            3 => prop_oneof![text(), number()].prop_map(|value| json!({"contains": value})),
            1 => set,
        ]
        .boxed(),
    }
}

fn with(mut leaf: Value, test: Value) -> Value {
    if let (Value::Object(leaf), Value::Object(test)) = (&mut leaf, test) {
        leaf.extend(test);
    }
    leaf
}

fn field(root: &'static str, now: Timestamp) -> BoxedStrategy<Value> {
    // Above all what has to do with time.
    let fields = fields(root);
    let timed: Vec<_> = fields.iter().copied().filter(|(_, is)| matches!(is, Is::Instant | Is::Date)).collect();
    prop_oneof![4 => select(timed), 1 => select(fields)]
        .prop_flat_map(move |(name, is)| {
            test(is, now).prop_map(move |test| with(json!({"field": format!("{root}.{name}")}), test))
        })
        .boxed()
}

fn joined(leaf: BoxedStrategy<Value>, depth: u32) -> BoxedStrategy<Value> {
    leaf.prop_recursive(depth, 8, 3, |inner| {
        prop_oneof![
            10 => vec(inner.clone(), 1..4).prop_map(|list| json!({"all": list})),
            10 => vec(inner.clone(), 1..4).prop_map(|list| json!({"any": list})),
            5 => inner.prop_map(|node| json!({"not": node})),
            1 => Just(json!({"all": []})),
        ]
    })
    .boxed()
}

/// Which things of a collection.
fn filter(over: Collection, now: Timestamp) -> BoxedStrategy<Value> {
    let own = field(over.root().name(), now);
    let leaf = match over {
        Collection::Orders => prop_oneof![2 => own, 1 => aggregate(Collection::Lines, now, true)].boxed(),
        Collection::Lines => prop_oneof![2 => own, 1 => field("order", now)].boxed(),
        _ => own,
    };
    joined(leaf, 2)
}

fn window(now: Timestamp, nested: bool) -> BoxedStrategy<Value> {
    let ends = select(vec![(true, true), (true, true), (true, false), (false, true)]);
    let between = (ends, span(now)).prop_filter_map("nothing lies there", |((has_from, has_to), (from, to))| {
        let from = if has_from { json!({"from": from}) } else { json!({}) };
        let window = with(from, if has_to { json!({"to": to}) } else { json!({}) });
        let leaf = json!({"count": "orders", "during": window.clone()});
        Condition::parse(&leaf, &Scope::ALL).is_ok().then_some(window)
    });
    let last = length().prop_map(|length| json!({"last": length}));
    if nested {
        return prop_oneof![last, between].boxed();
    }
    let since = (select(vec!["first", "last"]), select(&Collection::ALL[..])).prop_flat_map(move |(which, over)| {
        option::of(filter(over, now)).prop_map(move |filter| {
            let mut since = json!({which: over.name()});
            if let Some(filter) = filter {
                since["where"] = filter;
            }
            json!({"since": since})
        })
    });
    prop_oneof![4 => last, 3 => between, 1 => since].boxed()
}

fn aggregate(over: Collection, now: Timestamp, nested: bool) -> BoxedStrategy<Value> {
    let few = || test(Is::Number, now);
    let any_field = || select(fields(over.root().name()));
    let subject = move |name: &str| json!(format!("{}.{name}", over.name()));
    // One, two or three of a few things.
    let some =
        (select(vec!["is", "at_least", "more_than", "at_most"]), 1..4_i32).prop_map(|(name, n)| json!({name: n}));
    let count = option::of(prop_oneof![3 => some, 1 => few()])
        .prop_map(move |test| with(json!({"count": over.name()}), test.unwrap_or(json!({}))));
    let number = (select(vec!["sum", "average", "distinct"]), any_field(), few())
        .prop_map(move |(function, (name, _), test)| with(json!({function: subject(name)}), test));
    let value =
        (select(vec!["min", "max", "first", "last"]), any_field()).prop_flat_map(move |(function, (name, is))| {
            test(is, now).prop_map(move |test| with(json!({function: subject(name)}), test))
        });
    let filter = if nested { field(over.root().name(), now) } else { filter(over, now) };
    let leaf = prop_oneof![3 => count, 1 => number, 2 => value];
    (leaf, option::weighted(0.3, filter), option::weighted(0.85, window(now, nested)))
        .prop_map(|(mut leaf, filter, window)| {
            for (name, part) in [("where", filter), ("during", window)] {
                if let Some(part) = part {
                    leaf[name] = part;
                }
            }
            leaf
        })
        .boxed()
}

fn leaf(now: Timestamp) -> BoxedStrategy<Value> {
    prop_oneof![
        6 => field("customer", now),
        14 => select(&Collection::ALL[..]).prop_flat_map(move |over| aggregate(over, now, false)),
        1 => select(vec!["a", "b", "c"]).prop_map(|code| json!({"audience": code})),
    ]
    .boxed()
}

fn condition_without_segments(now: Timestamp) -> BoxedStrategy<Value> {
    joined(leaf(now), 1)
}

pub(crate) fn condition(now: Timestamp) -> BoxedStrategy<Value> {
    // The last is a segment that there is not.
    let segment = select(vec![SEGMENTS[0], SEGMENTS[1], "s-3"]).prop_map(|code| json!({"segment": code}));
    let leaf = prop_oneof![20 => leaf(now), 1 => segment].boxed();
    prop_oneof![1 => joined(leaf.clone(), 2), 2 => leaf].boxed()
}
