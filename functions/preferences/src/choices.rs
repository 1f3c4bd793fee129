//! The page on which somebody chooses what they get.

use contracts::link::Link;
use domain::dictionary::{Dictionary, MailingCategory, Word, WordKind};
use domain::{Allows, Consent, ConsentState, ConsentUpdate, Customer, MessageId};
use jiff::Timestamp;
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};

use crate::form::Form;
use crate::{Preferences, Reader, token};

impl Preferences {
    pub(crate) async fn ask_to_choose(&self, request: &Request) -> Result<Response, Failure> {
        let Some(message_id) = self.signed(Link::Preferences, &token(request)?).await? else {
            return self.unknown().await;
        };
        match self.reader(&message_id).await? {
            Some(reader) => self.show_choices(&reader, ""),
            None => self.nobody(&message_id).await,
        }
    }

    /// Saves what was chosen, or leaves everything.
    pub(crate) async fn choose(&self, message_id: &MessageId, form: &Form) -> Result<Response, Failure> {
        let nothing = form.is("do", "nothing");
        let said = |reader: &Reader, now| match nothing {
            true => vec![(Allows::Email, ConsentUpdate { state: ConsentState::Denied, at: None })],
            false => chosen(form, reader, now),
        };
        match self.say(message_id, said).await? {
            Some(reader) => self.show_choices(&reader, if nothing { "left_all" } else { "saved" }),
            None => self.nobody(message_id).await,
        }
    }

    fn show_choices(&self, reader: &Reader, done: &str) -> Result<Response, Failure> {
        let view = self.pages.view(&reader.dictionary, reader.customer.profile.language.as_deref());
        let shown = |category: &MailingCategory| {
            json!({
                "code": category.code, "name": category.name_in(view.language()),
                "description": category.description, "on": is_on(&reader.customer, category),
            })
        };
        let open = offered(&reader.dictionary).filter(|category| !is_asked(reader, &of_kind(category)));
        let categories: Vec<Value> = open.map(shown).collect();
        let data = json!({ "choices": {
            "saved": done == "saved",
            "left_all": done == "left_all",
            "asked": is_asked(reader, &Allows::Email),
            "channel": reader.customer.agreed_to_email(),
            "categories": categories,
        } });
        Ok(view.page(200, data)?)
    }
}

/// The categories that customers see, by code.
fn offered(dictionary: &Dictionary) -> impl Iterator<Item = &MailingCategory> {
    fn category(word: &Word) -> Option<&MailingCategory> {
        match word {
            Word::MailingCategory(category) => Some(category),
            _ => None,
        }
    }
    dictionary.of(WordKind::MailingCategory).filter_map(category).filter(|category| category.visible && category.active)
}

fn of_kind(category: &MailingCategory) -> Allows {
    Allows::Category(category.code.clone())
}

/// Whether they were to confirm this since the mail went out that the link came with. A page
/// that may be opened from somebody's earlier address does not do so in its place.
fn is_asked(reader: &Reader, what: &Allows) -> bool {
    let known = reader.customer.consent_to(what);
    known.is_some_and(|known| known.state == ConsentState::Requested && known.at > reader.message.created_at)
}

fn is_on(customer: &Customer, category: &MailingCategory) -> bool {
    match customer.consent_to(&of_kind(category)) {
        Some(consent) => consent.state == ConsentState::Granted,
        None => category.default,
    }
}

