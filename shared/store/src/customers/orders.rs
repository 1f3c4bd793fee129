//! Orders: each beside its customer, and a pointer that finds it by its own id.

use anyhow::Context;
use domain::dated::Said;
use domain::{CustomerId, Order, OrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{POINTER, order_item, sayings};
use super::{Customers, Found, Row, attribute, key, overtaken, partition, versioned};
use crate::rows::{self, Versioned, Written, failed, text};

/// Whose an order is, by its own id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderOwner {
    /// The customer asked about; the pointer is in place.
    Same,
    /// Somebody who is the customer asked about now: what they have is on its way.
    Before(CustomerId),
    /// Somebody else.
    Other,
}

/// An order as it is recorded, and where.
pub type KnownOrder = Found<Option<Versioned<Order>>>;

/// One thing that was said of an order, kept for its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saying {
    /// Of which order.
    pub order_id: OrderId,
    /// When it was true, by the shop's own account.
    pub at: Timestamp,
    /// Whether it was all there was to say.
    pub whole: bool,
    /// What was said.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl Saying {
    /// What was said as it is worked in.
    #[must_use]
    pub fn said(&self) -> Said {
        Said { whole: self.whole, fields: self.fields.clone() }
    }
}

impl Customers {
    /// An order of this customer, under whatever id they are known now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn order(&self, customer_id: &CustomerId, id: &OrderId) -> anyhow::Result<KnownOrder> {
        let found = self.find(customer_id, &[order_item(id)]).await?;
        found.map(|rows| rows.into_iter().next().map(versioned).transpose())
    }

    /// Whose order this is, by its own id alone.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn owner_of(&self, id: &OrderId) -> anyhow::Result<Option<CustomerId>> {
        let item = self.item(order_item(id), POINTER.to_owned()).await?;
        let Some(owner) = item.as_ref().and_then(|item| attribute(item, "owner")) else { return Ok(None) };
        Ok(Some(CustomerId::parse(owner).context("an order's pointer names no customer")?))
    }

    /// Notes whose order this is. Done before the order is written: a pointer to an
    /// order that never came harms nobody, an order that cannot be found does.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
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
            // Whose it was may be who this is now.
            Written::Overtaken => match self.owner_of(id).await? {
                Some(known) if matches!(self.resolve(&known).await?, Found::Here { id, .. } if id == *owner) => {
                    Ok(if known == *owner { OrderOwner::Same } else { OrderOwner::Before(known) })
                }
                _ => Ok(OrderOwner::Other),
            },
        }
    }

    /// Writes an order, if its row is still at the version that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_order(&self, order: &Order, read: Option<u64>, now: Timestamp) -> anyhow::Result<Written> {
        self.put(&Row::new(&order.customer_id, order_item(&order.id), order, read, now)?, read).await
    }

    /// Keeps something that was said of an order. The same once more changes nothing.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn keep_saying(&self, owner: &CustomerId, saying: &Saying, now: Timestamp) -> anyhow::Result<()> {
        let said = serde_json::to_string(saying)?;
        let item = format!("{}{}#{}", sayings(&saying.order_id), domain::sortable(saying.at), domain::digest(&[&said]));
        let row = Row::new(owner, item, saying, None, now)?;
        self.put(&row, None).await.map(drop)
    }

    /// All that was said of an order, oldest first; nothing of one of which only one
    /// thing was said.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn sayings(&self, owner: &CustomerId, id: &OrderId) -> anyhow::Result<Vec<Saying>> {
        let rows = self.all_beginning(&partition(owner), &sayings(id)).await?;
        let said: anyhow::Result<Vec<Saying>> = rows.iter().map(|row| rows::parse(&row.body)).collect();
        // Another order's id may go on where this one's ends.
        Ok(said?.into_iter().filter(|saying| saying.order_id == *id).collect())
    }

    /// All orders of a customer, those taken back among them.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn orders(&self, owner: &CustomerId) -> anyhow::Result<Vec<Order>> {
        let rows = self.all_beginning(&partition(owner), "order#").await?;
        rows.iter().map(|row| rows::parse(&row.body)).collect()
    }

    pub(super) async fn forget_owner(&self, id: &OrderId, owner: &CustomerId) -> anyhow::Result<()> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(order_item(id), POINTER)))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner.as_str()));
        match delete.send().await {
            Err(aws_sdk_dynamodb::error::SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            deleted => deleted.map(drop).map_err(failed("an order's pointer could not be deleted")),
        }
    }
}
