//! Caps as the API says them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::message::Cap;
use crate::read::{self, Reader};

impl Cap {
    /// The longest span that a cap can look back over.
    pub const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

    /// The most messages that a cap may let through, so that what has to be remembered of
    /// a customer stays small.
    pub const HIGHEST: u32 = 500;

    /// Takes `"most": 3, "per": "P7D"` out of an object; what is wrong, the reader keeps.
    pub fn take(reader: &mut Reader<'_>) -> Option<Self> {
        let most = reader.required("most", |value| {
            let most = value.as_u64().and_then(|most| u32::try_from(most).ok());
            most.filter(|most| (1..=Self::HIGHEST).contains(most)).ok_or("must be a whole number from 1 to 500")
        });
        let per = reader.required("per", |value| match read::duration(value) {
            Ok(length) if length <= Self::LONGEST => Ok(length),
            _ => Err("must be a length of time (ISO 8601) of at most 31 days, such as \"P7D\""),
        });
        most.zip(per).map(|(most, per)| Self { most, per })
    }

    /// The cap as the API shows it.
    #[must_use]
    pub fn show(self) -> Value {
        json!({ "most": self.most, "per": self.per.to_string() })
    }
}
