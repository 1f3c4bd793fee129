//! A parsed template made ready to run: every path taken apart, every helper found.
//!
//! Handlebars' own renderer finds each value by its full path from the top of the data, which
//! it puts together anew each time, and each helper by its name. Here that is done once.

use handlebars::{
    Path, PathSeg,
    template::{BlockParam, HelperTemplate, Parameter, TemplateElement},
};
use serde_json::Value;

use crate::helpers::{self, Does, PLAIN, PRINT};

/// A template to run.
#[derive(Debug, Default)]
pub(crate) struct Program(pub(crate) Vec<Node>);

/// A piece of a template.
#[derive(Debug)]
pub(crate) enum Node {
    Text(String),
    Print { value: Expression, how: Print, at: At },
    If { condition: Expression, include_zero: bool, then: Vec<Node>, other: Vec<Node>, at: At },
    Each { over: Expression, body: Vec<Node>, other: Option<Vec<Node>>, at: At },
    With { over: Expression, body: Vec<Node>, other: Option<Vec<Node>>, at: At },
}

/// The line and the column.
pub(crate) type At = (usize, usize);

/// How a value becomes a part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Print {
    /// As it is fit for the part: escaped in HTML.
    Fit,
    /// As it is.
    Raw,
    /// As text that is made of HTML.
    Plain,
}

/// What has a value.
#[derive(Debug)]
pub(crate) enum Expression {
    Literal(Value),
    Path(Named),
    Local { up: usize, name: Local, raw: String },
    Call(Box<Call>),
}

/// A path of the data.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) raw: String,
    pub(crate) from: From,
    pub(crate) fields: Vec<String>,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// At the top of the data.
    Top,
    /// At what so many blocks further out are about.
    Up(usize),
}

/// What a loop knows of where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Local {
    Index,
    Key,
    First,
    Last,
    /// The index in a list, the name in an object.
    Place,
    /// Nothing that there is.
    Other,
}

/// A call of a helper.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) does: Does,
    pub(crate) params: Vec<Expression>,
    /// In the order of their names.
    pub(crate) named: Vec<(String, Expression)>,
}

impl Program {
    /// The program of a tree that was checked and prepared.
    pub(crate) fn of(template: &handlebars::Template) -> Self {
        Self(Maker { scopes: vec![Vec::new()] }.nodes(template, (1, 1)))
    }
}

/// What the parameters of a block are: a value, or the index or key of a loop.
#[derive(Clone, Copy)]
enum Meaning {
    Value,
    Index,
}

struct Maker {
    /// The names of the parameters of each block that changes what is looked at.
    scopes: Vec<Vec<(String, Meaning)>>,
}

