//! How fast mail leaves, and whether it does.

use lambda::http::{Failure, Response};
use serde_json::{Value, json};
use store::Sending;

use crate::Manage;

impl Manage {
    /// What SES lets the account do, and what keeps mail from going out, as the senders know it.
    pub(crate) async fn sending(&self) -> Result<Response, Failure> {
        Ok(Response::json(200, &show(self.pace.get().await?.as_ref())))
    }
}

fn show(sending: Option<&Sending>) -> Value {
    let stop = sending.and_then(|sending| sending.stop);
    let mut shown = json!({ "state": if stop.is_some() { "stopped" } else { "going" } });
    if let Some(Sending { account, read_at, .. }) = sending {
        shown["rate"] = json!(account.rate);
        shown["used"] = json!(account.used);
        shown["read_at"] = json!(read_at);
        if let Some(per_day) = account.per_day {
            shown["per_day"] = json!(per_day);
        }
    }
    if let Some(stop) = stop {
        let tried = if stop.probed { "trying_until" } else { "tries_at" };
        shown["stopped"] = json!({ "since": stop.since, "reason": stop.why.as_str(), tried: stop.until });
    }
    shown
}
