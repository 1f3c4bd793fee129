//! Plain text from HTML.
//!
//! The text is derived once, from the template: tags go, mustaches stay, and what is left
//! is a template of its own. So a message costs no HTML parsing, and no value is
//! ever taken for markup.

use std::borrow::Cow;

use crate::syntax;

/// The template of the text for a template of HTML.
pub(crate) fn text_template(html: &str) -> String {
    converted(html, true)
}

/// The text of HTML in which `{{` means nothing.
pub(crate) fn text_of(html: &str) -> String {
    tidied(&converted(html, false))
}

/// Text without blanks at the ends of lines and with at most one empty line in a row:
/// what is left when blocks of the template print nothing.
pub(crate) fn tidied(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 && !tidy.is_empty() {
            tidy.push('\n');
        }
        empty = 0;
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy
}

fn converted(html: &str, mustaches: bool) -> String {
    let mut writer = Writer::default();
    let mut at = 0;
    let mut mustache = if mustaches { syntax::next_mustache(html, 0) } else { None };
    while at < html.len() {
        if mustache.is_some_and(|start| start < at) {
            mustache = syntax::next_mustache(html, at);
        }
        let rest = &html[at..];
        if mustache == Some(at) {
            let end = syntax::mustache_end(html, at).unwrap_or(html.len());
            writer.mustache(&html[at..end]);
            at = end;
        } else if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(html.len(), |end| at + end + 3);
        } else if rest.starts_with('<') && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c))
        {
            let end = tag_end(html, at, mustaches);
            let inner = &html[at + 1..end];
            let tag = Tag(inner.strip_suffix('>').unwrap_or(inner));
            at = if tag.is_unseen() { after_closing(html, end, tag.name()) } else { end };
            writer.tag(&tag);
        } else if let Some((text, length)) = entity(rest) {
            writer.push(text.encode_utf8(&mut [0; 4]));
            at += length;
        } else if rest.starts_with(|c: char| c.is_whitespace() && c != '\u{a0}') {
            writer.blank = true;
            at += rest.chars().next().map_or(1, char::len_utf8);
        } else {
            // Always at least one character; up to what may mean something else.
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let stop = rest[first..].find(|c: char| matches!(c, '<' | '&') || c.is_whitespace());
            let stop = stop.map_or(html.len(), |stop| at + first + stop);
            let stop = mustache.filter(|&start| start > at).map_or(stop, |start| stop.min(start));
            writer.push(&html[at..stop]);
            at = stop;
        }
    }
    writer.text
}

/// What is inside `<…>`.
struct Tag<'a>(&'a str);

impl<'a> Tag<'a> {
    /// The name, with the slash of a closing tag.
    fn name(&self) -> &'a str {
        let end = self.0.char_indices().find(|&(at, c)| at > 0 && !c.is_ascii_alphanumeric());
        &self.0[..end.map_or(self.0.len(), |(at, _)| at)]
    }

    fn is_unseen(&self) -> bool {
        // A preheader is hidden, for inboxes alone.
        let is_hidden = || {
            let style = self.attribute("style").unwrap_or_default();
            self.name().eq_ignore_ascii_case("div") && style.replace(' ', "").starts_with("display:none")
        };
        ["head", "style", "script", "title"].iter().any(|name| self.name().eq_ignore_ascii_case(name)) || is_hidden()
    }

    fn attribute(&self, wanted: &str) -> Option<Cow<'a, str>> {
        let mut rest = &self.0[self.name().len()..];
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let name = &rest[..end];
            rest = rest[end..].trim_start();
            let Some(value) = rest.strip_prefix('=').map(str::trim_start) else {
                // Whatever stands here, the loop has to get past it.
                rest = if name.is_empty() { &rest[1.min(rest.len())..] } else { rest };
                continue;
            };
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let body = if quote.is_some() { &value[1..] } else { value };
            let length = value_length(body, quote);
            rest = body[length..].strip_prefix(['"', '\'']).unwrap_or(&body[length..]);
            if name.eq_ignore_ascii_case(wanted) {
                return Some(decoded(body[..length].trim()));
            }
        }
    }
}

