//! Handlebars templates for mail.
//!
//! A [`Source`] compiles once into a [`Template`], which renders many times; the
//! caller keeps it. Rendering is a pure function of the data: no files, no network, no clock.
//!
//! **A message is whole or it is not sent.** What would print as nothing (absent,
//! `null`, or `""`) stops the rendering as [`NotRendered::Missing`], because "Hello ,"
//! is worse than no mail. Inside `{{#if …}}` the same values are merely false, and
//! `{{default customer.first_name "there"}}` supplies one. A list or an object is not
//! printed either, no link leads to `javascript:`, and a body that comes to nothing is no mail.
//!
//! # Helpers
//!
//! | call | gives |
//! |---|---|
//! | `money amount currency` | `€1,234.50`, to a German reader `1.234,50 €`; the currency's own number of decimals, rounded half up |
//! | `number value decimals?` | `1,234.5`; with `decimals` (0 to 10) rounded to exactly that many |
//! | `date value how? zone?` | `1 May 2026`; `value` an RFC 3339 instant or a date; `how` is `"short"`, `"medium"`, `"long"`, `"full"`, or a pattern as in strftime; an instant is shown in `zone`, else that of who reads it: `customer.time_zone`, else their country's, else `shop.time_zone`, else UTC |
//! | `relative value zone?` | `in 3 days`, `yesterday`, `2 hours ago`: how far it is from `now` |
//! | `plural n one="…" few="…" other="…"` | the form that `n` takes (`zero`, `one`, `two`, `few`, `many`, `other`); what is not given is `other` |
//! | `plural n one many` | `one` when `n` is 1, else `many` |
//! | `default value other…` | the first that is not blank |
//! | `limit list n` | the first `n` of a list: `{{#each (limit order.lines 3)}}` |
//! | `sort list "path" "desc"?` | by the value at the path of each item, amounts by their worth; what has none comes last |
//! | `where list "path" value` | those with this value; also `where list "path" "gt" value`, with `eq`, `ne`, `gt`, `gte`, `lt`, `lte` |
//! | `len value` | how many items, keys or characters; 0 when absent |
//! | `lookup container key` | the item of a list or object; blank when there is none |
//! | `url base name=value…` | `base` (http or https) with the query added, escaped: `{{url "https://shop.example/" utm_source="mail" utm_campaign="news"}}` |
//! | `image url alt="…"` | a picture, also with `width`, `height`, `class`, `style`; in plain text its description |
//! | `promo_code "group"` | the message's code of this group, from `promo_codes`; none is [`NotRendered::NoPromoCode`] |
//! | `block reason` | stops the message: [`NotRendered::Blocked`] |
//! | `eq` `ne` `gt` `gte` `lt` `lte` `and` `or` `not` | true or false, for `{{#if (gt order.total 100)}}`; amounts compare by value, an absent one is never more or less |
//!
//! Blocks are `if`, `unless`, `each` and `with`. `money`, `number`, `date`, `relative` and `plural`
//! write as the language of the mail does, where its template says which it is in, else as the reader's:
//! `customer.language`, else `shop.language`, else English. Some
//! seventy languages and regions are known (CLDR), and `language="de"` names one.
//! An amount is text, so `"0.00"` is *true* in `{{#if}}`: ask `(gt amount 0)`.
//!
//! Deliberately absent: inline decorators, values given to partials, raw blocks, array and object literals.
//!
//! A template's [`Block`]s keep messages back by conditions over the customer. Nothing here looks at
//! them: who sends does, before anything is filled in.
//!
//! # From what is written to what is compiled
//!
//! 1. Partials and layouts are put in, as text (`partials`).
//! 2. MJML becomes HTML (`mjml`), the rules of a `<style>` go into tags (`styles`).
//! 3. The plain text is derived from the HTML, if none is given (`plain`).
//!
//! All of it happens when a template is compiled. Whatever is wrong is at its [`Place`]: the
//! language, the part, the partial, line and column.

mod attachments;
mod compile;
mod css;
mod helpers;
mod mjml;
mod partials;
mod paths;
mod plain;
mod program;
mod render;
mod run;
mod shape;
mod source;
mod styles;
mod syntax;
mod tags;
mod tree;
mod written;

pub use attachments::{ATTACHMENT_LIMIT, ATTACHMENTS_LIMIT, Attached, Attachment, MOST_ATTACHMENTS, content_ids};
pub use compile::Template;
pub use paths::{Named, Step, Use, written};
pub use render::{NotRendered, Rendered};
pub use shape::Shape;
pub use source::{Block, Content, PART_LIMIT, Part, Partial, Place, Problem, Source};
