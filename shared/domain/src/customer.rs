use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::consent::{Allows, Consent, ConsentState, ConsentUpdate};
use crate::dated::{Dated, Said, Times};
use crate::{Code, Conflict, Contact, CustomerId};

/// An e-mail address, with its domain in lower case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Takes a plain address (RFC 5321), such as `ada@example.com`.
    ///
    /// # Errors
    /// Says what is wrong, in words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let options =
            email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
        let address = email_address::EmailAddress::parse_with_options(text.trim(), options)
            .map_err(|_| "must be an e-mail address, such as \"ada@example.com\"")?;
        Ok(Self(format!("{}@{}", address.local_part(), address.domain().to_lowercase())))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for the address that does not give it away and is the same for
    /// every way of writing it in capitals and small letters.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        crate::digest(&["address", &self.0.to_lowercase()])
    }
}

/// Written without the address: a log must never hold one.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

/// What the shop knows of a customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Where mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Contact>,
    /// Telephone number; a valid one in the international form (E.164).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Contact>,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The day of birth, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<jiff::civil::Date>,
    /// Gender, in the shop's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// Country, by its two-letter code (ISO 3166-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Language tag (BCP 47), such as `en` or `pt-BR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Time zone by its name, such as `Europe/Riga`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When they registered with the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
    /// Which of the shop's sites, apps or systems said so last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// The shop's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

impl Profile {
    /// Where mail goes, if mail can go there.
    #[must_use]
    pub fn address(&self) -> Option<EmailAddress> {
        self.email.as_ref().and_then(Contact::valid).and_then(|text| EmailAddress::parse(text).ok())
    }
}

/// A customer as they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// The shop's own id.
    pub id: CustomerId,
    /// What the shop knows of them, each field as it was said last.
    pub profile: Profile,
    /// Since when each field of the profile holds.
    pub times: Times,
    /// Whether they agreed to marketing e-mail; `None` if nobody ever said.
    pub email_consent: Option<Consent>,
    /// The same of each mailing category of which anybody ever said anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub category_consents: BTreeMap<Code, Consent>,
}

/// What a caller says of one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerUpdate {
    /// Which customer.
    pub id: CustomerId,
    /// When it was true; `None` is "now, if it differs".
    pub updated_at: Option<Timestamp>,
    /// The profile, or some of its fields.
    pub said: Said,
    /// The consents that came along.
    pub consents: Vec<(Allows, ConsentUpdate)>,
}

impl Customer {
    /// A customer of whom nothing is known but the id.
    #[must_use]
    pub fn unknown(id: CustomerId) -> Self {
        Self {
            id,
            profile: Profile::default(),
            times: Times::default(),
            email_consent: None,
            category_consents: BTreeMap::new(),
        }
    }

    /// The customer with an update worked in; `None` if it said nothing new.
    ///
    /// # Errors
    /// A [`Conflict`] if something else is recorded for the same time.
    pub fn merge(known: Option<&Self>, update: CustomerUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let mut customer = known.cloned().unwrap_or_else(|| Self::unknown(update.id));
        let before = known.map(|known| Dated { content: known.profile.clone(), times: known.times.clone() });
        if let Some(Dated { content, times }) = Dated::merge(before.as_ref(), &update.said, update.updated_at, now)? {
            (customer.profile, customer.times) = (content, times);
        }
        for (what, consent) in update.consents {
            customer.consent(&what, consent, now);
        }
        Ok((Some(&customer) != known).then_some(customer))
    }

    /// Two customers as one, with this one's id. It does not matter which of them
    /// is which.
    ///
    /// # Errors
    /// If their profiles cannot be read as one.
    pub fn joined(&self, other: &Self) -> Result<Self, Conflict> {
        let dated = |customer: &Self| Dated { content: customer.profile.clone(), times: customer.times.clone() };
        let Dated { content, times } = dated(self).filled(&dated(other))?;
        let email_consent = Consent::later(self.email_consent.as_ref(), other.email_consent.as_ref());
        let mut category_consents = self.category_consents.clone();
        for (code, theirs) in &other.category_consents {
            let holds = Consent::later(category_consents.get(code), Some(theirs));
            category_consents.extend(holds.map(|holds| (code.clone(), holds)));
        }
        Ok(Self { id: self.id.clone(), profile: content, times, email_consent, category_consents })
    }