/// The length of an attribute's value, which may hold mustaches with quotes of their own.
fn value_length(body: &str, quote: Option<char>) -> usize {
    let mut at = 0;
    while let Some(c) = body[at..].chars().next() {
        if body[at..].starts_with("{{")
            && let Ok(end) = syntax::mustache_end(body, at)
        {
            at = end;
        } else if quote.map_or(c.is_whitespace(), |quote| c == quote) {
            return at;
        } else {
            at += c.len_utf8();
        }
    }
    body.len()
}

/// The offset after the tag that begins at `start`.
fn tag_end(html: &str, start: usize, mustaches: bool) -> usize {
    let bytes = html.as_bytes();
    let mut quote = None;
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        if mustaches
            && html[at..].starts_with("{{")
            && let Ok(end) = syntax::mustache_end(html, at)
        {
            at = end;
            continue;
        }
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        // Never into the middle of a character.
        at += html[at..].chars().next().map_or(1, char::len_utf8);
    }
    html.len()
}

/// The offset after `</name>`, or the end.
fn after_closing(html: &str, from: usize, name: &str) -> usize {
    let closes = |at: usize| html[at + 2..].get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    let found = html[from..].match_indices("</").map(|(at, _)| from + at).find(|&at| closes(at));
    found.and_then(|at| html[at..].find('>').map(|end| at + end + 1)).unwrap_or(html.len())
}

/// The text so far, and what comes before its next word.
#[derive(Default)]
struct Writer {
    text: String,
    /// Line breaks that are due.
    breaks: usize,
    /// Whether a blank is due.
    blank: bool,
    /// Whether the next cell is the first of its row.
    row_starts: bool,
    /// Whether the line so far is tags of blocks and nothing else.
    only_blocks: bool,
    /// Where the text of each open link begins, and where the link goes.
    links: Vec<(usize, String)>,
}

impl Writer {
    fn mustache(&mut self, text: &str) {
        let inner = text.trim_start_matches(|c: char| matches!(c, '{' | '~') || c.is_ascii_whitespace());
        let is_block = inner.starts_with(['#', '/', '^']) || inner.starts_with("else");
        if is_block && self.only_blocks {
            // Tags of blocks that stand alone on a line leave none behind.
            self.breaks = self.breaks.max(1);
        }
        let starts_line = self.breaks > 0 || self.only_blocks || self.text.is_empty();
        self.push(text);
        self.only_blocks = is_block && starts_line;
    }

