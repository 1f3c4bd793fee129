//! The ways of telling that are measured.

use super::bodies;
use crate::http::Shot;
use clap::ValueEnum;
use hyper::Method;
use serde::Serialize;
use serde_json::Value;

/// Events of a batch.
const BATCH: usize = 100;
/// Products of a batch.
const PRODUCTS: usize = 500;
/// Rows of a feed.
const ROWS: usize = 5_000;

/// One way of telling one sort of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Order,
    Event,
    SegmentBatch,
    EventBatch,
    PageBatch,
    ProductBatch,
    Feed,
    FeedAgain,
}

impl Kind {
    /// In the order in which they are measured: the feed comes again as it was before.
    pub(super) const ALL: [Self; 8] = [
        Self::Order,
        Self::Event,
        Self::SegmentBatch,
        Self::EventBatch,
        Self::PageBatch,
        Self::ProductBatch,
        Self::Feed,
        Self::FeedAgain,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Order => "a new order of 5 lines",
            Self::Event => "a web event",
            Self::SegmentBatch => "a Segment batch of 100",
            Self::EventBatch => "a product viewed, in a batch of 100",
            Self::PageBatch => "a page viewed, in a batch of 100",
            Self::ProductBatch => "a product in a batch of 500",
            Self::Feed => "a new row of a feed of 5,000",
            Self::FeedAgain => "an unchanged row of it",
        }
    }

    /// How many of what is counted are in one request.
    pub(super) fn in_one(self) -> usize {
        match self {
            Self::Order | Self::Event | Self::SegmentBatch => 1,
            Self::EventBatch | Self::PageBatch => BATCH,
            Self::ProductBatch => PRODUCTS,
            Self::Feed | Self::FeedAgain => ROWS,
        }
    }

    /// Requests before those that count, so that every function has its processes.
    pub(super) fn warm_up(self) -> usize {
        match self {
            Self::Order | Self::Event => 50,
            Self::SegmentBatch | Self::EventBatch | Self::PageBatch => 3,
            Self::ProductBatch | Self::Feed => 1,
            // The feed that it repeats has been sent already.
            Self::FeedAgain => 0,
        }
    }

    /// Whether its key is the name of a user.
    pub(super) fn is_segments(self) -> bool {
        self == Self::SegmentBatch
    }

    /// The request of a number.
    pub(super) fn shot(self, number: usize, customers: usize) -> Shot {
        const JSON: &str = "application/json";
        let customer = |nth: usize| nth % customers.max(1);
        let (method, path, kind, body) = match self {
            Self::Order => {
                (Method::PUT, format!("/v1/orders/o-{number}"), JSON, bodies::order(number, customer(number)))
            }
            Self::Event => {
                let event = bodies::event(&format!("e-{number}"), number, customer(number));
                (Method::POST, "/v1/events".to_owned(), JSON, event)
            }
            Self::SegmentBatch => {
                let events = (0..BATCH).map(|nth| bodies::segment(number, nth, customer(number * BATCH + nth)));
                (Method::POST, "/v1/batch".to_owned(), JSON, bodies::segment_batch(events.collect()))
            }
            Self::EventBatch => {
                let event =
                    |nth: usize| bodies::event(&format!("b-{number}-{nth}"), nth, customer(number * BATCH + nth));
                (Method::POST, "/v1/events/batch".to_owned(), JSON, Value::from_iter((0..BATCH).map(event)))
            }
            Self::PageBatch => {
                let page = |nth: usize| bodies::page(&format!("v-{number}-{nth}"), nth, customer(number * BATCH + nth));
                (Method::POST, "/v1/events/batch".to_owned(), JSON, Value::from_iter((0..BATCH).map(page)))
            }
            Self::ProductBatch => {
                let products = (0..PRODUCTS).map(|nth| bodies::product(&format!("p-{number}-{nth}"), nth));
                (Method::POST, "/v1/products/batch".to_owned(), JSON, Value::from_iter(products))
            }
            Self::Feed | Self::FeedAgain => {
                let rows: String = (0..ROWS).map(|nth| bodies::row(&format!("f-{number}-{nth}"), nth)).collect();
                let body = format!("{}{rows}", bodies::HEADING);
                return Shot { method: Method::POST, path: "/v1/products/import".to_owned(), kind: "text/csv", body };
            }
        };
        Shot { method, path, kind, body: body.to_string() }
    }
}
