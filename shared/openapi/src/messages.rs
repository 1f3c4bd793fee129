use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, anything, code, count, instant, of, one_of};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Messages",
        description: "What was sent, what was not, and why.",
        schemas: vec![("MessageShown", shown())],
        operations: vec![
            on("GET /v1/messages", "listMessages", "List a customer's messages")
                .says(
                    "The newest first. Of a customer who is several that were merged, the messages to each of them: \
                     `customer_id` is the id that they had then.",
                )
                .asks(
                    "customer",
                    true,
                    json!({ "$ref": "#/components/schemas/CustomerId", "examples": ["ada"] }),
                    "Whose, by any of their ids.",
                )
                .paged(of("MessageShown"))
                .refuses(&[Kind::Gone]),
        ],
    }
}

fn shown() -> Value {
    let reasons = [
        "customer_unknown",
        "no_address",
        "no_consent",
        "suppressed",
        "subject_gone",
        "missing_variable",
        "blocked_by_template",
        "template_failed",
        "refused_by_ses",
    ];
    let told = Object::shown("A message, and what became of it.")
        .needs("id", json!({ "type": "string" }), "Made from its cause: the same cause is the same message.")
        .needs("customer_id", of("CustomerId"), "To whom.")
        .has("campaign", code(), "The campaign that decided on it.")
        .has("campaign_version", count(), "")
        .has("run", json!({ "type": "string" }), "The campaign's run.")
        .has("step", count(), "The step of it, from 0.")
        .has("cause", anything(), "What set the run off.")
        .has("caused_at", instant(), "When that was taken in.")
        .has("mailing", code(), "The mailing that decided on it.")
        .has("mailing_version", count(), "")
        .needs("purpose", one_of(&["transactional", "marketing"]), "")
        .needs("template", code(), "The template that fills it.")
        .needs("template_version", count(), "")
        .needs("created_at", instant(), "When it was decided on.")
        .needs("state", one_of(&["PENDING", "CLAIMED", "SENT", "NOT_SENT", "UNKNOWN"]), "What became of it.")
        .has("reason", one_of(&reasons), "Why it was not sent.")
        .has("detail", json!({ "type": "string" }), "What exactly, in words.")
        .has("settled_at", instant(), "When that was certain.")
        .has("ses_message_id", json!({ "type": "string" }), "What Amazon SES calls it.");
    let evidence =
        ["accepted_at", "delivered_at", "bounced_at", "soft_bounced_at", "complained_at", "opened_at", "clicked_at"];
    evidence.into_iter().fold(told, |told, name| told.has(name, instant(), "When SES told so first.")).build()
}
