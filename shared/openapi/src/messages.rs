use contracts::Kind;
use domain::SuppressedFor;
use domain::message::{Reason, State};
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, anything, code, count, either, instant, many, of, one_of};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Messages",
        description: "What was sent, what was not, and why; and the addresses to which nothing is sent.",
        schemas: vec![
            ("MessageShown", message("A message, and what became of it.").build()),
            ("MessageStory", story()),
            ("Reason", reason()),
            ("Terms", terms()),
            ("Because", because()),
            ("SuppressionShown", suppression()),
        ],
        operations: vec![
            on("GET /v1/messages", "listMessages", "List messages")
                .says(
                    "The newest first: those to a customer, of a campaign or of a mailing, or of the two together; or \
                     everybody's that were not sent or of which nobody knows, by state or reason. Of a customer who is \
                     several that were merged, the messages to each of them: `customer_id` is the id that they had \
                     then.\n\nA message is in the lists within a second or so of being decided on, as these are \
                     indexes that may lag behind; what is told of it is so now. A page may have fewer than were asked \
                     for, or none, and not be the last: go on until there is no `next`.",
                )
                .asks(
                    "customer",
                    false,
                    json!({ "$ref": "#/components/schemas/CustomerId", "examples": ["ada"] }),
                    "Whose, by any of their ids.",
                )
                .asks("campaign", false, code(), "Of this campaign.")
                .asks("mailing", false, code(), "Of this mailing.")
                .asks(
                    "state",
                    false,
                    one_of(&State::ALL.map(State::as_str)),
                    "In this state. Beside no customer, campaign or mailing `NOT_SENT` or `UNKNOWN`.",
                )
                .asks(
                    "test",
                    false,
                    json!({ "type": "boolean", "enum": [true] }),
                    "Only the tests of templates. They are no customer's, campaign's or mailing's.",
                )
                .asks("reason", false, of("Reason"), "Not sent for this reason.")
                .paged(of("MessageShown"))
                .refuses(&[Kind::Gone]),
            on("GET /v1/messages/{id}", "getMessage", "Tell one message's story")
                .says("When it was decided on and by what, and all that became of it, in order. It names no address.")
                .gives(200, "The message.", "MessageStory"),
            on("GET /v1/customers/{id}/why", "explainMessage", "Say why a customer got a message, or did not")
                .says(
                    "Of a campaign or a mailing. Where a message was decided on, its row says what became of it. Where \
                     there is none, it is told how far it got, and what only the customer as they are now can tell \
                     is worked out and stands under `worked_out`.",
                )
                .asks("campaign", false, code(), "What this campaign sends; either this or `mailing`.")
                .asks("mailing", false, code(), "This mailing; either this or `campaign`.")
                .gives(200, "Why.", "Because")
                .refuses(&[Kind::Gone]),
            on("GET /v1/suppressions", "listSuppressions", "List the addresses to which no mail goes")
                .says(
                    "Each by its fingerprint: the addresses themselves are not kept, so that nobody can read from the \
                     list who is on it. To look one up, name it. The list may lag behind by a second or so.",
                )
                .paged(of("SuppressionShown")),
            on("GET /v1/suppressions/{address}", "getSuppression", "Say whether mail to an address is stopped").gives(
                200,
                "It is, and this is why.",
                "SuppressionShown",
            ),
            on("PUT /v1/suppressions/{address}", "putSuppression", "Stop all mail to an address")
                .says("By hand. One to which mail is stopped already stays as it is.")
                .gives(200, "It was stopped already.", "SuppressionShown")
                .gives(201, "It is stopped.", "SuppressionShown"),
            on("DELETE /v1/suppressions/{address}", "deleteSuppression", "Let mail go to an address again")
                .says(
                    "Whatever it was stopped for. What is told late of a mail that was sent before does not stop it \
                     again; what becomes of one that is sent after this may.",
                )
                .gives_nothing("Mail may go to it."),
        ],
    }
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// Every reason, each with what it means.
fn reason() -> Value {
    let each = Reason::ALL.map(|reason| json!({ "const": reason.as_str(), "description": reason.sentence() }));
    json!({ "type": "string", "description": "Why a message was not sent. The list is closed.", "oneOf": each })
}

