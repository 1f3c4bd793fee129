//! Whether a customer has agreed to a message.

use domain::message::{Purpose, Reason};
use domain::{Allows, Change, Consent, ConsentState, Customer, Dictionary, Message};

use crate::Stopped;

/// What the customer has not agreed to, if the message needs it. Being written to at all
/// and being written to about something are two things, and marketing needs both.
pub(crate) fn refusal(message: &Message, customer: &Customer, dictionary: &Dictionary) -> Option<Stopped> {
    if let Some(Change::ConsentRequested { categories, at }) = message.origin.change() {
        // Who has left since is not asked whether they agree.
        let asked = categories.iter().cloned().map(Allows::Category).chain([Allows::Email]);
        let left = |holds: &Consent| holds.state == ConsentState::Denied && holds.at >= *at;
        if asked.into_iter().any(|what| customer.consent_to(&what).is_some_and(left)) {
            return Some((Reason::NoConsent, Some("refused since it was requested".to_owned())));
        }
    }
    if message.purpose == Purpose::Transactional {
        return None;
    }
    if !customer.agreed_to_email() {
        let asked = customer.email_consent.as_ref().is_some_and(|holds| holds.state == ConsentState::Requested);
        return Some((Reason::NoConsent, asked.then(|| NOT_CONFIRMED.to_owned())));
    }
    let code = message.terms.category.as_ref()?;
    let refused = |detail: Option<&str>| Some((Reason::CategoryRefused, detail.map(str::to_owned)));
    let Some(category) = dictionary.mailing_category(code.as_str()) else {
        return refused(Some("the category is not defined any more"));
    };
    if !category.active {
        return refused(Some("the category is not active"));
    }
    match customer.consent_to(&Allows::Category(code.clone())).map(|holds| holds.state) {
        Some(ConsentState::Granted) => None,
        Some(ConsentState::Denied) => refused(None),
        Some(ConsentState::Requested) => refused(Some(NOT_CONFIRMED)),
        None if category.default => None,
        None => refused(Some("never asked for, and off unless it is")),
    }
}

const NOT_CONFIRMED: &str = "requested, and not confirmed yet";

#[cfg(test)]
mod tests {
    use domain::dictionary::{MailingCategory, Word};
    use domain::message::{Origin, Terms};
    use domain::{Code, ConsentUpdate, CustomerId, MailingId, MessageId, RunId, TemplateId};
    use jiff::Timestamp;

    use super::*;
    use ConsentState::{Denied, Granted, Requested};

    fn code() -> Code {
        Code::parse("news").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn customer(email: Option<ConsentState>, news: Option<ConsentState>) -> Customer {
        let mut customer = Customer::unknown(CustomerId::parse("c").unwrap());
        for (what, state) in [(Allows::Email, email), (Allows::Category(code()), news)] {
            if let Some(state) = state {
                customer.consent(&what, ConsentUpdate { state, at: Some(at(5)) }, at(9));
            }
        }
        customer
    }

    fn message(purpose: Purpose, category: Option<Code>, change: Option<Change>) -> Message {
        let origin = match change {
            None => Origin::Mailing { mailing_id: MailingId::parse("m").unwrap(), version: 1 },
            Some(change) => Origin::Campaign {
                campaign_id: domain::CampaignId::parse("c").unwrap(),
                version: 1,
                run_id: RunId::parse("r").unwrap(),
                step: 0,
                change,
                caused_at: at(1),
            },
        };
        Message {
            id: MessageId::parse("m").unwrap(),
            customer_id: CustomerId::parse("c").unwrap(),
            origin,
            purpose,
            terms: Terms { category, ..Terms::default() },
            template_id: TemplateId::parse("t").unwrap(),
            template_version: 1,
            created_at: at(1),
        }
    }

    fn dictionary(default: bool, active: bool) -> Dictionary {
        let (names, description) = (std::collections::BTreeMap::new(), None);
        let word = Word::MailingCategory(MailingCategory {
            code: code(),
            name: "News".to_owned(),
            names,
            description,
            visible: true,
            default,
            active,
        });
        Dictionary::new([(word.id(), Some(word))])
    }

    #[test]
    fn marketing_of_a_category_needs_both_and_what_is_transactional_neither() {
        let marketing = message(Purpose::Marketing, Some(code()), None);
        let reason = |email, news, default, active| {
            refusal(&marketing, &customer(email, news), &dictionary(default, active)).map(|(reason, _)| reason)
        };
        let (no_consent, refused) = (Some(Reason::NoConsent), Some(Reason::CategoryRefused));
        for email in [None, Some(Requested), Some(Denied)] {
            assert_eq!(reason(email, Some(Granted), true, true), no_consent);
        }
        let agreed = Some(Granted);
        assert_eq!(reason(agreed, Some(Granted), false, true), None);
        assert_eq!(reason(agreed, Some(Requested), true, true), refused);
        assert_eq!(reason(agreed, Some(Denied), true, true), refused);
        assert_eq!(reason(agreed, None, true, true), None);
        assert_eq!(reason(agreed, None, false, true), refused);
        assert_eq!(reason(agreed, Some(Granted), true, false), refused);
        let gone = refusal(&marketing, &customer(agreed, None), &Dictionary::default());
        assert_eq!(gone.map(|(reason, _)| reason), refused);
        let other = message(Purpose::Marketing, None, None);
        assert_eq!(refusal(&other, &customer(agreed, Some(Denied)), &dictionary(true, true)), None);
        let own = message(Purpose::Transactional, Some(code()), None);
        assert_eq!(refusal(&own, &customer(Some(Denied), Some(Denied)), &dictionary(true, false)), None);
    }

    #[test]
    fn who_refused_since_they_were_to_be_asked_is_not_asked() {
        let asked = |second| {
            let change = Change::ConsentRequested { categories: vec![code()], at: at(second) };
            message(Purpose::Transactional, None, Some(change))
        };
        let words = dictionary(true, true);
        for (email, news, second, stopped) in [
            (Some(Requested), Some(Requested), 5, false),
            (Some(Denied), Some(Requested), 5, true),
            (Some(Requested), Some(Denied), 4, true),
            (Some(Denied), Some(Denied), 6, false),
        ] {
            let refused = refusal(&asked(second), &customer(email, news), &words);
            assert_eq!(refused.map(|(reason, _)| reason), stopped.then_some(Reason::NoConsent));
        }
    }
}
