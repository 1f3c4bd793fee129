use std::time::Duration;

use anyhow::anyhow;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{DisplayErrorContext, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as Simple, MessageHeader, MessageTag};
use domain::MessageId;

use crate::mail::Mail;

/// How long to wait before SES is asked again after it said "not so fast".
const PAUSE: Duration = Duration::from_millis(250);

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
        /// SES's word for why.
        detail: String,
    },
    /// It did not take it, but may another time.
    NotNow(anyhow::Error),
    /// Nobody knows.
    Silent(anyhow::Error),
}

impl Ses {
    pub(crate) fn new(client: Client, configuration_set: String) -> Self {
        Self { client, configuration_set }
    }

    /// Sends a mail; asks again as long as `there_is_time` where SES is certain
    /// not to have taken it.
    pub(crate) async fn send(&self, mail: &Mail, id: &MessageId, there_is_time: impl Fn() -> bool) -> Answered {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(mail, id).await {
                Answered::NotNow(_) if tries < 4 && there_is_time() => tokio::time::sleep(PAUSE * tries).await,
                answered => return answered,
            }
        }
    }

    async fn try_once(&self, mail: &Mail, id: &MessageId) -> Answered {
        let (content, tag) = match (content(mail), MessageTag::builder().name("message_id").value(id.as_str()).build())
        {
            (Ok(content), Ok(tag)) => (content, tag),
            (Err(error), _) => return Answered::NotNow(error),
            (_, Err(error)) => return Answered::NotNow(error.into()),
        };
        let sent = self
            .client
            .send_email()
            .from_email_address(&mail.from)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(content)
            .email_tags(tag)
            .configuration_set_name(&self.configuration_set)
            .send()
            .await;
        match sent {
            Ok(sent) => Answered::Accepted { ses_id: sent.message_id.unwrap_or_default() },
            Err(error) => classify(error),
        }
    }
}

fn classify(error: SdkError<SendEmailError>) -> Answered {
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            match answer.err() {
                // The error's own text may hold an address, so only its name goes on.
                SendEmailError::MessageRejected(_) => Answered::Refused { detail: "MessageRejected".into() },
                SendEmailError::BadRequestException(_) => Answered::Refused { detail: "BadRequestException".into() },
                other => Answered::NotNow(anyhow!("{} (status {status})", name(other))),
            }
        }
        SdkError::ConstructionFailure(_) => Answered::NotNow(anyhow!("the request could not be built")),
        // Everything else broke off while the call was under way.
        other => Answered::Silent(anyhow!("{}", DisplayErrorContext(other))),
    }
}

fn name(error: &SendEmailError) -> &'static str {
    match error {
        SendEmailError::TooManyRequestsException(_) => "TooManyRequestsException",
        SendEmailError::LimitExceededException(_) => "LimitExceededException",
        SendEmailError::SendingPausedException(_) => "SendingPausedException",
        SendEmailError::AccountSuspendedException(_) => "AccountSuspendedException",
        SendEmailError::MailFromDomainNotVerifiedException(_) => "MailFromDomainNotVerifiedException",
        SendEmailError::NotFoundException(_) => "NotFoundException",
        _ => "an error that SES did not name",
    }
}

fn content(mail: &Mail) -> anyhow::Result<EmailContent> {
    let part = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |(name, value): &(&str, String)| MessageHeader::builder().name(*name).value(value).build();
    let headers: Result<Vec<_>, _> = mail.headers.iter().map(header).collect();
    let body = Body::builder().html(part(&mail.html)?).text(part(&mail.text)?).build();
    let simple = Simple::builder().subject(part(&mail.subject)?).body(body).set_headers(Some(headers?)).build();
    Ok(EmailContent::builder().simple(simple).build())
}
