//! Files that mails bring along, and pictures that they show.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::consent::path_in;
use crate::letter::{Enclosed, Letter};
use crate::support::Shop;

/// What no text is: every byte there is.
fn bytes() -> Vec<u8> {
    (0..=255).cycle().take(70_000).collect()
}

fn pdf(content: &[u8]) -> Value {
    json!({ "name": "Noteikumi ā, 2026.pdf", "type": "application/pdf", "content": STANDARD.encode(content) })
}

fn picture() -> Value {
    json!({ "name": "logo.png", "type": "image/png", "content": STANDARD.encode(bytes()) })
}

fn enclosed(name: &str, media_type: &str, content_id: Option<&str>, content: Vec<u8>) -> Enclosed {
    let (name, media_type) = (name.to_owned(), media_type.to_owned());
    Enclosed { name, media_type, content_id: content_id.map(str::to_owned), content }
}

/// A shop whose order confirmations show a logo and bring the terms along.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.put("/v1/attachments/terms", pdf(b"%PDF- old")).await;
    shop.put("/v1/attachments/logo", picture()).await;
    shop.put("/v1/templates/thanks", template()).await;
    let steps = json!([{ "wait": "PT1H" }, { "send": { "template": "thanks" } }]);
    shop.campaign("thanks", json!({ "type": "order_created" }), steps).await;
    shop.customer("ada").await;
    shop
}

fn template() -> Value {
    json!({
        "subject": "Order {{order.id}}", "html": "<p><img src=\"cid:logo\" alt=\"Mugs\"> Thank you</p>",
        "attachments": [{ "attachment": "terms" }, { "attachment": "logo", "inline": true }],
    })
}

#[tokio::test]
async fn a_mail_brings_its_files_and_pictures_along_as_they_were_when_its_run_began() {
    let shop = shop().await;
    shop.order("1", "ada").await;
    shop.drain().await;
    let edited = shop.put("/v1/attachments/terms", pdf(b"%PDF- new")).await;
    assert_eq!((&edited["version"], &edited["templates"]), (&json!(2), &json!([{ "id": "thanks", "version": 2 }])));
    // The same once more is nothing new.
    let again = shop.put("/v1/attachments/terms", pdf(b"%PDF- new")).await;
    assert_eq!((&again["version"], &again["templates"]), (&json!(2), &json!([])));
    shop.order("2", "ada").await;
    shop.advance("PT2H").await;
    shop.drain().await;
    let mails = shop.mails();
    assert_eq!(mails.len(), 2, "{:?}", shop.messages("ada").await);
    for mail in &mails {
        let letter = Letter::of(&shop, mail);
        let terms = if letter.subject == "Order 1" { b"%PDF- old" } else { b"%PDF- new" };
        let name = "Noteikumi ā, 2026.pdf";
        let files = [
            enclosed("logo.png", "image/png", Some("logo"), bytes()),
            enclosed(name, "application/pdf", None, terms.to_vec()),
        ];
        assert_eq!(letter.files, files);
        assert_eq!((letter.text.as_str(), letter.html.contains("<img src=\"cid:logo\"")), ("Mugs Thank you", true));
        let outline = "multipart/mixed\n  multipart/related\n    multipart/alternative\n      text/plain; charset=utf-8\n      \
                       text/html; charset=utf-8\n    image/png\n  application/pdf\n";
        assert_eq!(letter.outline, outline);
    }
}

#[tokio::test]
async fn what_is_attached_is_shown_and_kept_while_a_template_brings_it_along() {
    let shop = shop().await;
    let known = shop.get("/v1/attachments/logo").await;
    assert_eq!(
        (&known["size"], &known["name"], &known["content"]),
        (&json!(70_000), &json!("logo.png"), &picture()["content"])
    );
    let listed = shop.get("/v1/attachments").await;
    assert_eq!(listed["items"], json!([{ "code": "logo", "version": 1 }, { "code": "terms", "version": 1 }]));
    let preview = shop.tell("/v1/templates/thanks/preview", json!({ "data": { "order": { "id": "1" } } })).await;
    assert_eq!(preview["size"]["attachments"], json!(70_009));
    let file = &preview["attachments"][1];
    let told = ["attachment", "inline", "name", "type", "size"].map(|key| file[key].clone());
    assert_eq!(told, [json!("logo"), json!(true), json!("logo.png"), json!("image/png"), json!(70_000)]);
    let draft = json!({ "template": template(), "data": { "order": { "id": "1" } } });
    assert_eq!(shop.tell("/v1/templates/preview", draft).await["attachments"], preview["attachments"]);
    assert_eq!(shop.get("/v1/templates/thanks").await["attachments"], preview["attachments"]);

    let delete = async |code: &str| shop.ask("DELETE", &format!("/v1/attachments/{code}"), Value::Null).await;
    let (status, problem) = delete("logo").await;
    assert_eq!((status, &problem["detail"]), (409, &json!("it is used by template \"thanks\"")));
    shop.put("/v1/templates/thanks", json!({ "subject": "s", "html": "<p>x</p>" })).await;
    assert_eq!([delete("logo").await.0, delete("logo").await.0, delete("none").await.0], [204, 404, 404]);
    assert_eq!(shop.ask("GET", "/v1/attachments/logo", Value::Null).await.0, 404);
    // What is made anew under the code goes on where it was.
    assert_eq!(shop.put("/v1/attachments/logo", picture()).await["version"], json!(3));
    let changes = shop.get("/v1/audit?limit=50").await;
    let changes = changes["items"].as_array().unwrap().iter().filter(|change| change["kind"] == "attachment");
    assert_eq!(changes.count(), 4);
}

