use contracts::audience::MOST_MEMBERS;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, code, count, list, of};

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Audiences",
        description: "Lists of customers that the shop keeps by hand. Define one with `PUT /v1/audiences/{code}`.",
        schemas: schemas(),
        operations: vec![
            on("POST /v1/audiences/{code}/members", "changeAudience", "Put customers in and take customers out")
                .says("Somebody who is in already stays in; somebody who is not is not taken out.")
                .takes("Membership")
                .gives(200, "It is done.", "MembershipChanged"),
            on("GET /v1/audiences/{code}/members", "listAudience", "List who is in an audience")
                .paged(Object::shown("A customer.").needs("id", of("CustomerId"), "").build()),
            on("POST /v1/audiences/{code}/import", "importAudience", "Import a list of customers")
                .says("A table with a column `id`, at most 5 MB and 2,000 rows. All of them are put in.")
                .takes_as("text/csv", json!({ "type": "string", "examples": ["id\nada\ngrace\n"] }))
                .gives(200, "What became of the rows.", "ImportReport"),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let ids = || list(of("CustomerId"), MOST_MEMBERS);
    let change = Object::new("Who is to be in an audience and who is not. Nobody can be both.")
        .has("add", ids(), "Who is put in.")
        .has("remove", ids(), "Who is taken out.")
        .example(json!({ "add": ["ada"], "remove": ["grace"] }));
    let changed = Object::shown("What was done.")
        .needs("audience", code(), "In which audience.")
        .needs("added", count(), "How many were to be put in.")
        .needs("removed", count(), "How many were to be taken out.");
    vec![("Membership", change.build()), ("MembershipChanged", changed.build())]
}
