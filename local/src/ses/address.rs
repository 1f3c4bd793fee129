//! Mail addresses as SES takes them: `name@example.com`, or
//! `My shop <name@example.com>` with the name in 7-bit ASCII.

use std::fmt;

/// The domain of the mailbox simulator.
const SIMULATOR: &str = "simulator.amazonses.com";

/// A checked address, with the name that was written before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    written: String,
    local: String,
    domain: String,
}

/// What the mailbox simulator does with mail for one of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Simulated {
    Success,
    Bounce,
    OutOfOffice,
    Complaint,
    Suppressed,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// SES's own words for what is wrong with it.
    pub(super) fn parse(written: &str) -> Result<Self, &'static str> {
        let written = written.trim();
        let (name, bare) = match written.rsplit_once('<') {
            Some((name, rest)) => (name.trim(), rest.strip_suffix('>').ok_or("Illegal address")?),
            None => ("", written),
        };
        check_name(name)?;
        let (local, domain) = bare.rsplit_once('@').ok_or("Missing final '@domain'")?;
        check_local(local)?;
        check_domain(domain)?;
        Ok(Self { written: written.to_owned(), local: local.to_owned(), domain: domain.to_ascii_lowercase() })
    }

    /// The address alone, its domain in lower case.
    pub(super) fn bare(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }

    /// What becomes of mail for it, if it is one of the mailbox simulator's.
    /// A label (`bounce+anything@`) changes nothing.
    pub(super) fn simulated(&self) -> Option<Simulated> {
        if self.domain != SIMULATOR {
            return None;
        }
        let local = self.local.split('+').next().unwrap_or_default();
        Some(match local {
            "bounce" => Simulated::Bounce,
            "ooto" => Simulated::OutOfOffice,
            "complaint" => Simulated::Complaint,
            "suppressionlist" => Simulated::Suppressed,
            _ => Simulated::Success,
        })
    }
}

/// As it was written, with its name.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let plain = !name.contains(|c: char| ",:;@<>[]()\"\\".contains(c));
    let quoted = name.len() >= 2 && name.starts_with('"') && name.ends_with('"');
    if !name.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        Err("Display name contains characters that are not 7-bit ASCII")
    } else if !plain && !quoted {
        Err("Illegal address")
    } else {
        Ok(())
    }
}

fn check_local(local: &str) -> Result<(), &'static str> {
    if local.is_empty() {
        Err("Missing local name")
    } else if local.len() > 64 {
        Err("Local name is too long")
    } else if !local.is_ascii() {
        Err("Local address contains non-ASCII characters")
    } else if local.bytes().any(|b| b <= b' ' || b == 127) {
        Err("Local address contains control or whitespace")
    } else if local.contains(|c: char| ",:;@<>[]()\"\\".contains(c)) {
        Err("Illegal address")
    } else {
        Ok(())
    }
}

fn check_domain(domain: &str) -> Result<(), &'static str> {
    if domain.is_empty() {
        Err("Missing final '@domain'")
    } else if domain.starts_with('.') {
        Err("Domain starts with dot")
    } else if domain.ends_with('.') {
        Err("Domain ends with dot")
    } else if domain.contains("..") {
        Err("Domain contains dot-dot")
    } else if domain.len() > 253 || !domain.bytes().all(is_domain_byte) {
        Err("Domain contains illegal character")
    } else {
        Ok(())
    }
}

fn is_domain_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_before_the_address_is_kept_and_not_part_of_it() {
        let address = Address::parse(" My shop <Shop@Example.COM> ").unwrap();
        assert_eq!(address.bare(), "Shop@example.com");
        assert_eq!(address.to_string(), "My shop <Shop@Example.COM>");
        assert!(Address::parse("\"My shop, Ltd\" <shop@example.com>").is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_ses() {
        let check = |written, expected| assert_eq!(Address::parse(written), Err(expected));
        check("nobody", "Missing final '@domain'");
        check("@example.com", "Missing local name");
        check("some body@example.com", "Local address contains control or whitespace");
        check("a@exa..mple.com", "Domain contains dot-dot");
        check("a@exämple.com", "Domain contains illegal character");
        check("ä@example.com", "Local address contains non-ASCII characters");
        check("My shop, Ltd <a@example.com>", "Illegal address");
        check("a@example.com,b@example.com", "Illegal address");
        check("Müller <a@example.com>", "Display name contains characters that are not 7-bit ASCII");
    }

    #[test]
    fn the_simulator_looks_past_a_label() {
        let simulated = |address| Address::parse(address).unwrap().simulated();
        let bounce = Some(Simulated::Bounce);
        assert_eq!(simulated("bounce@simulator.amazonses.com"), bounce);
        assert_eq!(simulated("bounce+7@Simulator.amazonses.com"), bounce);
        assert_eq!(simulated("bounce@example.com"), None);
    }
}
