//! Each call, in messages as official clients send them.

use crate::common::{one, received, show};
use contracts::told::Told;
use serde_json::{Value, json};
use tracking::Kind;

#[test]
fn an_identify_of_the_browser_is_a_profile_and_a_visitor() {
    let message = json!({
        "timestamp": "2026-11-22T11:59:59.871Z", "integrations": {}, "type": "identify", "userId": "97980cfea0067",
        "anonymousId": "aa8a8a9f", "messageId": "ajs-next-1", "writeKey": "key", "sentAt": "2026-11-22T12:00:00Z",
        "traits": {
            "name": "Peter Gibbons Jr.", "email": "peter@example.com", "phone": 37_120_000_000_i64, "plan": "premium",
            "logins": 5, "birthday": "1990-05-17T00:00:00.000Z", "gender": "male", "createdAt": 1_500_000_000,
            "address": {"street": "6th St", "city": "San Francisco", "state": "CA", "postalCode": "94103",
                        "country": "us"},
            "company": {"id": 7, "name": "Initech", "tags": ["a", "b"]}, "avatar": null, "title": "",
        },
        "context": {"locale": "en_US", "timezone": "America/Los_Angeles", "traits": {"old": true}},
    });
    insta::assert_snapshot!(show(&one(Kind::Identify, &message)));
}

#[test]
fn a_trait_that_is_not_what_it_should_be_is_kept_as_a_field() {
    let message = json!({"anonymousId": "a1", "messageId": "m", "traits": {
        "birthday": "05/17/1990", "address": "6th St", "country": "Latvia", "createdAt": "soon", "timezone": "Riga",
        "email": ["x"], "firstName": "", "last_name": "Ozola", "name": "Anna Ozola", "id": "other", "language": "a b"}});
    insta::assert_snapshot!(show(&one(Kind::Identify, &message)));
}

#[test]
fn an_identify_of_a_server_is_a_customer() {
    let message = json!({"type": "identify", "userId": "u-1", "traits": {}, "integrations": {},
                         "timestamp": "2026-11-22T11:59:59.871+00:00", "messageId": "m",
                         "context": {"library": {"name": "analytics-python", "version": "2.3.4"}}});
    let heard = one(Kind::Identify, &message);
    let body = json!({"updated_at": "2026-11-22T11:59:59.871Z"});
    assert_eq!(heard.told, [Told::Customer { id: "u-1".into(), body }]);
}

#[test]
fn pages_screens_and_groups_are_events() {
    let page = json!({
        "type": "page", "name": "Home", "category": "Docs", "anonymousId": "a1", "userId": null, "messageId": "m-1",
        "properties": {"title": "Welcome", "path": "/"}, "timestamp": "2026-11-22T11:00:00Z",
        "context": {"page": {"url": "https://example.com/", "title": "Other", "referrer": ""}, "ip": "8.8.8.8"},
    });
    insta::assert_snapshot!("page", show(&one(Kind::Page, &page)));
    let screen = json!({
        "type": "screen", "name": "Basket", "userId": "u", "anonymousId": "a1", "messageId": "m-2",
        "properties": {"variation": "blue"}, "timestamp": "2026-11-22T11:00:00Z",
        "context": {"app": {"name": "Shop", "version": "5.4", "build": "1", "namespace": "com.shop"},
                    "device": {"id": "B5372DB0", "advertisingId": "7A3C", "type": "ios", "model": "iPhone7,2"},
                    "os": {"name": "iOS", "version": "18.1"}},
        "integrations": {"All": true, "Actions Amplitude": {"session_id": 1_795_341_599_871_i64}},
    });
    insta::assert_snapshot!("screen", show(&one(Kind::Screen, &screen)));
    let group = json!({"type": "group", "userId": "u", "groupId": "g-1", "messageId": "m-3",
                       "timestamp": "2026-11-22T11:00:00Z", "traits": {"name": "Initech", "employees": 329}});
    insta::assert_snapshot!("group", show(&one(Kind::Group, &group)));
}

#[test]
fn an_alias_says_who_the_visitor_is_or_that_two_customers_are_one() {
    let told = |message: Value| one(Kind::Alias, &message).told;
    let identified = Told::Identified { visitor: "a1".into(), customer: "u".into() };
    assert_eq!(told(json!({"userId": "u", "anonymousId": "a1"})), std::slice::from_ref(&identified));
    let said = json!({"userId": "u", "anonymousId": "a1", "previousId": "a1"});
    assert_eq!(told(said), std::slice::from_ref(&identified));
    let merged = Told::Merged { from: "a1".into(), into: "u".into() };
    assert_eq!(told(json!({"userId": "u", "previousId": "a1"})), [identified, merged]);
    assert_eq!(told(json!({"userId": "u", "previousId": "u"})), []);
}

