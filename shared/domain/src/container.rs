//! A customer's product lists: the cart and any others.
//!
//! An item is kept as what was done to it since its quantity was last said
//! outright, so that what is added twice counts once and what arrives late counts
//! where it belongs. The container itself keeps since when it is empty but for what
//! was put in later: the floor under all its items.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Amount, Code, CustomerId};

/// How many additions to one item are kept one by one. Beyond that the oldest are
/// summed up, and something still older that arrives late no longer counts.
const MOST_ADDITIONS: usize = 50;

/// What is done to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Puts in more of each item.
    Add,
    /// Takes out some of each item, or all of it.
    Remove,
    /// Says how many of each item there are.
    Quantity,
    /// Says all that there is.
    Set,
    /// Takes out everything.
    Clear,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Add, Self::Remove, Self::Quantity, Self::Set, Self::Clear];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Quantity => "quantity",
            Self::Set => "set",
            Self::Clear => "clear",
        }
    }

    /// The one of that name.
    ///
    /// # Errors
    /// Says which there are.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let op = Self::ALL.into_iter().find(|op| op.as_str() == name);
        op.ok_or("must be \"add\", \"remove\", \"quantity\", \"set\" or \"clear\"")
    }
}

/// One thing done to a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The caller's own id; the same id again is the same operation.
    pub id: String,
    /// Whose container.
    pub customer_id: CustomerId,
    /// Which.
    pub container: Code,
    /// What is done.
    pub op: Op,
    /// When.
    pub at: Timestamp,
    /// Which of the shop's sites or apps it came from.
    pub source: Option<Code>,
    /// To which items.
    pub items: Vec<ItemSaid>,
}

/// An item as a caller gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemSaid {
    /// Which product.
    pub product_id: String,
    /// How many, if the caller says.
    pub quantity: Option<Amount>,
    /// What else is said of it: price, name, url, image, fields.
    pub details: Map<String, Value>,
}

/// A container as a whole, without its items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Nothing put in up to then is in it, but for what was said at that very time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Timestamp>,
}

impl Container {
    /// The container with everything up to `at` taken out; `None` if that is no news.
    #[must_use]
    pub fn emptied(&self, at: Timestamp) -> Option<Self> {
        let newer = self.floor.is_none_or(|floor| at > floor);
        newer.then_some(Self { floor: Some(at) })
    }
}

/// What is known of one product in one container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Which container.
    pub container: Code,
    /// Which product.
    pub product_id: String,
    /// The container's floor when this was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Timestamp>,
    /// The quantity that was last said outright, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<(Timestamp, Amount)>,
    /// What was added and taken out since, oldest first.
    #[serde(default)]
    added: Vec<Addition>,
    /// What was last said of the product: price, name, url, image, fields.
    #[serde(default)]
    pub details: Map<String, Value>,
    /// When that was said.
    pub details_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Addition {
    at: Timestamp,
    /// A digest of the operation's id, since ids may be long.
    op: String,
    by: Amount,
}

/// How much of an item there is, and since when there is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub quantity: Amount,
    /// When it came in, last.
    pub since: Timestamp,
}

impl Item {
    /// What is known of an item after an operation; `None` if that says nothing new.
    ///
    /// Clearing is the container's, not an item's: to an item it does nothing.
    #[must_use]
    pub fn after(
        known: Option<&Self>,
        operation: &Operation,
        said: &ItemSaid,
        floor: Option<Timestamp>,
    ) -> Option<Self> {
        let at = operation.at;
        let mut item = known.cloned().unwrap_or_else(|| Self {
            container: operation.container.clone(),
            product_id: said.product_id.clone(),
            floor,
            said: None,
            added: Vec::new(),
            details: Map::new(),
            details_at: Timestamp::UNIX_EPOCH,
        });
        item.floor = item.floor.max(floor);
        match (operation.op, said.quantity) {
            (Op::Add, quantity) => item.add(operation, quantity.unwrap_or(Amount::ONE)),
            (Op::Remove, Some(quantity)) => item.add(operation, quantity.negative()),
            (Op::Remove, None) => item.say(at, Amount::ZERO),
            (Op::Quantity | Op::Set, quantity) => item.say(at, quantity.unwrap_or(Amount::ONE)),
            (Op::Clear, _) => return None,
        }
        let text = |details: &Map<String, Value>| Value::Object(details.clone()).to_string();
        let newer = at > item.details_at || (at == item.details_at && text(&said.details) > text(&item.details));
        if newer && !said.details.is_empty() {
            item.details.clone_from(&said.details);
            item.details_at = at;
        }
        item.settle();
        // Of what no longer counts when it is first heard of, nothing is kept.
        let counts = known.is_some() || item.said.is_some() || !item.added.is_empty();
        (counts && Some(&item) != known).then_some(item)
    }

