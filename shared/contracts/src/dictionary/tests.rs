use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read_as(kind: WordKind, code: &str, body: &Value) -> Result<Word, Vec<String>> {
    read(kind, code, body, None).map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
}

#[test]
fn what_is_shown_is_read_back() {
    let check = |kind, code: &str, body: Value| {
        let word = read_as(kind, code, &body).unwrap();
        let shown = show(&word);
        assert_eq!(read(kind, code, &shown, Some(&word)).unwrap(), word, "{shown}");
        for (key, value) in body.as_object().unwrap().iter().filter(|(key, _)| *key != "webhook") {
            assert_eq!(&shown[key], value, "{key} of {shown}");
        }
    };
    let tier = json!({ "label": "Tier", "type": "string", "allowed": ["gold", "silver"], "max_length": 10 });
    check(WordKind::Field, "customer.tier", tier);
    check(WordKind::Field, "order.gifts", json!({ "label": "Gifts", "type": "integer", "min": 0, "max": 5 }));
    check(WordKind::Field, "product.weight", json!({ "label": "Weight", "type": "decimal", "min": "0.10" }));
    check(WordKind::Field, "order_line.tags", json!({ "label": "Tags", "type": "list", "allowed": ["a", 1] }));
    check(WordKind::Status, "delivery.at_customs", json!({ "name": "At customs", "in_analytics": false }));
    let fields = json!({ "courier": "string", "at": "datetime" });
    check(WordKind::EventType, "courier_missed", json!({ "name": "Missed", "kind": "event", "fields": fields }));
    let webhook = json!({ "kind": "shopify", "secret": "shpss_0123456789" });
    let source = json!({ "name": "App", "domain": "app.example.com", "active": false, "webhook": webhook });
    check(WordKind::Source, "app", source);
    check(WordKind::Container, "later", json!({ "name": "Later", "idle_after": "PT3H", "lifetime": "PT720H" }));
    check(WordKind::Audience, "vip", json!({ "name": "VIP" }));
    let offers = json!({
        "name": "Offers", "names": { "lv": "Piedāvājumi" }, "description": "Weekly", "visible": false, "default": "off",
        "active": true,
    });
    check(WordKind::MailingCategory, "offers", offers);
    let settings = json!({
        "company": "Mug shop", "time_zone": "Europe/Riga", "currency": "EUR", "languages": ["lv", "en-GB"], "country": "LV",
        "quiet_hours": { "from": "21:00", "to": "08:30" },
        "caps": [{ "most": 3, "per": "PT168H" }, { "most": 1, "per": "PT24H", "category": "news" }],
    });
    check(WordKind::Settings, "shop", settings);
    check(WordKind::Settings, "shop", json!({}));
}

#[test]
fn every_system_word_is_read_back_as_it_is_shown() {
    let dictionary = Dictionary::default();
    for word in WordKind::ALL.into_iter().flat_map(|kind| dictionary.of(kind)) {
        let (kind, code) = (word.kind(), word.code());
        if kind != WordKind::Settings {
            assert_eq!(check_code(kind, &code).as_ref(), Ok(&code));
        }
        assert_eq!(read(kind, &code, &show(word), None).as_ref(), Ok(word), "{code}");
    }
}

