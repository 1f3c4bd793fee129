//! What the images of a stream's record show.
//!
//! The images come as Lambda hands them over, so they are read here, where
//! their attributes are named, and go on as domain types.

use anyhow::anyhow;
use domain::message::State;
use domain::{Change, Code, CustomerId, Event, Message, Order, Product, Touched};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};

use crate::catalogue;
use crate::customers::{Moved, Row, owner};
use crate::rows;
use crate::timers::Timer;

/// How long ago something may have happened to an anonymous visitor and still set
/// off a campaign, once it is known who they are.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

/// What a record shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A row of a customer was written.
    Customer {
        /// Whose.
        customer_id: CustomerId,
        /// What happened to them, in order; nothing that anybody need hear of, mostly.
        changes: Vec<Change>,
        /// What was written, if conditions can ask about it; never of a visitor, whom no
        /// segment has.
        touched: Option<Touched>,
        /// What they have ordered, if the row is a new order.
        ordered: Option<Ordered>,
        /// When the row was written.
        at: Timestamp,
        /// The fingerprints of the contacts by which they were found, if these
        /// changed.
        contacts_before: Option<Vec<String>>,
    },
    /// Somebody is somebody else now, or was erased.
    Left {
        /// Who it was.
        customer_id: CustomerId,
    },
    /// Something happened to a product of which customers may hear.
    Product {
        /// What, in order.
        changes: Vec<Change>,
        /// When the row was written.
        at: Timestamp,
    },
    /// A message is to be sent.
    Message(Box<Message>),
    /// Something became of a message to this customer.
    Settled(CustomerId),
    /// Something falls due.
    Timer(Timer),
    /// Nothing that anybody need hear of.
    Nothing,
}

/// Where a new order came from, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The container that it came from, if it names one.
    pub container: Option<Code>,
    /// When it was placed; not later than it was told of.
    pub at: Timestamp,
}

/// Reads a record of any of the streams; its keys tell of which table it is.
///
/// # Errors
/// If an image is not a row of its table.
pub fn read(old: Option<Item>, new: Option<Item>) -> anyhow::Result<Seen> {
    let is_customers = |item: &Item| item.contains_key("customer") && item.contains_key("item");
    if let Some(identity) = new.as_ref().filter(|new| is_customers(new) && new.contains_key("since")) {
        // Of somebody who is another one now, or was erased, the row names who it was.
        let Some(AttributeValue::S(of)) = identity.get("of") else { return Ok(Seen::Nothing) };
        return Ok(Seen::Left { customer_id: CustomerId::parse(of)? });
    }
    if new.as_ref().or(old.as_ref()).is_some_and(is_customers) {
        let is_row = |item: &Item| item.contains_key("body");
        return if new.as_ref().or(old.as_ref()).is_some_and(is_row) { customer(old, new) } else { Ok(Seen::Nothing) };
    }
    let Some(new) = new else { return Ok(Seen::Nothing) };
    if new.contains_key("message") {
        message(new)
    } else if new.contains_key("thing") {
        product(old, new)
    } else if new.contains_key("slot") {
        decode(new).map(Seen::Timer)
    } else {
        Err(anyhow!("a row of no table that is known"))
    }
}

fn customer(old: Option<Item>, new: Option<Item>) -> anyhow::Result<Seen> {
    let old = old.map(decode::<Row>).transpose()?;
    let Some(new) = new.map(decode::<Row>).transpose()? else { return gone(old) };
    let Some(customer_id) = owner(&new.customer) else { return Ok(Seen::Nothing) };
    let changes = changes(&customer_id, old.as_ref(), &new)?;
    let ordered = ordered(&changes, old.as_ref(), &new)?;
    let is_first = old.is_none();
    let before = old.map(|old| old.contacts).unwrap_or_default();
    let contacts_before = (before != new.contacts).then_some(before);
    let touched = touched(&customer_id, is_first, &new)?;
    Ok(Seen::Customer { customer_id, changes, touched, ordered, at: new.written, contacts_before })
}

/// What somebody has ordered, be it a visitor whom nobody knows. An order that came with
/// a visitor counts if it is news: what was ordered long ago has left the cart long ago.
fn ordered(changes: &[Change], old: Option<&Row>, new: &Row) -> anyhow::Result<Option<Ordered>> {
    let is_first = old.is_none() && new.moved.is_none() && new.item.starts_with("order#");
    if !is_first && !matches!(changes.first(), Some(Change::OrderCreated { .. })) {
        return Ok(None);
    }
    let order: Order = rows::parse(&new.body)?;
    // An order that is dated ahead takes nothing that comes in later.
    let at = order.created_at().min(new.written);
    Ok(Some(Ordered { at, container: order.content.container }))
}

