//! On what terms messages go out: of a campaign, of a mailing, and for the whole shop.

use serde_json::{Value, json};

use crate::schema::{Object, between, boolean, code, either, one_of, said};

/// What a campaign or a mailing says under `sending`.
pub(crate) fn sending() -> Value {
    let within = Object::new("It waits until there is room, but goes out all the same so long after it was to.").needs(
        "send_within",
        length(),
        "ISO 8601, from a second to 365 days.",
    );
    let again = Object::new("It is sent once more, unless Amazon SES has told of it by then. It may come twice.")
        .needs("resend_after", length(), "ISO 8601, from 15 minutes to 365 days.");
    let skip = said(one_of(&["skip", "defer"]), "It is not sent (`frequency_cap`), or it waits until there is room.");
    let never = said(one_of(&["never_again"]), "It is not sent again.");
    Object::new("On what terms its messages go out.")
        .has("category", code(), "The mailing category that they are of: a customer may refuse that one alone.")
        .has(
            "lifetime",
            length(),
            "How long after it was to go out a message is too late (`expired`): ISO 8601, from a second to 365 days.",
        )
        .has("any_hour", boolean(), "Whether they go out in quiet hours too; they do not, if it is left out.")
        .has("cap", capped("").build(), "How many of them a customer may have, beside the shop's caps.")
        .has(
            "over_cap",
            either([skip, within.build()]),
            "What becomes of one that is over a cap; it is skipped, if this is left out.",
        )
        .has(
            "if_unknown",
            either([never, again.build()]),
            "What becomes of one of which nobody knows whether it went out; it is not sent again, if this is left out.",
        )
        .build()
}

/// One of the shop's caps.
pub(crate) fn shop_cap() -> Value {
    capped("At most so many messages to one customer.")
        .has("category", code(), "Of this mailing category, one that is defined; of all, if it is left out.")
        .build()
}

pub(crate) fn quiet_hours() -> Value {
    let time = || json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "maxLength": 5 });
    Object::new("A part of each day; it may pass midnight.")
        .needs("from", time(), "When it begins.")
        .needs("to", time(), "When it is over: another time than `from`.")
        .build()
}

fn capped(description: &str) -> Object {
    Object::new(description).needs("most", between(1, 500), "At most so many, in any span").needs(
        "per",
        length(),
        "of this length: ISO 8601, from a second to 31 days.",
    )
}

fn length() -> Value {
    json!({ "type": "string", "format": "duration", "examples": ["PT24H", "P7D"] })
}
