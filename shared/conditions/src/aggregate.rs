//! What several things come to, and when that changes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::condition::{Function, Operand};
use crate::evaluate::{Look, MOST_TURNS, Verdict};
use crate::field::Collection;
use crate::moment::Turns;
use crate::program::{Ready, ReadyAggregate, ReadyWindow};
use crate::value::{Cell, Kind, Scalar, day};

impl<'s> Look<'s> {
    /// The things that an aggregate goes through, before its window and its filter.
    fn rows(&self, over: Collection, of_one_order: bool) -> Range<usize> {
        match self.thing {
            Some((Collection::Orders, order)) if of_one_order => {
                let links = &self.table(Collection::Orders).links;
                links[order]..links[order + 1]
            }
            _ => 0..self.table(over).len(),
        }
    }

    /// Those of them that lie in its window.
    fn windowed(&self, aggregate: &ReadyAggregate) -> Range<usize> {
        let rows = self.rows(aggregate.over, aggregate.of_one_order);
        let times = &self.table(aggregate.over).times[rows.clone()];
        let first = |is_before: &dyn Fn(Timestamp) -> bool| rows.start + times.partition_point(|at| is_before(*at));
        let now = self.clock.now;
        match &aggregate.window {
            None => rows,
            Some(ReadyWindow::Last(length)) => {
                let start = now.checked_sub(*length).unwrap_or(Timestamp::MIN);
                first(&|at| at <= start)..first(&|at| at <= now)
            }
            Some(ReadyWindow::Between { from, to }) => {
                let before = |end: &Operand| {
                    let end = self.moment(end);
                    first(&|at| at < end)
                };
                let start = from.as_ref().map_or(rows.start, before);
                start..to.as_ref().map_or(rows.end, before).max(start)
            }
            Some(ReadyWindow::Since { first: is_first, over, filter }) => {
                match self.anchor(*is_first, *over, filter.as_ref()) {
                    Some(anchor) => first(&|at| at <= anchor)..rows.end,
                    None => rows.end..rows.end,
                }
            }
        }
    }

    fn anchor(&self, is_first: bool, over: Collection, filter: Option<&Ready>) -> Option<Timestamp> {
        let mut rows = 0..self.table(over).len();
        let is_meant = |row: &usize| self.passes(over, *row, filter);
        let row = if is_first { rows.find(is_meant) } else { rows.rev().find(is_meant) };
        row.map(|row| self.table(over).times[row])
    }

    fn moment(&self, operand: &Operand) -> Timestamp {
        match operand {
            Operand::Moving(moving) => moving.at(self.clock),
            Operand::Fixed(_, Scalar { kind: Kind::Instant(at), .. }) => *at,
            Operand::Fixed(_, Scalar { kind: Kind::Date(day), .. }) => crate::moment::start(*day, self.clock.shop),
            Operand::Fixed(..) => Timestamp::MIN,
        }
    }

