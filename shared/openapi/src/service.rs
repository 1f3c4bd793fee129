use serde_json::json;

use crate::Subject;
use crate::operation::on;
use crate::schema::anything;

const NOT_OURS: &str = "The link is not one of ours, or whom it was for is not known any more.";

pub(crate) fn subject() -> Subject {
    let page = || json!({ "type": "string" });
    Subject {
        name: "About the API",
        description: "This description, and the pages behind the links in mails.",
        schemas: Vec::new(),
        operations: vec![
            on("GET /v1/openapi.json", "getOpenApi", "Read this description").gives_as(
                200,
                "An OpenAPI 3.1 document.",
                "application/json",
                anything(),
            ),
            on("GET /v1/reference", "getReference", "Read this description as a page").gives_as(
                200,
                "A page for people.",
                "text/html",
                page(),
            ),
            on("GET /u/{token}", "askToLeave", "Ask what to leave")
                .says("The page behind `links.unsubscribe` of a mail. Looking at it changes nothing.")
                .gives_as(200, "The question.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page()),
            on("POST /u/{token}", "leave", "Leave what a mail was of")
                .says(
                    "From the page's form, or by a mail program's one click (RFC 8058). It leaves the mailing category \
                     of the mail, if customers see that; else, and with `leave=everything` in the form, all news and \
                     offers.",
                )
                .gives_as(200, "It is done.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page()),
            on("GET /p/{token}", "askToChoose", "Show what a customer gets")
                .says("The page behind `links.preferences` of a mail. Looking at it changes nothing.")
                .gives_as(200, "The page.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page()),
            on("POST /p/{token}", "choose", "Choose what a customer gets")
                .says("From the page's form. Only what was changed in it changes anything.")
                .gives_as(200, "It is saved.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page()),
            on("GET /v/{token}", "viewMail", "Show a mail as a page")
                .says(
                    "The page behind `links.view` of a mail: the mail, for 60 days after it was sent. It is made again \
                     by the same version of its template, so what changed since is shown as it is now. There are no \
                     scripts and forms on it.",
                )
                .gives_as(200, "The mail; of a test, that the link came with one.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page())
                .gives_as(410, "It is too long ago, was not sent, or can no longer be made.", "text/html", page()),
            on("GET /c/{token}", "askToConfirm", "Ask whether a customer agrees")
                .says("The page behind `links.confirm` of a mail (double opt-in). Looking at it changes nothing.")
                .gives_as(200, "The question.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page())
                .gives_as(410, "It was asked more than 30 days ago.", "text/html", page()),
            on("POST /c/{token}", "confirm", "Agree to what was requested")
                .says(
                    "From the page's form. Whoever has unsubscribed since is asked once more, and agrees with \
                     `again=yes` in the form.",
                )
                .gives_as(200, "As it stands now.", "text/html", page())
                .gives_as(404, NOT_OURS, "text/html", page())
                .gives_as(410, "It was asked more than 30 days ago.", "text/html", page()),
        ],
    }
}
