use std::collections::{BTreeMap, HashMap};

use anyhow::anyhow;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::{Category, CategoryId, CategoryUpdate, Conflict, Product, ProductId, ProductUpdate, TooLarge};
use futures::StreamExt;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::rows::{self, Item, Versioned, Written, failed, number, text};

/// The catalogue table: products, each under a key of its own, and categories, all
/// under one, so that they can be listed.
#[derive(Debug, Clone)]
pub struct Catalogue {
    db: Client,
    table: String,
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Merged<T> {
    /// It was not known.
    Created(T),
    /// Something of it was new.
    Changed(T),
    /// It is known as it is.
    Same(T),
}

impl<T> Merged<T> {
    /// The thing as it stands now.
    pub fn into_value(self) -> T {
        match self {
            Self::Created(value) | Self::Changed(value) | Self::Same(value) => value,
        }
    }
}

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

#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) thing: String,
    pub(crate) item: String,
    pub(crate) body: String,
    pub(crate) version: u64,
    /// When it was taken in, by our own clock.
    pub(crate) written: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    import: Option<String>,
}

/// How many products are read with one call: as many as there may be.
const READ_AT_ONCE: usize = 100;

/// How many rows are gone through with one call.
const PAGE: i32 = 500;

/// How many products are written at the same time.
const WRITTEN_AT_ONCE: usize = 16;

pub(crate) const PRODUCT: &str = "product";
const CATEGORIES: &str = "categories";

fn product_key(id: &ProductId) -> String {
    format!("{PRODUCT}#{id}")
}

/// The product of which a row's key is.
fn product_of(key: &Item) -> Option<ProductId> {
    let thing = key.get("thing")?.as_s().ok()?;
    ProductId::parse(thing.strip_prefix(PRODUCT)?.strip_prefix('#')?).ok()
}

fn key(thing: impl Into<String>, item: impl Into<String>) -> Item {
    Item::from([("thing".into(), text(thing)), ("item".into(), text(item))])
}

impl Catalogue {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// A product, deleted ones included.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn product(&self, id: &ProductId) -> anyhow::Result<Option<Versioned<Product>>> {
        self.row(product_key(id), PRODUCT).await
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

