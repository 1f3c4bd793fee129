//! An SQS call.

use crate::iam::Wanted;
use crate::sqs::{Queues, Refusal, message_bytes};
use crate::template::Queue;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

pub(super) struct Prepared {
    pub(super) operation: String,
    queue: Queue,
    body: Value,
}

pub(super) fn prepare(queues: &Queues, operation: &str, body: &[u8]) -> Result<Prepared, Box<Response>> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| Box::new(refused("MalformedInput", "the body is not understood", 400)))?;
    let name = body["QueueUrl"].as_str().or_else(|| body["QueueName"].as_str()).unwrap_or_default();
    match queues.find(name) {
        Some(queue) => Ok(Prepared { operation: operation.to_owned(), queue: queue.clone(), body }),
        None => Err(Box::new(refused("QueueDoesNotExist", "The specified queue does not exist.", 400))),
    }
}

impl Prepared {
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        // A batch needs the right of one.
        let operation = self.operation.strip_suffix("Batch").unwrap_or(&self.operation);
        vec![Wanted { action: format!("sqs:{operation}"), resource: self.queue.arn.clone(), context: Vec::new() }]
    }

    /// What its messages come to, in bytes, as SQS bills them.
    pub(super) fn payload_bytes(&self) -> usize {
        match self.body["Entries"].as_array() {
            Some(entries) => entries.iter().map(message_bytes).sum(),
            None => message_bytes(&self.body),
        }
    }

    pub(super) async fn carry_out(self, queues: &Queues) -> Response {
        match queues.call(&self.operation, &self.queue, &self.body, "AROALOCAL:function").await {
            Ok(answer) => super::json(StatusCode::OK, answer.to_string()),
            Err(Refusal { code: "InternalError", message }) => refused("InternalError", &message, 500),
            Err(Refusal { code, message }) => refused(code, &message, 400),
        }
    }
}

pub(super) fn refused(code: &str, message: &str, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message});
    let mut response = super::json(status, body.to_string());
    // What clients of the older protocol know the error by.
    let query = match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        code => code,
    };
    let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
    if let Ok(value) = HeaderValue::from_str(&format!("{query};{fault}")) {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}
