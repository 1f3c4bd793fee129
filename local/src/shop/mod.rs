//! A small shop that uses the bundle from outside, over its HTTP API alone.
//!
//! This is the one part of the crate that knows what a shop is. It is a client
//! like any other: what it does, every shop's own program can do.

mod client;
mod demo;
mod seed;

pub use client::{Client, Reply};
pub use demo::{Demo, Mail, demo};
pub use seed::{first_key, opened, seed};
