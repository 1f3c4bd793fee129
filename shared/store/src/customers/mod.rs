mod contacts;
mod containers;
mod erasing;
mod events;
mod identity;
mod lists;
mod members;
mod merging;
mod orders;
mod places;
mod row;
mod sample;
mod scan;
mod suppression;

use std::sync::Arc;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use domain::{Customer, CustomerId, Event, EventId, Order, OrderId, RunId};
use jiff::Timestamp;
use tokio::sync::OnceCell;

pub use contacts::ContactKind;
pub use containers::KnownContainer;
pub use erasing::Erased;
pub use events::PutEvent;
pub use identity::{Found, Identity, Linked};
pub use members::Counted;
pub(crate) use members::{Part, in_parts};
pub use orders::{KnownOrder, OrderOwner, Saying};
pub use row::List;
use row::PROFILE;
pub(crate) use row::{Moved, Row, key, owner, partition, run_item};
pub use sample::Sample;
pub use scan::{CustomerScan, EventsMeant, Kinds, ScanPlace, Scanned, ScannedPage};
pub use suppression::{SoftBounce, Suppression};

use crate::CUSTOMER_SHARDS;
use crate::rows::{self, Item, Versioned, Written, failed, number, text};

/// The customers table: everything about one customer under one key.
#[derive(Debug, Clone)]
pub struct Customers {
    db: Client,
    table: String,
    /// Keys the fingerprints of addresses and ids; read at first use.
    secret: Arc<OnceCell<String>>,
}

/// What to load of a customer, beside the profile.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// These orders.
    pub orders: Vec<OrderId>,
    /// These events.
    pub events: Vec<EventId>,
    /// These campaign runs.
    pub runs: Vec<RunId>,
}

/// What was loaded of a customer.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Whether the customer was erased; then nothing else is there.
    pub erased: bool,
    /// The profile, if the customer is known.
    pub customer: Option<Customer>,
    /// The orders that were there.
    pub orders: Vec<Order>,
    /// The events that were there.
    pub events: Vec<Event>,
    /// The runs that were there, each with its row's version.
    pub runs: Vec<Versioned<campaigns::Run>>,
}

