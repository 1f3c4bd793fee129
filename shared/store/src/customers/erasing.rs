//! Deleting everything about somebody.

use domain::{Customer, CustomerId, Order};
use futures::TryStreamExt;
use jiff::Timestamp;

use super::row::PROFILE;
use super::{Customers, partition, run_item};
use crate::memberships::SEGMENTS;
use crate::rows;

/// What of an erased customer lies in other tables, and is for others to delete.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Erased {
    /// The ids under which they were known.
    pub ids: Vec<CustomerId>,
    /// The campaign runs that they were in, which may have timers.
    pub runs: Vec<campaigns::Run>,
}

/// How many rows are deleted at the same time.
const AT_ONCE: usize = 8;

impl Customers {
    /// Deletes every row of a customer who is marked as erased, and of everybody that
    /// they were before; stops all mail to their addresses.
    ///
    /// May be done again, and is when something arrives late.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn erase(&self, id: &CustomerId, now: Timestamp) -> anyhow::Result<Erased> {
        let mut erased = Erased::default();
        let mut open = vec![id.clone()];
        while let Some(id) = open.pop() {
            let mut rows = Vec::new();
            for row in self.all_beginning(&partition(&id), "").await? {
                match row.item.split_once('#').map_or(row.item.as_str(), |(kind, _)| kind) {
                    PROFILE => {
                        let customer: Customer = rows::parse(&row.body)?;
                        if let Some(address) = customer.profile.address() {
                            self.suppress_erased(&address, now).await?;
                        }
                        self.forget_contacts(&id, &row.contacts).await?;
                    }
                    "order" => {
                        let order: Order = rows::parse(&row.body)?;
                        self.forget_owner(&order.id, &id).await?;
                    }
                    // Goes when its timer is gone, which nothing else knows of.
                    SEGMENTS => continue,
                    "run" => {
                        erased.runs.push(rows::parse(&row.body)?);
                        continue;
                    }
                    "alias" => {
                        open.extend(row.item.strip_prefix("alias#").and_then(|id| CustomerId::parse(id).ok()));
                        // Goes last of all, when what it names is gone.
                        continue;
                    }
                    _ => {}
                }
                rows.push(row);
            }
            futures::stream::iter(rows.into_iter().map(Ok))
                .try_for_each_concurrent(AT_ONCE, async |row| self.delete(row.customer, row.item).await)
                .await?;
            erased.ids.push(id);
        }
        Ok(erased)
    }

    /// Deletes what still named an erased customer, once everything else is gone. That
    /// they were erased stays, under every id that they had, by its keyed hash.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn forget(&self, erased: &Erased) -> anyhow::Result<()> {
        for id in &erased.ids {
            // A run that began meanwhile may have a timer: whoever began it comes by here.
            for run in &erased.runs {
                self.delete(partition(id), run_item(&run.id)).await?;
            }
            for row in self.all_beginning(&partition(id), "alias#").await? {
                self.delete(&row.customer, &row.item).await?;
            }
            self.forget_name(id).await?;
        }
        Ok(())
    }
}
