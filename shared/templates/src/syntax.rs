//! Where the mustaches of a source are, and what is refused before it is parsed.
//!
//! The parser recurses, so a source that nests deep enough would overflow the stack
//! and take the process along. What can recurse is therefore counted here first, with a
//! lexer that knows strings, comments and escapes as the parser does.

/// How deep blocks may nest; every `else if` counts as one level, as it does in the parsed tree.
const BLOCK_DEPTH: usize = 64;

/// How deep `(…)` may nest in one mustache.
const CALL_DEPTH: usize = 16;

/// Something refused, at a byte offset of the source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) offset: usize,
    pub(crate) message: &'static str,
    /// Whether the parser must not see this source.
    pub(crate) fatal: bool,
}

/// Everything about the source that is refused whatever its data; stops at the first fatal one.
pub(crate) fn refusals(source: &str) -> Vec<Refusal> {
    let mut found = Vec::new();
    // One entry for each open block: how many levels it and its else-chain take.
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(start) = next_mustache(source, at) {
        let mut refuse = |offset, message, fatal| found.push(Refusal { offset, message, fatal });
        at = match mustache_end(source, start) {
            Ok(end) => end,
            Err((offset, message)) => {
                refuse(offset, message, true);
                break;
            }
        };
        let inner = source[start + 2..at].trim_start_matches(|c: char| c == '~' || c.is_ascii_whitespace());
        let block = inner.strip_prefix('#').map(str::trim_start);
        if inner.starts_with('*') || block.is_some_and(|name| name.starts_with('*')) {
            refuse(start, "inline decorators are not supported", false);
        }
        if block.is_some() {
            open.push(1);
        } else if inner.starts_with('/') {
            open.pop();
        } else if inner.starts_with('^') || inner.starts_with("else") {
            open.last_mut().into_iter().for_each(|levels| *levels += 1);
        }
        if open.iter().sum::<usize>() > BLOCK_DEPTH {
            refuse(start, "blocks nest deeper than 64 levels", true);
            break;
        }
    }
    found
}

/// The offset of the next `{{` that is not escaped by exactly one backslash.
pub(crate) fn next_mustache(source: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let start = at + source[at..].find("{{")?;
        let slashes = source[from..start].bytes().rev().take_while(|&b| b == b'\\').count();
        if slashes != 1 {
            return Some(start);
        }
        at = start + if source[start..].starts_with("{{{{") { 4 } else { 2 };
    }
}

/// The offset after the mustache that begins at `start`, or what is wrong with it and where.
pub(crate) fn mustache_end(source: &str, start: usize) -> Result<usize, (usize, &'static str)> {
    const UNCLOSED: &str = "this is not closed: }} is missing";
    let rest = &source[start..];
    if rest.starts_with("{{{{") {
        return Err((start, "raw blocks are not supported"));
    }
    if let Some(comment) = rest.strip_prefix("{{!") {
        let long = comment.strip_prefix("--").and_then(|body| body.find("--}}")).map(|end| end + 6);
        let end = long.or_else(|| comment.find("}}").map(|end| end + 2));
        return end.map(|end| start + 3 + end).ok_or((start, UNCLOSED));
    }
    let bytes = source.as_bytes();
    let triple = rest.starts_with("{{{");
    let mut at = start + if triple { 3 } else { 2 };
    if !triple && rest[2..].trim_start_matches(['~', ' ']).starts_with('{') {
        at += rest[2..].find('{').map_or(0, |brace| brace + 1);
    }
    let mut calls = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => at = string_end(bytes, at).ok_or((at, "this string is not closed"))?,
            b'(' => {
                calls += 1;
                if calls > CALL_DEPTH {
                    return Err((at, "calls nest deeper than 16 levels"));
                }
            }
            b')' => calls = calls.saturating_sub(1),
            b'[' => {
                let length = source[at..].find(']').ok_or((at, "this [ is not closed"))?;
                if source[at + 1..at + length].contains(['"', '\'', '(', ')', '{', '}', '[']) {
                    return Err((at, "only the name of a field may stand in [ ]"));
                }
                at += length;
            }
            b'{' => return Err((at, "an object cannot be written here")),
            b'}' if bytes.get(at + 1) == Some(&b'}') => {
                let third = triple && bytes.get(at + 2) == Some(&b'}');
                return Ok(at + if third { 3 } else { 2 });
            }
            _ => {}
        }
        at += 1;
    }
    Err((start, UNCLOSED))
}

/// The offset of the quote that closes the string opened at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == bytes[start] => return Some(at),
            _ => at += 1,
        }
    }
}

/// The line and column, both from 1, of a byte offset.
pub(crate) fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let found: Vec<_> = refusals(source).iter().map(|refusal| refusal.message).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn what_the_parser_may_see() {
        check("{{a}} {{{b}}} {{~ c ~}} {{#if d}}x{{else if e}}y{{/if}}", &[]);
        check(r#"{{default a "}} (((((((((((((((((((("}}"#, &[]);
        check("{{!-- {{#if}} }} --}} {{! ( }}", &[]);
        check(r"\{{> not-a-mustache", &[]);
        check("{{customer.fields.[Loyalty card]}}", &[]);
    }

    #[test]
    fn what_it_may_not() {
        check("{{#*inline \"x\"}}{{/inline}}", &["inline decorators are not supported"]);
        check("{{{{raw}}}}x{{{{/raw}}}}", &["raw blocks are not supported"]);
        check("Hello {{name", &["this is not closed: }} is missing"]);
        check("{{default a \"b}}", &["this string is not closed"]);
        check(&"{{#if a}}".repeat(100_000), &["blocks nest deeper than 64 levels"]);
        let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(10_000));
        check(&chain, &["blocks nest deeper than 64 levels"]);
        check(&format!("{{{{a {}", "(b ".repeat(100_000)), &["calls nest deeper than 16 levels"]);
    }

    #[test]
    fn a_position_counts_characters_from_one() {
        assert_eq!(position("aä\nbö{{", "aä\nbö".len()), (2, 3));
        assert_eq!(position("", 0), (1, 1));
    }
}
