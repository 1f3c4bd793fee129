//! The event that a function is started for.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use std::path::Path;

/// What each function does most.
const MOST: &[(&str, &str)] = &[
    ("authorizer", "request"),
    ("backfill", "schedule"),
    ("evaluate", "changed"),
    ("fan-out", "customers"),
    ("feedback", "delivery"),
    ("ingest-customers", "put"),
    ("ingest-events", "post"),
    ("ingest-orders", "put"),
    ("import-products", "queue"),
    ("ingest-products", "put"),
    ("ingest-tracking", "batch"),
    ("ingest-webhooks", "shopify"),
    ("manage", "put-template"),
    ("mass-messaging", "schedule"),
    ("preferences", "look"),
    ("product-changes", "queue"),
    ("sender", "deliveries"),
    ("timers", "schedule"),
];

/// The fixture in `events/` beside the template.
///
/// # Errors
/// The function is not known here, or the fixture can't be read.
pub(super) fn first(function: &str, template: &Path) -> anyhow::Result<Bytes> {
    let Some((_, kind)) = MOST.iter().find(|(name, _)| *name == function) else {
        bail!("it is not known what {function} does most");
    };
    let folder = template.parent().map(Path::to_path_buf).unwrap_or_default().join("events");
    let path = folder.join(format!("{function}.{kind}.json"));
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.into())
}
