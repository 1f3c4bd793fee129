use contracts::{Kind, Problem, customer, event, order};
use domain::{Customer, CustomerId, Order};
use facts::show_message;
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::Found;

use crate::People;

/// How many orders, events and messages a profile shows.
const NEWEST: usize = 20;

/// The most bytes of events in one page of an export: an answer may have 6 MB.
const MOST_EXPORTED: usize = 3 * 1024 * 1024;

impl People {
    /// All that is known of a customer, the newest of what there is much of.
    pub(crate) async fn get(&self, request: &Request) -> Result<Response, Failure> {
        let (id, customer) = self.known(request).await?;
        let mut shown = customer::show(&customer);
        let orders = self.orders_of(&id).await?;
        shown["orders"] = json!({
            "count": orders.len(),
            "newest": orders.iter().take(NEWEST).map(order::show).collect::<Vec<_>>(),
        });
        let (events, _) = self.customers.events(&id, None, i32::try_from(NEWEST).unwrap_or(20)).await?;
        shown["events"] = json!({ "newest": events.iter().map(event::show).collect::<Vec<_>>() });
        shown["containers"] = self.containers_of(&id).await?;
        shown["audiences"] = json!(self.customers.audiences(&id).await?);
        let aliases = self.customers.aliases(&id).await?;
        let (messages, _) = self.messages.of_customer(&id, &aliases, NEWEST, None).await?;
        shown["messages"] = json!({ "newest": messages.iter().map(show_message).collect::<Vec<_>>() });
        shown["also_known_as"] = json!(aliases);
        Ok(Response::json(200, &shown))
    }

    /// Everything about a customer: the events page by page, all else with the first.
    pub(crate) async fn export(&self, request: &Request) -> Result<Response, Failure> {
        let (id, customer) = self.known(request).await?;
        let page = request.page(is_place)?;
        let mut exported = json!({ "id": id });
        if page.after.is_none() {
            exported["customer"] = customer::show(&customer);
            let mut orders = Vec::new();
            for order in self.orders_of(&id).await? {
                let mut shown = order::show(&order);
                shown["status_history"] = order::show_history(&order);
                shown["said"] = json!(self.intake.sayings_of(&order).await?);
                orders.push(shown);
            }
            exported["orders"] = Value::Array(orders);
            exported["containers"] = self.containers_of(&id).await?;
            exported["audiences"] = json!(self.customers.audiences(&id).await?);
            exported["segments"] = self.segments_of(&id).await?;
            let aliases = self.customers.aliases(&id).await?;
            let mut runs = Vec::new();
            for id in std::iter::once(&id).chain(aliases.iter().filter(|alias| !alias.is_visitor())) {
                runs.extend(self.customers.runs(id).await?);
            }
            exported["runs"] = json!(runs);
            exported["messages"] = self.all_messages(&id, &aliases).await?;
            exported["also_known_as"] = json!(aliases);
        }
        let (mut events, mut size, mut after) = (Vec::new(), 0, page.after);
        let mut next = None;
        loop {
            let (some, further) = self.customers.events(&id, after.as_deref(), 100).await?;
            for event in &some {
                let shown = event::show(event);
                size += shown.to_string().len();
                events.push(shown);
            }
            after = further;
            if after.is_none() || size > MOST_EXPORTED {
                next = after.or(next);
                break;
            }
        }
        exported["events"] = Value::Array(events);
        Ok(Response::paged(exported, next.as_deref()))
    }

    /// The segments that a customer is in, each with since when.
    async fn segments_of(&self, id: &CustomerId) -> anyhow::Result<Value> {
        let (editions, _) = self.definitions.editions().await?;
        let mut kept = self.customers.segments(id).await?;
        kept.retain(|(edition, membership)| membership.is_in && editions.serves(edition));
        let shown = kept.iter().map(|((code, _), membership)| json!({ "id": code, "since": membership.since }));
        Ok(shown.collect())
    }

    async fn all_messages(&self, id: &CustomerId, aliases: &[CustomerId]) -> anyhow::Result<Value> {
        let (mut shown, mut after) = (Vec::new(), None);
        loop {
            let (messages, next) = self.messages.of_customer(id, aliases, 100, after.as_deref()).await?;
            shown.extend(messages.iter().map(show_message));
            after = next;
            if after.is_none() {
                return Ok(Value::Array(shown));
            }
        }
    }

    /// A page of a customer's events, the newest first.
    pub(crate) async fn events(&self, request: &Request) -> Result<Response, Failure> {
        let id = self.named(request).await?;
        let page = request.page(is_place)?;
        let limit = i32::try_from(page.limit).unwrap_or(100);
        let (events, next) = self.customers.events(&id, page.after.as_deref(), limit).await?;
        Ok(Response::page(events.iter().map(event::show).collect(), next.as_deref()))
    }

    /// A customer's orders, the newest first, without those that were taken back.
    async fn orders_of(&self, id: &CustomerId) -> anyhow::Result<Vec<Order>> {
        let mut orders = self.customers.orders(id).await?;
        orders.retain(|order| !order.is_deleted());
        orders.sort_by(|a, b| b.created_at().cmp(&a.created_at()).then_with(|| a.id.cmp(&b.id)));
        Ok(orders)
    }

    async fn known(&self, request: &Request) -> Result<(CustomerId, Customer), Failure> {
        let id = request.path("id", CustomerId::parse)?;
        match self.customers.profile(&id).await? {
            Found::Here { id, what: Some(known) } => Ok((id, known.value)),
            // Of a visitor nothing need be known but what they did.
            Found::Here { id, what: None } if id.is_visitor() => Ok((id.clone(), Customer::unknown(id))),
            Found::Here { what: None, .. } => {
                Err(Problem::new(Kind::NotFound).because("no such customer is known").into())
            }
            Found::Erased => Err(Problem::new(Kind::Gone).because("the customer was erased").into()),
        }
    }
}

fn is_place(after: &str) -> bool {
    after
        .split_once('#')
        .is_some_and(|(moment, item)| moment.parse::<jiff::Timestamp>().is_ok() && item.starts_with("event#"))
}
