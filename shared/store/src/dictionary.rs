use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::dictionary::{Dictionary, SeenEvent};
use domain::{Code, EventKind};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::Definitions;
use crate::rows::{Item, failed, of_definitions, text};

/// How long the dictionary is taken to hold without another look.
const TRUSTED: SignedDuration = SignedDuration::from_secs(1);

/// How many things may be noted of one event that nobody defined. Whoever sends
/// names made up of random letters fills no table.
const MOST_SEEN: usize = 200;

/// The longest name of a field that is noted, in bytes.
const LONGEST_NAME: usize = 100;

/// How many undefined events' rows are remembered.
const MOST_REMEMBERED: usize = 10_000;

const SEEN: &str = "seen-event";

/// Keeps the shop's dictionary in memory, and notes what comes in undefined.
///
/// The revision is looked at at most once a second, by one small read; only when it
/// has moved is the dictionary read again, by one query. So a word holds for what
/// comes in a second after it was saved, and a request mostly costs no read at all.
#[derive(Debug)]
pub struct DictionaryCache {
    definitions: Definitions,
    kept: Mutex<Kept>,
    seen: Mutex<BTreeMap<String, SeenEvent>>,
}

#[derive(Debug, Default)]
struct Kept {
    looked_at: Option<Timestamp>,
    revision: Option<u64>,
    dictionary: Arc<Dictionary>,
}

impl DictionaryCache {
    /// The dictionary in this table.
    #[must_use]
    pub fn new(definitions: Definitions) -> Self {
        Self { definitions, kept: Mutex::default(), seen: Mutex::default() }
    }

