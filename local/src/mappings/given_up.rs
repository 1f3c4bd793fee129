//! What an on-failure destination hears of records that were given up on. See
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>.

use crate::dynamodb::Record;
use crate::template::StreamMapping;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Why records were given up on.
#[derive(Clone, Copy)]
pub(super) enum Why {
    RetriesSpent,
    TooOld,
}

/// The message, of a batch that is not empty.
pub(super) fn message(mapping: &StreamMapping, batch: &[Record], why: Why, attempts: u32, now: Timestamp) -> Value {
    let sequence = |record: Option<&Record>| record.map(|record| record.json["dynamodb"]["SequenceNumber"].clone());
    let arrival = |record: Option<&Record>| {
        record.and_then(|record| Timestamp::from_millisecond(record.written_ms).ok()).map(|at| at.to_string())
    };
    json!({
        "requestContext": {
            "requestId": uuid::Uuid::new_v4().to_string(),
            "functionArn": mapping.function,
            "condition": match why {
                Why::RetriesSpent => "RetryAttemptsExhausted",
                Why::TooOld => "RecordAgeExceeded",
            },
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": now.to_string(),
        "DDBStreamBatchInfo": {
            "shardId": dynoxide::streams::shard_id(&mapping.table_name),
            "startSequenceNumber": sequence(batch.first()),
            "endSequenceNumber": sequence(batch.last()),
            "approximateArrivalOfFirstRecord": arrival(batch.first()),
            "approximateArrivalOfLastRecord": arrival(batch.last()),
            "batchSize": batch.len(),
            "streamArn": mapping.stream,
        },
    })
}
