//! What a test says of a value, and when that may change.

use serde_json::Value;

use crate::condition::{Operand, Test};
use crate::moment::{Clock, Turns};
use crate::value::{Cell, Kind, Scalar, day};

/// How many bytes of a text a pattern is looked for in.
const MATCHED: usize = 1000;

impl Test {
    #[inline]
    pub(crate) fn holds(&self, cell: &Cell, clock: Clock<'_>) -> bool {
        if let Cell::Nothing = cell {
            return matches!(self, Test::Set(false) | Test::IsNot(_));
        }
        let one = match cell {
            Cell::One(scalar) => Some(scalar),
            _ => None,
        };
        match self {
            Test::Set(set) => *set,
            Test::Is(operand) => one.is_some_and(|one| operand.equals(one, clock)),
            Test::IsNot(operand) => !one.is_some_and(|one| operand.equals(one, clock)),
            Test::In(operands) => one.is_some_and(|one| operands.iter().any(|operand| operand.equals(one, clock))),
            Test::StartsWith(prefix) => one.is_some_and(|one| one.text.starts_with(prefix.as_str())),
            Test::EndsWith(suffix) => one.is_some_and(|one| one.text.ends_with(suffix.as_str())),
            Test::Matches(pattern) => one.is_some_and(|one| {
                !matches!(one.kind, Kind::Bool(_)) && {
                    let text = &one.text;
                    pattern.is_match(&text[..text.floor_char_boundary(MATCHED)])
                }
            }),
            Test::Contains(Operand::Fixed(value, wanted)) => match cell {
                Cell::Many(scalars) | Cell::Other(_, scalars) => {
                    scalars.iter().any(|scalar| scalar.equals(wanted, clock.shop))
                }
                Cell::One(scalar) => match value {
                    Value::String(wanted) => scalar.text.contains(wanted.as_str()),
                    wanted => scalar.text.contains(&wanted.to_string()),
                },
                Cell::Nothing => false,
            },
            Test::Contains(Operand::Moving(_)) => false,
            Test::Order(order, operand) => {
                one.and_then(|one| operand.order(one, clock)).is_some_and(|found| order.holds(found))
            }
            Test::Between(from, to) => one.is_some_and(|one| {
                from.order(one, clock).is_some_and(|found| found.is_ge())
                    && to.order(one, clock).is_some_and(|found| found.is_le())
            }),
            Test::Anniversary(anniversary) => one.is_some_and(|one| match one.kind {
                Kind::Date(date) => anniversary.holds(date, clock),
                Kind::Instant(at) => anniversary.holds(day(at, clock.zone(anniversary.zone)), clock),
                _ => false,
            }),
        }
    }

    /// When what it says of a value may change by the clock alone.
    pub(crate) fn turns(&self, cell: &Cell, clock: Clock<'_>, turns: &mut Turns) {
        let Cell::One(scalar) = cell else { return };
        let mut meets = |operand: &Operand| {
            let Operand::Moving(moving) = operand else { return };
            match scalar.kind {
                Kind::Instant(at) => moving.meets(at, clock, turns),
                Kind::Date(day) => moving.meets_day(day, clock, turns),
                Kind::Decimal(_) | Kind::Text | Kind::Bool(_) => {}
            }
        };
        match self {
            Test::Is(operand) | Test::IsNot(operand) | Test::Order(_, operand) => meets(operand),
            Test::Between(from, to) => {
                meets(from);
                meets(to);
            }
            Test::Anniversary(anniversary) => match scalar.kind {
                Kind::Date(date) => anniversary.turns(date, clock, turns),
                Kind::Instant(at) => anniversary.turns(day(at, clock.zone(anniversary.zone)), clock, turns),
                Kind::Decimal(_) | Kind::Text | Kind::Bool(_) => {}
            },
            Test::In(_)
            | Test::Contains(_)
            | Test::StartsWith(_)
            | Test::EndsWith(_)
            | Test::Matches(_)
            | Test::Set(_) => {}
        }
    }
}

impl Operand {
    /// How a value stands to it.
    #[inline]
    fn order(&self, value: &Scalar, clock: Clock<'_>) -> Option<std::cmp::Ordering> {
        match self {
            Operand::Fixed(_, wanted) => value.order(wanted, clock.shop),
            Operand::Moving(moving) => {
                let moment = moving.at(clock);
                match value.kind {
                    Kind::Instant(at) => Some(at.cmp(&moment)),
                    Kind::Date(date) => Some(date.cmp(&day(moment, moving.zone(clock)))),
                    Kind::Decimal(_) | Kind::Text | Kind::Bool(_) => None,
                }
            }
        }
    }

    #[inline]
    fn equals(&self, value: &Scalar, clock: Clock<'_>) -> bool {
        match self {
            Operand::Fixed(_, wanted) => value.equals(wanted, clock.shop),
            Operand::Moving(_) => self.order(value, clock).is_some_and(|found| found.is_eq()),
        }
    }
}
