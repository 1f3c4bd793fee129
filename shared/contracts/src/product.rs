//! Products and categories over the API.

use domain::dated::Said;
use domain::dictionary::{Dictionary, Object};
use domain::read::{self, Faults, Reader, put};
use domain::{Category, CategoryId, CategoryUpdate, Code, Currency, Product, ProductChange, ProductId, ProductUpdate};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::times::not_ahead;

/// The longest URL, in characters.
const LONGEST_URL: usize = 2_000;

/// Reads a product as [`read`] does, held to the shop's own definitions of fields.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_defined(
    dictionary: &Dictionary,
    id: ProductId,
    mut body: Value,
    whole: bool,
    now: Timestamp,
) -> Result<ProductUpdate, Faults> {
    let faults = dictionary.check_body(Object::Product, &mut body);
    joined(faults, read(id, &body, whole, now))
}

/// Reads a category as [`read_category`] does, held to the shop's own definitions of
/// fields.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_defined_category(
    dictionary: &Dictionary,
    id: CategoryId,
    mut body: Value,
    whole: bool,
    now: Timestamp,
) -> Result<CategoryUpdate, Faults> {
    let faults = dictionary.check_body(Object::Category, &mut body);
    joined(faults, read_category(id, &body, whole, now))
}

fn joined<T>(mut faults: Faults, read: Result<T, Faults>) -> Result<T, Faults> {
    match read {
        Ok(read) if faults.is_empty() => Ok(read),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

/// Reads the body of `PUT /v1/products/{id}`, which is the whole, or of `PATCH`,
/// which is a part of it: there, null takes a field away.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(id: ProductId, body: &Value, whole: bool, now: Timestamp) -> Result<ProductUpdate, Faults> {
    let mut reader = Reader::new(body);
    let mut fields = Map::new();
    let updated_at = reader.optional("updated_at", read::instant);
    match whole {
        true => put(&mut fields, "name", reader.required("name", read::short)),
        false => put(&mut fields, "name", reader.optional("name", read::short)),
    }
    if !whole && body.get("name").is_some_and(Value::is_null) {
        reader.fault("name", "is required, so it cannot be taken away");
    }
    put(&mut fields, "url", reader.optional("url", url));
    put(&mut fields, "image", reader.optional("image", url));
    put(&mut fields, "price", reader.optional("price", read::amount));
    put(&mut fields, "old_price", reader.optional("old_price", read::amount));
    put(&mut fields, "currency", reader.optional("currency", read::parsed(Currency::parse)));
    put(&mut fields, "categories", reader.optional("categories", read::texts));
    put(&mut fields, "brand", reader.optional("brand", read::short));
    put(&mut fields, "stock", reader.optional("stock", read::amount));
    put(&mut fields, "available", reader.optional("available", truth));
    put(&mut fields, "fields", reader.optional("fields", read::fields));
    let said = rest(reader, fields, body, whole, updated_at, now)?;
    Ok(ProductUpdate { id, updated_at, said })
}

/// Reads the body of `PUT /v1/categories/{id}`; a feed says a part.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_category(id: CategoryId, body: &Value, whole: bool, now: Timestamp) -> Result<CategoryUpdate, Faults> {
    let mut reader = Reader::new(body);
    let mut fields = Map::new();
    let updated_at = reader.optional("updated_at", read::instant);
    match whole {
        true => put(&mut fields, "name", reader.required("name", read::short)),
        false => put(&mut fields, "name", reader.optional("name", read::short)),
    }
    if !whole && body.get("name").is_some_and(Value::is_null) {
        reader.fault("name", "is required, so it cannot be taken away");
    }
    put(&mut fields, "parent", reader.optional("parent", read::parsed(CategoryId::parse)));
    put(&mut fields, "url", reader.optional("url", url));
    put(&mut fields, "image", reader.optional("image", url));
    put(&mut fields, "fields", reader.optional("fields", read::fields));
    let said = rest(reader, fields, body, whole, updated_at, now)?;
    Ok(CategoryUpdate { id, updated_at, said })
}

