//! Helpers that choose a value, and those that stop the message.

use handlebars::{Context, Helper, RenderError, RenderErrorReason};
use serde_json::Value;

use super::{is_blank, required, shown};

/// `default value other…`
pub(super) fn default(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let chosen = helper.params().iter().map(|given| given.value()).find(|value| !is_blank(value));
    // As a condition nothing is false; as text it is missing, which the printer sees to.
    Ok(chosen.cloned().unwrap_or_default())
}

/// `block reason`
pub(super) fn block(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let reason = required(helper, 0)?;
    let text = reason.as_str().map_or_else(|| shown(reason), |text| text.chars().take(200).collect());
    Err(RenderErrorReason::NestedError(Box::new(Blocked(text))).into())
}

/// The template does not want this message sent, for this reason.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Blocked(String);

/// `promo_code group`: the code that was put aside for this message.
pub(super) fn promo_code(helper: &Helper<'_>, context: &Context) -> Result<Value, RenderError> {
    let group = required(helper, 0)?.as_str().unwrap_or_default();
    match context.data().get("promo_codes").and_then(|codes| codes.get(group)) {
        Some(code) if !is_blank(code) => Ok(code.clone()),
        _ => Err(RenderErrorReason::NestedError(Box::new(NoCode(group.to_owned()))).into()),
    }
}

/// There is no code of this group for the message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoCode(String);
