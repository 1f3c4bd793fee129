//! What a condition may ask about a customer, read off the tables: all that they did
//! and have, each thing as the API shows it.
//!
//! Only what the conditions at hand can ask about is read, with consistent reads; but
//! for messages, which are found by an index that may lag behind by a moment.

mod scanned;
mod schema;
mod shown;

use campaigns::Segments;
use conditions::{At, Collection, Condition, Facts, Needs, Program, State, Verdict, Why};
use domain::{Customer, CustomerId, Order};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use store::{Customers, DictionaryCache, Messages};

pub use scanned::kinds;
pub use shown::{message as show_message, summed_container};

pub use schema::schema;

/// Of how many customers is read at the same time what they did and have.
const AT_ONCE: usize = 8;

/// How many events or messages are read by one call.
const PAGE: i32 = 500;

/// A customer, looked at by one condition at one time.
#[derive(Debug)]
pub struct Looked {
    program: Program,
    state: State,
    at: At,
}

impl Looked {
    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.program.holds(0, &self.state, &self.at)
    }

    /// Whether it holds, and until when.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.program.verdict(0, &self.state, &self.at)
    }

    /// Which of its leaves make it so.
    #[must_use]
    pub fn why(&self) -> Why {
        self.program.why(0, &self.state, &self.at)
    }
}

/// Reads what conditions ask about.
#[derive(Debug)]
pub struct History {
    customers: Customers,
    messages: Messages,
    dictionary: DictionaryCache,
}

impl History {
    /// Over these tables.
    #[must_use]
    pub fn new(customers: Customers, messages: Messages, dictionary: DictionaryCache) -> Self {
        Self { customers, messages, dictionary }
    }

    /// The time, and the shop's zone; UTC for a shop that has named none.
    ///
    /// # Errors
    /// If the shop's settings cannot be read.
    pub async fn at(&self, now: Timestamp) -> anyhow::Result<At> {
        let dictionary = self.dictionary.current(now).await?;
        let zone = dictionary.settings().time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Ok(At { now, shop: zone.unwrap_or(TimeZone::UTC) })
    }

    /// A customer as a condition sees them, by the id that they have now. `single` is what
    /// there is one of: the customer, and what happened.
    ///
    /// # Errors
    /// If the tables cannot be read, or the condition names a segment that there is not.
    pub async fn looked_at(
        &self,
        condition: &Condition,
        segments: &Segments,
        id: &CustomerId,
        single: Map<String, Value>,
        at: &At,
    ) -> anyhow::Result<Looked> {
        let program = ready(&[condition], segments)?;
        let state = self.state(&program, id, single, at).await?;
        Ok(Looked { program, state, at: at.clone() })
    }

    /// Whether each of several conditions holds for a customer, who is read once for all
    /// of them.
    ///
    /// # Errors
    /// If the tables cannot be read, or a condition names a segment that there is not.
    pub async fn which_hold(
        &self,
        conditions: &[&Condition],
        segments: &Segments,
        id: &CustomerId,
        single: Map<String, Value>,
        at: &At,
    ) -> anyhow::Result<Vec<bool>> {
        let program = ready(conditions, segments)?;
        let state = self.state(&program, id, single, at).await?;
        Ok((0..program.len()).map(|place| program.holds(place, &state, at)).collect())
    }

    /// Those of these customers for whom a condition holds, in their order.
    ///
    /// # Errors
    /// If the tables cannot be read, or the condition names a segment that there is not.
    pub async fn those_who(
        &self,
        condition: &Condition,
        segments: &Segments,
        customers: Vec<Customer>,
        now: Timestamp,
    ) -> anyhow::Result<Vec<CustomerId>> {
        let (at, program) = (&self.at(now).await?, &ready(&[condition], segments)?);
        let looked = futures::stream::iter(customers).map(async |customer| {
            let single = contracts::facts::of(Some(&customer), None, None, None, None);
            let state = self.state(program, &customer.id, single, at).await?;
            anyhow::Ok(Some(customer.id).filter(|_| program.holds(0, &state, at)))
        });
        looked.buffered(AT_ONCE).try_filter_map(async |id| Ok(id)).try_collect().await
    }

