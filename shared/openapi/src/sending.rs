use domain::WhyStopped;
use serde_json::json;

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, instant, one_of};

pub(crate) fn subject() -> Subject {
    let number = || json!({ "type": "number", "minimum": 0 });
    let stopped = Object::shown("That nothing is sent for now. Messages wait, and go on by themselves.")
        .needs("since", instant(), "Since when.")
        .needs("reason", one_of(&WhyStopped::ALL.map(WhyStopped::as_str)), "Why: what SES answered.")
        .has("tries_at", instant(), "When one message is tried; all go on if SES takes it.")
        .has("trying_until", instant(), "One message is being tried, until then at the latest.");
    let sending = Object::shown("How fast mail leaves, and whether it does.")
        .needs("state", one_of(&["going", "stopped"]), "Whether mail is sent.")
        .has("rate", number(), "Mails that SES takes in a second.")
        .has("per_day", number(), "Mails that SES takes in any 24 hours; not there if it is as many as one likes.")
        .has("used", number(), "Mails of the 24 hours before `read_at`.")
        .has("read_at", instant(), "When SES said so; not there before the first mail.")
        .has("stopped", stopped.build(), "Only while it is stopped.");
    Subject {
        name: "Sending",
        description: "How fast mail leaves, and what keeps it from leaving.",
        schemas: vec![("SendingShown", sending.build())],
        operations: vec![
            on("GET /v1/sending", "getSending", "Read how fast mail leaves, and whether it does")
                .says("SES is asked once a minute while there is mail.")
                .gives(200, "As it stands.", "SendingShown"),
        ],
    }
}