impl Maker {
    fn nodes(&mut self, template: &handlebars::Template, parent: At) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(template.elements.len());
        for (index, element) in template.elements.iter().enumerate() {
            let at = template.mapping.get(index).map_or(parent, |mapping| (mapping.0, mapping.1));
            let node = match element {
                TemplateElement::RawString(text) => match nodes.last_mut() {
                    Some(Node::Text(before)) => {
                        before.push_str(text);
                        continue;
                    }
                    _ => Some(Node::Text(text.clone())),
                },
                TemplateElement::Expression(call) => self.print(call, Print::Fit, at),
                TemplateElement::HtmlExpression(call) => self.print(call, Print::Raw, at),
                TemplateElement::HelperBlock(block) => self.block(block, at),
                // Comments, and what was refused already.
                _ => None,
            };
            nodes.extend(node);
        }
        nodes
    }

    fn print(&mut self, call: &HelperTemplate, how: Print, at: At) -> Option<Node> {
        let printer = name_of(call).filter(|name| matches!(*name, PRINT | PLAIN));
        let how = if printer == Some(PLAIN) { Print::Plain } else { how };
        let value = match printer {
            Some(_) => self.expression(call.params.first()?),
            None => self.call(call)?,
        };
        Some(Node::Print { value, how, at })
    }

    fn block(&mut self, block: &HelperTemplate, at: At) -> Option<Node> {
        let name = name_of(block)?;
        let over = self.expression(block.params.first()?);
        let nodes = |maker: &mut Self, template: &Option<handlebars::Template>| {
            template.as_ref().map(|template| maker.nodes(template, at))
        };
        match name {
            "if" | "unless" => {
                let include_zero = matches!(block.hash.get("includeZero"), Some(Parameter::Literal(Value::Bool(true))));
                let then = nodes(self, &block.template).unwrap_or_default();
                let other = nodes(self, &block.inverse).unwrap_or_default();
                let (then, other) = if name == "if" { (then, other) } else { (other, then) };
                Some(Node::If { condition: over, include_zero, then, other, at })
            }
            _ => {
                self.scopes.push(params(block));
                let body = nodes(self, &block.template).unwrap_or_default();
                self.scopes.pop();
                let other = nodes(self, &block.inverse);
                Some(match name {
                    "each" => Node::Each { over, body, other, at },
                    _ => Node::With { over, body, other, at },
                })
            }
        }
    }

    fn call(&mut self, call: &HelperTemplate) -> Option<Expression> {
        let (name, does) = helpers::find(name_of(call)?)?;
        let params = call.params.iter().map(|given| self.expression(given)).collect();
        let mut named: Vec<_> = call.hash.iter().map(|(name, given)| (name.clone(), self.expression(given))).collect();
        named.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Some(Expression::Call(Box::new(Call { name, does, params, named })))
    }

    fn expression(&mut self, given: &Parameter) -> Expression {
        match given {
            Parameter::Literal(value) => Expression::Literal(value.clone()),
            Parameter::Path(path) => self.path(path),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call).unwrap_or(Expression::Literal(Value::Null)),
                _ => Expression::Literal(Value::Null),
            },
            Parameter::Name(_) => Expression::Literal(Value::Null),
            _ => Expression::Literal(Value::Null),
        }
    }

    fn path(&self, path: &Path) -> Expression {
        let (segments, raw) = match path {
            Path::Relative((segments, raw)) => (segments, raw),
            Path::Local((up, name, raw)) => {
                let name = match name.as_str() {
                    "index" => Local::Index,
                    "key" => Local::Key,
                    "first" => Local::First,
                    "last" => Local::Last,
                    _ => Local::Other,
                };
                return Expression::Local { up: *up, name, raw: raw.clone() };
            }
        };
        let up = segments.iter().take_while(|segment| matches!(segment, PathSeg::Ruled(_))).count();
        let fields = segments.iter().filter_map(|segment| match segment {
            PathSeg::Named(name) => Some(name.clone()),
            _ => None,
        });
        let mut fields: Vec<String> = fields.collect();
        let raw = raw.clone();
        if raw.trim_start().starts_with("@root") {
            return Expression::Path(Named { raw, from: From::Top, fields });
        }
        let param = fields.first().and_then(|name| self.param(name));
        match param {
            Some((up, Meaning::Value)) => {
                fields.remove(0);
                Expression::Path(Named { raw, from: From::Up(up), fields })
            }
            // Of a list the index, of an object the name; neither has fields.
            Some((up, Meaning::Index)) => {
                let name = if fields.len() > 1 { Local::Other } else { Local::Place };
                Expression::Local { up, name, raw }
            }
            None => {
                let up = if up < self.scopes.len() { up } else { 0 };
                Expression::Path(Named { raw, from: From::Up(up), fields })
            }
        }
    }

    /// How many blocks further out a parameter of this name is, and what it is.
    fn param(&self, name: &str) -> Option<(usize, Meaning)> {
        self.scopes
            .iter()
            .rev()
            .enumerate()
            .find_map(|(up, params)| params.iter().find(|(param, _)| param == name).map(|(_, meaning)| (up, *meaning)))
    }
}

fn params(block: &HelperTemplate) -> Vec<(String, Meaning)> {
    let name = |given: &Parameter| match given {
        Parameter::Name(name) => Some(name.clone()),
        Parameter::Path(Path::Relative((_, raw))) => Some(raw.clone()),
        _ => None,
    };
    let params = match &block.block_param {
        Some(BlockParam::Single(one)) => vec![name(one).zip(Some(Meaning::Value))],
        Some(BlockParam::Pair((one, key))) => {
            vec![name(one).zip(Some(Meaning::Value)), name(key).zip(Some(Meaning::Index))]
        }
        _ => Vec::new(),
    };
    params.into_iter().flatten().collect()
}

/// The name of the helper that is called.
pub(crate) fn name_of(call: &HelperTemplate) -> Option<&str> {
    match &call.name {
        Parameter::Name(name) => Some(name),
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((.., raw))) => Some(raw),
        _ => None,
    }
}