    async fn state(
        &self,
        program: &Program,
        id: &CustomerId,
        single: Map<String, Value>,
        at: &At,
    ) -> anyhow::Result<State> {
        Ok(program.state(&self.facts(id, single, &program.all_needs(), at.now).await?))
    }

    /// What there is one of, and what is needed of all that the customer did and has, by
    /// the id that they have now. It is as much as is needed at `now` or later, if nothing
    /// else happens.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn facts(
        &self,
        id: &CustomerId,
        single: Map<String, Value>,
        needs: &Needs,
        now: Timestamp,
    ) -> anyhow::Result<Facts> {
        let mut facts = Facts::single(single);
        self.read(id, needs, now, &mut facts).await?;
        Ok(facts)
    }

    /// An order as conditions see it: as the API shows it, and whether it counts.
    ///
    /// # Errors
    /// If the dictionary cannot be read.
    pub async fn order(&self, order: &Order, now: Timestamp) -> anyhow::Result<Value> {
        Ok(shown::order(order, &*self.dictionary.current(now).await?))
    }

    /// Adds to the facts what is needed of all that the customer did and has.
    ///
    /// # Errors
    /// If the tables cannot be read.
    async fn read(&self, id: &CustomerId, needs: &Needs, now: Timestamp, facts: &mut Facts) -> anyhow::Result<()> {
        let wants = |over: Collection| needs.collections.contains(&over);
        if wants(Collection::Orders) {
            let dictionary = self.dictionary.current(now).await?;
            let orders = self.customers.orders(id).await?;
            let orders = orders.iter().filter(|order| !order.is_deleted());
            facts.orders = orders.map(|order| shown::order(order, &dictionary)).collect();
        }
        if wants(Collection::Events) {
            facts.events = self.events(id, needs, now).await?;
        }
        if wants(Collection::Items) || wants(Collection::Containers) {
            for (code, known) in self.customers.containers(id).await? {
                shown::container(&code, &known, facts);
            }
        }
        if !needs.audiences.is_empty() {
            facts.audiences = self.customers.audiences(id).await?;
        }
        if wants(Collection::Messages) {
            facts.messages = self.messages(id, needs.messages_back.since(now)).await?;
        }
        Ok(())
    }

    async fn events(&self, id: &CustomerId, needs: &Needs, now: Timestamp) -> anyhow::Result<Vec<Value>> {
        let since = needs.events_back.since(now);
        let is_meant = |name: &str| needs.events.as_ref().is_none_or(|names| names.contains(name));
        let (mut events, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = self.customers.events_since(id, since, after.as_deref(), PAGE).await?;
            let meant = page.iter().filter(|event| is_meant(event.name.as_str()));
            events.extend(meant.map(contracts::event::show));
            after = next;
            if after.is_none() {
                return Ok(events);
            }
        }
    }

    async fn messages(&self, id: &CustomerId, since: Option<Timestamp>) -> anyhow::Result<Vec<Value>> {
        let aliases = self.customers.aliases(id).await?;
        let (mut messages, mut after) = (Vec::new(), None);
        loop {
            let page = self.messages.of_customer_since(id, &aliases, since, PAGE as usize, after.as_deref());
            let (page, next) = page.await?;
            // With a test somebody tried a template out: nobody wrote to the customer.
            let theirs = page.iter().filter(|entry| !entry.message.origin.is_test());
            messages.extend(theirs.map(shown::message));
            after = next;
            if after.is_none() {
                return Ok(messages);
            }
        }
    }
}

/// Conditions made ready. That a segment is not there must not read as that nobody is in it:
/// whoever is to be kept out by one would get the mail.
fn ready(conditions: &[&Condition], segments: &Segments) -> anyhow::Result<Program> {
    let program = Program::new(conditions.iter().copied(), |code| segments.condition(code));
    anyhow::ensure!(program.is_whole(), "a condition names a segment that is not there");
    Ok(program)
}
