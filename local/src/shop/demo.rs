//! A small shop's day, played through the public API.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::{Value, json};

use super::Client;
use crate::Bundle;
use crate::ses::Find;

/// How long the bundle may take to become quiet.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the day.
#[derive(Debug, Serialize)]
pub struct Demo {
    /// Whether every mail that should be there is there, and no other.
    pub ok: bool,
    /// How many requests the shop made.
    pub requests: u64,
    /// The mails that went out, oldest first.
    pub mails: Vec<Mail>,
    /// Mails that should be there and are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Mail>,
    /// Mails that are there and should not be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<Mail>,
    /// How long it all took.
    pub elapsed_ms: u128,
}

/// A mail that went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// Its subject; not compared.
    pub subject: String,
    /// The campaign that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The mailing that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailing: Option<String>,
}

impl Mail {
    fn is(&self, other: &Self) -> bool {
        (&self.to, &self.campaign, &self.mailing) == (&other.to, &other.campaign, &other.mailing)
    }
}

/// Plays a day in a bundle that holds the small shop, and says what went out.
/// `told` hears what is being done.
///
/// # Errors
/// If a request is not taken or the bundle does not become quiet.
pub async fn demo(bundle: &Bundle, shop: &Client, told: impl Fn(&str)) -> anyhow::Result<Demo> {
    let began = Instant::now();
    let before = bundle.ses().mails(&Find::default())?.len();

    told("Ada, a customer of old, places an order");
    let now = bundle.now();
    shop.tell("PUT", "/v1/orders/2001", &order("ada", now)).await?;
    told("the shop's nightly job sends the same order once more");
    shop.tell("PUT", "/v1/orders/2001", &order("ada", now)).await?;

    told("somebody new registers and orders");
    let ivo = json!({
        "email": "ivo@example.com", "first_name": "Ivo", "country": "HR", "time_zone": "Europe/Zagreb",
        "consent": { "email": "granted" },
    });
    shop.tell("PUT", "/v1/customers/ivo", &ivo).await?;
    shop.tell("PUT", "/v1/orders/2002", &order("ivo", now)).await?;

    told("Ada's order is paid, shipped and delivered; \"shipped\" arrives late");
    for (set, code, minutes) in [("payment", "paid", 1), ("delivery", "delivered", 30), ("delivery", "shipped", 10)] {
        let at = now + SignedDuration::from_mins(minutes);
        shop.tell("PUT", "/v1/orders/2001/status", &json!({ "set": set, "code": code, "at": at })).await?;
    }

    told("Chloé looks at a lamp");
    let viewed = json!({
        "id": "view-1", "customer_id": "chloe", "name": "product_viewed", "at": now,
        "context": { "product": { "name": "Brass lamp", "price": "89.00", "currency": "EUR", "url": "https://shop.example/lamp-brass" } },
    });
    shop.tell("POST", "/v1/events", &viewed).await?;

    told("a mailing to everybody in Riga is scheduled for half an hour from now");
    let mailing = json!({
        "name": "Riga evening", "template": "winter-newsletter", "at": now + SignedDuration::from_mins(30),
        "audience": { "field": "customer.city", "is": "Riga" },
    });
    shop.tell("PUT", "/v1/mailings/riga-evening", &mailing).await?;
    bundle.wait_quiet(PATIENCE).await?;

    told("two hours pass: the clock is moved");
    bundle.advance(SignedDuration::from_mins(125)).await?;
    bundle.wait_quiet(PATIENCE).await?;

    let mails: Vec<Mail> =
        bundle.ses().mails(&Find::default())?.into_iter().skip(before).map(|mail| sent(&mail)).collect();
    let mut unexpected = mails.clone();
    let mut missing = expected();
    missing.retain(|wanted| match unexpected.iter().position(|mail| mail.is(wanted)) {
        Some(place) => {
            unexpected.remove(place);
            false
        }
        None => true,
    });
    let ok = missing.is_empty() && unexpected.is_empty();
    Ok(Demo { ok, requests: shop.requests(), mails, missing, unexpected, elapsed_ms: began.elapsed().as_millis() })
}

fn order(customer: &str, at: jiff::Timestamp) -> Value {
    json!({
        "customer_id": customer, "updated_at": at, "currency": "EUR", "total": "54.90",
        "amounts": { "delivery": "5.00" },
        "status": { "general": "received" },
        "delivery": { "type": "courier", "carrier": "DPD", "address": { "country": "LV", "city": "Riga", "street": "Brīvības iela 1" } },
        "payment": { "type": "card", "provider": "Stripe" },
        "lines": [
            { "id": "1", "product_id": "mug-blue", "name": "Blue mug", "quantity": 2, "price": "24.95", "total": "49.90",
              "url": "https://shop.example/mug-blue" },
        ],
    })
}

/// Farid in Riga has no address, so the mailing reaches Ada and Boris.
fn expected() -> Vec<Mail> {
    let campaign =
        |to: &str, id: &str| Mail { to: to.into(), subject: String::new(), campaign: Some(id.into()), mailing: None };
    let mailing =
        |to: &str, id: &str| Mail { to: to.into(), subject: String::new(), campaign: None, mailing: Some(id.into()) };
    vec![
        campaign("ada@example.com", "order-confirmation"),
        campaign("ivo@example.com", "order-confirmation"),
        campaign("ada@example.com", "order-shipped"),
        campaign("ada@example.com", "how-was-it"),
        campaign("chloe@example.com", "viewed-product"),
        mailing("ada@example.com", "riga-evening"),
        mailing("boris@example.com", "riga-evening"),
    ]
}

fn sent(mail: &crate::ses::Mail) -> Mail {
    let tag = |name: &str| mail.tags.get(name).cloned();
    Mail { to: mail.to.join(", "), subject: mail.subject.clone(), campaign: tag("campaign"), mailing: tag("mailing") }
}