fn rest(
    mut reader: Reader<'_>,
    mut fields: Map<String, Value>,
    body: &Value,
    whole: bool,
    updated_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Said, Faults> {
    let source = reader.optional("source", read::parsed(Code::parse));
    not_ahead(&mut reader, "updated_at", updated_at, now);
    reader.finish()?;
    if !whole {
        read::take_nulls(&mut fields, body, &["updated_at", "source"]);
    }
    put(&mut fields, "source", source);
    Ok(Said { whole, fields })
}

fn url(value: &Value) -> Result<String, String> {
    read::text(value, LONGEST_URL)
}

fn truth(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("must be true or false")
}

/// The product as the API shows it and as templates and conditions see it.
#[must_use]
pub fn show(product: &Product) -> Value {
    let content = &product.content;
    without_nulls([
        ("id", json!(product.id)),
        ("name", json!(content.name)),
        ("url", json!(content.url)),
        ("image", json!(content.image)),
        ("price", json!(content.price)),
        ("old_price", json!(content.old_price)),
        ("currency", json!(content.currency)),
        ("categories", json!(content.categories)),
        ("brand", json!(content.brand)),
        ("stock", json!(content.stock)),
        ("available", json!(content.available)),
        ("in_stock", json!(content.in_stock())),
        ("fields", json!(content.fields)),
        ("source", json!(content.source)),
        ("updated_at", json!(product.updated_at())),
    ])
}

/// What happened to a product lately, newest first, for `GET /v1/products/{id}`.
#[must_use]
pub fn show_changes(product: &Product) -> Value {
    let mut changes = product.changes();
    changes.reverse();
    changes.iter().map(show_change).collect()
}

fn show_change(change: &ProductChange) -> Value {
    json!(change)
}

/// The category as the API shows it.
#[must_use]
pub fn show_category(category: &Category) -> Value {
    let content = &category.content;
    without_nulls([
        ("id", json!(category.id)),
        ("name", json!(content.name)),
        ("parent", json!(content.parent)),
        ("url", json!(content.url)),
        ("image", json!(content.image)),
        ("fields", json!(content.fields)),
        ("source", json!(content.source)),
        ("updated_at", json!(category.updated_at())),
    ])
}

fn without_nulls<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let there = entries.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(there.map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    fn places(body: &Value, whole: bool) -> Vec<String> {
        let faults = read(ProductId::parse("p").unwrap(), body, whole, NOW).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_product_is_read_or_every_fault_is_named() {
        let check = |body: Value, whole, want: &[&str]| assert_eq!(places(&body, whole), want, "{body}");
        check(json!({"name": "Mug", "price": "12.50", "stock": 3, "categories": ["a"], "available": true}), true, &[]);
        check(json!({"price": "12.50"}), true, &["/name"]);
        check(json!({"price": null, "fields": {"a": null}}), false, &[]);
        check(json!({"name": null}), false, &["/name"]);
        check(
            json!({"name": 7, "price": "NaN", "currency": "euro", "categories": "a", "colour": "red"}),
            true,
            &["/name", "/price", "/currency", "/categories", "/colour"],
        );
        check(json!({"updated_at": "2027-12-01T00:00:00Z"}), false, &["/updated_at"]);
    }

    #[test]
    fn a_product_shown_says_whether_it_can_be_had_and_what_happened() {
        let put = json!({"name": "Mug", "price": "10", "stock": "1", "updated_at": "2026-11-01T00:00:00Z"});
        let patch = json!({"stock": 0, "price": "9", "updated_at": "2026-11-02T00:00:00Z"});
        let id = || ProductId::parse("p").unwrap();
        let known = Product::merge(None, read(id(), &put, true, NOW).unwrap(), NOW).unwrap();
        let product = Product::merge(known.as_ref(), read(id(), &patch, false, NOW).unwrap(), NOW).unwrap().unwrap();
        let shown = show(&product);
        assert_eq!((&shown["price"], &shown["in_stock"]), (&json!("9"), &json!(false)));
        let changes = show_changes(&product);
        let names: Vec<&str> = changes.as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
        assert_eq!(names, ["out_of_stock", "stock_changed", "price_changed", "created"]);
        assert_eq!(changes[2], json!({"type": "price_changed", "from": "10", "to": "9", "at": "2026-11-02T00:00:00Z"}));
    }
}
