use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dated::{Dated, Said, Times};
use crate::{Conflict, Contact, CustomerId};

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
    pub source: Option<crate::Code>,
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

/// Whether somebody agreed to be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Agreed.
    Granted,
    /// Refused, or left.
    Denied,
}

/// A consent and since when it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What was said.
    pub state: ConsentState,
    /// When.
    pub at: Timestamp,
}

/// A consent as a caller gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentUpdate {
    /// What was said.
    pub state: ConsentState,
    /// When, if the caller knows.
    pub at: Option<Timestamp>,
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
    /// A consent that came along.
    pub email_consent: Option<ConsentUpdate>,
}

impl Customer {
    /// A customer of whom nothing is known but the id.
    #[must_use]
    pub fn unknown(id: CustomerId) -> Self {
        Self { id, profile: Profile::default(), times: Times::default(), email_consent: None }
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
        if let Some(consent) = update.email_consent {
            customer.consent(consent, now);
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
        let email_consent = match (&self.email_consent, &other.email_consent) {
            (Some(a), Some(b)) => {
                let newer = |consent: &Consent| (consent.at, consent.state == ConsentState::Denied);
                Some(if newer(a) >= newer(b) { a.clone() } else { b.clone() })
            }
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Ok(Self { id: self.id.clone(), profile: content, times, email_consent })
    }

    /// Records what was said about marketing e-mail; the newer one holds, and
    /// of two at the same time the refusal.
    ///
    /// An *undated* grant is what a nightly synchronisation sends for everybody.
    /// It must not bring back somebody who has left since, so it counts only
    /// where nothing was ever said. An undated refusal counts from now on.
    pub fn consent(&mut self, said: ConsentUpdate, now: Timestamp) {
        let at = match (said.at, said.state, &self.email_consent) {
            (Some(at), ..) => at,
            (None, ConsentState::Granted, Some(_)) => return,
            (None, ConsentState::Denied, Some(Consent { state: ConsentState::Denied, .. })) => return,
            // Leaving holds even against a grant that some clock dated ahead of ours.
            (None, ConsentState::Denied, Some(known)) => now.max(known.at),
            (None, _, None) => now,
        };
        let newer = match &self.email_consent {
            None => true,
            Some(known) => at > known.at || (at == known.at && said.state == ConsentState::Denied),
        };
        if newer {
            self.email_consent = Some(Consent { state: said.state, at });
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
    fn an_undated_grant_never_brings_back_who_left() {
        let id = CustomerId::parse("c").unwrap();
        let update = |consent| CustomerUpdate {
            id: id.clone(),
            updated_at: None,
            said: Said { whole: true, fields: Map::new() },
            email_consent: Some(consent),
        };
        let granted = ConsentUpdate { state: ConsentState::Granted, at: None };
        let mut customer = Customer::merge(None, update(granted.clone()), at(1)).unwrap().unwrap();
        assert!(customer.agreed_to_email());
        customer.consent(ConsentUpdate { state: ConsentState::Denied, at: None }, at(2));
        assert_eq!(Customer::merge(Some(&customer), update(granted), at(3)).unwrap(), None);
        let ahead = ConsentUpdate { state: ConsentState::Granted, at: Some(at(90)) };
        let mut eager = Customer::merge(None, update(ahead), at(1)).unwrap().unwrap();
        eager.consent(ConsentUpdate { state: ConsentState::Denied, at: None }, at(2));
        assert!(!eager.agreed_to_email());
        let later = ConsentUpdate { state: ConsentState::Granted, at: Some(at(4)) };
        assert!(Customer::merge(Some(&customer), update(later), at(5)).unwrap().unwrap().agreed_to_email());
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
