use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::campaigns::{head, versioned};
use crate::operation::on;
use crate::schema::{Object, code, count, many, short, text};

/// The most that one part of a template may be, in bytes.
const PART: usize = 256 * 1024;

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Templates",
        description: "What a mail is made of, and what templates have in common. Both are compiled when they are saved: \
            one that is not sound is refused, with the line and column of each fault, so that it never gets as far as a \
            customer. Each edit is a new version, and whatever has begun goes by the one it began with.",
        schemas: schemas(),
        operations: vec![
            on("GET /v1/templates", "listTemplates", "List the templates").paged(head()),
            on("GET /v1/templates/{id}", "getTemplate", "Read a template").gives(200, "The template.", "TemplateShown"),
            on("PUT /v1/templates/{id}", "putTemplate", "Define a template")
                .says(
                    "Handlebars in every part. The body is `html` or `mjml`. Rules of a `<style>` are put into the tags \
                     that they match; `{{> code}}` stands for a partial. The version keeps what its partials say.",
                )
                .takes("Template")
                .gives(200, "As it was saved, and what its author should hear of.", "TemplateShown"),
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

fn schemas() -> Vec<(&'static str, Value)> {
    let template_example = json!({
        "subject": "Order {{order.id}}", "html": "<p>Thank you, {{customer.first_name}}!</p>",
        "text": "Thank you, {{customer.first_name}}!", "preheader": "We are packing it.", "language": "en",
        "translations": { "lv": {
            "subject": "Pasūtījums {{order.id}}", "html": "<p>Paldies, {{customer.first_name}}!</p>",
            "text": "Paldies, {{customer.first_name}}!", "preheader": "Mēs to jau saiņojam.",
        } },
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
        ("TemplateContent", content(Object::new("A template in one of its languages, whole.")).build()),
        (
            "TemplateShown",
            versioned(template(Object::shown("A template.")))
                .has("partials", many(code()), "The partials that it uses, directly or through others.")
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

fn template(object: Object) -> Object {
    let languages = json!({
        "type": "object", "maxProperties": 50,
        "propertyNames": { "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "maxLength": 35 },
        "additionalProperties": { "$ref": "#/components/schemas/TemplateContent" },
    });
    content(object).has("language", language(), "The language in which it is written, when it has translations.").has(
        "translations",
        languages,
        "The same in other languages, by language. Who reads `lv-LV` gets that, else `lv`, else the template itself.",
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
