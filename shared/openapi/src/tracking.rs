use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::{Access, Operation, on};
use crate::schema::{Object, anything, boolean, count, many, of, text};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Segment's tracking API",
        description: "What Segment's client libraries speak: point one here by its host setting and it works. The key is \
            the user of Basic authentication, or `writeKey` in the body. The names of Segment's e-commerce spec become \
            orders, containers and web events. Nothing is refused that could be understood in part; the answer lists \
            what was left out.",
        schemas: schemas(),
        operations: operations(),
    }
}

const ONE: &str = "At most 32 KB, gzip or not, declared as whatever media type. `messageId` makes it known when it comes \
    again; `timestamp` is corrected by `sentAt` for a clock that is off.";

fn one(route: &'static str, id: &'static str, summary: &'static str, body: &str, says: &str) -> Operation {
    answered(on(route, id, summary).says(&format!("{says}\n\n{ONE}")).takes(body))
}

fn many_of(route: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let says = "At most 500 KB and 2,500 messages of 32 KB each, gzip or not, declared as whatever media type.";
    answered(on(route, id, summary).says(says).takes("SegmentBatch"))
}

fn answered(operation: Operation) -> Operation {
    operation
        .gives(200, "What could be understood is taken in.", "SegmentAnswer")
        .open_to(Access::SegmentKey)
        .refuses(&[Kind::TooLarge])
}

/// A call under its name and under the letter by which clients in browsers and apps
/// call it.
macro_rules! calls {
    ($($name:literal $letter:literal $id:literal $short:literal $summary:literal $body:literal $says:literal;)*) => {
        vec![$(
            one(concat!("POST /v1/", $name), $id, $summary, $body, $says),
            one(concat!("POST /v1/", $letter), $short, concat!($summary, " (short path)"), $body, concat!("The same as `POST /v1/", $name, "`.")),
        )*]
    };
}

fn operations() -> Vec<Operation> {
    let mut operations = calls! {
        "identify" "i" "segmentIdentify" "segmentIdentifyShort" "Who somebody is" "SegmentMessage" "A customer's profile (`traits`), and who the visitor is.";
        "track" "t" "segmentTrack" "segmentTrackShort" "What somebody did" "SegmentTrack" "A web event, and by the names of Segment's e-commerce spec an order or a change of a container as well.";
        "page" "p" "segmentPage" "segmentPageShort" "A page was seen" "SegmentMessage" "The web event `page_viewed`.";
        "screen" "s" "segmentScreen" "segmentScreenShort" "A screen was seen" "SegmentMessage" "The web event `screen_viewed`.";
        "group" "g" "segmentGroup" "segmentGroupShort" "Somebody belongs to a group" "SegmentMessage" "The web event `group`.";
        "alias" "a" "segmentAlias" "segmentAliasShort" "Two ids are of one person" "SegmentAlias" "Who the visitor is; with the scope `ingest`, that two customers are one.";
    };
    operations.extend([
        many_of("POST /v1/batch", "segmentBatch", "Many calls in one"),
        many_of("POST /v1/b", "segmentBatchShort", "Many calls in one (short path)"),
        many_of("POST /v1/import", "segmentImport", "Many calls of the past"),
        on("OPTIONS /v1/{call}", "askSegment", "May a page call?")
            .says("A browser asks this before it sends across origins.")
            .gives_nothing("It may.")
            .refuses(&[Kind::NotFound]),
        on("GET /v1/projects/{key}/settings", "segmentSettings", "What analytics.js asks before it sends")
            .says("Where to send, and that nothing else is to be loaded. The same for every key.")
            .gives_as(200, "The settings.", "application/json", anything()),
    ]);
    operations
}

fn message(description: &str) -> Object {
    let any = |object: Object, names: &[(&str, &str)]| {
        names.iter().fold(object, |object, (name, description)| object.has(name, anything(), description))
    };
    let time = || json!({ "type": "string" });
    let object = Object::shown(description)
        .has("userId", text(200), "The customer's id. This or `anonymousId` is needed.")
        .has("anonymousId", text(192), "The visitor's anonymous id.")
        .has("messageId", text(200), "The message's own id.")
        .has("timestamp", time(), "When it happened, by the client's clock.")
        .has("originalTimestamp", time(), "The same, as some clients call it.")
        .has("sentAt", time(), "When it was sent, by the client's clock.")
        .has("writeKey", json!({ "type": "string" }), "The key, if it is not in the header.")
        .has("name", json!({ "type": "string" }), "The page's or screen's name.")
        .has("groupId", json!({ "type": "string" }), "The group.");
    any(
        object,
        &[
            ("context", "Where it happened."),
            ("traits", "What somebody is like."),
            ("properties", "What belongs to it."),
        ],
    )
}

fn schemas() -> Vec<(&'static str, Value)> {
    let plain = message("A message as Segment's spec has it.").example(json!({
        "userId": "ada", "anonymousId": "8f14e45f", "messageId": "m-1", "traits": { "email": "ada@example.com" },
        "timestamp": "2026-11-22T10:00:00Z", "sentAt": "2026-11-22T10:00:01Z",
    }));
    let track = message("Something that somebody did.")
        .needs("event", json!({ "type": "string" }), "What, such as `Product Added`.")
        .example(json!({
            "anonymousId": "8f14e45f", "messageId": "m-2", "event": "Product Added",
            "properties": { "product_id": "mug-blue", "quantity": 1, "price": 24.95 },
        }));
    let alias = message("Two ids of one person.")
        .needs("previousId", json!({ "type": "string" }), "The id that is no more.")
        .example(json!({
            "userId": "ada", "previousId": "8f14e45f", "messageId": "m-3",
        }));
    let batch = Object::shown("Messages, each with its `type`.")
        .needs("batch", json!({ "type": "array", "items": of("SegmentMessage"), "maxItems": 2_500 }), "The messages.")
        .has("context", anything(), "What holds for all of them.")
        .has("sentAt", json!({ "type": "string" }), "When it was sent, by the client's clock.")
        .has("writeKey", json!({ "type": "string" }), "The key, if it is not in the header.")
        .example(json!({ "batch": [{ "type": "track", "event": "Cart Viewed", "anonymousId": "8f14e45f", "messageId": "m-4" }] }));
    let left_out = Object::shown("A message of which something was left out.")
        .needs("index", count(), "Its place in the batch, from 0.")
        .needs("taken", boolean(), "Whether the rest was taken in.")
        .has("messageId", json!({ "type": "string" }), "Its id.")
        .needs("problems", many(of("Problem")), "What was wrong.");
    let answer = Object::shown("What became of a call.")
        .needs("success", boolean(), "Whether all of it was taken in.")
        .has("errors", many(left_out.build()), "What was left out.");
    vec![
        ("SegmentMessage", plain.build()),
        ("SegmentTrack", track.build()),
        ("SegmentAlias", alias.build()),
        ("SegmentBatch", batch.build()),
        ("SegmentAnswer", answer.build()),
    ]
}
