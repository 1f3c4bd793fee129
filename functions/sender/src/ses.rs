//! SES, and what its answers mean.
//!
//! | class | what SES says | what becomes of the message |
//! |---|---|---|
//! | taken | 200 | SENT |
//! | never | `MessageRejected`, `BadRequestException`; 400 and 413 that find fault with the request | NOT_SENT, `refused_by_ses` |
//! | never | `MessageRejected`: an address is not verified, and it is not ours (the sandbox) | NOT_SENT, `not_verified` |
//! | later | `TooManyRequestsException`, `ThrottlingException`, `Throttling`; "Maximum sending rate exceeded" | given back, and the pace is held |
//! | later | no connection came about; 503 by which the front end turns away what it has not looked at (`SlowDown`, `ServiceUnavailable`) | given back |
//! | stop | `AccountSuspendedException`, `SendingPausedException` (account or configuration set), "Sending paused for this account" | given back, nothing is sent |
//! | stop | `LimitExceededException`, "Daily message quota exceeded" | the same |
//! | stop | `MailFromDomainNotVerifiedException`; `MessageRejected`: our own address or domain is not verified | the same |
//! | stop | `NotFoundException` (the configuration set), `AccessDenied` | the same |
//! | nobody knows | any other 5xx, an answer that did not come or broke off | CLAIMED, until SES's events or the lease settle it |
//! | anything else | other 4xx | given back; tried again some times, and then among the dead letters |
//!
//! A server error says nothing about whether the mail had been taken before, so it is no
//! answer: sent again it might arrive twice. A connection that never came about has carried
//! nothing, and a time-out before that is the same; one after it is no answer. The texts are
//! looked at whatever the error is called, as SES says some of them under several names.

use anyhow::anyhow;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Attachment, AttachmentContentDisposition, AttachmentContentTransferEncoding, Body, Content, Destination,
    EmailContent, Message as Simple, MessageHeader, MessageTag,
};
use domain::message::{Origin, Reason};
use domain::{Message, WhyStopped};
use mail::{Enclosed, Mail};
use store::SendingAccount;

/// SES, with the configuration set that reports back.
#[derive(Debug, Clone)]
pub(crate) struct Ses {
    client: Client,
    configuration_set: String,
}

/// What SES said.
#[derive(Debug)]
pub(crate) enum Answered {
    /// It took the mail.
    Accepted {
        /// Its id for it.
        ses_id: String,
    },
    /// It will never take this mail.
    Refused {
        /// Why.
        reason: Reason,
        /// SES's word for it.
        detail: String,
    },
    /// It did not take it, but may another time.
    NotNow(NotNow),
    /// Nobody knows.
    Silent(anyhow::Error),
}

/// Why SES did not take a mail that it may take another time.
#[derive(Debug)]
pub(crate) enum NotNow {
    /// It was too fast.
    TooFast,
    /// SES was not asked, or did not look at it.
    NotReached(anyhow::Error),
    /// It takes no mail of ours for now.
    Stopped(WhyStopped),
    /// For a reason that is not known here.
    Other(anyhow::Error),
}

impl Ses {
    pub(crate) fn new(client: Client, configuration_set: String) -> Self {
        Self { client, configuration_set }
    }

    /// Asks SES once to send a mail.
    pub(crate) async fn send(&self, mail: &Mail, message: &Message) -> Answered {
        let (content, tags) = match (content(mail), tags(message)) {
            (Ok(content), Ok(tags)) => (content, tags),
            (Err(error), _) | (_, Err(error)) => return Answered::NotNow(NotNow::Other(error)),
        };
        let sent = self
            .client
            .send_email()
            .from_email_address(&mail.from)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(content)
            .set_email_tags(Some(tags))
            .configuration_set_name(&self.configuration_set)
            .send()
            .await;
        match sent {
            Ok(sent) => Answered::Accepted { ses_id: sent.message_id.unwrap_or_default() },
            Err(error) => answered(&error, &mail.from),
        }
    }

    /// What the account may do.
    ///
    /// # Errors
    /// If SES does not say.
    pub(crate) async fn account(&self) -> anyhow::Result<SendingAccount> {
        let account = self.client.get_account().send().await;
        let account = account.map_err(|error| anyhow!("the account could not be read: {}", aws::describe(&error)))?;
        let quota = account.send_quota.ok_or_else(|| anyhow!("the account has no quota"))?;
        Ok(SendingAccount {
            rate: quota.max_send_rate,
            per_day: (quota.max24_hour_send >= 0.0).then_some(quota.max24_hour_send),
            used: quota.sent_last24_hours,
        })
    }
}

