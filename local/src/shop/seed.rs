//! What the small shop has when it opens.

use std::path::Path;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Client;
use crate::Bundle;

macro_rules! template {
    ($id:literal) => {
        (
            $id,
            include_str!(concat!("../../shop/templates/", $id, "/subject.txt")),
            include_str!(concat!("../../shop/templates/", $id, "/body.html")),
            include_str!(concat!("../../shop/templates/", $id, "/preheader.txt")),
            None,
        )
    };
    ($id:literal, text) => {
        (
            $id,
            include_str!(concat!("../../shop/templates/", $id, "/subject.txt")),
            include_str!(concat!("../../shop/templates/", $id, "/body.html")),
            include_str!(concat!("../../shop/templates/", $id, "/preheader.txt")),
            Some(include_str!(concat!("../../shop/templates/", $id, "/text.txt"))),
        )
    };
}
/// The templates, each by its id, with its parts.
const TEMPLATES: [(&str, &str, &str, &str, Option<&str>); 5] = [
    template!("order-confirmation"),
    template!("order-shipped"),
    template!("how-was-it"),
    template!("viewed-product"),
    template!("winter-newsletter", text),
];

/// Makes an API key that may do everything, the way the README tells: by
/// invoking `manage` directly.
///
/// # Errors
/// If the function fails.
pub async fn first_key(bundle: &Bundle) -> anyhow::Result<String> {
    let event = json!({ "create_key": { "name": "first", "scopes": ["track", "ingest", "manage"] } });
    let answer = bundle.invoke("manage", &event).await?;
    Ok(answer["key"].as_str().context("manage made no key")?.to_owned())
}

/// Opens the small shop: customers, past orders, templates, campaigns, and a
/// newsletter for tomorrow. The campaigns come last, so that nobody is written
/// to about an order of last week.
///
/// # Errors
/// If anything is not taken.
pub async fn seed(bundle: &Bundle, shop: &Client) -> anyhow::Result<()> {
    for (id, subject, html, preheader, text) in TEMPLATES {
        let mut body = json!({ "subject": subject.trim_end(), "html": html, "preheader": preheader.trim_end() });
        if let Some(text) = text {
            body["text"] = json!(text);
        }
        shop.tell("PUT", &format!("/v1/templates/{id}"), &body).await?;
    }
    let data: Value = serde_json::from_str(include_str!("../../shop/shop.json")).context("shop.json")?;
    for (id, body) in entries(&data, "customers") {
        shop.tell("PUT", &format!("/v1/customers/{id}"), body).await?;
    }
    for (id, body) in entries(&data, "orders") {
        let mut body = body.clone();
        let days = body["days_ago"].take().as_i64().unwrap_or(1);
        let placed = bundle.now() - SignedDuration::from_hours(24 * days);
        body.as_object_mut().context("an order is an object")?.remove("days_ago");
        body["created_at"] = json!(placed);
        body["updated_at"] = json!(placed);
        shop.tell("PUT", &format!("/v1/orders/{id}"), &body).await?;
    }
    bundle.wait_quiet(std::time::Duration::from_secs(60)).await?;
    for (id, body) in entries(&data, "campaigns") {
        shop.tell("PUT", &format!("/v1/campaigns/{id}"), body).await?;
    }
    for (id, body) in entries(&data, "mailings") {
        let mut body = body.clone();
        body["at"] = json!(bundle.now() + SignedDuration::from_hours(24));
        shop.tell("PUT", &format!("/v1/mailings/{id}"), &body).await?;
    }
    Ok(())
}

/// The key of a bundle whose data is in `folder`: the one that is kept there,
/// or a new one, with the small shop opened.
///
/// # Errors
/// If the file cannot be read or written, or the shop cannot be opened.
pub async fn opened(bundle: &Bundle, folder: Option<&Path>) -> anyhow::Result<Client> {
    let file = folder.map(|folder| folder.join("key"));
    if let Some(key) = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) {
        return Ok(Client::new(bundle.api_url(), key.trim()));
    }
    let shop = Client::new(bundle.api_url(), first_key(bundle).await?);
    seed(bundle, &shop).await?;
    // Kept last: a shop that was opened half-way is opened again.
    if let Some(file) = file {
        std::fs::write(&file, shop.key()).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(shop)
}

fn entries<'a>(data: &'a Value, of: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    data[of].as_object().into_iter().flatten()
}
