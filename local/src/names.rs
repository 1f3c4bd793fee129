//! Where this machine says it is, and what it calls things.

/// The region functions are told they run in.
pub(crate) const REGION: &str = "us-east-1";
/// The account functions are told they run in.
pub(crate) const ACCOUNT: &str = "000000000000";

/// The ARN of a resource of this region and account.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

pub(crate) fn table_arn(table_name: &str) -> String {
    arn("dynamodb", &format!("table/{table_name}"))
}

/// A table has one stream here, with one label.
pub(crate) fn stream_arn(table_name: &str) -> String {
    format!("{}/stream/2026-01-01T00:00:00.000", table_arn(table_name))
}

pub(crate) fn queue_url(queue_name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue_name}")
}

/// The last part of an ARN or URL, after `separator`.
pub(crate) fn last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

/// `BulkDeliveriesQueue` is `bulk-deliveries` to people.
pub(crate) fn short(logical_id: &str) -> String {
    let mut stems = ["Table", "Queue"].iter().filter_map(|kind| logical_id.strip_suffix(kind));
    let logical_id = stems.find(|stem| !stem.is_empty()).unwrap_or(logical_id);
    let mut name = String::with_capacity(logical_id.len() + 4);
    for c in logical_id.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
