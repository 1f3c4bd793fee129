use serde::{Deserialize, Serialize};

/// Why nothing is sent for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyStopped {
    /// SES has taken away the account's right to send.
    AccountSuspended,
    /// Sending is paused, for the account or for our configuration set.
    SendingPaused,
    /// As much was sent in 24 hours as the account may.
    DailyQuota,
    /// The address that mail comes from, its domain or its MAIL FROM domain is not verified.
    IdentityNotVerified,
    /// There is no such configuration set.
    ConfigurationSetMissing,
    /// IAM does not let us send.
    NotAllowed,
}

impl WhyStopped {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AccountSuspended,
        Self::SendingPaused,
        Self::DailyQuota,
        Self::IdentityNotVerified,
        Self::ConfigurationSetMissing,
        Self::NotAllowed,
    ];

    /// Its name in the API and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountSuspended => "account_suspended",
            Self::SendingPaused => "sending_paused",
            Self::DailyQuota => "daily_quota",
            Self::IdentityNotVerified => "identity_not_verified",
            Self::ConfigurationSetMissing => "configuration_set_missing",
            Self::NotAllowed => "not_allowed",
        }
    }
}