fn answered(error: &SdkError<SendEmailError>, from: &str) -> Answered {
    let said = aws::describe(error);
    if aws::never_connected(error) {
        return Answered::NotNow(NotNow::NotReached(anyhow!(said)));
    }
    match error {
        SdkError::ServiceError(answer) => {
            let (code, text) = (answer.err().code(), answer.err().message());
            classify(answer.raw().status().as_u16(), code.unwrap_or_default(), text.unwrap_or_default(), from)
        }
        SdkError::ConstructionFailure(_) => Answered::NotNow(NotNow::Other(anyhow!(said))),
        // Everything else broke off while the call was under way.
        _ => Answered::Silent(anyhow!(said)),
    }
}

/// What an error means, by its status, name and text; see the table above. `from` is the
/// address that the mail comes from, with its name or without.
fn classify(status: u16, code: &str, text: &str, from: &str) -> Answered {
    let says = |part: &str| text.to_ascii_lowercase().contains(part);
    let named = || anyhow!("{}", if code.is_empty() { "an error that was not named" } else { code });
    if status >= 500 {
        let turned_away = matches!(code, "SlowDown" | "ServiceUnavailable" | "ServiceUnavailableException");
        return if status == 503 && turned_away {
            Answered::NotNow(NotNow::NotReached(named()))
        } else {
            Answered::Silent(named())
        };
    }
    if code == "LimitExceededException" || says("daily message quota") || says("daily sending quota") {
        return Answered::NotNow(NotNow::Stopped(WhyStopped::DailyQuota));
    }
    if says("sending paused for this account") {
        return Answered::NotNow(NotNow::Stopped(WhyStopped::SendingPaused));
    }
    match code {
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" => Answered::NotNow(NotNow::TooFast),
        _ if status == 429 || says("maximum sending rate exceeded") => Answered::NotNow(NotNow::TooFast),
        "AccountSuspendedException" => Answered::NotNow(NotNow::Stopped(WhyStopped::AccountSuspended)),
        "SendingPausedException" => Answered::NotNow(NotNow::Stopped(WhyStopped::SendingPaused)),
        "MailFromDomainNotVerifiedException" => Answered::NotNow(NotNow::Stopped(WhyStopped::IdentityNotVerified)),
        "NotFoundException" => Answered::NotNow(NotNow::Stopped(WhyStopped::ConfigurationSetMissing)),
        "AccessDeniedException" | "AccessDenied" => Answered::NotNow(NotNow::Stopped(WhyStopped::NotAllowed)),
        "MessageRejected" | "BadRequestException" if says("not verified") => {
            if is_about(text, from) {
                Answered::NotNow(NotNow::Stopped(WhyStopped::IdentityNotVerified))
            } else {
                Answered::Refused { reason: Reason::NotVerified, detail: code.to_owned() }
            }
        }
        "MessageRejected"
        | "BadRequestException"
        | "ValidationException"
        | "ValidationError"
        | "SerializationException"
        | "InvalidParameterValue"
        | "RequestEntityTooLarge" => Answered::Refused { reason: Reason::RefusedBySes, detail: code.to_owned() },
        _ if status == 413 => Answered::Refused { reason: Reason::RefusedBySes, detail: "too large".to_owned() },
        _ => Answered::NotNow(NotNow::Other(named())),
    }
}

/// Whether a text names the address that mail comes from, or its domain, as an identity by
/// itself: `shop@b.example` is not in `myshop@b.example`.
fn is_about(text: &str, from: &str) -> bool {
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>')).to_ascii_lowercase();
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let text = text.to_ascii_lowercase();
    let mut names = text.split(|c: char| c.is_whitespace() || ",;<>()\"".contains(c));
    names.any(|name| !name.is_empty() && (name == address || name == domain))
}

/// The tags come back in every event that SES tells of the mail: the message id,
/// by which we know it, and what it belongs to, for whoever reads the events.
fn tags(message: &Message) -> anyhow::Result<Vec<MessageTag>> {
    let belongs = match &message.origin {
        Origin::Campaign { campaign_id, .. } => ("campaign", campaign_id.as_str()),
        Origin::Mailing { mailing_id, .. } => ("mailing", mailing_id.as_str()),
        Origin::Test { .. } => ("test", message.template_id.as_str()),
    };
    let tags = [("message_id", message.id.as_str()), belongs];
    // SES takes letters, digits, `_` and `-`; our ids may have a `.` as well.
    let tag = |(name, value): (&str, &str)| MessageTag::builder().name(name).value(value.replace('.', "_")).build();
    tags.into_iter().map(|part| Ok(tag(part)?)).collect()
}

