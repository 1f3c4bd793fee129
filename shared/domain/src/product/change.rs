use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::track::{Tracks, steps};
use super::{Product, in_stock};
use crate::{Amount, ProductId, sortable};

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
