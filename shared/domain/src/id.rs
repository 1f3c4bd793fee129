use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id that is taken, in bytes. Ids are parts of table keys, which may
/// hold 1,024 bytes in all.
const MAX_BYTES: usize = 200;

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// No characters at all.
    #[error("must not be empty")]
    Empty,
    /// More than 200 bytes.
    #[error("must be at most 200 bytes long")]
    TooLong,
    /// A control character, or white space at an end.
    #[error("must not hold control characters, nor begin or end with white space")]
    Characters,
    /// A code outside `[A-Za-z0-9_.-]`.
    #[error("may hold only letters, digits, `_`, `-` and `.`")]
    NotACode,
}

fn check(text: &str) -> Result<(), BadId> {
    if text.is_empty() {
        Err(BadId::Empty)
    } else if text.len() > MAX_BYTES {
        Err(BadId::TooLong)
    } else if text.chars().any(unfit) || text.trim() != text {
        Err(BadId::Characters)
    } else {
        Ok(())
    }
}

/// Queues carry neither control characters nor the two noncharacters that XML
/// does not know.
fn unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// A visitor's id is part of a customer's.
fn check_visitor(text: &str) -> Result<(), BadId> {
    check(text)?;
    if text.len() + VISITOR.len() > MAX_BYTES { Err(BadId::TooLong) } else { Ok(()) }
}

/// How the id of an anonymous visitor begins, where a customer's id is taken.
const VISITOR: &str = "visitor:";

impl CustomerId {
    /// The anonymous visitor, as a customer without a name.
    #[must_use]
    pub fn of_visitor(visitor: &VisitorId) -> Self {
        Self(format!("{VISITOR}{visitor}"))
    }

    /// Whether this is an anonymous visitor.
    #[must_use]
    pub fn is_visitor(&self) -> bool {
        self.0.starts_with(VISITOR)
    }
}

fn check_code(text: &str) -> Result<(), BadId> {
    check(text)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.chars().all(plain) { Ok(()) } else { Err(BadId::NotACode) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident by $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it is well formed.
            ///
            /// # Errors
            /// Says what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A customer's id in the shop's own system.
    CustomerId by check;
    /// What an anonymous visitor of a site or app is known by.
    VisitorId by check_visitor;
    /// An order's id in the shop's own system; unique over all customers.
    OrderId by check;
    /// A product's id in the shop's own system.
    ProductId by check;
    /// A category's id in the shop's own system.
    CategoryId by check;
    /// An event's id, given by the caller; unique within one customer.
    EventId by check;
    /// A campaign's id, chosen by who defines it.
    CampaignId by check_code;
    /// A mailing's id, chosen by who defines it.
    MailingId by check_code;
    /// A template's id, chosen by who defines it.
    TemplateId by check_code;
    /// The id of a group of promo codes, chosen by who defines it.
    PromoGroupId by check_code;
    /// A promo code, as the shop's till takes it.
    PromoCode by check;
    /// A short name from a dictionary, such as a status (`shipped`) or an
    /// event's name.
    Code by check_code;
    /// A campaign run; made from its cause.
    RunId by check_code;
    /// A message; made from its cause.
    MessageId by check_code;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_clean_and_not_empty() {
        let check = |text: &str, want: Result<(), BadId>| assert_eq!(OrderId::parse(text).map(drop), want, "{text:?}");
        check("1001", Ok(()));
        check("Заказ № 5", Ok(()));
        check("", Err(BadId::Empty));
        check(" 1", Err(BadId::Characters));
        check("a\u{0}b", Err(BadId::Characters));
        check(&"x".repeat(201), Err(BadId::TooLong));
        assert_eq!(Code::parse("in progress"), Err(BadId::NotACode));
    }
}
