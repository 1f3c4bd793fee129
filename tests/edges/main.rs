//! Tests of the bundle's edges: what AWS hands in, what a caller gets wrong,
//! what lies in a queue or a stream that should not be there.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

mod anything;
mod api;
mod bad_bodies;
mod bad_conditions;
mod bad_fields;
mod bad_input;
mod bad_members;
mod bad_records;
mod bad_surveys;
mod batches;
mod bill;
mod checks;
mod fixtures;
mod keys;
mod once;
mod routes;
mod support;
mod tracking;
