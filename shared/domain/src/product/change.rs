use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::track::{Tracks, last_step, steps};
use super::{Product, in_stock};
use crate::{Amount, Change, ProductId};

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

/// What of all that happens to a product may concern a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductNews {
    /// One costs more than before, or it is not known what it cost.
    PriceChanged,
    /// One costs less than before.
    PriceDropped,
    /// There are more or fewer than before.
    StockChanged,
    /// It can be had again.
    BackInStock,
    /// It cannot be had any more.
    OutOfStock,
}

impl ProductNews {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PriceChanged, Self::PriceDropped, Self::StockChanged, Self::BackInStock, Self::OutOfStock];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PriceChanged => "price_changed",
            Self::PriceDropped => "price_dropped",
            Self::StockChanged => "stock_changed",
            Self::BackInStock => "back_in_stock",
            Self::OutOfStock => "out_of_stock",
        }
    }

    /// The one of that name.
    ///
    /// # Errors
    /// Says which there are.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        Self::ALL.into_iter().find(|news| news.as_str() == name).ok_or(
            "must be \"price_changed\", \"price_dropped\", \"stock_changed\", \"back_in_stock\" or \"out_of_stock\"",
        )
    }

    /// What of the product it happened to. That a price fell is the change of the
    /// price, and not another one.
    pub(crate) fn of(self) -> &'static str {
        match self {
            Self::PriceChanged | Self::PriceDropped => "product_price",
            Self::StockChanged => "product_stock",
            Self::BackInStock => "product_back",
            Self::OutOfStock => "product_out",
        }
    }
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

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "product_created",
            Self::PriceChanged { .. } => "product_price",
            Self::StockChanged { .. } => "product_stock",
            Self::BackInStock { .. } => "product_back",
            Self::OutOfStock { .. } => "product_out",
            Self::Deleted { .. } => "product_deleted",
        }
    }

    /// What happened to a product between two images of it. Whatever the order in
    /// which updates arrive, each change of price or stock that the product has in
    /// the end was in one of these, though perhaps with a later time: an older update
    /// may show that it was so before. One that an older update shows to be none may
    /// have been too. One of which an older update tells what it came from comes again.
    #[must_use]
    pub fn between(old: Option<&Product>, new: &Product) -> Vec<Self> {
        let (known, changes) = (old.map(Product::changes).unwrap_or_default(), new.changes());
        let gone: Vec<&Self> = known.iter().filter(|known| !changes.contains(known)).collect();
        let was_later = |change: &Self| gone.iter().any(|gone| gone.is_like(change) && gone.at() > change.at());
        let is_news = |change: &&Self| !known.contains(change) && !was_later(change);
        changes.iter().filter(is_news).cloned().collect()
    }

    /// Whether the two are the same but for the time.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PriceChanged { from, to, .. }, Self::PriceChanged { from: other_from, to: other_to, .. })
            | (Self::StockChanged { from, to, .. }, Self::StockChanged { from: other_from, to: other_to, .. }) => {
                (from, to) == (other_from, other_to)
            }
            _ => self.name() == other.name(),
        }
    }

    /// What customers may hear of it; nothing of what concerns nobody.
    fn news(&self, product_id: &ProductId) -> Option<Change> {
        let (what, from, to, at) = match *self {
            Self::PriceChanged { from, to, at } => {
                let fell = from.zip(to).is_some_and(|(from, to)| to < from);
                (if fell { ProductNews::PriceDropped } else { ProductNews::PriceChanged }, from, to, at)
            }
            Self::StockChanged { from, to, at } => (ProductNews::StockChanged, from, to, at),
            Self::BackInStock { at } => (ProductNews::BackInStock, None, None, at),
            Self::OutOfStock { at } => (ProductNews::OutOfStock, None, None, at),
            Self::Created { .. } | Self::Deleted { .. } => return None,
        };
        Some(Change::ProductChanged { product_id: product_id.clone(), what, from, to, at })
    }
}

impl Product {
    /// What customers may hear of between two images of a product.
    #[must_use]
    pub fn news(old: Option<&Self>, new: &Self) -> Vec<Change> {
        ProductChange::between(old, new).iter().filter_map(|change| change.news(&new.id)).collect()
    }

    /// Whether it still is as this change left it: whoever hears of a price, or that it
    /// can be had, hears of what is so now. When it came about may be told otherwise
    /// meanwhile, and how it was before may be forgotten.
    #[must_use]
    pub fn is_still(&self, change: &Change) -> bool {
        let Change::ProductChanged { what, from, to, .. } = change else { return false };
        let is_so = match what {
            ProductNews::BackInStock => self.content.in_stock() == Some(true),
            ProductNews::OutOfStock => self.content.in_stock() == Some(false),
            ProductNews::PriceChanged | ProductNews::PriceDropped => {
                self.content.price == *to && last_step(&self.tracks.price).is_none_or(|last| last == (*from, *to))
            }
            ProductNews::StockChanged => {
                self.content.stock == *to && last_step(&self.tracks.stock).is_none_or(|last| last == (*from, *to))
            }
        };
        is_so && !self.is_deleted()
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
        // Where one of the two begins later than the other only because what was said
        // before has fallen off, it begins with nothing new.
        let known_since = stock.known_since().max(available.known_since());
        for at in times.into_iter().filter(|at| Some(*at) >= known_since) {
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
