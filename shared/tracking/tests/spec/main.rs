//! What Segment's clients say, and what is heard.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anything;
mod calls;
mod commerce;
mod common;
