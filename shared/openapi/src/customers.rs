use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, anything, code, count, either, instant, many, of, one_of, said, short, text};

const LASTING: [&str; 3] = ["updated_at", "source", "consent"];

/// What may be said of a consent.
const CONSENT: [&str; 3] = ["granted", "denied", "requested"];

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Customers",
        description: "Who they are, what they allow, and everything that is known of them.",
        schemas: schemas(),
        operations: vec![
            on("PUT /v1/customers/{id}", "putCustomer", "Tell of a customer")
                .says("Says all there is to say of a customer: what is left out is taken away, but for consent.")
                .takes("Customer")
                .gives_taken("CustomerShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("PATCH /v1/customers/{id}", "patchCustomer", "Tell a part of a customer")
                .says("What is left out stays; null takes away. Somebody unknown becomes known.")
                .takes("CustomerPart")
                .gives_taken("CustomerShown")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("POST /v1/customers/batch", "batchCustomers", "Tell of many customers")
                .takes_batch("CustomerInBatch", "Each is what `PATCH /v1/customers/{id}` takes, with its `id`."),
            on("POST /v1/customers/import", "importCustomers", "Import a table of customers")
                .says(
                    "At most 5 MB and 2,000 rows. The first row names the columns: `id`, any property of a customer, \
                     `consent.email`, `consent.categories.CODE`, `audiences` (with `|` between), `fields.NAME`. An empty cell says nothing. Each row \
                     stands for itself.",
                )
                .takes_as("text/csv", said(json!({ "type": "string", "examples": ["id,email,consent.email\nada,ada@example.com,granted\n"] }), "Comma, semicolon or tab; UTF-8 or windows-1251."))
                .gives(200, "What became of the rows.", "ImportReport"),
            on("GET /v1/customers/{id}", "getCustomer", "Read a customer")
                .says("All that is known; of what there is much of, the newest 20.")
                .gives(200, "The profile.", "CustomerProfile")
                .refuses(&[Kind::Gone]),
            on("GET /v1/customers", "findCustomers", "Find customers by address or number")
                .says("Exactly one of `email` and `phone` must be asked for. A number may be written in any of its forms.")
                .asks("email", false, json!({ "type": "string", "examples": ["ada@example.com"] }), "An e-mail address.")
                .asks("phone", false, short(), "A telephone number.")
                .asks("country", false, json!({ "type": "string", "pattern": "^[A-Z]{2}$" }), "The country of a number without a prefix.")
                .gives_as(200, "Who has it.", "application/json", crate::schema::page_of(of("CustomerShown")).build()),
            on("DELETE /v1/customers/{id}", "eraseCustomer", "Erase a customer")
                .says("Everything, everywhere, by and by; in effect from now on. It cannot be taken back, and nothing is taken in of them any more.")
                .gives(202, "They are erased; what is left is removed in the background.", "Erased"),
            on("GET /v1/customers/{id}/export", "exportCustomer", "Export everything about a customer")
                .says("The events come page by page, all else with the first page.")
                .asks("after", false, json!({ "type": "string" }), "The `next` of the answer before.")
                .gives(200, "Everything.", "CustomerExport")
                .refuses(&[Kind::Gone]),
            on("GET /v1/customers/{id}/events", "listCustomerEvents", "List a customer's events")
                .says("The newest first.")
                .paged(of("EventShown"))
                .refuses(&[Kind::Gone]),
            on("POST /v1/customers/{id}/merge", "mergeCustomers", "Say that two customers are one")
                .says("What `from` has goes to the customer in the path, and `from` is another name of theirs from now on.")
                .takes("Merge")
                .gives(200, "They are one.", "Merged")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("PUT /v1/visitors/{id}", "identifyVisitor", "Say who an anonymous visitor is")
                .says("By the customer's id, or by the token of a signed link in one of our mails. What the visitor did and holds becomes the customer's, once.")
                .takes("Identify")
                .gives(200, "The visitor is that customer.", "Identified")
                .refuses(&[Kind::Conflict, Kind::Gone]),
            on("OPTIONS /v1/visitors/{id}", "askIdentifyVisitor", "May a page say who a visitor is?")
                .says("A browser asks this before it sends across origins.")
                .gives_nothing("It may."),
        ],
    }
}

