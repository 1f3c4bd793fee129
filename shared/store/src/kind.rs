/// What a definition defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A template.
    Template,
    /// A partial, which templates have in common.
    Partial,
    /// A file that mails bring along; [`crate::Definitions::content`] has what is in it.
    Attachment,
    /// A group of promo codes.
    PromoGroup,
    /// A campaign.
    Campaign,
    /// A mass mailing.
    Mailing,
    /// A segment.
    Segment,
    /// A word of the shop's dictionary; its id is [`domain::dictionary::Word::id`].
    Word,
    /// An API key, which [`crate::Keys`] keeps; its versions are here, and never hold
    /// what opens anything.
    Key,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Template,
        Self::Partial,
        Self::Attachment,
        Self::PromoGroup,
        Self::Campaign,
        Self::Mailing,
        Self::Segment,
        Self::Word,
        Self::Key,
    ];

    pub(crate) fn heads(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Partial => "partial",
            Self::Attachment => "attachment",
            Self::PromoGroup => "promo-code-group",
            Self::Campaign => "campaign",
            Self::Mailing => "mailing",
            Self::Segment => "segment",
            Self::Word => "dictionary",
            Self::Key => "key",
        }
    }

    pub(crate) fn versions(self) -> &'static str {
        match self {
            Self::Template => "template-version",
            Self::Partial => "partial-version",
            Self::Attachment => "attachment-version",
            Self::PromoGroup => "promo-code-group-version",
            Self::Campaign => "campaign-version",
            Self::Mailing => "mailing-version",
            Self::Segment => "segment-version",
            Self::Word => "dictionary-version",
            Self::Key => "key-version",
        }
    }
}
