//! Hands what happened to a product on to the customers whom it concerns.
//!
//! Nobody is looked for unless an active campaign wants to hear of it. Those who are
//! found, in the lists of who viewed or holds a product, are gone through page by page:
//! each goes onto the evaluations queue, which asks once more whether it concerns them,
//! and the next page onto our own. A page that is worked on twice hands the same changes
//! on twice, and the same change is one run.

use std::collections::BTreeSet;

use aws::Queue;
use aws_lambda_events::sqs::SqsEvent;
use campaigns::Whom;
use contracts::{Cause, Concerned, Evaluation, Happened, ProductWork};
use domain::{Change, ProductId};
use jiff::SignedDuration;
use lambda::batch::{self, Answer};
use store::{Active, ActiveSet, Catalogue, Customers, Definitions, List};

/// How many customers one page has.
const PAGE: usize = 100;

/// Serves the product-changes queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = aws_sdk_dynamodb::Client::new(&config);
    let sqs = aws_sdk_sqs::Client::new(&config);
    let required = lambda::config::required;
    let changes = ProductChanges {
        active: ActiveSet::new(Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?)),
        catalogue: Catalogue::new(db.clone(), required("CATALOGUE_TABLE")?),
        customers: Customers::new(db, required("CUSTOMERS_TABLE")?),
        evaluations: Queue::new(sqs.clone(), required("EVALUATIONS_QUEUE_URL")?),
        queue: Queue::new(sqs, required("PRODUCT_CHANGES_QUEUE_URL")?),
    };
    lambda::serve(async |event, _| changes.batch(event).await).await
}

struct ProductChanges {
    active: ActiveSet,
    catalogue: Catalogue,
    customers: Customers,
    evaluations: Queue,
    queue: Queue,
}

impl ProductChanges {
    async fn batch(&self, event: SqsEvent) -> anyhow::Result<Answer> {
        let active = self.active.current().await?;
        batch::messages(event, async |work| self.work(&active, work).await).await
    }

    async fn work(&self, active: &Active, work: ProductWork) -> anyhow::Result<()> {
        match work {
            ProductWork::Changed { happened } => self.begin(active, happened).await,
            ProductWork::Page { happened, concerned, after, .. } => {
                let wanted = by_whom(active, &happened.change).contains(&concerned);
                match happened.change.product_id() {
                    Some(product_id) if wanted && self.is_still(product_id, &happened.change).await? => {
                        self.page(product_id, &happened, concerned, after.as_deref()).await
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// The first page of everybody whom a campaign names.
    async fn begin(&self, active: &Active, happened: Vec<Happened>) -> anyhow::Result<()> {
        let pages = happened.into_iter().flat_map(|happened| {
            by_whom(active, &happened.change).into_iter().map(move |concerned| {
                let happened = happened.clone();
                (ProductWork::Page { happened, concerned, after: None, customer_id: None }, SignedDuration::ZERO)
            })
        });
        self.queue.send(&pages.collect::<Vec<_>>()).await
    }

    /// Whether the product is still as the change left it. If it is not, there is another
    /// change that says how it is.
    async fn is_still(&self, product_id: &ProductId, change: &Change) -> anyhow::Result<bool> {
        let product = self.catalogue.product(product_id).await?;
        Ok(product.is_some_and(|product| product.value.is_still(change)))
    }

    /// One page. The next is sent for last of all: until then this one comes again.
    async fn page(
        &self,
        product_id: &ProductId,
        happened: &Happened,
        concerned: Concerned,
        after: Option<&str>,
    ) -> anyhow::Result<()> {
        let product = product_id.to_string();
        let list = match &concerned {
            Concerned::Viewed => List::Viewed(product),
            Concerned::Holding(container) => List::Holding(container.clone(), product),
        };
        let (customers, next) = self.customers.listed(&list, after, PAGE).await?;
        let last = customers.last().cloned();
        // Of an anonymous visitor there is no address to write to.
        let customers = customers.into_iter().filter(|id| !id.is_visitor());
        let evaluations: Vec<_> = customers
            .map(|customer_id| {
                let Happened { change, at } = happened.clone();
                let causes = vec![Cause::Changed { change, at }];
                (Evaluation { customer_id, causes }, SignedDuration::ZERO)
            })
            .collect();
        self.evaluations.send(&evaluations).await?;
        let Some(after) = next else { return Ok(()) };
        let happened = happened.clone();
        let next = ProductWork::Page { happened, concerned, after: Some(after), customer_id: last };
        self.queue.send(&[(next, SignedDuration::ZERO)]).await
    }
}

/// The customers whom the active campaigns that this change sets off are about.
fn by_whom(active: &Active, change: &Change) -> BTreeSet<Concerned> {
    let triggers = active.campaigns.iter().map(|campaign| &campaign.value.trigger);
    let whom = triggers.filter(|trigger| trigger.is_set_off_by(change)).filter_map(|trigger| trigger.whom());
    whom.map(|whom| match whom {
        Whom::ViewedWithin(_) => Concerned::Viewed,
        Whom::Holding(container) => Concerned::Holding(container.clone()),
    })
    .collect()
}
