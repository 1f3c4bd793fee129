//! The local SES as the SDK's own client sees it.

use std::sync::{Arc, Mutex};

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Attachment, Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, RawMessage,
    SuppressionListReason,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Config, ConfigurationSet, Find, Kind, Ses};

/// An SES with a clock in hand, a client of it, and the events it gave out.
struct World {
    ses: Ses,
    client: Client,
    now: Arc<Mutex<Timestamp>>,
    events: Arc<Mutex<Vec<Value>>>,
}

async fn world() -> World {
    let start: Timestamp = "2026-03-01T12:00:00.123456Z".parse().unwrap();
    let now = Arc::new(Mutex::new(start));
    let events = Arc::new(Mutex::new(Vec::new()));
    let (clock, sink) = (now.clone(), events.clone());
    let mut config =
        Config::new(Arc::new(move || *clock.lock().unwrap()), Arc::new(move |event| sink.lock().unwrap().push(event)));
    config.identities = vec!["example.com".into()];
    let names = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "CLICK", "REJECT"];
    config.configuration_sets =
        vec![ConfigurationSet { name: "shop".into(), event_types: names.map(str::to_owned).to_vec() }];
    let ses = Ses::open(config).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, ses.router()).into_future());
    let sdk = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint)
        .build();
    World { ses, client: Client::from_conf(sdk), now, events }
}

fn text(data: &str) -> Content {
    Content::builder().data(data).build().unwrap()
}

fn header(name: &str, value: &str) -> MessageHeader {
    let header = MessageHeader::builder().name(name).value(value);
    header.build().unwrap()
}

fn tag(name: &str, value: &str) -> MessageTag {
    MessageTag::builder().name(name).value(value).build().unwrap()
}

fn simple(headers: Vec<MessageHeader>) -> EmailContent {
    let body = Body::builder().html(text("<p>Grüße</p>")).text(text("Grüße"));
    let message = Message::builder().subject(text("Ihre Bestellung")).body(body.build()).set_headers(Some(headers));
    EmailContent::builder().simple(message.build()).build()
}

impl World {
    fn mail(&self, to: &str) -> SendEmailFluentBuilder {
        self.client
            .send_email()
            .from_email_address("My shop <shop@example.com>")
            .destination(Destination::builder().to_addresses(to).build())
            .content(simple(Vec::new()))
            .configuration_set_name("shop")
    }

    fn kinds(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let kind = |event: &Value| event["detail-type"].as_str().unwrap().to_owned();
        events.iter().map(kind).collect()
    }

    fn pass(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }
}

