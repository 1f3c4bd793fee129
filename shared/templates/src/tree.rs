//! The parsed tree: every call is checked, every bare value gets the strict printer.

use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement};
use serde_json::Value;

use crate::helpers::{self, Call, PLAIN, PRINT};

/// Checks a tree and makes it strict. `report` gets the line, the column and the message
/// of each problem. With `plain`, HTML that the template inserts as it is becomes text.
pub(crate) fn prepare(template: &mut handlebars::Template, plain: bool, report: &mut dyn FnMut(usize, usize, String)) {
    walk(template, plain, (1, 1), report);
}

fn walk(
    template: &mut handlebars::Template,
    plain: bool,
    parent: (usize, usize),
    report: &mut dyn FnMut(usize, usize, String),
) {
    for (index, element) in template.elements.iter_mut().enumerate() {
        // The tree of an else-chain has no positions of its own.
        let at = template.mapping.get(index).map_or(parent, |mapping| (mapping.0, mapping.1));
        let mut problem = |message: String| report(at.0, at.1, message);
        match element {
            TemplateElement::Expression(call) => {
                check_expression(call, &mut problem);
                if is_bare(call) {
                    print_with(PRINT, call);
                }
            }
            TemplateElement::HtmlExpression(call) => {
                check_expression(call, &mut problem);
                if plain {
                    print_with(PLAIN, call);
                } else if is_bare(call) {
                    print_with(PRINT, call);
                }
            }
            TemplateElement::HelperBlock(block) => {
                check_call(block, &mut problem);
                for inner in [&mut block.template, &mut block.inverse].into_iter().flatten() {
                    walk(inner, plain, at, report);
                }
            }
            // Text, comments, and what `syntax` has refused already.
            _ => {}
        }
    }
}

/// `{{name}}`: a value, never a call, since every helper takes something. So a line's
/// `{{url}}` is its field and not the helper of that name.
fn is_bare(call: &HelperTemplate) -> bool {
    call.params.is_empty() && call.hash.is_empty()
}

fn print_with(printer: &str, call: &mut HelperTemplate) {
    let name = std::mem::replace(&mut call.name, Parameter::Name(printer.to_owned()));
    let params = std::mem::take(&mut call.params);
    let hash = std::mem::take(&mut call.hash);
    call.params = vec![if params.is_empty() && hash.is_empty() {
        name
    } else {
        Parameter::Subexpression(Subexpression::new(name, params, hash))
    }];
}

fn check_expression(call: &HelperTemplate, problem: &mut dyn FnMut(String)) {
    match &call.name {
        Parameter::Subexpression(inner) if is_bare(call) => check_subexpression(inner, problem),
        Parameter::Path(path) if is_bare(call) => {
            // Nobody has a field of this name, and it must not be lost quietly.
            if matches!(path, handlebars::Path::Relative((_, raw)) if raw == "block") {
                problem("block takes a reason: {{block \"why\"}}".to_owned());
            }
        }
        _ => check_call(call, problem),
    }
}

fn check_subexpression(inner: &Subexpression, problem: &mut dyn FnMut(String)) {
    if let TemplateElement::Expression(call) = inner.as_element() {
        check_call(call, problem);
    }
}

fn check_call(call: &HelperTemplate, problem: &mut dyn FnMut(String)) {
    let name = match &call.name {
        Parameter::Name(name) => name.as_str(),
        Parameter::Path(handlebars::Path::Relative((_, raw)) | handlebars::Path::Local((.., raw))) => raw,
        _ => {
            return problem("the name of a helper must be written out".to_owned());
        }
    };
    for parameter in call.params.iter().chain(call.hash.values()) {
        if let Parameter::Subexpression(inner) = parameter {
            check_subexpression(inner, problem);
        }
    }
    let literals: Vec<_> = call.params.iter().map(spelt_out).collect();
    let named: Vec<_> = call.hash.iter().map(|(name, given)| (name.as_str(), spelt_out(given))).collect();
    if let Err(message) = helpers::check(&Call { name, block: call.block, literals: &literals, named: &named }) {
        problem(message);
    }
}

/// The value, where the template spells it out.
fn spelt_out(parameter: &Parameter) -> Option<&Value> {
    match parameter {
        Parameter::Literal(value) => Some(value),
        _ => None,
    }
}
