use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::campaigns::in_words;
use crate::operation::on;
use crate::schema::{Object, boolean, count, instant, of, one_of, short};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Surveys",
        description: "How many customers meet a condition, and what they are worth: counted exactly in the background, or \
            judged by a few of them at once. Anonymous visitors are not among them.",
        schemas: schemas(),
        operations: vec![
            on("POST /v1/conditions/preview", "previewCondition", "Say about how many customers meet a condition")
                .says(
                    "Some hundreds of customers are chosen at random and looked at; of a small shop all of them are, and \
                     `exact` says so. Nothing is saved.",
                )
                .takes("Preview")
                .gives(200, "About how many.", "PreviewShown"),
            on("POST /v1/surveys", "beginSurvey", "Count who meets a condition")
                .says(
                    "Every customer is looked at, as of now; segments that the condition names count as they are now, \
                     whatever becomes of them. At most five surveys run at the same time.",
                )
                .takes("Survey")
                .refuses(&[Kind::Conflict])
                .gives(202, "It has begun; the work is done in the background. `Location` says where to look.", "SurveyShown"),
            on("GET /v1/surveys/{id}", "getSurvey", "Read how far a survey is, and what has come of it so far")
                .gives(200, "The survey.", "SurveyShown"),
            on("DELETE /v1/surveys/{id}", "deleteSurvey", "Stop a survey, and forget it")
                .gives_nothing("It is stopped, and what came of it is forgotten."),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let asked = || json!({ "sum": "orders.total", "during": { "last": "P90D" }, "at_least": 100 });
    let preview = Object::new("What is asked.")
        .needs("condition", of("Condition"), "Who is meant; over the customer and all that they did and have.")
        .example(json!({ "condition": asked() }));
    let survey = Object::new("What is asked.")
        .has("name", short(), "Its name, for people.")
        .needs("condition", of("Condition"), "Who is looked for; over the customer and all that they did and have.")
        .has("condition_in_words", in_words(), "As it was shown; it is made anew.")
        .example(json!({
            "name": "Spent 100 lately", "condition": asked(),
            "condition_in_words": "the sum of total of orders in the last 90 days is at least 100",
        }));
    vec![
        ("Preview", preview.build()),
        ("PreviewShown", preview_shown()),
        ("Survey", survey.build()),
        ("SurveyShown", survey_shown()),
        ("SurveyFigures", figures()),
    ]
}

fn share() -> Value {
    json!({ "type": "string", "examples": ["0.25"] })
}

fn amount() -> Value {
    json!({ "type": "string", "examples": ["1996.00"] })
}

fn or_none(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn preview_shown() -> Value {
    let range = |of: fn() -> Value, says: &str| {
        Object::shown(says)
            .needs("estimate", of(), "The best guess.")
            .needs("low", of(), "It is hardly less.")
            .needs("high", of(), "It is hardly more.")
            .build()
    };
    Object::shown("About how many customers meet a condition.")
        .needs("in_words", json!({ "type": "string" }), "The condition as a sentence.")
        .needs("sampled", count(), "How many customers were looked at.")
        .needs("members", range(count, "How many meet it; between `low` and `high` with a confidence of 95 %."), "")
        .needs(
            "share",
            or_none(range(share, "Which share of all meets it, likewise, from 0 to 1.")),
            "Null if there was nobody to look at.",
        )
        .needs("exact", boolean(), "Whether everybody was looked at.")
        .build()
}

fn survey_shown() -> Value {
    let progress = Object::shown("How far it is.")
        .needs("customers", count(), "How many customers were looked at.")
        .needs(
            "failed",
            count(),
            "How many could not be looked at and were passed over: what is kept of them cannot be read.",
        )
        .needs("share", share(), "About which share of the work is done, from 0 to 1.")
        .needs(
            "done_by",
            or_none(instant()),
            "When it was done, or will be if it goes on as it did; null if nobody can say.",
        );
    let result = Object::shown("What has come of the customers who were looked at.")
        .needs("all", of("SurveyFigures"), "Of everybody.")
        .needs("matching", of("SurveyFigures"), "Of those who meet the condition.");
    Object::shown("A survey, how far it is, and what has come of it so far.")
        .needs("id", json!({ "type": "string" }), "Its id.")
        .has("name", short(), "Its name, for people.")
        .needs("condition", of("Condition"), "Who is looked for.")
        .needs("condition_in_words", json!({ "type": "string" }), "The condition as a sentence.")
        .needs("state", one_of(&["running", "done"]), "Whether everybody was looked at.")
        .needs("begun_at", instant(), "When it began: as of then everybody is looked at.")
        .needs("ended_at", or_none(instant()), "When it was done.")
        .needs("progress", progress.build(), "")
        .needs("result", result.build(), "")
        .build()
}

fn figures() -> Value {
    let revenue = Object::shown("What was spent in one currency.")
        .needs("orders", count(), "In how many orders.")
        .needs("total", amount(), "In all.")
        .needs("average_order", amount(), "What an order comes to.")
        .has("share", or_none(share()), "Which share that is of what all customers spent in it.");
    let by_currency = json!({ "type": "object", "additionalProperties": revenue.build() });
    Object::shown("What customers come to. An order that was taken back or is kept out of analytics does not count.")
        .needs("customers", count(), "How many there are.")
        .has("share", or_none(share()), "Which share of all customers that is; null of nobody.")
        .needs("orders", count(), "How many orders they placed.")
        .needs("revenue", by_currency, "What they spent, by currency.")
        .build()
}