/// What a form says that is otherwise than what it showed. So what came about since it
/// was shown, and what it did not show, stays as it is.
fn chosen(form: &Form, reader: &Reader, now: Timestamp) -> Vec<(Allows, ConsentUpdate)> {
    let wanted = |name: &str| {
        let (was, is) = (form.is("was", name), form.is("on", name));
        let state = if is { ConsentState::Granted } else { ConsentState::Denied };
        (form.is("shown", name) && was != is).then_some(state)
    };
    let mut said = Vec::new();
    let mut say = |what: Allows, state: ConsentState| {
        let update = Consent::chosen(reader.customer.consent_to(&what), state, now);
        said.extend(update.filter(|_| !is_asked(reader, &what)).map(|update| (what, update)));
    };
    // No code has a star in it.
    if let Some(state) = wanted("*") {
        say(Allows::Email, state);
    }
    for category in offered(&reader.dictionary) {
        if let Some(state) = wanted(category.code.as_str()) {
            say(of_kind(category), state);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use domain::{Code, CustomerId, Message};

    use super::*;

    fn category(code: &str, visible: bool, active: bool) -> (String, Option<Word>) {
        let word = Word::MailingCategory(MailingCategory {
            code: Code::parse(code).unwrap(),
            name: code.to_owned(),
            names: BTreeMap::new(),
            description: None,
            visible,
            default: true,
            active,
        });
        (word.id(), Some(word))
    }

    /// Somebody of whom nothing is known, who got a message in the fifth second.
    fn reader() -> Reader {
        let dictionary = Dictionary::new([
            category("news", true, true),
            category("tips", true, true),
            category("secret", false, true),
            category("old", true, false),
        ]);
        let message: Message = serde_json::from_value(json!({
            "id": "m-1", "customer_id": "c", "origin": { "type": "mailing", "mailing_id": "m", "version": 1 },
            "purpose": "marketing", "template_id": "t", "template_version": 1, "created_at": "1970-01-01T00:00:05Z",
        }))
        .unwrap();
        let customer = Customer::unknown(CustomerId::parse("c").unwrap());
        Reader { message, customer, dictionary: Arc::new(dictionary) }
    }

    fn changed(reader: &Reader, form: &str) -> Vec<String> {
        let said = chosen(&Form::from(form), reader, Timestamp::from_second(9).unwrap()).into_iter();
        said.map(|(what, update)| format!("{what:?} {}", update.state.as_str())).collect()
    }

    #[test]
    fn a_form_changes_only_what_it_showed_and_what_was_changed_in_it() {
        let mut reader = reader();
        let all = "shown=*&shown=news&shown=tips&was=news&was=tips";
        assert_eq!(changed(&reader, &format!("{all}&on=news&on=tips")), [""; 0]);
        assert_eq!(changed(&reader, &format!("{all}&on=news")), ["Category(Code(\"tips\")) denied"]);
        assert_eq!(changed(&reader, &format!("{all}&on=*&on=news&on=tips")), ["Email granted"]);
        assert_eq!(changed(&reader, "shown=tips&was=tips&was=news"), ["Category(Code(\"tips\")) denied"]);
        assert_eq!(changed(&reader, "shown=secret&was=secret&shown=old&was=old&shown=odd&on=odd"), [""; 0]);
        assert_eq!(changed(&reader, ""), [""; 0]);

        // Sent twice, it is said once.
        let now = Timestamp::from_second(9).unwrap();
        for (what, update) in chosen(&Form::from(format!("{all}&on=news").as_str()), &reader.clone(), now) {
            reader.customer.consent(&what, update, now);
        }
        assert_eq!(changed(&reader, &format!("{all}&on=news")), [""; 0]);
    }

    #[test]
    fn a_page_confirms_nothing_that_was_asked_after_its_mail_went_out() {
        let form = "shown=*&shown=news&shown=tips&on=*&on=news&was=tips";
        for (asked_in, expected) in [
            (4, vec!["Email granted", "Category(Code(\"news\")) granted", "Category(Code(\"tips\")) denied"]),
            (6, vec!["Category(Code(\"tips\")) denied"]),
        ] {
            let mut reader = reader();
            let at = Timestamp::from_second(asked_in).unwrap();
            for what in [Allows::Email, Allows::Category(Code::parse("news").unwrap())] {
                let asked = ConsentUpdate { state: ConsentState::Requested, at: Some(at) };
                reader.customer.consent(&what, asked, at);
            }
            assert_eq!(changed(&reader, form), expected, "{asked_in}");
        }
    }
}
