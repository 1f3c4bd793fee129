//! One message, or a batch of them.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::said::{Around, Said};
use crate::{Kind, Message, commerce, event, person};
use domain::Fault;

/// The largest body of a batch that is taken, in bytes, as with Segment.
pub const MAX_BATCH: usize = 500 * 1024;

/// The largest message that is taken, in bytes, as with Segment.
pub const MAX_MESSAGE: usize = 32 * 1024;

/// The most messages that a batch may have, as with Segment.
pub const MAX_MESSAGES: usize = 2_500;

/// Reads one message of a kind, or a batch if no kind is given.
///
/// `currency` is that of orders which do not say theirs. Nothing here looks at
/// sizes: what a message takes is known only to whoever had its bytes.
///
/// # Errors
/// Outside: there is no batch in the body. Inside, for each message: nothing of
/// it could be understood. Each fault has its place in the body.
pub fn read(
    kind: Option<Kind>,
    body: &Value,
    currency: &str,
    received: Timestamp,
) -> Result<Vec<Result<Message, Vec<Fault>>>, Vec<Fault>> {
    let context = body.get("context").and_then(Value::as_object);
    let around = Around { context: None, sent_at: body.get("sentAt"), currency, received };
    if let Some(kind) = kind {
        return Ok(vec![message(kind, body, String::new(), &around, &mut Apart::default())]);
    }
    let around = Around { context, ..around };
    let mut apart = Apart::default();
    let Some(batch) = body.get("batch").and_then(Value::as_array) else {
        return Err(vec![Fault::new("/batch", "is required: a list of messages")]);
    };
    let read = |(index, value): (usize, &Value)| {
        let pointer = format!("/batch/{index}");
        if index >= MAX_MESSAGES {
            let detail = format!("is one too many; at most {MAX_MESSAGES} messages are taken at a time");
            return Err(vec![Fault::new(pointer, detail)]);
        }
        let named = value.get("type").and_then(Value::as_str).and_then(Kind::parse);
        let Some(kind) = named else {
            let place = if value.is_object() { format!("{pointer}/type") } else { pointer };
            let detail = "must be \"identify\", \"track\", \"page\", \"screen\", \"group\" or \"alias\"";
            return Err(vec![Fault::new(place, detail)]);
        };
        message(kind, value, pointer, &around, &mut apart)
    };
    Ok(batch.iter().enumerate().map(read).collect())
}

/// Keeps one person's messages apart in time. A program says several things within
/// a millisecond; what it says last must hold, so a message of the same time as one
/// before it is a millisecond later.
#[derive(Default)]
struct Apart(HashMap<(String, i64), i64>);

impl Apart {
    fn keep(&mut self, said: &mut Said<'_>) {
        let people = [&said.user, &said.visitor];
        let mut at = said.at.as_millisecond();
        while let Some(last) = people.iter().find_map(|id| self.0.get(&(id.as_ref()?.clone(), at))) {
            at = last.max(&at) + 1;
        }
        let given = said.at.as_millisecond();
        for id in people.into_iter().flatten() {
            self.0.insert((id.clone(), at), at);
            // The next one of the same time need not go the whole way again.
            self.0.insert((id.clone(), given), at);
        }
        if let Ok(later) = said.at.checked_add(SignedDuration::from_millis(at - given)) {
            said.at = later;
        }
    }
}

fn message<'a>(
    kind: Kind,
    value: &'a Value,
    pointer: String,
    around: &Around<'a>,
    apart: &mut Apart,
) -> Result<Message, Vec<Fault>> {
    let mut said = Said::read(value, pointer, around)?;
    apart.keep(&mut said);
    let told = match kind {
        Kind::Identify => Some(person::identified(&mut said)),
        Kind::Track => commerce::told(&mut said),
        Kind::Page => Some(vec![event::seen(&mut said, "page_viewed")]),
        Kind::Screen => Some(vec![event::seen(&mut said, "screen_viewed")]),
        Kind::Group => event::group(&mut said).map(|told| vec![told]),
        Kind::Alias => person::alias(&mut said),
    };
    let Some(told) = told else { return Err(said.faults) };
    let previous = value.get("previousId").and_then(Value::as_str).map(str::to_owned);
    let people = said.user.into_iter().chain(said.visitor).chain(previous.filter(|_| kind == Kind::Alias));
    Ok(Message { message_id: said.id, people: people.collect(), told, faults: said.faults })
}

/// The messages of a batch, by their numbers, in threads: whoever has anything to
/// do with one another is in one thread, in the order of the batch. Two threads
/// are about different people and need not wait for one another.
#[must_use]
pub fn threads(messages: &[&Message]) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..messages.len()).collect();
    fn find(root: &mut [usize], mut of: usize) -> usize {
        while root[of] != of {
            root[of] = root[root[of]];
            of = root[of];
        }
        of
    }
    let mut seen = HashMap::new();
    for (number, message) in messages.iter().enumerate() {
        for person in &message.people {
            if let Some(other) = seen.insert(person.as_str(), number) {
                let (one, other) = (find(&mut root, number), find(&mut root, other));
                root[one.max(other)] = one.min(other);
            }
        }
    }
    let mut threads: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for number in 0..messages.len() {
        threads.entry(find(&mut root, number)).or_default().push(number);
    }
    threads.into_values().collect()
}
