use contracts::container;
use domain::{Change, Code, CustomerId, Fault, Item, ItemSaid, Op, Operation};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::Value;
use store::{Found, KnownContainer, Versioned, Written};

use crate::{Intake, Taken, erased};

impl Intake {
    /// Takes in something that was done to a container.
    ///
    /// # Errors
    /// What is wrong with the body, that no such container is defined, or that the
    /// customer was erased.
    pub async fn container(
        &self,
        customer_id: CustomerId,
        code: Code,
        body: &Value,
        now: Timestamp,
    ) -> Result<Taken, Failure> {
        let dictionary = self.dictionary.current(now).await?;
        if dictionary.container(code.as_str()).is_none() {
            let known: Vec<String> = dictionary
                .of(domain::dictionary::WordKind::Container)
                .map(|container| format!("{:?}", container.code()))
                .collect();
            let detail = format!("names no container that is defined; there are {}", known.join(", "));
            return Err(vec![Fault::new("/container", detail)].into());
        }
        let mut operation = container::read(customer_id, code, body, now)?;
        let Found::Here { id, .. } = self.customers.resolve(&operation.customer_id).await? else {
            return Err(erased());
        };
        operation.customer_id = id;
        let is_new = self.done(&mut operation, now).await?;
        let known = self.customers.whole_container(&operation.customer_id, &operation.container).await?;
        Ok(Taken { id: operation.id, is_new, shown: shown(&operation.container, &known) })
    }

    /// Does something to a container of a customer who was known by this id; whether it
    /// changed anything. The operation says afterwards by which they are known now.
    ///
    /// # Errors
    /// If the tables cannot be read or written to.
    pub async fn done(&self, operation: &mut Operation, now: Timestamp) -> anyhow::Result<bool> {
        match operation.op {
            Op::Clear => self.clear(operation, now).await,
            Op::Set => {
                let mut changed = self.each_item(operation, now).await?;
                changed |= self.leave_out(operation, now).await?;
                changed |= self.raise_floor(operation, false, None, now).await?;
                self.tidy(&operation.customer_id, &operation.container, now).await?;
                Ok(changed)
            }
            Op::Add | Op::Remove | Op::Quantity => self.each_item(operation, now).await,
        }
    }

    /// Takes everything out of a container that was put in up to `at`.
    ///
    /// # Errors
    /// If the tables cannot be read or written to.
    pub async fn empty(&self, owner: &CustomerId, code: &Code, at: Timestamp, now: Timestamp) -> anyhow::Result<bool> {
        let mut operation = Operation {
            id: String::new(),
            customer_id: owner.clone(),
            container: code.clone(),
            op: Op::Clear,
            at,
            source: None,
            items: Vec::new(),
        };
        self.clear(&mut operation, now).await
    }

    async fn clear(&self, operation: &mut Operation, now: Timestamp) -> anyhow::Result<bool> {
        let (owner, at) = (operation.customer_id.clone(), operation.at);
        let known = self.customers.whole_container(&owner, &operation.container).await?;
        let floor = known.floor();
        let held = known.items.values().any(|item| item.value.held(floor).is_some_and(|held| held.since <= at));
        let had_items = !known.items.is_empty();
        let raised = self.raise_floor(operation, held, Some(known), now).await?;
        if had_items || operation.customer_id != owner {
            self.tidy(&operation.customer_id, &operation.container, now).await?;
        }
        Ok(raised)
    }

