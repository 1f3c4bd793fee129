mod many;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use domain::{Category, CategoryId, CategoryUpdate, Conflict, Product, ProductId, ProductUpdate};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use many::tag;
pub use many::{ImportRow, Refused, ToldProduct};

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

/// How many rows are gone through with one call.
const PAGE: i32 = 500;

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

fn split<T>(known: Option<Versioned<T>>) -> (Option<T>, Option<u64>) {
    known.map_or((None, None), |known| (Some(known.value), Some(known.version)))
}

fn row(thing: String, item: String, value: &impl Serialize, read: Option<u64>, now: Timestamp) -> anyhow::Result<Row> {
    let version = read.unwrap_or(0) + 1;
    Ok(Row { thing, item, body: rows::body(value)?, version, written: now, import: None })
}
