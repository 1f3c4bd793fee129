//! Tests of the running bundle, from outside: real function processes, the
//! HTTP API, a clock that is moved. What went out is read from the mailbox, what
//! is known of it from the API.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

mod attachments;
mod block;
mod conditions;
mod consent;
mod containers;
mod copies;
mod customers;
mod dictionaries;
mod editions;
mod erasing;
mod events;
mod filled;
mod letter;
mod limits;
mod live;
mod live_load;
mod live_month;
mod mailings;
mod members;
mod merging;
mod messages;
mod mime;
mod order_updates;
mod orders;
mod preferences;
mod previews;
mod product_changes;
mod products;
mod promo_codes;
mod rate;
mod replay;
mod restart;
mod runs;
mod segments;
mod sending;
mod support;
mod suppression;
mod surveys;
mod template_paths;
mod templates;
mod trials;
mod versions;
mod viewing;
mod visitors;
mod webhooks;
mod why;
