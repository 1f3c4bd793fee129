//! Partials and layouts, put in when a template is compiled.
//!
//! What a partial says is put where it is named, as text: so what comes after sees one
//! source, whether it makes HTML of MJML, puts styles into tags or derives the plain text, and
//! rendering knows of no partials. A partial sees what is seen where it stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::{PART_LIMIT, syntax, written::Written};

/// How deep partials may be in each other, and blocks in layouts.
const DEPTH: usize = 32;

/// How often partials may be put into one part: they multiply.
const MOST: usize = 1_000;

/// What a layout puts the block that it was given in the place of.
const BLOCK: &str = "@partial-block";

/// What hears of a problem: the partial that it is in, if any, line, column, and what is wrong.
pub(crate) type Report<'r> = dyn FnMut(Option<&str>, usize, usize, String) + 'r;

/// A part with its partials put in; none if that is not possible.
pub(crate) fn assembled<'s>(
    part: &'s str,
    partials: &'s BTreeMap<String, String>,
    report: &mut Report<'_>,
) -> Option<Written<'s>> {
    let mut assembly = Assembly { written: Written::begin(part), partials, count: 0, broken: false, report };
    let level = Level { source: 0, text: part, name: None, within: None, block: None };
    assembly.put(&level, 0, part.len(), 0);
    (!assembly.broken).then_some(assembly.written)
}

/// The partials that a source names.
pub(crate) fn named(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut at = 0;
    while let Some(start) = syntax::next_mustache(source, at) {
        let Ok(end) = syntax::mustache_end(source, start) else { break };
        if let Some(tag) = Tag::read(&source[start..end])
            && tag.name != BLOCK
        {
            names.insert(tag.name);
        }
        at = end;
    }
    names
}

/// Those of the partials that these sources use, directly or through others.
pub(crate) fn used<'s>(
    sources: impl IntoIterator<Item = &'s str>,
    all: &'s BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut used = BTreeMap::new();
    let mut open: Vec<&str> = sources.into_iter().flat_map(named).collect();
    while let Some(name) = open.pop() {
        if let Some(source) = all.get(name)
            && used.insert(name.to_owned(), source.clone()).is_none()
        {
            open.extend(named(source));
        }
    }
    used
}

/// A partial as it is with an empty block, by which it can be checked alone.
pub(crate) fn without_block(source: &str) -> String {
    let mut whole = String::with_capacity(source.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(start) = syntax::next_mustache(source, at) {
        let Ok(end) = syntax::mustache_end(source, start) else { break };
        if Tag::read(&source[start..end]).is_some_and(|tag| tag.name == BLOCK && !tag.opens && tag.rest.is_empty()) {
            whole.push_str(&source[copied..start]);
            // As long and as many lines as before, so that what comes behind it stays in its place.
            whole.push_str("{{!");
            whole.extend(source[start + 3..end - 2].chars().map(|c| if c == '\n' { c } else { ' ' }));
            whole.push_str("}}");
            copied = end;
        }
        at = end;
    }
    whole.push_str(&source[copied..]);
    whole
}

/// A mustache that names a partial.
struct Tag<'t> {
    name: &'t str,
    /// What else it says, which must be nothing.
    rest: &'t str,
    /// Whether it has a block.
    opens: bool,
    /// Whether blanks before it go, and behind it.
    trims: (bool, bool),
}

impl<'t> Tag<'t> {
    fn read(mustache: &'t str) -> Option<Self> {
        let inner = mustache.strip_prefix("{{")?.strip_suffix("}}")?;
        let before = inner.starts_with('~');
        let inner = inner.trim_start_matches('~');
        let after = inner.ends_with('~');
        let inner = inner.trim_end_matches('~').trim();
        let (opens, call) = match inner.strip_prefix('#') {
            Some(call) => (true, call.trim_start()),
            None => (false, inner),
        };
        let call = call.strip_prefix('>')?.trim();
        let end = call.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(call.len());
        let (name, rest) = call.split_at(end);
        Some(Self { name, rest: rest.trim(), opens, trims: (before, after) })
    }
}

/// A source that is being put in.
struct Level<'s, 'l> {
    source: usize,
    text: &'s str,
    name: Option<&'s str>,
    /// The one that names it.
    within: Option<&'l Level<'s, 'l>>,
    block: Option<Block<'s, 'l>>,
}

impl<'s> Level<'s, '_> {
    /// The partials around it, from the outermost.
    fn path(&self) -> Vec<&'s str> {
        let mut path = self.within.map_or_else(Vec::new, Level::path);
        path.extend(self.name);
        path
    }
}

/// What stands between the tags that open and close a layout.
#[derive(Clone, Copy)]
struct Block<'s, 'l> {
    level: &'l Level<'s, 'l>,
    from: usize,
    to: usize,
}

struct Assembly<'s, 'r> {
    written: Written<'s>,
    partials: &'s BTreeMap<String, String>,
    count: usize,
    broken: bool,
    report: &'r mut Report<'r>,
}

