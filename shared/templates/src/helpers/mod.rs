//! The helpers: what each takes and does.

mod compare;
mod date;
mod language;
mod links;
mod lists;
mod money;
mod plurals;
mod values;

use std::{borrow::Cow, cell::OnceCell, ops::RangeInclusive};

use serde_json::Value;

use crate::run::Stop;

pub(crate) use language::{Language, of_mail};

/// The name of the printer of bare values. No template can call it: names have no blanks.
pub(crate) const PRINT: &str = " print";

/// The name of the printer that makes text of a value that is HTML.
pub(crate) const PLAIN: &str = " plain";

/// A value that a call was given, and the path at which it stands, if it does.
pub(crate) struct Arg<'v> {
    pub(crate) value: Cow<'v, Value>,
    pub(crate) path: Option<&'v str>,
}

/// What a call was given.
pub(crate) struct Given<'v> {
    pub(crate) name: &'static str,
    pub(crate) params: Vec<Arg<'v>>,
    /// In the order of their names.
    pub(crate) named: Vec<(&'v str, Arg<'v>)>,
    /// All of the data.
    pub(crate) data: &'v Value,
    /// The language of who reads it, once it was asked for.
    pub(crate) reader: &'v OnceCell<&'static Language>,
}

/// What a helper makes of it.
type Answer<'v> = Result<Cow<'v, Value>, Stop>;

/// A helper's work: a pure function of what it is given and of the whole data.
type Work = for<'v> fn(&Given<'v>) -> Answer<'v>;

/// The work of one that writes by itself, as HTML if asked so.
type Write = fn(&Given<'_>, bool, &mut String) -> Result<(), Stop>;

/// A helper as the compiler knows it.
struct Known {
    name: &'static str,
    takes: RangeInclusive<usize>,
    /// The names that `name=value` may have; `None` for any.
    named: Option<&'static [&'static str]>,
    does: Does,
}

/// What a helper does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// It holds a part of the template.
    Block,
    /// It makes a value of what it is given.
    Work(Work),
    /// It writes markup.
    Write(Write),
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
    Known { name: "image", takes: 1..=1, named: Some(links::OF_IMAGES), does: Does::Write(links::image) },
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

/// A helper by its name.
pub(crate) fn find(name: &str) -> Option<(&'static str, Does)> {
    KNOWN.iter().find(|known| known.name == name).map(|known| (known.name, known.does))
}

impl<'v> Given<'v> {
    pub(crate) fn param(&self, index: usize) -> Option<&Arg<'v>> {
        self.params.get(index)
    }

    fn named(&self, name: &str) -> Option<&Arg<'v>> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, given)| given)
    }

    /// What it was given, as it came, or that it is missing.
    fn required_as_it_is(&self, index: usize) -> Answer<'v> {
        required(self, index)?;
        Ok(self.param(index).map(|given| given.value.clone()).unwrap_or_default())
    }
}

/// What a helper was given, or [`Stop::Missing`] when it is blank.
fn required<'a>(given: &'a Given<'_>, index: usize) -> Result<&'a Value, Stop> {
    match given.param(index) {
        Some(arg) if !is_blank(&arg.value) => Ok(&arg.value),
        Some(arg) if arg.path.is_some() => Err(arg.missing()),
        _ => Err(Stop::Missing(format!("value for {}", given.name))),
    }
}

fn failed(message: String) -> Stop {
    Stop::Failed(message)
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
