//! Which paths of the data a template names, found by going through the compiled tree.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::{
    Path, PathSeg,
    template::{BlockParam, HelperTemplate, Parameter, Subexpression, TemplateElement},
};
use serde_json::Value;

use crate::{
    Part, Place, Template,
    compile::{Compiled, Variant},
    helpers::{PLAIN, PRINT},
    program::name_of,
};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// To the field of this name.
    Field(String),
    /// To whichever item of a list, or of an object that a loop goes through.
    Item,
}

/// What a template does with what is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Prints it; nothing there stops the message.
    Printed,
    /// Takes it for the value of a helper that does without nothing.
    Taken,
    /// Goes through it as a list.
    Listed,
    /// Asks whether it is there, or has something else to print.
    Asked,
}

/// A path that a template names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Where.
    pub place: Place,
    /// The path from the top of the data. There are several where it goes on from a choice:
    /// in `{{#each (default a b)}}{{name}}` it is one of two.
    pub paths: Vec<Vec<Step>>,
    /// What for.
    pub used: Use,
    /// The first steps of what was found there by an `{{#if}}` that this stands in, or by a
    /// `{{#with}}` or `{{#each}}` that has an `{{else}}`.
    pub within: BTreeSet<String>,
    /// The first steps of what was found not to be there by an `{{#if}}`, `{{#unless}}`,
    /// `{{#with}}` or `{{#each}}` of just that, in whose other half this stands.
    pub without: BTreeSet<String>,
}

impl Named {
    /// Whether nothing there would stop the message, so far as the template can tell.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        let is_within =
            |path: &Vec<Step>| matches!(path.first(), Some(Step::Field(name)) if self.within.contains(name));
        self.used != Use::Asked && !self.paths.iter().any(is_within)
    }
}

/// A path as it is written: `order.lines[].name`.
#[must_use]
pub fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Item => text.push_str("[]"),
        }
    }
    text
}

impl Template {
    /// Every path that it names, in every part and language, in the order in which they
    /// stand there, those with a name at the end of their call. Text that was derived names what the HTML does.
    #[must_use]
    pub fn paths(&self) -> Vec<Named> {
        self.walked().named
    }

    /// The groups of promo codes that it prints one of, and where each is first named.
    #[must_use]
    pub fn promo_groups(&self) -> BTreeMap<String, Place> {
        self.walked().groups
    }

    fn walked(&self) -> Found {
        let mut found = Found::default();
        self.base.walk(None, &mut found);
        for translation in self.translations.values() {
            translation.walk(translation.language.as_deref(), &mut found);
        }
        found
    }
}

impl Variant {
    fn walk(&self, language: Option<&str>, found: &mut Found) {
        let text = (!self.text_is_derived).then_some(&self.text);
        let parts = [
            (Part::Subject, Some(&self.subject)),
            (Part::Preheader, self.preheader.as_ref()),
            (self.body, Some(&self.html)),
            (Part::Text, text),
        ];
        for (part, compiled) in parts {
            let Some(compiled) = compiled else { continue };
            let scopes = vec![Scope { base: vec![Vec::new()], params: Vec::new() }];
            let mut walker =
                Walker { language, part, compiled, scopes, within: Vec::new(), without: Vec::new(), at: (1, 1), found };
            walker.template(&compiled.template);
        }
    }
}

#[derive(Default)]
struct Found {
    named: Vec<Named>,
    groups: BTreeMap<String, Place>,
}

/// Where a value may have come from; nowhere that is known, if there are none.
type Origins = Vec<Vec<Step>>;

/// What names mean inside a block.
struct Scope {
    base: Origins,
    params: Vec<(String, Origins)>,
}

struct Walker<'a> {
    language: Option<&'a str>,
    part: Part,
    compiled: &'a Compiled,
    scopes: Vec<Scope>,
    /// What the blocks around have found to be there.
    within: Vec<String>,
    /// What they have found not to be there.
    without: Vec<String>,
    at: (usize, usize),
    found: &'a mut Found,
}

