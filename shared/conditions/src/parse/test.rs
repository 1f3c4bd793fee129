//! A leaf's test.

use jiff::{SignedDuration, Span, SpanRelativeTo};
use regex_lite::RegexBuilder;
use serde_json::{Map, Value};

use super::{Parser, VALUE_LIMIT};
use crate::condition::{Anniversary, Length, Moving, Operand, Order, Test, Unit, Zone};
use crate::value::{Kind, Scalar};

/// How long a pattern may be, in bytes.
const PATTERN_LIMIT: usize = 256;

/// How much memory a pattern may take once it is compiled, in bytes. It bounds the steps
/// that each character of a text may take, too.
const PATTERN_SIZE: usize = 16 * 1024;

/// How long a length of time may be: a little more than ten years.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3660);

/// How many units a moment may lie away, and how many days an anniversary.
const FARTHEST: i64 = 3660;

impl Parser {
    pub(super) fn test(&mut self, name: &str, json: &Value) -> Option<Test> {
        Some(match name {
            "is" => Test::Is(self.operand(json)?),
            "is_not" => Test::IsNot(self.operand(json)?),
            "contains" => Test::Contains(self.fixed(json)?),
            "starts_with" => Test::StartsWith(self.text(name, json)?),
            "ends_with" => Test::EndsWith(self.text(name, json)?),
            "matches" => {
                let pattern = self.text(name, json)?;
                if pattern.len() > PATTERN_LIMIT {
                    return self.fault(format!("a pattern is at most {PATTERN_LIMIT} bytes long"));
                }
                match RegexBuilder::new(&pattern).size_limit(PATTERN_SIZE).build() {
                    Ok(pattern) => Test::Matches(pattern),
                    Err(error) => return self.fault(format!("this is no regular expression: {error}")),
                }
            }
            "set" => match json {
                Value::Bool(set) => Test::Set(*set),
                _ => return self.fault("\"set\" takes true or false"),
            },
            "in" => match json {
                Value::Array(list) if (1..=VALUE_LIMIT).contains(&list.len()) => {
                    let operands: Vec<_> = list
                        .iter()
                        .enumerate()
                        .map(|(index, json)| self.inside(index, |parser| parser.fixed(json)))
                        .collect();
                    Test::In(operands.into_iter().collect::<Option<_>>()?)
                }
                _ => return self.fault(format!("\"in\" takes a list of 1 to {VALUE_LIMIT} values")),
            },
            "between" => match json {
                Value::Array(ends) if ends.len() == 2 => {
                    let from = self.inside(0, |parser| parser.ordered(&ends[0]));
                    let to = self.inside(1, |parser| parser.ordered(&ends[1]));
                    let (from, to) = (from?, to?);
                    if is_impossible(&from, &to) {
                        return self.fault("nothing lies between these: the first is more than the second");
                    }
                    Test::Between(from, to)
                }
                _ => return self.fault("\"between\" takes a list of two values, the lesser first"),
            },
            "anniversary" => Test::Anniversary(self.anniversary(json)?),
            name => {
                let order = match name {
                    "more_than" => Order::MoreThan,
                    "at_least" => Order::AtLeast,
                    "less_than" => Order::LessThan,
                    _ => Order::AtMost,
                };
                Test::Order(order, self.ordered(json)?)
            }
        })
    }

    fn text(&mut self, name: &str, json: &Value) -> Option<String> {
        match json {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => self.fault(format!("{name:?} takes text")),
        }
    }

    fn ordered(&mut self, json: &Value) -> Option<Operand> {
        if json.is_boolean() { self.fault("true and false have no order") } else { self.operand(json) }
    }

    /// A value, or a moment that moves with the clock.
    pub(super) fn operand(&mut self, json: &Value) -> Option<Operand> {
        match json {
            Value::Object(map) => self.moving(map).map(Operand::Moving),
            json => self.fixed(json),
        }
    }

    fn fixed(&mut self, json: &Value) -> Option<Operand> {
        match json {
            Value::Null => self.fault("null is no value; use \"set\": false"),
            Value::String(text) if text.is_empty() => self.fault("empty text is no value; use \"set\": false"),
            Value::Array(_) | Value::Object(_) => self.fault("a value is text, a number, true or false"),
            json => match Scalar::of(json) {
                Some(scalar) => Some(Operand::Fixed(json.clone(), scalar)),
                None => self.fault("this number is out of range"),
            },
        }
    }

