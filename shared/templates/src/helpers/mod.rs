//! The helpers: what each takes, and the two registries that hold them.

mod compare;
mod date;
mod language;
mod links;
mod lists;
mod money;
mod plurals;
mod print;
mod values;

use std::{ops::RangeInclusive, sync::LazyLock};

use handlebars::{Context, Handlebars, Helper, HelperDef, RenderError, RenderErrorReason, no_escape};
use serde_json::Value;

pub(crate) use print::{PLAIN, PRINT};
pub(crate) use values::{Blocked, NoCode};

/// A helper's work: a pure function of what it is given and of the whole data.
type Work = fn(&Helper<'_>, &Context) -> Result<Value, RenderError>;

/// A helper as the compiler knows it.
struct Known {
    name: &'static str,
    takes: RangeInclusive<usize>,
    /// The names that `name=value` may have; `None` for any.
    named: Option<&'static [&'static str]>,
    does: Does,
}

/// What a helper does.
#[derive(Clone, Copy)]
enum Does {
    /// It holds a part of the template. Handlebars brings these.
    Block,
    /// It makes a value of what it is given.
    Work(Work),
    /// It writes markup.
    Image,
}

impl Known {
    const fn named(mut self, names: &'static [&'static str]) -> Self {
        self.named = Some(names);
        self
    }

    const fn with_any_names(mut self) -> Self {
        self.named = None;
        self
    }

    fn is_block(&self) -> bool {
        matches!(self.does, Does::Block)
    }
}

const fn block(name: &'static str) -> Known {
    Known { name, takes: 1..=1, named: Some(&[]), does: Does::Block }
}

const fn call(name: &'static str, takes: RangeInclusive<usize>, work: Work) -> Known {
    Known { name, takes, named: Some(&[]), does: Does::Work(work) }
}

/// Where the language is not the reader's.
const LANGUAGE: &[&str] = &["language"];

const KNOWN: &[Known] = &[
    block("if").named(&["includeZero"]),
    block("unless").named(&["includeZero"]),
    block("each"),
    block("with"),
    call("money", 2..=2, money::money).named(LANGUAGE),
    call("number", 1..=2, money::number).named(LANGUAGE),
    call("date", 1..=3, date::date).named(LANGUAGE),
    call("relative", 1..=2, date::relative).named(LANGUAGE),
    call("plural", 1..=3, money::plural).named(&["zero", "one", "two", "few", "many", "other", "language"]),
    call("default", 2..=8, values::default),
    call("limit", 2..=2, lists::limit),
    call("sort", 2..=3, lists::sort),
    call("where", 3..=4, lists::r#where),
    call("len", 1..=1, lists::len),
    call("lookup", 2..=2, lists::lookup),
    call("url", 1..=1, links::url).with_any_names(),
    Known { name: "image", takes: 1..=1, named: Some(links::Image::NAMED), does: Does::Image },
    call("promo_code", 1..=1, values::promo_code),
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

/// A call as it is written.
pub(crate) struct Call<'a> {
    /// The helper's name.
    pub(crate) name: &'a str,
    /// Whether it opens a block.
    pub(crate) block: bool,
    /// One entry for each value, `Some` where the template spells it out.
    pub(crate) literals: &'a [Option<&'a Value>],
    /// The `name=value` pairs, likewise.
    pub(crate) named: &'a [(&'a str, Option<&'a Value>)],
}

/// Checks a call, and says what is wrong with it.
pub(crate) fn check(call: &Call<'_>) -> Result<(), String> {
    let Call { name, block, literals, named } = *call;
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        let names: Vec<_> = KNOWN.iter().filter(|it| it.is_block() == block).map(|it| it.name).collect();
        let kind = if block { "block" } else { "helper" };
        return Err(format!("there is no {kind} {name:?}; there are {}", names.join(", ")));
    };
    match (block, known.is_block()) {
        (true, false) => return Err(format!("{name} is not a block; write {{{{#if ({name} …)}}}}")),
        (false, true) => return Err(format!("{name} is a block; write {{{{#{name} …}}}}")),
        _ => {}
    }
    if !known.takes.contains(&literals.len()) {
        let (least, most) = (known.takes.start(), known.takes.end());
        let takes = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(format!("{name} takes {takes} values, not {}", literals.len()));
    }
    let unknown = named.iter().find(|(given, _)| known.named.is_some_and(|names| !names.contains(given)));
    if let Some((given, _)) = unknown {
        return Err(format!("{name} takes no {given:?}"));
    }
    let spelt = |wanted: &str| named.iter().find(|(given, _)| *given == wanted).map(|(_, value)| *value);
    if known.named == Some(LANGUAGE)
        && let Some(Some(tag)) = spelt("language")
        && tag.as_str().and_then(language::find).is_none()
    {
        return Err(format!("there is no language {tag}"));
    }
    match name {
        "date" => date::check(literals),
        "relative" => date::check_zone(literals.get(1)),
        "sort" | "where" => lists::check(name, literals),
        "plural" if literals.len() == 2 || (literals.len() == 1) == spelt("other").is_none() => {
            Err("plural takes both forms, or each by its name and \"other\" at least: \
                 {{plural n one=\"item\" other=\"items\"}}"
                .to_owned())
        }
        "image" if spelt("alt").is_none() => {
            Err("image takes what it shows: alt=\"A red shoe\", or alt=\"\" if it only adorns".to_owned())
        }
        // What a message wants is known before it is rendered.
        "promo_code" if !is_spelt_out(literals) => Err("promo_code takes its group in quotes".to_owned()),
        // The reason is kept and shown, so it must not be a customer's value.
        "block" if !is_spelt_out(literals) => Err("block takes its reason in quotes".to_owned()),
        _ => Ok(()),
    }
}

fn is_spelt_out(literals: &[Option<&Value>]) -> bool {
    matches!(literals, [Some(Value::String(text))] if !text.is_empty())
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
        match known.does {
            Does::Block => {}
            Does::Work(work) => registry.register_helper(known.name, Box::new(print::Call { escapes, work })),
            Does::Image => registry.register_helper(known.name, Box::new(links::Image { html: escapes })),
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
