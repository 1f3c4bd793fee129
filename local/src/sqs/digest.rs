//! The MD5s SQS answers with. See
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

pub(super) fn of_body(body: &str) -> String {
    hex(Md5::digest(body.as_bytes()).as_slice())
}

/// Of message attributes as a request carries them.
pub(super) fn of_attributes(attributes: &Map<String, Value>) -> String {
    let mut whole = Vec::new();
    let mut part = |kind: Option<u8>, bytes: &[u8]| {
        whole.extend(kind);
        whole.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        whole.extend_from_slice(bytes);
    };
    // A JSON object's keys are in order already.
    for (name, attribute) in attributes {
        part(None, name.as_bytes());
        part(None, attribute["DataType"].as_str().unwrap_or_default().as_bytes());
        match attribute["StringValue"].as_str() {
            Some(text) => part(Some(1), text.as_bytes()),
            None => {
                let binary = STANDARD.decode(attribute["BinaryValue"].as_str().unwrap_or_default());
                part(Some(2), &binary.unwrap_or_default());
            }
        }
    }
    hex(Md5::digest(&whole).as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