    fn moving(&mut self, map: &Map<String, Value>) -> Option<Moving> {
        let names: Vec<&str> = map.keys().map(String::as_str).collect();
        match names.as_slice() {
            ["ago"] => self.inside("ago", |parser| parser.length(&map["ago"])).map(Moving::Ago),
            ["ahead"] => self.inside("ahead", |parser| parser.length(&map["ahead"])).map(Moving::Ahead),
            names if names.contains(&"start_of") => {
                self.only(map, &["start_of", "offset", "zone"])?;
                let unit = self.inside("start_of", |parser| {
                    let unit =
                        map["start_of"].as_str().and_then(|name| Unit::ALL.into_iter().find(|u| u.name() == name));
                    unit.or_else(|| parser.fault("must be \"day\", \"week\", \"month\" or \"year\""))
                });
                let offset = map.get("offset").map_or(Some(0), |offset| self.inside("offset", |p| p.whole(offset)));
                let zone = self.zone(map);
                Some(Moving::Start { unit: unit?, offset: offset?, zone: zone? })
            }
            _ => self.fault(
                "a moment is {\"ago\": \"30d\"}, {\"ahead\": \"7d\"} or {\"start_of\": \"day\", \"offset\": -7}",
            ),
        }
    }

    fn anniversary(&mut self, json: &Value) -> Option<Anniversary> {
        let Value::Object(map) = json else {
            return self.fault("takes days before and after today, such as {\"from_day\": 0, \"to_day\": 7}");
        };
        self.only(map, &["from_day", "to_day", "zone"])?;
        let mut day = |name: &str| match map.get(name) {
            Some(day) => self.inside(name, |parser| parser.whole(day)),
            None => Some(0),
        };
        let (from, to) = (day("from_day"), day("to_day"));
        let (zone, from, to) = (self.zone(map)?, from?, to?);
        if from > to {
            return self.fault("no day lies between these: \"from_day\" is after \"to_day\"");
        }
        Some(Anniversary { from, to, zone })
    }

    fn whole(&mut self, json: &Value) -> Option<i32> {
        let number = json.as_i64().filter(|number| (-FARTHEST..=FARTHEST).contains(number));
        match number.and_then(|number| i32::try_from(number).ok()) {
            Some(number) => Some(number),
            None => self.fault(format!("must be a whole number, at most {FARTHEST} to either side")),
        }
    }

    fn zone(&mut self, map: &Map<String, Value>) -> Option<Zone> {
        match map.get("zone").map(|zone| zone.as_str()) {
            None | Some(Some("shop")) => Some(Zone::Shop),
            Some(Some("customer")) => Some(Zone::Customer),
            Some(_) => self.inside("zone", |parser| parser.fault("must be \"shop\" or \"customer\"")),
        }
    }

    pub(super) fn length(&mut self, json: &Value) -> Option<Length> {
        let span: Option<Span> = json.as_str().and_then(|text| text.parse().ok());
        let length = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        match (json, length.filter(|length| *length > SignedDuration::ZERO && *length <= LONGEST)) {
            (Value::String(text), Some(length)) => Some(Length { text: text.clone(), length }),
            _ => self.fault("must be a length of time of at most ten years, such as \"30d\", \"PT2H\" or \"90m\""),
        }
    }

    /// That an object has no other names.
    pub(super) fn only(&mut self, map: &Map<String, Value>, known: &[&str]) -> Option<()> {
        let mut fine = Some(());
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let nearest = super::nearest(name, known.iter().copied()).unwrap_or_default();
            fine = self.inside(name, |p| p.fault(format!("is not known here; did you mean {nearest:?}?")));
        }
        fine
    }
}

/// Whether the first is more than the second, whatever the time.
pub(super) fn is_impossible(from: &Operand, to: &Operand) -> bool {
    let ago = |length: &Length| -length.length.as_secs();
    let place = |operand: &Operand| match operand {
        Operand::Moving(Moving::Ago(length)) => Some(ago(length)),
        Operand::Moving(Moving::Ahead(length)) => Some(length.length.as_secs()),
        _ => None,
    };
    match (from, to) {
        (Operand::Fixed(_, a), Operand::Fixed(_, b)) => {
            let days = |scalar: &Scalar| matches!(scalar.kind, Kind::Date(_) | Kind::Instant(_));
            if std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind) {
                a.order(b, &jiff::tz::TimeZone::UTC).is_some_and(std::cmp::Ordering::is_gt)
            } else {
                // On which day an instant lies is for the shop's zone to say.
                !(days(a) && days(b))
            }
        }
        (from, to) => place(from).zip(place(to)).is_some_and(|(from, to)| from > to),
    }
}
