use std::time::Duration;

use anyhow::anyhow;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as Simple, MessageHeader, MessageTag};
use domain::Message;
use domain::message::Origin;

use mail::Mail;

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

/// SES's answers in three classes: never, not now, and no answer at all.
///
/// A server error of SES's own says nothing about whether it had taken the mail,
/// so it is no answer.
fn classify(error: SdkError<SendEmailError>) -> Answered {
    let said = aws::describe(&error);
    if aws::never_connected(&error) {
        return Answered::NotNow(anyhow!(said));
    }
    match error {
        SdkError::ServiceError(answer) if answer.raw().status().is_server_error() => Answered::Silent(anyhow!(said)),
        SdkError::ServiceError(answer) => match answer.err() {
            // Who sends is not verified yet, or the account may not send to
            // everybody yet: that is put right by hand, and then this mail can go.
            SendEmailError::MessageRejected(rejected)
                if rejected.message().is_some_and(|text| text.contains("not verified")) =>
            {
                Answered::NotNow(anyhow!("an identity is not verified"))
            }
            SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_) => {
                Answered::Refused { detail: said }
            }
            _ => Answered::NotNow(anyhow!(said)),
        },
        SdkError::ConstructionFailure(_) => Answered::NotNow(anyhow!(said)),
        // Everything else broke off while the call was under way.
        _ => Answered::Silent(anyhow!(said)),
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
    // SES takes letters, digits, `_` and `-`; our ids may have a `.` as well.
    let tag = |(name, value): (&str, &str)| MessageTag::builder().name(name).value(value.replace('.', "_")).build();
    tags.into_iter().map(|part| Ok(tag(part)?)).collect()
}

fn content(mail: &Mail) -> anyhow::Result<EmailContent> {
    let part = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let header = |(name, value): &(&str, String)| MessageHeader::builder().name(*name).value(value).build();
    let headers: Result<Vec<_>, _> = mail.headers.iter().map(header).collect();
    let body = Body::builder().html(part(&mail.html)?).text(part(&mail.text)?).build();
    let simple = Simple::builder().subject(part(&mail.subject)?).body(body).set_headers(Some(headers?)).build();
    Ok(EmailContent::builder().simple(simple).build())
}
