use contracts::Scope;
use serde_json::{Value, json};

use crate::Subject;
use crate::common::rate;
use crate::operation::on;
use crate::schema::{Object, anything, count, instant, many, of, one_of, short};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Keys and changes",
        description: "Who may call, and who changed what. A key's secret is in the answer that made it and nowhere else; \
            what is kept of it is a hash.",
        schemas: schemas(),
        operations: vec![
            on("POST /v1/keys", "createKey", "Make a key").takes("Key").gives(
                201,
                "The key, with its secret.",
                "KeyMade",
            ),
            on("GET /v1/keys", "listKeys", "List the keys").paged(of("KeyShown")),
            on("POST /v1/keys/{id}/rotate", "rotateKey", "Give a key another secret")
                .says("The secret before stays good for the grace.")
                .takes("Rotation")
                .body_optional()
                .gives(200, "The key, with its new secret.", "KeyMade"),
            on("DELETE /v1/keys/{id}", "revokeKey", "Revoke a key")
                .says("A key may revoke itself.")
                .gives_nothing("It opens nothing any more."),
            on("GET /v1/audit", "listChanges", "List who changed what")
                .says(
                    "The edits of templates, partials, attachments, groups of promo codes, segments, campaigns, mailings \
                     and words, and the making, rotating and revoking of keys, the newest first. Among them is who \
                     uploaded promo codes, and who had tests of a template sent.",
                )
                .paged(of("ChangeShown")),
            on("GET /v1/audit/{id}", "getChange", "Read a change").gives(
                200,
                "With what was before and after it.",
                "ChangeShown",
            ),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let scopes = || json!({ "type": "array", "items": one_of(&Scope::ALL.map(Scope::as_str)), "minItems": 1 });
    let key = |object: Object| {
        object
            .needs("name", short(), "Its name, for people.")
            .needs("scopes", scopes(), "What it may be used for.")
            .has("rate", rate(), "How many requests a second it may make; 500, if it is left out.")
    };
    let body = key(Object::new("What a key is to be."))
        .example(json!({ "name": "Back end", "scopes": ["ingest"], "rate": 100 }));
    let shown = || {
        key(Object::shown("A key, without what would open anything."))
            .needs("id", json!({ "type": "string" }), "Its id.")
            .needs("created_at", instant(), "When it was made.")
            .has("rotated_at", instant(), "When it was given another secret.")
            .has("previous_until", instant(), "Until when the secret before is good.")
    };
    let made = shown().needs(
        "key",
        json!({ "type": "string" }),
        "The key, as it goes into `Authorization: Bearer`. It is shown this once.",
    );
    let grace = json!({ "type": "string", "format": "duration", "default": "PT24H", "examples": ["PT24H"] });
    let rotation = Object::new("How long the secret before stays good.")
        .has("grace", grace, "ISO 8601, from `PT0S` to `P30D`; a day, if it is left out.")
        .example(json!({ "grace": "PT1H" }));
    let change = Object::shown("An edit.")
        .needs("id", json!({ "type": "string" }), "Its id.")
        .needs("at", instant(), "When.")
        .needs(
            "kind",
            json!({ "type": "string" }),
            "Of what: `template`, `partial`, `attachment`, `promo-code-group`, `segment`, `campaign`, `mailing`, `key`, or \
             a kind of word such as `field`.",
        )
        .needs("code", json!({ "type": "string" }), "Of which.")
        .needs("version", count(), "The version that it made; of what is no edit, the one that it was about.")
        .has(
            "did",
            one_of(&["codes_uploaded", "test_sent"]),
            "Of what is no edit: promo codes were uploaded to the group, or a test of the template was asked for.",
        )
        .has(
            "count",
            count(),
            "How many codes there were, known ones among them, or to how many addresses the test was to go.",
        )
        .has(
            "by",
            json!({ "type": "string" }),
            "The id of the key that made it; not there for a key that was made by hand.",
        )
        .has("before", anything(), "What was; of a single change only.")
        .has("after", anything(), "What is since; of a single change only.")
        .has("differences", many(of("Difference")), "What the two differ in; of a single change only.");
    vec![
        ("Key", body.build()),
        ("KeyShown", shown().build()),
        ("KeyMade", made.build()),
        ("Rotation", rotation.build()),
        ("ChangeShown", change.build()),
    ]
}