    /// Forgets of a container's items what no longer counts over its floor, so that
    /// the same things told end the same in whatever order, and no product's list goes
    /// on naming the customer.
    ///
    /// # Errors
    /// If the tables cannot be read or written to.
    pub async fn tidy(&self, owner: &CustomerId, code: &Code, now: Timestamp) -> anyhow::Result<()> {
        let known = self.customers.whole_container(owner, code).await?;
        let floor = known.floor();
        for before in known.items.values() {
            match before.value.over(floor) {
                // Overtaken means that it was written anew meanwhile, over the new floor.
                None => self.customers.forget_item(owner, &before.value, before.version).await?,
                Some(after) if after != before.value => {
                    self.put_item(owner, Some(after), Some(before), now).await?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn each_item(&self, operation: &mut Operation, now: Timestamp) -> anyhow::Result<bool> {
        let mut changed = false;
        let items = operation.items.clone();
        let mut open: Vec<&ItemSaid> = items.iter().collect();
        while !open.is_empty() {
            let products: Vec<&str> = open.iter().map(|said| said.product_id.as_str()).collect();
            let Some(known) = self.read(operation, &products).await? else { return Ok(changed) };
            let mut again = Vec::new();
            let mut done: Vec<&str> = Vec::new();
            for said in open {
                // The same product a second time goes by what the first made of it.
                if done.contains(&said.product_id.as_str()) {
                    again.push(said);
                    continue;
                }
                done.push(&said.product_id);
                let before = known.items.get(&said.product_id);
                let after = Item::after(before.map(|item| &item.value), operation, said, known.floor());
                match self.put_item(&operation.customer_id, after, before, now).await? {
                    Some(Written::Done) => changed = true,
                    Some(Written::Overtaken) => again.push(said),
                    None => {}
                }
            }
            open = again;
        }
        Ok(changed)
    }

    /// The container with these of its items; nothing if the customer was erased.
    ///
    /// Should they be somebody else by now, the operation is theirs from here on: a row
    /// that was read with one is never written with the other, whose version it would
    /// never have.
    async fn read(&self, operation: &mut Operation, products: &[&str]) -> anyhow::Result<Option<KnownContainer>> {
        match self.customers.container(&operation.customer_id, &operation.container, products).await? {
            Found::Here { id, what } => {
                operation.customer_id = id;
                Ok(Some(what))
            }
            Found::Erased => Ok(None),
        }
    }

    async fn put_item(
        &self,
        owner: &CustomerId,
        after: Option<Item>,
        before: Option<&Versioned<Item>>,
        now: Timestamp,
    ) -> anyhow::Result<Option<Written>> {
        let Some(item) = after else { return Ok(None) };
        self.customers.put_item(owner, &item, before.map(|item| item.version), now).await.map(Some)
    }

    /// Takes out what a container that was said as a whole does not name.
    async fn leave_out(&self, operation: &Operation, now: Timestamp) -> anyhow::Result<bool> {
        let (owner, code) = (&operation.customer_id, &operation.container);
        let mut changed = false;
        loop {
            let known = self.customers.whole_container(owner, code).await?;
            let mut overtaken = false;
            let floor = known.floor();
            let named = |item: &Item| operation.items.iter().any(|said| said.product_id == item.product_id);
            for before in known.items.values().filter(|item| !named(&item.value)) {
                let held = before.value.held(floor).is_some_and(|held| held.since <= operation.at);
                let after = before.value.left_out(operation.at, floor).filter(|_| held);
                match self.put_item(owner, after, Some(before), now).await? {
                    Some(Written::Done) => changed = true,
                    Some(Written::Overtaken) => overtaken = true,
                    None => {}
                }
            }
            if !overtaken {
                return Ok(changed);
            }
        }
    }

    /// Raises a container's floor, as it is known or else as it is read. That it held
    /// something is news.
    async fn raise_floor(
        &self,
        operation: &mut Operation,
        held: bool,
        mut known: Option<KnownContainer>,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        let news = held.then(|| Change::emptied(operation.container.clone(), operation.at));
        loop {
            let known = match known.take() {
                Some(known) => known,
                None => match self.read(operation, &[]).await? {
                    Some(known) => known,
                    None => return Ok(false),
                },
            };
            let read = known.container.as_ref().map(|container| container.version);
            let container = known.container.map(|container| container.value).unwrap_or_default();
            let Some(container) = container.emptied(operation.at) else { return Ok(false) };
            let (owner, code) = (&operation.customer_id, &operation.container);
            if self.customers.put_container(owner, code, &container, news.as_ref(), read, now).await? == Written::Done {
                return Ok(true);
            }
        }
    }
}

/// A container as it is recorded, as the API shows it.
#[must_use]
pub fn shown(code: &Code, known: &KnownContainer) -> Value {
    let items: Vec<Item> = known.items.values().map(|item| item.value.clone()).collect();
    let container = known.container.as_ref().map(|container| container.value.clone()).unwrap_or_default();
    container::show(code, &container, &items)
}
