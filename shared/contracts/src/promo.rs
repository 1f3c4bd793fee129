//! Promo codes over the API, and how those of a pattern are made.

use domain::read::{self, Faults, Reader};
use domain::{Fault, MessageId, PromoCode, PromoGroup, PromoGroupId, PromoPattern};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// The most codes of one upload: what can be written down while the caller waits.
pub const MOST_CODES: usize = 2_000;

/// Reads the body of `PUT /v1/promo-code-groups/{id}`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(body: &Value) -> Result<PromoGroup, Faults> {
    let mut reader = Reader::new(body);
    let name = reader.required("name", read::short);
    let pattern = reader.optional("pattern", read::parsed(PromoPattern::parse));
    reader.finish()?;
    Ok(PromoGroup { name: name.unwrap_or_default(), pattern })
}

/// A group as the API shows it.
#[must_use]
pub fn show(group: &PromoGroup) -> Value {
    let mut shown = Map::from_iter([("name".to_owned(), json!(group.name))]);
    read::put(&mut shown, "pattern", group.pattern.as_ref());
    Value::Object(shown)
}

/// Reads the JSON body of `POST /v1/promo-code-groups/{id}/codes`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_codes(body: &Value) -> Result<Vec<PromoCode>, Faults> {
    let mut reader = Reader::new(body);
    let items = reader.required("codes", |value| {
        let items = value.as_array().filter(|items| items.len() <= MOST_CODES);
        items.ok_or_else(|| format!("must be a list of at most {MOST_CODES} codes"))
    });
    let place = reader.place("codes");
    let mut codes = Vec::new();
    for (index, item) in items.into_iter().flatten().enumerate() {
        match read::parsed(PromoCode::parse)(item) {
            Ok(code) => codes.push(code),
            Err(detail) => reader.faults([Fault::new(format!("{place}/{index}"), detail)]),
        }
    }
    reader.finish()?;
    Ok(codes)
}

/// The number of the code that a message is to have of a group, at this attempt: always the same,
/// and known to nobody who has not the secret.
#[must_use]
pub fn number(secret: &str, group: &PromoGroupId, message_id: &MessageId, attempt: u32) -> u128 {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    // Neither id has a colon.
    mac.update(format!("promo-code:{group}:{message_id}:{attempt}").as_bytes());
    mac.finalize().into_bytes().iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of all that is wrong.
    fn places<T>(read: Result<T, Faults>) -> Vec<String> {
        read.err().unwrap_or_default().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_group_is_read_or_every_fault_is_named() {
        let check = |body: Value, want: &[&str]| assert_eq!(places(read(&body)), want, "{body}");
        check(json!({ "name": "Summer", "pattern": "SUMMER-????-####" }), &[]);
        check(json!({ "name": "Partner's", "pattern": null }), &[]);
        check(json!({ "pattern": "SUMMER-##", "patern": "" }), &["/name", "/pattern", "/patern"]);
        check(json!(["SUMMER"]), &[""]);
        let summer = json!({ "name": "Summer", "pattern": "SUMMER-????-####" });
        assert_eq!(show(&read(&summer).unwrap()), summer);
    }

    #[test]
    fn codes_are_read_or_each_that_is_none_is_named() {
        let check = |body: Value, want: &[&str]| assert_eq!(places(read_codes(&body)), want, "{body}");
        check(json!({ "codes": ["A-1", "10 % off", "A-1"] }), &[]);
        check(
            json!({ "codes": ["A-1", "", " B", 7, "x".repeat(201)] }),
            &["/codes/1", "/codes/2", "/codes/3", "/codes/4"],
        );
        check(json!({ "codes": vec!["A"; MOST_CODES + 1] }), &["/codes"]);
        check(json!({ "codes": "A", "more": 1 }), &["/codes", "/more"]);
        check(json!({}), &["/codes"]);
        check(json!(["A"]), &[""]);
    }

    #[test]
    fn a_messages_number_differs_by_secret_group_message_and_attempt() {
        let number = |secret: &str, group: &str, message: &str, attempt| {
            number(secret, &PromoGroupId::parse(group).unwrap(), &MessageId::parse(message).unwrap(), attempt)
        };
        let one = number("secret", "summer", "m-1", 0);
        assert_eq!(number("secret", "summer", "m-1", 0), one);
        let others = [
            number("other", "summer", "m-1", 0),
            number("secret", "winter", "m-1", 0),
            number("secret", "summer", "m-2", 0),
            number("secret", "summer", "m-1", 1),
        ];
        assert!(others.iter().all(|other| *other != one));
        assert!(one > u128::from(u64::MAX), "all of its bits are made of the hash");
    }
}
