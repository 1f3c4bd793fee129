//! Works feeds of products off, in bounded memory.
//!
//! A feed is read as it comes, a hundred rows at a time: what is known of their
//! products is read with one call, and only what differs is written. Every
//! thousand rows the import's checkpoint is moved on, by a conditional write: of
//! two workers on one import one is overtaken and stops, and of one that died the
//! next goes on from there. What it had done behind its last checkpoint is found
//! to have been done, and counted as it was.

mod address;
mod bytes;
mod chunk;
mod fetch;
mod missing;
mod rows;
mod work;

use aws::Queue;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use contracts::import::ImportWork;
use jiff::Timestamp;
use lambda::{Clock, batch};
use store::{Catalogue, Definitions, DictionaryCache, Imports};

use crate::fetch::Fetcher;

/// Serves the imports queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = Client::new(&config);
    let required = lambda::config::required;
    let importer = Importer {
        catalogue: Catalogue::new(db.clone(), required("CATALOGUE_TABLE")?),
        dictionary: DictionaryCache::new(Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?)),
        imports: Imports::new(db, required("CHECKPOINTS_TABLE")?),
        queue: Queue::new(aws_sdk_sqs::Client::new(&config), required("IMPORTS_QUEUE_URL")?),
        fetcher: Fetcher::new(&std::env::var("FEED_HOSTS").unwrap_or_default()),
        clock: Clock::from_env(),
    };
    lambda::serve(async |event: SqsEvent, context| {
        let deadline = Timestamp::from_millisecond(i64::try_from(context.deadline)?)?;
        batch::messages(event, async |work: ImportWork| importer.go_on(&work.import_id, deadline).await).await
    })
    .await
}

struct Importer {
    catalogue: Catalogue,
    dictionary: DictionaryCache,
    imports: Imports,
    queue: Queue,
    fetcher: Fetcher,
    clock: Clock,
}
