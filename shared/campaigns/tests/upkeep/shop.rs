//! A shop with one customer: what is known of them, the segments, and what these say of
//! the customer if they are asked from scratch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campaigns::{EditionOf, Editions, Segment, Segments, Upkeep};
use conditions::{At, Collection, Condition, Facts, Needs, Program, Scope, Verdict};
use domain::{Code, Touched};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::{Value, json};

use crate::histories::{BASE, Deed};

/// What is known of one customer now, and of the segments.
pub(crate) struct Shop {
    pub(crate) now: Timestamp,
    pub(crate) facts: Facts,
    pub(crate) editions: Editions,
    pub(crate) upkeep: Arc<Upkeep>,
    /// Each edition that is kept, asked by itself.
    pub(crate) alone: BTreeMap<EditionOf, Alone>,
    /// Which work of finding members has looked at the customer.
    pub(crate) found: Option<u64>,
    zone: TimeZone,
    saved: BTreeMap<Code, (u64, Condition)>,
    versions: BTreeMap<(Code, u64), Condition>,
    things: usize,
}

/// A segment by one of its editions.
pub(crate) struct Alone {
    pub(crate) serves: bool,
    pub(crate) program: Program,
    /// Its condition as it is written, with those of the segments that it asks about.
    pub(crate) text: String,
}

pub(crate) fn code(text: &str) -> Code {
    Code::parse(text).expect("a code")
}

impl Shop {
    /// Nobody is known yet, and there is no segment.
    pub(crate) fn new(now: Timestamp, zone: &str) -> Self {
        Self {
            now,
            facts: Facts::default(),
            editions: Editions::default(),
            upkeep: Arc::default(),
            alone: BTreeMap::new(),
            found: None,
            zone: TimeZone::get(zone).expect("a zone"),
            saved: BTreeMap::new(),
            versions: BTreeMap::new(),
            things: 0,
        }
    }

    pub(crate) fn at(&self, now: Timestamp) -> At {
        At { now, shop: self.zone.clone() }
    }

    /// Whether the customer has a profile; who has none is in no segment.
    pub(crate) fn is_known(&self) -> bool {
        self.facts.single.contains_key("customer")
    }

    /// What an edition says of the customer at a time, by all that is known now.
    pub(crate) fn verdict(&self, edition: &EditionOf, now: Timestamp) -> Verdict {
        let program = &self.alone[edition].program;
        program.verdict(0, &program.state(&self.facts), &self.at(now))
    }

    /// The editions of which the customer's membership is known: those that serve, and
    /// those that are built once they were looked at for that.
    pub(crate) fn complete(&self) -> Vec<EditionOf> {
        let is_found = |edition: &EditionOf, alone: &Alone| alone.serves || self.found == Some(edition.1);
        self.alone
            .iter()
            .filter(|(edition, alone)| is_found(edition, alone))
            .map(|(edition, _)| edition.clone())
            .collect()
    }

    /// What is read of the customer for conditions that need this and nothing else.
    pub(crate) fn read(&self, needs: &Needs, now: Timestamp) -> Facts {
        let mut facts = Facts { single: self.facts.single.clone(), ..Facts::default() };
        for part in Part::ALL {
            self.read_part(part, needs, now, &mut facts);
        }
        facts
    }

    /// Reads one part of it, which may be some time after another.
    pub(crate) fn read_part(&self, part: Part, needs: &Needs, now: Timestamp, facts: &mut Facts) {
        let wants = |over: Collection| needs.collections.contains(&over);
        let since =
            |thing: &Value, time: &str, from: Option<Timestamp>| from.is_none_or(|from| moment(&thing[time]) >= from);
        match part {
            Part::Orders if wants(Collection::Orders) => facts.orders.clone_from(&self.facts.orders),
            Part::Events if wants(Collection::Events) => {
                let is_meant = |event: &&Value| {
                    let name = event["name"].as_str().unwrap_or_default();
                    needs.events.as_ref().is_none_or(|names| names.contains(name))
                        && since(event, "at", needs.events_back.since(now))
                };
                facts.events = self.facts.events.iter().filter(is_meant).cloned().collect();
            }
            Part::Containers if wants(Collection::Items) || wants(Collection::Containers) => {
                facts.items.clone_from(&self.facts.items);
                facts.containers.clone_from(&self.facts.containers);
            }
            Part::Audiences if !needs.audiences.is_empty() => facts.audiences.clone_from(&self.facts.audiences),
            Part::Messages if wants(Collection::Messages) => {
                let from = needs.messages_back.since(now);
                let is_meant = |message: &&Value| since(message, "created_at", from);
                facts.messages = self.facts.messages.iter().filter(is_meant).cloned().collect();
            }
            _ => {}
        }
    }

