//! Helpers that choose a value, and those that stop the message.

use std::borrow::Cow;

use crate::run::Stop;

use super::{Answer, Given, is_blank, required, shown};

/// `default value other…`
pub(super) fn default<'v>(given: &Given<'v>) -> Answer<'v> {
    let chosen = given.params.iter().map(|given| &given.value).find(|value| !is_blank(value));
    // As a condition nothing is false; as text it is missing, which the printer sees to.
    Ok(chosen.cloned().unwrap_or_default())
}

/// `block reason`
pub(super) fn block<'v>(given: &Given<'v>) -> Answer<'v> {
    let reason = required(given, 0)?;
    Err(Stop::Blocked(reason.as_str().map_or_else(|| shown(reason), |text| text.chars().take(200).collect())))
}

/// `promo_code group`: the code that was put aside for this message.
pub(super) fn promo_code<'v>(given: &Given<'v>) -> Answer<'v> {
    let group = required(given, 0)?.as_str().unwrap_or_default();
    match given.data.get("promo_codes").and_then(|codes| codes.get(group)) {
        Some(code) if !is_blank(code) => Ok(Cow::Borrowed(code)),
        _ => Err(Stop::NoCode(group.to_owned())),
    }
}