/// The error's name and text.
async fn refused(request: SendEmailFluentBuilder) -> (String, String) {
    let error = request.send().await.unwrap_err();
    let error = error.into_service_error();
    let meta = error.meta();
    (meta.code().unwrap().to_owned(), meta.message().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_mail_is_kept_as_it_was_sent() {
    let world = world().await;
    let unsubscribe = header("List-Unsubscribe", "<https://shop.example/u/1>");
    let request =
        world.mail("Jo <jo@example.org>").content(simple(vec![unsubscribe])).email_tags(tag("message", "m_1-2"));
    let answer = request.send().await.unwrap();
    let mail = world.ses.mail(1).unwrap().unwrap();
    assert_eq!(answer.message_id(), Some(mail.ses_message_id.as_str()));
    let json = serde_json::to_value(&mail).unwrap();
    assert_eq!(json["time"], "2026-03-01T12:00:00.123Z");
    assert_eq!(json["to"], json!(["jo@example.org"]));
    assert_eq!(json["tags"], json!({ "message": "m_1-2" }));
    let header = "<https://shop.example/u/1>";
    assert_eq!(json["headers"]["List-Unsubscribe"], header);
    assert_eq!(json["text"], "Grüße");
    assert_eq!(json["events"][1]["type"], "Delivery");
    let eml = String::from_utf8(world.ses.eml(1).unwrap().unwrap()).unwrap();
    assert!(eml.contains("List-Unsubscribe: <https://shop.example/u/1>\r\n"));
    assert!(eml.contains("To: Jo <jo@example.org>\r\n"));
    let found = |to: &str| {
        let to = Some(to.to_owned());
        let find = Find { to, ..Find::default() };
        world.ses.mails(&find).unwrap().len()
    };
    assert_eq!((found("JO@example.org"), found("no@example.org")), (1, 0));
}

#[tokio::test]
async fn events_are_what_eventbridge_delivers() {
    let world = world().await;
    let request = world.mail("jo@example.org").email_tags(tag("message", "m1"));
    let id = request.send().await.unwrap().message_id.unwrap();
    assert_eq!(world.kinds(), ["Email Sent", "Email Delivered"]);
    world.pass(SignedDuration::from_secs(60));
    assert_eq!(world.ses.inject(1, Kind::Bounce, 2).unwrap(), 2);
    let events = world.events.lock().unwrap().clone();
    assert_eq!(events[2], events[3]);
    let bounce = &events[2];
    assert_eq!(bounce["source"], "aws.ses");
    assert_eq!(bounce["time"], "2026-03-01T12:01:00Z");
    let arn = "arn:aws:ses:us-east-1:123456789012:configuration-set/shop";
    assert_eq!(bounce["resources"], json!([arn]));
    let detail = &bounce["detail"];
    assert_eq!(detail["eventType"], "Bounce");
    assert_eq!(detail["mail"]["messageId"], id);
    assert_eq!(detail["mail"]["timestamp"], "2026-03-01T12:00:00.123Z");
    assert_eq!(detail["mail"]["tags"]["message"], json!(["m1"]));
    let sets = &detail["mail"]["tags"]["ses:configuration-set"];
    assert_eq!(*sets, json!(["shop"]));
    assert_eq!(detail["bounce"]["bounceType"], "Permanent");
    let address = &detail["bounce"]["bouncedRecipients"][0]["emailAddress"];
    assert_eq!(address, "jo@example.org");
    // Opens are not among the events that the configuration set asks for.
    assert_eq!(world.ses.inject(1, Kind::Open, 1).unwrap(), 0);
    let mail = world.ses.mail(1).unwrap().unwrap();
    assert_eq!(mail.events.len(), 4);
    assert!(world.ses.inject(2, Kind::Open, 1).is_err());
}

#[tokio::test]
async fn the_simulator_bounces_and_complains_without_suppressing() {
    let world = world().await;
    let check = async |local: &str, expected: &[&str]| {
        world.events.lock().unwrap().clear();
        let to = format!("{local}@simulator.amazonses.com");
        world.mail(&to).send().await.unwrap();
        assert_eq!(world.kinds(), expected, "{local}");
    };
    check("success", &["Email Sent", "Email Delivered"]).await;
    check("bounce+1", &["Email Sent", "Email Bounced"]).await;
    check("suppressionlist", &["Email Sent", "Email Bounced"]).await;
    let complained = ["Email Sent", "Email Delivered", "Email Complaint Received"];
    check("complaint", &complained).await;
    check("ooto", &["Email Sent", "Email Delivered", "Email Bounced"]).await;
    check("bounce+1", &["Email Sent", "Email Bounced"]).await;
    assert_eq!(world.ses.status().sent_last_24_hours, 0);
}

#[tokio::test]
async fn an_address_that_bounced_is_on_the_suppression_list_until_taken_off() {
    let world = world().await;
    let jo = "jo@example.org";
    world.mail(jo).send().await.unwrap();
    world.ses.inject(1, Kind::SoftBounce, 1).unwrap();
    let get = || world.client.get_suppressed_destination().email_address(jo).send();
    let missing = get().await.unwrap_err().into_service_error();
    assert!(missing.is_not_found_exception());
    world.ses.inject(1, Kind::Complaint, 1).unwrap();
    let found = get().await.unwrap().suppressed_destination.unwrap();
    assert_eq!(*found.reason(), SuppressionListReason::Complaint);
    assert_eq!(found.last_update_time().secs(), 1_772_366_400);
    world.mail(jo).send().await.unwrap();
    let event = world.events.lock().unwrap().last().unwrap().clone();
    let kind = &event["detail"]["bounce"]["bounceSubType"];
    assert_eq!(kind, "OnAccountSuppressionList");
    let delete = world.client.delete_suppressed_destination();
    delete.email_address(jo).send().await.unwrap();
    assert!(get().await.is_err());
    let put = world.client.put_suppressed_destination();
    let put = put.email_address(jo).reason(SuppressionListReason::Bounce);
    put.send().await.unwrap();
    assert!(get().await.is_ok());
}

#[tokio::test]
async fn what_may_not_be_sent_is_refused_in_ses_terms() {
    let world = world().await;
    let mail = || world.mail("jo@example.org");
    let check = async |request, name: &str| assert_eq!(refused(request).await.0, name);
    let (name, said) = refused(mail().from_email_address("shop@elsewhere.net")).await;
    assert_eq!(name, "MessageRejected");
    assert!(said.starts_with("Email address is not verified."), "{said}");
    check(mail().configuration_set_name("none"), "NotFoundException").await;
    check(world.mail("jo"), "BadRequestException").await;
    let wrong = simple(vec![header("X-A", "ä")]);
    check(mail().content(wrong), "BadRequestException").await;
    let own = simple(vec![header("Subject", "b")]);
    check(mail().content(own), "BadRequestException").await;
    check(mail().email_tags(tag("a b", "c")), "BadRequestException").await;
    world.ses.pause(true);
    check(mail(), "SendingPausedException").await;
    world.ses.pause(false);
    assert_eq!(world.ses.sent_count(), 0);
    mail().send().await.unwrap();
}

#[tokio::test]
async fn quotas_follow_the_clock_and_are_told() {
    let world = world().await;
    let mail = || world.mail("jo@example.org");
    world.ses.set_quota(1.0, 2.0);
    mail().send().await.unwrap();
    let (name, said) = refused(mail()).await;
    let rate = "Maximum sending rate exceeded.";
    assert_eq!((name.as_str(), said.as_str()), ("TooManyRequestsException", rate));
    world.pass(SignedDuration::from_secs(1));
    mail().send().await.unwrap();
    world.pass(SignedDuration::from_secs(1));
    assert_eq!(refused(mail()).await.0, "LimitExceededException");
    let account = world.client.get_account().send().await.unwrap();
    assert!(account.sending_enabled());
    let quota = account.send_quota().unwrap();
    assert_eq!((quota.max_send_rate(), quota.sent_last24_hours()), (1.0, 2.0));
    world.pass(SignedDuration::from_hours(24));
    mail().send().await.unwrap();
}

#[tokio::test]
async fn identities_can_be_added() {
    let world = world().await;
    let create = || {
        let create = world.client.create_email_identity();
        create.email_identity("shop@elsewhere.net").send()
    };
    let get = world.client.get_email_identity();
    let missing = get.email_identity("shop@elsewhere.net").send().await;
    assert!(missing.unwrap_err().into_service_error().is_not_found_exception());
    assert!(create().await.unwrap().verified_for_sending_status());
    let again = create().await.unwrap_err().into_service_error();
    assert!(again.is_already_exists_exception());
    let mail = world.mail("jo@example.org");
    let mail = mail.from_email_address("shop@elsewhere.net");
    mail.send().await.unwrap();
}

#[tokio::test]
async fn raw_messages_and_attachments_are_kept_whole() {
    let world = world().await;
    let raw = "From: shop@example.com\r\nTo: jo@example.org\r\nSubject: Hi\r\n\r\nHello\r\n";
    let message = RawMessage::builder().data(Blob::new(raw)).build().unwrap();
    let send = world.client.send_email();
    let send = send.content(EmailContent::builder().raw(message).build());
    send.send().await.unwrap();
    let mail = world.ses.mail(1).unwrap().unwrap();
    assert_eq!((mail.subject.as_str(), mail.to.len()), ("Hi", 1));
    let eml = String::from_utf8(world.ses.eml(1).unwrap().unwrap()).unwrap();
    assert!(eml.ends_with("Subject: Hi\r\n\r\nHello\r\n"));

    let file = Attachment::builder().file_name("a.txt");
    let virus = Blob::new("EICAR-STANDARD-ANTIVIRUS-TEST-FILE");
    let file = file.raw_content(virus).build().unwrap();
    let body = Body::builder().text(text("See attached")).build();
    let message = Message::builder().subject(text("File")).body(body);
    let message = message.attachments(file).build();
    let content = EmailContent::builder().simple(message).build();
    let mail = world.mail("jo@example.org").content(content);
    mail.send().await.unwrap();
    assert_eq!(world.kinds(), ["Email Sent", "Email Rejected"]);
    let eml = String::from_utf8(world.ses.eml(2).unwrap().unwrap()).unwrap();
    assert!(eml.contains("filename=\"a.txt\""), "{eml}");
}

#[tokio::test]
async fn a_lost_answer_is_an_error_and_the_mail_is_out() {
    let world = world().await;
    world.ses.lose_answers(1);
    let mail = || world.mail("jo@example.org").send();
    let error = mail().await.unwrap_err();
    assert!(!matches!(error, SdkError::ServiceError(_)), "{error:?}");
    assert_eq!(world.ses.sent_count(), 1);
    mail().await.unwrap();
}

#[tokio::test]
async fn a_mailbox_in_a_file_outlives_its_process() {
    let folder = std::env::temp_dir().join(format!("mailbox-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let open = || {
        let mut config = Config::new(Arc::new(move || now), Arc::new(|_| ()));
        config.path = Some(folder.join("mailbox.sqlite"));
        config.identities = vec!["example.com".into()];
        Ses::open(config).unwrap()
    };
    let send = |ses: &Ses| {
        let mail = json!({
            "FromEmailAddress": "shop@example.com",
            "Destination": { "ToAddresses": ["jo@example.org"] },
            "Content": { "Simple": { "Subject": { "Data": "a" }, "Body": { "Text": { "Data": "b" } } } },
        });
        let request: super::request::SendEmail = serde_json::from_value(mail).unwrap();
        ses.send(&request.try_into().unwrap()).unwrap()
    };
    let first = send(&open());
    let again = open();
    assert_eq!(again.status().sent_last_24_hours, 1);
    send(&again);
    let mails = again.mails(&Find::default()).unwrap();
    assert_eq!((mails.len(), mails[1].n), (2, 2));
    assert_eq!(mails[0].ses_message_id, first);
    std::fs::remove_dir_all(&folder).unwrap();
}
