//! Audiences over the API.

use domain::read::{Faults, Reader};
use domain::{CustomerId, Fault};
use serde_json::Value;

/// The most customers that one request may put in or take out.
pub const MOST_MEMBERS: usize = 500;

/// Who is to be in an audience, and who is not; nobody is both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// Who is put in.
    pub add: Vec<CustomerId>,
    /// Who is taken out.
    pub remove: Vec<CustomerId>,
}

/// Reads the body of `POST /v1/audiences/{code}/members`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read_membership(body: &Value) -> Result<Membership, Faults> {
    let mut reader = Reader::new(body);
    let (add, remove) = (ids(&mut reader, "add"), ids(&mut reader, "remove"));
    let place = reader.place("add");
    let both = add.iter().enumerate().filter(|(_, id)| id.is_some() && remove.contains(id));
    reader
        .faults(both.map(|(index, _)| Fault::new(format!("{place}/{index}"), "is among those to be removed as well")));
    reader.finish()?;
    let known = |ids: Vec<Option<CustomerId>>| ids.into_iter().flatten().collect();
    Ok(Membership { add: known(add), remove: known(remove) })
}

/// The ids of a list, each in its place; none where something else stands, which the
/// reader remembers as wrong.
fn ids(reader: &mut Reader<'_>, key: &'static str) -> Vec<Option<CustomerId>> {
    let items = reader.optional(key, |value| {
        let items = value.as_array().filter(|items| items.len() <= MOST_MEMBERS);
        items.ok_or_else(|| format!("must be a list of at most {MOST_MEMBERS} ids"))
    });
    let place = reader.place(key);
    let mut ids = Vec::new();
    for (index, item) in items.into_iter().flatten().enumerate() {
        let id = domain::read::parsed(CustomerId::parse)(item);
        ids.push(id.map_err(|detail| reader.faults([Fault::new(format!("{place}/{index}"), detail)])).ok());
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_membership_is_read_or_every_fault_is_named() {
        let check = |body: Value, want: &[&str]| {
            let faults = read_membership(&body).err().unwrap_or_default();
            let places: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
            assert_eq!(places, want, "{body}");
        };
        check(json!({ "add": ["ada", "ada"], "remove": ["bob"] }), &[]);
        check(json!({ "add": null }), &[]);
        check(json!({ "add": ["ada", 7, ""], "remove": [null, "ada"] }), &["/add/1", "/add/2", "/remove/0", "/add/0"]);
        check(json!({ "add": vec!["ada"; 501], "remove": "bob" }), &["/add", "/remove"]);
        check(json!({ "ad": [] }), &["/ad"]);
        check(json!(["ada"]), &[""]);
    }
}
