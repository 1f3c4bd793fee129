use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::attachments::{attached, attached_shown};
use crate::campaigns::{head, in_words, versioned};
use crate::operation::on;
use crate::schema::{Object, anything, boolean, code, count, either, id, instant, list, many, of, short, text};

/// The most that one part of a template may be, in bytes.
const PART: usize = 256 * 1024;

const PREVIEWED: &str = "As a customer would get it who is named, about the order, event or product that is named. \
    Nothing is sent or kept. What is given as `data` takes the place of what there is, field by field of the whole: \
    with nobody named it is all that there is. Its purpose and its category are those of the campaign or the mailing \
    that is named, as it is defined now; with none, it is a transactional mail about an order, and a marketing one \
    about anything else. The `change` is what the campaign waits for: the latest of it that is known of the order, the \
    product or the customer, and otherwise what it would be if it happened now; of an order, an event or a product only \
    if that is named. With no campaign, it is of an order that it was created. Hours, caps and a campaign's filter are not asked. `missing` names everything that the \
    template prints and that is not there.";

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Templates",
        description: "What a mail is made of, and what templates have in common. Both are compiled when they are saved: \
            one that is not sound is refused, with the line and column of each fault, so that it never gets as far as a \
            customer. Each edit is a new version, and whatever has begun goes by the one it began with.",
        schemas: schemas(),
        operations: vec![
            on("GET /v1/templates", "listTemplates", "List the templates").paged(head()),
            on("GET /v1/templates/{id}", "getTemplate", "Read a template")
                .asks("version", false, version(), "One of its versions; the one in force if it is not given.")
                .gives(200, "The template.", "TemplateShown"),
            on("GET /v1/templates/{id}/versions", "listTemplateVersions", "List a template's versions")
                .says("The newest first.")
                .paged(version_shown()),
            on("GET /v1/templates/{id}/differences", "compareTemplateVersions", "Say what two versions differ in")
                .says("Place by place: each part, in each language, and what the partials said that it used.")
                .asks("from", false, version(), "The one version; the one before `to` if it is not given.")
                .asks("to", false, version(), "The other version; the one in force if it is not given.")
                .gives(200, "The differences.", "TemplateDifferences"),
            on("PUT /v1/templates/{id}", "putTemplate", "Define a template")
                .says(
                    "Handlebars in every part. The body is `html` or `mjml`. Rules of a `<style>` are put into the tags \
                     that they match; `{{> code}}` stands for a partial. The version keeps what its partials say.",
                )
                .takes("Template")
                .gives(200, "As it was saved, and what its author should hear of.", "TemplateShown"),
            on("POST /v1/templates/preview", "previewDraft", "Show what a mail would be by a template that is not saved")
                .says(PREVIEWED)
                .takes("TemplateDraftPreview")
                .gives(200, "The mail, and what would become of it.", "TemplatePreviewShown")
                .refuses(&[Kind::NotFound]),
            on("POST /v1/templates/{id}/preview", "previewTemplate", "Show what a mail would be")
                .says(PREVIEWED)
                .takes("TemplatePreview")
                .gives(200, "The mail, and what would become of it.", "TemplatePreviewShown"),
            on("POST /v1/templates/{id}/test", "testTemplate", "Send a test")
                .says(
                    "The mail as the customer would get it who is named, or filled with `data` alone, to up to five \
                     addresses. Its subject begins with `[Test]`. Consent, caps and quiet hours do not count, so of a \
                     campaign that is named only what sets it off is asked; an address to which no mail goes gets none. \
                     It is no message of the customer's: nothing that is done with it is told of them, and its links \
                     change nothing. Where it went, and whom it was about, is forgotten as it is sent; \
                     `GET /v1/messages/{id}` says what became of it.",
                )
                .takes("TemplateTest")
                .gives(202, "They are about to be sent.", "TemplateTestShown"),
            on("GET /v1/partials", "listPartials", "List the partials").paged(part_of_list()),
            on("GET /v1/partials/{code}", "getPartial", "Read a partial").gives(200, "The partial.", "PartialShown"),
            on("PUT /v1/partials/{code}", "putPartial", "Define a partial")
                .says(
                    "Every template that uses it gets a new version; what has begun keeps what it began with. If one of \
                     them would not compile, nothing is saved, and the faults name the template.",
                )
                .takes("Partial")
                .gives(200, "As it was saved, and the versions that were made.", "PartialShown")
                .refuses(&[Kind::Conflict]),
            on("DELETE /v1/partials/{code}", "deletePartial", "Delete a partial")
                .says("Only one that no template and no other partial uses.")
                .gives_nothing("It is gone.")
                .refuses(&[Kind::Conflict]),
        ],
    }
}