    /// What the things that are meant come to.
    pub(crate) fn total(&self, aggregate: &ReadyAggregate) -> Cow<'s, Cell> {
        let filter = aggregate.filter.as_ref();
        let meant = self.windowed(aggregate).filter(|row| self.passes(aggregate.over, *row, filter));
        self.come_to(aggregate, meant)
    }

    /// What these things come to.
    fn come_to(&self, aggregate: &ReadyAggregate, mut rows: impl DoubleEndedIterator<Item = usize>) -> Cow<'s, Cell> {
        let table = self.table(aggregate.over);
        let zone = self.clock.shop;
        let number = |number: Decimal| Cow::Owned(Cell::One(Scalar::decimal(number)));
        let Some(place) = aggregate.place else { return number(Decimal::from(rows.count())) };
        let mut cells = rows.by_ref().map(|row| table.cell(row, place));
        match aggregate.function {
            Function::Count => number(Decimal::from(cells.count())),
            Function::Distinct => {
                let seen: HashSet<Distinct<'_>> = cells.flat_map(Cell::scalars).map(Distinct::of).collect();
                let days: HashSet<Date> = seen.iter().filter_map(Distinct::date).collect();
                // An instant on one of the days that are there too is that day.
                let is_such_a_day = |one: &&Distinct<'_>| match one {
                    Distinct::Instant(at) => !days.is_empty() && days.contains(&day(*at, zone)),
                    _ => false,
                };
                number(Decimal::from(seen.len() - seen.iter().filter(is_such_a_day).count()))
            }
            Function::Sum | Function::Average => {
                let numbers = cells.flat_map(Cell::scalars).filter_map(|scalar| match scalar.kind {
                    Kind::Decimal(number) => Some(number),
                    _ => None,
                });
                let (mut sum, mut count) = (Decimal::ZERO, 0_u32);
                for number in numbers {
                    sum = sum.saturating_add(number);
                    count += 1;
                }
                match aggregate.function {
                    Function::Sum => number(sum),
                    _ if count == 0 => Cow::Borrowed(&Cell::Nothing),
                    _ => number(sum / Decimal::from(count)),
                }
            }
            Function::Min | Function::Max => {
                let mut best: Option<&Scalar> = None;
                for scalar in cells.flat_map(Cell::scalars) {
                    let better = best.is_none_or(|best| {
                        let order = scalar.order(best, zone);
                        if aggregate.function == Function::Min {
                            order.is_some_and(|order| order.is_lt())
                        } else {
                            order.is_some_and(|order| order.is_gt())
                        }
                    });
                    if better {
                        best = Some(scalar);
                    }
                }
                best.map_or(Cow::Borrowed(&Cell::Nothing), |best| Cow::Owned(Cell::One(best.clone())))
            }
            Function::First => Cow::Borrowed(cells.find(is_there).unwrap_or(&Cell::Nothing)),
            Function::Last => Cow::Borrowed(cells.rfind(is_there).unwrap_or(&Cell::Nothing)),
        }
    }

    /// Whether the test of an aggregate holds, and when that turns.
    pub(crate) fn aggregate_verdict(&self, aggregate: &ReadyAggregate) -> Verdict {
        let length = match &aggregate.window {
            None => None,
            Some(ReadyWindow::Last(length)) => Some(*length),
            Some(_) => return self.searched(aggregate),
        };
        if aggregate.filter.as_ref().is_some_and(Ready::is_timed) {
            return self.searched(aggregate);
        }
        // Which things are meant does not change, only which of them are in the window: they
        // come in and go out one after the other.
        let times = &self.table(aggregate.over).times;
        let is_out = |now: Timestamp, row: usize| {
            length.is_some_and(|length| now.checked_sub(length).is_ok_and(|start| times[row] <= start))
        };
        let is_ahead = |now: Timestamp, row: usize| length.is_some() && times[row] > now;
        let filter = aggregate.filter.as_ref();
        let is_meant = |row: &usize| !is_out(self.clock.now, *row) && self.passes(aggregate.over, *row, filter);
        let meant: Vec<usize> = self.rows(aggregate.over, aggregate.of_one_order).filter(is_meant).collect();
        let (mut look, mut held, mut next) = (*self, None, None);
        for _ in 0..=MOST_TURNS {
            let now = look.clock.now;
            let first = meant.partition_point(|row| is_out(now, *row));
            let end = meant.partition_point(|row| !is_ahead(now, *row));
            let total = look.come_to(aggregate, meant[first..end].iter().copied());
            let holds = aggregate.test.holds(&total, look.clock);
            if *held.get_or_insert(holds) != holds {
                break;
            }
            let mut turns = Turns::default();
            if let Some(length) = length {
                turns.at(meant.get(first).and_then(|row| times[*row].checked_add(length).ok()));
                turns.at(meant.get(end).map(|row| times[*row]));
            }
            aggregate.test.turns(&total, look.clock, &mut turns);
            next = turns.after(now);
            let Some(turn) = next else { break };
            look = look.at(turn);
        }
        Verdict { holds: held.unwrap_or_default(), next }
    }

    /// The same by looking at every moment at which anything of it may turn.
    fn searched(&self, aggregate: &ReadyAggregate) -> Verdict {
        self.turning(
            |look| aggregate.test.holds(&look.total(aggregate), look.clock),
            |look, turns| look.turns(aggregate, turns),
        )
    }

    /// When what an aggregate comes to may change, or what its test says of it.
    fn turns(&self, aggregate: &ReadyAggregate, turns: &mut Turns) {
        let table = self.table(aggregate.over);
        let filter = aggregate.filter.as_ref();
        let is_timed = filter.is_some_and(Ready::is_timed);
        let rows = self.rows(aggregate.over, aggregate.of_one_order);
        // What is older never comes in again, so whatever becomes of it turns nothing; and
        // it may well not have been read.
        let since = aggregate.reach.since(self.clock.now);
        let is_over = |row: &usize| since.is_some_and(|since| table.times[*row] < since);
        for row in rows.skip_while(is_over) {
            if !is_timed && !self.passes(aggregate.over, row, filter) {
                continue;
            }
            let at = table.times[row];
            match &aggregate.window {
                Some(ReadyWindow::Last(length)) => {
                    turns.at(Some(at));
                    turns.at(at.checked_add(*length).ok());
                }
                Some(ReadyWindow::Between { from, to }) => {
                    for end in from.iter().chain(to) {
                        if let Operand::Moving(moving) = end {
                            moving.meets(at, self.clock, turns);
                        }
                    }
                }
                None | Some(ReadyWindow::Since { .. }) => {}
            }
            self.filter_turns(aggregate.over, row, filter, turns);
        }
        if let Some(ReadyWindow::Since { over, filter, .. }) = &aggregate.window {
            for row in 0..self.table(*over).len() {
                self.filter_turns(*over, row, filter.as_ref(), turns);
            }
        }
        aggregate.test.turns(&self.total(aggregate), self.clock, turns);
    }

    fn filter_turns(&self, over: Collection, row: usize, filter: Option<&Ready>, turns: &mut Turns) {
        if let Some(filter) = filter.filter(|filter| filter.is_timed()) {
            turns.at(Self { thing: Some((over, row)), ..*self }.verdict(filter).next);
        }
    }
}

/// A value by what it is compared as.
#[derive(PartialEq, Eq, Hash)]
enum Distinct<'v> {
    Decimal(Decimal),
    Instant(Timestamp),
    Date(Date),
    Text(&'v str),
    Bool(bool),
}

impl<'v> Distinct<'v> {
    fn of(scalar: &'v Scalar) -> Self {
        match scalar.kind {
            Kind::Decimal(number) => Self::Decimal(number),
            Kind::Instant(at) => Self::Instant(at),
            Kind::Date(date) => Self::Date(date),
            Kind::Text => Self::Text(&scalar.text),
            Kind::Bool(value) => Self::Bool(value),
        }
    }

    fn date(&self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(*date),
            _ => None,
        }
    }
}

fn is_there(cell: &&Cell) -> bool {
    !matches!(cell, Cell::Nothing)
}
