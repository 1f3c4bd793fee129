//! Products.

mod change;
mod track;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dated::{Dated, Said, Times};
use crate::{Amount, Code, Conflict, Currency, ProductId, earlier};

pub use change::{ProductChange, ProductNews};
use track::Tracks;

/// A product as it stands, and how its price and stock went lately.
///
/// A product is built by [`Product::merge`] alone. The result is the same for any
/// order of arrival and any repetition of the same updates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The shop's own id.
    pub id: ProductId,
    /// The earliest time of anything said of it.
    pub first_at: Timestamp,
    /// What is known of it, each field as it was said last.
    pub content: ProductContent,
    /// Since when each field of the content holds.
    pub times: Times,
    /// What was said of its price, stock and availability, and when.
    #[serde(default)]
    tracks: Tracks,
    /// When the shop took it back. Anything said later brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// What a shop says of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductContent {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What one costs, in `currency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// What it cost before, as the shop shows it beside the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_price: Option<Amount>,
    /// The currency of both prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The ids of the categories that it is in.
    pub categories: Vec<String>,
    /// Whose make it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// How many, or how much, there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<Amount>,
    /// Whether it can be had, where the shop says so without a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Which of the shop's sites, apps or systems said so last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// The shop's own fields.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

impl ProductContent {
    /// Whether it can be had; `None` if the shop does not say.
    #[must_use]
    pub fn in_stock(&self) -> Option<bool> {
        in_stock(self.stock, self.available)
    }
}

fn in_stock(stock: Option<Amount>, available: Option<bool>) -> Option<bool> {
    match (available, stock) {
        (Some(false), _) => Some(false),
        (_, Some(stock)) => Some(stock > Amount::ZERO),
        (available, None) => available,
    }
}

/// What a caller says of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductUpdate {
    /// Which product.
    pub id: ProductId,
    /// When it was true; `None` is "now, if it differs from what is known".
    pub updated_at: Option<Timestamp>,
    /// The content, or some of its fields.
    pub said: Said,
}

impl ProductUpdate {
    /// What a row of a snapshot, such as a feed, says that is not known: of what it
    /// repeats nothing is said, so that what was said of it elsewhere keeps its time.
    /// `None` if it says nothing new.
    #[must_use]
    pub fn news(mut self, known: Option<&Product>) -> Option<Self> {
        match known {
            None => {
                self.said.whole = true;
                self.said.fields.retain(|_, value| !value.is_null());
            }
            Some(known) if !known.is_deleted() => {
                let content = serde_json::to_value(&known.content).unwrap_or_default();
                only_news(&mut self.said.fields, &content);
                if self.said.fields.is_empty() {
                    return None;
                }
            }
            Some(_) => {}
        }
        Some(self)
    }
}

fn only_news(said: &mut Map<String, Value>, known: &Value) {
    said.retain(|name, value| match (value, &known[name.as_str()]) {
        (Value::Object(inner), known) => {
            only_news(inner, known);
            !inner.is_empty()
        }
        (value, known) => value != known,
    });
}

impl Product {
    /// The product with an update worked in; `None` if it said nothing new.
    ///
    /// An update that is older than what is known never overwrites it; each field
    /// goes by its own time. `now` dates what the caller left undated.
    ///
    /// # Errors
    /// A [`Conflict`] where the update contradicts what is recorded for the same
    /// time.
    pub fn merge(known: Option<&Self>, update: ProductUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let ProductUpdate { id, updated_at, said } = update;
        // What is said of a thing that was taken back says that it is there again.
        let back = known.filter(|known| known.is_deleted()).and_then(|known| known.deleted_at);
        let at = updated_at.or_else(|| {
            let after = back? + SignedDuration::from_millis(1);
            Some(now.max(after))
        });
        let before = known.map(|known| Dated { content: known.content.clone(), times: known.times.clone() });
        let merged = Dated::merge(before.as_ref(), &said, at, now)?;
        let Some(at) = at.or_else(|| merged.as_ref().and_then(|merged| merged.times.latest())).or(match known {
            None => Some(now),
            Some(_) => None,
        }) else {
            return Ok(None);
        };
        let mut product = match known {
            Some(known) => known.clone(),
            None => Self {
                id,
                first_at: at,
                content: ProductContent::default(),
                times: Times::default(),
                tracks: Tracks::default(),
                deleted_at: None,
            },
        };
        if let Some(Dated { content, times }) = merged {
            (product.content, product.times) = (content, times);
        }
        product.first_at = earlier(Some(product.first_at), at);
        product.tracks.record(&said, at);
        Ok((Some(&product) != known).then_some(product))
    }

    /// The product, taken back by the shop; `None` if that is no news.
    #[must_use]
    pub fn delete(&self, at: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let at = match at {
            Some(at) => at,
            None if self.is_deleted() => return None,
            None => now.max(self.updated_at()),
        };
        let deleted_at = self.deleted_at.max(Some(at));
        (deleted_at != self.deleted_at).then(|| Self { deleted_at, ..self.clone() })
    }

    /// Whether the shop took it back and has said nothing of it since.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some_and(|at| at >= self.updated_at())
    }

    /// When anything of it was said last.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.times.latest().unwrap_or(self.first_at)
    }
}

#[cfg(test)]
mod tests;
