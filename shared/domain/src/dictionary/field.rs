use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Amount, Code, read};

/// What has fields of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A customer.
    Customer,
    /// An order.
    Order,
    /// One line of an order.
    OrderLine,
    /// A product.
    Product,
    /// A category of products.
    Category,
}

impl Object {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Customer, Self::Order, Self::OrderLine, Self::Product, Self::Category];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Order => "order",
            Self::OrderLine => "order_line",
            Self::Product => "product",
            Self::Category => "category",
        }
    }

    /// The object of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.as_str() == name)
    }
}

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number of at most 18 digits.
    Integer,
    /// An exact decimal.
    Decimal,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Datetime,
    /// A list of texts, numbers and truth values.
    List,
}

impl FieldType {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::String, Self::Integer, Self::Decimal, Self::Boolean, Self::Date, Self::Datetime, Self::List];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::List => "list",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r#type| r#type.as_str() == name)
    }

    /// A value of this type in the one form in which it is kept: decimals as text,
    /// instants in UTC, a single value of a list as a list. What comes from a file
    /// is text, so numbers and truth values may be written as text.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn read(self, value: &Value) -> Result<Value, String> {
        match self {
            Self::String => value.as_str().map(Value::from).ok_or_else(|| "must be a text".to_owned()),
            Self::Integer => integer(value).map(Value::from),
            Self::Decimal => read::amount(value).map(|amount| amount.to_string().into()),
            Self::Boolean => match value {
                Value::Bool(_) => Ok(value.clone()),
                Value::String(text) if text == "true" => Ok(true.into()),
                Value::String(text) if text == "false" => Ok(false.into()),
                _ => Err("must be true or false".to_owned()),
            },
            Self::Date => date(value).map(|date| date.to_string().into()),
            Self::Datetime => read::instant(value).map(|at| at.to_string().into()),
            Self::List => list(value),
        }
    }

    /// How two values of this type, as [`Self::read`] gives them, compare; `None`
    /// if they have no order.
    fn compare(self, a: &Value, b: &Value) -> Option<Ordering> {
        match self {
            Self::Integer => Some(a.as_i64()?.cmp(&b.as_i64()?)),
            Self::Decimal => Some(Amount::parse(a.as_str()?).ok()?.cmp(&Amount::parse(b.as_str()?).ok()?)),
            Self::Date => Some(a.as_str()?.cmp(b.as_str()?)),
            Self::Datetime => Some(a.as_str()?.parse::<Timestamp>().ok()?.cmp(&b.as_str()?.parse().ok()?)),
            Self::String | Self::Boolean | Self::List => None,
        }
    }

    /// Whether values of this type have an order, and may therefore have limits.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Date | Self::Datetime)
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    const WANT: &str = "must be a whole number of at most 18 digits";
    let amount = read::amount(value).map_err(|_| WANT)?.to_string();
    let (whole, rest) = amount.split_once('.').unwrap_or((&amount, ""));
    if rest.bytes().any(|digit| digit != b'0') {
        return Err(WANT.to_owned());
    }
    whole.parse().map_err(|_| WANT.to_owned())
}

fn date(value: &Value) -> Result<Date, String> {
    let text = value.as_str().filter(|text| text.len() == 10);
    let date: Option<Date> = text.and_then(|text| text.parse().ok());
    date.filter(|date| date.year() >= 1).ok_or_else(|| "must be a day, such as \"2026-11-22\"".to_owned())
}

fn list(value: &Value) -> Result<Value, String> {
    let plain = |value: &Value| !value.is_object() && !value.is_array() && !value.is_null();
    match value {
        Value::Array(items) if items.iter().all(plain) => Ok(value.clone()),
        value if plain(value) => Ok(vec![value.clone()].into()),
        _ => Err("must be a list of texts, numbers and truth values".to_owned()),
    }
}

/// What the values of a field may be, beyond their type. Every value here is in the
/// form that [`FieldType::read`] gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Only these; of a list, each item is one of them. None at all is no limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Value>,
    /// This or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// This or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
    /// At most so many characters; of a list, items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
}

impl Limits {
    fn check(&self, r#type: FieldType, value: &Value) -> Result<(), String> {
        let same = |allowed: &Value, item: &Value| match r#type.compare(allowed, item) {
            Some(order) => order == Ordering::Equal,
            None => allowed == item,
        };
        let one = |item: &Value| self.allowed.iter().any(|allowed| same(allowed, item));
        let fits =
            self.allowed.is_empty() || value.as_array().map_or_else(|| one(value), |items| items.iter().all(one));
        if !fits {
            return Err(format!("must be one of {}", listed(&self.allowed)));
        }
        if let Some(min) = &self.min
            && r#type.compare(value, min) == Some(Ordering::Less)
        {
            return Err(format!("must be at least {min}"));
        }
        if let Some(max) = &self.max
            && r#type.compare(value, max) == Some(Ordering::Greater)
        {
            return Err(format!("must be at most {max}"));
        }
        match (self.max_length, value) {
            (Some(most), Value::String(text)) if text.chars().count() > most => {
                Err(format!("must be at most {most} characters long"))
            }
            (Some(most), Value::Array(items)) if items.len() > most => Err(format!("must have at most {most} items")),
            _ => Ok(()),
        }
    }

    /// Whether nothing lies between the two ends.
    #[must_use]
    pub fn is_impossible(&self, r#type: FieldType) -> bool {
        let ends = self.min.as_ref().zip(self.max.as_ref());
        ends.is_some_and(|(min, max)| r#type.compare(min, max) == Some(Ordering::Greater))
    }
}

/// The first of a list of values, as JSON.
fn listed(values: &[Value]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = values.iter().take(SHOWN).map(Value::to_string).collect();
    let more = if values.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}

/// A field of one of the shop's objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldDefinition {
    /// What has it.
    pub object: Object,
    /// Its name under `fields`; without a dot, which paths are made of.
    pub name: Code,
    /// What people call it.
    pub label: String,
    /// What its values are.
    pub r#type: FieldType,
    /// What its values may be.
    #[serde(default)]
    pub limits: Limits,
}

impl FieldDefinition {
    /// A value of this field in the one form in which it is kept.
    ///
    /// # Errors
    /// Says what is wrong with it and what would be right.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        let value = self.r#type.read(value)?;
        self.limits.check(self.r#type, &value)?;
        Ok(value)
    }
}
