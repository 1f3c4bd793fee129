use serde_json::{Value, json};

use crate::Subject;
use crate::campaigns::{head, in_words};
use crate::operation::on;
use crate::schema::{Object, anything, count, instant, many, of, short};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Segments",
        description: "Conditions with a name, and what a condition says of whom, and why. They are the same conditions as \
            filter campaigns and choose the audiences of mailings.",
        schemas: schemas(),
        operations: vec![
            on("PUT /v1/segments/{code}", "putSegment", "Define a segment")
                .says(
                    "Who meets the condition is in it, as of whenever it is asked. Campaigns and mailings that name it \
                     go by the new condition from then on.",
                )
                .takes("Segment")
                .gives(200, "The segment.", "SegmentShown"),
            on("GET /v1/segments/{code}", "getSegment", "Read a segment").gives(200, "The segment.", "SegmentShown"),
            on("DELETE /v1/segments/{code}", "deleteSegment", "Delete a segment")
                .says("One that is used is not deleted; the answer says where.")
                .gives_nothing("It is gone."),
            on("GET /v1/segments", "listSegments", "List the segments").paged(head()),
            on("GET /v1/segments/{code}/customers", "listSegmentCustomers", "List who is in a segment")
                .says(
                    "As of now: every customer but anonymous visitors is looked at, page by page, so that a page may have fewer than were asked \
                     for, none even, and not be the last. Go on until there is no `next`.",
                )
                .paged(of("Member")),
            on(
                "GET /v1/segments/{code}/customers/{id}",
                "explainSegment",
                "Say whether a customer is in a segment, and why",
            )
            .gives(200, "What the segment says of the customer.", "Explanation"),
            on("POST /v1/conditions/explain", "explainCondition", "Say what a condition means")
                .says(
                    "In words; and of a customer, if one is named, whether it holds, which of its leaves make it so, \
                     and when that turns if nothing else happens. Nothing is saved.",
                )
                .takes("Question")
                .gives(200, "What it means.", "Explanation"),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let text = || json!({ "type": "string" });
    let question = Object::new("What is asked of a condition.")
        .needs("condition", of("Condition"), "The condition, over the customer and all that they did and have.")
        .has("customer_id", of("Id"), "Of whom; if it is left out, the condition is only checked and put into words.")
        .example(json!({
            "condition": { "count": "orders", "during": { "last": "P90D" }, "at_least": 3 },
            "customer_id": "c-1",
        }));
    let segment = |object: Object| {
        object.needs("name", short(), "Its name, for people.").needs(
            "condition",
            of("Condition"),
            "Who is in it; over the customer and all that they did and have.",
        )
    };
    let shown = segment(Object::shown("A segment as it stands."))
        .needs("code", text(), "By which it is named in conditions.")
        .has("condition_in_words", text(), "The condition as a sentence.")
        .needs("version", count(), "Goes up by one with each edit.");
    let segment = segment(Object::new("A condition with a name."))
        .has("condition_in_words", in_words(), "As it was shown; it is made anew.")
        .example(json!({
            "name": "Loyal",
            "condition": { "count": "orders", "during": { "last": "P365D" }, "at_least": 5 },
            "condition_in_words": "the number of orders in the last 365 days is at least 5",
        }));
    let member = Object::shown("A customer who is in a segment.").needs("id", text(), "The customer's id.");
    let leaf = Object::shown("A leaf that decided.")
        .needs("leaf", text(), "The leaf in words.")
        .needs("holds", json!({ "type": "boolean" }), "Whether the leaf itself holds.")
        .has("seen", anything(), "What the field was, or what things came to; null if there was nothing.");
    let explanation = Object::shown("What a condition means.")
        .needs("in_words", text(), "The condition as a sentence.")
        .has("segment", text(), "The segment that was asked about.")
        .has("version", count(), "Its version.")
        .has("customer_id", text(), "The customer, by the id that they have now.")
        .has("holds", json!({ "type": "boolean" }), "Whether it holds for the customer.")
        .has("why", many(of("Decided")), "The leaves that decided: of an `all` that fails those that fail, and so on.")
        .has("why_in_words", text(), "The same as a sentence.")
        .has(
            "turns_at",
            json!({ "anyOf": [instant(), { "type": "null" }] }),
            "The earliest time at which that may be \
            otherwise if nothing else happens; null if never.",
        );
    vec![
        ("Segment", segment.build()),
        ("SegmentShown", shown.build()),
        ("Member", member.build()),
        ("Question", question.build()),
        ("Decided", leaf.build()),
        ("Explanation", explanation.build()),
    ]
}
