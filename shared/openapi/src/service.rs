use serde_json::json;

use crate::Subject;
use crate::operation::on;
use crate::schema::anything;

pub(crate) fn subject() -> Subject {
    let page = || json!({ "type": "string" });
    Subject {
        name: "About the API",
        description: "This description, and the page behind the links in mails.",
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
            on("GET /u/{token}", "askToLeave", "Ask whether to leave the mailing list")
                .says("The page behind the link in a mail. Looking at it changes nothing.")
                .gives_as(200, "The question.", "text/html", page())
                .gives_as(404, "The link is not one of ours.", "text/html", page()),
            on("POST /u/{token}", "leave", "Leave the mailing list")
                .says("From the page's form, or by a mail program's one click (RFC 8058).")
                .gives_as(200, "It is done.", "text/html", page())
                .gives_as(404, "The link is not one of ours.", "text/html", page()),
        ],
    }
}
