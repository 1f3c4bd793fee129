//! Whom it concerns what happened, asked of one customer.

use anyhow::Context as _;
use campaigns::{Campaign, Whom};
use domain::{Change, CustomerId, Product, ProductId};
use jiff::Timestamp;
use store::{Found, Versioned};

use crate::Evaluate;

impl Evaluate {
    /// Of these campaigns, those whose change concerns the customer, and who the customer
    /// is; none if they were erased.
    ///
    /// Whatever happens to a customer concerns them. What happens to a product concerns
    /// whoever it is that was found in a list: under the id that they have now, so that
    /// somebody who was found twice is one.
    pub(crate) async fn concerned<'c>(
        &self,
        customer_id: &CustomerId,
        fitting: Vec<&'c Versioned<Campaign>>,
        change: &Change,
        at: Timestamp,
    ) -> anyhow::Result<Option<(CustomerId, Vec<&'c Versioned<Campaign>>)>> {
        let Some(product_id) = change.product_id().filter(|_| !fitting.is_empty()) else {
            return Ok(Some((customer_id.clone(), fitting)));
        };
        let Found::Here { id, .. } = self.customers.resolve(customer_id).await? else { return Ok(None) };
        let mut set_off = Vec::new();
        for campaign in fitting {
            if let Some(whom) = campaign.value.trigger.whom()
                && self.concerns(&id, product_id, whom, at).await?
            {
                set_off.push(campaign);
            }
        }
        Ok(Some((id, set_off)))
    }

    /// Whether the customer is one of those. Lists, by which they were found, may be old:
    /// whoever took the product out of a container since is not.
    ///
    /// What they viewed counts from `at`, when the change was taken in, so that the same
    /// cause a second time concerns the same customers.
    async fn concerns(
        &self,
        customer_id: &CustomerId,
        product_id: &ProductId,
        whom: &Whom,
        at: Timestamp,
    ) -> anyhow::Result<bool> {
        let product = product_id.as_str();
        match whom {
            Whom::ViewedWithin(length) => {
                let since = at.checked_sub(*length).context("a length of time that no clock can tell")?;
                self.customers.viewed_since(customer_id, product, since).await
            }
            Whom::Holding(code) => match self.customers.container(customer_id, code, &[product]).await? {
                Found::Here { what: known, .. } => {
                    Ok(known.items.get(product).is_some_and(|item| item.value.held(known.floor()).is_some()))
                }
                Found::Erased => Ok(false),
            },
        }
    }

    /// The product as it is now, unless the shop took it back.
    pub(crate) async fn product(&self, id: &ProductId) -> anyhow::Result<Option<Product>> {
        Ok(self.catalogue.product(id).await?.map(|known| known.value).filter(|product| !product.is_deleted()))
    }
}