/// What both kinds of preview may be about.
fn previewed(object: Object) -> Object {
    object
        .has("customer_id", id(), "Whose mail it would be.")
        .has("order_id", id(), "The order of theirs that it is about.")
        .has("event_id", id(), "The event of theirs that it is about.")
        .has("product_id", id(), "The product that it is about.")
        .has(
            "campaign_id",
            id(),
            "The campaign that would send it: what it is about is to be what sets that off. With `consent_requested`, \
             and a customer named, it has `links.confirm`.",
        )
        .has("mailing_id", id(), "The mailing that would send it; instead of a campaign, and about nothing.")
        .has("data", anything(), "An object of what takes the place of what there is.")
}

fn preview_shown() -> Value {
    let missing = Object::shown("Something that is printed and not there.")
        .needs("path", json!({ "type": "string" }), "What, from the top of the data.")
        .needs("part", json!({ "type": "string" }), "The part that prints it.")
        .needs("line", count(), "The line, from 1.")
        .needs("column", count(), "The column, from 1.")
        .has("language", json!({ "type": "string" }), "The translation.")
        .has("partial", code(), "The partial that the line is of.");
    let size = Object::shown("How large it is, in bytes.")
        .needs("html", count(), "The HTML.")
        .needs("text", count(), "The text.")
        .needs("clipped", boolean(), "Whether Gmail would show only its beginning.")
        .has("attachments", count(), "What goes along, if anything does.");
    let body = || json!({ "type": "string" });
    let judged = Object::shown("One of the template's conditions, and what it says.")
        .needs("reason", body(), "Why the mail is kept back if it holds.")
        .needs("in_words", body(), "The condition in plain English.")
        .has(
            "holds",
            boolean(),
            "Whether it holds; not there if it asks about what a customer did and has, and nobody is named.",
        )
        .has("why_in_words", body(), "Which parts of it make it so.");
    Object::shown("What a mail would be, and what would become of it.")
        .has("subject", body(), "The subject, if the mail can be made.")
        .has("html", body(), "The HTML body.")
        .has("text", body(), "The plain-text body.")
        .has("size", size.build(), "How large it is.")
        .has("attachments", attached_shown(), "What goes along, if anything does.")
        .has("language", body(), "In which of the template's languages it is.")
        .needs("missing", many(missing.build()), "What keeps it from being made.")
        .has("block", many(judged.build()), "Each of the template's conditions, if it has any.")
        .needs(
            "would_be_sent",
            boolean(),
            "Whether neither consent, nor the address, nor the template would keep it from the customer now.",
        )
        .has("reason", of("Reason"), "Why it would not be sent.")
        .has("detail", body(), "What exactly.")
        .build()
}

fn address() -> Value {
    json!({ "type": "string", "format": "email" })
}

fn version() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn version_shown() -> Value {
    Object::shown("A version.")
        .needs("version", count(), "Its number, from 1.")
        .needs("saved_at", instant(), "When it was saved.")
        .has("by", json!({ "type": "string" }), "The id of the key that saved it.")
        .needs("change", json!({ "type": "string" }), "The id of the change in `/v1/audit`.")
        .build()
}

fn difference() -> Value {
    Object::shown("A place at which two definitions differ.")
        .needs("pointer", json!({ "type": "string" }), "Where, as a JSON pointer.")
        .needs("diff", json!({ "type": "string" }), "How: a unified diff without its head; what is no text as JSON.")
        .build()
}

fn differences() -> Value {
    Object::shown("What two versions of a template differ in.")
        .needs("id", code(), "The template.")
        .needs("from", count(), "The one version; 0 is that there was none yet.")
        .needs("to", count(), "The other version.")
        .needs("differences", many(of("Difference")), "The places at which they differ.")
        .build()
}

fn test_shown() -> Value {
    let message = Object::shown("A test.").needs("id", json!({ "type": "string" }), "The id of its message.").needs(
        "to",
        address(),
        "Where it goes.",
    );
    Object::shown("The tests that were asked for.")
        .needs("messages", many(message.build()), "One for each address.")
        .build()
}

