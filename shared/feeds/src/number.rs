use domain::{Amount, Currency};

/// A price as files have it: `12.50`, `12,50`, `1 234,50`, `12.50 EUR`.
pub(crate) fn price(text: &str) -> Result<(String, Option<String>), &'static str> {
    let text = text.trim();
    let letters = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let (number, code) = match (text.get(..3), text.len().checked_sub(3).and_then(|place| text.get(place..))) {
        (_, Some(code)) if letters(code) => (&text[..text.len() - 3], Some(code)),
        (Some(code), _) if letters(code) => (&text[3..], Some(code)),
        _ => (text, None),
    };
    Ok((amount(number)?, code.map(currency).transpose()?))
}

/// A decimal as files have it, with a point in it if anything.
pub(crate) fn amount(text: &str) -> Result<String, &'static str> {
    const WANT: &str = "must be a decimal number, such as \"12.50\"";
    let digits: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '\'').collect();
    let plain = match (digits.find(','), digits.rfind('.')) {
        (None, _) => digits,
        (Some(comma), Some(point)) if comma < point => digits.replace(',', ""),
        (Some(_), Some(_)) => digits.replace('.', "").replace(',', "."),
        // 1,234 is one and a bit in one country and a thousand in another.
        (Some(comma), None) if digits.len() - comma == 4 && !digits.starts_with("0,") => {
            return Err("can be read in two ways; write it with a point, such as \"1234.00\"");
        }
        (Some(_), None) => digits.replace(',', "."),
    };
    // What a decimal reader takes beside digits is not what a shop means.
    if !plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) {
        return Err(WANT);
    }
    Amount::parse(&plain).map(|_| plain)
}

/// A currency's code; that of the old rouble, which feeds still have, as the new one's.
pub(crate) fn currency(text: &str) -> Result<String, &'static str> {
    let code = text.trim().to_ascii_uppercase();
    let code = if code == "RUR" { "RUB".to_owned() } else { code };
    Currency::parse(&code).map(|currency| currency.as_str().to_owned())
}

/// Whether something can be had.
pub(crate) fn availability(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_lowercase().replace([' ', '-'], "_").as_str() {
        "in_stock" | "instock" | "available" | "true" | "yes" | "1" => Ok(true),
        "out_of_stock" | "outofstock" | "unavailable" | "false" | "no" | "0" | "preorder" | "pre_order"
        | "backorder" | "back_order" | "discontinued" => Ok(false),
        _ => Err("must be \"in_stock\" or \"out_of_stock\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_countries_write_them_or_refused() {
        for (text, want, code) in [
            ("12.50", "12.50", None),
            ("12,50", "12.50", None),
            ("1 234,5", "1234.5", None),
            ("1\u{A0}234.50 EUR", "1234.50", Some("EUR")),
            ("usd 1,234.50", "1234.50", Some("USD")),
            ("1.234,50", "1234.50", None),
            ("0,125", "0.125", None),
            ("990RUR", "990", Some("RUB")),
        ] {
            assert_eq!(price(text), Ok((want.to_owned(), code.map(str::to_owned))), "{text}");
        }
        for text in ["", "free", "1,234", "12.5.0", "1e5", "€5", "--1", "1,2,3", "éé1", "EUR"] {
            assert!(price(text).is_err(), "{text}");
        }
    }
}