fn one_country() -> Value {
    json!({ "type": "string", "pattern": "^[A-Z]{2}$", "maxLength": 2, "examples": ["LV"] })
}

fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("Customer", customer().build()),
        ("CustomerPart", customer().part("A part of a customer.", &LASTING).build()),
        ("CustomerInBatch", customer().part("", &LASTING).in_batch("A customer of a batch, in part.").build()),
        ("ConsentSaid", consent_said()),
        ("CustomerShown", shown().build()),
        ("CustomerProfile", profile()),
        ("CustomerExport", export()),
        (
            "SegmentOfExport",
            Object::shown("A segment that a customer is in.")
                .needs("id", code(), "Its code.")
                .needs("since", instant(), "Since when they are in it.")
                .build(),
        ),
        (
            "Merge",
            Object::new("Who else is this customer.")
                .needs("from", of("CustomerId"), "The customer that is no more.")
                .example(json!({ "from": "ada-old" }))
                .build(),
        ),
        (
            "Merged",
            Object::shown("Two customers that are one.")
                .needs("id", of("CustomerId"), "The customer that has it all.")
                .needs("merged", of("CustomerId"), "The customer that is no more.")
                .build(),
        ),
        ("Identify", identify()),
        (
            "Identified",
            Object::shown("Who a visitor is.")
                .needs("id", short(), "The visitor's anonymous id.")
                .needs(
                    "customer_id",
                    of("CustomerId"),
                    "The customer. Not shown to a key with the scope `track` alone.",
                )
                .build(),
        ),
        (
            "Erased",
            Object::shown("A customer who is erased.")
                .needs("id", of("CustomerId"), "Who.")
                .needs("erased", json!({ "const": true }), "")
                .build(),
        ),
    ]
}

fn identify() -> Value {
    let by_id = Object::new("By the customer's id.").needs("customer_id", of("CustomerId"), "Who the visitor is.");
    let by_link = Object::new("By a link.").needs("link", text(500), "The token of a link in one of our mails.");
    let mut schema = either([by_id.build(), by_link.build()]);
    schema["examples"] =
        json!([{ "customer_id": "ada" }, { "link": "0123456789abcdef0123456789abcdef.c2lnbmF0dXJlLW9mLW91cnM" }]);
    said(schema, "Who a visitor is: by id, or by a link in one of our mails to them.")
}

fn named(object: Object) -> Object {
    object
        .has("email", short(), "An e-mail address. One that cannot be one is kept and flagged, not refused.")
        .has("phone", short(), "A telephone number; written in the international form (E.164) where it is one.")
        .has("first_name", short(), "")
        .has("last_name", short(), "")
        .has("birthday", json!({ "type": "string", "format": "date", "examples": ["1990-05-17"] }), "")
        .has("gender", short(), "In the shop's own words.")
        .has("city", short(), "")
        .has("zip", short(), "")
        .has("country", one_country(), "ISO 3166-1, two capitals; a number without a prefix is read as one of it.")
        .has("language", short(), "Such as `lv`.")
        .has("time_zone", json!({ "type": "string", "examples": ["Europe/Riga"] }), "A name of the IANA's list.")
        .has("registered_at", instant(), "Since when the shop knows them.")
        .has("source", code(), "Which of the shop's sites or apps tells of them.")
        .has("fields", of("Fields"), "Fields of the shop's own.")
}