    /// The dictionary as it stands, or stood a second ago by the clock that gave
    /// `now`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn current(&self, now: Timestamp) -> anyhow::Result<Arc<Dictionary>> {
        let known = {
            let kept = self.kept();
            let age = kept.looked_at.map(|at| now.duration_since(at));
            if age.is_some_and(|age| age >= SignedDuration::ZERO && age < TRUSTED) {
                return Ok(Arc::clone(&kept.dictionary));
            }
            kept.revision
        };
        // The revision is read first: what is saved meanwhile moves it once more.
        let revision = self.definitions.revision().await?;
        let read = match known == Some(revision) {
            true => None,
            false => {
                let words = self.definitions.words().await.map_err(of_definitions)?;
                Some(Arc::new(Dictionary::new(words.into_iter().map(|saved| (saved.id, saved.word)))))
            }
        };
        let mut kept = self.kept();
        if let Some(dictionary) = read {
            kept.revision = Some(revision);
            kept.dictionary = dictionary;
        }
        kept.looked_at = Some(now);
        Ok(Arc::clone(&kept.dictionary))
    }

    /// Notes that an event came in which nobody has defined, with the fields that
    /// its context brought and the kind of JSON that each was. Writes only what is
    /// new to the row; the revision stays where it is.
    ///
    /// # Errors
    /// If the table cannot be written to. The event itself is none the worse for
    /// it, so callers log this and go on.
    pub async fn note_seen(
        &self,
        name: &Code,
        kind: EventKind,
        source: Option<&Code>,
        fields: &BTreeMap<String, &'static str>,
        at: Timestamp,
    ) -> anyhow::Result<()> {
        let seen = seen_now(kind, source, fields, at);
        if self.seen().get(name.as_str()).is_some_and(|known| known.covers(&seen)) {
            return Ok(());
        }
        let mut row = self.definitions.note_seen(name, &seen).await?.unwrap_or_default();
        // What the row had no room for is not tried again and again.
        row.add(seen);
        let mut remembered = self.seen();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.entry(name.to_string()).or_default().add(row);
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, SeenEvent>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seen_now(
    kind: EventKind,
    source: Option<&Code>,
    fields: &BTreeMap<String, &'static str>,
    at: Timestamp,
) -> SeenEvent {
    let day = at.to_zoned(TimeZone::UTC).date();
    let fields = fields.iter().filter(|(name, _)| name.len() <= LONGEST_NAME).take(MOST_SEEN);
    SeenEvent {
        kinds: serde_json::to_value(kind).ok().iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect(),
        sources: source.into_iter().map(Code::to_string).collect(),
        fields: fields.map(|(name, r#type)| format!("{type} {name}")).collect(),
        first: Some(day),
        last: Some(day),
    }
}

impl Definitions {
    /// Adds to what is known of an event that nobody has defined, and gives what is
    /// known then; `None` if the row is full.
    async fn note_seen(&self, name: &Code, seen: &SeenEvent) -> anyhow::Result<Option<SeenEvent>> {
        let day = |day: Option<jiff::civil::Date>| text(day.map(|day| day.to_string()).unwrap_or_default());
        let mut sets = Vec::new();
        let mut update = self.update(SEEN, name.as_str());
        for (attribute, set) in [("kinds", &seen.kinds), ("sources", &seen.sources), ("brought", &seen.fields)] {
            if !set.is_empty() {
                sets.push(format!("{attribute} :{attribute}"));
                let set = AttributeValue::Ss(set.iter().cloned().collect());
                update = update.expression_attribute_values(format!(":{attribute}"), set);
            }
        }
        let room = "(attribute_not_exists(sources) OR size(sources) < :most) \
                    AND (attribute_not_exists(brought) OR size(brought) < :most)";
        let update = update
            .update_expression(format!(
                "ADD {} SET first_day = if_not_exists(first_day, :first), last_day = if_not_exists(last_day, :last)",
                sets.join(", ")
            ))
            .condition_expression(room)
            .expression_attribute_values(":most", AttributeValue::N(MOST_SEEN.to_string()))
            .expression_attribute_values(":first", day(seen.first))
            .expression_attribute_values(":last", day(seen.last))
            .return_values(ReturnValue::AllNew);
        let known = match update.send().await {
            Ok(written) => decode(&written.attributes.unwrap_or_default()),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                return Ok(None);
            }
            Err(error) => return Err(failed("an event could not be noted")(error)),
        };
        for (attribute, condition, moved, to) in [
            ("first_day", "first_day > :day", seen.first < known.first, seen.first),
            ("last_day", "last_day < :day", seen.last > known.last, seen.last),
        ] {
            if moved {
                let update = self
                    .update(SEEN, name.as_str())
                    .update_expression(format!("SET {attribute} = :day"))
                    .condition_expression(condition)
                    .expression_attribute_values(":day", day(to));
                match update.send().await {
                    Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {}
                    written => drop(written.map_err(failed("an event could not be noted"))?),
                }
            }
        }
        Ok(Some(known))
    }

    /// What is known of one event that came in undefined.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn seen_event(&self, name: &str) -> anyhow::Result<Option<SeenEvent>> {
        Ok(self.item(SEEN, name).await?.as_ref().map(decode))
    }

    /// The events that came in undefined, by name, after a name and no more than
    /// `limit`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn seen(&self, after: Option<&str>, limit: usize) -> anyhow::Result<Vec<(String, SeenEvent)>> {
        let rows = self.query_after(SEEN, after, limit, true).await?;
        let name = |row: &Item| row.get("id").and_then(|id| id.as_s().ok()).cloned();
        Ok(rows.iter().filter_map(|row| Some((name(row)?, decode(row)))).collect())
    }
}

fn decode(row: &Item) -> SeenEvent {
    let set = |name: &str| -> BTreeSet<String> {
        row.get(name).and_then(|set| set.as_ss().ok()).into_iter().flatten().cloned().collect()
    };
    let day = |name: &str| row.get(name).and_then(|day| day.as_s().ok()).and_then(|day| day.parse().ok());
    SeenEvent {
        kinds: set("kinds"),
        sources: set("sources"),
        fields: set("brought"),
        first: day("first_day"),
        last: day("last_day"),
    }
}
