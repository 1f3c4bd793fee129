//! Several products at once.

use std::collections::{BTreeMap, HashMap};

use anyhow::anyhow;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::{Conflict, Product, ProductId, ProductUpdate, TooLarge};
use futures::StreamExt;
use jiff::Timestamp;

use super::{Catalogue, Merged, PRODUCT, Row, key, product_key};
use crate::rows::{self, Item, Written, failed};

/// One of several updates.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldProduct {
    /// What is said.
    pub update: ProductUpdate,
    /// The row of an import that says it, if it is one.
    pub import: Option<ImportRow>,
}

/// A row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// What it is known by: worked on again, it is found to have been done.
    pub tag: String,
    /// When it counts as said unless it says itself, and it says something new.
    pub at: Timestamp,
}

/// Why one of several updates was not worked in.
#[derive(Debug)]
pub enum Refused {
    /// It contradicts what is recorded.
    Conflict(Conflict),
    /// It could not be written, as it would be [`TooLarge`] or for a reason of ours.
    Failed(anyhow::Error),
}

/// A product as it was read.
struct Known {
    product: Product,
    version: u64,
    /// The row of the import that wrote it last, if one did, and how.
    import: Option<String>,
}

/// How many products are read with one call: as many as there may be.
const READ_AT_ONCE: usize = 100;

/// How many products are written at the same time.
const WRITTEN_AT_ONCE: usize = 16;

impl Catalogue {
    /// Works several updates in and writes what is new, those of one product in
    /// their order; what became of each.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn merge_products(
        &self,
        told: Vec<ToldProduct>,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Result<Merged<Product>, Refused>>> {
        let mut by_product: BTreeMap<ProductId, Vec<(usize, ToldProduct)>> = BTreeMap::new();
        for (index, told) in told.into_iter().enumerate() {
            by_product.entry(told.update.id.clone()).or_default().push((index, told));
        }
        let by_product: Vec<_> = by_product.into_iter().collect();
        let mut outcomes = Vec::new();
        for chunk in by_product.chunks(READ_AT_ONCE) {
            let mut known = self.known(chunk.iter().map(|(id, _)| id)).await?;
            let work = chunk.iter().map(|(id, told)| (told, known.remove(id))).collect::<Vec<_>>();
            let work = work.into_iter().map(|(told, known)| self.merge_product_of(told, known, now));
            let done: Vec<_> = futures::stream::iter(work).buffer_unordered(WRITTEN_AT_ONCE).collect().await;
            outcomes.extend(done.into_iter().flatten());
        }
        outcomes.sort_by_key(|(index, _)| *index);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// The updates of one product.
    async fn merge_product_of(
        &self,
        told: &[(usize, ToldProduct)],
        mut known: Option<Known>,
        now: Timestamp,
    ) -> Vec<(usize, Result<Merged<Product>, Refused>)> {
        loop {
            let (before, read, import) = match known.take() {
                Some(known) => (Some(known.product), Some(known.version), known.import),
                None => (None, None, None),
            };
            let (mut product, mut mark, mut outcomes) = (before, None, Vec::with_capacity(told.len()));
            let mut is_new = false;
            for (index, told) in told {
                let merged = worked_in(product.as_ref(), told, now).map_err(Refused::Conflict);
                let outcome = merged.and_then(|merged| {
                    Ok(match (merged, product.take()) {
                        (Some(new), known) => {
                            is_new = true;
                            let created = known.is_none();
                            mark = told.import.as_ref().map(|row| tag(row, created));
                            product = Some(new.clone());
                            if created { Merged::Created(new) } else { Merged::Changed(new) }
                        }
                        (None, Some(known)) => {
                            product = Some(known.clone());
                            // What this very row wrote, before its worker was lost.
                            let was =
                                |created| told.import.as_ref().is_some_and(|row| import == Some(tag(row, created)));
                            match (was(true), was(false)) {
                                (true, _) => Merged::Created(known),
                                (_, true) => Merged::Changed(known),
                                _ => Merged::Same(known),
                            }
                        }
                        // Whatever is said of a product that is not known makes it known.
                        (None, None) => {
                            return Err(Refused::Failed(anyhow!("an update said nothing of an unknown product")));
                        }
                    })
                });
                outcomes.push((*index, outcome));
            }
            let written = match &product {
                Some(product) if is_new => self.put_product(product, read, mark, now).await,
                _ => Ok(Written::Done),
            };
            let read_again = match written {
                Ok(Written::Done) => return outcomes,
                Ok(Written::Overtaken) => self.known(told.iter().take(1).map(|(_, told)| &told.update.id)).await,
                Err(error) => Err(error),
            };
            match read_again {
                Ok(again) => known = again.into_values().next(),
                Err(error) => {
                    return outcomes
                        .into_iter()
                        .map(|(index, outcome)| (index, outcome.and_then(|_| Err(again(&error)))))
                        .collect();
                }
            }
        }
    }

    /// Those of these products that are known, deleted ones included.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn products(&self, ids: &[ProductId]) -> anyhow::Result<HashMap<ProductId, Product>> {
        let mut products = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(READ_AT_ONCE) {
            products.extend(self.known(ids).await?.into_iter().map(|(id, known)| (id, known.product)));
        }
        Ok(products)
    }

    /// Those of at most 100 products that are known.
    async fn known<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ProductId>,
    ) -> anyhow::Result<HashMap<ProductId, Known>> {
        let keys: Vec<Item> = ids.into_iter().map(|id| key(product_key(id), PRODUCT)).collect();
        let mut known = HashMap::with_capacity(keys.len());
        let mut open = Some(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?);
        while let Some(request) = open.take() {
            let answer = self.db.batch_get_item().request_items(&self.table, request).send().await;
            let answer = answer.map_err(failed("the products could not be read"))?;
            for item in answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default() {
                let row: Row = rows::decode(item)?;
                let product: Product = rows::parse(&row.body)?;
                known.insert(product.id.clone(), Known { product, version: row.version, import: row.import });
            }
            open = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
        }
        Ok(known)
    }
}

/// The product with an update worked in. What an import says undated counts as said
/// when the import was asked for, so that what was said since holds.
fn worked_in(known: Option<&Product>, told: &ToldProduct, now: Timestamp) -> Result<Option<Product>, Conflict> {
    let mut update = told.update.clone();
    if let (None, Some(row)) = (update.updated_at, &told.import) {
        let Some(news) = update.news(known) else { return Ok(None) };
        update = ProductUpdate { updated_at: Some(row.at), ..news };
    }
    if known.is_none() && told.import.is_some() && update.said.fields.get("name").is_none_or(serde_json::Value::is_null)
    {
        return Err(Conflict::new("/name", "is required of a product that is not known yet"));
    }
    Product::merge(known, update, now)
}

pub(super) fn tag(row: &ImportRow, created: bool) -> String {
    format!("{} {}", row.tag, if created { "created" } else { "changed" })
}

/// The same error for each update that it stopped.
fn again(error: &anyhow::Error) -> Refused {
    Refused::Failed(match error.downcast_ref::<TooLarge>() {
        Some(too_large) => (*too_large).into(),
        None => anyhow!("{error:#}"),
    })
}