    fn push(&mut self, text: &str) {
        self.settle();
        self.only_blocks = false;
        // A removed tag must not make a mustache, or an escaped one, of its neighbours.
        if self.text.ends_with(['{', '\\']) && text.starts_with('{') {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    fn settle(&mut self) {
        if self.breaks > 0 {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.extend(std::iter::repeat_n('\n', self.breaks));
        } else if self.blank && !self.text.is_empty() && !self.text.ends_with(['\n', ' ']) {
            self.text.push(' ');
        }
        (self.breaks, self.blank) = (0, false);
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        match tag.name().to_ascii_lowercase().as_str() {
            "br" => self.breaks = (self.breaks + 1).min(2),
            "hr" => {
                self.breaks = 1;
                self.push("---");
                self.breaks = 1;
            }
            "p" | "/p" | "h1" | "/h1" | "h2" | "/h2" | "h3" | "/h3" | "h4" | "/h4" | "ul" | "/ul" | "ol" | "/ol"
            | "table" | "/table" | "blockquote" | "/blockquote" => self.breaks = 2,
            "tr" => {
                self.breaks = self.breaks.max(1);
                self.row_starts = true;
            }
            "div" | "/div" | "/tr" | "/li" | "section" | "/section" | "header" | "/header" | "footer" | "/footer"
            | "center" | "/center" | "body" => self.breaks = self.breaks.max(1),
            "li" => {
                self.breaks = self.breaks.max(1);
                self.push("- ");
            }
            "td" | "th" if !std::mem::take(&mut self.row_starts) && self.breaks == 0 => {
                self.blank = false;
                if !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.text.push_str("  ");
                }
            }
            "img" => {
                if let Some(described) = tag.attribute("alt").filter(|it| !it.is_empty()) {
                    self.push(&described);
                }
            }
            "a" => {
                if let Some(target) = tag.attribute("href") {
                    self.settle();
                    self.links.push((self.text.len(), target.into_owned()));
                }
            }
            "/a" => self.close_link(),
            _ => {}
        }
    }

    fn close_link(&mut self) {
        let Some((start, target)) = self.links.pop() else { return };
        let named = self.text.get(start..).unwrap_or_default().trim().to_owned();
        let bare = target.strip_prefix("mailto:").unwrap_or(&target);
        if bare.is_empty() || bare.starts_with('#') || named == bare {
        } else if named.is_empty() {
            self.push(bare);
        } else {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push_str(&format!(" ({bare})"));
        }
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (c, length) = entity(rest).unwrap_or((first, first.len_utf8()));
        decoded.push(c);
        rest = &rest[length..];
    }
    Cow::Owned(decoded)
}

/// The character of the entity that `text` begins with, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    const NAMED: &[(&str, char)] = &[
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", '\u{a0}'),
        ("copy", '©'),
        ("reg", '®'),
        ("trade", '™'),
        ("hellip", '…'),
        ("mdash", '—'),
        ("ndash", '–'),
        ("rsquo", '’'),
        ("lsquo", '‘'),
        ("rdquo", '”'),
        ("ldquo", '“'),
        ("middot", '·'),
        ("bull", '•'),
        ("times", '×'),
        ("euro", '€'),
        ("pound", '£'),
        ("laquo", '«'),
        ("raquo", '»'),
        ("deg", '°'),
        ("rarr", '→'),
        ("larr", '←'),
        ("eacute", 'é'),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("minus", '−'),
        ("zwnj", '\u{200c}'),
        ("shy", '\u{ad}'),
    ];
    let body = text.strip_prefix('&')?;
    let end = body.char_indices().take(10).find(|&(_, c)| c == ';')?.0;
    let name = &body[..end];
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    // These would mean something in the template of the text.
    (!matches!(c, '{' | '}' | '\\')).then_some((c, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(tidied(&text_template(html)).trim_end(), expected, "{html}");
    }

    #[test]
    fn tags_become_lines_and_spaces() {
        check("<html><head><title>T</title><style>p{}</style></head><body><p>A  b\n c</p><p>D</p>", "A b c\n\nD");
        check("a<br>b<br/>c<hr>d", "a\nb\nc\n---\nd");
        check("<ul><li>one<li>two</li></ul>", "- one\n- two");
        check(
            "<table><tr><td>Shirt</td>\n <td align=right>2</td></tr><tr><td>Sum</td><td>9</td></tr></table>",
            "Shirt  2\nSum  9",
        );
        check(
            "<b>bo</b>ld <!-- <p>no</p> --> 1 < 2 &amp; 3&nbsp;&euro; &unknown; &#x2713;",
            "bold 1 < 2 & 3\u{a0}€ &unknown; ✓",
        );
        check("<img src=x alt=\"A shoe\"> <img src=y>", "A shoe");
    }

    #[test]
    fn links_are_kept() {
        check("<a href=\"https://a.example/?x=1&amp;y=2\">Shop</a>!", "Shop (https://a.example/?x=1&y=2)!");
        check("<a class=b href='https://a.example'>https://a.example</a>", "https://a.example");
        check("<a href=mailto:a@example.com>a@example.com</a> <a href=#top>Top</a>", "a@example.com Top");
        check("<a href=\"{{url links.shop a=\"b\"}}\">Go {{name}}</a>", "Go {{name}} ({{url links.shop a=\"b\"}})");
    }

    #[test]
    fn mustaches_stay_what_they_are() {
        check("<p>{{#if (gt a 1)}}<b>{{b}}</b>{{/if}}</p>", "{{#if (gt a 1)}}{{b}}{{/if}}");
        check("<td title=\"{{#if a}}>{{/if}}\">x", "x");
        check("{<b>{x}}</b>", "{ {x}}");
        check("\\<b>{{x}}</b>", "\\ {{x}}");
        check("\\{{x}} &#123;&#123;x}}", "\\{{x}} &#123;&#123;x}}");
        assert_eq!(text_of("<p>{{x}</p>"), "{{x}\n");
    }
}
