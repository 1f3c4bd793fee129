//! Containers: one row for each, and one for each product that is or was in it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use domain::{Change, Code, Container, CustomerId, Item};
use jiff::Timestamp;

use super::row::{container_item, item_item, items};
use super::{Customers, Found, List, Row, key, partition, versioned};
use crate::rows::{self, Versioned, Written, failed, number};

/// A container as it is recorded: itself, and what is known of its items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownContainer {
    /// The container, if anything was ever done to it as a whole.
    pub container: Option<Versioned<Container>>,
    /// The items that were asked for and are known.
    pub items: BTreeMap<String, Versioned<Item>>,
}

impl KnownContainer {
    /// Since when nothing older is in it.
    #[must_use]
    pub fn floor(&self) -> Option<Timestamp> {
        self.container.as_ref().and_then(|container| container.value.floor)
    }

    pub(super) fn take(&mut self, row: Row) -> anyhow::Result<()> {
        if row.item.starts_with("container#") {
            self.container = Some(versioned(row)?);
        } else {
            let item: Versioned<Item> = versioned(row)?;
            self.items.insert(item.value.product_id.clone(), item);
        }
        Ok(())
    }
}

impl Customers {
    /// A container and these of its items, under whatever id the customer has now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn container(
        &self,
        customer_id: &CustomerId,
        code: &Code,
        products: &[&str],
    ) -> anyhow::Result<Found<KnownContainer>> {
        let mut wanted = vec![container_item(code)];
        wanted.extend(products.iter().map(|product| item_item(code, product)));
        wanted.sort();
        wanted.dedup();
        self.find(customer_id, &wanted).await?.map(|rows| {
            let mut known = KnownContainer::default();
            rows.into_iter().try_for_each(|row| known.take(row))?;
            Ok(known)
        })
    }

    /// A container with all its items.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn whole_container(&self, owner: &CustomerId, code: &Code) -> anyhow::Result<KnownContainer> {
        let mut known = KnownContainer::default();
        let head = self.rows_of(owner, &[container_item(code)]).await?;
        let rows = self.all_beginning(&partition(owner), &items(code)).await?;
        head.into_iter().chain(rows).try_for_each(|row| known.take(row))?;
        Ok(known)
    }

    /// All containers of a customer, by their codes.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn containers(&self, owner: &CustomerId) -> anyhow::Result<BTreeMap<Code, KnownContainer>> {
        let mut known: BTreeMap<Code, KnownContainer> = BTreeMap::new();
        for prefix in ["container#", "item#"] {
            for row in self.all_beginning(&partition(owner), prefix).await? {
                let code = row.item.split('#').nth(1).unwrap_or_default();
                known.entry(Code::parse(code)?).or_default().take(row)?;
            }
        }
        Ok(known)
    }

    /// Writes a container, if its row is still at the version that was read; with the
    /// change that comes with it, if anybody need hear of one.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_container(
        &self,
        owner: &CustomerId,
        code: &Code,
        container: &Container,
        change: Option<&Change>,
        read: Option<u64>,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let news = change.map(rows::body).transpose()?;
        self.put(&Row { news, ..Row::new(owner, container_item(code), container, read, now)? }, read).await
    }

    /// Writes an item, if its row is still at the version that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_item(
        &self,
        owner: &CustomerId,
        item: &Item,
        read: Option<u64>,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        self.put(&item_row(owner, item, read, now)?, read).await
    }

    /// Deletes an item of which nothing is in its container, if its row is still at the
    /// version that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn forget_item(&self, owner: &CustomerId, item: &Item, read: u64) -> anyhow::Result<()> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(partition(owner), item_item(&item.container, &item.product_id))))
            .condition_expression("#version = :read")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(read));
        match delete.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            deleted => deleted.map(drop).map_err(failed("an item could not be deleted")),
        }
    }
}

pub(super) fn item_row(owner: &CustomerId, item: &Item, read: Option<u64>, now: Timestamp) -> anyhow::Result<Row> {
    let row = Row::new(owner, item_item(&item.container, &item.product_id), item, read, now)?;
    let holds = List::Holding(item.container.clone(), item.product_id.clone()).part_of(owner);
    Ok(Row { listed: item.held(None).map(|_| holds), ..row })
}