fn customer() -> Object {
    let consent = Object::new("What they allow: `email`, `categories` or both.")
        .has("email", of("ConsentSaid"), "News and offers by e-mail, of whatever category.")
        .has(
            "categories",
            json!({ "type": "object", "additionalProperties": of("ConsentSaid"), "maxProperties": 100 }),
            "What is of a mailing category, by the category's code.",
        );
    let mut consent = consent.build();
    consent["minProperties"] = 1.into();
    named(Object::new("A customer, all of them."))
        .has("consent", consent, "What they allow. What is left out stays.")
        .has("updated_at", instant(), "When all this was so, by the shop's account; now, if it is left out.")
        .takes_defined_fields()
        .example(json!({
            "email": "ada@example.com", "phone": "+442079460018", "first_name": "Ada", "last_name": "Lovelace",
            "birthday": "1990-05-17", "gender": "female", "city": "Riga", "zip": "LV-1010", "country": "LV",
            "language": "en", "time_zone": "Europe/Riga", "registered_at": "2026-01-15T08:00:00Z",
            "source": "online_store", "fields": { "tier": "gold" },
            "consent": {
                "email": { "state": "granted", "at": "2026-01-15T08:00:00Z" },
                "categories": { "offers": "denied" },
            },
            "updated_at": "2026-11-22T10:00:00Z",
        }))
        .example(json!({ "email": "ada@example.com", "consent": { "email": "granted" } }))
}

fn consent_said() -> Value {
    let state = one_of(&CONSENT);
    let dated = Object::new("What was said, and when.")
        .needs("state", state.clone(), "What was said.")
        .has("at", instant(), "When it was said.")
        .build();
    said(
        either([state, dated]),
        "A consent, or with when it was given, denied or requested. One that is `requested` is still to be confirmed \
         by the customer, and is none until then: a campaign on `consent_requested` sends them the link. What is \
         `granted` or `requested` without a time counts only where nothing was ever said.",
    )
}

fn shown() -> Object {
    let consent =
        Object::shown("A consent.").needs("state", one_of(&CONSENT), "").needs("at", instant(), "Since when.").build();
    let consents =
        Object::shown("What they allow.").has("email", either([consent.clone(), json!({ "type": "null" })]), "").has(
            "categories",
            json!({ "type": "object", "additionalProperties": consent }),
            "By the code of the mailing category; not there if nothing was ever said of any.",
        );
    named(Object::shown("A customer as they stand.").needs("id", of("CustomerId"), "Their id."))
        .has("invalid", many(one_of(&["email", "phone"])), "Which contacts cannot be used as they are.")
        .has("consent", consents.build(), "What they allow.")
        .has("updated_at", instant(), "When something was last told of them.")
}

fn newest(schema: Value) -> Value {
    Object::shown("The newest 20.").needs("newest", many(schema), "").build()
}

fn profile() -> Value {
    let orders = Object::shown("Their orders.").needs("count", count(), "How many there are.").needs(
        "newest",
        many(of("OrderShown")),
        "The newest 20.",
    );
    shown()
        .has("orders", orders.build(), "")
        .has("events", newest(of("EventShown")), "")
        .has("containers", many(of("ContainerShown")), "What they hold.")
        .has("audiences", many(code()), "In which audiences they stand.")
        .has("also_known_as", many(of("CustomerId")), "Customers and visitors who are they.")
        .has("messages", newest(anything()), "What was sent to them.")
        .build()
}

fn export() -> Value {
    Object::shown("Everything about a customer. A further page has `id` and `events` alone.")
        .needs("id", of("CustomerId"), "")
        .has("customer", of("CustomerShown"), "")
        .has("orders", many(of("OrderShown")), "All, with all that was ever said of them.")
        .has("containers", many(of("ContainerShown")), "")
        .has("audiences", many(code()), "")
        .has("segments", many(of("SegmentOfExport")), "The segments that they are in.")
        .has("also_known_as", many(of("CustomerId")), "")
        .has("runs", many(anything()), "The campaign runs that they are or were in.")
        .has("messages", many(anything()), "")
        .needs("events", many(of("EventShown")), "")
        .has("next", json!({ "type": "string" }), "Give it as `after` for more events.")
        .build()
}
