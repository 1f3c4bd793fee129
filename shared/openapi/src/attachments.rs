use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::campaigns::head;
use crate::operation::on;
use crate::schema::{Object, boolean, code, count, list, many, text};

/// The most characters of what is in a file, in base64.
const CONTENT: usize = 259_416;

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Attachments",
        description: "Files that mails bring along, and pictures that they show. A template names them; its version \
            keeps what was in them when it was saved.",
        schemas: vec![
            (
                "Attachment",
                file(Object::new("A file."))
                    .needs("content", content(), "What is in it, in base64: at most 190 KB.")
                    .example(json!({ "name": "terms.pdf", "type": "application/pdf", "content": "JVBERi0xLjQK" }))
                    .build(),
            ),
            (
                "AttachmentShown",
                kept(file(Object::shown("A file.")))
                    .needs("code", code(), "Its code.")
                    .needs("version", count(), "Which edit it is, from 1.")
                    .has("content", content(), "What is in it, in base64; told when it is read.")
                    .has("templates", many(head()), "The templates that got another version by this edit.")
                    .build(),
            ),
        ],
        operations: vec![
            on("GET /v1/attachments", "listAttachments", "List the attachments").paged(
                Object::shown("An attachment.")
                    .needs("code", code(), "Its code.")
                    .needs("version", count(), "Which edit it is, from 1.")
                    .build(),
            ),
            on("GET /v1/attachments/{code}", "getAttachment", "Read an attachment").gives(
                200,
                "The attachment.",
                "AttachmentShown",
            ),
            on("PUT /v1/attachments/{code}", "putAttachment", "Define an attachment")
                .says(
                    "Every template that brings it along gets a new version; what has begun keeps what it began with. \
                     If it does not fit one of them any more, nothing is saved, and the faults name the template.",
                )
                .takes("Attachment")
                .gives(200, "As it was saved, and the versions that were made.", "AttachmentShown"),
            on("DELETE /v1/attachments/{code}", "deleteAttachment", "Delete an attachment")
                .says("Only one that no template brings along.")
                .gives_nothing("It is gone.")
                .refuses(&[Kind::Conflict]),
        ],
    }
}

/// What a template brings along.
pub(crate) fn attached() -> Value {
    list(named(Object::new("A file that goes along.")).build(), 10)
}

/// The same with the files as they were when the template was saved.
pub(crate) fn attached_shown() -> Value {
    many(kept(file(named(Object::shown("A file that goes along.")))).build())
}

fn named(object: Object) -> Object {
    object.needs("attachment", code(), "The attachment's code.").has(
        "inline",
        boolean(),
        "Whether it is a picture that the mail shows, by `<img src=\"cid:CODE\">`, and no file beside it.",
    )
}

fn file(object: Object) -> Object {
    let media_type = json!({
        "type": "string", "maxLength": 78, "pattern": "^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$",
        "examples": ["image/png"],
    });
    object.needs("name", text(60), "The file's name, as recipients see it, with an ending that SES sends.").needs(
        "type",
        media_type,
        "The media type.",
    )
}

fn kept(object: Object) -> Object {
    object.needs("size", count(), "How many bytes are in it.").needs(
        "digest",
        json!({ "type": "string" }),
        "A name made of what is in it: other content has another.",
    )
}

fn content() -> Value {
    json!({ "type": "string", "contentEncoding": "base64", "maxLength": CONTENT })
}