#[test]
fn what_nobody_can_be_told_of_is_refused_with_its_place() {
    let check = |kind, message: Value, want: &str| {
        let read = tracking::read(Some(kind), &message, "EUR", received()).unwrap().remove(0);
        let places: Vec<String> = read.unwrap_err().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(places, [want], "{message}");
    };
    check(Kind::Track, json!({"event": "E"}), "");
    check(Kind::Track, json!({"event": "E", "userId": "", "anonymousId": null}), "");
    check(Kind::Track, json!({"event": "E", "userId": {}}), "/userId");
    check(Kind::Track, json!({"event": "E", "userId": "visitor:x"}), "/userId");
    check(Kind::Track, json!({"event": "E", "anonymousId": "x".repeat(201)}), "/anonymousId");
    check(Kind::Track, json!({"userId": "u"}), "/event");
    check(Kind::Track, json!({"userId": "u", "event": 7}), "/event");
    check(Kind::Group, json!({"userId": "u"}), "/groupId");
    check(Kind::Alias, json!({"anonymousId": "a"}), "/userId");
    check(Kind::Alias, json!({"userId": "u"}), "/previousId");
    check(Kind::Page, json!([]), "");
}

#[test]
fn a_batch_keeps_its_good_messages() {
    let batch = json!({
        "batch": [
            {"type": "track", "userId": "u", "event": "A", "messageId": "1", "timestamp": "2026-11-22T14:00:00Z"},
            {"type": "trak", "userId": "u", "event": "B"},
            7,
            {"type": "track", "event": "C"},
            {"type": "page", "anonymousId": "a", "messageId": "2", "context": {"app": {"name": "x"}}},
        ],
        "sentAt": "2026-11-22T15:00:00.250Z",
        "context": {"app": {"version": "1"}},
        "writeKey": "key",
    });
    let read = tracking::read(None, &batch, "EUR", received()).unwrap();
    let places: Vec<&str> =
        read.iter().map(|read| read.as_ref().map_or_else(|f| f[0].pointer.as_str(), |_| "ok")).collect();
    assert_eq!(places, ["ok", "/batch/1/type", "/batch/2", "/batch/3", "ok"]);
    let Told::Event { body } = &read[0].as_ref().unwrap().told[0] else { unreachable!() };
    assert_eq!((&body["at"], &body["id"]), (&json!("2026-11-22T11:00:00.000Z"), &json!("1")));
    let Told::Event { body } = &read[4].as_ref().unwrap().told[0] else { unreachable!() };
    assert_eq!(body["context"]["app"], json!({"name": "x", "version": "1"}));

    assert_eq!(tracking::read(None, &json!([]), "EUR", received()).unwrap_err()[0].pointer, "/batch");
    let many = json!({"batch": vec![json!({"type": "page", "userId": "u"}); 2_501]});
    let read = tracking::read(None, &many, "EUR", received()).unwrap();
    assert_eq!(read.iter().filter(|read| read.is_ok()).count(), 2_500);
}

#[test]
fn messages_of_one_person_stay_in_one_thread() {
    let batch = json!({"batch": [
        {"type": "page", "anonymousId": "a"},
        {"type": "page", "anonymousId": "b"},
        {"type": "identify", "anonymousId": "a", "userId": "u"},
        {"type": "track", "userId": "u", "event": "E"},
        {"type": "track", "userId": "v", "event": "E"},
        {"type": "alias", "userId": "v", "previousId": "b"},
    ]});
    let read = tracking::read(None, &batch, "EUR", received()).unwrap();
    let messages: Vec<_> = read.iter().map(|read| read.as_ref().unwrap()).collect();
    assert_eq!(tracking::threads(&messages), [vec![0, 2, 3], vec![1, 4, 5]]);
}

#[test]
fn what_one_person_does_within_a_millisecond_happens_one_after_the_other() {
    let at = "2026-11-22T11:00:00.000Z";
    let event = |user: &str, visitor: Option<&str>, at: &str| json!({"type": "track", "userId": user, "anonymousId": visitor, "event": "E", "timestamp": at});
    let later = "2026-11-22T11:00:00.001Z";
    let batch = json!({"batch": [
        event("u", None, at), event("v", Some("a"), at), event("u", None, at), event("u", None, later),
        event("u", Some("a"), at), event("u", None, at),
    ]});
    let read = tracking::read(None, &batch, "EUR", received()).unwrap();
    let times: Vec<String> = read
        .into_iter()
        .map(|read| match &read.unwrap().told[0] {
            Told::Event { body } => body["at"].as_str().unwrap()[20..23].to_owned(),
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(times, ["000", "000", "001", "002", "003", "004"]);
    let many = json!({"batch": vec![event("u", None, at); 2_500]});
    assert_eq!(tracking::read(None, &many, "EUR", received()).unwrap().len(), 2_500);
}
