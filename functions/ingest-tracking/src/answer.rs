//! What a client hears.

use contracts::{Kind, Problem};
use domain::Fault;
use lambda::http::Response;
use serde_json::{Value, json};

/// What became of one message.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The message's id, if it could be read.
    pub(crate) message_id: Option<String>,
    /// Whether anything of it was taken in.
    pub(crate) taken: bool,
    /// What of it could not be understood.
    pub(crate) faults: Vec<Fault>,
    /// What of it contradicts what is known, or is about something unknown.
    pub(crate) problems: Vec<Problem>,
}

impl Outcome {
    fn is_good(&self) -> bool {
        self.taken && self.faults.is_empty() && self.problems.is_empty()
    }
}

/// The answer to a call.
///
/// It is 200 as soon as anything was taken in, as with Segment: clients know of no
/// success in part. What was left out is listed. A call of which nothing could be
/// read is 422, so that whoever wrote it hears of it.
pub(crate) fn of(outcomes: Vec<Outcome>) -> Response {
    let unread = |outcome: &Outcome| !outcome.taken && !outcome.faults.is_empty() && outcome.problems.is_empty();
    let read_none = !outcomes.is_empty() && outcomes.iter().all(unread);
    if read_none {
        let faults = outcomes.into_iter().flat_map(|outcome| outcome.faults).take(100).collect();
        return Problem::invalid(faults).into();
    }
    let bad = outcomes.into_iter().enumerate().filter(|(_, outcome)| !outcome.is_good());
    let errors: Vec<Value> = bad.map(|(index, outcome)| shown(index, outcome)).collect();
    let mut body = json!({ "success": errors.is_empty() });
    if !errors.is_empty() {
        body["errors"] = errors.into();
    }
    Response::json(200, &body)
}

/// `taken` says whether the rest of the message was taken in.
fn shown(index: usize, outcome: Outcome) -> Value {
    let read = Some(outcome.faults).filter(|faults| !faults.is_empty()).map(Problem::invalid);
    let problems: Vec<Problem> = read.into_iter().chain(outcome.problems).collect();
    let mut shown = json!({ "index": index, "taken": outcome.taken, "problems": problems });
    if let Some(id) = outcome.message_id {
        shown["messageId"] = id.into();
    }
    shown
}

/// Whether a browser's key may hear of this problem: only of what was wrong with
/// what it sent, not of what is known here.
pub(crate) fn is_for_browsers(problem: &Problem) -> bool {
    matches!(problem.kind(), Kind::Invalid | Kind::TooLarge | Kind::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outcomes: Vec<Outcome>) -> (u16, Value) {
        let response = of(outcomes);
        (response.status(), serde_json::from_str(response.body()).unwrap())
    }

    fn good() -> Outcome {
        Outcome { taken: true, message_id: Some("m".into()), ..Outcome::default() }
    }

    #[test]
    fn what_was_left_out_is_listed_beside_what_was_taken() {
        assert_eq!(told(vec![good(), good()]), (200, json!({"success": true})));
        assert_eq!(told(vec![]), (200, json!({"success": true})));
        let bad = || Outcome { faults: vec![Fault::new("/batch/1", "is wrong")], ..Outcome::default() };
        let (status, body) = told(vec![good(), bad()]);
        assert_eq!((status, &body["success"]), (200, &json!(false)));
        let error = &body["errors"][0];
        assert_eq!((&error["index"], &error["taken"]), (&json!(1), &json!(false)));
        assert_eq!(error["problems"][0]["errors"][0]["pointer"], "/batch/1");
        let half = Outcome { problems: vec![Problem::new(Kind::NotFound)], ..good() };
        let (_, body) = told(vec![half]);
        assert_eq!((&body["errors"][0]["taken"], &body["errors"][0]["messageId"]), (&json!(true), &json!("m")));
        assert_eq!(told(vec![bad(), bad()]).0, 422);
    }
}