fn terms() -> Value {
    Object::shown("On what terms a message goes out, as its campaign or mailing says under `sending`.")
        .has("category", code(), "The mailing category that it is of.")
        .has("lifetime", text(), "How long after it was to go out it is too late.")
        .has("any_hour", json!({ "type": "boolean" }), "Whether it goes out in quiet hours too.")
        .has("cap", anything(), "At most so many of its campaign or mailing.")
        .has("over_cap", anything(), "What becomes of it over a cap.")
        .has("if_unknown", anything(), "What becomes of it where nobody knows whether it went out.")
        .has("local_at", text(), "When it goes out by the customer's own clock.")
        .build()
}

fn message(about: &str) -> Object {
    let told = Object::shown(about)
        .needs("id", text(), "Made from its cause: the same cause is the same message.")
        .has("customer_id", of("CustomerId"), "To whom; not there if they were erased.")
        .has("erased", json!({ "type": "boolean" }), "That the customer was erased.")
        .has("campaign", code(), "The campaign that decided on it.")
        .has("campaign_version", count(), "")
        .has("run", text(), "The campaign's run.")
        .has("step", count(), "The step of it, from 0.")
        .has("cause", anything(), "What set the run off.")
        .has("caused_at", instant(), "When that was taken in.")
        .has("mailing", code(), "The mailing that decided on it.")
        .has("mailing_version", count(), "")
        .has("test", json!({ "type": "boolean" }), "That somebody tried its template out. Whom with is forgotten.")
        .needs("purpose", one_of(&["transactional", "marketing"]), "")
        .needs("template", code(), "The template that fills it.")
        .needs("template_version", count(), "")
        .needs("created_at", instant(), "When it was decided on.")
        .needs("state", one_of(&State::ALL.map(State::as_str)), "What became of it.")
        .has("reason", of("Reason"), "Why it was not sent.")
        .has("detail", text(), "What exactly, in words.")
        .has("settled_at", instant(), "When that was certain.")
        .has("ses_message_id", text(), "What Amazon SES calls it.");
    let evidence = [
        "accepted_at",
        "rejected_at",
        "delivered_at",
        "bounced_at",
        "soft_bounced_at",
        "complained_at",
        "opened_at",
        "clicked_at",
    ];
    let told = evidence.into_iter().fold(told, |told, name| told.has(name, instant(), "When SES told so first."));
    let by_machine = "The first time that it was no person, by SES's account, but a machine.";
    ["machine_opened_at", "machine_clicked_at"]
        .into_iter()
        .fold(told, |told, name| told.has(name, instant(), by_machine))
}

fn story() -> Value {
    let told = Object::shown("Something that became of it.")
        .needs("at", instant(), "When; of `put_off_until`, until when.")
        .needs(
            "what",
            one_of(&[
                "decided",
                "put_off_until",
                "claimed",
                "sent",
                "not_sent",
                "unknown",
                "accepted",
                "rejected",
                "delivered",
                "soft_bounced",
                "bounced",
                "complained",
                "opened",
                "clicked",
                "machine_opened",
                "machine_clicked",
            ]),
            "What. Of what may happen more than once the first time is told, of `claimed` and `put_off_until` the last.",
        )
        .needs("in_words", text(), "The same as a sentence.");
    message("A message, and all that became of it.")
        .needs("terms", of("Terms"), "On what terms it goes out.")
        .needs("in_words", text(), "Where it stands, in a sentence or two.")
        .needs("story", many(told.build()), "What became of it, in order.")
        .build()
}

