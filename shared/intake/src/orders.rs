use contracts::order;
use domain::dictionary::Object;
use domain::{Conflict, Order, OrderId, OrderUpdate, StatusUpdate, TooLarge};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::{Map, Value};
use store::{Found, MAX_BODY, OrderOwner, Saying, Versioned, Written};

use crate::{Intake, Taken, erased, not_found};

impl Intake {
    /// Takes in an order, as a whole or in part.
    ///
    /// # Errors
    /// What is wrong with the body, or contradicts what is known; that a part is of
    /// no order that is known; that the customer was erased.
    pub async fn order(&self, id: OrderId, body: &Value, whole: bool, now: Timestamp) -> Result<Taken, Failure> {
        let body = self.by_the_dictionary(Object::Order, body, now).await?;
        let mut update = order::read(id, &body, whole, now)?;
        if update.customer_id.is_none() {
            update.customer_id = self.customers.owner_of(&update.id).await?;
        }
        let Some(customer_id) = update.customer_id.clone() else { return Err(not_found("order")) };
        loop {
            let Found::Here { id: owner, what: known } = self.customers.order(&customer_id, &update.id).await? else {
                return Err(erased());
            };
            if known.is_none() && !whole {
                return Err(match self.customers.owner_of(&update.id).await? {
                    Some(_) => of_another(),
                    None => not_found("order"),
                });
            }
            update.customer_id = Some(owner.clone());
            let merged = Order::merge(known.as_ref().map(|known| &known.value), update.clone(), now)?;
            merged.as_ref().map_or(Ok(()), fits)?;
            let read = match &known {
                Some(known) => {
                    self.keep_sayings(&known.value, merged.as_ref(), &update, now).await?;
                    Some(known.version)
                }
                None => match self.customers.note_owner(&update.id, &owner).await? {
                    OrderOwner::Same => None,
                    OrderOwner::Before(before) => {
                        self.customers.take_over_order(&before, &owner, &update.id, now).await?;
                        continue;
                    }
                    OrderOwner::Other => {
                        let detail = "differs from the customer that this order was recorded for";
                        return Err(Conflict::new("/customer_id", detail).into());
                    }
                },
            };
            match (merged, known) {
                (Some(order), known) => {
                    if self.customers.put_order(&order, read, now).await? == Written::Done {
                        return Ok(taken(&order, known.is_none()));
                    }
                }
                (None, Some(known)) => return Ok(taken(&known.value, false)),
                (None, None) => return Err(not_found("order")),
            }
        }
    }

    /// Keeps what was said of an order, for its history, once more than one thing was.
    /// Before the order itself is written: what is kept of a saying that never came to
    /// hold is completed when it is said again.
    async fn keep_sayings(
        &self,
        known: &Order,
        merged: Option<&Order>,
        update: &OrderUpdate,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let said = &update.said;
        let order = merged.unwrap_or(known);
        if !order.has_sayings || said.is_nothing() {
            return Ok(());
        }
        let saying = |at, whole, fields| Saying { order_id: known.id.clone(), at, whole, fields };
        if let Some(at) = known.times.whole().filter(|_| !known.has_sayings) {
            let content = match serde_json::to_value(&known.content) {
                Ok(Value::Object(content)) => content,
                _ => Map::new(),
            };
            self.customers.keep_saying(&known.customer_id, &saying(at, true, whole_of(content)), now).await?;
        }
        // What was said undated counts from now, if it was anything new.
        let undated = merged.filter(|merged| merged.times != known.times).and_then(|merged| merged.times.latest());
        let is_known = |at: &Timestamp| known.has_sayings || Some(*at) != known.times.whole();
        if let Some(at) = update.updated_at.or(undated).filter(is_known) {
            let fields = if said.whole { whole_of(said.fields.clone()) } else { said.fields.clone() };
            self.customers.keep_saying(&known.customer_id, &saying(at, said.whole, fields), now).await?;
        }
        Ok(())
    }

