//! What API Gateway makes of a path before anybody sees it.
//!
//! An HTTP API decodes a path twice, as can be seen from outside: it looks for the route in what is
//! decoded once, so `%2F` parts segments and `%3F` ends the path, and hands on what is decoded
//! again. A value with one of `/ ? %` in it has to be encoded twice to come through.

/// A path in both its states.
#[derive(Debug, PartialEq)]
pub(super) struct Paths {
    /// Where the route is looked for.
    pub(super) once: String,
    /// What the function sees.
    pub(super) twice: String,
}

impl Paths {
    /// `None` for a path that does not decode, which is a bad request.
    pub(super) fn of(sent: &str) -> Option<Self> {
        let mut once = strictly(sent)?;
        if let Some(end) = once.find('?') {
            once.truncate(end);
        }
        let twice = strictly(&once)?;
        Some(Self { once, twice })
    }
}

/// Percent-encoding undone; `None` if a percent sign stands for nothing.
fn strictly(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_code = |at: usize| bytes.get(at + 1..at + 3).is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit));
    let signs = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    signs.map(|(at, _)| at).all(is_code).then(|| decode(text))
}

/// Percent-encoding undone; what is not encoded properly stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_twice_as_on_aws() {
        let check = |sent: &str, seen: Option<&str>| {
            assert_eq!(Paths::of(sent).map(|paths| paths.twice).as_deref(), seen, "{sent}");
        };
        check("/c/plain", Some("/c/plain"));
        check("/c/space%20value", Some("/c/space value"));
        check("/c/question%3Fvalue", Some("/c/question"));
        check("/c/percent%25done", None);
        check("/c/hash%23value", Some("/c/hash#value"));
        check("/c/slash%2Fvalue", Some("/c/slash/value"));
        check("/c/unicode-%CE%BB", Some("/c/unicode-λ"));
        check("/c/literal%252Fvalue", Some("/c/literal/value"));
        check("/c/literal%253Fvalue", Some("/c/literal?value"));
        check("/c/literal%2525value", Some("/c/literal%value"));
        check("/c/%zz", None);
    }
}
