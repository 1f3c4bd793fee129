//! Stopping, starting again, and the command line.

use std::process::Command;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Shop, options};

#[tokio::test]
async fn what_was_accepted_before_a_stop_is_done_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || {
        let mut options = options();
        options.data = Some(folder.path().to_owned());
        options
    };
    let shop = Shop::open_with(kept()).await;
    shop.template("plain", "order {{order.id}}").await;
    shop.confirm_orders().await;
    let later = json!([{ "wait": "PT1H" }, { "send": { "template": "plain" } }]);
    shop.campaign("later", json!({ "type": "order_created" }), later).await;
    shop.customer("ada").await;
    let ids: Vec<String> = (100..150).map(|id| id.to_string()).collect();
    join_all(ids.iter().map(|id| shop.order(id, "ada"))).await;
    // In the midst of it: streams, queues and senders are all at work.
    shop.bundle.stop().await;
    drop(shop);

    let shop = Shop::open_with(kept()).await;
    shop.drain().await;
    let confirmed: Vec<String> = ids.iter().map(|id| format!("order {id}")).collect();
    let campaign = |name: &str| {
        let mails = shop.mails().into_iter().filter(|mail| mail.tags["campaign"] == name);
        let mut subjects: Vec<String> = mails.map(|mail| mail.subject).collect();
        subjects.sort();
        subjects
    };
    assert_eq!(campaign("confirm"), confirmed);
    shop.advance("PT2H").await;
    shop.drain().await;
    assert_eq!(campaign("later"), confirmed);
}

#[test]
fn the_demo_sends_every_mail_that_should_be_there() {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let run =
        Command::new(env!("CARGO_BIN_EXE_local")).args(["demo", "--json", "--template", template]).output().unwrap();
    let said: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(run.status.success() && said["ok"] == true, "{said}");
    let mails = said["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 7);
    assert!(mails.iter().all(|mail| mail["to"].is_string() && mail["subject"].is_string()));
    assert_eq!(mails.iter().filter(|mail| mail["mailing"] == "riga-evening").count(), 2);
}

#[test]
fn what_cannot_be_run_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").to_owned();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let serve = |template: &str| {
        vec!["serve".into(), "--memory".into(), "--template".into(), template.into(), "--page-port".into(), "0".into()]
    };
    let check = |arguments: Vec<String>, wanted: &str| {
        let run = Command::new(env!("CARGO_BIN_EXE_local")).args(&arguments).output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(!run.status.success(), "{arguments:?}");
        assert!(said.lines().count() == 1 && said.contains(wanted), "{arguments:?}: {said}");
    };
    check(serve("nowhere.yaml"), "nowhere.yaml");
    check(serve(&file("broken.yaml", "Resources: [")), "broken.yaml");
    let unknown = "Resources:\n  Thing:\n    Type: AWS::Moon::Rocket\n";
    check(serve(&file("unknown.yaml", unknown)), "AWS::Moon::Rocket");
    check([serve(&template), vec!["--api-port".into(), port.clone()]].concat(), &port);
    check(vec!["invoke".into(), "sender".into(), "nowhere.json".into(), "--template".into(), template], "nowhere.json");
}