fn schemas() -> Vec<(&'static str, Value)> {
    let template_example = json!({
        "subject": "Order {{order.id}}", "html": "<p>Thank you, {{customer.first_name}}!</p>",
        "text": "Thank you, {{customer.first_name}}!", "preheader": "We are packing it.", "language": "en",
        "translations": { "lv": {
            "subject": "Pasūtījums {{order.id}}", "html": "<p>Paldies, {{customer.first_name}}!</p>",
            "text": "Paldies, {{customer.first_name}}!", "preheader": "Mēs to jau saiņojam.",
        } },
        "attachments": [{ "attachment": "terms", "inline": false }],
        "block": [{ "when": { "count": "orders", "less_than": 5 }, "reason": "fewer than five orders" }],
    });
    let mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>Hello, {{customer.first_name}}!</mj-text></mj-column>\
        </mj-section></mj-body></mjml>";
    let footer = "<p>{{shop.name}} · <a href=\"{{links.unsubscribe}}\">Leave</a></p>";
    vec![
        (
            "Template",
            template(Object::new("A template: Handlebars in every part."))
                .example(template_example)
                .example(json!({ "subject": "News", "mjml": mjml }))
                .build(),
        ),
        (
            "TemplatePreview",
            previewed(Object::new("Whom and what a preview is about."))
                .has("version", count(), "The template's version; the one in force if it is not given.")
                .example(json!({ "customer_id": "ada", "order_id": "1001", "version": 3 }))
                .example(json!({ "customer_id": "ada", "mailing_id": "spring" }))
                .build(),
        ),
        (
            "TemplateDraftPreview",
            previewed(Object::new("A template, and whom and what a preview of it is about."))
                .needs("template", of("Template"), "The template.")
                .example(json!({
                    "template": { "subject": "Hello", "html": "<p>{{customer.first_name}}</p>" },
                    "data": { "customer": { "first_name": "Ada" } },
                }))
                .build(),
        ),
        ("TemplatePreviewShown", preview_shown()),
        (
            "TemplateTest",
            previewed(Object::new("To whom a test goes, and whom and what it is about."))
                .needs("to", either([address(), list(address(), 5)]), "An e-mail address, or one to five.")
                .has("version", count(), "The template's version; the one in force if it is not given.")
                .example(json!({ "to": "me@example.com", "customer_id": "ada", "order_id": "1001" }))
                .example(json!({
                    "to": ["me@example.com", "you@example.com"], "version": 3,
                    "data": { "customer": { "first_name": "Ada" } },
                }))
                .build(),
        ),
        ("TemplateTestShown", test_shown()),
        ("TemplateDifferences", differences()),
        ("Difference", difference()),
        ("TemplateBlock", block(Object::new("Whom a template is not meant for, and why.")).build()),
        ("TemplateContent", content(Object::new("A template in one of its languages, whole.")).build()),
        (
            "TemplateShown",
            versioned(template(Object::shown("A template.")))
                .has("partials", many(code()), "The partials that it uses, directly or through others.")
                .has("attachments", attached_shown(), "What goes along.")
                .has("warnings", many(warning()), "What its author should hear of; said when it is saved.")
                .build(),
        ),
        (
            "Partial",
            partial(Object::new("What templates have in common: a layout, a footer."))
                .example(json!({ "name": "Footer", "source": footer }))
                .build(),
        ),
        (
            "PartialShown",
            partial(Object::shown("A partial."))
                .needs("code", code(), "Its code.")
                .needs("version", count(), "Which edit it is, from 1.")
                .has("templates", many(head()), "The templates that got another version by this edit.")
                .build(),
        ),
    ]
}

fn part_of_list() -> Value {
    let item = Object::shown("A partial.").needs("code", code(), "Its code.");
    item.needs("version", count(), "Which edit it is, from 1.").build()
}

/// What keeps messages back, the first that holds.
fn block(object: Object) -> Object {
    object
        .needs(
            "when",
            of("Condition"),
            "Whoever meets this does not get the mail. It sees the customer and all that they did and have, as of the \
             moment at which the mail would go out, and what happened: the `order`, `event` or `product`, and the \
             `change`. The message itself is not among their messages.",
        )
        .needs("reason", short(), "Why not: it stands in the message's `detail`.")
        .has("in_words", in_words(), "The condition in plain English; sent back, it says nothing.")
}

fn template(object: Object) -> Object {
    let languages = json!({
        "type": "object", "maxProperties": 50,
        "propertyNames": { "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "maxLength": 35 },
        "additionalProperties": { "$ref": "#/components/schemas/TemplateContent" },
    });
    content(object)
        .has("language", language(), "The language in which it is written, when it has translations.")
        .has(
            "translations",
            languages,
            "The same in other languages, by language. Who reads `lv-LV` gets that, else `lv`, else the template itself.",
        )
        .has("attachments", attached(), "What goes along, in every language: at most 1 MB together.")
        .has(
            "block",
            list(of("TemplateBlock"), 20),
            "Whom it is not meant for, in any language: their messages are not sent, with the reason \
             `blocked_by_template`.",
        )
}

fn content(object: Object) -> Object {
    let part = || text(PART);
    object
        .needs("subject", part(), "The subject; one line when rendered.")
        .has("html", part(), "The body as HTML. There is this or `mjml`, and not both.")
        .has("mjml", part(), "The body as MJML, of which HTML is made when it is saved.")
        .has("text", part(), "The plain-text body; made from the HTML, if it is left out.")
        .has("preheader", part(), "What an inbox shows beside the subject.")
}

fn language() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "maxLength": 35, "examples": ["lv", "pt-BR"] })
}

fn partial(object: Object) -> Object {
    object
        .needs(
            "source",
            text(PART),
            "What stands where `{{> code}}` is. In a layout, `{{> @partial-block}}` is what it is put around.",
        )
        .has("name", short(), "Its name, for people.")
}

fn warning() -> Value {
    Object::shown("A warning.")
        .needs("pointer", json!({ "type": "string" }), "The part, as a JSON pointer.")
        .needs("detail", json!({ "type": "string" }), "What it is.")
        .build()
}
