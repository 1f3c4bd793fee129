use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use domain::{Customer, CustomerId, EmailAddress, Event, EventId, Order, OrderId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::CUSTOMER_SHARDS;
use crate::rows::{self, Item, Versioned, Written, failed, number, text};

/// The customers table: everything about one customer under one key.
#[derive(Debug, Clone)]
pub struct Customers {
    db: Client,
    table: String,
}

/// Whose an order is, by its own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderOwner {
    /// The customer asked about; the pointer is in place.
    Same,
    /// Somebody else.
    Other,
}

/// What became of an event that was handed in.
#[derive(Debug, Clone, PartialEq)]
pub enum PutEvent {
    /// It is recorded now.
    New,
    /// An event of this id was recorded before; here it is.
    Known(Box<Event>),
}

/// An address that must not be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Why: `bounce` or `complaint`.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
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
    /// The profile, if the customer is known.
    pub customer: Option<Customer>,
    /// The orders that were there.
    pub orders: Vec<Order>,
    /// The events that were there.
    pub events: Vec<Event>,
    /// The runs that were there, each with its row's version.
    pub runs: Vec<Versioned<campaigns::Run>>,
}

/// A row that holds a domain object.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) body: String,
    pub(crate) version: u64,
    /// When it was taken in, by our own clock.
    pub(crate) written: Timestamp,
    /// On profiles only: makes them findable without a scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
}

pub(crate) fn partition(id: &CustomerId) -> String {
    format!("customer#{id}")
}

pub(crate) fn run_item(id: &RunId) -> String {
    format!("run#{id}")
}

fn order_item(id: &OrderId) -> String {
    format!("order#{id}")
}

fn event_item(id: &EventId) -> String {
    format!("event#{id}")
}

const PROFILE: &str = "profile";
const POINTER: &str = "pointer";
const SUPPRESSION: &str = "suppression";

fn key(partition: impl Into<String>, item: impl Into<String>) -> Item {
    Item::from([("customer".into(), text(partition)), ("item".into(), text(item))])
}

