//! The condition language: one tree for segments, filters, audiences and what blocks a message.
//!
//! ```json
//! {"all": [
//!   {"field": "customer.city", "is": "Riga"},
//!   {"count": "orders", "during": {"last": "90d"}, "where": {"field": "order.total", "at_least": 50}, "at_least": 3},
//!   {"not": {"audience": "staff"}}
//! ]}
//! ```
//!
//! `all`, `any` and `not` join conditions; an empty `all` always holds. A leaf puts a
//! field, or what several things come to, to one test.
//!
//! # Tests
//!
//! | test | holds when the value |
//! |---|---|
//! | `is`, `is_not` | equals, or does not |
//! | `in` | equals one of a list |
//! | `contains` | is text, or a number as it was written, with this in it; or a list with this among it |
//! | `starts_with`, `ends_with` | is text, or a number as it was written, that begins or ends so |
//! | `matches` | is text, or a number as it was written, in the first 1,000 bytes of which this regular expression is found; in linear time |
//! | `more_than`, `at_least`, `less_than`, `at_most` | is a number, an instant, a date or text, and in this order to one of the same kind |
//! | `between` | is at least the first and at most the second of two |
//! | `anniversary` | is a date whose yearly return lies in these days: `{"from_day": 0, "to_day": 7}`; from the year after it on; 29 February returns on the 28th |
//! | `set` | is there (`true`) or not (`false`) |
//!
//! An instant or a date may be held against a moment that moves with the clock:
//! `{"ago": "30d"}`, `{"ahead": "2h"}`, or the start of a stretch of the calendar,
//! `{"start_of": "day", "offset": -30}`, of the shop's zone unless it says
//! `"zone": "customer"`. A length of time is exact; a day of it is 24 hours.
//!
//! # Fields
//!
//! A field is named by a dotted path whose first part is a [`Root`].
//!
//! **What is not there.** Absent, `null`, `""`, `[]` and `{}` are one and the same: not
//! there. A value that is not there fails every test but `set: false` and `is_not`: whoever
//! has no city is not from Riga, and neither has more nor fewer than five orders.
//!
//! **What is equal.** A JSON number, and text written as one (`"10.00"`), are compared as
//! decimals. Text with leading zeros or a plus sign is not a number, so postcodes
//! and telephone numbers stay what they are. RFC 3339 instants are compared as instants,
//! dates as dates, and an instant beside a date by its day in the shop's zone. All else is
//! compared to the letter. Values of different kinds are never equal, more or less.
//!
//! **Lists.** A path that goes through a list leads to the list of what it finds:
//! `{"field": "order.lines.product_id", "contains": "p-1"}`.
//!
//! # What several things come to
//!
//! `count` counts the things of a [`Collection`], and asks whether there is any if it has
//! no test; `sum`, `average`, `min`, `max`, `first`, `last` and `distinct` (how many
//! different ones) take a field of theirs: `{"sum": "orders.total", "more_than": 500}`.
//! The sum of nothing is 0; the others of nothing are not there. `first` and `last` go by
//! time and skip things that lack the field; `min` and `max` take values of one kind. Amounts are added up as
//! they are: of several currencies, ask for one in `where`.
//!
//! `where` says which things, by a condition over one of them: `order`, `line` (with its
//! `order`), `event`, `item`, `container` or `message`. A filter over orders may go through
//! the lines of each.
//!
//! An order that its statuses keep out of analytics (its `in_analytics` is false, as of one
//! that was cancelled) does not count, and neither do its lines, unless `where` asks for
//! `order.status` or `order.in_analytics` itself. Of an order that counts, all lines do.
//!
//! `during` says of which time: `{"last": "30d"}`, up to now and without what is dated
//! ahead; `{"from": …, "to": …}`, the second not included; `{"since": {"last": "events",
//! "where": …}}`, after the time of the last (or `first`) thing of that kind, and nothing if
//! there is none.
//!
//! `{"audience": "vip"}` and `{"segment": "loyal"}` ask whether the customer is in one.
//!
//! # Verdicts
//!
//! A [`Program`] makes conditions ready, reads a customer for all of them and says
//! whether one holds, why, and when that turns if nothing else happens: jumping from
//! one such moment to the next finds what looking at every instant would find.
//!
//! Architecture invariant: evaluating reads the facts and the time that it is given and nothing
//! else, neither a clock nor a table.

mod aggregate;
mod check;
mod condition;
mod english;
mod evaluate;
mod field;
mod moment;
mod needs;
mod parse;
mod program;
mod state;
mod test;
mod value;

pub use check::{Entry, Known, Schema, Type, there_is_no};
pub use condition::Condition;
pub use evaluate::{Decided, Verdict, Why};
pub use field::{Collection, Root, Scope};
pub use moment::At;
pub use needs::{Needs, Reach};
pub use parse::{DEPTH_LIMIT, Fault, LEAF_LIMIT, VALUE_LIMIT};
pub use program::Program;
pub use state::{Facts, State};

impl Condition {
    /// Whether the condition holds for these facts alone. Nobody is in a segment.
    ///
    /// Whoever looks at many conditions, or at one many times, makes a [`Program`].
    #[must_use]
    pub fn holds(&self, facts: &Facts, at: &At) -> bool {
        let program = self.alone();
        program.holds(0, &program.state(facts), at)
    }

    /// Whether the condition holds for these facts alone, and which leaves made it so.
    #[must_use]
    pub fn explain(&self, facts: &Facts, at: &At) -> (bool, Why) {
        let program = self.alone();
        let state = program.state(facts);
        (program.holds(0, &state, at), program.why(0, &state, at))
    }

    fn alone(&self) -> Program {
        Program::new([self], |_| None)
    }
}
