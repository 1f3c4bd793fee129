//! Templates tried out: a real mail, to whoever wants to see it.

use domain::message::{Origin, Purpose, Terms, Trial};
use domain::read::{Faults, Reader};
use domain::{EmailAddress, Message, TemplateId};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Deed, Done, Kind as Defined, Requests};
use templates::Source;

use crate::previews::{Asked, read_about};
use crate::surveys::new_id;
use crate::{Manage, not_found};

/// To how many addresses one request sends a test.
const MOST_ADDRESSES: usize = 5;

/// How much data may be given, in bytes of JSON: it goes along on a queue, with the tests to
/// the other addresses.
const MOST_DATA: usize = 64 * 1024;

impl Manage {
    /// Sends what the mail would be to the addresses that are given, and to nobody else.
    pub(crate) async fn test_template(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let body = request.json()?;
        let (to, asked) = read_asked(&body)?;
        let (kind, now) = (Defined::Template, self.clock.now());
        let version = match asked.version {
            Some(version) => self.definitions.version::<Source>(kind, id.as_str(), version).await?.map(|_| version),
            None => self.definitions.get::<Source>(kind, id.as_str()).await?.map(|known| known.version),
        };
        let template_version = version.ok_or_else(|| not_found("template"))?;
        // Of what sends it only what sets it off counts: on its terms a customer would get it.
        let sending = self.sending_of(&asked).await?;
        let change = self.change_of(&asked, &sending, now).await?;
        let customer_id = asked.customer_or_nobody()?;
        let cause = cause(request, &body)?;
        // Before it is done: whatever becomes of it, it is known who asked.
        let noted = Done { what: Deed::TestSent, count: to.len(), mark: new_id()? };
        let definitions = self.definitions.by(request.key_id());
        definitions.note((kind, id.as_str(), template_version), noted, now).await?;
        let mut sent = Vec::new();
        for to in to {
            let of_customer = asked.customer_id.is_some();
            let trial = Trial { to: to.clone(), of_customer, given: asked.data.clone() };
            let mut message = Message {
                id: Message::id_of_test(&cause, &to),
                customer_id: customer_id.clone(),
                origin: Origin::Test { change: change.clone(), trial: Some(Box::new(trial)) },
                // Whoever asks for it needs not agree to it.
                purpose: Purpose::Transactional,
                terms: Terms::default(),
                template_id: id.clone(),
                template_version,
                created_at: now,
            };
            let mut cause = cause.clone();
            loop {
                let made_at = self.messages.put(&message).await?;
                if now.duration_since(made_at) < Requests::KEPT {
                    break;
                }
                // It went out at another request, before the key was used again: by then it
                // stood for nothing any more.
                cause = domain::digest(&[&cause, &made_at.to_string()]);
                message.id = Message::id_of_test(&cause, &to);
            }
            sent.push(json!({ "id": message.id, "to": to }));
        }
        Ok(Response::json(202, &json!({ "messages": sent })))
    }
}

/// What tells one request for tests from every other. Under the same `Idempotency-Key` the
/// same request is the same one, also where the first was not answered: while the key stands for
/// it, it sends nothing twice.
fn cause(request: &Request, body: &Value) -> anyhow::Result<String> {
    let Some(key) = request.header("idempotency-key") else { return new_id() };
    let by = request.key_id().unwrap_or_default();
    Ok(domain::digest(&[by, &request.target(), key.trim(), &body.to_string()]))
}

fn read_asked(body: &Value) -> Result<(Vec<EmailAddress>, Asked), Faults> {
    let mut reader = Reader::new(body);
    let to = reader.required("to", addresses);
    let asked = read_about(&mut reader, true);
    if !asked.data.is_empty() && json!(asked.data).to_string().len() > MOST_DATA {
        reader.fault("data", format!("must be at most {MOST_DATA} bytes of JSON"));
    }
    reader.finish()?;
    Ok((to.unwrap_or_default(), asked))
}

/// An address, or a list of them, each once.
fn addresses(value: &Value) -> Result<Vec<EmailAddress>, String> {
    let one = std::slice::from_ref(value);
    let several = value.as_array().map_or(one, Vec::as_slice);
    if several.is_empty() || several.len() > MOST_ADDRESSES {
        return Err(format!("must be an e-mail address, or a list of 1 to {MOST_ADDRESSES}"));
    }
    let mut addresses: Vec<EmailAddress> = Vec::new();
    for text in several {
        let address = EmailAddress::parse(text.as_str().ok_or("must be a text")?)?;
        if addresses.iter().all(|known| known.fingerprint() != address.fingerprint()) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_goes_to_one_address_or_a_few_each_once() {
        let read = |to: Value| {
            let read = read_asked(&json!({ "to": to })).map(|(to, _)| to);
            read.map(|to| to.iter().map(|to| to.as_str().to_owned()).collect::<Vec<_>>()).ok()
        };
        let (ada, bob) = ("ada@example.com".to_owned(), "bob@example.com".to_owned());
        assert_eq!(read(json!(ada)), Some(vec![ada.clone()]));
        assert_eq!(read(json!([ada, bob, "ADA@example.com"])), Some(vec![ada.clone(), bob]));
        let many: Vec<String> = (0..6).map(|n| format!("a{n}@example.com")).collect();
        for wrong in [json!(null), json!([]), json!("ada"), json!([ada, 7]), json!({ "a": 1 }), json!(many)] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn no_more_data_goes_along_than_a_queue_takes() {
        let read = |bytes: usize| read_asked(&json!({ "to": "a@example.com", "data": { "a": "x".repeat(bytes) } }));
        assert!(read(MOST_DATA - 8).is_ok());
        let faults = read(MOST_DATA - 7).err().unwrap_or_default();
        assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), ["/data"]);
    }
}
