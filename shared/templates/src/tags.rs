//! The tags of HTML with mustaches in it.

use std::ops::Range;

use crate::syntax;

/// A tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag<'t> {
    pub(crate) name: &'t str,
    pub(crate) range: Range<usize>,
    pub(crate) closes: bool,
    /// Whether it closes itself: `<br/>`.
    pub(crate) is_empty: bool,
    /// Whether a mustache stands between its attributes, and not in a value.
    pub(crate) is_decided: bool,
    attributes: Vec<Attribute<'t>>,
}

/// An attribute of a tag.
#[derive(Clone, Debug)]
pub(crate) struct Attribute<'t> {
    name: &'t str,
    /// Where its value is, without quotes.
    pub(crate) value: Range<usize>,
    pub(crate) quote: Option<char>,
}

impl<'t> Tag<'t> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The attribute of this name.
    pub(crate) fn attribute(&self, name: &str) -> Option<Attribute<'t>> {
        self.attributes.iter().find(|it| it.name.eq_ignore_ascii_case(name)).cloned()
    }

    /// The tag that begins here.
    fn read(text: &'t str, start: usize) -> Self {
        let closes = text[start + 1..].starts_with('/');
        let name_at = start + 1 + usize::from(closes);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-:_".contains(c);
        let end = text[name_at..].find(|c| !is_name(c)).map_or(text.len(), |end| name_at + end);
        let mut tag = Self {
            name: &text[name_at..end],
            range: start..text.len(),
            closes,
            is_empty: false,
            is_decided: false,
            attributes: Vec::new(),
        };
        let mut at = end;
        while let Some(c) = text[at..].chars().next() {
            if let Some(end) = mustache(text, at) {
                tag.is_decided = true;
                at = end;
            } else if c == '>' {
                tag.range.end = at + 1;
                tag.is_empty = text[..at].ends_with('/');
                break;
            } else if c.is_whitespace() || c == '/' {
                at += c.len_utf8();
            } else {
                at = tag.read_attribute(text, at);
            }
        }
        tag
    }

    /// Reads the attribute that begins here; where it ends.
    fn read_attribute(&mut self, text: &'t str, start: usize) -> usize {
        let ends = |c: char| c.is_whitespace() || "=>/{".contains(c);
        let first = text[start..].chars().next().map_or(1, char::len_utf8);
        let end = text[start + first..].find(ends).map_or(text.len(), |end| start + first + end);
        let after = end + text[end..].len() - text[end..].trim_start().len();
        let Some(value) = text[after..].strip_prefix('=') else {
            self.attributes.push(Attribute { name: &text[start..end], value: end..end, quote: None });
            return end;
        };
        let value_at = after + 1 + value.len() - value.trim_start().len();
        let quote = text[value_at..].chars().next().filter(|c| matches!(c, '"' | '\''));
        let from = value_at + usize::from(quote.is_some());
        let mut at = from;
        while let Some(c) = text[at..].chars().next() {
            if let Some(end) = mustache(text, at) {
                at = end;
            } else if quote.map_or(c.is_whitespace() || c == '>', |quote| c == quote) {
                break;
            } else {
                at += c.len_utf8();
            }
        }
        self.attributes.push(Attribute { name: &text[start..end], value: from..at, quote });
        text.len().min(at + usize::from(quote.is_some()))
    }
}

/// What is around a tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    /// Whether it is in a comment that only Outlook reads.
    pub(crate) in_comment: bool,
}

/// The tags of a text, in order. What is in comments or is no HTML (a script) has none, but
/// for comments that Outlook reads.
pub(crate) fn of(text: &str) -> impl Iterator<Item = (Tag<'_>, Around)> {
    let mut at = 0;
    let mut in_comment = false;
    std::iter::from_fn(move || {
        while at < text.len() {
            let next = text[at..].find(['<', '{', '\\']).map(|next| at + next)?;
            let rest = &text[next..];
            if rest.starts_with("\\{{") && !text[..next].ends_with('\\') {
                at = next + 3;
            } else if let Some(end) = mustache(text, next) {
                at = end;
            } else if rest.starts_with("<!--[if") && !rest.starts_with("<!--[if !mso]><!-->") {
                in_comment = true;
                at = next + rest.find('>').map_or(rest.len(), |end| end + 1);
            } else if rest.starts_with("<![endif]") {
                in_comment = false;
                at = next + rest.find('>').map_or(rest.len(), |end| end + 1);
            } else if rest.starts_with("<!--") {
                at = next + rest.find("-->").map_or(rest.len(), |end| end + 3);
            } else if is_tag(rest) {
                let tag = Tag::read(text, next);
                at = tag.range.end;
                let is_raw = ["style", "script", "title", "textarea"].into_iter().find(|name| tag.is(name));
                if let Some(name) = is_raw.filter(|_| !tag.closes) {
                    at = raw_end(text, at, name);
                }
                return Some((tag, Around { in_comment }));
            } else {
                at = next + 1;
            }
        }
        None
    })
}

