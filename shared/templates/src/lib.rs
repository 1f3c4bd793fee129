//! Handlebars templates for mail.
//!
//! A [`Source`] compiles once into a [`Template`], which renders many times; the
//! caller keeps it. Rendering is a pure function of the data: no files, no network, no clock.
//!
//! **A message is whole or it is not sent.** What would print as nothing (absent,
//! `null`, or `""`) stops the rendering as [`NotRendered::Missing`], because "Hello ,"
//! is worse than no mail. Inside `{{#if …}}` the same values are merely false, and
//! `{{default customer.first_name "there"}}` supplies one. A list or an object is not
//! printed either.
//!
//! # Helpers
//!
//! | call | gives |
//! |---|---|
//! | `money amount currency` | `€1,234.50`; the currency's own number of decimals, rounded half up; a sign for the currencies that have one to themselves, else the code: `PLN 12.00` |
//! | `number value decimals?` | `1,234.5`; with `decimals` (0 to 10) rounded to exactly that many |
//! | `date value pattern? zone?` | `1 May 2026`; `value` an RFC 3339 instant or a date; `pattern` as in strftime; an instant is shown in `zone`, else `customer.time_zone`, else `shop.time_zone`, else UTC |
//! | `plural n one many` | `one` when `n` is 1, else `many` |
//! | `default value other…` | the first that is not blank |
//! | `limit list n` | the first `n` of a list: `{{#each (limit order.lines 3)}}` |
//! | `len value` | how many items, keys or characters; 0 when absent |
//! | `lookup container key` | the item of a list or object; blank when there is none |
//! | `url base name=value…` | `base` (http or https) with the query added, escaped |
//! | `block reason` | stops the message: [`NotRendered::Blocked`] |
//! | `eq` `ne` `gt` `gte` `lt` `lte` `and` `or` `not` | true or false, for `{{#if (gt order.total 100)}}`; amounts compare by value, an absent one is never more or less |
//!
//! Blocks are `if`, `unless`, `each` and `with`. Names of months and days are English.
//! An amount is text, so `"0.00"` is *true* in `{{#if}}`: ask `(gt amount 0)`.
//!
//! Deliberately absent: partials, inline decorators, raw blocks, array and object literals.

mod compile;
mod helpers;
mod plain;
mod render;
mod source;
mod syntax;
mod tree;

pub use compile::Template;
pub use render::{NotRendered, Rendered};
pub use source::{PART_LIMIT, Part, Problem, Source};