#[test]
fn every_fault_of_a_word_is_named_by_its_place() {
    let check = |kind, code: &str, body: Value, places: &[&str]| {
        assert_eq!(read_as(kind, code, &body).unwrap_err(), places, "{body}");
    };
    let field = |body: Value, places: &[&str]| check(WordKind::Field, "customer.tier", body, places);
    field(json!({}), &["/label", "/type"]);
    field(json!({ "label": " ", "type": "colour" }), &["/label", "/type"]);
    field(json!({ "label": "T", "type": "string", "name": "other", "colour": 1 }), &["/name", "/colour"]);
    field(json!({ "label": "T", "type": "integer", "allowed": [1, "x", null] }), &["/allowed/1", "/allowed/2"]);
    field(json!({ "label": "T", "type": "string", "allowed": [] }), &["/allowed"]);
    field(json!({ "label": "T", "type": "integer", "min": 5, "max": 4, "max_length": 3 }), &["/min", "/max_length"]);
    field(json!({ "label": "T", "type": "boolean", "min": true }), &["/min"]);
    field(json!({ "label": "T", "type": "date", "max": "tomorrow" }), &["/max"]);
    field(json!([]), &[""]);
    check(WordKind::Field, "customer.email", json!({ "label": "Mail", "type": "integer" }), &["/type"]);
    let limited = json!({ "label": "Mail", "type": "string", "max_length": 5 });
    check(WordKind::Field, "customer.email", limited, &["/max_length"]);
    check(WordKind::EventType, "searched", json!({ "name": "Searched", "kind": "event" }), &["/kind"]);
    check(WordKind::EventType, "x", json!({ "name": "X", "fields": { "a/b": "colour" } }), &["/fields/a~1b"]);
    let source = |webhook: Value, places: &[&str]| {
        check(WordKind::Source, "app", json!({ "name": "App", "webhook": webhook }), places);
    };
    source(json!({ "kind": "shopify" }), &["/webhook/secret"]);
    source(json!({ "kind": "shopify", "secret": "set" }), &["/webhook/secret"]);
    source(json!({ "kind": "shopify", "secret": "short" }), &["/webhook/secret"]);
    source(json!({ "kind": "moon", "secret": "0123456789" }), &["/webhook/kind"]);
    check(WordKind::Source, "app", json!({ "name": "App", "domain": "https://x/" }), &["/domain"]);
    check(WordKind::Container, "cart", json!({ "name": "Cart", "idle_after": "soon" }), &["/idle_after"]);
    let settings = json!({ "time_zone": "Riga", "currency": "euro", "languages": ["?"], "country": "Latvia" });
    check(WordKind::Settings, "shop", settings, &["/time_zone", "/currency", "/languages", "/country"]);
    for logo in
        ["http://a.example/l.png", "https:///l.png", "https://a.example/\"onerror=", "https://u@a.example/", "a b"]
    {
        check(WordKind::Settings, "shop", json!({ "logo": logo }), &["/logo"]);
    }
    let category = json!({ "names": { "?": "x" }, "default": true, "visible": 1, "colour": 1 });
    let places = ["/name", "/names", "/visible", "/default", "/colour"];
    check(WordKind::MailingCategory, "news", category, &places);
    let hours = |from: &str, to: &str| json!({ "quiet_hours": { "from": from, "to": to } });
    check(WordKind::Settings, "shop", hours("21:00", "21:00"), &["/quiet_hours/to"]);
    check(WordKind::Settings, "shop", hours("9:00", "24:00"), &["/quiet_hours/from", "/quiet_hours/to"]);
    check(WordKind::Settings, "shop", json!({ "quiet_hours": { "from": "21:00" } }), &["/quiet_hours/to"]);
    let caps = json!({ "caps": [{ "most": 0, "per": "P7D" }, { "most": 1, "per": "P32D", "category": "No!" }] });
    check(WordKind::Settings, "shop", caps, &["/caps/0/most", "/caps/1/per", "/caps/1/category"]);
}

#[test]
fn a_code_is_of_its_kind() {
    let check = |kind, good: &str, bad: &[&str]| {
        assert!(check_code(kind, good).is_ok(), "{good}");
        bad.iter().for_each(|bad| assert!(check_code(kind, bad).is_err(), "{bad}"));
    };
    check(
        WordKind::Field,
        "order_line.gift-wrap",
        &["tier", "moon.tier", "customer.", "customer.a.b", "customer.consent"],
    );
    check(WordKind::Status, "delivery.at.customs", &["shipped", "moon.shipped", "delivery.", "delivery.a b"]);
    check(WordKind::Source, "app.ios", &["", "a b", "ä"]);
    check(WordKind::MailingCategory, "black-friday", &["", "a.b", "a b"]);
}

#[test]
fn a_secret_is_kept_unless_another_is_told_and_never_shown() {
    let told = json!({ "name": "App", "webhook": { "kind": "shopify", "secret": "0123456789" } });
    let known = read_as(WordKind::Source, "app", &told).unwrap();
    assert!(!format!("{known:?} {}", show(&known)).contains("0123456789"));
    let again = |webhook: Value| {
        let body = json!({ "name": "App", "webhook": webhook });
        match read(WordKind::Source, "app", &body, Some(&known)) {
            Ok(Word::Source(source)) => source.webhook.map(|webhook| webhook.secret.reveal().to_owned()),
            _ => None,
        }
    };
    assert_eq!(again(json!({ "kind": "shopify" })).as_deref(), Some("0123456789"));
    assert_eq!(again(json!({ "kind": "shopify", "secret": "set" })).as_deref(), Some("0123456789"));
    assert_eq!(again(json!({ "kind": "shopify", "secret": "another-one" })).as_deref(), Some("another-one"));
    // Another system's secret is not this one's.
    assert_eq!(again(json!({ "kind": "woocommerce" })), None);
}

fn anything() -> impl Strategy<Value = Value> {
    let words =
        ["code", "name", "label", "type", "allowed", "min", "max", "max_length", "kind", "fields", "webhook", "secret"];
    let texts = [
        "string",
        "integer",
        "decimal",
        "list",
        "datetime",
        "event",
        "set",
        "shopify",
        "PT1H",
        "1e9",
        "-0",
        "Europe/Riga",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 30, 8, move |inner| {
        let key = prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..8).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_a_reader_fail_and_what_it_takes_it_reads_back(body in anything(), kind in prop::sample::select(WordKind::ALL.to_vec())) {
        let code = match kind {
            WordKind::Field => "customer.tier",
            WordKind::Status => "delivery.x",
            _ => "x",
        };
        if let Ok(word) = read(kind, code, &body, None) {
            prop_assert_eq!(read(kind, code, &show(&word), Some(&word)).unwrap(), word);
        }
    }
}