    /// Takes in one status of an order, or of one of its lines.
    ///
    /// # Errors
    /// That it contradicts what is known, or that no such order is.
    pub async fn order_status(&self, id: &OrderId, status: &StatusUpdate, now: Timestamp) -> Result<Taken, Failure> {
        loop {
            let known = self.order_with(id, status).await?;
            let update = OrderUpdate {
                id: id.clone(),
                customer_id: None,
                updated_at: None,
                said: domain::dated::Said { whole: false, fields: Map::new() },
                statuses: vec![status.clone()],
            };
            let Some(order) = Order::merge(Some(&known.value), update, now)? else {
                return Ok(taken(&known.value, false));
            };
            if self.customers.put_order(&order, Some(known.version), now).await? == Written::Done {
                return Ok(taken(&order, false));
            }
        }
    }

    /// Takes an order back, as of `at`. What is said of it later brings it back.
    ///
    /// # Errors
    /// That no such order is known.
    pub async fn delete_order(&self, id: &OrderId, at: Option<Timestamp>, now: Timestamp) -> Result<Taken, Failure> {
        loop {
            let known = self.find_any_order(id).await?;
            let Some(order) = known.value.delete(at, now) else { return Ok(taken(&known.value, false)) };
            if self.customers.put_order(&order, Some(known.version), now).await? == Written::Done {
                return Ok(taken(&order, false));
            }
        }
    }

    /// The order of this id, whosever it is.
    ///
    /// # Errors
    /// That no such order is known, or that it was taken back.
    pub async fn find_order(&self, id: &OrderId) -> Result<Versioned<Order>, Failure> {
        let order = self.find_any_order(id).await?;
        if order.value.is_deleted() { Err(not_found("order")) } else { Ok(order) }
    }

    /// The order that a status is said of. One that was taken back is meant only by a
    /// status with a time: if that is later, it brings the order back, as all else does.
    ///
    /// # Errors
    /// That no such order is known, or that it was taken back.
    pub async fn order_with(&self, id: &OrderId, status: &StatusUpdate) -> Result<Versioned<Order>, Failure> {
        match status.at {
            Some(_) => self.find_any_order(id).await,
            None => self.find_order(id).await,
        }
    }

    async fn find_any_order(&self, id: &OrderId) -> Result<Versioned<Order>, Failure> {
        let owner = self.customers.owner_of(id).await?.ok_or_else(|| not_found("order"))?;
        match self.customers.order(&owner, id).await? {
            Found::Here { what: Some(order), .. } => Ok(order),
            Found::Here { what: None, .. } | Found::Erased => Err(not_found("order")),
        }
    }

    /// All that was said of an order, oldest first.
    ///
    /// # Errors
    /// That no such order is known.
    pub async fn sayings_of(&self, order: &Order) -> Result<Vec<Saying>, Failure> {
        if order.has_sayings {
            return Ok(self.customers.sayings(&order.customer_id, &order.id).await?);
        }
        let content = match serde_json::to_value(&order.content) {
            Ok(Value::Object(content)) => whole_of(content),
            _ => Map::new(),
        };
        let at = order.content_at();
        Ok(vec![Saying { order_id: order.id.clone(), at, whole: true, fields: content }])
    }
}

fn of_another() -> Failure {
    Conflict::new("/customer_id", "differs from the customer that this order was recorded for").into()
}

/// The content of a whole without what is not there, so that it is the same whether
/// it is read off a body or off a row.
fn whole_of(content: Map<String, Value>) -> Map<String, Value> {
    let is_there = |value: &Value| !value.is_null() && value.as_object().is_none_or(|object| !object.is_empty());
    let mut kept = Map::new();
    for (name, value) in content {
        let value = match value {
            Value::Object(object) => Value::Object(whole_of(object)),
            value => value,
        };
        if is_there(&value) && value.as_array().is_none_or(|items| !items.is_empty()) {
            kept.insert(name, value);
        }
    }
    kept
}

/// That an order is not too large to be recorded. Asked before anything else is written
/// of it.
fn fits(order: &Order) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(order).map_err(anyhow::Error::from)?.len();
    let too_large = TooLarge { bytes, most: MAX_BODY };
    if bytes > MAX_BODY { Err(anyhow::Error::from(too_large).into()) } else { Ok(()) }
}

fn taken(order: &Order, is_new: bool) -> Taken {
    let mut shown = order::show(order);
    shown["status_history"] = order::show_history(order);
    Taken { id: order.id.to_string(), is_new, shown }
}
