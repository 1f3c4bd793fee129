//! From a source to a template that is known to be sound.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    Content, PART_LIMIT, Part, Place, Problem, Source, attachments, mjml, partials, plain,
    program::Program,
    styles, syntax, tags, tree,
    written::{Places, Spot, Written},
};

/// From how many bytes of HTML on its author hears that Gmail will cut the mail off: a little
/// below the 102 KB at which it does, since something is filled in.
const NEARLY_CLIPPED: usize = 90 * 1024;

/// A compiled template. Costs a few times its source's size in memory; share it, it is `Sync`.
#[derive(Debug)]
pub struct Template {
    pub(crate) base: Variant,
    pub(crate) translations: BTreeMap<String, Variant>,
    warnings: Vec<Problem>,
}

/// A template in one of its languages.
#[derive(Debug)]
pub(crate) struct Variant {
    /// The language, as the source has it; none for a base whose language is not said.
    pub(crate) language: Option<String>,
    pub(crate) subject: Compiled,
    pub(crate) html: Compiled,
    /// What the HTML was made of.
    pub(crate) body: Part,
    pub(crate) text: Compiled,
    /// Whether the text was derived, and its blank lines are therefore not the author's.
    pub(crate) text_is_derived: bool,
    pub(crate) preheader: Option<Compiled>,
}

/// A compiled part.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) template: handlebars::Template,
    pub(crate) program: Program,
    pub(crate) places: Places,
}

impl Template {
    /// Compiles a source.
    ///
    /// # Errors
    /// Every problem of every part in every language at once: syntax, helpers that do not
    /// exist or are given too few or too many values, partials that are not there or go round
    /// in a circle, a body that is neither HTML nor MJML or both, pictures that do
    /// not come along, parts that are empty or over [`PART_LIMIT`]. Whether the data will have what
    /// is printed is only known when it is rendered.
    pub fn compile(source: &Source) -> Result<Template, Vec<Problem>> {
        let mut compiler = Compiler::of(&source.partials);
        let inline = source.attachments.iter().filter(|attached| attached.inline);
        compiler.pictures = inline.map(|attached| attached.attachment.as_str()).collect();
        let base = Variant { language: source.language.clone(), ..compiler.variant(&source.content) };
        let mut translations = BTreeMap::new();
        for (language, content) in &source.translations {
            compiler.language = Some(language);
            translations.insert(key(language), compiler.variant(content));
        }
        compiler.unshown(base.body);
        let Compiler { problems, warnings, .. } = compiler;
        if problems.is_empty() { Ok(Template { base, translations, warnings }) } else { Err(problems) }
    }

    /// Checks one of these partials by itself: whatever it stands in, it must be sound, and its
    /// blocks close in it.
    ///
    /// # Errors
    /// Every problem; of one that is in another partial, `partial` says in which.
    pub fn check_partial(code: &str, partials: &BTreeMap<String, String>) -> Result<(), Vec<Problem>> {
        let whole = partials.get(code).map_or("", String::as_str);
        let alone = partials::without_block(whole);
        let mut compiler = Compiler::of(partials);
        compiler.part(Part::Html, &alone);
        if compiler.problems.is_empty() { Ok(()) } else { Err(compiler.problems) }
    }

    /// What its author should hear of, though nothing is wrong with it.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

/// A language as it is compared: `pt_BR` is `pt-br`.
pub(crate) fn key(language: &str) -> String {
    language.trim().replace('_', "-").to_ascii_lowercase()
}

struct Compiler<'a> {
    language: Option<&'a str>,
    partials: &'a BTreeMap<String, String>,
    /// The content ids of the pictures that come along.
    pictures: BTreeSet<&'a str>,
    /// Those of them that any body shows.
    shown: BTreeSet<&'a str>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'a> Compiler<'a> {
    fn of(partials: &'a BTreeMap<String, String>) -> Self {
        let (pictures, shown) = (BTreeSet::new(), BTreeSet::new());
        Self { language: None, partials, pictures, shown, problems: Vec::new(), warnings: Vec::new() }
    }

    fn variant(&mut self, content: &'a Content) -> Variant {
        let subject = self.part(Part::Subject, &content.subject).unwrap_or_default();
        let (body, html, html_source) = self.body(content);
        let preheader = content.preheader.as_ref().map(|it| self.part(Part::Preheader, it).unwrap_or_default());
        let text = match (&content.text, html_source) {
            (Some(text), _) => self.part(Part::Text, text).unwrap_or_default(),
            (None, Some(html)) => self.derived_text(&html),
            // Problems of the HTML would only show twice.
            (None, None) => Compiled::default(),
        };
        let language = self.language.map(str::to_owned);
        Variant { language, subject, html, body, text, text_is_derived: content.text.is_none(), preheader }
    }

    /// The body, what it was written as, and the HTML that it is; none if it is not sound.
    fn body(&mut self, content: &'a Content) -> (Part, Compiled, Option<String>) {
        let (part, source) = match (&content.html, &content.mjml) {
            (Some(html), None) => (Part::Html, html),
            (None, Some(mjml)) => (Part::Mjml, mjml),
            (Some(_), Some(_)) => {
                return self.no_body(Part::Mjml, "stands beside html; only one of them can be the body");
            }
            (None, None) => return self.no_body(Part::Html, "is not there, and neither is mjml"),
        };
        let before = self.problems.len();
        let written = self.written(part, source).and_then(|written| self.html(part, written));
        let compiled = written.as_ref().map(|written| self.compiled(part, written)).unwrap_or_default();
        let sound = self.problems.len() == before;
        (part, compiled, written.filter(|_| sound).map(|written| written.text))
    }

