//! MJML, of which HTML is made when a template is compiled.
//!
//! What makes it knows nothing of mustaches: each is swapped for a placeholder that is at
//! home in its place, a comment between elements and a plain word in a text or a value, and
//! swapped back in the HTML. A mustache that no placeholder can stand for is refused.

use mrml::prelude::parser::{Error, ParserOptions, Warning, WarningKind};
use mrml::prelude::render::RenderOptions;

use crate::{
    partials::Report,
    syntax, tags,
    written::{Spot, Written},
};

/// How deep elements may be in each other: what makes HTML of them recurses.
const DEPTH: usize = 64;

/// The elements in which there is text, or HTML.
const WITH_TEXT: [&str; 11] = [
    "mj-text",
    "mj-button",
    "mj-table",
    "mj-raw",
    "mj-title",
    "mj-preview",
    "mj-style",
    "mj-navbar-link",
    "mj-social-element",
    "mj-accordion-title",
    "mj-accordion-text",
];

/// The HTML of MJML.
pub(crate) struct Made<'s> {
    pub(crate) html: Written<'s>,
    /// A comment of CSS: the styles that begin with it are to be put into the tags.
    pub(crate) inline: String,
    /// What was left out of it: where, and what.
    pub(crate) ignored: Vec<(Spot<'s>, String)>,
}

/// Makes HTML of MJML; none if that is not possible.
pub(crate) fn html<'s>(mjml: &Written<'s>, report: &mut Report<'_>) -> Option<Made<'s>> {
    let swapped = Swapped::of(mjml, report)?;
    let options = ParserOptions::default();
    let fault = |offset: usize, message: String, report: &mut Report<'_>| {
        let (partial, line, column) = swapped.text.spot(offset);
        report(partial, line, column, message);
    };
    let parsed = match mrml::parse_with_options(&swapped.text.text, &options) {
        Ok(parsed) => parsed,
        Err(error) => {
            let (offset, message) = explained(&error, &swapped.text.text);
            fault(offset, message, report);
            return None;
        }
    };
    // No fonts but those that the template itself loads.
    let rendered = parsed.element.render(&RenderOptions { fonts: Default::default(), ..RenderOptions::default() });
    let Ok(rendered) = rendered else {
        fault(0, "no HTML can be made of it".to_owned(), report);
        return None;
    };
    let ignored = |warning: &Warning| {
        let name = swapped.text.text.get(warning.span.start..warning.span.end).unwrap_or_default();
        let name = name.split('=').next().unwrap_or_default().trim();
        (swapped.text.spot(warning.span.start), format!("the attribute {name:?} is not known here, and left out"))
    };
    let unknown = parsed.warnings.iter().filter(|warning| warning.kind == WarningKind::UnexpectedAttribute);
    let ignored = unknown.map(ignored).collect();
    let inline = swapped.inline();
    let html = swapped.restored(mjml, &rendered, report)?;
    Some(Made { html, inline, ignored })
}

/// Where an error is, and what it says to the template's author.
fn explained(error: &Error, text: &str) -> (usize, String) {
    match error {
        Error::UnexpectedElement { position, .. } => {
            (position.start, format!("<{}> cannot stand here", &text[position.start..position.end]))
        }
        Error::UnexpectedToken { position, .. } => {
            (position.start, format!("{} cannot stand here", shown(text, position.start)))
        }
        Error::MissingAttribute { name, position, .. } => {
            (position.start, format!("the attribute {name:?} is missing"))
        }
        Error::InvalidAttribute { position, .. } => (position.start, "the attribute is not one it can be".to_owned()),
        Error::InvalidFormat { position, .. } => {
            (position.start, format!("{} is not written as it must be", shown(text, position.start)))
        }
        Error::IncludeLoaderError { position, .. } => {
            (position.start, "mj-include is not supported; name a partial: {{> code}}".to_owned())
        }
        Error::EndOfStream { .. } => (text.len(), "an element is not closed".to_owned()),
        Error::ParserError { source, .. } => {
            let position = source.pos();
            let line: usize =
                text.split_inclusive('\n').take(position.row.saturating_sub(1) as usize).map(str::len).sum();
            let rest = text.get(line..).unwrap_or_default();
            let column = rest.char_indices().nth(position.col.saturating_sub(1) as usize).map_or(0, |(at, _)| at);
            (line + column, format!("this is no MJML: {}", shown(text, line + column)))
        }
        Error::SizeLimit { .. } | Error::NoRootNode => (0, "must be one <mjml> element".to_owned()),
    }
}