    /// A page of all products, in no order, and whether this row of an import has
    /// changed them; with the place where the next begins.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn page(
        &self,
        after: Option<&ProductId>,
        by: &ImportRow,
    ) -> anyhow::Result<(Vec<(Product, bool)>, Option<ProductId>)> {
        let mut start = after.map(|after| key(product_key(after), PRODUCT));
        loop {
            let page = self
                .db
                .scan()
                .table_name(&self.table)
                .filter_expression("#item = :product")
                .expression_attribute_names("#item", "item")
                .expression_attribute_values(":product", text(PRODUCT))
                .set_exclusive_start_key(start.take())
                .limit(PAGE)
                .send()
                .await
                .map_err(failed("the catalogue could not be gone through"))?;
            let read = |item| {
                let row: Row = rows::decode(item)?;
                anyhow::Ok((rows::parse(&row.body)?, row.import.is_some_and(|import| import == tag(by, false))))
            };
            let items = page.items.unwrap_or_default().into_iter();
            let products: Vec<(Product, bool)> = items.filter_map(|item| rows::readable(read(item))).collect();
            start = page.last_evaluated_key;
            let place = start.as_ref().and_then(product_of);
            // A page may end among the categories, which is no place to name.
            if place.is_some() || start.is_none() {
                return Ok((products, place));
            }
        }
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

    /// Writes a product, if its row is still at the version that was read.
    /// `import` says by which row of which import.
    async fn put_product(
        &self,
        product: &Product,
        read: Option<u64>,
        import: Option<String>,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let row = row(product_key(&product.id), PRODUCT.into(), product, read, now)?;
        self.put(&Row { import, ..row }, read).await
    }

    /// Works an update into a product and writes it, whoever else is at it.
    ///
    /// # Errors
    /// If the table cannot be read or written to. Within, a [`Conflict`] if the
    /// update contradicts what is recorded.
    pub async fn merge_product(
        &self,
        update: &ProductUpdate,
        now: Timestamp,
    ) -> anyhow::Result<Result<Merged<Product>, Conflict>> {
        loop {
            let (known, read) = split(self.product(&update.id).await?);
            let product = match Product::merge(known.as_ref(), update.clone(), now) {
                Ok(Some(product)) => product,
                Ok(None) => match known {
                    Some(known) => return Ok(Ok(Merged::Same(known))),
                    None => continue,
                },
                Err(conflict) => return Ok(Err(conflict)),
            };
            if self.put_product(&product, read, None, now).await? == Written::Done {
                return Ok(Ok(if read.is_some() { Merged::Changed(product) } else { Merged::Created(product) }));
            }
        }
    }

    /// Notes that the shop took a product back; `None` if it is not known.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn delete_product(
        &self,
        id: &ProductId,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> anyhow::Result<Option<Merged<Product>>> {
        loop {
            let Some(Versioned { value: known, version }) = self.product(id).await? else { return Ok(None) };
            let Some(product) = known.delete(at, now) else { return Ok(Some(Merged::Same(known))) };
            if self.put_product(&product, Some(version), None, now).await? == Written::Done {
                return Ok(Some(Merged::Changed(product)));
            }
        }
    }

    /// A category.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn category(&self, id: &CategoryId) -> anyhow::Result<Option<Versioned<Category>>> {
        self.row(CATEGORIES.into(), id.as_str()).await
    }

    /// Works an update into a category and writes it, whoever else is at it. If
    /// the update does not say when it was true but says something new, it counts as
    /// said at `otherwise`.
    ///
    /// # Errors
    /// If the table cannot be read or written to. Within, a [`Conflict`] if the
    /// update contradicts what is recorded.
    pub async fn merge_category(
        &self,
        update: &CategoryUpdate,
        otherwise: Option<Timestamp>,
        now: Timestamp,
    ) -> anyhow::Result<Result<Merged<Category>, Conflict>> {
        loop {
            let (known, read) = split(self.category(&update.id).await?);
            let dated = || CategoryUpdate { updated_at: update.updated_at.or(otherwise), ..update.clone() };
            let merged = match Category::merge(known.as_ref(), update.clone(), now) {
                Ok(Some(_)) => Category::merge(known.as_ref(), dated(), now),
                merged => merged,
            };
            let category = match merged {
                Ok(Some(category)) => category,
                Ok(None) => match known {
                    Some(known) => return Ok(Ok(Merged::Same(known))),
                    None => continue,
                },
                Err(conflict) => return Ok(Err(conflict)),
            };
            let row = row(CATEGORIES.into(), category.id.to_string(), &category, read, now)?;
            if self.put(&row, read).await? == Written::Done {
                return Ok(Ok(if read.is_some() { Merged::Changed(category) } else { Merged::Created(category) }));
            }
        }
    }

    /// At most `limit` categories behind `after`, by id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn categories(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<Category>> {
        let mut categories = Vec::new();
        let mut start = after.map(|after| key(CATEGORIES, after));
        while categories.len() < limit {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("thing = :categories")
                .expression_attribute_values(":categories", text(CATEGORIES))
                .limit(i32::try_from(limit - categories.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("the categories could not be listed"))?;
            let read = |item| rows::parse(&rows::decode::<Row>(item)?.body);
            let found = page.items.unwrap_or_default().into_iter().filter_map(|item| rows::readable(read(item)));
            categories.extend(found);
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(categories)
    }

    async fn row<T: DeserializeOwned>(&self, thing: String, item: &str) -> anyhow::Result<Option<Versioned<T>>> {
        let got =
            self.db.get_item().table_name(&self.table).set_key(Some(key(thing, item))).consistent_read(true).send();
        let got = got.await.map_err(failed("the catalogue could not be read"))?;
        let Some(item) = got.item else { return Ok(None) };
        let row: Row = rows::decode(item)?;
        Ok(Some(Versioned { value: rows::parse(&row.body)?, version: row.version }))
    }

    async fn put(&self, row: &Row, read: Option<u64>) -> anyhow::Result<Written> {
        let put = self.db.put_item().table_name(&self.table).set_item(Some(rows::encode(row)?));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(thing)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        match put.send().await {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(Written::Overtaken)
            }
            Err(error) => Err(failed("the catalogue could not be written to")(error)),
        }
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

fn tag(row: &ImportRow, created: bool) -> String {
    format!("{} {}", row.tag, if created { "created" } else { "changed" })
}

/// The same error for each update that it stopped.
fn again(error: &anyhow::Error) -> Refused {
    Refused::Failed(match error.downcast_ref::<TooLarge>() {
        Some(too_large) => (*too_large).into(),
        None => anyhow!("{error:#}"),
    })
}

fn split<T>(known: Option<Versioned<T>>) -> (Option<T>, Option<u64>) {
    known.map_or((None, None), |known| (Some(known.value), Some(known.version)))
}

fn row(thing: String, item: String, value: &impl Serialize, read: Option<u64>, now: Timestamp) -> anyhow::Result<Row> {
    let version = read.unwrap_or(0) + 1;
    Ok(Row { thing, item, body: rows::body(value)?, version, written: now, import: None })
}
