//! Running a program over data. Nothing is copied but what helpers make anew.

use std::{borrow::Cow, cell::OnceCell, fmt::Write as _};

use handlebars::JsonTruthy;
use serde_json::Value;

use crate::{
    helpers::{Arg, Does, Given, Language},
    plain,
    program::{At, Call, Expression, From, Local, Named, Node, Print, Program},
};

/// Why a part cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There is nothing at this path.
    Missing(String),
    /// The data is not what the template takes it for.
    Failed(String),
    /// The template does not want it, for this reason.
    Blocked(String),
    /// There is no promo code of this group.
    NoCode(String),
    /// It comes to more than it may.
    TooLarge,
}

type Stopped = (Stop, At);

/// What is looked at, inside of what.
struct Scope<'v> {
    value: &'v Value,
    out: Option<&'v Scope<'v>>,
    /// Where a loop is.
    round: Option<Round<'v>>,
}

#[derive(Clone, Copy)]
struct Round<'v> {
    index: usize,
    of: usize,
    /// The field's name, of an object.
    key: Option<&'v str>,
}

impl Program {
    /// Runs it: `html` if what is printed has to be escaped, at most `limit` bytes; in the
    /// language of the mail, if that is known, else the reader's.
    ///
    /// # Errors
    /// What stops it, and where.
    pub(crate) fn run(
        &self,
        data: &Value,
        language: Option<&'static Language>,
        html: bool,
        limit: usize,
    ) -> Result<String, Stopped> {
        let reader = language.map_or_else(OnceCell::new, OnceCell::from);
        let mut runner = Runner { data, html, limit, out: String::with_capacity(4096), reader: &reader };
        runner.nodes(&self.0, &Scope { value: data, out: None, round: None })?;
        Ok(runner.out)
    }
}

struct Runner<'d> {
    data: &'d Value,
    html: bool,
    limit: usize,
    out: String,
    reader: &'d OnceCell<&'static Language>,
}

impl<'d> Runner<'d> {
    fn nodes(&mut self, nodes: &'d [Node], scope: &Scope<'_>) -> Result<(), Stopped> {
        for node in nodes {
            self.node(node, scope)?;
            if self.out.len() > self.limit {
                return Err((Stop::TooLarge, (1, 1)));
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &'d Node, scope: &Scope<'_>) -> Result<(), Stopped> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print { value, how, at } => self.print(value, *how, scope).map_err(|stop| (stop, *at))?,
            Node::If { condition, include_zero, then, other, at } => {
                let given = self.value(condition, scope).map_err(|stop| (stop, *at))?;
                let branch = if given.value.is_truthy(*include_zero) { then } else { other };
                self.nodes(branch, scope)?;
            }
            Node::Each { over, body, other, at } => {
                let given = self.value(over, scope).map_err(|stop| (stop, *at))?;
                self.each(&given, body, other.as_deref(), *at, scope)?;
            }
            Node::With { over, body, other, at } => {
                let given = self.value(over, scope).map_err(|stop| (stop, *at))?;
                match other {
                    _ if given.value.is_truthy(false) => {
                        self.nodes(body, &Scope { value: &given.value, out: Some(scope), round: scope.round })?;
                    }
                    Some(other) => self.nodes(other, scope)?,
                    None => return Err((given.missing(), *at)),
                }
            }
        }
        Ok(())
    }

