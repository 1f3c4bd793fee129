//! What is known of one customer, put where a program looks for it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::field::{Collection, cell_at};
use crate::program::Program;
use crate::value::Cell;

/// What is known of one customer: everything that a condition may ask about, each thing
/// as the API shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What there is one of, by the name of its root: `customer`, and what happened.
    pub single: Map<String, Value>,
    /// Orders, in any order; the lines are read off them.
    pub orders: Vec<Value>,
    /// Events, in any order.
    pub events: Vec<Value>,
    /// What is in containers now.
    pub items: Vec<Value>,
    /// Containers, each with `code`, `changed_at` and what it comes to.
    pub containers: Vec<Value>,
    /// Messages, and what became of them.
    pub messages: Vec<Value>,
    /// The audiences in which the customer is.
    pub audiences: Vec<String>,
}

impl Facts {
    /// Of which there is one of each, and nothing else.
    #[must_use]
    pub fn single(single: Map<String, Value>) -> Self {
        Self { single, ..Self::default() }
    }
}

/// A customer as a program sees them. It holds what the program's conditions ask about
/// and nothing else.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) single: Vec<Cell>,
    pub(crate) tables: [Table; Collection::ALL.len()],
    pub(crate) audiences: Vec<bool>,
    /// The customer's own zone, if it is known.
    pub(crate) zone: Option<TimeZone>,
}

/// The things of one collection, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) times: Vec<Timestamp>,
    /// Row by row.
    pub(crate) cells: Vec<Cell>,
    pub(crate) width: usize,
    /// Of lines: the place of the order of each; of orders: where its lines begin, and
    /// behind the last where they end.
    pub(crate) links: Vec<usize>,
}

impl Table {
    pub(crate) fn cell(&self, row: usize, place: usize) -> &Cell {
        &self.cells[row * self.width + place]
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    fn of<'v>(things: impl Iterator<Item = (Timestamp, &'v Value)>, paths: &[String]) -> Self {
        let mut table = Self { width: paths.len(), ..Self::default() };
        for (at, thing) in things {
            table.times.push(at);
            table.cells.extend(paths.iter().map(|path| cell_at(thing, path)));
        }
        table
    }
}

impl Program {
    /// Reads a customer for these conditions.
    #[must_use]
    pub fn state(&self, facts: &Facts) -> State {
        let single = self.layout.single.iter().map(|field| match facts.single.get(field.root().name()) {
            Some(object) => cell_at(object, field.rest()),
            None => Cell::Nothing,
        });
        let mut tables: [Table; Collection::ALL.len()] = std::array::from_fn(|_| Table::default());
        let wanted = |over: Collection| self.needs().iter().any(|needs| needs.collections.contains(&over));
        for over in Collection::ALL {
            let things = match over {
                Collection::Orders => &facts.orders,
                Collection::Events => &facts.events,
                Collection::Items => &facts.items,
                Collection::Containers => &facts.containers,
                Collection::Messages => &facts.messages,
                Collection::Lines => continue,
            };
            if !wanted(over) {
                continue;
            }
            let sorted = by_time(things, over);
            tables[over as usize] = Table::of(sorted.iter().copied(), &self.layout.tables[over as usize]);
            if over == Collection::Orders && wanted(Collection::Lines) {
                let lines = sorted.iter().enumerate().flat_map(|(place, (at, order))| {
                    order
                        .get("lines")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .map(move |line| (place, *at, line))
                });
                let lines: Vec<(usize, Timestamp, &Value)> = lines.collect();
                let mut table = Table::of(
                    lines.iter().map(|(_, at, line)| (*at, *line)),
                    &self.layout.tables[Collection::Lines as usize],
                );
                table.links = lines.iter().map(|(order, ..)| *order).collect();
                let begin = |order: usize| table.links.partition_point(|of| *of < order);
                tables[over as usize].links = (0..=sorted.len()).map(begin).collect();
                tables[Collection::Lines as usize] = table;
            }
        }
        let is_in = |code: &String| facts.audiences.contains(code);
        State {
            single: single.collect(),
            tables,
            audiences: self.layout.audiences.iter().map(is_in).collect(),
            zone: zone(facts),
        }
    }
}

/// Things with their times, the oldest first; those of one time by their ids, so that
/// which is the first does not depend on how they came.
fn by_time(things: &[Value], over: Collection) -> Vec<(Timestamp, &Value)> {
    let time = |thing: &Value| {
        thing.get(over.time()).and_then(Value::as_str).and_then(|at| at.parse().ok()).unwrap_or(Timestamp::MIN)
    };
    let mut sorted: Vec<(Timestamp, &Value)> = things.iter().map(|thing| (time(thing), thing)).collect();
    let id = |thing: &'_ Value| thing.get("id").and_then(Value::as_str).map(str::to_owned);
    sorted.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| id(x).cmp(&id(y))));
    sorted
}

fn zone(facts: &Facts) -> Option<TimeZone> {
    let name = facts.single.get("customer")?.get("time_zone")?.as_str()?;
    TimeZone::get(name).ok()
}
