//! What goes over the HTTP API and over the queues.
//!
//! A request's body becomes a domain type in one place, here, and a domain type
//! becomes an answer in one place, here. What a template sees is what the API
//! shows.

pub mod customer;
pub mod event;
pub mod facts;
mod key;
pub mod link;
pub mod order;
mod problem;
mod queue;
mod routes;
pub mod told;

pub use key::ApiKey;
pub use problem::{Kind, Problem};
pub use queue::{Cause, DeliverMessage, Evaluation, MailingWork};
pub use routes::{ROUTES, Route, Scope};
