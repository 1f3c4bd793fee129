//! Products and their categories.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dated::{Dated, Said, Times};
use crate::{Amount, CategoryId, Code, Conflict, Currency, ProductId, earlier, sortable};

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

/// What was said of a field, by when. The latest are kept; which they are does not
/// depend on the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Track<T>(BTreeMap<Timestamp, Option<T>>);

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// How many sayings a track keeps. More would make most rows larger than the 1,024
/// bytes that a write unit is counted in.
const TRACKED: usize = 10;

impl<T: PartialEq> Track<T> {
    fn record(&mut self, at: Timestamp, value: Option<T>) {
        self.0.entry(at).or_insert(value);
        if self.0.len() > TRACKED {
            self.0.pop_first();
        }
    }

    /// What held at an instant, as far back as is known.
    fn of(&self, at: Timestamp) -> Option<&T> {
        self.0.range(..=at).next_back().and_then(|(_, value)| value.as_ref())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tracks {
    #[serde(default, skip_serializing_if = "is_empty")]
    price: Track<Amount>,
    #[serde(default, skip_serializing_if = "is_empty")]
    stock: Track<Amount>,
    #[serde(default, skip_serializing_if = "is_empty")]
    available: Track<bool>,
}

fn is_empty<T>(track: &Track<T>) -> bool {
    track.0.is_empty()
}

impl Tracks {
    fn record(&mut self, said: &Said, at: Timestamp) {
        let is_said = |name: &str| said.whole || said.fields.contains_key(name);
        let amount = |name: &str| said.fields.get(name).and_then(|value| crate::read::amount(value).ok());
        if is_said("price") {
            self.price.record(at, amount("price"));
        }
        if is_said("stock") {
            self.stock.record(at, amount("stock"));
        }
        if is_said("available") {
            self.available.record(at, said.fields.get("available").and_then(Value::as_bool));
        }
    }
}

/// Something that happened to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ProductChange {
    /// It was seen for the first time.
    Created {
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// One costs more or less than before.
    PriceChanged {
        /// What it cost, if that is known.
        from: Option<Amount>,
        /// What it costs; none if the shop names no price any more.
        to: Option<Amount>,
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// There are more or fewer than before.
    StockChanged {
        /// How many there were, if that is known.
        from: Option<Amount>,
        /// How many there are; none if the shop does not say any more.
        to: Option<Amount>,
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// It can be had again.
    BackInStock {
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// It cannot be had any more.
    OutOfStock {
        /// When, by the shop's own account.
        at: Timestamp,
    },
    /// The shop took it back.
    Deleted {
        /// When, by the shop's own account.
        at: Timestamp,
    },
}

impl ProductChange {
    /// When it happened, by the shop's own account.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Created { at }
            | Self::PriceChanged { at, .. }
            | Self::StockChanged { at, .. }
            | Self::BackInStock { at }
            | Self::OutOfStock { at }
            | Self::Deleted { at } => *at,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "product_created",
            Self::PriceChanged { .. } => "product_price",
            Self::StockChanged { .. } => "product_stock",
            Self::BackInStock { .. } => "product_back",
            Self::OutOfStock { .. } => "product_out",
            Self::Deleted { .. } => "product_deleted",
        }
    }

    /// What identifies the cause: the same cause gives the same text, however
    /// often and in whatever order the changes that show it arrive. What a price
    /// came *from* may be learned later, as older updates arrive.
    #[must_use]
    pub fn cause(&self, id: &ProductId) -> Vec<String> {
        match self {
            Self::Created { .. } => vec![self.name().into(), id.to_string()],
            _ => vec![self.name().into(), id.to_string(), sortable(self.at())],
        }
    }

    /// What happened to a product between two images of it. Whatever the order in
    /// which updates arrive, each change of price or stock that the product has in
    /// the end was in one of these; one that an older update shows to be none may
    /// have been too.
    #[must_use]
    pub fn between(old: Option<&Product>, new: &Product) -> Vec<Self> {
        let known: Vec<Vec<String>> =
            old.into_iter().flat_map(Product::changes).map(|change| change.cause(&new.id)).collect();
        let mut changes = new.changes();
        changes.retain(|change| !known.contains(&change.cause(&new.id)));
        changes
    }
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

    /// What happened to it lately, oldest first.
    #[must_use]
    pub fn changes(&self) -> Vec<ProductChange> {
        let mut changes = vec![ProductChange::Created { at: self.first_at }];
        let Tracks { price, stock, available } = &self.tracks;
        for (from, to, at) in steps(price) {
            changes.push(ProductChange::PriceChanged { from, to, at });
        }
        for (from, to, at) in steps(stock) {
            changes.push(ProductChange::StockChanged { from, to, at });
        }
        let mut before = None;
        let times: BTreeSet<Timestamp> = stock.0.keys().chain(available.0.keys()).copied().collect();
        for at in times {
            let after = in_stock(stock.of(at).copied(), available.of(at).copied());
            match (before, after) {
                (Some(false), Some(true)) => changes.push(ProductChange::BackInStock { at }),
                (Some(true), Some(false)) => changes.push(ProductChange::OutOfStock { at }),
                _ => {}
            }
            before = after.or(before);
        }
        changes.extend(self.deleted_at.map(|at| ProductChange::Deleted { at }));
        changes.sort_by_key(ProductChange::at);
        changes
    }
}

/// Each step of a track from one value to another.
fn steps<T: PartialEq + Copy>(track: &Track<T>) -> impl Iterator<Item = (Option<T>, Option<T>, Timestamp)> {
    let pairs = track.0.values().zip(track.0.iter().skip(1));
    pairs.filter(|(from, (_, to))| from != to).map(|(from, (at, to))| (*from, *to, *at))
}

/// A category of products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The shop's own id.
    pub id: CategoryId,
    /// What is known of it, each field as it was said last.
    pub content: CategoryContent,
    /// Since when each field of the content holds.
    pub times: Times,
}

/// What a shop says of a category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CategoryContent {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the category that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    /// Where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A picture for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Which of the shop's sites, apps or systems said so last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// The shop's own fields.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// What a caller says of one category.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryUpdate {
    /// Which category.
    pub id: CategoryId,
    /// When it was true; `None` is "now, if it differs from what is known".
    pub updated_at: Option<Timestamp>,
    /// The content, or some of its fields.
    pub said: Said,
}

impl Category {
    /// The category with an update worked in; `None` if it said nothing new.
    ///
    /// # Errors
    /// A [`Conflict`] where the update contradicts what is recorded for the same
    /// time.
    pub fn merge(known: Option<&Self>, update: CategoryUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let before = known.map(|known| Dated { content: known.content.clone(), times: known.times.clone() });
        let merged = Dated::merge(before.as_ref(), &update.said, update.updated_at, now)?;
        Ok(merged.map(|Dated { content, times }| Self { id: update.id, content, times }))
    }

