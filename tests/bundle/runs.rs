//! Campaign runs and their waits.

use serde_json::json;

use crate::support::Shop;

#[tokio::test]
async fn a_wait_of_any_length_ends_when_its_time_comes_and_not_before() {
    let shop = Shop::with_plain_template().await;
    for wait in ["PT20S", "PT10M", "PT2H", "P40D"] {
        let trigger = json!({ "type": "event_received", "name": wait });
        shop.campaign(wait, trigger, json!([{ "wait": wait }, { "send": { "template": "plain" } }])).await;
    }
    shop.customer("ada").await;
    for wait in ["PT20S", "PT10M", "PT2H", "P40D"] {
        shop.event(wait, "ada", wait).await;
    }
    shop.quiet().await;
    assert_eq!(shop.subjects(), [""; 0]);

    // Short waits come up within seconds of their time, whatever the schedule.
    shop.advance("PT21S").await;
    assert_eq!(shop.subjects(), ["event PT20S"]);
    shop.advance("PT9M").await;
    assert_eq!(shop.subjects().len(), 1);
    shop.advance("PT40S").await;
    assert_eq!(shop.subjects(), ["event PT10M", "event PT20S"]);
    shop.advance("PT1H49M").await;
    assert_eq!(shop.subjects().len(), 2);
    shop.advance("PT1M30S").await;
    assert_eq!(shop.subjects().len(), 3);
    shop.advance("P39DT21H").await;
    assert_eq!(shop.subjects().len(), 3);
    shop.advance("PT2H").await;
    assert_eq!(shop.subjects().len(), 4);
    shop.advance("P1D").await;
    assert_eq!(shop.subjects().len(), 4);
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
}

#[tokio::test]
async fn an_outage_of_the_schedule_delays_and_never_skips() {
    let shop = Shop::with_plain_template().await;
    let trigger = json!({ "type": "event_received", "name": "seen" });
    shop.campaign("later", trigger, json!([{ "wait": "PT5H" }, { "send": { "template": "plain" } }])).await;
    shop.customer("ada").await;
    shop.event("1", "ada", "seen").await;
    shop.quiet().await;
    // Every attempt of the next hours dies at its first call.
    shop.fault(json!({ "kind": "kill", "function": "timers", "at_call": 1, "when": "before", "next": 1000 }));
    shop.advance("PT7H").await;
    assert_eq!(shop.mails().len(), 0);
    shop.bundle.clear_faults();
    shop.advance("PT2M").await;
    shop.advance("PT2M").await;
    assert_eq!(shop.subjects(), ["event 1"]);
}

#[tokio::test]
async fn the_same_event_many_times_is_one_run() {
    let shop = Shop::with_plain_template().await;
    let trigger = json!({ "type": "event_received", "name": "seen" });
    shop.campaign("seen", trigger, json!([{ "wait": "PT1H" }, { "send": { "template": "plain" } }])).await;
    shop.customer("ada").await;
    shop.fault(json!({ "kind": "duplicate", "queue": "*", "times": 3 }));
    for _ in 0..5 {
        shop.event("1", "ada", "seen").await;
    }
    shop.drain().await;
    shop.advance("PT2H").await;
    shop.drain().await;
    assert_eq!(shop.subjects(), ["event 1"]);
}

#[tokio::test]
async fn a_run_keeps_the_versions_that_it_began_with() {
    let shop = Shop::open().await;
    shop.template("greeting", "as it was").await;
    let trigger = json!({ "type": "event_received", "name": "seen" });
    shop.campaign("greet", trigger.clone(), json!([{ "wait": "PT1H" }, { "send": { "template": "greeting" } }])).await;
    shop.customer("ada").await;
    shop.event("1", "ada", "seen").await;
    shop.quiet().await;
    shop.template("greeting", "as it is now").await;
    shop.campaign("greet", trigger, json!([{ "wait": "PT3H" }, { "send": { "template": "greeting" } }])).await;
    shop.event("2", "ada", "seen").await;
    shop.advance("PT2H").await;
    assert_eq!(shop.subjects(), ["as it was"]);
    shop.advance("PT2H").await;
    assert_eq!(shop.subjects(), ["as it is now", "as it was"]);
}

#[tokio::test]
async fn a_paused_campaign_starts_nothing_and_ends_what_it_began() {
    let shop = Shop::with_plain_template().await;
    let trigger = json!({ "type": "event_received", "name": "seen" });
    let steps = json!([{ "wait": "PT1H" }, { "send": { "template": "plain" } }]);
    shop.campaign("seen", trigger.clone(), steps.clone()).await;
    shop.customer("ada").await;
    shop.event("before", "ada", "seen").await;
    shop.quiet().await;
    let paused = json!({ "name": "seen", "status": "paused", "trigger": trigger, "steps": steps });
    shop.put("/v1/campaigns/seen", paused).await;
    shop.event("after", "ada", "seen").await;
    shop.advance("PT2H").await;
    assert_eq!(shop.subjects(), ["event before"]);
}

#[tokio::test]
async fn wherever_a_function_on_the_way_is_killed_there_is_one_mail() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    let mut orders = Vec::new();
    for (function, calls) in [("fan-out", 2), ("evaluate", 4)] {
        for at_call in 1..=calls {
            for when in ["before", "after"] {
                let order = format!("{function}-{at_call}-{when}");
                shop.fault(json!({ "kind": "kill", "function": function, "at_call": at_call, "when": when }));
                shop.order(&order, "ada").await;
                shop.drain().await;
                shop.bundle.clear_faults();
                orders.push(format!("order {order}"));
            }
        }
    }
    shop.drain().await;
    orders.sort();
    assert_eq!(shop.subjects(), orders);
    assert_eq!(shop.dead_letters().await, 0);
}
