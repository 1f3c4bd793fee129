//! Small words for writing JSON schemas (draft 2020-12) down.

use serde_json::{Map, Value, json};

/// A reference to one of the document's schemas.
pub(crate) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Text of at most so many characters.
pub(crate) fn text(most: usize) -> Value {
    json!({ "type": "string", "maxLength": most })
}

/// A short text: a name, a city.
pub(crate) fn short() -> Value {
    text(500)
}

pub(crate) fn boolean() -> Value {
    json!({ "type": "boolean" })
}

pub(crate) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A whole number from `least` to `most`.
pub(crate) fn between(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// One of these texts.
pub(crate) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// A list of at most so many.
pub(crate) fn list(items: Value, most: usize) -> Value {
    json!({ "type": "array", "items": items, "maxItems": most })
}

/// A list of an answer.
pub(crate) fn many(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// One of several schemas.
pub(crate) fn either(schemas: impl IntoIterator<Item = Value>) -> Value {
    json!({ "oneOf": schemas.into_iter().collect::<Vec<_>>() })
}

/// Any JSON object.
pub(crate) fn anything() -> Value {
    json!({ "type": "object", "additionalProperties": true })
}

pub(crate) fn code() -> Value {
    of("Code")
}

pub(crate) fn id() -> Value {
    of("Id")
}

pub(crate) fn amount() -> Value {
    of("Amount")
}

pub(crate) fn instant() -> Value {
    of("Instant")
}

/// The same with a description.
pub(crate) fn said(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// The same, which may be null too.
fn or_null(mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut schema = match schema.get("type").and_then(Value::as_str) {
        Some(r#type) if schema.get("enum").is_none() => {
            schema["type"] = json!([r#type, "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    };
    if let Some(description) = description {
        schema["description"] = description;
    }
    schema
}

/// An object, property by property.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    description: String,
    properties: Map<String, Value>,
    order: Vec<String>,
    required: Vec<String>,
    more: Value,
    examples: Vec<Value>,
}

impl Object {
    /// An object of a request: what is not among its properties is refused.
    pub(crate) fn new(description: &str) -> Self {
        Self {
            description: description.to_owned(),
            properties: Map::new(),
            order: Vec::new(),
            required: Vec::new(),
            more: Value::Bool(false),
            examples: Vec::new(),
        }
    }

    /// An object of an answer: there may be more in it one day.
    pub(crate) fn shown(description: &str) -> Self {
        Self { more: Value::Null, ..Self::new(description) }
    }

    /// A property that may be left out.
    pub(crate) fn has(mut self, name: &str, schema: Value, description: &str) -> Self {
        let schema = if description.is_empty() { schema } else { said(schema, description) };
        if self.properties.insert(name.to_owned(), schema).is_none() {
            self.order.push(name.to_owned());
        }
        self
    }

    /// A property that must be there.
    pub(crate) fn needs(mut self, name: &str, schema: Value, description: &str) -> Self {
        self.required.push(name.to_owned());
        self.has(name, schema, description)
    }

    /// Takes the names of the shop's own fields too.
    pub(crate) fn takes_defined_fields(mut self) -> Self {
        self.more = said(
            of("FieldValue"),
            "A field that the shop has defined for this object may stand here by its name, as under `fields`. \
             Any other name is refused.",
        );
        self
    }

    /// An example.
    pub(crate) fn example(mut self, example: Value) -> Self {
        self.examples.push(example);
        self
    }

    /// The same as a part of it: nothing is required, and null takes away what may be
    /// taken away.
    pub(crate) fn part(mut self, description: &str, lasting: &[&str]) -> Self {
        description.clone_into(&mut self.description);
        for (name, schema) in &mut self.properties {
            if !lasting.contains(&name.as_str()) && !self.required.contains(name) {
                *schema = or_null(schema.take());
            }
        }
        self.required.clear();
        self
    }

    /// The same as one of a batch, with its id.
    pub(crate) fn in_batch(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        for example in &mut self.examples {
            example["id"] = "1001".into();
        }
        self.order.insert(0, "id".into());
        self.required.insert(0, "id".into());
        self.properties.insert("id".into(), id());
        self
    }

    /// The schema. `x-order` is the order in which people read the properties, which
    /// JSON objects do not keep.
    pub(crate) fn build(self) -> Value {
        let mut schema = json!({ "type": "object", "description": self.description, "properties": self.properties });
        schema["x-order"] = json!(self.order);
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        if !self.more.is_null() {
            schema["additionalProperties"] = self.more;
        }
        if !self.examples.is_empty() {
            schema["examples"] = json!(self.examples);
        }
        schema
    }
}

/// A page of a list.
pub(crate) fn page_of(schema: Value) -> Object {
    Object::shown("A page of a list.").needs("items", many(schema), "What is on the page.").has(
        "next",
        json!({ "type": "string" }),
        "Give it as `after` to get the next page; not there on the last.",
    )
}

/// The body of a batch, as JSON.
pub(crate) fn batch_of(name: &str) -> Value {
    let items = said(list(of(name), 500), "Up to 500, in 5 MB.");
    either([items.clone(), Object::new("The list in an object.").needs("items", items, "").build()])
}