impl<'s> Assembly<'s, '_> {
    fn put(&mut self, level: &Level<'s, '_>, from: usize, to: usize, depth: usize) {
        let text = &level.text[..to];
        let (mut copied, mut at) = (from, from);
        while let Some(start) = syntax::next_mustache(text, at).filter(|_| !self.broken) {
            // One that is not closed is reported with the whole.
            let Ok(end) = syntax::mustache_end(text, start) else { break };
            at = end;
            let Some(tag) = Tag::read(&text[start..end]) else { continue };
            self.copy(level, copied, start);
            if tag.trims.0 {
                self.written.trim_end();
            }
            copied = end;
            let mut trims_after = tag.trims.1;
            let block = if tag.opens {
                let Some((close, after, trims)) = closing(text, end) else {
                    return self.refuse(level, start, format!("this is not closed: {{{{/{}}}}} is missing", tag.name));
                };
                let closes = text[close..after].trim_matches(|c: char| "{}~/".contains(c) || c.is_whitespace());
                if closes != tag.name {
                    return self.refuse(level, close, format!("{{{{/{}}}}} is expected here", tag.name));
                }
                (copied, at) = (after, after);
                let from = if tag.trims.1 { end + blanks(&text[end..close]) } else { end };
                let to = if trims.0 { from + text[from..close].trim_end().len() } else { close };
                trims_after = trims.1;
                Some(Block { level, from, to })
            } else {
                None
            };
            self.named(level, start, &tag, block, depth);
            if trims_after {
                copied += blanks(&text[copied..]);
                at = at.max(copied);
            }
        }
        self.copy(level, copied, to);
    }

    /// Puts in what a tag names.
    fn named(
        &mut self,
        level: &Level<'s, '_>,
        start: usize,
        tag: &Tag<'s>,
        block: Option<Block<'s, '_>>,
        depth: usize,
    ) {
        self.count += 1;
        let refusal = if tag.name.is_empty() || tag.name.starts_with(['"', '\'']) {
            Some("the name of a partial must be written out, without quotes".to_owned())
        } else if !tag.rest.is_empty() {
            Some("a partial is given nothing here: it sees what is seen where it stands".to_owned())
        } else if depth >= DEPTH {
            Some(format!("partials are more than {DEPTH} deep in each other"))
        } else if self.count > MOST {
            Some(format!("more than {MOST} partials are put in"))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.refuse(level, start, refusal);
        }
        if tag.name == BLOCK {
            return match level.block {
                Some(_) if tag.opens => self.refuse(level, start, format!("{BLOCK} takes no block")),
                Some(block) => self.put(block.level, block.from, block.to, depth + 1),
                None => self.refuse(level, start, missing_block(level.name)),
            };
        }
        let Some((name, text)) = self.partials.get_key_value(tag.name) else {
            return self.refuse(level, start, format!("there is no partial {:?}", tag.name));
        };
        let path = level.path();
        if let Some(at) = path.iter().position(|open| open == name) {
            let circle = path[at..].iter().chain([&name.as_str()]).copied().collect::<Vec<_>>().join(" → ");
            return self.refuse(level, start, format!("partials go round in a circle: {circle}"));
        }
        let source = self.written.source(name, text);
        let inner = Level { source, text, name: Some(name), within: Some(level), block };
        // A file ends with a line break, which is not meant.
        let end = text.strip_suffix('\n').map_or(text.len(), |text| text.strip_suffix('\r').unwrap_or(text).len());
        self.put(&inner, 0, end, depth + 1);
    }

    fn copy(&mut self, level: &Level<'s, '_>, from: usize, to: usize) {
        if self.broken || from >= to {
            return;
        }
        // What meets here must not become a mustache, or an escaped one.
        if level.text[from..to].starts_with('{') && self.written.text.ends_with(['{', '\\']) {
            return self.refuse(level, from, "a partial begins or ends here, between a brace and \\ or another brace");
        }
        if self.written.text.len() + to - from > PART_LIMIT {
            return self.refuse(level, from, format!("comes to more than {PART_LIMIT} bytes with its partials"));
        }
        self.written.copy(level.source, from, to);
    }

    fn refuse(&mut self, level: &Level<'s, '_>, offset: usize, message: impl Into<String>) {
        self.broken = true;
        let (line, column) = syntax::position(level.text, offset);
        (self.report)(level.name, line, column, message.into());
    }
}

fn missing_block(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{name} is a layout: use it as {{{{#> {name}}}}}…{{{{/{name}}}}}"),
        None => format!("{BLOCK} stands in a layout only"),
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The tag that closes the block opened before `from`: where it begins, where it ends, and
/// whether blanks before it go, and behind it.
fn closing(text: &str, from: usize) -> Option<(usize, usize, (bool, bool))> {
    let (mut at, mut open) = (from, 1_usize);
    while let Some(start) = syntax::next_mustache(text, at) {
        at = syntax::mustache_end(text, start).ok()?;
        let inner = &text[start + 2..at];
        match inner.trim_start_matches(|c: char| c == '~' || c.is_whitespace()).bytes().next() {
            Some(b'#') => open += 1,
            Some(b'/') => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((start, at, (inner.starts_with('~'), inner.ends_with("~}}"))));
        }
    }
    None
}
