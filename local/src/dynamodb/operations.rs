//! One operation: JSON in, JSON out.

use super::capacity::{self, Consumed};
use super::{Answer, Engine, tables};
use dynoxide::DynoxideError;
use dynoxide::actions;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Whether the operation may leave stream records.
pub(super) fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

impl Engine {
    pub(super) fn call(&mut self, operation: &str, body: &[u8]) -> Answer {
        let mut consumed = Vec::new();
        match self.carry_out(operation, body, &mut consumed) {
            Ok(json) => Answer { status: 200, json, consumed },
            Err(e) => Answer { status: e.status_code(), json: e.to_json(), consumed },
        }
    }

    fn carry_out(
        &mut self,
        operation: &str,
        body: &[u8],
        consumed: &mut Vec<Consumed>,
    ) -> Result<String, DynoxideError> {
        macro_rules! run {
            ($action:ident) => {{
                let mut asked = request(body)?;
                let keep = capacity::always(&mut asked);
                let done = pollster::block_on(actions::$action::execute(&self.storage, asked));
                if done.as_ref().is_err_and(capacity::is_billed) {
                    consumed.extend(capacity::refused(self, body));
                }
                answer(capacity::taken(done?, keep, consumed))
            }};
        }
        match operation {
            "GetItem" => run!(get_item),
            "PutItem" => run!(put_item),
            "UpdateItem" => run!(update_item),
            "DeleteItem" => run!(delete_item),
            "Query" => run!(query),
            "Scan" => {
                tables::ready_for_scan(&self.storage, &self.beside, &request(body)?)?;
                run!(scan)
            }
            "BatchGetItem" => run!(batch_get_item),
            "BatchWriteItem" => run!(batch_write_item),
            "TransactGetItems" => run!(transact_get_items),
            "TransactWriteItems" => self.transact_write(body, consumed),
            "DescribeTable" => answer(tables::described(&self.storage, &request(body)?)?),
            "ListTables" => answer(pollster::block_on(actions::list_tables::execute(&self.storage, request(body)?))?),
            "DescribeTimeToLive" => {
                answer(pollster::block_on(actions::describe_time_to_live::execute(&self.storage, request(body)?))?)
            }
            other => Err(DynoxideError::ValidationException(format!("{other} is not served on this machine"))),
        }
    }

    /// A token that has been seen with the same items gets the same answer again, and nothing is written twice.
    fn transact_write(&mut self, body: &[u8], consumed: &mut Vec<Consumed>) -> Result<String, DynoxideError> {
        let now_ms = self.clock.now_ms();
        let asked = super::tokens::Asked::read(body);
        if let Some(kept) = asked.as_ref().and_then(|asked| self.tokens.get(asked, now_ms)) {
            let Some(json) = kept else {
                return Err(DynoxideError::IdempotentParameterMismatchException(
                    "Request parameters do not match the original request using the same client token".to_owned(),
                ));
            };
            consumed.extend(capacity::asked_again(body));
            return Ok(json);
        }
        let mut request = request(body)?;
        let keep = capacity::always(&mut request);
        let done = pollster::block_on(actions::transact_write_items::execute(&self.storage, request));
        if done.as_ref().is_err_and(capacity::is_billed) {
            consumed.extend(capacity::cancelled(self, body));
        }
        let json = answer(capacity::taken(done?, keep, consumed))?;
        if let Some(asked) = asked {
            self.tokens.keep(asked, json.clone(), now_ms);
        }
        Ok(json)
    }
}

fn request<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body).map_err(|e| {
        let message = e.to_string();
        // The engine marks what is well-formed but not valid.
        for marker in ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"] {
            if let Some(rest) = message.strip_prefix(marker) {
                return DynoxideError::ValidationException(without_position(rest).to_owned());
            }
        }
        let rest = message.strip_prefix("SERIALIZATION:").unwrap_or(&message);
        match rest.contains("missing field") || rest.contains("unknown variant") {
            true => DynoxideError::ValidationException(rest.to_owned()),
            false => DynoxideError::SerializationException(without_position(rest).to_owned()),
        }
    })
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

fn answer<T: Serialize>(done: T) -> Result<String, DynoxideError> {
    serde_json::to_string(&done).map_err(|e| DynoxideError::InternalServerError(e.to_string()))
}
