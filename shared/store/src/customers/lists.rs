//! Lists of customers: who viewed or holds a product, who is in an audience.

use domain::{Code, CustomerId};
use jiff::Timestamp;

use super::row::{List, audience_item, owner};
use super::{Customers, Row, attribute, key, partition};
use crate::CUSTOMER_SHARDS;
use crate::rows::{Item, failed, text};

impl Customers {
    /// A page of the customers who stand in a list, each once, and the place where the
    /// next begins. Anonymous visitors are among them.
    ///
    /// The index may lag behind by a moment.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn listed(
        &self,
        list: &List,
        after: Option<&str>,
        limit: usize,
    ) -> anyhow::Result<(Vec<CustomerId>, Option<String>)> {
        let (mut part, mut start) = place(after);
        let mut found: Vec<CustomerId> = Vec::new();
        while part < CUSTOMER_SHARDS {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .index_name("listed")
                .key_condition_expression("listed = :listed")
                .expression_attribute_values(":listed", text(list.part(part)))
                .limit(i32::try_from(limit - found.len()).unwrap_or(1).max(1))
                .set_exclusive_start_key(start.take().map(|(customer, item): (String, String)| {
                    let mut start = key(customer, item);
                    start.insert("listed".into(), text(list.part(part)));
                    start
                }))
                .send()
                .await
                .map_err(failed("the list could not be read"))?;
            for id in page.items.unwrap_or_default().iter().filter_map(|item| owner(attribute(item, "customer")?)) {
                // Somebody who viewed a product twice stands in the list twice, side by side.
                if found.last() != Some(&id) {
                    found.push(id);
                }
            }
            let last = |key: &Item| Some((attribute(key, "customer")?.to_owned(), attribute(key, "item")?.to_owned()));
            start = page.last_evaluated_key.as_ref().and_then(last);
            if start.is_none() {
                part += 1;
            }
            if found.len() >= limit {
                break;
            }
        }
        let next = (part < CUSTOMER_SHARDS).then(|| match start {
            Some((customer, item)) => format!("{part}\n{customer}\n{item}"),
            None => part.to_string(),
        });
        Ok((found, next))
    }

    /// Puts a customer into an audience. A second time changes nothing.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn join_audience(&self, owner: &CustomerId, audience: &Code, now: Timestamp) -> anyhow::Result<()> {
        let row = Row::new(owner, audience_item(audience), audience, None, now)?;
        let row = Row { listed: Some(List::Audience(audience.clone()).part_of(owner)), ..row };
        self.put(&row, None).await.map(drop)
    }

    /// Takes a customer out of an audience.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn leave_audience(&self, owner: &CustomerId, audience: &Code) -> anyhow::Result<()> {
        self.delete(partition(owner), audience_item(audience)).await
    }

    /// The audiences in which a customer is.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn audiences(&self, owner: &CustomerId) -> anyhow::Result<Vec<String>> {
        let rows = self.all_beginning(&partition(owner), "audience#").await?;
        Ok(rows.into_iter().filter_map(|row| row.item.strip_prefix("audience#").map(str::to_owned)).collect())
    }

    /// The campaign runs that began under this id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn runs(&self, id: &CustomerId) -> anyhow::Result<Vec<campaigns::Run>> {
        let rows = self.all_beginning(&partition(id), "run#").await?;
        rows.iter().map(|row| crate::rows::parse(&row.body)).collect()
    }

    /// The other ids under which a customer was known.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn aliases(&self, owner: &CustomerId) -> anyhow::Result<Vec<CustomerId>> {
        let rows = self.all_beginning(&partition(owner), "alias#").await?;
        let ids = rows.iter().filter_map(|row| row.item.strip_prefix("alias#"));
        Ok(ids.filter_map(|id| CustomerId::parse(id).ok()).collect())
    }
}

/// The part and the row behind which a page begins.
fn place(after: Option<&str>) -> (u32, Option<(String, String)>) {
    let mut parts = after.unwrap_or_default().splitn(3, '\n');
    let part = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let start = parts.next().zip(parts.next()).map(|(customer, item)| (customer.to_owned(), item.to_owned()));
    (part, start)
}