    /// The HTML of a body: what MJML comes to, and the styles in the tags.
    fn html(&mut self, part: Part, written: Written<'a>) -> Option<Written<'a>> {
        let inlined = if part == Part::Mjml {
            let mut report = |partial: Option<&str>, line, column, message| {
                self.report(part, (partial, line, column), message);
            };
            let made = mjml::html(&written, &mut report)?;
            for (spot, message) in made.ignored {
                self.warn(part, spot, message);
            }
            styles::inlined(&made.html, Some(&made.inline))
        } else {
            styles::inlined(&written, None)
        };
        let html = inlined.map_err(|message| self.report(part, (None, 1, 1), message)).ok()?;
        let mustaches = tags::mustaches(&html.text);
        let length = html.text.len() - mustaches.iter().map(Range::len).sum::<usize>();
        if length >= NEARLY_CLIPPED {
            let message = format!(
                "is {} KB of HTML before anything is filled in; Gmail cuts a mail off at 102 KB",
                length.div_ceil(1024)
            );
            self.warn(part, (None, 1, 1), message);
        }
        for (offset, id) in attachments::content_ids(&html.text) {
            match self.pictures.get(id) {
                Some(known) => _ = self.shown.insert(known),
                None => self.report(part, html.spot(offset), format!("there is no inline attachment {id:?}")),
            }
        }
        Some(html)
    }

    /// Names the pictures that come along and that no body shows.
    fn unshown(&mut self, body: Part) {
        self.language = None;
        let unshown: Vec<&str> = self.pictures.difference(&self.shown).copied().collect();
        for id in unshown {
            let message = format!("does not show the inline attachment {id:?}, as by <img src=\"cid:{id}\">");
            self.warn(body, (None, 1, 1), message);
        }
    }

    fn no_body(&mut self, part: Part, message: &str) -> (Part, Compiled, Option<String>) {
        self.report(part, (None, 1, 1), message);
        (part, Compiled::default(), None)
    }

    fn part(&mut self, part: Part, source: &'a str) -> Option<Compiled> {
        let written = self.written(part, source)?;
        Some(self.compiled(part, &written))
    }

    /// The part with its partials, ready for the parser; none if it must not see it.
    fn written(&mut self, part: Part, source: &'a str) -> Option<Written<'a>> {
        if source.len() > PART_LIMIT {
            let message = format!("is {} bytes; at most {PART_LIMIT} are allowed", source.len());
            self.report(part, (None, 1, 1), message);
            return None;
        }
        if source.trim().is_empty() {
            self.report(part, (None, 1, 1), "is empty");
            return None;
        }
        let partials = self.partials;
        let mut report = |partial: Option<&str>, line, column, message| {
            self.report(part, (partial, line, column), message);
        };
        let written = partials::assembled(source, partials, &mut report)?;
        let refusals = syntax::refusals(&written.text);
        for refusal in &refusals {
            self.report(part, written.spot(refusal.offset), refusal.message);
        }
        (!refusals.iter().any(|refusal| refusal.fatal)).then_some(written)
    }

    fn compiled(&mut self, part: Part, written: &Written<'_>) -> Compiled {
        match handlebars::Template::compile(&written.text) {
            Ok(mut template) => {
                let places = written.places();
                tree::prepare(&mut template, false, &mut |line, column, message| {
                    self.report(part, places.spot(line, column), message);
                });
                Compiled { program: Program::of(&template), template, places }
            }
            Err(error) => {
                let (line, column) = error.pos().unwrap_or((1, 1));
                self.report(part, written.spot_at(line, column), error.reason().to_string());
                Compiled::default()
            }
        }
    }

    fn derived_text(&mut self, html: &str) -> Compiled {
        let source = plain::text_template(html);
        let sound = syntax::refusals(&source).is_empty();
        // The calls were checked in the HTML; only the nesting can have suffered.
        match sound.then(|| handlebars::Template::compile(&source)) {
            Some(Ok(mut template)) => {
                tree::prepare(&mut template, true, &mut |_, _, _| {});
                Compiled { program: Program::of(&template), template, places: Places::default() }
            }
            _ => {
                let message = "cannot be derived from this html, where a block opens or closes inside a tag or a \
                               comment; give the text";
                self.report(Part::Text, (None, 1, 1), message);
                Compiled::default()
            }
        }
    }

    fn place(&self, part: Part, (partial, line, column): Spot<'_>) -> Place {
        let (language, partial) = (self.language.map(str::to_owned), partial.map(str::to_owned));
        Place { language, part, partial, line, column }
    }

    fn warn(&mut self, part: Part, spot: Spot<'_>, message: String) {
        let place = self.place(part, spot);
        self.warnings.push(Problem { place, message });
    }

    fn report(&mut self, part: Part, spot: Spot<'_>, message: impl Into<String>) {
        let place = self.place(part, spot);
        self.problems.push(Problem { place, message: message.into() });
    }
}