    /// When anything of it was said last; `None` if it is known by its id alone.
    #[must_use]
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.times.latest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn update(second: Option<i64>, whole: bool, fields: &Value) -> ProductUpdate {
        let said = Said { whole, fields: fields.as_object().unwrap().clone() };
        ProductUpdate { id: ProductId::parse("p").unwrap(), updated_at: second.map(at), said }
    }

    fn merged(updates: &[ProductUpdate]) -> Option<Product> {
        updates
            .iter()
            .fold(None, |known, update| Product::merge(known.as_ref(), update.clone(), at(1_000)).unwrap().or(known))
    }

    fn names(product: &Product) -> Vec<(&'static str, i64)> {
        product.changes().iter().map(|change| (change.name(), change.at().as_second())).collect()
    }

    #[test]
    fn price_and_stock_become_named_changes() {
        let product = merged(&[
            update(Some(1), true, &json!({"name": "Mug", "price": "10", "stock": "3"})),
            update(Some(2), false, &json!({"price": "12"})),
            update(Some(3), false, &json!({"stock": "0"})),
            update(Some(4), false, &json!({"available": false, "price": "12"})),
            update(Some(5), false, &json!({"stock": "7"})),
            update(Some(6), false, &json!({"available": true})),
        ])
        .unwrap();
        let want = [
            ("product_created", 1),
            ("product_price", 2),
            ("product_stock", 3),
            ("product_out", 3),
            ("product_stock", 5),
            ("product_back", 6),
        ];
        assert_eq!(names(&product), want);
    }

