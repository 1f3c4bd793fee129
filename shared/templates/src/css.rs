//! As much of CSS as is needed to put the rules of a style sheet into tags.

use std::ops::Range;

/// The most compounds of a selector.
const COMPOUNDS: usize = 8;

/// What a style sheet consists of, in order.
#[derive(Debug)]
pub(crate) enum Item {
    Rule(Rule),
    /// What stays as it is: `@media`, `@font-face`, what is not understood.
    Other(Range<usize>),
}

/// `selector, selector { declarations }`
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) selectors: Vec<Listed>,
    pub(crate) declarations: Vec<Declaration>,
    /// The braces, and what is between them.
    pub(crate) block: Range<usize>,
}

/// One of a rule's selectors.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) text: String,
    /// None if it asks for what a tag does not say, such as `:hover`.
    pub(crate) selector: Option<Selector>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Declaration {
    pub(crate) fn is_important(&self) -> bool {
        let value = self.value.trim_end().to_ascii_lowercase();
        value.strip_suffix("important").is_some_and(|value| value.trim_end().ends_with('!'))
    }
}

/// A selector: compounds, of which the last is what it selects.
#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) compounds: Vec<Compound>,
    /// How many ids, classes and attributes, and names it has.
    pub(crate) specificity: (usize, usize, usize),
}

/// `a.b#c[d]`
#[derive(Debug, Default)]
pub(crate) struct Compound {
    /// Whether it must be the child of what the compound before it selects, and not merely in it.
    pub(crate) is_child: bool,
    /// In lower case; none for any.
    pub(crate) name: Option<String>,
    pub(crate) ids: Vec<String>,
    pub(crate) classes: Vec<String>,
    /// Each with its value, if one is asked for; names in lower case.
    pub(crate) attributes: Vec<(String, Option<String>)>,
}

/// Takes a style sheet apart. A rule that overlaps one of `foreign` stays as it is.
pub(crate) fn items(sheet: &str, foreign: &[Range<usize>]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(start) = skipped(sheet, at) {
        if start > at && sheet[at..start].contains("/*") {
            items.push(Item::Other(at..start));
        }
        let (end, open) = statement(sheet, start);
        let untouched = !foreign.iter().any(|foreign| foreign.start < end && start < foreign.end);
        let rule = open.filter(|_| untouched && !sheet[start..].starts_with('@'));
        items.push(match rule.and_then(|open| rule_of(sheet, start, open, end)) {
            Some(rule) => Item::Rule(rule),
            None => Item::Other(start..end),
        });
        at = end;
    }
    items
}

/// The offset of the next thing that is neither a blank nor a comment.
fn skipped(sheet: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = &sheet[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &sheet[at..];
        if rest.is_empty() {
            return None;
        }
        match rest.strip_prefix("/*") {
            Some(comment) => at += comment.find("*/").map_or(rest.len(), |end| end + 4),
            None => return Some(at),
        }
    }
}

/// Where the statement that begins here ends, and where its block opens.
fn statement(sheet: &str, start: usize) -> (usize, Option<usize>) {
    let (mut depth, mut open) = (0_usize, None);
    let mut at = start;
    while let Some(&byte) = sheet.as_bytes().get(at) {
        match byte {
            b'"' | b'\'' | b'/' => {
                at = after_quoted(sheet, at);
                continue;
            }
            b'\\' => at += 1,
            b';' if depth == 0 => return (at + 1, None),
            b'{' => {
                open = open.or(Some(at));
                depth += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (at + 1, open);
                }
            }
            _ => {}
        }
        at += 1;
    }
    (sheet.len(), None)
}

