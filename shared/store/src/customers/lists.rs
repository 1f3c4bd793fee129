//! Lists of customers: who viewed or holds a product, who is in an audience.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{Code, CustomerId, Event};
use jiff::Timestamp;

use super::row::{List, audience_item, owner};
use super::{Customers, Row, attribute, partition};
use crate::CUSTOMER_SHARDS;
use crate::rows::{self, failed, text};

/// How many views of one product are looked at with one call.
const VIEWS_AT_ONCE: i32 = 50;

/// How many rows of a list are looked at with one call at least, few as may be wanted: of
/// one customer there may be thousands. A row is but its keys.
const ROWS_AT_ONCE: usize = 100;

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
        let (mut part, mut behind) = place(after);
        let mut found: Vec<CustomerId> = Vec::new();
        while part < CUSTOMER_SHARDS && found.len() < limit {
            let (some, next) = self.listed_in(list, part, behind.as_deref(), limit - found.len()).await?;
            found.extend(some);
            behind = next;
            if behind.is_none() {
                part += 1;
            }
        }
        let next = (part < CUSTOMER_SHARDS).then(|| match behind {
            Some(customer) => format!("{part}\n{customer}"),
            None => part.to_string(),
        });
        Ok((found, next))
    }

    /// A page of one part of a list, behind `after`, in the order of [`Self::page`]: a place
    /// in the one is a place in the other.
    ///
    /// The index may lag behind by a moment.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub async fn listed_in(
        &self,
        list: &List,
        part: u32,
        after: Option<&str>,
        limit: usize,
    ) -> anyhow::Result<(Vec<CustomerId>, Option<String>)> {
        let query = self.in_list(list.part(part)).limit(i32::try_from(limit.max(ROWS_AT_ONCE))?);
        // Somebody who viewed a product twice stands in the list twice, side by side:
        // to go on behind the customer goes on behind all their rows.
        let query = match after {
            Some(customer) => query
                .key_condition_expression("listed = :listed AND customer > :behind")
                .expression_attribute_values(":behind", text(customer)),
            None => query.key_condition_expression("listed = :listed"),
        };
        let page = query.send().await.map_err(failed("the list could not be read"))?;
        let mut customers: Vec<String> =
            page.items.iter().flatten().filter_map(|row| attribute(row, "customer").map(str::to_owned)).collect();
        customers.dedup();
        let has_more = limit < customers.len() || page.last_evaluated_key.is_some();
        customers.truncate(limit);
        let found = customers.iter().filter_map(|customer| owner(customer)).collect();
        Ok((found, customers.pop().filter(|_| has_more)))
    }

    /// The place behind a customer in [`Self::listed`].
    #[must_use]
    pub fn listed_behind(id: &CustomerId) -> String {
        format!("{}\n{}", rows::part(id.as_str(), CUSTOMER_SHARDS), partition(id))
    }

    /// Whether a text may be a place that [`Self::listed`] has given.
    #[must_use]
    pub fn is_listed_place(text: &str) -> bool {
        let (part, customer) = text.split_once('\n').map_or((text, None), |(part, customer)| (part, Some(customer)));
        let is_part = part.parse::<u32>().is_ok_and(|part| part < CUSTOMER_SHARDS);
        is_part && customer.is_none_or(|customer| owner(customer).is_some())
    }

    /// Whether a customer viewed a product at `since` or later.
    ///
    /// The index may lag behind by a moment.
    ///
    /// # Errors
    /// If the table or the index cannot be read.
    pub async fn viewed_since(&self, owner: &CustomerId, product: &str, since: Timestamp) -> anyhow::Result<bool> {
        let listed = List::Viewed(product.to_owned()).part_of(owner);
        let mut start = None;
        loop {
            let page = self
                .in_list(&listed)
                .key_condition_expression("listed = :listed AND customer = :customer")
                .expression_attribute_values(":customer", text(partition(owner)))
                .limit(VIEWS_AT_ONCE)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("who viewed the product could not be read"))?;
            let views = page.items.unwrap_or_default();
            let views: Vec<String> =
                views.iter().filter_map(|view| attribute(view, "item").map(str::to_owned)).collect();
            for view in self.rows_of(owner, &views).await? {
                if rows::parse::<Event>(&view.body)?.at >= since {
                    return Ok(true);
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(false);
            }
        }
    }

    /// The rows of one part of a list, still without the condition by which they are
    /// looked for.
    pub(super) fn in_list(&self, listed: impl Into<String>) -> QueryFluentBuilder {
        let query = self.db.query().table_name(&self.table).index_name("listed");
        query.expression_attribute_values(":listed", text(listed))
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

/// The part and the customer behind whom a page begins.
fn place(after: Option<&str>) -> (u32, Option<String>) {
    let mut parts = after.unwrap_or_default().split('\n');
    let part = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    (part, parts.next().filter(|customer| !customer.is_empty()).map(str::to_owned))
}