    fn each(
        &mut self,
        given: &Arg<'_>,
        body: &'d [Node],
        other: Option<&'d [Node]>,
        at: At,
        scope: &Scope<'_>,
    ) -> Result<(), Stopped> {
        let round = |runner: &mut Self, index, of, key, value: &Value| {
            let round = Some(Round { index, of, key });
            runner.nodes(body, &Scope { value, out: Some(scope), round })
        };
        match (&*given.value, other) {
            (Value::Array(items), other) if !items.is_empty() || other.is_none() => {
                for (index, item) in items.iter().enumerate() {
                    round(self, index, items.len(), None, item)?;
                }
                Ok(())
            }
            (Value::Object(fields), other) if !fields.is_empty() || other.is_none() => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    round(self, index, fields.len(), Some(name), value)?;
                }
                Ok(())
            }
            (_, Some(other)) => self.nodes(other, scope),
            (_, None) => Err((given.missing(), at)),
        }
    }

    fn print(&mut self, value: &'d Expression, how: Print, scope: &Scope<'_>) -> Result<(), Stop> {
        if let Expression::Call(call) = value
            && let Does::Write(write) = call.does
        {
            let given = self.given(call, scope)?;
            return write(&given, self.html, &mut self.out);
        }
        let given = self.value(value, scope)?;
        let text = given.printable()?;
        match how {
            Print::Plain => self.out.push_str(plain::text_of(&text).trim()),
            Print::Fit if self.html => {
                if would_run(&text) && begins_address(&self.out) {
                    let what = given.path.unwrap_or("the value");
                    return Err(Stop::Failed(format!("{what} is not an address to which a mail leads")));
                }
                push_escaped(&text, &mut self.out);
            }
            Print::Fit | Print::Raw => self.out.push_str(&text),
        }
        Ok(())
    }

    fn value<'v>(&self, expression: &'v Expression, scope: &'v Scope<'_>) -> Result<Arg<'v>, Stop>
    where
        'd: 'v,
    {
        Ok(match expression {
            Expression::Literal(value) => Arg { value: Cow::Borrowed(value), path: None },
            Expression::Path(named) => Arg { value: Cow::Borrowed(self.at(named, scope)), path: Some(&named.raw) },
            Expression::Local { up, name, raw } => Arg { value: Cow::Owned(local(scope, *up, *name)), path: Some(raw) },
            Expression::Call(call) => {
                let given = self.given(call, scope)?;
                let path = given.param(0).and_then(|first| first.path);
                let value = match call.does {
                    Does::Work(work) => work(&given)?,
                    Does::Write(write) => {
                        let mut out = String::new();
                        write(&given, self.html, &mut out)?;
                        Cow::Owned(Value::String(out))
                    }
                    Does::Block => Cow::Owned(Value::Null),
                };
                Arg { value, path }
            }
        })
    }

    fn given<'v>(&self, call: &'v Call, scope: &'v Scope<'_>) -> Result<Given<'v>, Stop>
    where
        'd: 'v,
    {
        let mut params = Vec::with_capacity(call.params.len());
        for param in &call.params {
            params.push(self.value(param, scope)?);
        }
        let mut named = Vec::with_capacity(call.named.len());
        for (name, value) in &call.named {
            named.push((name.as_str(), self.value(value, scope)?));
        }
        Ok(Given { name: call.name, params, named, data: self.data, reader: self.reader })
    }

    /// What is at a path; `null` where nothing is.
    fn at<'v>(&self, named: &Named, scope: &'v Scope<'_>) -> &'v Value
    where
        'd: 'v,
    {
        let mut at = match named.from {
            From::Top => self.data,
            From::Up(up) => out(scope, up).value,
        };
        for field in &named.fields {
            at = match at {
                Value::Object(fields) => fields.get(field),
                Value::Array(items) => field.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            }
            .unwrap_or(&Value::Null);
        }
        at
    }
}

/// The scope so many blocks further out.
fn out<'s, 'v>(scope: &'s Scope<'v>, up: usize) -> &'s Scope<'v> {
    let mut at = scope;
    for _ in 0..up {
        let Some(out) = at.out else { return scope };
        at = out;
    }
    at
}

fn local(scope: &Scope<'_>, up: usize, name: Local) -> Value {
    let Some(round) = out(scope, up).round else { return Value::Null };
    match (name, round.key) {
        (Local::Index, _) | (Local::Place, None) => Value::from(round.index),
        (Local::Key | Local::Place, Some(key)) => Value::from(key),
        (Local::First, _) => Value::from(round.index == 0),
        (Local::Last, _) => Value::from(round.index + 1 == round.of),
        (Local::Key, None) | (Local::Other, _) => Value::Null,
    }
}

impl Arg<'_> {
    /// That this is missing.
    pub(crate) fn missing(&self) -> Stop {
        Stop::Missing(self.path.unwrap_or("value").to_owned())
    }

    /// It as text, strictly.
    fn printable(&self) -> Result<Cow<'_, str>, Stop> {
        match &*self.value {
            Value::Null => Err(self.missing()),
            Value::String(text) if text.is_empty() => Err(self.missing()),
            Value::String(text) => Ok(Cow::Borrowed(text)),
            value @ (Value::Bool(_) | Value::Number(_)) => {
                let mut text = String::new();
                // Writing to a String does not fail.
                let _ = write!(text, "{value}");
                Ok(Cow::Owned(text))
            }
            value => {
                let what = if value.is_array() { "a list" } else { "an object" };
                Err(Stop::Failed(format!("{} is {what} and cannot be printed", self.path.unwrap_or("the value"))))
            }
        }
    }
}

/// Whether a link to this would run it. What browsers pass over in an address is passed over.
fn would_run(text: &str) -> bool {
    let letters = text.bytes().filter(|byte| !byte.is_ascii_control() && *byte != b' ');
    let letters = letters.map(|byte| byte.to_ascii_lowercase());
    ["javascript:", "vbscript:", "data:"].iter().any(|scheme| letters.clone().take(scheme.len()).eq(scheme.bytes()))
}

/// Whether what comes next in HTML is the beginning of an address.
fn begins_address(html: &str) -> bool {
    // Browsers pass over what is blank before an address, within its quotes as well.
    let value = html.trim_end_matches(|c: char| c.is_whitespace() || c.is_control() || "\"'".contains(c));
    let Some(tag) = value.strip_suffix('=').map(str::trim_end) else { return false };
    let name = tag.rsplit(|c: char| c.is_whitespace() || "\"'/".contains(c)).next().unwrap_or_default();
    ["href", "src", "action", "background", "poster"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Escapes what could end a text, a quoted or an unquoted attribute.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'`' => "&#96;",
            b'=' => "&#61;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(escape);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}
