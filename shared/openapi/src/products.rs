use contracts::Kind;
use serde_json::{Value, json};

use crate::Subject;
use crate::operation::on;
use crate::schema::{Object, amount, boolean, code, count, id, instant, list, many, of, one_of, said, short, text};

const LASTING: [&str; 2] = ["updated_at", "source"];

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Products",
        description: "The catalogue: products, categories and the feeds they come from.",
        schemas: schemas(),
        operations: vec![
            on("PUT /v1/products/{id}", "putProduct", "Tell of a product")
                .says("Says all there is to say of a product: what is left out is taken away. Changes of price and stock are kept as what happened.")
                .takes("Product")
                .gives_taken("ProductShown")
                .refuses(&[Kind::Conflict]),
            on("PATCH /v1/products/{id}", "patchProduct", "Tell a part of a product")
                .says("What is left out stays; null takes away.")
                .takes("ProductPart")
                .gives_taken("ProductShown")
                .refuses(&[Kind::Conflict]),
            on("POST /v1/products/batch", "batchProducts", "Tell of many products")
                .takes_batch("ProductInBatch", "Each is what `PUT /v1/products/{id}` takes, with its `id`."),
            on("GET /v1/products/{id}", "getProduct", "Read a product").gives(200, "The product, and what happened to it lately.", "ProductShown"),
            on("DELETE /v1/products/{id}", "deleteProduct", "Take a product back").gives_nothing("It is taken back."),
            on("GET /v1/products/{id}/customers", "listProductCustomers", "List who viewed or holds a product")
                .says("Exactly one of `viewed` and `holding` must be asked for.")
                .asks("viewed", false, json!({ "type": "string", "examples": [""] }), "Who viewed it; without a value.")
                .asks("holding", false, code(), "Who holds it in the container of this code.")
                .paged(Object::shown("A customer.").needs("customer_id", of("CustomerId"), "").build()),
            on("POST /v1/products/import", "importProducts", "Import a feed of products")
                .says(
                    "A table (CSV or TSV, as Google Merchant takes it too) or a YML feed: sent along in at most 5 MB, or by \
                     its address, from where it is fetched and read on the way, however large. A column that is there and \
                     empty takes away; of one that is not there nothing is said.",
                )
                .asks("complete", false, boolean(), "Whether a feed that is sent along is all that the shop has.")
                .takes("ProductImport")
                .takes_as("text/csv", json!({ "type": "string", "examples": ["id,name,price\nmug-blue,Blue mug,24.95\n"] }))
                .takes_as("text/tab-separated-values", json!({ "type": "string" }))
                .takes_as("application/xml", json!({ "type": "string" }))
                .gives(202, "It is taken down; the work is done in the background. `Location` says where to look.", "ProductImportShown"),
            on("GET /v1/products/import/{id}", "getProductImport", "Read how far an import is").gives(200, "How far it is.", "ProductImportShown"),
            on("PUT /v1/categories/{id}", "putCategory", "Tell of a category")
                .takes("Category")
                .gives_taken("CategoryShown")
                .refuses(&[Kind::Conflict]),
            on("GET /v1/categories/{id}", "getCategory", "Read a category").gives(200, "The category.", "CategoryShown"),
            on("GET /v1/categories", "listCategories", "List the categories").paged(of("CategoryShown")),
        ],
    }
}

fn schemas() -> Vec<(&'static str, Value)> {
    let import = Object::new("Where a feed is.")
        .needs("url", text(2_000), "Its address, `https://` or `http://`.")
        .needs("format", one_of(&["csv", "yml"]), "What it is.")
        .has("complete", boolean(), "Whether it is all that the shop has: a product that is not in it cannot be had.")
        .example(json!({ "url": "https://shop.example/feed.xml", "format": "yml", "complete": true }));
    vec![
        ("Product", product().build()),
        ("ProductPart", product().part("A part of a product.", &LASTING).build()),
        ("ProductInBatch", product().in_batch("A product of a batch.").build()),
        ("ProductShown", shown()),
        ("Category", category().build()),
        ("CategoryShown", category_shown()),
        ("ProductImport", import.build()),
        ("ProductImportShown", import_shown()),
    ]
}

