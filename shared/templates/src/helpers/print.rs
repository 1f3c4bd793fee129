//! How a value becomes text of the message, strictly.

use std::borrow::Cow;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, ScopedJson,
};
use serde_json::Value;

use super::{Work, failed, missing, shown};
use crate::plain;

/// The name of the printer of bare values. No template can call it: names have no blanks.
pub(crate) const PRINT: &str = " print";

/// The name of the printer that makes text of a value that is HTML.
pub(crate) const PLAIN: &str = " plain";

/// Prints its value.
pub(super) struct Print {
    pub(super) escapes: bool,
    pub(super) plain: bool,
}

impl HelperDef for Print {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        scope: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let Some(given) = helper.param(0) else { return Err(missing(None, helper)) };
        let path = || given.relative_path().cloned();
        if self.plain {
            let text = printable(given.value(), path, helper)?;
            return Ok(out.write(plain::text_of(&text).trim())?);
        }
        write(given.value(), path, helper, self.escapes && !scope.is_disable_escape(), out)
    }
}

/// A helper that computes a value: printed like any other, or passed on in a subexpression.
pub(super) struct Call {
    pub(super) escapes: bool,
    pub(super) work: Work,
}

impl HelperDef for Call {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        (self.work)(helper, context).map(ScopedJson::Derived)
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        scope: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = (self.work)(helper, context)?;
        let path = || helper.param(0).and_then(|given| given.relative_path().cloned());
        write(&value, path, helper, self.escapes && !scope.is_disable_escape(), out)
    }
}

fn write(
    value: &Value,
    path: impl Fn() -> Option<String>,
    helper: &Helper<'_>,
    escapes: bool,
    out: &mut dyn Output,
) -> HelperResult {
    let text = printable(value, path, helper)?;
    if escapes { write_escaped(&text, out) } else { Ok(out.write(&text)?) }
}

fn printable<'v>(
    value: &'v Value,
    path: impl Fn() -> Option<String>,
    helper: &Helper<'_>,
) -> Result<Cow<'v, str>, RenderError> {
    match value {
        Value::Null => Err(missing(path(), helper)),
        Value::String(text) if text.is_empty() => Err(missing(path(), helper)),
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Ok(Cow::Owned(value.to_string())),
        Value::Array(_) | Value::Object(_) => {
            let name = path().unwrap_or_else(|| helper.name().trim().to_owned());
            Err(failed(format!("{name} is {} and cannot be printed", shown(value))))
        }
    }
}

/// Escapes what could end a text, a quoted or an unquoted attribute.
pub(super) fn write_escaped(text: &str, out: &mut dyn Output) -> HelperResult {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'', '`', '=']) {
        out.write(&rest[..at])?;
        out.write(match rest.as_bytes()[at] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'`' => "&#96;",
            _ => "&#61;",
        })?;
        rest = &rest[at + 1..];
    }
    Ok(out.write(rest)?)
}