/// A row that was deleted: of a profile, nobody is found by its contacts any more.
fn gone(old: Option<Row>) -> anyhow::Result<Seen> {
    let Some((customer_id, old)) = old.and_then(|old| Some((owner(&old.customer)?, old))) else {
        return Ok(Seen::Nothing);
    };
    let touched = touched(&customer_id, false, &old)?;
    let contacts_before = Some(old.contacts).filter(|contacts| !contacts.is_empty());
    let changes = Vec::new();
    Ok(Seen::Customer { customer_id, changes, touched, ordered: None, at: old.written, contacts_before })
}

/// What conditions can ask about of this row.
fn touched(customer_id: &CustomerId, is_first: bool, row: &Row) -> anyhow::Result<Option<Touched>> {
    if customer_id.is_visitor() {
        return Ok(None);
    }
    let (kind, rest) = row.item.split_once('#').unwrap_or((&row.item, ""));
    Ok(match kind {
        // Who has no profile is in no segment, whatever they did.
        "profile" if is_first => Some(Touched::Everything),
        "profile" => Some(Touched::Profile),
        "order" => Some(Touched::Orders),
        "event" => Some(Touched::Event(rows::parse::<Event>(&row.body)?.name)),
        "container" | "item" => Some(Touched::Containers),
        "audience" => Code::parse(rest).ok().map(Touched::Audience),
        // Messages stay with the id under which they were sent.
        "alias" => Some(Touched::Messages),
        _ => None,
    })
}

fn changes(customer_id: &CustomerId, old: Option<&Row>, new: &Row) -> anyhow::Result<Vec<Change>> {
    fn known<T: DeserializeOwned>(old: Option<&Row>) -> anyhow::Result<Option<T>> {
        old.map(|old| rows::parse(&old.body)).transpose()
    }
    // Of an anonymous visitor nobody need hear until it is known who they are.
    if customer_id.is_visitor() {
        return Ok(Vec::new());
    }
    // What another customer had was heard of then. What a visitor did is heard of
    // now, if it is not too long ago to be written about.
    let is_news = |happened: Timestamp| match new.moved {
        None => true,
        Some(Moved::FromVisitor) => new.written.duration_since(happened) <= NEWS,
        Some(Moved::FromCustomer) => false,
    };
    let heard = |change: Option<Change>| -> Vec<Change> {
        let is_news = |change: &Change| !matches!(change, Change::ContainerChanged { at, .. } if !is_news(*at));
        change.filter(is_news).into_iter().collect()
    };
    Ok(match new.item.split_once('#').map_or(new.item.as_str(), |(kind, _)| kind) {
        "order" => {
            let order: Order = rows::parse(&new.body)?;
            if is_news(order.created_at()) { Change::of_order(known(old)?.as_ref(), &order) } else { Vec::new() }
        }
        "event" if old.is_none() => {
            let event: Event = rows::parse(&new.body)?;
            if is_news(event.at) { vec![Change::of_event(&event)] } else { Vec::new() }
        }
        "profile" => {
            let asked = Change::of_consents(known(old)?.as_ref(), &rows::parse(&new.body)?);
            let is_news = |change: &Change| matches!(change, Change::ConsentRequested { at, .. } if is_news(*at));
            asked.filter(is_news).into_iter().collect()
        }
        // What a customer entered or left says so itself.
        "segment" => new.news.as_deref().map(rows::parse).transpose()?.into_iter().collect(),
        // So does a container that was emptied: whether anything was in it is known then
        // alone. A row that is written anew for another reason still has its news.
        "container" if old.is_some_and(|old| old.news == new.news) => Vec::new(),
        "container" => heard(new.news.as_deref().map(rows::parse).transpose()?),
        "item" => heard(Change::of_item(known(old)?.as_ref(), &rows::parse(&new.body)?)),
        _ => Vec::new(),
    })
}

fn product(old: Option<Item>, new: Item) -> anyhow::Result<Seen> {
    let new: catalogue::Row = decode(new)?;
    if new.item != catalogue::PRODUCT {
        return Ok(Seen::Nothing);
    }
    let old = old.map(decode::<catalogue::Row>).transpose()?.map(|old| rows::parse(&old.body)).transpose()?;
    let product: Product = rows::parse(&new.body)?;
    let changes = Product::news(old.as_ref(), &product);
    if changes.is_empty() {
        return Ok(Seen::Nothing);
    }
    Ok(Seen::Product { changes, at: new.written })
}

fn message(new: Item) -> anyhow::Result<Seen> {
    #[derive(Deserialize)]
    struct Ledger {
        body: String,
        state: State,
        due: Option<String>,
    }
    let row: Ledger = decode(new)?;
    let message: Message = rows::parse(&row.body)?;
    Ok(match row.state {
        // What was put off has a timer.
        State::Pending if row.due.is_some() => Seen::Nothing,
        State::Pending => Seen::Message(Box::new(message)),
        State::Claimed => Seen::Nothing,
        _ => Seen::Settled(message.customer_id),
    })
}

fn decode<T: DeserializeOwned>(image: Item) -> anyhow::Result<T> {
    serde_dynamo::from_item(image).map_err(|_| anyhow!("a row does not have the attributes of its kind"))
}