impl Customers {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table, secret: Arc::default() }
    }

    /// A customer's profile, under whatever id they are known now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn profile(&self, id: &CustomerId) -> anyhow::Result<Found<Option<Versioned<Customer>>>> {
        let found = self.find(id, &[PROFILE.to_owned()]).await?;
        found.map(|rows| rows.into_iter().next().map(versioned).transpose())
    }

    /// Writes a profile, if its row is still at the version that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_profile(&self, customer: &Customer, read: Option<u64>, now: Timestamp) -> anyhow::Result<Written> {
        self.put(&self.profile_row(customer, read, now).await?, read).await
    }

    async fn profile_row(&self, customer: &Customer, read: Option<u64>, now: Timestamp) -> anyhow::Result<Row> {
        let shard = rows::part(customer.id.as_str(), CUSTOMER_SHARDS).to_string();
        let row = Row::new(&customer.id, PROFILE.into(), customer, read, now)?;
        let shard = Some(shard).filter(|_| !customer.id.is_visitor());
        Ok(Row { shard, contacts: self.fingerprints(&customer.profile).await?, ..row })
    }

    /// The profile and whatever else is wanted, with consistent reads; of a customer
    /// who is another one now, what that one has. Runs stay with the id under which
    /// they began. Nothing of somebody who was erased.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn load(&self, id: &CustomerId, wanted: &Wanted) -> anyhow::Result<Loaded> {
        let mut items = vec![PROFILE.to_owned()];
        items.extend(wanted.orders.iter().map(row::order_item));
        items.extend(wanted.events.iter().map(row::event_item));
        let runs: Vec<String> = wanted.runs.iter().map(run_item).collect();
        let own: Vec<String> = items.iter().chain(&runs).cloned().collect();
        let mut loaded = Loaded::default();
        let Found::Here { id: now_known_as, what } = self.find(id, &own).await? else {
            return Ok(Loaded { erased: true, ..loaded });
        };
        for row in what {
            loaded.take(row)?;
        }
        if now_known_as != *id {
            for item in self.rows_of(id, &runs).await? {
                loaded.take(item)?;
            }
        }
        Ok(loaded)
    }

    /// A page of one part of all customers, behind `after`, in the order of
    /// their keys; with the place where the next page begins.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn page(
        &self,
        shard: u32,
        after: Option<&str>,
        limit: i32,
    ) -> anyhow::Result<(Vec<Customer>, Option<String>)> {
        let start = after.map(|after| {
            let mut start = key(after, PROFILE);
            start.insert("shard".into(), text(shard.to_string()));
            start
        });
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .index_name("profiles")
            .key_condition_expression("#shard = :shard")
            .expression_attribute_names("#shard", "shard")
            .expression_attribute_values(":shard", text(shard.to_string()))
            .limit(limit)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("the customers could not be gone through"))?;
        let next = page.last_evaluated_key.as_ref().and_then(|key| attribute(key, "customer")).map(str::to_owned);
        let read = |item| rows::parse(&rows::decode::<Row>(item)?.body);
        let customers = page.items.unwrap_or_default().into_iter().filter_map(|item| rows::readable(read(item)));
        Ok((customers.collect(), next))
    }

    /// These rows of one partition, those that are there.
    async fn rows_of(&self, id: &CustomerId, items: &[String]) -> anyhow::Result<Vec<Row>> {
        let mut found = Vec::new();
        for items in items.chunks(100) {
            let keys = items.iter().map(|item| key(partition(id), item)).collect();
            for item in self.batch(keys).await? {
                found.push(rows::decode(item)?);
            }
        }
        Ok(found)
    }

    /// A page of the rows of one partition whose item begins so, in the order of
    /// their keys.
    async fn beginning(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<&str>,
        limit: Option<i32>,
    ) -> anyhow::Result<(Vec<Row>, Option<String>)> {
        let query = self
            .db
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_values(":customer", text(partition))
            .set_limit(limit)
            .set_exclusive_start_key(after.map(|after| key(partition, after)));
        let query = if prefix.is_empty() {
            query.key_condition_expression("customer = :customer")
        } else {
            query
                .key_condition_expression("customer = :customer AND begins_with(#item, :prefix)")
                .expression_attribute_names("#item", "item")
                .expression_attribute_values(":prefix", text(prefix))
        };
        let page = query.send().await.map_err(failed("the customer's rows could not be read"))?;
        let next = page.last_evaluated_key.as_ref().and_then(|key| attribute(key, "item")).map(str::to_owned);
        let rows: anyhow::Result<Vec<Row>> = page.items.unwrap_or_default().into_iter().map(rows::decode).collect();
        Ok((rows?, next))
    }

    /// All rows of one partition whose item begins so.
    async fn all_beginning(&self, partition: &str, prefix: &str) -> anyhow::Result<Vec<Row>> {
        let (mut rows, mut next) = self.beginning(partition, prefix, None, None).await?;
        while let Some(after) = next {
            let (more, further) = self.beginning(partition, prefix, Some(&after), None).await?;
            rows.extend(more);
            next = further;
        }
        Ok(rows)
    }

    async fn batch(&self, keys: Vec<Item>) -> anyhow::Result<Vec<Item>> {
        batch_get(&self.db, &self.table, keys).await
    }

    async fn item(&self, partition: String, item: String) -> anyhow::Result<Option<Item>> {
        let got =
            self.db.get_item().table_name(&self.table).set_key(Some(key(partition, item))).consistent_read(true).send();
        Ok(got.await.map_err(failed("the customers table could not be read"))?.item)
    }

    async fn put(&self, row: &Row, read: Option<u64>) -> anyhow::Result<Written> {
        let put = self.db.put_item().table_name(&self.table).set_item(Some(rows::encode(row)?));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(customer)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        overtaken(put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::None).send().await)
    }

    async fn delete(&self, partition: impl Into<String>, item: impl Into<String>) -> anyhow::Result<()> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(key(partition, item)));
        delete.send().await.map(drop).map_err(failed("a row could not be deleted"))
    }

    /// A name for a text that does not give it away to anybody without our secret.
    async fn fingerprint(&self, of: &str, text: &str) -> anyhow::Result<String> {
        let secret = self.secret.get_or_try_init(async || self.read_secret().await).await?;
        Ok(domain::digest(&["fingerprint", secret, of, text]))
    }

    /// The secret of this table; made at the first call.
    async fn read_secret(&self) -> anyhow::Result<String> {
        loop {
            if let Some(item) = self.item("secret".into(), "fingerprints".into()).await? {
                return attribute(&item, "secret").map(str::to_owned).context("the fingerprints' secret is not there");
            }
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
            let mut item = key("secret", "fingerprints");
            item.insert("secret".into(), text(random.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
            let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
            overtaken(put.condition_expression("attribute_not_exists(customer)").send().await)?;
        }
    }
}

impl Loaded {
    fn take(&mut self, row: Row) -> anyhow::Result<()> {
        match row.item.split_once('#').map_or(row.item.as_str(), |(kind, _)| kind) {
            PROFILE => self.customer = Some(rows::parse(&row.body)?),
            "order" => self.orders.push(rows::parse(&row.body)?),
            "event" => self.events.push(rows::parse(&row.body)?),
            "run" => self.runs.push(versioned(row)?),
            _ => {}
        }
        Ok(())
    }
}

/// These rows of a table, up to a hundred, those that are there.
pub(crate) async fn batch_get(db: &Client, table: &str, keys: Vec<Item>) -> anyhow::Result<Vec<Item>> {
    let mut found = Vec::with_capacity(keys.len());
    if keys.is_empty() {
        return Ok(found);
    }
    let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
    let mut open = Some(request);
    while let Some(request) = open.take() {
        let answer = db
            .batch_get_item()
            .request_items(table, request)
            .send()
            .await
            .map_err(failed("the customer could not be loaded"))?;
        found.extend(answer.responses.unwrap_or_default().remove(table).unwrap_or_default());
        open = answer.unprocessed_keys.unwrap_or_default().remove(table);
    }
    Ok(found)
}

fn versioned<T: serde::de::DeserializeOwned>(row: Row) -> anyhow::Result<Versioned<T>> {
    Ok(Versioned { value: rows::parse(&row.body)?, version: row.version })
}

fn attribute<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

fn overtaken<T>(put: Result<T, SdkError<PutItemError>>) -> anyhow::Result<Written> {
    match put {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
            Ok(Written::Overtaken)
        }
        Err(error) => Err(failed("the customers table could not be written to")(error)),
    }
}