    /// Records what was said about being written to, by [`Consent::after`].
    pub fn consent(&mut self, what: &Allows, said: ConsentUpdate, now: Timestamp) {
        let known = self.consent_to(what);
        if let Some(holds) = Consent::after(known, said, now) {
            match what {
                Allows::Email => self.email_consent = Some(holds),
                Allows::Category(code) => drop(self.category_consents.insert(code.clone(), holds)),
            }
        }
    }

    /// What holds of this, if anybody ever said anything.
    #[must_use]
    pub fn consent_to(&self, what: &Allows) -> Option<&Consent> {
        match what {
            Allows::Email => self.email_consent.as_ref(),
            Allows::Category(code) => self.category_consents.get(code),
        }
    }

    /// Whether they agreed to marketing e-mail.
    #[must_use]
    pub fn agreed_to_email(&self) -> bool {
        matches!(self.email_consent, Some(Consent { state: ConsentState::Granted, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_said_of_a_category_is_said_of_that_one_alone() {
        let id = CustomerId::parse("c").unwrap();
        let news = Allows::Category(Code::parse("news").unwrap());
        let said = |state, at| ConsentUpdate { state, at };
        let update = CustomerUpdate {
            id,
            updated_at: None,
            said: Said { whole: true, fields: Map::new() },
            consents: vec![
                (Allows::Email, said(ConsentState::Granted, None)),
                (news.clone(), said(ConsentState::Denied, Some(at(5)))),
            ],
        };
        let customer = Customer::merge(None, update.clone(), at(9)).unwrap().unwrap();
        assert!(customer.agreed_to_email());
        assert_eq!(customer.consent_to(&news), Some(&Consent { state: ConsentState::Denied, at: at(5) }));
        assert_eq!(Customer::merge(Some(&customer), update, at(10)).unwrap(), None);
        let kept = serde_json::to_string(&customer).unwrap();
        assert_eq!(serde_json::from_str::<Customer>(&kept).unwrap(), customer);
    }

    #[test]
    fn of_two_who_are_one_the_later_word_on_each_category_holds() {
        let customer = |sayings: &[(&str, ConsentState, i64)]| {
            let mut customer = Customer::unknown(CustomerId::parse("c").unwrap());
            for (code, state, second) in sayings {
                let said = ConsentUpdate { state: *state, at: Some(at(*second)) };
                customer.consent(&Allows::Category(Code::parse(code).unwrap()), said, at(99));
            }
            customer
        };
        let one = customer(&[("news", ConsentState::Granted, 5), ("offers", ConsentState::Denied, 2)]);
        let other = customer(&[("news", ConsentState::Denied, 7), ("tips", ConsentState::Granted, 1)]);
        let both = one.joined(&other).unwrap();
        assert_eq!(both, other.joined(&one).unwrap());
        let states: Vec<_> = both.category_consents.iter().map(|(code, holds)| (code.as_str(), holds.state)).collect();
        let (granted, denied) = (ConsentState::Granted, ConsentState::Denied);
        assert_eq!(states, [("news", denied), ("offers", denied), ("tips", granted)]);
    }

    #[test]
    fn one_address_has_one_fingerprint_and_is_never_printed() {
        let a = EmailAddress::parse("Ada@Example.COM").unwrap();
        assert_eq!(a.as_str(), "Ada@example.com");
        assert_eq!(a.fingerprint(), EmailAddress::parse("ada@example.com").unwrap().fingerprint());
        assert!(!format!("{a:?}").to_lowercase().contains("ada"));
        for bad in ["", "ada", "ada@", "@example.com", "Ada <ada@example.com>", "a b@example.com", "ada@localhost"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