fn is_tag(rest: &str) -> bool {
    let name = rest.strip_prefix("</").or_else(|| rest.strip_prefix('<'));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// The end of the mustache that begins here, if one does.
fn mustache(text: &str, at: usize) -> Option<usize> {
    (text[at..].starts_with("{{")).then(|| syntax::mustache_end(text, at).ok())?
}

/// Where the closing tag of this name begins, or the end.
pub(crate) fn raw_end(text: &str, from: usize, name: &str) -> usize {
    let closes = |at: usize| text.get(at + 2..at + 2 + name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    let found = text[from..].match_indices("</").map(|(at, _)| from + at).find(|&at| closes(at));
    found.unwrap_or(text.len())
}

/// Where a tag that begins here ends.
pub(crate) fn end(text: &str, start: usize) -> usize {
    text[start..].find('>').map_or(text.len(), |end| start + end + 1)
}

/// Where the mustaches of a text are.
pub(crate) fn mustaches(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = syntax::next_mustache(text, at) {
        let Ok(end) = syntax::mustache_end(text, start) else { break };
        found.push(start..end);
        at = end;
    }
    found
}

/// What a mustache does to what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Opens,
    Else,
    Closes,
}

/// What a mustache does, if it opens a block, closes one or stands between its cases.
pub(crate) fn turns(mustache: &str) -> Option<Turn> {
    let inner = inner(mustache);
    match inner.bytes().next()? {
        b'#' => Some(Turn::Opens),
        b'/' => Some(Turn::Closes),
        b'^' => Some(Turn::Else),
        _ => {
            let rest = inner.strip_prefix("else")?;
            let ends = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || "~}".contains(c));
            ends.then_some(Turn::Else)
        }
    }
}

/// Whether a mustache inserts what it is given as it is.
pub(crate) fn inserts_html(mustache: &str) -> bool {
    let inner = mustache[2..].trim_start_matches(|c: char| c == '~' || c.is_whitespace());
    inner.starts_with(['{', '&'])
}

fn inner(mustache: &str) -> &str {
    mustache.trim_start_matches('{').trim_start_matches(|c: char| c == '~' || c.is_whitespace())
}

/// The words of a value that stand there whatever its mustaches give.
pub(crate) fn words(value: &str) -> impl Iterator<Item = &str> {
    let mut words = Vec::new();
    let (mut at, mut from, mut is_plain, mut depth) = (0, 0, true, 0_usize);
    while at <= value.len() {
        let c = value[at..].chars().next();
        if let Some(end) = mustache(value, at) {
            match turns(&value[at..end]) {
                Some(Turn::Opens) => depth += 1,
                Some(Turn::Closes) => depth = depth.saturating_sub(1),
                _ => {}
            }
            is_plain = false;
            at = end;
            continue;
        }
        if c.is_none_or(char::is_whitespace) {
            if is_plain && depth == 0 && from < at {
                words.push(&value[from..at]);
            }
            from = at + c.map_or(1, char::len_utf8);
            is_plain = true;
        }
        at += c.map_or(1, char::len_utf8);
    }
    words.into_iter()
}

/// Whether an element has no content.
pub(crate) fn is_void(name: &str) -> bool {
    const VOID: [&str; 14] =
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
    VOID.iter().any(|void| name.eq_ignore_ascii_case(void))
}

/// Whether an element has nothing to be seen.
pub(crate) fn is_unseen(name: &str) -> bool {
    ["head", "meta", "title", "style", "script", "link", "base"].iter().any(|unseen| name.eq_ignore_ascii_case(unseen))
}

/// Whether an element that is open ends where one of this name begins.
pub(crate) fn ends_by(open: &str, begins: &str) -> bool {
    let is = |name: &str, of: &[&str]| of.iter().any(|other| name.eq_ignore_ascii_case(other));
    is(open, &["p"]) && is(begins, &["p", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "hr"])
        || is(open, &["li"]) && is(begins, &["li"])
        || is(open, &["td", "th"]) && is(begins, &["td", "th"])
        || is(open, &["tr"]) && is(begins, &["tr"])
}
