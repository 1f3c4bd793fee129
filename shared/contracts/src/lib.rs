//! What goes over the HTTP API and over the queues.
//!
//! A request's body becomes a domain type in one place, here, and a domain type
//! becomes an answer in one place, here. What a template sees is what the API
//! shows.

pub mod audience;
pub mod container;
pub mod customer;
pub mod dictionary;
pub mod event;
pub mod facts;
pub mod identity;
pub mod import;
pub mod key;
pub mod link;
pub mod order;
mod problem;
pub mod product;
pub mod promo;
mod queue;
mod routes;
mod scan;
pub mod times;
pub mod told;

pub use key::ApiKey;
pub use problem::{Kind, Problem};
pub use queue::{Cause, Concerned, DeliverMessage, Evaluation, Happened, MailingWork, ProductWork};
pub use routes::{ROUTES, Route, Scope};
pub use scan::{ScanName, ScanWork};
