//! Messages asked for by what decided on them and what became of them; and what customers
//! did with them, as events of theirs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local::ses::Kind;
use serde_json::{Value, json};

use crate::support::Shop;

/// A shop with a campaign that sends, one that cannot, and a mailing that was sent.
async fn busy() -> Shop {
    let shop = Shop::with_plain_template().await;
    shop.template("needy", "For {{customer.city}}").await;
    shop.template("news", "News").await;
    shop.confirm_orders().await;
    shop.campaign("needy", json!({ "type": "order_created" }), json!([{ "send": { "template": "needy" } }])).await;
    for id in ["ada", "bo"] {
        shop.customer(id).await;
    }
    shop.put("/v1/customers/dmitri", json!({ "email": "dmitri@example.com" })).await;
    for (n, id) in ["ada", "bo", "ada"].iter().enumerate() {
        shop.order(&format!("o-{n}"), id).await;
        shop.quiet().await;
        shop.advance("PT1M").await;
    }
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "news" })).await;
    shop.advance("PT2M").await;
    shop.quiet().await;
    shop
}

fn told(messages: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let by = |message: &Value| text(message.get("campaign").unwrap_or(&message["mailing"]));
    let one = |message: &Value| {
        format!(
            "{} {} {} {}",
            text(&message["customer_id"]),
            by(message),
            text(&message["state"]),
            text(&message["reason"])
        )
    };
    messages.iter().map(one).collect()
}

