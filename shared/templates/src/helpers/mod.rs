//! The helpers: what each takes, and the two registries that hold them.

mod compare;
mod date;
mod money;
mod print;
mod values;

use std::{ops::RangeInclusive, sync::LazyLock};

use handlebars::{Context, Handlebars, Helper, HelperDef, RenderError, RenderErrorReason, no_escape};
use serde_json::Value;

pub(crate) use print::{PLAIN, PRINT};
pub(crate) use values::Blocked;

/// A helper's work: a pure function of what it is given and of the whole data.
type Work = fn(&Helper<'_>, &Context) -> Result<Value, RenderError>;

/// A helper as the compiler knows it.
struct Known {
    name: &'static str,
    takes: RangeInclusive<usize>,
    /// What it does; `None` for the blocks, which Handlebars brings.
    work: Option<Work>,
}

const fn block(name: &'static str) -> Known {
    Known { name, takes: 1..=1, work: None }
}

const fn call(name: &'static str, takes: RangeInclusive<usize>, work: Work) -> Known {
    Known { name, takes, work: Some(work) }
}

const KNOWN: &[Known] = &[
    block("if"),
    block("unless"),
    block("each"),
    block("with"),
    call("money", 2..=2, money::money),
    call("number", 1..=2, money::number),
    call("date", 1..=3, date::date),
    call("plural", 3..=3, values::plural),
    call("default", 2..=8, values::default),
    call("limit", 2..=2, values::limit),
    call("len", 1..=1, values::len),
    call("lookup", 2..=2, values::lookup),
    call("url", 1..=1, values::url),
    call("block", 1..=1, values::block),
    call("eq", 2..=2, compare::eq),
    call("ne", 2..=2, compare::ne),
    call("gt", 2..=2, compare::gt),
    call("gte", 2..=2, compare::gte),
    call("lt", 2..=2, compare::lt),
    call("lte", 2..=2, compare::lte),
    call("and", 2..=8, compare::and),
    call("or", 2..=8, compare::or),
    call("not", 1..=1, compare::not),
];

/// Checks a call as it is written: `literals` has one entry for each value, `Some` where
/// the template spells it out; `named` are the names of the `name=value` pairs.
pub(crate) fn check(name: &str, block: bool, literals: &[Option<&Value>], named: &[&str]) -> Result<(), String> {
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        let names: Vec<_> = KNOWN.iter().filter(|it| it.work.is_none() == block).map(|it| it.name).collect();
        let kind = if block { "block" } else { "helper" };
        return Err(format!("there is no {kind} {name:?}; there are {}", names.join(", ")));
    };
    match (block, known.work.is_some()) {
        (true, true) => return Err(format!("{name} is not a block; write {{{{#if ({name} …)}}}}")),
        (false, false) => return Err(format!("{name} is a block; write {{{{#{name} …}}}}")),
        _ => {}
    }
    if !known.takes.contains(&literals.len()) {
        let (least, most) = (known.takes.start(), known.takes.end());
        let takes = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(format!("{name} takes {takes} values, not {}", literals.len()));
    }
    match named {
        [] => {}
        ["includeZero"] if matches!(name, "if" | "unless") => {}
        _ if name == "url" => {}
        [first, ..] => return Err(format!("{name} takes no {first:?}")),
    }
    match name {
        "date" => date::check(literals),
        // The reason is kept and shown, so it must not be a customer's value.
        "block" if !matches!(literals, [Some(Value::String(_))]) => Err("block takes its reason in quotes".to_owned()),
        _ => Ok(()),
    }
}

/// The registry of the parts that are HTML.
pub(crate) fn html() -> &'static Handlebars<'static> {
    static HTML: LazyLock<Handlebars<'static>> = LazyLock::new(|| registry(true));
    &HTML
}

/// The registry of the parts that are plain text.
pub(crate) fn text() -> &'static Handlebars<'static> {
    static TEXT: LazyLock<Handlebars<'static>> = LazyLock::new(|| registry(false));
    &TEXT
}

fn registry(escapes: bool) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    if !escapes {
        registry.register_escape_fn(no_escape);
    }
    // It would write the data to the log.
    registry.unregister_helper("log");
    registry
        .register_helper(PRINT, Box::new(print::Print { escapes, plain: false }) as Box<dyn HelperDef + Send + Sync>);
    registry.register_helper(PLAIN, Box::new(print::Print { escapes, plain: true }));
    for known in KNOWN {
        if let Some(work) = known.work {
            registry.register_helper(known.name, Box::new(print::Call { escapes, work }));
        }
    }
    registry
}

/// What a helper was given, or [`RenderErrorReason::MissingVariable`] when it is blank.
fn required<'a>(helper: &'a Helper<'_>, index: usize) -> Result<&'a Value, RenderError> {
    match helper.param(index) {
        Some(given) if !is_blank(given.value()) => Ok(given.value()),
        Some(given) => Err(missing(given.relative_path().cloned(), helper)),
        None => Err(missing(None, helper)),
    }
}

fn missing(path: Option<String>, helper: &Helper<'_>) -> RenderError {
    let path = path.unwrap_or_else(|| format!("value for {}", helper.name().trim()));
    RenderErrorReason::MissingVariable(Some(path)).into()
}

fn failed(message: String) -> RenderError {
    RenderErrorReason::Other(message).into()
}

/// Absent, `null` and `""` all print as nothing.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// A value as a message about it shows it: short, whatever it is.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        other => other.to_string(),
    }
}
