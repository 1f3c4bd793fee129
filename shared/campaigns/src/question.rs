use conditions::{Condition, Scope};
use domain::read::{self, Faults, Reader};
use domain::{CustomerId, Fault};
use serde_json::Value;

use crate::definition::condition;

/// What is asked of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The condition.
    pub condition: Condition,
    /// Of whom; nobody, if only the condition itself is of interest.
    pub customer_id: Option<CustomerId>,
}

impl Question {
    /// Reads the body of `POST /v1/conditions/explain`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(body: &Value) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let condition = condition(&mut reader, "condition", Scope::SEGMENT.roots);
        if body.is_object() && body.get("condition").is_none_or(Value::is_null) {
            reader.fault("condition", "is required");
        }
        let customer_id = reader.optional("customer_id", read::parsed(CustomerId::parse));
        reader.finish()?;
        match condition {
            Some(condition) => Ok(Self { condition, customer_id }),
            None => Err(vec![Fault::new("", "could not be read")]),
        }
    }
}
