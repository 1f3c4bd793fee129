//! What became of a delivery, for whoever looks at the shop's log of its webhooks.

use contracts::Problem;
use contracts::told::Told;
use lambda::http::Response;
use serde_json::{Value, json};

/// What became of one thing that was told.
pub(crate) enum Became {
    /// It is recorded, or was already.
    Taken {
        /// Whether nothing was known of it before.
        is_new: bool,
    },
    /// Something else is recorded for the same time, and stays.
    Stale(Problem),
    /// Whom it is about was erased and does not come back.
    Erased,
    /// There is no such thing that could be deleted.
    Unknown,
    /// It will not be taken however often it is sent.
    Refused(Problem),
}

/// One thing that was told, and what became of it.
pub(crate) struct Answered {
    /// What it is and its id, where it has one.
    what: Option<(&'static str, String)>,
    became: Became,
}

impl Answered {
    pub(crate) fn new(told: &Told, became: Became) -> Self {
        let of_body = |body: &Value| body["id"].as_str().unwrap_or_default().to_owned();
        let what = match told {
            Told::Customer { id, .. } => ("customer", id.clone()),
            Told::Order { id, .. } | Told::OrderDeleted { id, .. } => ("order", id.clone()),
            Told::Event { body } => ("event", of_body(body)),
            Told::Container { body, .. } => ("container", of_body(body)),
            Told::Product { id, .. } | Told::ProductDeleted { id, .. } => ("product", id.clone()),
            Told::Identified { visitor, .. } => ("visitor", visitor.clone()),
            Told::Merged { from: id, .. } | Told::CustomerErased { id } => ("customer", id.clone()),
        };
        Self { what: Some(what), became }
    }

    /// The payload as a whole, which tells nothing that can be taken.
    pub(crate) fn refused(problem: Problem) -> Self {
        Self { what: None, became: Became::Refused(problem) }
    }

    /// Whoever runs the shop must hear of what was not taken: the other side looks at
    /// the status alone.
    pub(crate) fn log(&self, source: &str, topic: &str) {
        let what = self.what.as_ref().map_or("payload", |(what, _)| what);
        match &self.became {
            Became::Taken { .. } | Became::Erased | Became::Unknown => {}
            Became::Stale(_) => {
                tracing::warn!(source, topic, what, "a webhook says something else than is recorded for that time");
            }
            Became::Refused(problem) => {
                let kind = problem.kind();
                tracing::error!(source, topic, what, ?kind, "what a webhook says was not taken");
            }
        }
    }

    fn shown(&self) -> Value {
        let mut shown = match &self.became {
            Became::Taken { is_new } => json!({ "became": if *is_new { "created" } else { "taken" } }),
            Became::Stale(problem) => json!({ "became": "stale", "problem": problem }),
            Became::Erased => json!({ "became": "erased" }),
            Became::Unknown => json!({ "became": "unknown" }),
            Became::Refused(problem) => json!({ "became": "refused", "problem": problem }),
        };
        if let Some((what, id)) = &self.what {
            shown[*what] = json!(id);
        }
        shown
    }
}

/// The answer to a delivery that was signed.
pub(crate) fn of(delivery: Option<&str>, topic: &str, answered: &[Answered]) -> Response {
    let told: Vec<Value> = answered.iter().map(Answered::shown).collect();
    let mut body = json!({ "topic": topic, "told": told });
    if let Some(delivery) = delivery {
        body["delivery"] = json!(delivery);
    }
    Response::json(200, &body)
}