#[tokio::test]
async fn a_template_shows_what_it_brings_along_and_brings_along_no_more_than_fits() {
    let shop = shop().await;
    let put = async |path: &str, body: Value| {
        let (status, problem) = shop.ask("PUT", path, body).await;
        let error = &problem["errors"][0];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (status, text("pointer"), text("detail"))
    };
    let mut other = template();
    other["html"] = json!("<p>x</p>\n<img src=\"cid:terms\">");
    let (status, pointer, detail) = put("/v1/templates/t", other.clone()).await;
    assert_eq!((status, pointer.as_str()), (422, "/html"));
    assert!(detail.starts_with("line 2, column ") && detail.contains("no inline attachment \"terms\""), "{detail}");
    other["attachments"][0]["inline"] = json!(true);
    let (status, pointer, detail) = put("/v1/templates/t", other).await;
    assert_eq!((status, pointer.as_str()), (422, "/attachments/0/inline"), "{detail}");
    // A picture that a mail shows stays one.
    let (status, pointer, detail) = put("/v1/attachments/logo", pdf(b"%PDF-")).await;
    assert_eq!((status, pointer.as_str()), (422, ""));
    assert!(detail.starts_with("in the template \"thanks\": ") && detail.contains("pictures alone"), "{detail}");

    let large = |n: usize| {
        let content = STANDARD.encode(vec![u8::try_from(n).unwrap(); 190 * 1024]);
        json!({ "name": format!("{n}.csv"), "type": "text/csv", "content": content })
    };
    let attachments: Vec<Value> = (0..6).map(|n| json!({ "attachment": format!("f{n}") })).collect();
    for n in 0..6 {
        shop.put(&format!("/v1/attachments/f{n}"), large(n)).await;
    }
    let brings = |count: usize| json!({ "subject": "s", "html": "<p>x</p>", "attachments": attachments[..count] });
    let (status, pointer, detail) = put("/v1/templates/large", brings(6)).await;
    assert_eq!((status, pointer.as_str()), (422, "/attachments"));
    assert!(detail.contains("come to 1167360 bytes together"), "{detail}");
    let mut many = brings(5);
    many["attachments"] = (0..11).map(|n| json!({ "attachment": format!("g{n}") })).collect();
    let (status, pointer, detail) = put("/v1/templates/many", many).await;
    assert_eq!((status, pointer.as_str()), (422, "/attachments"), "{detail}");
    shop.put("/v1/templates/large", brings(5)).await;
    shop.campaign("large", json!({ "type": "order_created" }), json!([{ "send": { "template": "large" } }])).await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let letter = Letter::of(&shop, &shop.mails()[0]);
    let sizes: Vec<usize> = letter.files.iter().map(|file| file.content.len()).collect();
    assert_eq!((sizes, letter.files[3].content[7]), (vec![190 * 1024; 5], 3));
}

#[tokio::test]
async fn the_page_of_a_mail_shows_as_many_of_the_pictures_that_came_along_as_fit() {
    let shop = shop().await;
    let mut template = template();
    // 93 KB each, as text.
    let pictures = "<img src=\"cid:logo\" alt=\"Mugs\">".repeat(100);
    template["html"] = json!(format!("<p>{pictures} <a href=\"{{{{links.view}}}}\">Look</a></p>"));
    shop.put("/v1/templates/thanks", template).await;
    shop.order("1", "ada").await;
    shop.advance("PT2H").await;
    shop.quiet().await;
    let html = shop.mails()[0].html.clone().unwrap();
    let page = shop.api.get(&path_in(&html, "v")).await.unwrap();
    let shown = format!("<img src=\"data:image/png;base64,{}\" alt=\"Mugs\">", picture()["content"].as_str().unwrap());
    assert_eq!(page.status, 200);
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let left = page.matches("<img src=\"cid:logo\" alt=\"Mugs\">").count();
    assert!((50..60).contains(&left) && page.matches(&shown).count() == 100 - left, "{left}");
}
