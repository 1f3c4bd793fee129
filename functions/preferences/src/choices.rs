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
        match self.reader_of(Link::Preferences, &token(request)?).await? {
            Some(reader) => self.show_choices(&reader, ""),
            None => self.unknown().await,
        }
    }

    /// Saves what was chosen, or leaves everything.
    pub(crate) async fn choose(&self, message_id: &MessageId, form: &Form) -> Result<Response, Failure> {
        let nothing = form.is("do", "nothing");
        let said = |reader: &Reader, now| match nothing {
            true => vec![(Allows::Email, ConsentUpdate { state: ConsentState::Denied, at: None })],
            false => chosen(form, &reader.customer, &reader.dictionary, now),
        };
        match self.say(message_id, said).await? {
            Some(reader) => self.show_choices(&reader, if nothing { "left_all" } else { "saved" }),
            None => self.unknown().await,
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
        let categories: Vec<Value> = offered(&reader.dictionary).map(shown).collect();
        let data = json!({ "choices": {
            "saved": done == "saved",
            "left_all": done == "left_all",
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

fn is_on(customer: &Customer, category: &MailingCategory) -> bool {
    match customer.consent_to(&Allows::Category(category.code.clone())) {
        Some(consent) => consent.state == ConsentState::Granted,
        None => category.default,
    }
}

/// What a form says that is otherwise than what it showed. So what came about since it
/// was shown, and what it did not show, stays as it is.
fn chosen(form: &Form, customer: &Customer, dictionary: &Dictionary, now: Timestamp) -> Vec<(Allows, ConsentUpdate)> {
    let wanted = |name: &str| {
        let (was, is) = (form.is("was", name), form.is("on", name));
        let state = if is { ConsentState::Granted } else { ConsentState::Denied };
        (form.is("shown", name) && was != is).then_some(state)
    };
    let mut said = Vec::new();
    let mut say = |what: Allows, state: ConsentState| {
        let known = customer.consent_to(&what);
        said.extend(Consent::chosen(known, state, now).map(|update| (what, update)));
    };
    // No code has a star in it.
    if let Some(state) = wanted("*") {
        say(Allows::Email, state);
    }
    for category in offered(dictionary) {
        if let Some(state) = wanted(category.code.as_str()) {
            say(Allows::Category(category.code.clone()), state);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::{Code, CustomerId};

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

    #[test]
    fn a_form_changes_only_what_it_showed_and_what_was_changed_in_it() {
        let dictionary = Dictionary::new([
            category("news", true, true),
            category("tips", true, true),
            category("secret", false, true),
            category("old", true, false),
        ]);
        let now = Timestamp::from_second(9).unwrap();
        let mut customer = Customer::unknown(CustomerId::parse("c").unwrap());
        let changed = |customer: &Customer, form: &str| -> Vec<String> {
            let said = chosen(&Form::from(form), customer, &dictionary, now).into_iter();
            said.map(|(what, update)| format!("{what:?} {}", update.state.as_str())).collect()
        };
        let all = "shown=*&shown=news&shown=tips&was=news&was=tips";
        assert_eq!(changed(&customer, &format!("{all}&on=news&on=tips")), [""; 0]);
        assert_eq!(changed(&customer, &format!("{all}&on=news")), ["Category(Code(\"tips\")) denied"]);
        assert_eq!(changed(&customer, &format!("{all}&on=*&on=news&on=tips")), ["Email granted"]);
        assert_eq!(changed(&customer, "shown=tips&was=tips&was=news"), ["Category(Code(\"tips\")) denied"]);
        assert_eq!(changed(&customer, "shown=secret&was=secret&shown=old&was=old&shown=odd&on=odd"), [""; 0]);
        assert_eq!(changed(&customer, ""), [""; 0]);

        // Sent twice, it is said once.
        for (what, update) in
            chosen(&Form::from(format!("{all}&on=news").as_str()), &customer.clone(), &dictionary, now)
        {
            customer.consent(&what, update, now);
        }
        assert_eq!(changed(&customer, &format!("{all}&on=news")), [""; 0]);
    }
}