impl Walker<'_> {
    fn template(&mut self, template: &handlebars::Template) {
        let parent = self.at;
        for (index, element) in template.elements.iter().enumerate() {
            self.at = template.mapping.get(index).map_or(parent, |mapping| (mapping.0, mapping.1));
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    self.call(call, Use::Printed);
                }
                TemplateElement::HelperBlock(block) => self.block(block),
                _ => {}
            }
        }
        self.at = parent;
    }

    fn block(&mut self, block: &HelperTemplate) {
        let name = name_of(block).unwrap_or_default();
        let Some(over) = block.params.first() else { return };
        let (inner, inverse) = (block.template.as_ref(), block.inverse.as_ref());
        let before = self.found.named.len();
        let origins = match (name, inverse) {
            ("each", None) => self.value(over, Use::Listed),
            ("with", None) => self.value(over, Use::Taken),
            _ => self.value(over, Use::Asked),
        };
        let asked: Vec<String> = self.found.named[before..]
            .iter()
            .flat_map(|named| named.paths.iter())
            .filter_map(|path| path.first().and_then(field))
            .collect();
        // Only of what is asked for as a whole it is known that it is not there.
        let absent = match (over, origins.as_slice()) {
            (Parameter::Path(_), [path]) if path.len() == 1 => path.first().and_then(field),
            _ => None,
        };
        let enters = matches!(name, "each" | "with");
        for (branch, found) in [(inner, name != "unless"), (inverse, name == "unless")] {
            let Some(branch) = branch else { continue };
            let (within, without) = (self.within.len(), self.without.len());
            if found {
                // Without another half, what is not there stops the message already.
                if inverse.is_some() || matches!(name, "if" | "unless") {
                    self.within.extend(asked.iter().cloned());
                }
            } else {
                self.without.extend(absent.clone());
            }
            if found && enters {
                self.scopes.push(scope(block, origins.clone(), name == "each"));
            }
            self.template(branch);
            if found && enters {
                self.scopes.pop();
            }
            self.within.truncate(within);
            self.without.truncate(without);
        }
    }

    /// A call, or a bare value in the hands of its printer; where what it gives comes from.
    fn call(&mut self, call: &HelperTemplate, used: Use) -> Origins {
        let Some(name) = name_of(call) else { return Origins::new() };
        let params = &call.params;
        let first = |walker: &mut Self, used| params.first().map(|given| walker.value(given, used)).unwrap_or_default();
        let origins = match name {
            PRINT | PLAIN => return first(self, used),
            "promo_code" => {
                if let Some(Parameter::Literal(Value::String(group))) = params.first() {
                    let place = self.place();
                    self.found.groups.entry(group.clone()).or_insert(place);
                }
                return Origins::new();
            }
            "limit" | "sort" | "where" => first(self, Use::Listed),
            "default" => {
                let last = params.len().saturating_sub(1);
                let used = |index| if index == last { used } else { Use::Asked };
                return params.iter().enumerate().flat_map(|(index, given)| self.value(given, used(index))).collect();
            }
            "lookup" => {
                let origins = first(self, if used == Use::Asked { Use::Asked } else { Use::Taken });
                let step = match params.get(1) {
                    Some(Parameter::Literal(Value::String(name))) => Step::Field(name.clone()),
                    _ => Step::Item,
                };
                extended(origins, &step)
            }
            "len" | "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "and" | "or" | "not" => {
                params.iter().for_each(|given| drop(self.value(given, Use::Asked)));
                return Origins::new();
            }
            _ => {
                first(self, Use::Taken);
                Origins::new()
            }
        };
        params.iter().skip(1).for_each(|given| drop(self.value(given, Use::Taken)));
        let mut named: Vec<_> = call.hash.iter().collect();
        named.sort_unstable_by_key(|(name, _)| *name);
        named.into_iter().for_each(|(_, given)| drop(self.value(given, Use::Taken)));
        origins
    }

    fn value(&mut self, given: &Parameter, used: Use) -> Origins {
        match given {
            Parameter::Path(path) => {
                let paths = self.resolved(path);
                if !paths.is_empty() {
                    let named = Named {
                        place: self.place(),
                        paths: paths.clone(),
                        used,
                        within: self.within.iter().cloned().collect(),
                        without: self.without.iter().cloned().collect(),
                    };
                    self.found.named.push(named);
                }
                paths
            }
            Parameter::Subexpression(inner) => self.inner(inner, used),
            _ => Origins::new(),
        }
    }

    fn inner(&mut self, inner: &Subexpression, used: Use) -> Origins {
        match inner.as_element() {
            TemplateElement::Expression(call) => self.call(call, used),
            _ => Origins::new(),
        }
    }

    /// Where a path leads from here; nowhere for `@index` and for what is not known.
    fn resolved(&self, path: &Path) -> Origins {
        let Path::Relative((segments, raw)) = path else { return Origins::new() };
        let up = segments.iter().take_while(|segment| matches!(segment, PathSeg::Ruled(_))).count();
        let names = segments.iter().filter_map(|segment| match segment {
            PathSeg::Named(name) => Some(name.as_str()),
            _ => None,
        });
        let mut names = names.peekable();
        let base = if raw.trim_start().starts_with("@root") {
            vec![Vec::new()]
        } else if let Some(of_param) = names.peek().and_then(|name| self.param(name)) {
            names.next();
            of_param.clone()
        } else {
            let scope = self.scopes.len().checked_sub(up + 1).and_then(|index| self.scopes.get(index));
            scope.or(self.scopes.last()).map(|scope| scope.base.clone()).unwrap_or_default()
        };
        names.fold(base, |base, name| extended(base, &Step::Field(name.to_owned())))
    }

    fn param(&self, name: &str) -> Option<&Origins> {
        let known = |scope: &'_ Scope| scope.params.iter().position(|(param, _)| param == name);
        self.scopes.iter().rev().find_map(|scope| known(scope).map(|index| &scope.params[index].1))
    }

    fn place(&self) -> Place {
        let (partial, line, column) = self.compiled.places.spot(self.at.0, self.at.1);
        Place {
            language: self.language.map(str::to_owned),
            part: self.part,
            partial: partial.map(str::to_owned),
            line,
            column,
        }
    }
}

/// The scope inside a block that goes on from these.
fn scope(block: &HelperTemplate, origins: Origins, items: bool) -> Scope {
    let base = if items { extended(origins, &Step::Item) } else { origins };
    let param = |given: &Parameter, origins: Origins| match given {
        Parameter::Name(name) => Some((name.clone(), origins)),
        Parameter::Path(Path::Relative((_, raw))) => Some((raw.clone(), origins)),
        _ => None,
    };
    let params = match &block.block_param {
        Some(BlockParam::Single(one)) => vec![param(one, base.clone())],
        // The second is the index or the key.
        Some(BlockParam::Pair((one, key))) => vec![param(one, base.clone()), param(key, Origins::new())],
        _ => Vec::new(),
    };
    Scope { base, params: params.into_iter().flatten().collect() }
}

fn extended(mut origins: Origins, step: &Step) -> Origins {
    origins.iter_mut().for_each(|origin| origin.push(step.clone()));
    origins
}

fn field(step: &Step) -> Option<String> {
    match step {
        Step::Field(name) => Some(name.clone()),
        Step::Item => None,
    }
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
