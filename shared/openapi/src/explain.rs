use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::campaigns::{in_words, versioned};
use crate::operation::on;
use crate::schema::{
    Object, anything, between, boolean, code, count, either, instant, many, of, one_of, page_of, short,
};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Segments",
        description: "Conditions with a name, and what a condition says of whom, and why. They are the same conditions as \
            filter campaigns and choose the audiences of mailings.",
        schemas: schemas(),
        operations: vec![
            on("PUT /v1/segments/{code}", "putSegment", "Define a segment")
                .says(
                    "Who meets the condition is in it, from within seconds of what makes it so and until the very time at \
                     which that ends. First its members are found among all customers; until that is done the version \
                     before serves whoever names the segment, or, of a new one, the condition alone.",
                )
                .takes("Segment")
                .gives(200, "The segment.", "SegmentShown"),
            on("GET /v1/segments/{code}", "getSegment", "Read a segment").gives(200, "The segment.", "SegmentShown"),
            on("DELETE /v1/segments/{code}", "deleteSegment", "Delete a segment")
                .says("One that is used is not deleted; the answer says where.")
                .gives_nothing("It is gone."),
            on("GET /v1/segments", "listSegments", "List the segments").paged(of("SegmentHead")),
            on("POST /v1/segments/{code}/pause", "pauseSegment", "Stop finding a segment's members")
                .says("For a while, and for all segments whose members are found together with its own.")
                .gives(200, "The segment.", "SegmentShown")
                .refuses(&[Kind::Conflict]),
            on("POST /v1/segments/{code}/resume", "resumeSegment", "Go on finding a segment's members")
                .gives(200, "The segment.", "SegmentShown")
                .refuses(&[Kind::Conflict]),
            on("GET /v1/segments/{code}/customers", "listSegmentCustomers", "List who is in a segment")
                .says(
                    "By the version that serves. A page may have fewer than were asked for and not be the last: go on \
                     until there is no `next`.",
                )
                .paged_as(page_of(of("Member")).needs("complete", boolean(), COMPLETE)),
            on("GET /v1/segments/{code}/customers.csv", "exportSegmentCustomers", "List them as a table")
                .says(
                    "With what is known of each. The first page alone has the names of the columns, so that the pages \
                     put together are one file. Before what a spreadsheet would take for a formula stands an apostrophe.",
                )
                .asks("limit", false, between(1, 5_000), "How many rows at most; 1,000, if it is left out.")
                .asks("after", false, json!({ "type": "string" }), "As in the address of the next page.")
                .gives_as(200, "A page of at most 5 MB.", "text/csv", json!({ "type": "string", "examples": [TABLE] }))
                .with_header("Link", "The address of the next page, with `rel=\"next\"`; not there on the last."),
            on(
                "GET /v1/segments/{code}/customers/{id}",
                "explainSegment",
                "Say whether a customer is in a segment, and why",
            )
            .gives(200, "What the segment says of the customer.", "Explanation")
            .refuses(&[Kind::Gone]),
            on("GET /v1/segments/{code}/size", "getSegmentSize", "Say how many are in a segment")
                .asks(
                    "from",
                    false,
                    json!({ "type": "string", "format": "date" }),
                    "From which day on, in UTC, to tell how many there were, of at most 400 days; 90 days back, if it is left out.",
                )
                .gives(200, "How many.", "SegmentSize"),
            on("GET /v1/segments/{code}/overlap/{other}", "getSegmentOverlap", "Say how many are in both of two segments")
                .gives(200, "How many.", "SegmentOverlap"),
            on("POST /v1/segments/{code}/copy", "copySegment", "Copy who is in a segment to an audience")
                .says(
                    "Everybody who is in it is put into the audience, by the version that serves; whoever is in the \
                     audience already stays there. Who enters or leaves meanwhile may be copied or not. At most five \
                     copies run at the same time.",
                )
                .takes("SegmentCopy")
                .refuses(&[Kind::Conflict])
                .gives(202, "It has begun; the work is done in the background. `Location` says where to look.", "SegmentCopyShown"),
            on("GET /v1/segments/{code}/copies/{id}", "getSegmentCopy", "Read how far a copy is")
                .gives(200, "The copy.", "SegmentCopyShown"),
            on("GET /v1/customers/{id}/segments", "listSegmentsOfCustomer", "List the segments that a customer is in")
                .gives(200, "All of them.", "SegmentsOfCustomer")
                .refuses(&[Kind::Gone]),
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

/// What goes along with whatever is told of a segment's members.
const COMPLETE: &str = "Whether all members were found. If not, the segment is new, and they are those found so far.";

const TABLE: &str = "id,email,…,since\r\nada,ada@example.com,…,2026-11-22T10:00:00Z\r\n";

/// Where the finding of a segment's members stands.
fn standing(object: Object) -> Object {
    let version = || count();
    let serving = Object::shown("What serves whoever names the segment.").needs("version", version(), "Which version.");
    let building = Object::shown("The version whose members are being found.")
        .needs("version", version(), "Which.")
        .needs("number", count(), "The work's number. Segments that are built together have the same.")
        .needs("since", instant(), "When it began.")
        .needs("paused", boolean(), "Whether it was stopped for a while.")
        .needs("progress", of("BuildProgress"), "How far it is.");
    object
        .needs("serving", or_null(serving.build()), "Null before the members were found for the first time.")
        .needs("building", or_null(building.build()), "Null if no members are being found.")
        .needs("waiting", boolean(), "Whether its members are to be found next, behind those of others.")
}

fn or_null(schema: Value) -> Value {
    either([schema, json!({ "type": "null" })])
}

/// Whether somebody is a member, as it is kept.
fn membership(object: Object) -> Object {
    object
        .needs("is_in", boolean(), "Whether they are in it.")
        .needs("since", or_null(instant()), "Since when that is so; null if it was never otherwise.")
        .needs(
            "by",
            or_null(one_of(&["written", "time", "found"])),
            "What made it so: something that was written about them, the passing of \
            time, or nothing, as it was so when the members were found.",
        )
        .needs("by_in_words", json!({ "type": ["string", "null"] }), "The same in words.")
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
    let shown = standing(shown);
    let progress = Object::shown("How far the finding of members is.")
        .needs("customers", count(), "How many customers were looked at.")
        .needs(
            "failed",
            count(),
            "How many could not be looked at and were passed over: what is kept of them cannot be read.",
        )
        .needs("share", json!({ "type": "string" }), "Which share of all, about, from 0 to 1.")
        .needs("done_by", or_null(instant()), "When it will be done if it goes on as it did; null if nobody knows.");
    let head = standing(versioned(Object::shown("A segment.")));
    let segment = segment(Object::new("A condition with a name."))
        .has("condition_in_words", in_words(), "As it was shown; it is made anew.")
        .example(json!({
            "name": "Loyal",
            "condition": { "count": "orders", "during": { "last": "P365D" }, "at_least": 5 },
            "condition_in_words": "the number of orders in the last 365 days is at least 5",
        }));
    let member = Object::shown("A customer who is in a segment.").needs("id", text(), "The customer's id.").needs(
        "since",
        instant(),
        "Since when they are in it.",
    );
    let size = Object::shown("How many are in a segment.")
        .needs("members", count(), "How many.")
        .needs("exact", boolean(), "Whether all were counted. If not, there was no time, and it is an estimate.")
        .needs("complete", boolean(), COMPLETE)
        .needs("as_of", instant(), "When they were counted.")
        .needs("over_time", many(of("SegmentSizeOfDay")), "How many there were on the days before, the oldest first.");
    let of_day = Object::shown("How many were in a segment on a day.")
        .needs("day", json!({ "type": "string", "format": "date" }), "The day, in UTC.")
        .needs("members", count(), "How many.");
    let overlap = Object::shown("How many are in each of two segments, and in both.")
        .needs("first", count(), "In the first.")
        .needs("second", count(), "In the other.")
        .needs("both", count(), "In both.")
        .needs("only_first", count(), "In the first alone.")
        .needs("only_second", count(), "In the other alone.")
        .needs("exact", boolean(), "Whether all were counted. If not, there was no time, and these are estimates.")
        .needs("complete", boolean(), "Whether all members of both were found.");
    let copy = Object::new("Where a segment is copied.")
        .needs("audience", code(), "The audience, which is defined.")
        .example(json!({ "audience": "vip" }));
    let copied = Object::shown("A copy of a segment to an audience, and how far it is.")
        .needs("id", text(), "Its id.")
        .needs("segment", code(), "Whose members are copied.")
        .needs("audience", code(), "Where they are put.")
        .needs(
            "state",
            one_of(&["running", "done", "stopped"]),
            "Whether all members were gone through; `stopped`, if the segment or the audience was deleted before.",
        )
        .needs("copied", count(), "How many members are in the audience by it, those who were in it before among them.")
        .needs("begun_at", instant(), "When it began.")
        .needs("ended_at", or_null(instant()), "When it ended.")
        .needs(
            "progress",
            Object::shown("How far it is.")
                .needs("share", json!({ "type": "string" }), "Which share of the members, about, from 0 to 1.")
                .needs(
                    "done_by",
                    or_null(instant()),
                    "When it ended, or will if it goes on as it did; null if nobody knows.",
                )
                .build(),
            "",
        );
    let of_customer = Object::shown("The segments that a customer is in.")
        .needs("customer_id", text(), "The customer, by the id that they have now.")
        .needs("items", many(of("SegmentOfCustomer")), "The segments.");
    let one_of_customer =
        membership(Object::shown("A segment that a customer is in.").needs("segment", text(), "Its code."));
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
        )
        .has(
            "member",
            or_null(membership(Object::shown("A membership.")).needs("complete", boolean(), COMPLETE).build()),
            "Whether they are a member, as it is kept, by the version that serves; null before members are being found.",
        );
    vec![
        ("Segment", segment.build()),
        ("SegmentShown", shown.build()),
        ("SegmentHead", head.build()),
        ("BuildProgress", progress.build()),
        ("Member", member.build()),
        ("SegmentSize", size.build()),
        ("SegmentSizeOfDay", of_day.build()),
        ("SegmentOverlap", overlap.build()),
        ("SegmentCopy", copy.build()),
        ("SegmentCopyShown", copied.build()),
        ("SegmentsOfCustomer", of_customer.build()),
        ("SegmentOfCustomer", one_of_customer.build()),
        ("Question", question.build()),
        ("Decided", leaf.build()),
        ("Explanation", explanation.build()),
    ]
}
