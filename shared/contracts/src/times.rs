//! Times that a caller gives.

use domain::Fault;
use domain::read::Reader;
use jiff::{SignedDuration, Timestamp};

/// By how much a caller's clock may be ahead of ours.
///
/// What was said last holds: a time far ahead would shadow everything said until
/// then.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// What is wrong with a time that is too far ahead of ours.
#[must_use]
pub fn ahead(pointer: &str, at: Timestamp, now: Timestamp) -> Option<Fault> {
    let far = at.duration_since(now) > MOST_AHEAD;
    far.then(|| Fault::new(pointer, format!("must not be more than a day ahead of our clock, which says {now}")))
}

/// Notes it as a fault if the time is too far ahead of ours.
pub(crate) fn not_ahead(reader: &mut Reader<'_>, key: &str, at: Option<Timestamp>, now: Timestamp) {
    let place = reader.place(key);
    reader.faults(at.and_then(|at| ahead(&place, at, now)));
}
