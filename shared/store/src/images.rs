//! What the images of a stream's record show.
//!
//! The images come as Lambda hands them over, so they are read here, where
//! their attributes are named, and go on as domain types.

use anyhow::anyhow;
use domain::message::State;
use domain::{Change, CustomerId, Message};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_dynamo::Item;

use crate::customers::Row;
use crate::rows;
use crate::timers::Timer;

/// What a record shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Something happened to a customer.
    Customer {
        /// To whom.
        customer_id: CustomerId,
        /// What, in order.
        changes: Vec<Change>,
        /// When the row was written.
        at: Timestamp,
    },
    /// A message is to be sent.
    Message(Box<Message>),
    /// Something falls due.
    Timer(Timer),
    /// Nothing that anybody need hear of.
    Nothing,
}

/// Reads a record of any of the streams; its keys tell of which table it is.
///
/// # Errors
/// If an image is not a row of its table.
pub fn read(old: Option<Item>, new: Option<Item>) -> anyhow::Result<Seen> {
    let Some(new) = new else { return Ok(Seen::Nothing) };
    if new.contains_key("customer") && new.contains_key("item") {
        customer(old, new)
    } else if new.contains_key("message") {
        message(new)
    } else if new.contains_key("run_id") {
        decode(new).map(Seen::Timer)
    } else if new.contains_key("slot") {
        Ok(Seen::Nothing)
    } else {
        Err(anyhow!("a row of no table that is known"))
    }
}

fn customer(old: Option<Item>, new: Item) -> anyhow::Result<Seen> {
    let new: Row = decode(new)?;
    let Some(customer_id) = new.customer.strip_prefix("customer#") else { return Ok(Seen::Nothing) };
    let changes = if new.item.starts_with("order#") {
        let old = old.map(decode::<Row>).transpose()?.map(|old| rows::parse(&old.body)).transpose()?;
        Change::of_order(old.as_ref(), &rows::parse(&new.body)?)
    } else if new.item.starts_with("event#") && old.is_none() {
        vec![Change::of_event(&rows::parse(&new.body)?)]
    } else {
        Vec::new()
    };
    if changes.is_empty() {
        return Ok(Seen::Nothing);
    }
    Ok(Seen::Customer { customer_id: CustomerId::parse(customer_id)?, changes, at: new.written })
}

fn message(new: Item) -> anyhow::Result<Seen> {
    #[derive(Deserialize)]
    struct Ledger {
        body: String,
        state: State,
    }
    let row: Ledger = decode(new)?;
    if row.state != State::Pending {
        return Ok(Seen::Nothing);
    }
    Ok(Seen::Message(Box::new(rows::parse(&row.body)?)))
}

fn decode<T: DeserializeOwned>(image: Item) -> anyhow::Result<T> {
    serde_dynamo::from_item(image).map_err(|_| anyhow!("a row does not have the attributes of its kind"))
}
