use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::link::Link;
use domain::{EmailAddress, MessageId};

use crate::Enclosed;

/// Who sends: from the bundle's configuration.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The address that mails come from.
    pub from_address: String,
    /// The shop's name, as recipients see it.
    pub shop_name: String,
    /// Where the public links begin.
    pub public_url: String,
}

/// A mail, ready to go.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The `From` header.
    pub from: String,
    /// To whom.
    pub to: EmailAddress,
    /// The subject, one line.
    pub subject: String,
    /// The HTML body.
    pub html: String,
    /// The plain-text body.
    pub text: String,
    /// Further headers, by name.
    pub headers: Vec<(&'static str, String)>,
    /// What goes along.
    pub files: Arc<[Enclosed]>,
}

impl Identity {
    /// As the settings say; `required` gives what the environment holds for one, by its name.
    ///
    /// # Errors
    /// What `required` fails with.
    pub fn read<E>(required: impl Fn(&str) -> Result<String, E>) -> Result<Self, E> {
        Ok(Self {
            from_address: required("FROM_ADDRESS")?,
            shop_name: required("SHOP_NAME")?,
            public_url: required("PUBLIC_URL")?,
        })
    }

    /// The `From` header: the shop's name and address.
    ///
    /// A plain name is quoted (RFC 5322, 3.2.4), any other is encoded (RFC 2047)
    /// in words of at most 75 characters.
    #[must_use]
    pub fn from(&self) -> String {
        let name = &self.shop_name;
        let shown = if name.chars().all(|c| c.is_ascii() && !c.is_ascii_control()) {
            format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            let mut words: Vec<String> = Vec::new();
            for c in name.chars().filter(|c| !c.is_control()) {
                match words.last_mut() {
                    Some(word) if word.len() + c.len_utf8() <= 42 => word.push(c),
                    _ => words.push(c.to_string()),
                }
            }
            let encoded: Vec<String> =
                words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
            encoded.join(" ")
        };
        format!("{shown} <{}>", self.from_address)
    }

    /// One of a message's links.
    #[must_use]
    pub fn link(&self, secret: &str, link: Link<'_>, id: &MessageId) -> String {
        let begin = self.public_url.trim_end_matches('/');
        format!("{begin}{}{}", link.path(), contracts::link::token(secret, link, id))
    }
}

/// The headers with which a mail program shows its own "unsubscribe" and calls
/// it with one click (RFC 2369, RFC 8058).
pub(crate) fn leave_headers(link: &str) -> Vec<(&'static str, String)> {
    vec![("List-Unsubscribe", format!("<{link}>")), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shops_name_of_any_kind_makes_a_plain_header() {
        let from = |name: &str| {
            let shop_name = name.to_owned();
            Identity { from_address: "a@b.example".into(), shop_name, public_url: String::new() }.from()
        };
        assert_eq!(from("Mugs, \"Ltd\""), "\"Mugs, \\\"Ltd\\\"\" <a@b.example>");
        assert_eq!(from("Ēka"), "=?UTF-8?B?xJJrYQ==?= <a@b.example>");
        let long = from(&"Ж".repeat(60));
        assert!(long.is_ascii() && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