impl Customers {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// A customer's profile.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn profile(&self, id: &CustomerId) -> anyhow::Result<Option<Versioned<Customer>>> {
        self.row(partition(id), PROFILE.to_owned()).await
    }

    /// Writes a profile, if its row is still at the version that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_profile(&self, customer: &Customer, read: Option<u64>, now: Timestamp) -> anyhow::Result<Written> {
        let shard = rows::part(customer.id.as_str(), CUSTOMER_SHARDS).to_string();
        let row = Row { shard: Some(shard), ..row(partition(&customer.id), PROFILE.into(), customer, read, now)? };
        self.put(&row, read).await
    }

    /// An order of this customer.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn order(&self, customer_id: &CustomerId, id: &OrderId) -> anyhow::Result<Option<Versioned<Order>>> {
        self.row(partition(customer_id), order_item(id)).await
    }

    /// Whose order this is, by its own id alone.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn owner_of(&self, id: &OrderId) -> anyhow::Result<Option<CustomerId>> {
        let item = self.item(order_item(id), POINTER.to_owned()).await?;
        let Some(owner) = item.as_ref().and_then(|item| item.get("owner")).and_then(|owner| owner.as_s().ok()) else {
            return Ok(None);
        };
        Ok(Some(CustomerId::parse(owner).context("an order's pointer names no customer")?))
    }

    /// Notes whose order this is, once and for all. Done before the order is
    /// written: a pointer to an order that never came harms nobody, an order
    /// that cannot be found does.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn note_owner(&self, id: &OrderId, owner: &CustomerId) -> anyhow::Result<OrderOwner> {
        let mut item = key(order_item(id), POINTER);
        item.insert("owner".into(), text(owner.as_str()));
        let put = self
            .db
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(customer) OR #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner.as_str()))
            .send()
            .await;
        match overtaken(put)? {
            Written::Done => Ok(OrderOwner::Same),
            Written::Overtaken => Ok(OrderOwner::Other),
        }
    }

    /// Writes an order, if its row is still at the version that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_order(&self, order: &Order, read: Option<u64>, now: Timestamp) -> anyhow::Result<Written> {
        self.put(&row(partition(&order.customer_id), order_item(&order.id), order, read, now)?, read).await
    }

    /// Records an event, once.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_event(&self, event: &Event, now: Timestamp) -> anyhow::Result<PutEvent> {
        let row = row(partition(&event.customer_id), event_item(&event.id), event, None, now)?;
        match self.put(&row, None).await? {
            Written::Done => Ok(PutEvent::New),
            Written::Overtaken => {
                let known = self.row(row.customer, row.item).await?.context("an event that was there is gone")?;
                Ok(PutEvent::Known(Box::new(known.value)))
            }
        }
    }

    /// Whether an address must not be written to, and why.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn suppression(&self, address: &EmailAddress) -> anyhow::Result<Option<Suppression>> {
        let item = self.item(suppressed(address), SUPPRESSION.into()).await?;
        item.map(rows::decode).transpose()
    }

    /// Stops all mail to an address. A second time changes nothing.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn suppress(&self, address: &EmailAddress, suppression: &Suppression) -> anyhow::Result<Written> {
        let mut item = rows::encode(suppression)?;
        item.extend(key(suppressed(address), SUPPRESSION));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        overtaken(put.condition_expression("attribute_not_exists(customer)").send().await)
    }

    /// The profile and whatever else is wanted, with consistent reads.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn load(&self, id: &CustomerId, wanted: &Wanted) -> anyhow::Result<Loaded> {
        let mut items = vec![PROFILE.to_owned()];
        items.extend(wanted.orders.iter().map(order_item));
        items.extend(wanted.events.iter().map(event_item));
        items.extend(wanted.runs.iter().map(run_item));
        items.sort();
        items.dedup();
        let mut loaded = Loaded::default();
        for items in items.chunks(100) {
            let keys = items.iter().map(|item| key(partition(id), item)).collect();
            for item in self.batch(keys).await? {
                loaded.take(rows::decode(item)?)?;
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
        let next = page
            .last_evaluated_key
            .as_ref()
            .and_then(|key| key.get("customer"))
            .and_then(|key| key.as_s().ok())
            .cloned();
        let read = |item| rows::parse(&rows::decode::<Row>(item)?.body);
        let customers = page.items.unwrap_or_default().into_iter().filter_map(|item| rows::readable(read(item)));
        Ok((customers.collect(), next))
    }

    async fn batch(&self, keys: Vec<Item>) -> anyhow::Result<Vec<Item>> {
        let mut found = Vec::with_capacity(keys.len());
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
        let mut open = Some(request);
        while let Some(request) = open.take() {
            let answer = self
                .db
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(failed("the customer could not be loaded"))?;
            found.extend(answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default());
            open = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
        }
        Ok(found)
    }

    async fn item(&self, partition: String, item: String) -> anyhow::Result<Option<Item>> {
        let got =
            self.db.get_item().table_name(&self.table).set_key(Some(key(partition, item))).consistent_read(true).send();
        Ok(got.await.map_err(failed("the customers table could not be read"))?.item)
    }

    async fn row<T: serde::de::DeserializeOwned>(
        &self,
        partition: String,
        item: String,
    ) -> anyhow::Result<Option<Versioned<T>>> {
        let Some(item) = self.item(partition, item).await? else { return Ok(None) };
        let row: Row = rows::decode(item)?;
        Ok(Some(Versioned { value: rows::parse(&row.body)?, version: row.version }))
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
}

impl Loaded {
    fn take(&mut self, row: Row) -> anyhow::Result<()> {
        match row.item.split_once('#').map_or(row.item.as_str(), |(kind, _)| kind) {
            PROFILE => self.customer = Some(rows::parse(&row.body)?),
            "order" => self.orders.push(rows::parse(&row.body)?),
            "event" => self.events.push(rows::parse(&row.body)?),
            "run" => self.runs.push(Versioned { value: rows::parse(&row.body)?, version: row.version }),
            _ => {}
        }
        Ok(())
    }
}

fn suppressed(address: &EmailAddress) -> String {
    format!("address#{}", address.fingerprint())
}

pub(crate) fn row(
    customer: String,
    item: String,
    value: &impl Serialize,
    read: Option<u64>,
    now: Timestamp,
) -> anyhow::Result<Row> {
    let version = read.unwrap_or(0) + 1;
    Ok(Row { customer, item, body: rows::body(value)?, version, written: now, shard: None })
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
