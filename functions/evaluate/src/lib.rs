//! Brings one customer's campaign runs up to date.
//!
//! A cause is either a change, which may start runs, or a time that has come,
//! at which a run goes on. What comes of it is written in one transaction: the
//! run, the messages that it wrote, the timer that it set. The same cause a
//! second time finds the run in place and changes nothing.

mod active;

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use campaigns::{Campaign, Progress, Run};
use contracts::{Cause, Evaluation, facts};
use domain::{Change, Code, CustomerId, OrderId, RunId};
use intake::Intake;
use jiff::{SignedDuration, Timestamp};
use lambda::Clock;
use lambda::batch::{self, Answer};
use serde_json::Value;
use store::{Customers, Definitions, DictionaryCache, Found, Kind, Messages, Runs, Timers, Wanted, Written};

use crate::active::{Active, ActiveSet};

/// By how much the clocks of two machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

/// Serves the evaluations queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let table = lambda::config::required;
    let customers = table("CUSTOMERS_TABLE")?;
    let messages = Messages::new(db.clone(), table("MESSAGES_TABLE")?);
    let timers = Timers::new(db.clone(), table("TIMERS_TABLE")?);
    let definitions = Definitions::new(db.clone(), table("DEFINITIONS_TABLE")?);
    let known = Customers::new(db.clone(), customers.clone());
    let evaluate = Evaluate {
        intake: Intake::new(known.clone(), DictionaryCache::new(definitions.clone())),
        cart: Code::parse("cart")?,
        customers: known,
        messages: messages.clone(),
        runs: Runs::new(db, customers, messages, timers),
        active: ActiveSet::new(definitions.clone()),
        definitions,
        clock: Clock::from_env(),
    };
    lambda::serve(async |event, _| evaluate.batch(event).await).await
}

struct Evaluate {
    intake: Intake,
    /// The container that an order came from unless it names another.
    cart: Code,
    customers: Customers,
    definitions: Definitions,
    active: ActiveSet,
    messages: Messages,
    runs: Runs,
    clock: Clock,
}

impl Evaluate {
    async fn batch(&self, event: SqsEvent) -> anyhow::Result<Answer> {
        let active = self.active.current().await?;
        batch::messages(event, async |evaluation| self.customer(&active, evaluation).await).await
    }

    async fn customer(&self, active: &Active, evaluation: Evaluation) -> anyhow::Result<()> {
        let Evaluation { customer_id, causes } = evaluation;
        for cause in causes {
            match cause {
                Cause::Changed { change, at } => {
                    if let Change::OrderCreated { order_id } = &change {
                        self.empty_container(&customer_id, order_id).await?;
                    }
                    self.changed(active, &customer_id, &change, at).await?;
                }
                Cause::Due { run_id, .. } => self.due(&customer_id, run_id).await?,
                Cause::Left => self.left(&customer_id).await?,
                Cause::Contacts { before } => self.customers.note_contacts(&customer_id, &before).await?,
            }
        }
        Ok(())
    }

    /// Starts a run of each active campaign that this change sets off.
    async fn changed(
        &self,
        active: &Active,
        customer_id: &CustomerId,
        change: &Change,
        at: Timestamp,
    ) -> anyhow::Result<()> {
        let set_off: Vec<_> =
            active.campaigns.iter().filter(|campaign| campaign.value.trigger.is_set_off_by(change)).collect();
        let any_set_off = !set_off.is_empty();
        let facts = if set_off.iter().any(|campaign| campaign.value.filter.is_some()) {
            self.facts(customer_id, change).await?
        } else {
            Value::Null
        };
        for campaign in set_off {
            if campaign.value.filter.as_ref().is_some_and(|filter| !filter.holds(&facts)) {
                continue;
            }
            let now = self.clock.now();
            let templates = active.versions_of(&campaign.value);
            let progress =
                Run::start(&campaign.value, campaign.version, templates, customer_id, change.clone(), at, now);
            // Overtaken means that this very cause started this very run before.
            self.runs.apply(&progress, None, now).await?;
        }
        if any_set_off && self.customers.resolve(customer_id).await? == Found::Erased {
            // They were erased meanwhile, and the run is of nobody.
            self.left(customer_id).await?;
        }
        Ok(())
    }

    /// Empties the container that an order came from: what was in it when the order was
    /// placed is ordered now.
    async fn empty_container(&self, customer_id: &CustomerId, order_id: &OrderId) -> anyhow::Result<()> {
        let Found::Here { id, what: Some(order) } = self.customers.order(customer_id, order_id).await? else {
            return Ok(());
        };
        let order = order.value;
        let container = order.content.container.clone().unwrap_or(self.cart.clone());
        self.intake.empty(&id, &container, order.created_at(), self.clock.now()).await.map(drop)
    }

    /// Brings what somebody has to who they are now, or deletes it if they were erased.
    async fn left(&self, customer_id: &CustomerId) -> anyhow::Result<()> {
        let now = self.clock.now();
        match self.customers.resolve(customer_id).await? {
            Found::Here { id, .. } if id == *customer_id => Ok(()),
            Found::Here { id, .. } => {
                self.customers.take_over(customer_id, &id, now).await?;
                for code in self.customers.containers(&id).await?.keys() {
                    self.intake.tidy(&id, code, now).await?;
                }
                Ok(())
            }
            Found::Erased => {
                let erased = self.customers.erase(customer_id, now).await?;
                self.runs.forget_timers(&erased.runs).await?;
                for id in &erased.ids {
                    self.messages.scrub(id, now).await?;
                }
                self.customers.forget(&erased).await
            }
        }
    }

    /// Goes on with a run whose time has come.
    async fn due(&self, customer_id: &CustomerId, run_id: RunId) -> anyhow::Result<()> {
        let wanted = Wanted { runs: vec![run_id], ..Wanted::default() };
        loop {
            let Some(known) = self.customers.load(customer_id, &wanted).await?.runs.pop() else { return Ok(()) };
            let run = known.value;
            let now = match run.due() {
                // Whoever handed it on may have a clock that is a little ahead.
                Some(due) if due <= self.clock.now() + CLOCKS_DIFFER => due.max(self.clock.now()),
                // Overtaken: somebody has gone on with it already.
                _ => return Ok(()),
            };
            let campaign = self
                .definitions
                .version::<Campaign>(Kind::Campaign, run.campaign_id.as_str(), run.campaign_version)
                .await?;
            let campaign = campaign
                .ok_or_else(|| anyhow::anyhow!("the version of the campaign that the run began with is gone"))?;
            let progress: Progress = run.clone().go_on(&campaign, now);
            if self.runs.apply(&progress, Some((&run, known.version)), now).await? == Written::Done {
                return Ok(());
            }
        }
    }

    /// What a campaign's filter may ask about.
    async fn facts(&self, customer_id: &CustomerId, change: &Change) -> anyhow::Result<Value> {
        let wanted = Wanted {
            orders: change.order_id().cloned().into_iter().collect(),
            events: change.event_id().cloned().into_iter().collect(),
            runs: Vec::new(),
        };
        let loaded = self.customers.load(customer_id, &wanted).await?;
        Ok(Value::Object(facts::of(
            loaded.customer.as_ref(),
            loaded.orders.first(),
            loaded.events.first(),
            Some(change),
        )))
    }
}
