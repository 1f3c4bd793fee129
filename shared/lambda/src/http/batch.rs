//! Many things in one request: read one by one, answered one by one.

use contracts::{Kind, Problem};
use domain::{Fault, Reader};
use serde_json::{Value, json};

use super::{Failure, Keep, MOST_IN_BATCH, Request, Response, json};

/// What one JSON text to a line is declared as.
const NDJSON: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

impl Request {
    /// The things in the body, at most `most` of them in at most
    /// [`MOST_IN_BATCH`] bytes: a JSON array, an object with `items`, or NDJSON
    /// (`application/x-ndjson`, `application/jsonl`), one to a line. A line that
    /// is not JSON is that thing's problem; the others are not held up.
    ///
    /// # Errors
    /// As [`Request::json`], and 422 if there are too many.
    pub fn batch(&self, most: usize) -> Result<Vec<Result<Value, Problem>>, Problem> {
        let items: Vec<Result<Value, Problem>>;
        let mut place = "";
        if NDJSON.contains(&self.media_type().as_str()) {
            let lines = self.bytes_up_to(MOST_IN_BATCH)?.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.trim_ascii().is_empty());
            // One more than are taken tells that there are too many.
            items = lines.take(most + 1).map(json::parse).collect();
        } else if self.is_json() {
            let read = match self.json_up_to(MOST_IN_BATCH)? {
                Value::Array(items) => items,
                body => {
                    place = "/items";
                    listed(body)?
                }
            };
            items = read.into_iter().map(Ok).collect();
        } else {
            let detail = "send it with Content-Type: application/json or application/x-ndjson";
            return Err(Problem::new(Kind::UnsupportedMediaType).because(detail));
        }
        if items.len() > most {
            return Err(vec![Fault::new(place, format!("has too many entries; at most {most} are taken"))].into());
        }
        Ok(items)
    }
}

/// The items of an object that has nothing else.
fn listed(mut body: Value) -> Result<Vec<Value>, Problem> {
    if !body.is_object() {
        return Err(vec![Fault::new("", "must be a list, or an object with \"items\"")].into());
    }
    let mut reader = Reader::new(&body);
    reader.required("items", |items| if items.is_array() { Ok(()) } else { Err("must be a list") });
    reader.finish()?;
    match body["items"].take() {
        Value::Array(items) => Ok(items),
        _ => Ok(Vec::new()),
    }
}

/// What became of one thing of a batch.
#[derive(Debug)]
pub struct Outcome {
    /// Its id, if it could be read.
    pub id: Option<String>,
    /// The HTTP status that the same thing would have been answered with alone,
    /// or what stopped it.
    pub answer: Result<u16, Failure>,
}

impl Outcome {
    /// What became of the thing of this id.
    pub fn new(id: Option<String>, answer: Result<u16, impl Into<Failure>>) -> Self {
        Self { id, answer: answer.map_err(Into::into) }
    }
}

impl Response {
    /// What became of each thing of a batch, in their order: 207. Pointers of
    /// their problems are into the thing, not into the body. If anything failed
    /// on our side, the whole may be sent again, also under the same
    /// Idempotency-Key.
    #[must_use]
    pub fn multi_status(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut keep = Keep::Yes;
        let shown = |(index, outcome): (usize, Outcome)| {
            let mut item = json!({ "index": index });
            if let Some(id) = outcome.id {
                item["id"] = id.into();
            }
            match outcome.answer {
                Ok(status) => item["status"] = status.into(),
                Err(failure) => {
                    let problem = failure.into_problem();
                    if problem.status() >= 500 {
                        keep = Keep::No;
                    }
                    item["status"] = problem.status().into();
                    item["problem"] = json!(problem);
                }
            }
            item
        };
        let items: Vec<Value> = outcomes.into_iter().enumerate().map(shown).collect();
        Self::json(207, &json!({ "items": items })).kept(keep)
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::request;
    use super::*;

    const JSON: &str = "application/json";
    const NDJSON: &str = "application/x-ndjson; charset=utf-8";

    fn batch(media_type: &str, body: &str) -> Result<Vec<Result<Value, u16>>, (u16, Value)> {
        let read = request("POST /v1/orders/batch", "ingest", media_type, body, "").batch(3);
        let shown = |problem: Problem| (problem.status(), json!(problem)["errors"][0]["pointer"].clone());
        let items = read.map_err(shown)?;
        Ok(items.into_iter().map(|item| item.map_err(|problem| problem.status())).collect())
    }

    #[test]
    fn a_batch_is_an_array_an_object_with_items_or_lines() {
        let wanted = Ok(vec![Ok(json!({ "a": 1 })), Ok(json!(2))]);
        assert_eq!(batch(JSON, "[{\"a\": 1}, 2]"), wanted);
        assert_eq!(batch(JSON, "{\"items\": [{\"a\": 1}, 2]}"), wanted);
        assert_eq!(batch(NDJSON, "{\"a\": 1}\r\n\n2"), wanted);
        assert_eq!(batch("application/jsonl", "{\"a\": 1}\n2\n"), wanted);
        assert_eq!(batch(NDJSON, ""), Ok(vec![]));
    }

    #[test]
    fn a_line_that_is_not_json_is_that_lines_problem() {
        assert_eq!(batch(NDJSON, "1\n{\n3"), Ok(vec![Ok(json!(1)), Err(400), Ok(json!(3))]));
    }

    #[test]
    fn what_is_no_batch_is_refused_as_a_whole() {
        assert_eq!(batch(JSON, "[1, {]"), Err((400, Value::Null)));
        assert_eq!(batch("text/csv", "1"), Err((415, Value::Null)));
        assert_eq!(batch(JSON, "7"), Err((422, json!(""))));
        assert_eq!(batch(JSON, "{}"), Err((422, json!("/items"))));
        assert_eq!(batch(JSON, "{\"items\": {}}"), Err((422, json!("/items"))));
        assert_eq!(batch(JSON, "{\"items\": [], \"a\": 1}"), Err((422, json!("/a"))));
        assert_eq!(batch(JSON, "[1, 2, 3, 4]"), Err((422, json!(""))));
        assert_eq!(batch(JSON, "{\"items\": [1, 2, 3, 4]}"), Err((422, json!("/items"))));
        assert_eq!(batch(NDJSON, "1\n2\n3\n4"), Err((422, json!(""))));
        let large = format!("[{}1]", " ".repeat(MOST_IN_BATCH));
        assert_eq!(batch(JSON, &large), Err((413, Value::Null)));
        assert_eq!(batch(NDJSON, &large), Err((413, Value::Null)));
    }

    #[test]
    fn each_thing_is_answered_for_in_its_place() {
        let wrong = Problem::invalid(vec![Fault::new("/total", "is required")]);
        let response = Response::multi_status([
            Outcome::new(Some("a".into()), Ok::<_, Failure>(201)),
            Outcome::new(None, Err(wrong.clone())),
        ]);
        let body: Value = serde_json::from_str(response.body()).unwrap();
        assert_eq!((response.status(), response.keep()), (207, Keep::Yes));
        let second = json!({ "index": 1, "status": 422, "problem": wrong });
        assert_eq!(body, json!({ "items": [{ "index": 0, "id": "a", "status": 201 }, second] }));
        let failed = Response::multi_status([Outcome::new(None, Err(anyhow::anyhow!("broken")))]);
        assert_eq!(failed.keep(), Keep::No);
    }
}
