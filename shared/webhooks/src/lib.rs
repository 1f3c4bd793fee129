//! Webhooks of Shopify and WooCommerce, said in the words of our own API.
//!
//! Nothing here does I/O or reads a clock. A payload becomes a list of
//! [`Told`](contracts::told::Told), in the order in which it is to be taken in;
//! an empty list means that there is nothing in it for us.
//!
//! # Who a guest is
//!
//! An order without a customer of the shop's own is the order of a customer whose
//! id is made from the e-mail address ([`guest`]): all orders placed with one
//! address are one person's. Without an address the id is made from the order.
//!
//! # When something was true
//!
//! Both shops date to the second and say a thing several times within one. Two
//! contents for one time contradict each other, so the times are made finer:
//! a status adds its rank in milliseconds (within one second *paid* comes after
//! *awaiting payment*), and Shopify's `X-Shopify-Triggered-At` tells its
//! deliveries of one second apart. Only what the delivery itself says goes into
//! this, so that a delivery that is repeated gives the same times again.

mod clock;
mod payload;
pub mod shopify;
pub mod woocommerce;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What the id of every guest begins with.
const GUEST: &str = "guest-";

/// Whether the header's signature (base64 of an HMAC-SHA256) is that of exactly
/// these bytes under this secret. Both shops sign so. Takes as long for a wrong
/// signature as for a right one. An empty secret has no right signature.
#[must_use]
pub fn verify(secret: &str, body: &[u8], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(&signature).is_ok() && !secret.is_empty()
}

/// The customer id of whoever orders with this e-mail address without being a
/// customer of the shop's. The address cannot be read from it.
#[must_use]
pub fn guest(email: &str) -> String {
    format!("{GUEST}{}", domain::digest(&["guest", &email.trim().to_lowercase()]))
}

/// The customer id of whoever placed this order and left no address.
fn guest_of_order(order: &str) -> String {
    format!("{GUEST}{}", domain::digest(&["guest-order", order]))
}

/// Whether the customer is a guest, so that an order may still find its customer.
#[must_use]
pub fn is_guest(customer: &str) -> bool {
    customer.starts_with(GUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(secret: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body);
        STANDARD.encode(mac.finalize().into_bytes())
    }

    #[test]
    fn only_the_signature_of_these_bytes_under_this_secret_is_right() {
        let signature = sign("secret", b"{}");
        assert!(verify("secret", b"{}", &signature));
        // RFC 4231, test case 2.
        assert!(verify("Jefe", b"what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="));
        for (secret, body, signature) in [
            ("other", b"{}".as_slice(), signature.as_str()),
            ("secret", b"{ }", &signature),
            ("secret", b"{}", ""),
            ("secret", b"{}", "not base64"),
            ("secret", b"{}", &STANDARD.encode(&STANDARD.decode(&signature).unwrap()[..16])),
            ("", b"{}", &sign("", b"{}")),
        ] {
            assert!(!verify(secret, body, signature), "{secret} {signature}");
        }
    }

    #[test]
    fn one_address_is_one_guest_however_it_is_written() {
        assert_eq!(guest("Ada@Example.com "), guest("ada@example.com"));
        assert!(is_guest(&guest("ada@example.com")) && !guest("ada@example.com").contains("ada"));
        assert_ne!(guest("1"), guest_of_order("1"));
    }
}