    /// The item once nothing of it is in the container, because the whole was said
    /// without it.
    #[must_use]
    pub fn left_out(&self, at: Timestamp, floor: Option<Timestamp>) -> Option<Self> {
        let mut item = self.clone();
        item.floor = item.floor.max(floor);
        item.say(at, Amount::ZERO);
        item.settle();
        (item != *self).then_some(item)
    }

    /// The item once its container's floor is known to be this; `None` if nothing that
    /// is known of it counts any more.
    #[must_use]
    pub fn over(&self, floor: Option<Timestamp>) -> Option<Self> {
        let mut item = self.clone();
        item.floor = item.floor.max(floor);
        item.settle();
        let is_left_out = item.said.is_some_and(|(at, quantity)| Some(at) == item.floor && quantity == Amount::ZERO);
        let counts = !item.added.is_empty() || (item.said.is_some() && !is_left_out);
        counts.then_some(item)
    }

    /// Two accounts of one item as one.
    #[must_use]
    pub fn joined(&self, other: &Self, floor: Option<Timestamp>) -> Self {
        let mut item = self.clone();
        item.floor = item.floor.max(other.floor).max(floor);
        if let Some((at, quantity)) = other.said {
            item.say(at, quantity);
        }
        for addition in &other.added {
            if !item.added.iter().any(|known| known.op == addition.op) {
                item.added.push(addition.clone());
            }
        }
        if other.details_at > item.details_at {
            item.details.clone_from(&other.details);
            item.details_at = other.details_at;
        }
        item.settle();
        item
    }

    /// How much of it is in the container over this floor; `None` if none is.
    #[must_use]
    pub fn held(&self, floor: Option<Timestamp>) -> Option<Held> {
        let floor = floor.max(self.floor);
        let said = self.said.filter(|(at, _)| floor.is_none_or(|floor| *at >= floor));
        let start = said.map(|(at, _)| at).max(floor);
        let mut quantity = said.map_or(Decimal::ZERO, |(_, quantity)| quantity.decimal());
        let mut since = said.filter(|_| quantity > Decimal::ZERO).map(|(at, _)| at);
        for Addition { at, by, .. } in self.added.iter().filter(|added| start.is_none_or(|start| added.at > start)) {
            quantity = (quantity + by.decimal()).max(Decimal::ZERO);
            since = if quantity.is_zero() { None } else { since.or(Some(*at)) };
        }
        since.map(|since| Held { quantity: Amount::bounded(quantity), since })
    }

