//! What the shops' deliveries tell.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

mod properties;
mod shopify;
mod support;
mod taken;
mod woocommerce;