    #[test]
    fn an_undated_update_again_says_nothing_new() {
        let first = merged(&[update(None, true, &json!({"name": "Mug", "price": "10"}))]).unwrap();
        let again = update(None, true, &json!({"name": "Mug", "price": "10"}));
        assert_eq!(Product::merge(Some(&first), again, at(2_000)).unwrap(), None);
        let part = update(None, false, &json!({"price": "10"}));
        assert_eq!(Product::merge(Some(&first), part, at(2_000)).unwrap(), None);
    }

    #[test]
    fn of_a_snapshot_only_what_differs_is_said() {
        let snapshot = json!({"name": "Mug", "price": "10", "brand": null, "fields": {"a": 1, "b": 2}});
        let known = merged(&[update(None, false, &snapshot).news(None).unwrap()]).unwrap();
        assert_eq!(update(None, false, &snapshot).news(Some(&known)), None);
        let other = json!({"name": "Mug", "price": "12", "brand": null, "fields": {"a": 1, "b": null}});
        let news = update(None, false, &other).news(Some(&known)).unwrap();
        assert_eq!(Value::Object(news.said.fields), json!({"price": "12", "fields": {"b": null}}));
        let gone = known.delete(None, at(9)).unwrap();
        assert!(update(None, false, &snapshot).news(Some(&gone)).is_some());
    }

    #[test]
    fn what_was_taken_back_is_there_again_when_something_is_said_of_it_later() {
        let product = merged(&[update(Some(1), true, &json!({"name": "Mug"}))]).unwrap();
        let gone = product.delete(Some(at(5)), at(9)).unwrap();
        assert!(gone.is_deleted() && gone.delete(None, at(9)).is_none());
        let late = Product::merge(Some(&gone), update(Some(3), false, &json!({"brand": "B"})), at(9)).unwrap();
        assert!(late.unwrap().is_deleted());
        let same = Product::merge(Some(&gone), update(None, true, &json!({"name": "Mug"})), at(9)).unwrap();
        assert!(!same.unwrap().is_deleted());
    }

    proptest! {
        #[test]
        fn order_and_repetition_of_arrival_do_not_matter(
            sayings in prop::collection::btree_map(1i64..60, (any::<bool>(), prop::option::of(0u8..3), prop::option::of(0u8..3)), 1..20),
            keys in prop::collection::vec(any::<u32>(), 20),
        ) {
            let said = |(second, (whole, price, stock)): (&i64, &(bool, Option<u8>, Option<u8>))| {
                let mut fields = json!({});
                if let Some(price) = price {
                    fields["price"] = json!(price.to_string());
                }
                if let Some(stock) = stock {
                    fields["stock"] = json!(stock.to_string());
                }
                update(Some(*second), *whole, &fields)
            };
            let updates: Vec<ProductUpdate> = sayings.iter().map(said).collect();
            let mut shuffled: Vec<_> = keys.into_iter().zip(updates.iter().cloned()).collect();
            shuffled.sort_unstable_by_key(|(key, _)| *key);
            let mut arriving: Vec<ProductUpdate> = shuffled.into_iter().map(|(_, update)| update).collect();
            arriving.extend(updates.iter().cloned());
            let product = merged(&arriving);
            prop_assert_eq!(&product, &merged(&updates));

            // Every change that there is in the end was seen on the way, once.
            let (mut known, mut seen): (Option<Product>, Vec<Vec<String>>) = (None, Vec::new());
            for update in arriving {
                if let Some(new) = Product::merge(known.as_ref(), update, at(1_000)).unwrap() {
                    let id = new.id.clone();
                    seen.extend(ProductChange::between(known.as_ref(), &new).iter().map(|change| change.cause(&id)));
                    known = Some(new);
                }
            }
            let product = product.unwrap();
            for change in product.changes() {
                prop_assert!(seen.contains(&change.cause(&product.id)));
            }
        }
    }
}
