//! Brings one customer's campaign runs and segments up to date.
//!
//! A cause is a change, which may start runs, or something that was written about the
//! customer, by which they may be in other segments, or a time that has come, at which a
//! run goes on or a segment is left. What comes of it is written in one transaction: the
//! run, the messages that it wrote, the timer that it set. The same cause a
//! second time finds the run in place and changes nothing.

mod concerned;
mod erasing;
mod letters;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use aws::DeadLetters;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use campaigns::{Campaign, Progress, Run};
use contracts::{Cause, Evaluation};
use domain::{Change, Code, CustomerId, RunId};
use facts::History;
use intake::Intake;
use jiff::{SignedDuration, Timestamp};
use lambda::{Clock, Context, batch};
use membership::{Keeper, Look};
use serde_json::{Map, Value, json};
use store::{
    Active, ActiveSet, Catalogue, Customers, Definitions, DictionaryCache, Found, Kind, MembershipRows, Messages, Runs,
    Timer, Timers, Versioned, Wanted, Written,
};

use crate::erasing::Erasing;

/// By how much the clocks of two machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

/// The queues in which messages about customers end that failed too often. What the
/// others hold names nobody: a mailing, an import, a place in a stream.
const DEAD_LETTERS: [&str; 5] = [
    "EVALUATIONS_DEAD_LETTERS_URL",
    "DELIVERIES_DEAD_LETTERS_URL",
    "BULK_DELIVERIES_DEAD_LETTERS_URL",
    "FEEDBACK_DEAD_LETTERS_URL",
    "PRODUCT_CHANGES_DEAD_LETTERS_URL",
];

/// Serves the evaluations queue, and the schedule that looks after dead letters.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let (db, sqs) = (Client::new(&config), aws_sdk_sqs::Client::new(&config));
    let table = lambda::config::required;
    let dead_letters = DEAD_LETTERS.into_iter().map(|url| Ok(DeadLetters::new(sqs.clone(), table(url)?)));
    let dead_letters: Result<Vec<_>, lambda::Error> = dead_letters.collect();
    let customers = table("CUSTOMERS_TABLE")?;
    let messages = Messages::new(db.clone(), table("MESSAGES_TABLE")?);
    let timers = Timers::new(db.clone(), table("TIMERS_TABLE")?);
    let definitions = Definitions::new(db.clone(), table("DEFINITIONS_TABLE")?);
    let known = Customers::new(db.clone(), customers.clone());
    let catalogue = Catalogue::new(db.clone(), table("CATALOGUE_TABLE")?);
    let memberships = MembershipRows::new(db.clone(), customers.clone(), timers.clone());
    let (clock, runs) = (Clock::from_env(), Runs::new(db, customers, messages.clone(), timers.clone()));
    let evaluate = Evaluate {
        erasing: Erasing {
            customers: known.clone(),
            messages: messages.clone(),
            timers,
            runs: runs.clone(),
            memberships: memberships.clone(),
            dead_letters: dead_letters?,
            clock: clock.clone(),
        },
        keeper: Keeper {
            customers: known.clone(),
            history: History::new(known.clone(), messages, DictionaryCache::new(definitions.clone())),
            rows: memberships,
            active: ActiveSet::new(definitions.clone()),
            clock: clock.clone(),
        },
        intake: Intake::new(known.clone(), DictionaryCache::new(definitions.clone())),
        cart: Code::parse("cart")?,
        customers: known,
        catalogue,
        runs,
        definitions,
        clock,
    };
    lambda::serve(async |event, context| evaluate.invoked(event, context).await).await
}

struct Evaluate {
    erasing: Erasing,
    intake: Intake,
    keeper: Keeper,
    /// The container that an order came from unless it names another.
    cart: Code,
    customers: Customers,
    catalogue: Catalogue,
    definitions: Definitions,
    runs: Runs,
    clock: Clock,
}

impl Evaluate {
    /// A batch from the queue has records; the schedule's event has none.
    async fn invoked(&self, event: Value, context: Context) -> anyhow::Result<Value> {
        let deadline = Timestamp::from_millisecond(i64::try_from(context.deadline)?)?;
        if event.get("Records").is_none() {
            let looked = self.erasing.look_through(deadline).await?;
            if looked.cut_short || looked.unclear > 0 {
                bail!("not all dead letters were looked at; the next hour goes on");
            }
            return Ok(json!({ "deleted": looked.deleted }));
        }
        let event: SqsEvent = serde_json::from_value(event).ok().context("the batch could not be read")?;
        let active = self.keeper.active.current().await?;
        let customer = async |evaluation| self.customer(&active, evaluation, deadline).await;
        Ok(serde_json::to_value(batch::messages(event, customer).await?)?)
    }