/// What stands at an offset, as far as one has to see to find it.
fn shown(text: &str, offset: usize) -> String {
    let rest: String = text.get(offset..).unwrap_or_default().chars().take(30).collect();
    let end = rest.find(|c: char| c == '>' || c.is_whitespace()).unwrap_or(rest.len());
    let end = if rest[end..].starts_with('>') { end + 1 } else { end };
    match &rest[..end] {
        "" => "the end".to_owned(),
        shown => shown.to_owned(),
    }
}

/// MJML with placeholders for mustaches.
struct Swapped<'s> {
    text: Written<'s>,
    mustaches: Vec<Mustache>,
    /// How a placeholder begins; nothing in the source does.
    prefix: String,
}

struct Mustache {
    from: usize,
    to: usize,
    /// Whether a comment stands for it.
    is_comment: bool,
    /// Whether it has to come out again.
    is_needed: bool,
}

impl<'s> Swapped<'s> {
    fn of(mjml: &Written<'s>, report: &mut Report<'_>) -> Option<Self> {
        let prefix = (0..).map(|salt| format!("cw{salt}m")).find(|prefix| !mjml.text.contains(prefix))?;
        let text = Self { text: mjml.next(), mustaches: Vec::new(), prefix };
        let mut swapping = Swapping { from: mjml, copied: 0, open: Vec::new(), to: text, broken: false, report };
        swapping.go_through();
        (!swapping.broken).then_some(swapping.to)
    }

    fn placeholder(&self, index: usize) -> String {
        format!("{}{index}e", self.prefix)
    }

    /// What marks the styles that are to be put into the tags.
    fn inline(&self) -> String {
        format!("/*{}i*/", self.prefix)
    }

    /// The HTML with the mustaches.
    fn restored(&self, mjml: &Written<'s>, html: &str, report: &mut Report<'_>) -> Option<Written<'s>> {
        let mut restored = mjml.next();
        let mut seen = vec![false; self.mustaches.len()];
        let (mut copied, mut at) = (0, 0);
        while let Some(found) = html[at..].find(&self.prefix) {
            let start = at + found;
            let digits = start + self.prefix.len();
            let end = digits + html[digits..].bytes().take_while(u8::is_ascii_digit).count();
            at = end;
            let Some(index) = html[digits..end].parse::<usize>().ok().filter(|_| html[end..].starts_with('e')) else {
                continue;
            };
            let Some(mustache) = self.mustaches.get(index) else { continue };
            at = end + 1;
            let is_comment = mustache.is_comment && html[..start].ends_with("<!--") && html[at..].starts_with("-->");
            let (from, to) = if is_comment { (start - 4, at + 3) } else { (start, at) };
            restored.add(&html[copied..from], mjml.origin(mustache.from));
            restored.take(mjml, mustache.from, mustache.to);
            seen[index] = true;
            (copied, at) = (to, to);
        }
        restored.add(&html[copied..], mjml.origin(mjml.text.len()));
        let lost = self.mustaches.iter().zip(seen).filter(|(mustache, seen)| mustache.is_needed && !seen);
        let lost: Vec<&Mustache> = lost.map(|(mustache, _)| mustache).collect();
        for mustache in &lost {
            let (partial, line, column) = mjml.spot(mustache.from);
            let message =
                "MJML makes nothing of what stands here, or reckons with it; write a value out, or use mj-raw";
            report(partial, line, column, message.to_owned());
        }
        lost.is_empty().then_some(restored)
    }
}

struct Swapping<'w, 's, 'r> {
    from: &'w Written<'s>,
    copied: usize,
    /// The elements that are open, and where they begin.
    open: Vec<(&'w str, usize)>,
    to: Swapped<'s>,
    broken: bool,
    report: &'r mut Report<'r>,
}