fn because() -> Value {
    let answers = [
        ("sent", "Amazon SES took it, and it did not come back."),
        ("rejected", "Amazon SES took it, found something harmful in it, and did not send it on."),
        ("bounced", "It went out and came back."),
        ("on_its_way", "It is about to go out, or waits until `waits_until`."),
        ("unknown", "It may have gone out or not."),
        ("not_sent", "It was decided on and not sent; `reason` says why."),
        ("waiting", "The campaign was set off; its run waits until `waits_until`."),
        ("ended", "The campaign's run came to its end without a message."),
        ("not_active", "The campaign is not active, since `since`."),
        ("not_set_off", "What the campaign waits for has not happened since it is active."),
        ("filtered", "It has happened, but the campaign's filter did not let them through."),
        (
            "not_heard",
            "It has happened, but was told of too late, or of somebody else, for the campaign to hear of it.",
        ),
        ("not_begun", "The mailing begins at `begins_at`."),
        ("not_reached", "The mailing's audience is being put down, and they are not in it so far."),
        ("not_in_audience", "They were not in the mailing's audience when it was put down."),
    ];
    let answers = answers.map(|(answer, means)| json!({ "const": answer, "description": means }));
    let run = Object::shown("A run of the campaign.")
        .needs("id", text(), "")
        .needs("campaign_version", count(), "By which version it goes.")
        .needs("cause", anything(), "What set it off.")
        .needs("caused_at", instant(), "When that was taken in.")
        .needs("step", count(), "The step to do next, from 0.")
        .has("waits_until", instant(), "Until when it waits.")
        .has("ended_at", instant(), "When it ended.");
    let known = Object::shown("What is on record.")
        .needs("messages", many(of("MessageShown")), "The messages, the newest first, of a campaign at most 20.")
        .needs("runs", many(run.build()), "The runs of the campaign.");
    Object::shown("Why a customer got what a campaign or a mailing sends, or did not.")
        .needs("customer_id", of("CustomerId"), "The customer, by the id that they have now.")
        .has("campaign", code(), "The campaign that was asked about.")
        .has("mailing", code(), "The mailing that was asked about.")
        .needs("as_of", instant(), "When this was so.")
        .needs(
            "answer",
            json!({ "type": "string", "oneOf": answers }),
            "In one word; of several messages, of the last.",
        )
        .needs("got_it", json!({ "type": ["boolean", "null"] }), "Whether they got it; null if nobody knows.")
        .needs("in_words", text(), "The same as people say it.")
        .has("reason", of("Reason"), "Why it was not sent.")
        .has("detail", text(), "What exactly.")
        .has("waits_until", instant(), "Until when it waits.")
        .has("put_off_for", one_of(&["local_time", "quiet_hours", "frequency_cap", "unknown"]), "Why it was put off.")
        .has("since", instant(), "Since when the campaign is active, or is not.")
        .has("waits_for", anything(), "What the campaign waits for: its trigger, and that in words.")
        .has("begins_at", instant(), "When the mailing begins.")
        .has("begun_at", instant(), "When its audience was begun to be put down.")
        .needs("known", known.build(), "What is on record.")
        .needs(
            "worked_out",
            either([anything(), json!({ "type": "null" })]),
            "What is on no record, as of now: what happened last that the campaign waits for (`happened`), what its \
             `filter` or the mailing's `audience` says of the customer, and why. Null if nothing had to be worked out.",
        )
        .build()
}

fn suppression() -> Value {
    let reasons =
        SuppressedFor::ALL.map(|reason| json!({ "const": reason.as_str(), "description": reason.sentence() }));
    Object::shown("An address to which no mail goes.")
        .needs("fingerprint", text(), "The name under which it is kept, from which nobody can tell the address.")
        .needs("reason", json!({ "type": "string", "oneOf": reasons }), "Why.")
        .needs("in_words", text(), "The same as a sentence.")
        .needs("since", instant(), "Since when.")
        .has("by", text(), "The id of the key that stopped it by hand.")
        .build()
}