#[tokio::test]
async fn messages_are_found_by_what_decided_on_them_and_by_what_became_of_them() {
    let shop = busy().await;
    let ask = async |query: &str| told(&shop.all_of(&format!("/v1/messages?{query}"), 2).await);
    let sent = |ids: &[&str]| ids.iter().map(|id| format!("{id} confirm SENT -")).collect::<Vec<_>>();
    let needy = |ids: &[&str]| ids.iter().map(|id| format!("{id} needy NOT_SENT missing_variable")).collect::<Vec<_>>();
    assert_eq!(ask("campaign=confirm").await, sent(&["ada", "bo", "ada"]), "the newest first");
    assert_eq!(ask("campaign=confirm&state=SENT").await, sent(&["ada", "bo", "ada"]));
    assert_eq!(ask("campaign=confirm&state=NOT_SENT").await, Vec::<String>::new());
    assert_eq!(ask("campaign=needy&reason=missing_variable").await, needy(&["ada", "bo", "ada"]));
    assert_eq!(ask("campaign=needy&reason=no_consent").await, Vec::<String>::new());
    assert_eq!(ask("customer=bo&campaign=needy").await, needy(&["bo"]));
    assert_eq!(ask("customer=ada&state=NOT_SENT").await, needy(&["ada", "ada"]));
    assert_eq!(ask("customer=dmitri&reason=no_consent").await, ["dmitri news NOT_SENT no_consent"]);
    assert_eq!(ask("mailing=news&reason=no_consent").await, ["dmitri news NOT_SENT no_consent"]);
    assert_eq!(ask("reason=no_consent").await, ["dmitri news NOT_SENT no_consent"]);
    let mut unsent = needy(&["ada", "bo", "ada"]);
    unsent.insert(0, "dmitri news NOT_SENT no_consent".to_owned());
    assert_eq!(ask("state=NOT_SENT").await, unsent);
    let mut news = ask("mailing=news&state=SENT").await;
    news.sort();
    assert_eq!(news, ["ada news SENT -", "bo news SENT -"]);
    assert_eq!(ask("mailing=none").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_nobody_knows_is_listed_until_somebody_does() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.fault(
        json!({ "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": "before" }),
    );
    shop.order("1", "ada").await;
    shop.drain().await;
    let unknown = async || shop.all_of("/v1/messages?state=UNKNOWN&campaign=confirm", 10).await;
    let listed = unknown().await;
    assert_eq!(told(&listed), ["ada confirm UNKNOWN -"]);
    // SES tells of it after all.
    let mail = json!({
        "messageId": "ses-1", "timestamp": shop.bundle.now(), "tags": { "message_id": [listed[0]["id"]] },
    });
    let delivery = json!({ "eventType": "Delivery", "mail": mail, "delivery": { "timestamp": shop.bundle.now() } });
    shop.bundle.send("FeedbackQueue", json!({ "detail": delivery }).to_string()).await.unwrap();
    shop.quiet().await;
    assert_eq!((unknown().await, shop.outcomes("ada").await), (vec![], vec!["SENT".to_owned()]));
}

#[tokio::test]
async fn a_message_tells_its_whole_story_in_order_and_names_no_address() {
    let shop = busy().await;
    let message = shop.all_of("/v1/messages?customer=bo&campaign=confirm", 1).await.remove(0);
    let mail = shop.mails().into_iter().find(|mail| json!(mail.tags["message_id"]) == message["id"]).unwrap();
    for kind in [Kind::Open, Kind::Click, Kind::Complaint] {
        shop.advance("PT1M").await;
        shop.bundle.ses().inject(mail.n, kind, 1).unwrap();
    }
    shop.quiet().await;
    let shown = shop.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).await;
    let mut what: Vec<&str> =
        shown["story"].as_array().unwrap().iter().map(|told| told["what"].as_str().unwrap()).collect();
    assert_eq!((what[0], &what[what.len() - 3..]), ("decided", &["opened", "clicked", "complained"][..]), "{shown}");
    what.sort_unstable();
    assert_eq!(what, ["accepted", "claimed", "clicked", "complained", "decided", "delivered", "opened", "sent"]);
    assert!(shown["story"][0]["in_words"].as_str().unwrap().contains("confirm"), "{shown}");
    assert!(!shown.to_string().contains('@'), "{shown}");

    let refused = shop.all_of("/v1/messages?customer=bo&campaign=needy", 1).await.remove(0);
    let refused = shop.get(&format!("/v1/messages/{}", refused["id"].as_str().unwrap())).await;
    let last = refused["story"].as_array().unwrap().last().unwrap();
    assert_eq!(last["what"], "not_sent");
    assert!(last["in_words"].as_str().unwrap().contains("customer.city"), "{refused}");
    let (status, _) = shop.ask("GET", "/v1/messages/0123456789abcdef0123456789abcdef", Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn of_a_mail_in_which_ses_finds_a_virus_it_is_told_that_it_never_arrived_and_its_address_is_not_at_fault() {
    let shop = Shop::with_plain_template().await;
    shop.put("/v1/settings", json!({ "soft_bounces": 1 })).await;
    let virus = STANDARD.encode("%PDF- EICAR-STANDARD-ANTIVIRUS-TEST-FILE");
    shop.put("/v1/attachments/terms", json!({ "name": "t.pdf", "type": "application/pdf", "content": virus })).await;
    let template = json!({ "subject": "Terms", "html": "<p>Terms</p>", "attachments": [{ "attachment": "terms" }] });
    shop.put("/v1/templates/terms", template).await;
    shop.campaign("terms", json!({ "type": "order_created" }), json!([{ "send": { "template": "terms" } }])).await;
    let trigger = json!({ "type": "event_received", "name": "called" });
    shop.campaign("called", trigger, json!([{ "send": { "template": "plain" } }])).await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let message = shop.messages("ada").await.remove(0);
    assert!(message["rejected_at"].is_string() && message.get("delivered_at").is_none(), "{message}");
    let shown = shop.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).await;
    let story = shown["story"].as_array().unwrap();
    let rejected = story.iter().find(|told| told["what"] == "rejected").unwrap();
    assert!(rejected["in_words"].as_str().unwrap().contains("virus"), "{shown}");
    let because = shop.get("/v1/customers/ada/why?campaign=terms").await;
    assert_eq!((&because["answer"], &because["got_it"]), (&json!("rejected"), &json!(false)), "{because}");
    assert!(because["in_words"].as_str().unwrap().contains("virus"), "{because}");
    assert_eq!(did(&shop, "ada").await, Vec::<Value>::new());

    shop.event("e-1", "ada", "called").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["SENT", "SENT"]);
    assert!(shop.messages("ada").await[0]["delivered_at"].is_string());
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn an_erased_customers_message_is_listed_without_them() {
    let shop = busy().await;
    let (status, _) = shop.ask("DELETE", "/v1/customers/bo", Value::Null).await;
    assert!(status < 300);
    shop.drain().await;
    let listed = shop.all_of("/v1/messages?campaign=confirm", 2).await;
    assert_eq!(told(&listed), ["ada confirm SENT -", "- confirm SENT -", "ada confirm SENT -"]);
    assert_eq!(listed[1]["erased"], true);
    let story = shop.get(&format!("/v1/messages/{}", listed[1]["id"].as_str().unwrap())).await;
    assert!(!story.to_string().contains("bo@") && !story.to_string().contains("\"bo\""), "{story}");
}

/// A customer's events of what they did with mails: name and link, the oldest first.
async fn did(shop: &Shop, customer: &str) -> Vec<Value> {
    let mut events = shop.get(&format!("/v1/customers/{customer}/events")).await["items"].as_array().unwrap().clone();
    events.retain(|event| event["name"].as_str().unwrap().starts_with("message_"));
    events.reverse();
    events
}

#[tokio::test]
async fn what_a_customer_does_with_a_mail_is_an_event_of_theirs_once_and_sets_campaigns_off() {
    let shop = Shop::open().await;
    let html = "<p><a href=\"https://shop.example/mugs\">Mugs</a></p>";
    shop.put("/v1/templates/links", json!({ "subject": "Look", "html": html })).await;
    shop.template("thanks", "Thanks for looking").await;
    shop.campaign("confirm", json!({ "type": "order_created" }), json!([{ "send": { "template": "links" } }])).await;
    let trigger = json!({ "type": "event_received", "name": "message_clicked" });
    let filter = json!({ "field": "event.context.link", "is": "https://shop.example/mugs" });
    let steps = json!([{ "send": { "template": "thanks" } }]);
    shop.put("/v1/campaigns/thanks", json!({ "name": "t", "trigger": trigger, "filter": filter, "steps": steps }))
        .await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let (mail, message) = (shop.mails()[0].n, shop.messages("ada").await[0]["id"].clone());
    // The machine first, as it mostly is, and everything three times.
    for kind in [Kind::MachineOpen, Kind::MachineClick] {
        shop.bundle.ses().inject(mail, kind, 3).unwrap();
    }
    shop.quiet().await;
    assert_eq!(did(&shop, "ada").await, Vec::<Value>::new());
    let noted = shop.messages("ada").await.remove(0);
    assert!(noted["machine_opened_at"].is_string() && noted["machine_clicked_at"].is_string(), "{noted}");
    assert!(noted.get("opened_at").is_none() && noted.get("clicked_at").is_none(), "{noted}");
    shop.advance("PT1M").await;
    for kind in [Kind::Click, Kind::Open] {
        shop.bundle.ses().inject(mail, kind, 3).unwrap();
    }
    shop.quiet().await;
    let mut events = did(&shop, "ada").await;
    events.sort_by_key(|event| event["name"].to_string());
    let context = json!({ "message": message, "campaign": "confirm", "template": "links" });
    let mut clicked = context.clone();
    clicked["link"] = json!("https://shop.example/mugs");
    let names: Vec<&Value> = events.iter().map(|event| &event["name"]).collect();
    assert_eq!(names, ["message_clicked", "message_opened"]);
    assert_eq!((&events[0]["context"], &events[1]["context"]), (&clicked, &context));
    assert_eq!(shop.subjects(), ["Look", "Thanks for looking"]);

    // Later it is opened once more, which is another event; and so it is whoever they are by then.
    shop.put("/v1/customers/ada-2", json!({ "email": "ada@example.com" })).await;
    shop.tell("/v1/customers/ada-2/merge", json!({ "from": "ada" })).await;
    shop.advance("PT1H").await;
    shop.bundle.ses().inject(mail, Kind::Open, 2).unwrap();
    shop.quiet().await;
    assert_eq!(did(&shop, "ada-2").await.len(), 3);
}

#[tokio::test]
async fn what_comes_late_of_an_erased_customer_is_nobodys_event() {
    let shop = busy().await;
    let mail = shop.mails().into_iter().find(|mail| mail.to == ["bo@example.com"]).unwrap().n;
    shop.ask("DELETE", "/v1/customers/bo", Value::Null).await;
    shop.bundle.ses().inject(mail, Kind::Click, 1).unwrap();
    shop.drain().await;
    for kind in [Kind::Open, Kind::Bounce, Kind::SoftBounce] {
        shop.bundle.ses().inject(mail, kind, 2).unwrap();
    }
    shop.drain().await;
    let rows = shop.all_rows().await;
    assert!(rows.iter().all(|row| !row.contains("message_opened") && !row.contains("message_clicked")), "{rows:?}");
    assert_eq!(shop.dead_letters().await, 0);
}