    /// When it was last said anything of.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.said.map(|(at, _)| at).into_iter().chain(self.added.iter().map(|added| added.at)).max()
    }

    fn add(&mut self, operation: &Operation, by: Amount) {
        let op = crate::digest(&["op", &operation.id])[..16].to_owned();
        if !self.added.iter().any(|known| known.op == op) {
            self.added.push(Addition { at: operation.at, op, by });
        }
    }

    fn say(&mut self, at: Timestamp, quantity: Amount) {
        // Of two at the same time the larger counts, whichever came first.
        self.said = self.said.max(Some((at, quantity)));
    }

    /// Forgets what no longer counts, and sums up what is too much to keep.
    fn settle(&mut self) {
        let start = self.said.map(|(at, _)| at).max(self.floor);
        self.added.retain(|added| start.is_none_or(|start| added.at > start));
        self.added.sort();
        if self.said.is_some_and(|(at, _)| self.floor.is_some_and(|floor| at < floor)) {
            self.said = None;
        }
        while self.added.len() > MOST_ADDITIONS {
            let Addition { at, by, .. } = self.added.remove(0);
            let quantity = self.said.map_or(Decimal::ZERO, |(_, quantity)| quantity.decimal()) + by.decimal();
            self.said = Some((at, Amount::bounded(quantity.max(Decimal::ZERO))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn operation(id: &str, op: Op, second: i64) -> Operation {
        Operation {
            id: id.into(),
            customer_id: CustomerId::parse("c").unwrap(),
            container: Code::parse("cart").unwrap(),
            op,
            at: at(second),
            source: None,
            items: Vec::new(),
        }
    }

    fn told(operations: &[(String, Op, Option<u8>, i64)], floor: Option<i64>) -> Option<Item> {
        operations.iter().fold(None, |known: Option<Item>, (id, op, quantity, second)| {
            let quantity = quantity.map(|quantity| Amount::parse(&quantity.to_string()).unwrap());
            let said = ItemSaid { product_id: "mug".into(), quantity, details: Map::new() };
            Item::after(known.as_ref(), &operation(id, *op, *second), &said, floor.map(at)).or(known)
        })
    }

    fn quantity(operations: &[(&str, Op, Option<u8>, i64)]) -> Option<String> {
        let operations: Vec<_> = operations.iter().map(|(id, op, q, at)| ((*id).to_owned(), *op, *q, *at)).collect();
        told(&operations, None)?.held(None).map(|held| held.quantity.to_string())
    }

    #[test]
    fn an_addition_counts_once_and_only_after_what_was_said_outright() {
        let twice = [("a", Op::Add, Some(2), 1), ("a", Op::Add, Some(2), 1), ("b", Op::Add, None, 2)];
        assert_eq!(quantity(&twice).as_deref(), Some("3"));
        let late = [("q", Op::Quantity, Some(5), 3), ("a", Op::Add, Some(2), 1), ("b", Op::Remove, Some(1), 4)];
        assert_eq!(quantity(&late).as_deref(), Some("4"));
        assert_eq!(quantity(&[("a", Op::Add, None, 1), ("r", Op::Remove, None, 2)]), None);
        assert_eq!(
            quantity(&[("a", Op::Add, None, 1), ("r", Op::Remove, Some(7), 2), ("b", Op::Add, None, 3)]).as_deref(),
            Some("1")
        );
    }

    #[test]
    fn what_was_put_in_before_the_container_was_emptied_is_gone_however_late_it_arrives() {
        let item = told(&[("a".into(), Op::Add, Some(2), 5), ("b".into(), Op::Add, Some(1), 1)], None).unwrap();
        assert_eq!(item.held(Some(at(3))).unwrap().since, at(5));
        assert_eq!(item.held(Some(at(5))), None);
        let container = Container::default().emptied(at(5)).unwrap();
        assert_eq!(container.emptied(at(4)), None);
    }

    proptest! {
        #[test]
        fn the_order_and_repetition_of_arrival_do_not_matter(
            operations in prop::collection::btree_map(1i64..60, (0usize..4, prop::option::of(1u8..4)), 1..12),
            floor in prop::option::of(1i64..60),
            shuffle in prop::collection::vec(any::<prop::sample::Index>(), 24),
        ) {
            let operations: Vec<_> = operations
                .into_iter()
                .map(|(second, (op, quantity))| (format!("op-{second}"), Op::ALL[op], quantity, second))
                .collect();
            let mut other: Vec<_> = operations.iter().chain(&operations).cloned().collect();
            let length = other.len();
            for (place, to) in shuffle.iter().enumerate().take(length) {
                other.swap(place, to.index(length));
            }
            prop_assert_eq!(told(&operations, floor), told(&other, floor));
        }
    }
}