    async fn customer(&self, active: &Arc<Active>, evaluation: Evaluation, deadline: Timestamp) -> anyhow::Result<()> {
        let Evaluation { customer_id, causes } = evaluation;
        for cause in causes {
            match cause {
                Cause::Changed { change, at } => self.changed(active, &customer_id, &change, at, deadline).await?,
                Cause::Ordered { container, at } => {
                    // What was in it when the order was placed is ordered now. Should the
                    // customer be somebody else by now, what this writes follows them.
                    let container = container.as_ref().unwrap_or(&self.cart);
                    self.intake.empty(&customer_id, container, at, self.clock.now()).await?;
                }
                Cause::Due { run_id, at } => self.due(&customer_id, run_id, at).await?,
                Cause::Left => self.left(&customer_id, deadline).await?,
                Cause::Touched { what } => self.keeper.keep_up(active, &customer_id, &Look::Touched(what)).await?,
                Cause::Turns { at } => self.keeper.keep_up(active, &customer_id, &Look::Turns(at)).await?,
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
        deadline: Timestamp,
    ) -> anyhow::Result<()> {
        let fitting: Vec<_> =
            active.campaigns.iter().filter(|campaign| campaign.value.trigger.is_set_off_by(change)).collect();
        let any_fits = !fitting.is_empty();
        if let Some((id, set_off)) = self.concerned(customer_id, fitting, change, at).await? {
            for campaign in self.unfiltered(active, &id, set_off, change).await? {
                let now = self.clock.now();
                let templates = active.versions_of(&campaign.value);
                let progress = Run::start(&campaign.value, campaign.version, templates, &id, change.clone(), at, now);
                // Overtaken means that this very cause started this very run before.
                self.runs.apply(&progress, None, now).await?;
            }
        }
        // Runs are not in the stream that makes what was written too early follow: should
        // the customer have been erased meanwhile, this is where it is seen, be it when
        // this is done again.
        if any_fits {
            for id in self.customers.erased_as(customer_id).await? {
                self.erasing.erase(&id, deadline).await?;
            }
        }
        Ok(())
    }

    /// Those of the campaigns whose filter lets the customer through.
    async fn unfiltered<'c>(
        &self,
        active: &Active,
        customer_id: &CustomerId,
        campaigns: Vec<&'c Versioned<Campaign>>,
        change: &Change,
    ) -> anyhow::Result<Vec<&'c Versioned<Campaign>>> {
        let filters: Vec<_> = campaigns.iter().filter_map(|campaign| campaign.value.filter.as_ref()).collect();
        if filters.is_empty() {
            return Ok(campaigns);
        }
        let (id, facts) = self.facts(customer_id, change).await?;
        let at = self.keeper.history.at(self.clock.now()).await?;
        let mut held = self.keeper.history.which_hold(&filters, &active.segments, &id, facts, &at).await?.into_iter();
        let passes = |campaign: &&Versioned<Campaign>| match campaign.value.filter {
            Some(_) => held.next().unwrap_or_default(),
            None => true,
        };
        Ok(campaigns.into_iter().filter(passes).collect())
    }

    /// Brings what somebody has to who they are now, or deletes it if they were erased.
    async fn left(&self, customer_id: &CustomerId, deadline: Timestamp) -> anyhow::Result<()> {
        let now = self.clock.now();
        match self.customers.resolve(customer_id).await? {
            Found::Here { id, .. } if id == *customer_id => Ok(()),
            Found::Here { id, .. } => {
                self.customers.take_over(customer_id, &id, now).await?;
                self.keeper.rows.forget(customer_id).await?;
                for code in self.customers.containers(&id).await?.keys() {
                    self.intake.tidy(&id, code, now).await?;
                }
                Ok(())
            }
            Found::Erased => self.erasing.erase(customer_id, deadline).await,
        }
    }

    /// Goes on with a run whose time has come.
    async fn due(&self, customer_id: &CustomerId, run_id: RunId, at: Timestamp) -> anyhow::Result<()> {
        let wanted = Wanted { runs: vec![run_id.clone()], ..Wanted::default() };
        loop {
            let mut loaded = self.customers.load(customer_id, &wanted).await?;
            if loaded.erased {
                // It may have been set while they were erased, by a run that went on.
                return self
                    .runs
                    .forget_timer(&Timer { customer_id: customer_id.clone(), run_id: Some(run_id), message: None, at })
                    .await;
            }
            let Some(known) = loaded.runs.pop() else { return Ok(()) };
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
    /// Of a customer who is another one by now, that one's, with who it is.
    async fn facts(
        &self,
        customer_id: &CustomerId,
        change: &Change,
    ) -> anyhow::Result<(CustomerId, Map<String, Value>)> {
        let wanted = Wanted {
            orders: change.order_id().cloned().into_iter().collect(),
            events: change.event_id().cloned().into_iter().collect(),
            runs: Vec::new(),
        };
        let loaded = self.customers.load(customer_id, &wanted).await?;
        let product = match change.product_id() {
            Some(id) => self.product(id).await?,
            None => None,
        };
        let id = loaded.customer.as_ref().map_or(customer_id, |customer| &customer.id).clone();
        let mut facts = contracts::facts::of(
            loaded.customer.as_ref(),
            loaded.orders.first(),
            loaded.events.first(),
            product.as_ref(),
            Some(change),
        );
        if let Some(order) = loaded.orders.first() {
            facts.insert("order".into(), self.keeper.history.order(order, self.clock.now()).await?);
        }
        Ok((id, facts))
    }
}
