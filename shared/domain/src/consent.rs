//! What a customer has agreed to: being written to at all, and being written to about
//! something.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Code;

/// Whether somebody agreed to be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Somebody said that they agree, and they are still to say so themselves (double
    /// opt-in). Until then they have not agreed.
    Requested,
    /// Agreed.
    Granted,
    /// Refused, or left.
    Denied,
}

impl ConsentState {
    /// All of them, in the order in which they hold of two that are said of the same time.
    pub const ALL: [Self; 3] = [Self::Requested, Self::Granted, Self::Denied];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Denied => "denied",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// A refusal holds against everything, and whoever confirms answers the request.
    fn rank(self) -> usize {
        self as usize
    }
}

/// What a consent is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allows {
    /// Marketing e-mail, of whatever category.
    Email,
    /// What is of this mailing category.
    Category(Code),
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

impl Consent {
    /// What holds once this was said, if that is otherwise than before: the newer one, and
    /// of two at the same time the refusal.
    ///
    /// An *undated* grant or request is what a nightly synchronisation sends for everybody.
    /// It must not bring back somebody who has left since, so it counts only
    /// where nothing was ever said. An undated refusal counts from now on.
    #[must_use]
    pub fn after(known: Option<&Self>, said: ConsentUpdate, now: Timestamp) -> Option<Self> {
        let at = match (said.at, said.state, known) {
            (Some(at), ..) => at,
            (None, ConsentState::Denied, Some(Self { state: ConsentState::Denied, .. })) => return None,
            // Leaving holds even against a grant that some clock dated ahead of ours.
            (None, ConsentState::Denied, Some(known)) => now.max(known.at),
            (None, _, Some(_)) => return None,
            (None, _, None) => now,
        };
        let said = Self { state: said.state, at };
        known.is_none_or(|known| said.place() > known.place()).then_some(said)
    }

    /// The one of two that holds. It does not matter which of them is which.
    #[must_use]
    pub fn later(one: Option<&Self>, other: Option<&Self>) -> Option<Self> {
        [one, other].into_iter().flatten().max_by_key(|consent| consent.place()).cloned()
    }

    /// What they say themselves, here and now, which holds against whatever was said
    /// before; `None` if it is so already.
    #[must_use]
    pub fn chosen(known: Option<&Self>, state: ConsentState, now: Timestamp) -> Option<ConsentUpdate> {
        let at = match known {
            Some(known) if known.state == state => return None,
            // Some clock may have dated it ahead of ours, or this is the same instant.
            Some(known) if known.at >= now => known.at + jiff::SignedDuration::from_nanos(1),
            _ => now,
        };
        Some(ConsentUpdate { state, at: Some(at) })
    }

    fn place(&self) -> (Timestamp, usize) {
        (self.at, self.state.rank())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConsentState::{Denied, Granted, Requested};
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn said(state: ConsentState, second: Option<i64>) -> ConsentUpdate {
        ConsentUpdate { state, at: second.map(at) }
    }

    fn consent(state: ConsentState, second: i64) -> Consent {
        Consent { state, at: at(second) }
    }

    #[test]
    fn an_undated_grant_or_request_never_brings_back_who_left() {
        for state in [Granted, Requested] {
            assert_eq!(Consent::after(None, said(state, None), at(1)), Some(consent(state, 1)));
            for known in ConsentState::ALL {
                assert_eq!(Consent::after(Some(&consent(known, 2)), said(state, None), at(3)), None);
            }
            let later = Consent::after(Some(&consent(Denied, 2)), said(state, Some(4)), at(5));
            assert_eq!(later, Some(consent(state, 4)));
        }
    }

    #[test]
    fn leaving_holds_against_what_was_dated_ahead_and_is_said_once() {
        let left = Consent::after(Some(&consent(Granted, 90)), said(Denied, None), at(2)).unwrap();
        assert_eq!(left, consent(Denied, 90));
        assert_eq!(Consent::after(Some(&left), said(Denied, None), at(99)), None);
    }

    #[test]
    fn of_two_at_the_same_time_the_refusal_holds_and_a_grant_answers_a_request() {
        for (first, second, holds) in
            [(Granted, Denied, Denied), (Requested, Denied, Denied), (Requested, Granted, Granted)]
        {
            for (known, new) in [(first, second), (second, first)] {
                let known = consent(known, 5);
                let after = Consent::after(Some(&known), said(new, Some(5)), at(9)).unwrap_or(known);
                assert_eq!(after.state, holds);
            }
        }
    }

    #[test]
    fn what_somebody_chooses_themselves_holds_whatever_was_dated_ahead() {
        for known in [None, Some(consent(Denied, 5)), Some(consent(Granted, 90)), Some(consent(Requested, 90))] {
            for state in [Granted, Denied] {
                let known = known.as_ref();
                match Consent::chosen(known, state, at(5)) {
                    Some(update) => assert_eq!(Consent::after(known, update, at(5)).unwrap().state, state),
                    None => assert_eq!(known.unwrap().state, state),
                }
            }
        }
    }

    proptest! {
        #[test]
        fn dated_sayings_end_the_same_in_any_order_told_here_or_there(
            sayings in prop::collection::vec((0usize..3, 0i64..5, any::<bool>()), 1..8),
        ) {
            let fold = |sayings: &mut dyn Iterator<Item = &(usize, i64, bool)>| {
                sayings.fold(None, |known: Option<Consent>, (state, second, _)| {
                    Consent::after(known.as_ref(), said(ConsentState::ALL[*state], Some(*second)), at(99)).or(known)
                })
            };
            let all = fold(&mut sayings.iter());
            prop_assert_eq!(&all, &fold(&mut sayings.iter().rev()));
            let side = |here: bool| fold(&mut sayings.iter().filter(|(.., side)| *side == here));
            prop_assert_eq!(all, Consent::later(side(true).as_ref(), side(false).as_ref()));
        }
    }
}
