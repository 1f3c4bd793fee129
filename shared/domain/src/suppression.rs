use serde::{Deserialize, Serialize};

/// Why no mail goes to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedFor {
    /// A mail to it came back for good.
    Bounce,
    /// A mail to it was called spam.
    Complaint,
    /// So many mails to it came back for now, one after the other, that it counts as gone.
    SoftBounces,
    /// The shop said so.
    ByHand,
    /// Whose it was, was erased.
    Erased,
}

impl SuppressedFor {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bounce, Self::Complaint, Self::SoftBounces, Self::ByHand, Self::Erased];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::SoftBounces => "soft_bounces",
            Self::ByHand => "by_hand",
            Self::Erased => "erased",
        }
    }

    /// What it means, as a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Bounce => "A mail to the address came back for good: there is no such mailbox.",
            Self::Complaint => "A mail to the address was called spam by whoever got it.",
            Self::SoftBounces => {
                "Several mails to the address came back one after the other, and none got through between."
            }
            Self::ByHand => "The shop stopped all mail to the address.",
            Self::Erased => "Whose address it was, was erased.",
        }
    }
}
