//! Finding customers by their contacts.
//!
//! A contact's fingerprint stands on the profile's row; that somebody is found by it
//! is a row of its own. The stream tells when the two differ, and `evaluate` brings
//! them together from the profile as it stands then.

use domain::{Contact, Customer, CustomerId, Profile};

use super::row::{PROFILE, owner};
use super::{Customers, Found, key, partition, versioned};
use crate::rows::{Versioned, failed};

/// By what a customer may be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
}

impl ContactKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    fn of(self, profile: &Profile) -> Option<&Contact> {
        match self {
            Self::Email => profile.email.as_ref(),
            Self::Phone => profile.phone.as_ref(),
        }
    }
}

/// The most customers that are shown for one contact.
const MOST_FOUND: i32 = 100;

impl Customers {
    /// The customers who have this contact, written as profiles have it.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn with_contact(&self, kind: ContactKind, text: &str) -> anyhow::Result<Vec<Customer>> {
        let place = contact_place(&self.contact_fingerprint(kind, text).await?);
        let keys = self.found_at(&place).await?.iter().map(|customer| key(customer, PROFILE)).collect();
        let mut found = Vec::new();
        for item in self.batch(keys).await? {
            let Versioned { value: customer, .. } = versioned::<Customer>(crate::rows::decode(item)?)?;
            let known = kind.of(&customer.profile).map(|contact| contact.text().to_lowercase());
            if known == Some(text.to_lowercase()) {
                found.push(customer);
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Makes a customer found by the contacts that they have, and no longer by those
    /// among `before` that they do not have any more.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn note_contacts(&self, id: &CustomerId, before: &[String]) -> anyhow::Result<()> {
        let mut now = Vec::new();
        if let Found::Here { id: known_as, what } = self.find(id, &[PROFILE.to_owned()]).await?
            && known_as == *id
        {
            now = what.into_iter().next().map(|row| row.contacts).unwrap_or_default();
        }
        let gone: Vec<String> = before.iter().filter(|fingerprint| !now.contains(fingerprint)).cloned().collect();
        self.forget_contacts(id, &gone).await?;
        for fingerprint in &now {
            let item = key(contact_place(fingerprint), partition(id));
            let put = self.db.put_item().table_name(&self.table).set_item(Some(item)).send();
            put.await.map(drop).map_err(failed("a contact could not be noted"))?;
        }
        Ok(())
    }

    pub(super) async fn forget_contacts(&self, id: &CustomerId, fingerprints: &[String]) -> anyhow::Result<()> {
        for fingerprint in fingerprints {
            self.delete(contact_place(fingerprint), partition(id)).await?;
        }
        Ok(())
    }

    pub(super) async fn fingerprints(&self, profile: &Profile) -> anyhow::Result<Vec<String>> {
        let mut fingerprints = Vec::new();
        for kind in [ContactKind::Email, ContactKind::Phone] {
            if let Some(contact) = kind.of(profile) {
                fingerprints.push(self.contact_fingerprint(kind, contact.text()).await?);
            }
        }
        Ok(fingerprints)
    }

    async fn contact_fingerprint(&self, kind: ContactKind, text: &str) -> anyhow::Result<String> {
        self.fingerprint(kind.as_str(), &text.to_lowercase()).await
    }

    /// The partitions of the customers who are found in one place.
    async fn found_at(&self, place: &str) -> anyhow::Result<Vec<String>> {
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("customer = :place")
            .expression_attribute_values(":place", crate::rows::text(place))
            .limit(MOST_FOUND)
            .send()
            .await
            .map_err(failed("the contact could not be looked up"))?;
        let items = page.items.unwrap_or_default();
        let found = items.iter().filter_map(|item| super::attribute(item, "item"));
        Ok(found.filter(|place| owner(place).is_some()).map(str::to_owned).collect())
    }
}

fn contact_place(fingerprint: &str) -> String {
    format!("contact#{fingerprint}")
}
