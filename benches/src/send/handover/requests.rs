//! The calls to SES.

use super::mails::Finished;
use anyhow::Context as _;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::types::{
    Body, BulkEmailContent, BulkEmailEntry, BulkEmailStatus, Content, Destination, EmailContent, EmailTemplateContent,
    Message, MessageHeader, MessageTag, ReplacementEmailContent, ReplacementTemplate, Template,
};
use aws_sdk_sesv2::{Client, Config};
use serde_json::{Value, json};
use std::time::Duration;

const FROM: &str = "\"My shop\" <shop@example.com>";
const CONFIGURATION_SET: &str = "cartwire";

/// A client with what the sender gives its own: no second try, and its limits of time.
pub(super) fn client(url: &str) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(8));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("local", "local", Some("a session's".to_owned()), None, "benches"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build())
        .endpoint_url(url);
    Client::from_conf(config.build())
}

/// What SES says when it has taken so many mails by one call.
pub(super) fn answer(mails: usize) -> Value {
    let id = |number: usize| format!("0102018f3a5c7b21-9d0e6f14-3c52-4d8b-a7e1-{number:012x}-000000");
    let taken = |number: usize| json!({"Status": "SUCCESS", "MessageId": id(number)});
    match mails {
        1 => json!({"MessageId": id(0)}),
        _ => json!({"BulkEmailEntryResults": (0..mails).map(taken).collect::<Vec<_>>()}),
    }
}

/// Hands one mail over, as the sender does.
///
/// # Errors
/// It was not taken.
pub(super) async fn one(client: &Client, mail: &Finished) -> anyhow::Result<()> {
    let content = |text: &str| Content::builder().charset("UTF-8").data(text).build();
    let (html, text) = (content(&mail.html)?, content(&mail.text)?);
    let simple = Message::builder()
        .subject(content(&mail.subject)?)
        .set_headers(Some(headers(mail)?))
        .body(Body::builder().html(html).text(text).build());
    let email = EmailContent::builder().simple(simple.build()).build();
    let call = client.send_email().configuration_set_name(CONFIGURATION_SET).from_email_address(FROM);
    let call = call.destination(to(mail)).content(email).set_email_tags(Some(tags(mail)?));
    call.send().await?.message_id.context("SES gave no id")?;
    Ok(())
}

/// Hands several over by one call: a template that is nothing but its values, and the parts of each
/// mail for these.
///
/// # Errors
/// Not all were taken.
pub(super) async fn many(client: &Client, mails: &[Finished]) -> anyhow::Result<()> {
    let values = EmailTemplateContent::builder().subject("{{{subject}}}").html("{{{html}}}").text("{{{text}}}");
    let template = Template::builder().template_content(values.build()).template_data("{}");
    let entries = mails.iter().map(entry).collect::<anyhow::Result<Vec<_>>>()?;
    let call = client.send_bulk_email().configuration_set_name(CONFIGURATION_SET).from_email_address(FROM);
    let call = call.default_content(BulkEmailContent::builder().template(template.build()).build());
    let results = call.set_bulk_email_entries(Some(entries)).send().await?.bulk_email_entry_results;
    let taken = results.iter().filter(|result| result.status == Some(BulkEmailStatus::Success)).count();
    anyhow::ensure!(taken == mails.len(), "SES took {taken} of {} mails", mails.len());
    Ok(())
}

fn entry(mail: &Finished) -> anyhow::Result<BulkEmailEntry> {
    let values = json!({"subject": mail.subject, "html": mail.html, "text": mail.text}).to_string();
    let values = ReplacementTemplate::builder().replacement_template_data(values).build();
    let content = ReplacementEmailContent::builder().replacement_template(values).build();
    let entry = BulkEmailEntry::builder().destination(to(mail)).replacement_email_content(content);
    let entry = entry.set_replacement_headers(Some(headers(mail)?)).set_replacement_tags(Some(tags(mail)?));
    Ok(entry.build())
}

fn to(mail: &Finished) -> Destination {
    Destination::builder().to_addresses(&mail.to).build()
}

fn headers(mail: &Finished) -> Result<Vec<MessageHeader>, BuildError> {
    let header = |name: &str, value: String| MessageHeader::builder().name(name).value(value).build();
    let click = header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned());
    Ok(vec![header("List-Unsubscribe", format!("<{}>", mail.leave))?, click?])
}

fn tags(mail: &Finished) -> Result<Vec<MessageTag>, BuildError> {
    let tag = |name: &str, value: String| MessageTag::builder().name(name).value(value).build();
    Ok(vec![tag("message_id", mail.message_id.replace('.', "_"))?, tag("mailing", "news".to_owned())?])
}