/// The offset after a string or comment that begins here, or after this one character.
fn after_quoted(sheet: &str, start: usize) -> usize {
    let bytes = sheet.as_bytes();
    if bytes[start] == b'/' {
        let comment = sheet[start..].strip_prefix("/*");
        return comment.map_or(start + 1, |comment| comment.find("*/").map_or(sheet.len(), |end| start + end + 4));
    }
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            // A string ends with its line, whether it is closed or not.
            b'\n' => return at,
            byte if byte == bytes[start] => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn rule_of(sheet: &str, start: usize, open: usize, end: usize) -> Option<Rule> {
    let inner = &sheet[open + 1..end - 1];
    if inner.contains(['{', '}']) {
        return None;
    }
    let prelude = without_comments(&sheet[start..open]);
    let selectors = parts(&prelude, b',').into_iter().map(|text| {
        let text = text.trim().to_owned();
        Listed { selector: selector(&text), text }
    });
    Some(Rule { selectors: selectors.collect(), declarations: declarations(inner)?, block: open..end })
}

fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        let end = match byte {
            b'"' | b'\'' | b'/' => after_quoted(text, at).min(text.len()),
            _ => at + text[at..].chars().next().map_or(1, char::len_utf8),
        };
        if !text[at..].starts_with("/*") {
            plain.push_str(text.get(at..end).unwrap_or_default());
        }
        at = end;
    }
    plain
}

/// What stands between separators that are in no string and in no brackets.
fn parts(text: &str, separator: u8) -> Vec<&str> {
    let (mut found, mut from, mut at, mut depth) = (Vec::new(), 0, 0, 0_usize);
    while let Some(&byte) = text.as_bytes().get(at) {
        match byte {
            b'"' | b'\'' => {
                at = after_quoted(text, at);
                continue;
            }
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            byte if byte == separator && depth == 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found.push(&text[from..]);
    found
}

/// The declarations of a block; none if they are not understood.
fn declarations(block: &str) -> Option<Vec<Declaration>> {
    let block = without_comments(block);
    let mut declarations = Vec::new();
    for part in parts(&block, b';').into_iter().map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*".contains(&b));
        if !is_name || value.is_empty() {
            return None;
        }
        let name = if name.starts_with("--") { name.to_owned() } else { name.to_ascii_lowercase() };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        declarations.push(Declaration { name, value });
    }
    Some(declarations)
}

/// A selector that a tag and those around it can answer.
fn selector(text: &str) -> Option<Selector> {
    let mut compounds: Vec<Compound> = Vec::new();
    let mut rest = text.trim();
    let mut is_child = false;
    while !rest.is_empty() {
        let (mut compound, after) = compound(rest)?;
        compound.is_child = is_child;
        compounds.push(compound);
        let next = after.trim_start();
        is_child = next.starts_with('>');
        let next_compound = next.strip_prefix('>').unwrap_or(next).trim_start();
        if next_compound.is_empty() != next.is_empty() || next_compound.len() == after.len() && !after.is_empty() {
            return None;
        }
        rest = next_compound;
    }
    if compounds.is_empty() || compounds.len() > COMPOUNDS {
        return None;
    }
    let count = |of: fn(&Compound) -> usize| compounds.iter().map(of).sum();
    let specificity = (
        count(|it| it.ids.len()),
        count(|it| it.classes.len() + it.attributes.len()),
        count(|it| usize::from(it.name.is_some())),
    );
    Some(Selector { compounds, specificity })
}

/// The compound that a text begins with, and what is behind it.
fn compound(text: &str) -> Option<(Compound, &str)> {
    let mut compound = Compound::default();
    let (name, mut rest) = name_of(text);
    if !name.is_empty() {
        compound.name = Some(name.to_ascii_lowercase());
    } else if let Some(any) = text.strip_prefix('*') {
        rest = any;
    }
    while let Some(kind) = rest.chars().next().filter(|c| "#.[".contains(*c)) {
        if kind == '[' {
            let (inner, after) = rest[1..].split_once(']')?;
            let (name, value) = match inner.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (inner.trim(), None),
            };
            if name_of(name) != (name, "") || name.is_empty() {
                return None;
            }
            let plain = |value: &str| value.trim_matches(['"', '\'']).to_owned();
            compound.attributes.push((name.to_ascii_lowercase(), value.map(plain)));
            rest = after;
        } else {
            let (name, after) = name_of(&rest[1..]);
            if name.is_empty() {
                return None;
            }
            let names = if kind == '#' { &mut compound.ids } else { &mut compound.classes };
            names.push(name.to_owned());
            rest = after;
        }
    }
    let ends = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '>');
    (ends && rest.len() < text.len()).then_some((compound, rest))
}

fn name_of(text: &str) -> (&str, &str) {
    let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || !c.is_ascii();
    text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()))
}
