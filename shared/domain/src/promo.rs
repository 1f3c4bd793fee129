//! Promo codes: groups of them, and the patterns by which they are made.

use serde::{Deserialize, Serialize};

/// What stands for `?`: letters that look like no other letter and no digit. There are no vowels
/// among them, so that no words come about.
const LETTERS: &[u8; 20] = b"BCDFGHJKMNPQRSTVWXYZ";

/// What stands for `#`: digits that look like no letter.
const DIGITS: &[u8; 8] = b"23456789";

/// The longest pattern, in characters.
const LONGEST: usize = 60;

/// The most characters of a pattern that are made up: all the codes that there may be are then
/// far fewer than there are numbers to make them of.
const MOST_OPEN: usize = 20;

/// How many codes a pattern must be able to make at least, so that nobody guesses one that was
/// given, and hardly any is made twice.
const LEAST_CODES: u128 = 500_000_000;

/// A group of promo codes, of which each message is given one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoGroup {
    /// Its name, for people.
    pub name: String,
    /// How its codes are made; without it they are those that were uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<PromoPattern>,
}

/// How codes are made: as it is written, but a letter for each `?` and a digit for each `#`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PromoPattern(String);

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// Longer than a code may be.
    #[error("must be at most {LONGEST} characters long")]
    TooLong,
    /// It has a character that is none of those.
    #[error("may hold only letters, digits, `_`, `-` and `.`, `?` for a letter and `#` for a digit that is made up")]
    Characters,
    /// So many of its characters are made up that no number says all of them.
    #[error("may have at most {MOST_OPEN} characters that are made up (`?` and `#`)")]
    TooOpen,
    /// It makes so few codes that one could be guessed.
    #[error(
        "makes only {0} codes, so that one could be guessed; with a `?` more it makes 20 times as many, with a `#` \
         more 8 times, and {LEAST_CODES} is the least"
    )]
    TooFew(u128),
}

impl PromoPattern {
    /// Takes the text if it is a pattern that makes enough codes.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '?' | '#');
        if !text.chars().all(known) {
            return Err(BadPattern::Characters);
        }
        if text.len() > LONGEST {
            return Err(BadPattern::TooLong);
        }
        if text.bytes().filter(|byte| choices(*byte).is_some()).count() > MOST_OPEN {
            return Err(BadPattern::TooOpen);
        }
        let pattern = Self(text.to_owned());
        match pattern.possible() {
            few if few < LEAST_CODES => Err(BadPattern::TooFew(few)),
            _ => Ok(pattern),
        }
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many codes it makes.
    #[must_use]
    pub fn possible(&self) -> u128 {
        self.0.bytes().filter_map(choices).map(|choices| choices.len() as u128).product()
    }

    /// The code of this number: each below [`Self::possible`] has its own, and beyond that they
    /// begin anew.
    #[must_use]
    pub fn code(&self, number: u128) -> String {
        let mut left = number;
        let made = |byte: u8| match choices(byte) {
            Some(choices) => {
                let count = choices.len() as u128;
                let chosen = usize::try_from(left % count).unwrap_or_default();
                left /= count;
                char::from(choices[chosen])
            }
            None => char::from(byte),
        };
        self.0.bytes().map(made).collect()
    }
}

/// What may stand for a character of a pattern, if it is to be made up.
fn choices(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'?' => Some(LETTERS),
        b'#' => Some(DIGITS),
        _ => None,
    }
}

impl TryFrom<String> for PromoPattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        Self::parse(&text)
    }
}

impl From<PromoPattern> for String {
    fn from(pattern: PromoPattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns() -> impl Strategy<Value = PromoPattern> {
        let drawn = prop::collection::vec(prop::sample::select(b"??##A0-_.".to_vec()), 7..40);
        let texts = drawn.prop_map(|bytes| String::from_utf8(bytes).unwrap());
        texts.prop_filter_map("is no pattern", |text| PromoPattern::parse(&text).ok())
    }

    proptest! {
        #[test]
        fn a_code_is_its_pattern_with_letters_and_digits_that_nobody_takes_for_others(
            pattern in patterns(), number in any::<u128>()
        ) {
            let code = pattern.code(number);
            prop_assert_eq!(code.len(), pattern.as_str().len());
            for (made, written) in code.chars().zip(pattern.as_str().chars()) {
                match written {
                    '?' => prop_assert!(made.is_ascii_uppercase() && !"AEIOUL".contains(made), "{code}"),
                    '#' => prop_assert!(made.is_ascii_digit() && !"01".contains(made), "{code}"),
                    literal => prop_assert_eq!(made, literal),
                }
            }
        }

        #[test]
        fn each_number_has_a_code_of_its_own_until_there_are_no_more(
            pattern in patterns(), one in any::<u128>(), other in any::<u128>(), near in 0u128..50
        ) {
            let possible = pattern.possible();
            for other in [other % possible, (one % possible + near) % possible] {
                prop_assert_eq!(pattern.code(one % possible) == pattern.code(other), one % possible == other);
            }
            let next_round = (one % possible).checked_add(possible);
            prop_assert!(next_round.is_none_or(|next| pattern.code(next) == pattern.code(one)));
        }

        #[test]
        fn whatever_is_taken_for_a_pattern_makes_enough_codes(text in ".{0,70}") {
            if let Ok(pattern) = PromoPattern::parse(&text) {
                prop_assert!(pattern.possible() >= LEAST_CODES && pattern.as_str() == text);
            }
        }
    }

    #[test]
    fn a_pattern_that_could_be_guessed_is_none() {
        let check = |text: &str, want: Result<u128, BadPattern>| {
            assert_eq!(PromoPattern::parse(text).map(|pattern| pattern.possible()), want, "{text:?}");
        };
        check("SUMMER-????-####", Ok(160_000 * 4_096));
        check("SUMMER-???-####", Err(BadPattern::TooFew(8_000 * 4_096)));
        check("SUMMER", Err(BadPattern::TooFew(1)));
        check("", Err(BadPattern::TooFew(1)));
        check("Ģ-????????", Err(BadPattern::Characters));
        check("SUMMER ????????", Err(BadPattern::Characters));
        check(&"?".repeat(20), Ok(20u128.pow(20)));
        check(&"?".repeat(21), Err(BadPattern::TooOpen));
        check(&format!("{}????????", "x".repeat(53)), Err(BadPattern::TooLong));
        assert!(serde_json::from_str::<PromoPattern>("\"TEN\"").is_err());
    }
}
