//! Dates, in the zone of who reads them.

use std::sync::LazyLock;

use handlebars::{Context, Helper, RenderError};
use jiff::{
    Timestamp, Zoned,
    civil::Date,
    fmt::strtime,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde_json::Value;

use super::{failed, required, shown};

const PATTERN: &str = "%-d %B %Y";

/// The database in the binary, never the machine's.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// `date value pattern? zone?`
pub(super) fn date(helper: &Helper<'_>, context: &Context) -> Result<Value, RenderError> {
    let value = required(helper, 0)?;
    let pattern = match helper.param(1) {
        None => PATTERN,
        Some(_) => required(helper, 1)?.as_str().unwrap_or(PATTERN),
    };
    let text = value.as_str().unwrap_or_default();
    let written = if let Ok(instant) = text.parse::<Timestamp>() {
        strtime::format(pattern, &instant.to_zoned(zone(helper, context)?))
    } else if let Ok(date) = text.parse::<Date>() {
        // A date is a date everywhere: no zone moves it.
        strtime::format(pattern, date)
    } else {
        return Err(failed(format!("{} is neither an instant nor a date", shown(value))));
    };
    written.map(Value::String).map_err(|error| failed(format!("the pattern {pattern:?} does not fit: {error}")))
}

/// Checks the pattern and the zone where the template spells them out.
pub(super) fn check(literals: &[Option<&Value>]) -> Result<(), String> {
    if let Some(Some(pattern)) = literals.get(1) {
        let pattern = pattern.as_str().ok_or("the pattern of a date must be text")?;
        let sample = Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
        strtime::format(pattern, &sample).map_err(|error| format!("the pattern {pattern:?}: {error}"))?;
    }
    if let Some(Some(zone)) = literals.get(2) {
        let zone = zone.as_str().ok_or("the zone of a date must be text")?;
        ZONES.get(zone).map_err(|_| format!("there is no time zone {zone:?}"))?;
    }
    Ok(())
}

/// The zone the template names, else the first of the customer's and the shop's that exists.
/// A customer's wrong zone is no reason to keep the mail back.
fn zone(helper: &Helper<'_>, context: &Context) -> Result<TimeZone, RenderError> {
    if helper.param(2).is_some() {
        let given = required(helper, 2)?;
        let name = given.as_str().unwrap_or_default();
        return ZONES.get(name).map_err(|_| failed(format!("there is no time zone {}", shown(given))));
    }
    let of = |whose: &str| ZONES.get(context.data().get(whose)?.get("time_zone")?.as_str()?).ok();
    Ok(of("customer").or_else(|| of("shop")).unwrap_or(TimeZone::UTC))
}
