//! `ReportBatchItemFailures`: which records of a batch a function says it could not do.

use serde_json::Value;

/// What an answer says of its batch.
#[derive(Debug, PartialEq)]
pub(super) enum Batch {
    Done,
    /// Failed as a whole: nothing in the answer can be relied on.
    Failed,
    /// Positions in the batch, in order, at least one.
    Partly(Vec<usize>),
}

/// Reads an answer as Lambda does: empty or null is success; an identifier that is empty, null or
/// of no record in the batch, and an answer that is not understood, fail the batch.
pub(super) fn read(answer: &[u8], ids: &[&str]) -> Batch {
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Batch::Done;
    }
    let failures = match serde_json::from_slice::<Value>(answer) {
        Ok(Value::Null) => return Batch::Done,
        Ok(Value::Object(mut answer)) => answer.remove("batchItemFailures").unwrap_or(Value::Null),
        _ => return Batch::Failed,
    };
    let failures = match failures {
        Value::Null => return Batch::Done,
        Value::Array(failures) => failures,
        _ => return Batch::Failed,
    };
    let position = |failure: &Value| {
        let id = failure.get("itemIdentifier")?.as_str().filter(|id| !id.is_empty())?;
        ids.iter().position(|known| *known == id)
    };
    match failures.iter().map(position).collect::<Option<Vec<_>>>() {
        None => Batch::Failed,
        Some(positions) if positions.is_empty() => Batch::Done,
        Some(mut positions) => {
            positions.sort_unstable();
            positions.dedup();
            Batch::Partly(positions)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_lambda_reads_them() {
        let check =
            |answer: &str, expected: Batch| assert_eq!(read(answer.as_bytes(), &["a", "b", "c"]), expected, "{answer}");
        check("", Batch::Done);
        check("null", Batch::Done);
        check("{}", Batch::Done);
        check(r#"{"batchItemFailures": null}"#, Batch::Done);
        check(r#"{"batchItemFailures": []}"#, Batch::Done);
        check(
            r#"{"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}"#,
            Batch::Partly(vec![0, 2]),
        );
        check(r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, Batch::Failed);
        check(r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#, Batch::Failed);
        check(r#"{"batchItemFailures": [{"itemIdentifier": "x"}]}"#, Batch::Failed);
        check(r#"{"batchItemFailures": [{"id": "a"}]}"#, Batch::Failed);
        check(r#"{"batchItemFailures": {}}"#, Batch::Failed);
        check("\"done\"", Batch::Failed);
        check("{", Batch::Failed);
    }
}
