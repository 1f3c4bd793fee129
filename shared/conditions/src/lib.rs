//! The condition language: one tree for filters, exits and audiences.
//!
//! ```json
//! {"all": [
//!   {"field": "customer.city", "is": "Riga"},
//!   {"any": [{"field": "order.total", "at_least": 50}, {"not": {"field": "customer.fields.vip", "set": false}}]}
//! ]}
//! ```
//!
//! `all`, `any` and `not` join conditions; an empty `all` always holds. A leaf names a
//! field, by a dotted path whose first part is a [`Root`], and one test:
//!
//! | test | holds when the value |
//! |---|---|
//! | `is`, `is_not` | equals, or does not |
//! | `in` | equals one of a list |
//! | `contains` | is text with this in it, or a list with this among it |
//! | `starts_with` | is text that begins so |
//! | `more_than`, `at_least`, `less_than`, `at_most` | is a number, an instant, a date or text, and in this order to one of the same kind |
//! | `set` | is there (`true`) or not (`false`) |
//!
//! **What is not there.** Absent, `null`, `""`, `[]` and `{}` are one and the same: not
//! there. A value that is not there fails every test but `set: false` and `is_not`: whoever
//! has no city is not from Riga, and neither has more nor fewer than five orders.
//!
//! **What is equal.** A JSON number, and text written as one (`"10.00"`), are compared as
//! decimals. Text with leading zeros or a plus sign is not a number, so postcodes
//! and telephone numbers stay what they are. RFC 3339 instants are compared as instants,
//! dates as dates, and an instant beside a date by its day in UTC. All else is
//! compared to the letter. Values of different kinds are never equal, more or less.
//!
//! **Lists.** A path that goes through a list leads to the list of what it finds:
//! `{"field": "order.lines.product_id", "contains": "p-1"}`.
//!
//! Architecture invariant: evaluating reads the facts it is given and nothing else, neither a clock
//! nor a table.

mod condition;
mod english;
mod evaluate;
mod field;
mod parse;
mod value;

pub use condition::Condition;
pub use evaluate::{Decided, Verdict, Why};
pub use field::Root;
pub use parse::{DEPTH_LIMIT, Fault, LEAF_LIMIT, VALUE_LIMIT};
