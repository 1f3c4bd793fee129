use contracts::Kind;
use contracts::promo::MOST_CODES;
use serde_json::{Value, json};

use crate::Subject;
use crate::campaigns::{head, versioned};
use crate::operation::on;
use crate::schema::{Object, boolean, count, id, instant, list, short};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Promo codes",
        description: "Codes that mails bring along: `{{promo_code \"summer\"}}` prints one of the group `summer`. A \
            message has one of each group, the same however often it is tried, and no other message has that one. It is \
            given right before the mail goes out, if nothing else keeps it back; a message for which none is left is not \
            sent (`no_promo_code`).",
        schemas: schemas(),
        operations: vec![
            on("GET /v1/promo-code-groups", "listPromoCodeGroups", "List the groups of promo codes").paged(head()),
            on("GET /v1/promo-code-groups/{id}", "getPromoCodeGroup", "Read a group, and how many codes it has")
                .gives(200, "The group.", "PromoCodeGroupShown"),
            on("PUT /v1/promo-code-groups/{id}", "putPromoCodeGroup", "Define a group of promo codes")
                .says(
                    "With a `pattern` a code is made for each message; without one there are those that are uploaded. \
                     Which of both it is, and the pattern, stays so for good, even if the group is deleted and defined \
                     once more: what was given is never given again.",
                )
                .takes("PromoCodeGroup")
                .gives(200, "As it was saved.", "PromoCodeGroupShown")
                .refuses(&[Kind::Conflict]),
            on("DELETE /v1/promo-code-groups/{id}", "deletePromoCodeGroup", "Delete a group of promo codes")
                .says(
                    "Only one that no template prints a code of, nor a mailing that is not over. Its codes are kept, and \
                     are there again if it is defined once more.",
                )
                .gives_nothing("It is gone.")
                .refuses(&[Kind::Conflict]),
            on("POST /v1/promo-code-groups/{id}/codes", "addPromoCodes", "Upload promo codes")
                .says(&format!(
                    "At most {MOST_CODES}, as JSON or as a table with a column `code`, or with nothing but codes, of at \
                     most 1 MB. A code that is in the group already, free or given, is counted as known and stays as it \
                     is, so the same upload may be repeated."
                ))
                .takes("PromoCodes")
                .takes_as("text/csv", json!({ "type": "string", "examples": ["code\nTEN-4711\nTEN-4712\n"] }))
                .takes_as("text/tab-separated-values", json!({ "type": "string" }))
                .gives(200, "What became of the codes.", "ImportReport")
                .refuses(&[Kind::Conflict]),
            on("GET /v1/promo-code-groups/{id}/codes", "listPromoCodes", "List the codes that were given")
                .says("In no order that means anything, and each once, whatever is given meanwhile.")
                .paged(given()),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let codes = Object::new("Codes of a group.")
        .needs("codes", list(id(), MOST_CODES), "The codes, each 1 to 200 bytes.")
        .example(json!({ "codes": ["TEN-4711", "TEN-4712"] }));
    let counted = Object::shown("How many codes it has.")
        .needs("free", count(), "How many are left; of those that a pattern can make 9,000,000,000,000,000 at most.")
        .needs("given", count(), "How many messages have one.")
        .needs("exact", boolean(), "Whether all were counted; else it is an estimate.");
    vec![
        (
            "PromoCodeGroup",
            group(Object::new("A group of promo codes."))
                .example(json!({ "name": "Summer", "pattern": "SUMMER-????-####" }))
                .build(),
        ),
        (
            "PromoCodeGroupShown",
            versioned(group(Object::shown("A group of promo codes.")))
                .has("codes", counted.build(), "How many codes it has; said when it is read.")
                .build(),
        ),
        ("PromoCodes", codes.build()),
    ]
}

fn group(object: Object) -> Object {
    let pattern = json!({
        "type": "string", "pattern": "^[A-Za-z0-9_.?#-]+$", "maxLength": 60, "examples": ["SUMMER-????-####"],
    });
    object.needs("name", short(), "Its name, for people.").has(
        "pattern",
        pattern,
        "How its codes are made: `?` is any of 20 letters and `#` any of 8 digits, none of which looks like another. It \
         must make at least 500 million codes, of at most 20 characters that are made up.",
    )
}

fn given() -> Value {
    Object::shown("A code that was given.")
        .needs("code", json!({ "type": "string" }), "The code.")
        .needs("message_id", json!({ "type": "string" }), "To which message.")
        .needs("given_at", instant(), "When.")
        .build()
}
