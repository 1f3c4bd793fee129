//! Names, which WooCommerce sends as they stand in its pages: with HTML's entities.

use serde_json::Value;

use crate::payload;

/// A name as people read it.
pub(super) fn name(from: &Value, key: &str) -> Option<String> {
    payload::text(from, key).map(|text| decoded(&text))
}

/// The names of the entries of a list, if there are any.
pub(super) fn names(from: &Value, key: &str) -> Option<Vec<String>> {
    let names = payload::texts(from, key, "name")?;
    Some(names.iter().map(|name| decoded(name)).collect())
}

fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        // The longest entity that is decoded has eight characters between `&` and `;`.
        let end = rest.bytes().take(10).position(|byte| byte == b';');
        let entity = end.and_then(|end| Some((end, entity(rest.get(1..end)?)?)));
        match entity {
            Some((end, character)) => {
                decoded.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|character| !character.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "times" => '×',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "euro" => '€',
        "trade" => '™',
        "reg" => '®',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_and_what_is_none_stays() {
        assert_eq!(decoded("Tom &amp; Ann&#8217;s &ndash; 2 &times; M&#xfc;sli"), "Tom & Ann’s – 2 × Müsli");
        for plain in ["", "&", "a & b", "&amp", "&;", "&#;", "&#x110000;", "&#0;", "&nothing;", "&ü;", "é&ééééé;"]
        {
            assert_eq!(decoded(plain), plain);
        }
    }
}