impl<'w> Swapping<'w, '_, '_> {
    fn go_through(&mut self) {
        let text: &'w str = &self.from.text;
        let mut at = 0;
        let mut mustache = syntax::next_mustache(text, 0);
        while at < text.len() && !self.broken {
            if mustache.is_some_and(|start| start < at) {
                mustache = syntax::next_mustache(text, at);
            }
            let rest = &text[at..];
            at = if mustache == Some(at) {
                let is_text = self.open.iter().any(|(name, _)| WITH_TEXT.contains(name));
                self.swap(at, !is_text, true)
            } else if rest.starts_with("<!--[if") || rest.starts_with("<![endif]") {
                // What stands in such a comment is elements, too.
                at + rest.find('>').map_or(rest.len(), |end| end + 1)
            } else if rest.starts_with("<!--") {
                let end = at + rest.find("-->").map_or(rest.len(), |end| end + 3);
                self.swap_all(at, end)
            } else if rest.starts_with('<') && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
                self.tag(at)
            } else if rest.starts_with('>') {
                // The parser of MJML stumbles over it, if it stands behind a letter like é.
                self.put(at, at + 1, false, false);
                at + 1
            } else {
                let stops = |byte| matches!(byte, b'<' | b'>');
                let next = rest.bytes().skip(1).position(stops).map_or(text.len(), |next| at + 1 + next);
                mustache.filter(|&start| start > at).map_or(next, |start| start.min(next))
            };
        }
        self.copy_to(text.len());
        if let Some(&(name, start)) = self.open.last().filter(|_| !self.broken) {
            self.refuse(start, &format!("<{name}> is not closed"));
        }
    }

    /// Swaps a mustache; where it ends.
    fn swap(&mut self, start: usize, is_comment: bool, is_needed: bool) -> usize {
        let Ok(end) = syntax::mustache_end(&self.from.text, start) else {
            return self.refuse(start, "this is not closed: }} is missing");
        };
        if self.from.text[start..].starts_with("{{!") {
            // What it says is for whoever reads the source.
            self.copy_to(start);
            self.copied = end;
        } else {
            self.put(start, end, is_comment, is_needed);
        }
        end
    }

    /// Puts a placeholder in the place of what stands there.
    fn put(&mut self, start: usize, end: usize, is_comment: bool, is_needed: bool) {
        self.copy_to(start);
        self.copied = end;
        let word = self.to.placeholder(self.to.mustaches.len());
        self.to.mustaches.push(Mustache { from: start, to: end, is_comment, is_needed });
        let word = if is_comment { format!("<!--{word}-->") } else { word };
        self.to.text.add(&word, self.from.origin(start));
    }

    /// Swaps the mustaches of a comment, which need not come out; where it ends.
    fn swap_all(&mut self, from: usize, to: usize) -> usize {
        let mut at = from;
        while let Some(start) = syntax::next_mustache(&self.from.text, at).filter(|start| *start < to) {
            at = self.swap(start, false, false);
        }
        at.max(to)
    }

    /// Goes through a tag; where it ends.
    fn tag(&mut self, start: usize) -> usize {
        let text: &'w str = &self.from.text;
        let name_at = start + 1 + usize::from(text[start + 1..].starts_with('/'));
        let is_name = |c: char| !c.is_whitespace() && !"/><{".contains(c);
        let name_end = text[name_at..].find(|c| !is_name(c)).map_or(text.len(), |end| name_at + end);
        let name = &text[name_at..name_end];
        let mut quote = None;
        let mut at = name_end;
        while let Some(&byte) = text.as_bytes().get(at) {
            if text[at..].starts_with("{{") && syntax::next_mustache(text, at) == Some(at) {
                if quote.is_none() {
                    return self.refuse(
                        start.max(at),
                        "in a tag, a mustache stands in the quotes of a value and nowhere else",
                    );
                }
                at = self.swap(at, false, true);
                if self.broken {
                    return at;
                }
                continue;
            }
            if quote.is_none() && !byte.is_ascii() {
                return self.refuse(at, "in a tag, this stands in the quotes of a value and nowhere else");
            }
            match (quote, byte) {
                (None, b'>') => break,
                (None, b'=') if !text[at + 1..].trim_start().starts_with(['"', '\'']) => {
                    return self.refuse(at, "a value stands in quotes");
                }
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), close) if open == close => quote = None,
                _ => {}
            }
            // Never into the middle of a character.
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        let end = text.len().min(at + 1);
        self.opened_or_closed(start, name, name_at > start + 1, text[..at].ends_with('/'));
        if name == "mj-style" && text[start..end].contains("inline=\"inline\"") && !text[..at].ends_with('/') {
            self.copy_to(end);
            let mark = self.to.inline();
            self.to.text.add(&mark, self.from.origin(end));
        }
        end
    }

    fn opened_or_closed(&mut self, start: usize, name: &'w str, closes: bool, is_empty: bool) {
        if closes {
            match self.open.pop() {
                Some((open, _)) if open == name => {}
                Some((open, _)) => drop(self.refuse(start, &format!("</{open}> is expected here"))),
                None => drop(self.refuse(start, "this closes nothing")),
            }
        } else if !is_empty && !tags::is_void(name) {
            self.open.push((name, start));
            if self.open.len() > DEPTH {
                self.refuse(start, &format!("elements are more than {DEPTH} deep in each other"));
            }
        }
    }

    fn copy_to(&mut self, end: usize) {
        if self.copied < end {
            self.to.text.take(self.from, self.copied, end);
            self.copied = end;
        }
    }

    fn refuse(&mut self, offset: usize, message: &str) -> usize {
        let (partial, line, column) = self.from.spot(offset);
        (self.report)(partial, line, column, message.to_owned());
        self.broken = true;
        self.from.text.len()
    }
}
