//! What became of a message, for people.

use super::{Reason, State};

impl State {
    /// What it means, as a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Pending => "It was decided on and is waiting to be sent.",
            Self::Claimed => "It is being handed to Amazon SES right now.",
            Self::Sent => "Amazon SES took it.",
            Self::NotSent => "It was not sent.",
            Self::Unknown => {
                "It may have been sent or not: whoever sent it broke off, and nobody has heard of it since."
            }
        }
    }
}

impl Reason {
    /// What it means, as a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CustomerUnknown => "The shop has told nothing of this customer.",
            Self::Erased => "The customer was erased.",
            Self::NoAddress => "The customer has no e-mail address to which mail can go.",
            Self::NoConsent => "It is marketing, and the customer has not agreed to any.",
            Self::CategoryRefused => "The customer does not want messages of its category.",
            Self::Suppressed => {
                "No mail goes to the customer's address: it bounced, complained, or was stopped by hand."
            }
            Self::SubjectGone => "The order, event or product that it was about is gone.",
            Self::MissingVariable => "The template prints a value that is not there.",
            Self::BlockedByTemplate => "The template stopped it.",
            Self::TemplateFailed => "The template could not be filled in.",
            Self::NoPromoCode => "No promo code was left for it.",
            Self::TooLarge => "It came to be larger than Amazon SES takes.",
            Self::FrequencyCap => "The customer had had as many messages as they may for the time.",
            Self::Expired => "By the time that it could have gone out it was too late for it.",
            Self::NotVerified => "Amazon SES does not let the account write to this address, which is not verified.",
            Self::RefusedBySes => "Amazon SES refused it for good.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_state_and_reason_has_a_sentence_of_its_own() {
        let reasons = Reason::ALL.map(Reason::sentence).into_iter();
        let sentences: Vec<&str> = reasons.chain(State::ALL.map(State::sentence)).collect();
        assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
        assert_eq!(sentences.iter().collect::<BTreeSet<_>>().len(), sentences.len());
    }
}