fn details(object: Object) -> Object {
    object
        .has("url", text(2_000), "Where it is found.")
        .has("image", text(2_000), "A picture of it.")
        .has("price", amount(), "What it costs.")
        .has("old_price", amount(), "What it cost before, to be shown crossed out.")
        .has("currency", of("Currency"), "What the prices are in.")
        .has("categories", list(short(), 100), "The ids of its categories.")
        .has("brand", short(), "Who makes it.")
        .has("stock", amount(), "How many there are.")
        .has("available", boolean(), "Whether it can be had, whatever the stock says.")
        .has("fields", of("Fields"), "Fields of the shop's own.")
        .has("updated_at", instant(), "When all this was so, by the shop's account; now, if it is left out.")
        .has("source", code(), "Which of the shop's systems tells of it.")
}

fn product() -> Object {
    details(Object::new("A product, all of it.").needs("name", short(), "What it is called.")).takes_defined_fields().example(json!({
        "name": "Blue mug", "url": "https://shop.example/mug", "image": "https://shop.example/mug.jpg",
        "price": "24.95", "old_price": "29.95", "currency": "EUR", "categories": ["mugs"], "brand": "Stoneware & Co",
        "stock": 12, "available": true, "fields": { "colour": "blue" },
        "updated_at": "2026-11-22T10:00:00Z", "source": "warehouse",
    }))
}

fn shown() -> Value {
    let change = Object::shown("Something that happened to a product.")
        .needs(
            "type",
            json!({ "type": "string" }),
            "Such as `created`, `price_changed`, `stock_changed`, `back_in_stock`, `out_of_stock`.",
        )
        .needs("at", instant(), "When.")
        .has("from", json!({ "type": ["string", "null"] }), "What was.")
        .has("to", json!({ "type": ["string", "null"] }), "What is.");
    details(Object::shown("A product as it stands.").needs("id", id(), "Its id.").needs(
        "name",
        short(),
        "What it is called.",
    ))
    .has("in_stock", boolean(), "Whether it can be had.")
    .has("changes", many(change.build()), "What happened to it lately, newest first; of a single product only.")
    .build()
}

fn category() -> Object {
    Object::new("A category, all of it.")
        .needs("name", short(), "What it is called.")
        .has("parent", id(), "The id of the category it is in.")
        .has("url", text(2_000), "Where it is found.")
        .has("image", text(2_000), "A picture of it.")
        .has("fields", of("Fields"), "Fields of the shop's own.")
        .has("updated_at", instant(), "When all this was so; now, if it is left out.")
        .has("source", code(), "Which of the shop's systems tells of it.")
        .takes_defined_fields()
        .example(json!({
            "name": "Mugs", "parent": "kitchen", "url": "https://shop.example/mugs",
            "image": "https://shop.example/mugs.jpg", "fields": { "season": "all" },
            "updated_at": "2026-11-22T10:00:00Z", "source": "warehouse",
        }))
}

fn category_shown() -> Value {
    Object::shown("A category as it stands.")
        .needs("id", id(), "Its id.")
        .needs("name", short(), "What it is called.")
        .has("parent", id(), "The category it is in.")
        .has("url", text(2_000), "")
        .has("image", text(2_000), "")
        .has("fields", of("Fields"), "")
        .has("source", code(), "")
        .has("updated_at", instant(), "")
        .build()
}

fn import_shown() -> Value {
    let rows = ["read", "created", "changed", "unchanged", "categories", "faulty", "missing"]
        .into_iter()
        .fold(Object::shown("What became of the rows."), |rows, name| rows.needs(name, count(), ""));
    Object::shown("An import, and how far it is.")
        .needs("id", json!({ "type": "string" }), "Its id.")
        .needs("state", one_of(&["waiting", "running", "done", "failed"]), "What it is doing.")
        .has("reason", json!({ "type": "string" }), "Why it failed, or what was left undone.")
        .has("url", text(2_000), "Where the feed is fetched from.")
        .needs("format", json!({ "type": "string" }), "What it is.")
        .needs("complete", boolean(), "Whether it is all that the shop has.")
        .needs("created_at", instant(), "When it was asked for.")
        .has("ended_at", instant(), "When it came to its end.")
        .needs("rows", rows.build(), "")
        .needs("faults", said(many(of("RowFault")), "The first 100 rows at fault."), "")
        .needs("ignored", many(json!({ "type": "string" })), "Columns or elements that nothing was made of.")
        .build()
}
