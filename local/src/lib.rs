//! The bundle that `template.yaml` describes, on one machine.
//!
//! [`Bundle::start`] reads the template and runs what it says: an HTTP API, tables with their
//! streams, queues, functions as processes, mappings, schedules, SES and the rules that feed its
//! events back. Functions find AWS and Lambda's Runtime API at a local address and notice no
//! difference. What can go wrong on AWS can be made to go wrong here ([`Fault`]), and the clock
//! can be moved ([`Bundle::advance`]).
//!
//! Nothing in here knows of shops but [`shop`], which uses the bundle from outside: the rest is AWS
//! as far as the template uses it.

mod activity;
mod api;
mod bundle;
mod calls;
mod clock;
mod due;
mod dynamodb;
mod endpoint;
mod events;
mod faults;
mod functions;
mod iam;
pub mod linked;
mod mappings;
mod names;
pub mod page;
mod pattern;
mod runner;
mod schedules;
mod serve;
pub mod ses;
pub mod shop;
mod sqs;
mod state;
mod store;
mod template;

pub use bundle::{Bundle, InvokeError, NotQuiet, Options, WalkError};
pub use clock::Clock;
pub use due::{Cron, Due};
pub use dynamodb::Tables;
pub use faults::{Fault, When};
pub use iam::Policy;
pub use pattern::Pattern;
pub use state::{FunctionState, QueueState, State, StreamState, TableState, TableUnits, TimersState, Units};
pub use template::{
    Authorizer, Description, Function, Queue, QueueMapping, Resource, Route, Rule, Schedule, StreamMapping, Table,
    TemplateError,
};
