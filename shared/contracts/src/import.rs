//! Imports of feeds over the API and the queue.

use domain::read::{Faults, Reader};
use feeds::Format;
use feeds::import::{Import, Origin};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The longest URL of a feed, in characters.
const LONGEST_URL: usize = 2_000;

/// On the imports queue: go on with an import from its last checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportWork {
    /// Which.
    pub import_id: String,
}

/// What is asked for with `{"url": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where the feed is.
    pub url: String,
    /// What it is.
    pub format: Format,
    /// Whether it is all that the shop has.
    pub complete: bool,
}

/// Reads the JSON body of `POST /v1/products/import`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(body: &Value) -> Result<Fetch, Faults> {
    let mut reader = Reader::new(body);
    let url = reader.required("url", |value| domain::read::text(value, LONGEST_URL));
    let format = reader.required("format", |value| match value.as_str() {
        Some("csv") => Ok(Format::ProductsCsv),
        Some("yml") => Ok(Format::Yml),
        _ => Err("must be \"csv\" or \"yml\""),
    });
    let complete = reader.optional("complete", |value| value.as_bool().ok_or("must be true or false"));
    reader.finish()?;
    match (url, format) {
        (Some(url), Some(format)) => Ok(Fetch { url, format, complete: complete.unwrap_or_default() }),
        _ => Err(Vec::new()),
    }
}

/// The import as the API shows it.
#[must_use]
pub fn show(import: &Import) -> Value {
    let url = match &import.origin {
        Origin::Url(url) => Some(url),
        Origin::Body(_) => None,
    };
    let shown = [
        ("id", json!(import.id)),
        ("state", json!(import.stage)),
        ("reason", json!(import.reason)),
        ("url", json!(url)),
        ("format", json!(import.format)),
        ("complete", json!(import.complete)),
        ("created_at", json!(import.created_at)),
        ("ended_at", json!(import.ended_at)),
        ("rows", json!(import.counts)),
        ("faults", json!(import.faults)),
        ("ignored", json!(import.ignored)),
    ];
    let shown = shown.into_iter().filter(|(_, value)| !value.is_null());
    let mut shown: Map<String, Value> = shown.map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(Value::Object(rows)) = shown.get_mut("rows") {
        let read = rows.remove("rows").unwrap_or_default();
        rows.insert("read".into(), read);
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn what_is_asked_for_is_read_or_every_fault_is_named() {
        let places = |body: Value| -> Vec<String> {
            read(&body).err().unwrap_or_default().into_iter().map(|fault| fault.pointer).collect()
        };
        assert!(read(&json!({"url": "https://shop.example/feed.xml", "format": "yml"})).is_ok());
        assert_eq!(places(json!({"url": 7, "format": "xml", "when": "now"})), ["/url", "/format", "/when"]);
        assert_eq!(places(json!([])), [""]);
    }

    #[test]
    fn an_import_shown_says_how_far_it_has_come() {
        let mut import = Import::new("i".into(), Origin::Body(1), Format::Yml, None, Timestamp::UNIX_EPOCH);
        import.counts.rows = 7;
        let shown = show(&import);
        assert_eq!(
            (&shown["state"], &shown["format"], &shown["rows"]["read"]),
            (&json!("waiting"), &json!("yml"), &json!(7))
        );
        assert!(shown.get("reason").is_none());
    }
}
