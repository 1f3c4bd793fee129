//! Who somebody is, over the API.

use domain::read::{self, Faults, Reader};
use domain::{CustomerId, Fault};
use serde_json::Value;

/// The most characters of the token of a link.
const LONGEST_LINK: usize = 500;

/// Who a visitor is said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// This customer.
    Customer(CustomerId),
    /// Whoever got the mail in which there was a link with this token, which is not
    /// checked yet.
    Reader(String),
}

/// Reads the body of `POST /v1/customers/{id}/merge`: who else the customer `into` is.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_merge(into: &CustomerId, body: &Value) -> Result<CustomerId, Faults> {
    let mut reader = Reader::new(body);
    let from = reader.required("from", read::parsed(CustomerId::parse));
    if from.as_ref() == Some(into) {
        reader.fault("from", "is the customer itself");
    }
    reader.finish()?;
    from.ok_or_else(|| vec![Fault::new("", "could not be read")])
}

/// Reads the body of `PUT /v1/visitors/{id}`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_visitor(body: &Value) -> Result<Known, Faults> {
    let mut reader = Reader::new(body);
    let customer_id = reader.optional("customer_id", read::parsed(CustomerId::parse));
    let link = reader.optional("link", |value| read::text(value, LONGEST_LINK));
    if body.is_object() && reader.raw("customer_id").is_some() == reader.raw("link").is_some() {
        reader.fault("customer_id", "is required, or \"link\" with the token of a link in one of our mails");
    }
    reader.finish()?;
    let known = customer_id.map(Known::Customer).or(link.map(Known::Reader));
    known.ok_or_else(|| vec![Fault::new("", "could not be read")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places<T>(read: Result<T, Faults>) -> Vec<String> {
        read.err().unwrap_or_default().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn whom_a_customer_is_merged_with_is_read_or_every_fault_is_named() {
        let ada = CustomerId::parse("ada").unwrap();
        let read = |body: Value| read_merge(&ada, &body);
        assert_eq!(read(json!({ "from": "bob" })), CustomerId::parse("bob").map_err(|_| Vec::new()));
        assert_eq!(places(read(json!({ "from": "ada", "into": "bob" }))), ["/from", "/into"]);
        assert_eq!(places(read(json!({ "form": "bob" }))), ["/from", "/form"]);
        assert_eq!(places(read(json!({ "from": "" }))), ["/from"]);
        assert_eq!(places(read(json!("bob"))), [""]);
    }

    #[test]
    fn a_visitor_is_known_by_an_id_or_by_a_link_and_every_fault_is_named() {
        let read = |body: Value| read_visitor(&body);
        let ada = CustomerId::parse("ada").unwrap();
        assert_eq!(read(json!({ "customer_id": "ada", "link": null })), Ok(Known::Customer(ada)));
        assert_eq!(read(json!({ "link": "x.y" })), Ok(Known::Reader("x.y".into())));
        assert_eq!(places(read(json!({ "customer_id": "ada", "link": "x.y" }))), ["/customer_id"]);
        assert_eq!(places(read(json!({ "name": "Ada" }))), ["/customer_id", "/name"]);
        assert_eq!(places(read(json!({ "customer_id": 7, "link": 7 }))), ["/customer_id", "/link", "/customer_id"]);
        assert_eq!(places(read(json!([]))), [""]);
    }
}
