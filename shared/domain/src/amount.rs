use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An exact decimal: money in the order's currency, or a quantity.
///
/// At most 18 digits before the point and 9 behind it. Given as text it is kept to
/// the last digit, trailing zeros included, since shops print what they send; a
/// JSON number goes through the double that JSON readers make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(Decimal);

impl Amount {
    /// Takes a decimal such as `24.95`.
    ///
    /// # Errors
    /// Says what is wrong, in words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let decimal = Decimal::from_str(text).map_err(|_| "must be a decimal number, such as \"24.95\"")?;
        if decimal.scale() > 9 {
            return Err("must have at most 9 digits behind the point");
        }
        if decimal.abs() >= Decimal::from(1_000_000_000_000_000_000_i64) {
            return Err("must have at most 18 digits before the point");
        }
        Ok(Self(decimal))
    }

    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One.
    pub const ONE: Self = Self(Decimal::ONE);

    /// The same below nothing.
    #[must_use]
    pub fn negative(self) -> Self {
        Self(-self.0)
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// The number.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// The number, or the largest that there is.
    #[must_use]
    pub fn bounded(decimal: Decimal) -> Self {
        let most = Decimal::from(999_999_999_999_999_999_i64);
        Self(decimal.clamp(-most, most))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A currency by its three-letter code (ISO 4217), in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(String);

impl Currency {
    /// Takes a three-letter code.
    ///
    /// # Errors
    /// Says what is wrong, in words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a currency code of three capitals (ISO 4217), such as \"EUR\"")
        }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_bounded() {
        assert_eq!(Amount::parse("24.90").unwrap().to_string(), "24.90");
        for bad in ["", "NaN", "1e5x", "1.0123456789", "1000000000000000000", "9".repeat(40).as_str()] {
            assert!(Amount::parse(bad).is_err(), "{bad}");
        }
    }
}
