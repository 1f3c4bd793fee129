//! From a source to a template that is known to be sound.

use crate::{PART_LIMIT, Part, Problem, Source, plain, syntax, tree};

/// A compiled template. Costs about its source's size in memory; share it, it is `Sync`.
#[derive(Debug)]
pub struct Template {
    pub(crate) subject: handlebars::Template,
    pub(crate) html: handlebars::Template,
    pub(crate) text: handlebars::Template,
    /// Whether the text was derived, and its blank lines are therefore not the author's.
    pub(crate) text_is_derived: bool,
    pub(crate) preheader: Option<handlebars::Template>,
}

impl Template {
    /// Compiles a source.
    ///
    /// # Errors
    /// Every problem of every part at once: syntax, helpers that do not exist or are
    /// given too few or too many values, parts that are empty or over [`PART_LIMIT`].
    /// Whether the data will have what is printed is only known when it is rendered.
    pub fn compile(source: &Source) -> Result<Template, Vec<Problem>> {
        let mut problems = Vec::new();
        let subject = compile_part(Part::Subject, &source.subject, &mut problems);
        let html = compile_part(Part::Html, &source.html, &mut problems);
        let preheader = source.preheader.as_ref().map(|it| compile_part(Part::Preheader, it, &mut problems));
        let text = match &source.text {
            Some(text) => compile_part(Part::Text, text, &mut problems),
            // Problems of the HTML would only show twice.
            None if problems.iter().any(|problem| problem.part == Part::Html) => Default::default(),
            None => derive_text(&source.html, &mut problems),
        };
        if problems.is_empty() {
            Ok(Template { subject, html, text, text_is_derived: source.text.is_none(), preheader })
        } else {
            Err(problems)
        }
    }
}

fn compile_part(part: Part, source: &str, problems: &mut Vec<Problem>) -> handlebars::Template {
    let mut report = |line, column, message| problems.push(Problem { part, line, column, message });
    if source.len() > PART_LIMIT {
        report(1, 1, format!("is {} bytes; at most {PART_LIMIT} are allowed", source.len()));
        return Default::default();
    }
    if source.trim().is_empty() {
        report(1, 1, "is empty".to_owned());
        return Default::default();
    }
    let refusals = syntax::refusals(source);
    for refusal in &refusals {
        let (line, column) = syntax::position(source, refusal.offset);
        report(line, column, refusal.message.to_owned());
    }
    if refusals.iter().any(|refusal| refusal.fatal) {
        return Default::default();
    }
    match handlebars::Template::compile(source) {
        Ok(mut template) => {
            tree::prepare(&mut template, false, &mut report);
            template
        }
        Err(error) => {
            let (line, column) = error.pos().unwrap_or((1, 1));
            report(line, column, error.reason().to_string());
            Default::default()
        }
    }
}

fn derive_text(html: &str, problems: &mut Vec<Problem>) -> handlebars::Template {
    let source = plain::text_template(html);
    let sound = syntax::refusals(&source).is_empty();
    // The calls were checked in the HTML; only the nesting can have suffered.
    match sound.then(|| handlebars::Template::compile(&source)) {
        Some(Ok(mut template)) => {
            tree::prepare(&mut template, true, &mut |_, _, _| {});
            template
        }
        _ => {
            problems.push(Problem {
                part: Part::Text,
                line: 1,
                column: 1,
                message: "cannot be derived from this html, where a block opens or closes inside a tag \
                          or a comment; give the text"
                    .to_owned(),
            });
            Default::default()
        }
    }
}
