//! Tables, keys, items and conditional writes. The only place that names a
//! DynamoDB attribute.
//!
//! | table | one row is | keys |
//! |---|---|---|
//! | customers | one thing about one customer: profile, order, event, run | `customer`, `item` |
//! | definitions | a template, partial, attachment, campaign, mailing or key, or a version of one; what is in a file; a promo code | `kind`, `id` |
//! | catalogue | a product, or a category | `thing`, `item` |
//! | messages | one message, ever: the send ledger and the outbox | `message` |
//! | checkpoints | how far some long work has come: a mailing's, an import's, the timers'; how fast mail leaves | `task`, `item` |
//! | timers | something that falls due | `slot`, `due` |
//! | requests | an answer that may be asked for again, or how often a key has called | `request` |
//!
//! Domain objects are kept as JSON text in `body`: exact whatever the shop puts
//! into its own fields, and quicker to decode than nested attributes. What a
//! condition or an index needs stands beside it as an attribute of its own.

mod active;
mod audit;
mod catalogue;
mod contents;
mod cursor;
mod customers;
mod definitions;
mod dictionary;
mod editions;
mod edits;
pub mod images;
mod imports;
mod keys;
mod kind;
mod mailings;
mod memberships;
mod merged;
mod messages;
mod pace;
mod promo;
mod requests;
mod rows;
mod runs;
mod scans;
mod sizes;
mod timers;

pub use active::{Active, ActiveSet};
pub use audit::{Change, Deed, Done};
pub use catalogue::{Catalogue, ImportRow, Merged, Refused, ToldProduct};
pub use cursor::TimersCursor;
pub use customers::{
    ContactKind, Counted, CustomerScan, Customers, Erased, EventsMeant, Found, Identity, Kinds, KnownContainer,
    KnownOrder, Linked, List, Loaded, OrderOwner, PutEvent, Sample, Saying, ScanPlace, Scanned, ScannedPage,
    SoftBounce, Suppression, Wanted,
};
pub use definitions::{Definitions, Deleted, Head, Kind, SavedWord};
pub use dictionary::DictionaryCache;
pub use editions::SavedSegments;
pub use edits::Edit;
pub use imports::Imports;
pub use keys::{Key, Keys, Previous};
pub use mailings::{Mailings, OpenMailing, Page as AudiencePage};
pub use memberships::MembershipRows;
pub use messages::{AndThen, DecidedBy, Entry, Evidence, Lapsed, Messages, Outcome, PutOffFor, Search, Taken, Whose};
pub use pace::{Pace, Sending, SendingAccount, Slots, Stop, WantedSlots};
pub use promo::{GivenCode, TakenCode};
pub use requests::{Asked, Begun, Requests, Reserved};
pub use rows::{MAX_BODY, Unreadable, Versioned, Written, lies_in_rows};
pub use runs::Runs;
pub use scans::{OpenScan, SCAN_PARTS, Scan, ScanPart, Scans};
pub use sizes::Sizes;
pub use timers::{SHARDS as TIMER_SHARDS, TIMERS_AHEAD, TIMERS_SOON, Timer, Timers};

/// How many parts the customers are dealt into, so that all of them can be gone
/// through without a scan and written to without a hot key.
pub const CUSTOMER_SHARDS: u32 = 8;
