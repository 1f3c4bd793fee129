//! How a language writes amounts, dates and plurals.
//!
//! The data is Unicode's CLDR, cut down to what mails print (`cldr/generate.mjs`): a line of JSON for
//! each language, read when it is first asked for.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use serde::Deserialize;

use crate::run::Stop;

use super::{Given, failed, is_blank, plurals::Category, shown};

const DATA: &str = include_str!("../../cldr/languages.jsonl");

/// Languages that go by another's name here.
const OTHERWISE: &[(&str, &str)] = &[
    ("nb", "no"),
    ("nn", "no"),
    ("iw", "he"),
    ("in", "id"),
    ("tl", "fil"),
    ("zh-TW", "zh-Hant"),
    ("zh-HK", "zh-Hant"),
];

/// Patterns by the form that a number takes.
type Forms<'a> = BTreeMap<Category, &'a str>;

/// A language, as CLDR has it.
pub(crate) type Language = Written<'static>;

/// A line of the data.
#[derive(Debug, Deserialize)]
pub(crate) struct Written<'a> {
    decimal: &'a str,
    group: &'a str,
    minus: &'a str,
    #[serde(borrow)]
    money_decimal: Option<&'a str>,
    #[serde(borrow)]
    money_group: Option<&'a str>,
    /// How many digits stand before the first mark of thousands at least.
    grouped_from: usize,
    /// Whether all groups but the last are pairs: 12,34,567.
    #[serde(default)]
    pairs: bool,
    /// `#` is the digits, `¤` the currency.
    money: &'a str,
    #[serde(borrow)]
    symbols: BTreeMap<&'a str, &'a str>,
    /// Patterns: short, medium, long, full.
    #[serde(borrow)]
    pub(super) dates: [&'a str; 4],
    #[serde(flatten, borrow)]
    pub(super) names: Names<'a>,
    /// What "just now" is.
    pub(super) now: &'a str,
    /// Yesterday, today, tomorrow.
    #[serde(borrow)]
    pub(super) around: [&'a str; 3],
    #[serde(borrow)]
    units: BTreeMap<&'a str, Unit<'a>>,
    #[serde(borrow)]
    plurals: Vec<(Category, &'a str)>,
}

/// Names of months and days, as they stand in a date and (`alone`, where it differs) by themselves.
#[derive(Debug, Deserialize)]
pub(crate) struct Names<'a> {
    #[serde(borrow)]
    pub(super) months: [&'a str; 12],
    #[serde(borrow)]
    pub(super) months_alone: Option<[&'a str; 12]>,
    #[serde(borrow)]
    pub(super) short_months: [&'a str; 12],
    #[serde(borrow)]
    pub(super) short_months_alone: Option<[&'a str; 12]>,
    /// From Sunday.
    #[serde(borrow)]
    pub(super) days: [&'a str; 7],
    #[serde(borrow)]
    pub(super) days_alone: Option<[&'a str; 7]>,
    #[serde(borrow)]
    pub(super) short_days: [&'a str; 7],
    /// Of the years that we count, where dates name it.
    #[serde(borrow)]
    pub(super) era: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Unit<'a> {
    #[serde(borrow)]
    past: Forms<'a>,
    #[serde(borrow)]
    future: Forms<'a>,
}

struct Entry {
    tag: &'static str,
    line: &'static str,
    read: OnceLock<Option<Language>>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let tag = line.strip_prefix("{\"tag\":\"")?.split('"').next()?;
        Some(Entry { tag, line, read: OnceLock::new() })
    };
    DATA.lines().filter_map(entry).collect()
});

/// The language of a tag (`de`, `de-AT`, `zh_Hant_TW`), or of the nearest wider one.
pub(super) fn find(tag: &str) -> Option<&'static Language> {
    let mut rest = tag;
    loop {
        let is = |known: &str| {
            known.len() == rest.len()
                && known
                    .bytes()
                    .zip(rest.bytes())
                    .all(|(a, b)| a.eq_ignore_ascii_case(&if b == b'_' { b'-' } else { b }))
        };
        let known = OTHERWISE.iter().find(|(other, _)| is(other)).map(|(_, known)| *known);
        let entry = match known {
            Some(known) => ENTRIES.iter().find(|entry| entry.tag == known),
            None => ENTRIES.iter().find(|entry| is(entry.tag)),
        };
        if let Some(entry) = entry {
            return entry.read.get_or_init(|| serde_json::from_str(entry.line).ok()).as_ref();
        }
        rest = &rest[..rest.rfind(['-', '_'])?];
    }
}

/// The language of a mail that is written in `own`: as its reader's region has it, if it is
/// their language, and so none of theirs beside words of another.
pub(crate) fn of_mail(own: &str, reader: Option<&str>) -> Option<&'static Language> {
    let main = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    reader.filter(|reader| main(reader) == main(own)).and_then(find).or_else(|| find(own))
}

/// The language that the call names, else that of the mail, if its template says it, else the
/// first of the customer's and the shop's that is known, else English. A customer's unknown language is no reason to keep the mail back.
pub(super) fn of(given: &Given<'_>) -> Result<&'static Language, Stop> {
    if let Some(named) = given.named("language").map(|named| &*named.value).filter(|named| !is_blank(named)) {
        return named.as_str().and_then(find).ok_or_else(|| failed(format!("there is no language {}", shown(named))));
    }
    // Of one mail it is always the same.
    Ok(given.reader.get_or_init(|| {
        let whose = |whose: &str| find(given.data.get(whose)?.get("language")?.as_str()?);
        whose("customer").or_else(|| whose("shop")).or_else(|| find("en")).expect("English is there")
    }))
}

impl Language {
    /// A number with so many decimals, rounded half away from zero, as shops do.
    pub(super) fn number(&self, value: Decimal, decimals: u32) -> String {
        let digits = self.digits(value, decimals, self.decimal, self.group);
        if is_below_zero(value, &digits) { format!("{}{digits}", self.minus) } else { digits }
    }

    /// An amount of a currency, by its code.
    pub(super) fn money(&self, amount: Decimal, code: &str) -> String {
        let (decimal, group) = (self.money_decimal.unwrap_or(self.decimal), self.money_group.unwrap_or(self.group));
        let digits = self.digits(amount, minor_digits(code), decimal, group);
        let symbol = self.symbols.get(code).copied().unwrap_or(code);
        let (above, below) =
            self.money.split_once(';').map_or((self.money, None), |(above, below)| (above, Some(below)));
        let mut written = String::with_capacity(digits.len() + 12);
        let pattern = match (is_below_zero(amount, &digits), below) {
            (false, _) => above,
            (true, Some(below)) => below,
            (true, None) => {
                written.push_str(self.minus);
                above
            }
        };
        let mut before = None;
        for c in pattern.chars() {
            // What is written in letters keeps its distance from the digits.
            if matches!((before, c), (Some('¤'), '#')) && symbol.ends_with(is_lettering)
                || matches!((before, c), (Some('#'), '¤')) && symbol.starts_with(is_lettering)
            {
                written.push('\u{a0}');
            }
            match c {
                '#' => written.push_str(&digits),
                '¤' => written.push_str(symbol),
                '-' => written.push_str(self.minus),
                other => written.push(other),
            }
            before = Some(c);
        }
        written
    }

    /// The form that a number's noun takes.
    pub(super) fn category(&self, number: Decimal) -> Category {
        super::plurals::category(&self.plurals, number)
    }

    /// So many of a unit ahead, or, below zero, ago.
    pub(super) fn relative(&self, unit: &str, number: i64) -> Option<String> {
        let unit = self.units.get(unit)?;
        let forms = if number < 0 { &unit.past } else { &unit.future };
        let number = Decimal::from(number).abs();
        let pattern = forms.get(&self.category(number)).or_else(|| forms.get(&Category::Other))?;
        Some(pattern.replace("{0}", &self.number(number, 0)))
    }

    /// The digits of a value, whatever its sign.
    fn digits(&self, value: Decimal, decimals: u32, decimal: &str, group: &str) -> String {
        let rounded = value.round_dp_with_strategy(decimals, MidpointAwayFromZero);
        let (mantissa, scale) = (rounded.mantissa().unsigned_abs(), rounded.scale() as usize);
        let mut digits = u64::try_from(mantissa).map_or_else(|_| mantissa.to_string(), |short| short.to_string());
        if digits.len() <= scale {
            digits.insert_str(0, &"0".repeat(scale + 1 - digits.len()));
        }
        digits.extend(std::iter::repeat_n('0', (decimals as usize).saturating_sub(scale)));
        let (whole, fraction) = digits.split_at(digits.len() - decimals as usize);
        let mut written = String::with_capacity(digits.len() + whole.len());
        for (index, digit) in whole.char_indices() {
            let left = whole.len() - index;
            let ends_group = left == 3 || left > 3 && (left - 3) % if self.pairs { 2 } else { 3 } == 0;
            if index > 0 && ends_group && whole.len() >= 3 + self.grouped_from {
                written.push_str(group);
            }
            written.push(digit);
        }
        if !fraction.is_empty() {
            written.push_str(decimal);
            written.push_str(fraction);
        }
        written
    }
}

/// What rounds to nothing has no sign.
fn is_below_zero(value: Decimal, digits: &str) -> bool {
    value.is_sign_negative() && digits.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

fn is_lettering(c: char) -> bool {
    // Most are signs of this block, and to look a letter up takes longer than all the rest.
    c == '.' || !('\u{20a0}'..='\u{20cf}').contains(&c) && c.is_alphanumeric()
}

/// How many decimals a currency has (ISO 4217, list one).
fn minor_digits(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