fn content(mail: &Mail) -> anyhow::Result<EmailContent> {
    let part = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |(name, value): &(&str, String)| MessageHeader::builder().name(*name).value(value).build();
    let headers: Result<Vec<_>, _> = mail.headers.iter().map(header).collect();
    let body = Body::builder().html(part(&mail.html)?).text(part(&mail.text)?).build();
    let files: Result<Vec<_>, _> = mail.files.iter().map(attachment).collect();
    let files = Some(files?).filter(|files| !files.is_empty());
    let simple = Simple::builder().subject(part(&mail.subject)?).body(body).set_headers(Some(headers?));
    Ok(EmailContent::builder().simple(simple.set_attachments(files).build()).build())
}

fn attachment(file: &Enclosed) -> anyhow::Result<Attachment> {
    let disposition = match file.content_id {
        Some(_) => AttachmentContentDisposition::Inline,
        None => AttachmentContentDisposition::Attachment,
    };
    let attachment = Attachment::builder()
        .file_name(&file.name)
        .content_type(&file.media_type)
        .content_disposition(disposition)
        .set_content_id(file.content_id.clone())
        // Otherwise SES takes it for text of seven bits.
        .content_transfer_encoding(AttachmentContentTransferEncoding::Base64)
        .raw_content(Blob::new(file.content.to_vec()));
    Ok(attachment.build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "\"My shop\" <shop@b.example>";

    fn class(status: u16, code: &str, text: &str) -> String {
        match classify(status, code, text, FROM) {
            Answered::Refused { reason, .. } => format!("never: {}", reason.as_str()),
            Answered::NotNow(NotNow::TooFast) => "later: too fast".to_owned(),
            Answered::NotNow(NotNow::NotReached(_)) => "later: not reached".to_owned(),
            Answered::NotNow(NotNow::Stopped(why)) => format!("stop: {}", why.as_str()),
            Answered::NotNow(NotNow::Other(_)) => "not taken".to_owned(),
            Answered::Silent(_) => "nobody knows".to_owned(),
            Answered::Accepted { .. } => "taken".to_owned(),
        }
    }

    #[test]
    fn each_of_sess_errors_is_never_later_or_stops_everything() {
        for (status, code, text, expected) in [
            (429, "TooManyRequestsException", "Maximum sending rate exceeded.", "later: too fast"),
            (400, "ThrottlingException", "Maximum sending rate exceeded", "later: too fast"),
            (429, "", "", "later: too fast"),
            (400, "ThrottlingException", "Daily message quota exceeded", "stop: daily_quota"),
            (429, "TooManyRequestsException", "Daily message quota exceeded.", "stop: daily_quota"),
            (400, "LimitExceededException", "Daily message quota exceeded.", "stop: daily_quota"),
            (400, "SendingPausedException", "Email sending is disabled for this account.", "stop: sending_paused"),
            (
                400,
                "MessageRejected",
                "Sending paused for this account. For more information, …",
                "stop: sending_paused",
            ),
            (400, "AccountSuspendedException", "", "stop: account_suspended"),
            (400, "MailFromDomainNotVerifiedException", "", "stop: identity_not_verified"),
            (404, "NotFoundException", "Configuration set <shop> does not exist.", "stop: configuration_set_missing"),
            (403, "AccessDeniedException", "User … is not authorized", "stop: not_allowed"),
            (400, "MessageRejected", "Email content contains a virus.", "never: refused_by_ses"),
            (400, "BadRequestException", "Illegal address", "never: refused_by_ses"),
            (413, "", "", "never: refused_by_ses"),
            (503, "SlowDown", "Please reduce your request rate.", "later: not reached"),
            (503, "ServiceUnavailable", "", "later: not reached"),
            (503, "", "", "nobody knows"),
            (500, "InternalServiceErrorException", "", "nobody knows"),
            (502, "", "", "nobody knows"),
            (403, "ExpiredTokenException", "", "not taken"),
        ] {
            assert_eq!(class(status, code, text), expected, "{status} {code} {text}");
        }
    }

    #[test]
    fn an_address_that_is_not_verified_stops_everything_only_if_it_is_ours() {
        let failed = |identities: &str| {
            let text = "Email address is not verified. The following identities failed the check in region EU-WEST-1: ";
            class(400, "MessageRejected", &format!("{text}{identities}"))
        };
        assert_eq!(failed("ada@a.example"), "never: not_verified");
        assert_eq!(failed("myshop@b.example"), "never: not_verified");
        assert_eq!(failed("shop@b.example.org"), "never: not_verified");
        assert_eq!(failed("My shop <shop@b.example>, ada@a.example"), "stop: identity_not_verified");
        assert_eq!(failed("ada@a.example, Shop@B.example"), "stop: identity_not_verified");
        assert_eq!(failed("b.example"), "stop: identity_not_verified");
    }
}