    /// Does something, and tells what it touched.
    pub(crate) fn does(&mut self, deed: &Deed) -> Option<Touched> {
        let by = self.now.duration_since(BASE);
        match deed {
            Deed::Put(over, thing) => {
                self.things += 1;
                let mut thing = shifted(thing, by);
                // Ids do not follow the order in which things come.
                thing["id"] = json!(format!("{:03}", self.things * 377 % 1000));
                self.things_of(*over).push(thing.clone());
                Some(touched(*over, &thing))
            }
            Deed::Change(over, which, thing) => {
                let things = self.things_of(*over);
                let known = (!things.is_empty()).then(|| which.get_mut(things))?;
                // An event is what it was, however often it is told of; of the others who they
                // are and when they came to be stay.
                if *over != Collection::Events {
                    let mut thing = shifted(thing, by);
                    for name in ["id", "created_at"] {
                        thing[name] = known[name].clone();
                    }
                    *known = thing;
                }
                Some(touched(*over, known))
            }
            Deed::Gone(over, which) => {
                let things = self.things_of(*over);
                let place = (!things.is_empty()).then(|| which.index(things.len()))?;
                let gone = things.remove(place);
                Some(touched(*over, &gone))
            }
            Deed::Emptied => {
                self.facts.items.clear();
                Some(Touched::Containers)
            }
            Deed::Audience(audience) => {
                let known = self.facts.audiences.iter().position(|known| known == audience);
                match known {
                    Some(place) => drop(self.facts.audiences.remove(place)),
                    None => self.facts.audiences.push((*audience).to_owned()),
                }
                Some(Touched::Audience(code(audience)))
            }
            Deed::Profile(profile) => {
                let is_first = !self.is_known();
                self.facts.single.insert("customer".into(), shifted(profile, by));
                Some(if is_first { Touched::Everything } else { Touched::Profile })
            }
        }
    }

    fn things_of(&mut self, over: Collection) -> &mut Vec<Value> {
        match over {
            Collection::Orders | Collection::Lines => &mut self.facts.orders,
            Collection::Events => &mut self.facts.events,
            Collection::Items => &mut self.facts.items,
            Collection::Containers => &mut self.facts.containers,
            Collection::Messages => &mut self.facts.messages,
        }
    }

    /// Saves a segment, if it may be.
    pub(crate) fn edit(&mut self, which: &str, condition: &Value) {
        let (itself, json) = (code(which), shifted(condition, self.now.duration_since(BASE)));
        // What was possible before it was moved to another day may not be so any more.
        let Ok(condition) = Condition::parse(&json, &Scope::SEGMENT) else { return };
        let saved = self.saved_segments();
        if saved.hindrance(which, &condition).is_some() || saved.condition(which) == Some(&condition) {
            return;
        }
        let last = self.versions.keys().filter(|(code, _)| *code == itself).map(|(_, version)| *version).max();
        let version = last.unwrap_or_default() + 1;
        self.versions.insert((itself.clone(), version), condition.clone());
        self.saved.insert(itself.clone(), (version, condition));
        let affected = self.saved_segments().asking_about(&itself);
        self.move_editions(|editions, versions, now| Some(editions.edited(&affected, versions, now)));
    }

    /// Deletes a segment, if nothing asks about it.
    pub(crate) fn delete(&mut self, which: &str) {
        let [meant, to_come] = self.meanings();
        if [self.saved_segments(), meant, to_come].iter().any(|segments| segments.naming(which).next().is_some()) {
            return;
        }
        let itself = code(which);
        self.saved.remove(&itself);
        self.move_editions(|editions, versions, now| Some(editions.without(&itself, versions, now)));
    }

