use std::time::Duration;

use anyhow::anyhow;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as Simple, MessageHeader, MessageTag};
use domain::Message;
use domain::message::Origin;

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
    pub(crate) async fn send(&self, mail: &Mail, message: &Message, there_is_time: impl Fn() -> bool) -> Answered {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(mail, message).await {
                Answered::NotNow(_) if tries < 4 && there_is_time() => tokio::time::sleep(PAUSE * tries).await,
                answered => return answered,
            }
        }
    }

    async fn try_once(&self, mail: &Mail, message: &Message) -> Answered {
        let (content, tags) = match (content(mail), tags(message)) {
            (Ok(content), Ok(tags)) => (content, tags),
            (Err(error), _) | (_, Err(error)) => return Answered::NotNow(error),
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
        other => Answered::Silent(anyhow!("{}", aws::describe(&other))),
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

/// The tags come back in every event that SES tells of the mail: the message id,
/// by which we know it, and what it belongs to, for whoever reads the events.
fn tags(message: &Message) -> anyhow::Result<Vec<MessageTag>> {
    let belongs = match &message.origin {
        Origin::Campaign { campaign_id, .. } => ("campaign", campaign_id.as_str()),
        Origin::Mailing { mailing_id, .. } => ("mailing", mailing_id.as_str()),
    };
    let tags = [("message_id", message.id.as_str()), belongs];
    tags.into_iter().map(|(name, value)| Ok(MessageTag::builder().name(name).value(value).build()?)).collect()
}

fn content(mail: &Mail) -> anyhow::Result<EmailContent> {
    let part = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |(name, value): &(&str, String)| MessageHeader::builder().name(*name).value(value).build();
    let headers: Result<Vec<_>, _> = mail.headers.iter().map(header).collect();
    let body = Body::builder().html(part(&mail.html)?).text(part(&mail.text)?).build();
    let simple = Simple::builder().subject(part(&mail.subject)?).body(body).set_headers(Some(headers?)).build();
    Ok(EmailContent::builder().simple(simple).build())
}
