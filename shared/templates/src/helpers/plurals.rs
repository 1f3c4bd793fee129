//! Which form of a noun a number takes, by CLDR's rules (UTS 35, part 3, "Language plural rules").

use rust_decimal::Decimal;
use serde::Deserialize;

/// A form; which numbers take it is a matter of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Category {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

impl Category {
    pub(super) const NAMES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// The first form whose rule holds.
pub(super) fn category(rules: &[(Category, &str)], number: Decimal) -> Category {
    // 2.0 of something are two of them: amounts come with any number of decimals.
    let number = number.abs().normalize();
    let holds = |rule: &str| rule.split(" or ").any(|all| all.split(" and ").all(|one| relation(one, number)));
    rules.iter().find(|(_, rule)| holds(rule)).map_or(Category::Other, |(category, _)| *category)
}

/// `n % 10 = 2..4,9`, or with `!=`.
fn relation(relation: &str, number: Decimal) -> bool {
    let (left, right, wanted) = match relation.split_once(" != ") {
        Some((left, right)) => (left, right, false),
        None => match relation.split_once(" = ") {
            Some((left, right)) => (left, right, true),
            None => return false,
        },
    };
    let (operand, modulus) = left.split_once(" % ").map_or((left, None), |(operand, modulus)| (operand, Some(modulus)));
    let value = match operand {
        "n" => number,
        "i" => number.trunc(),
        "v" | "w" => Decimal::from(number.scale()),
        // The digits after the mark, as a number.
        "f" | "t" => {
            Decimal::from((number - number.trunc()).mantissa().unsigned_abs().min(u128::from(u64::MAX)) as u64)
        }
        // Of a number written 1.2c6, which ours never are.
        _ => Decimal::ZERO,
    };
    let value = match modulus.and_then(|modulus| modulus.parse::<Decimal>().ok()) {
        Some(modulus) => value.checked_rem(modulus).unwrap_or(value),
        None => value,
    };
    let among = right.split(',').any(|range| {
        let (from, to) = range.split_once("..").unwrap_or((range, range));
        let (Ok(from), Ok(to)) = (from.trim().parse::<u32>(), to.trim().parse::<u32>()) else { return false };
        value.is_integer() && value >= Decimal::from(from) && value <= Decimal::from(to)
    });
    among == wanted
}