    /// Every customer was looked at for what is being built.
    pub(crate) fn built(&mut self, number: u64) {
        self.move_editions(|editions, versions, now| editions.built(number, versions, now));
    }

    fn move_editions(&mut self, after: impl FnOnce(&Editions, &BTreeMap<Code, u64>, Timestamp) -> Option<Editions>) {
        let versions = self.saved.iter().map(|(code, (version, _))| (code.clone(), *version)).collect();
        if let Some(editions) = after(&self.editions, &versions, self.now) {
            self.editions = editions;
        }
        let [meant, to_come] = self.meanings();
        let alone = |(segment, number): EditionOf| {
            let serves = self.editions.serving.get(&segment).is_some_and(|edition| edition.number == number);
            let meaning = if serves { &meant } else { &to_come };
            let condition = meaning.condition(segment.as_str()).expect("a condition");
            let program = Program::new([condition], |code| meaning.condition(code));
            assert!(program.is_whole(), "{segment} asks about what there is not");
            let mut text = String::new();
            write(meaning, segment.as_str(), &mut text);
            ((segment, number), Alone { serves, program, text })
        };
        self.alone = self.editions.kept().into_iter().map(alone).collect();
        self.upkeep = Arc::new(Upkeep::new(&self.editions, meant, to_come));
    }

    fn saved_segments(&self) -> Segments {
        let segment = |(code, (_, condition)): (&Code, &(u64, Condition))| named(code, condition);
        self.saved.iter().map(segment).collect()
    }

    fn meanings(&self) -> [Segments; 2] {
        [self.editions.in_force(), self.editions.to_come()].map(|versions| {
            versions.into_iter().map(|(code, version)| named(&code, &self.versions[&(code.clone(), version)])).collect()
        })
    }
}

/// What can be read by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    Orders,
    Events,
    Containers,
    Audiences,
    Messages,
}

impl Part {
    pub(crate) const ALL: [Self; 5] = [Self::Orders, Self::Events, Self::Containers, Self::Audiences, Self::Messages];
}

impl Alone {
    /// Whether what it says may be otherwise because of what was written, by its words.
    pub(crate) fn speaks_of(&self, touched: &Touched) -> bool {
        let over = |name: &str| self.text.contains(&format!("\"{name}\"")) || self.text.contains(&format!("\"{name}."));
        match touched {
            Touched::Everything => true,
            Touched::Profile => over("customer"),
            Touched::Orders => over("orders") || over("lines"),
            Touched::Event(_) => over("events"),
            Touched::Containers => over("containers") || over("items"),
            Touched::Audience(code) => self.text.contains(&format!("\"audience\":\"{code}\"")),
            Touched::Messages => over("messages"),
        }
    }
}

fn named(code: &Code, condition: &Condition) -> Segment {
    Segment { code: code.clone(), name: code.to_string(), condition: condition.clone() }
}

fn write(segments: &Segments, code: &str, text: &mut String) {
    let Some(condition) = segments.condition(code) else { return };
    text.push_str(&json!(condition).to_string());
    condition.segments().into_iter().collect::<BTreeSet<_>>().into_iter().for_each(|code| write(segments, code, text));
}

fn touched(over: Collection, thing: &Value) -> Touched {
    match over {
        Collection::Orders | Collection::Lines => Touched::Orders,
        Collection::Events => Touched::Event(code(thing["name"].as_str().expect("a name"))),
        Collection::Items | Collection::Containers => Touched::Containers,
        Collection::Messages => Touched::Messages,
    }
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).expect("a moment")
}

/// The same with every time and every day so much later.
fn shifted(value: &Value, by: SignedDuration) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|value| shifted(value, by)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shifted(value, by))).collect(),
        Value::String(text) => match (text.parse::<Timestamp>(), text.parse::<Date>()) {
            (Ok(at), _) => json!(at + by),
            (_, Ok(day)) => json!(day.saturating_add(Span::new().days(by.as_hours() / 24)).to_string()),
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}
