//! What leaves is a sound mail, and says what was rendered, whatever it is filled with.

use std::fs;
use std::path::PathBuf;

use local::ses::Mail;
use serde_json::{Value, json};

use crate::letter::Letter;
use crate::support::{Shop, options, order};

/// A file of the repository.
fn file(path: &str) -> Option<String> {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).ok()
}

/// The sample templates: the small shop's, and those of the gallery.
fn samples() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("shop/templates");
    let named = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut samples = Vec::new();
    for name in fs::read_dir(folder).unwrap().map(|entry| named(entry.unwrap())) {
        let part = |part: &str| file(&format!("local/shop/templates/{name}/{part}"));
        let line = |part_name: &str| part(part_name).map(|text| text.trim_end().to_owned());
        samples.push((
            name.clone(),
            json!({
                "subject": line("subject.txt"), "html": part("body.html"), "text": part("text.txt"),
                "preheader": line("preheader.txt"),
            }),
        ));
    }
    let gallery = |name: &str| file(&format!("shared/templates/tests/gallery/{name}"));
    let mut add = |name: &str, body: Value| samples.push((name.to_owned(), body));
    add("abandoned-cart", json!({ "subject": "Your cart", "html": gallery("abandoned-cart.html") }));
    add("birthday", json!({ "subject": "🎂 {{customer.first_name}} 👩‍👩‍👧‍👦", "html": gallery("birthday.html") }));
    add("right-to-left", json!({ "subject": "הזמנה {{order.id}} יצאה לדרך", "html": gallery("right-to-left.html") }));
    add("newsletter", json!({ "subject": "News of {{shop.name}}", "mjml": gallery("newsletter.mjml") }));
    samples
}

/// What sets a sample's mail off.
fn trigger(sample: &str) -> Value {
    match sample {
        "order-confirmation" | "how-was-it" | "right-to-left" => json!({ "type": "order_created" }),
        "order-shipped" => json!({ "type": "order_status_changed", "set": "delivery", "to": "shipped" }),
        "viewed-product" => json!({ "type": "event_received", "name": "product_viewed" }),
        "abandoned-cart" | "birthday" | "newsletter" | "winter-newsletter" => {
            json!({ "type": "event_received", "name": "rang" })
        }
        other => panic!("nothing here sends {other}"),
    }
}

async fn send_samples(shop: &Shop) {
    let customer = json!({
        "email": "anna@example.com", "first_name": "Anna & Co", "city": "Rīga", "country": "LV", "language": "en",
        "time_zone": "Europe/Riga", "consent": { "email": "granted" },
    });
    shop.put("/v1/customers/anna", customer).await;
    let table = json!({
        "name": "Oak table <long>", "price": "1250.00", "currency": "EUR", "available": true,
        "url": "https://shop.example/p/1?c=oak&s=l", "image": "https://shop.example/1.png",
    });
    shop.put("/v1/products/table", table).await;
    let item = json!({ "product_id": "table", "quantity": 1, "price": "1250.00", "name": "Oak table <long>" });
    let put_in = json!({ "id": "1", "op": "add", "items": [item] });
    shop.tell("/v1/customers/anna/containers/cart", put_in).await;
    let order = json!({
        "customer_id": "anna", "created_at": "2026-11-01T22:30:00Z", "updated_at": "2026-11-01T22:30:00Z",
        "currency": "EUR", "total": "1303.90", "status": { "general": "received" },
        "amounts": { "delivery": "4.90", "discount": "5.00" },
        "delivery": { "type": "courier", "carrier": "Omniva", "date": "2026-11-04",
            "address": { "country": "LV", "city": "Rīga", "street": "Brīvības 1-2", "zip": "LV-1010" } },
        "lines": [
            { "id": "1", "product_id": "table", "name": "Oak table <long>", "quantity": 1, "price": "1250.00",
              "total": "1250.00", "url": "https://shop.example/p/1?c=oak&s=l" },
            { "id": "2", "product_id": "candle", "name": "Beeswax candle", "quantity": 6, "price": "9.00",
              "total": "54.00" },
        ],
    });
    shop.put("/v1/orders/1007", order).await;
    let shipped = json!({ "set": "delivery", "code": "shipped", "at": "2026-11-02T09:00:00Z" });
    shop.put("/v1/orders/1007/status", shipped).await;
    let product = json!({
        "product": { "name": "Oak table", "price": "1250.00", "currency": "EUR", "url": "https://shop.example/p/1" },
    });
    for (name, context) in [("product_viewed", product), ("rang", json!({ "product_id": "table" }))] {
        let event = json!({
            "id": name, "customer_id": "anna", "name": name, "at": "2026-11-02T23:30:00Z", "context": context,
        });
        shop.tell("/v1/events", event).await;
    }
    shop.drain().await;
}

#[tokio::test]
async fn each_sample_template_leaves_as_a_mail_that_reads_as_it_was_approved() {
    let mut options = options();
    options.parameters.insert("ShopName".to_owned(), "North & Oak".to_owned());
    let shop = Shop::open_with(options).await;
    for partial in ["footer", "page"] {
        let source = file(&format!("shared/templates/tests/gallery/{partial}.html"));
        shop.put(&format!("/v1/partials/{partial}"), json!({ "source": source })).await;
    }
    let samples = samples();
    for (name, body) in &samples {
        shop.put(&format!("/v1/templates/{name}"), body.clone()).await;
        shop.campaign(name, trigger(name), json!([{ "send": { "template": name } }])).await;
    }
    send_samples(&shop).await;
    let mails = shop.mails();
    assert_eq!(mails.len(), samples.len(), "{:?}", shop.messages("anna").await);
    for mail in &mails {
        insta::assert_snapshot!(format!("mail-{}", mail.tags["campaign"]), Letter::of(&shop, mail).shown());
    }
}

/// A shop with this template, whose mail is set off by each new order, and by each event `rang`
/// if it is not about an order.
async fn shop_of(template: Value, with_order: bool, options: local::Options) -> Shop {
    let shop = Shop::open_with(options).await;
    shop.put("/v1/templates/own", template).await;
    let rang = json!({ "type": "event_received", "name": "rang" });
    let trigger = if with_order { json!({ "type": "order_created" }) } else { rang };
    shop.campaign("own", trigger, json!([{ "send": { "template": "own" } }])).await;
    shop
}

/// A customer of that name, who orders something of that name.
async fn orders(shop: &Shop, id: &str, name: &str) {
    shop.customer(id).await;
    shop.patch(&format!("/v1/customers/{id}"), json!({ "first_name": name })).await;
    let mut order = order(id);
    order["lines"][0]["name"] = json!(name);
    order["delivery"] = json!({ "note": name });
    shop.put(&format!("/v1/orders/{id}"), order).await;
}

fn to<'m>(mails: &'m [Mail], id: &str) -> &'m Mail {
    let address = format!("{id}@example.com");
    mails.iter().find(|mail| mail.to == [address.as_str()]).unwrap_or_else(|| panic!("nothing went to {id}"))
}

/// Values that try to be more than a name.
const HOSTILE: [&str; 11] = [
    "x\r\nBcc: eve@example.net",
    "x\nBcc: eve@example.net\nContent-Type: text/html\n\n<script>alert(1)</script>",
    "x\r\n\r\n--alternative\r\nContent-Type: text/html\r\n\r\n<b>",
    "x\r\n.\r\nMAIL FROM:<eve@example.net>",
    "\0\u{1b}[2J\u{7f}\u{85}\u{2028}\u{2029}x",
    "\"x\" <eve@example.net>, y\\",
    "=?utf-8?q?x=0D=0ABcc:_eve@example.net?=",
    "x' onload='y\" z=\"<img src=x onerror=alert(1)>&amp;`",
    "--><script>",
    "{{block \"x\"}}{{{order.total}}}{{> page}}",
    "\u{202e}gpj.exe",
];

#[tokio::test]
async fn no_value_becomes_a_header_a_recipient_a_part_or_a_tag() {
    let html = "<body><p title=\"{{customer.first_name}}\">{{customer.first_name}}</p>{{#each order.lines}}\
                <a href=\"{{url \"https://shop.example/p\" name=name}}\">{{name}}</a>{{/each}}\
                <p>{{order.delivery.note}}</p></body>";
    let template = json!({
        "subject": "For {{customer.first_name}}: {{#each order.lines}}{{name}}{{/each}}", "html": html,
        "preheader": "{{customer.first_name}}",
    });
    let mut options = options();
    let shop_name = "\"Mugs\" <eve@example.net>, \\ Ltd";
    options.parameters.insert("ShopName".to_owned(), shop_name.to_owned());
    let shop = shop_of(template, true, options).await;
    orders(&shop, "plain", "Ann").await;
    for (n, value) in HOSTILE.iter().enumerate() {
        orders(&shop, &format!("h{n}"), value).await;
    }
    shop.drain().await;
    let mails = shop.mails();
    assert_eq!(mails.len(), HOSTILE.len() + 1);
    let tags = |letter: &Letter| ['<', '>', '"'].map(|c| letter.html.matches(c).count());
    let plain = Letter::of(&shop, to(&mails, "plain"));
    assert_eq!(plain.subject, "For Ann: Ann");
    for (n, value) in HOSTILE.iter().enumerate() {
        let letter = Letter::of(&shop, to(&mails, &format!("h{n}")));
        assert_eq!(letter.from, (shop_name.to_owned(), "shop@example.com".to_owned()), "{value:?}");
        assert_eq!((&letter.outline, tags(&letter)), (&plain.outline, tags(&plain)), "{value:?}");
        assert!(letter.html.contains("<a href=\"https://shop.example/p?name&#61;"), "{}", letter.html);
        assert!(!letter.subject.contains(|c: char| c.is_control() || "\u{2028}\u{2029}".contains(c)), "{value:?}");
        assert!(!letter.html.contains('\0') && !letter.text.contains('\0'), "{value:?}");
    }
    let said = Letter::of(&shop, to(&mails, "h0"));
    assert!(said.subject == "For x Bcc: eve@example.net: x Bcc: eve@example.net", "{said:?}");
}

#[tokio::test]
async fn a_link_leads_to_the_web_or_the_mail_is_not_sent() {
    let template = json!({ "subject": "s", "html": "<p><a href=\"{{url event.context.site a=\"b\"}}\">x</a></p>" });
    let shop = shop_of(template, false, options()).await;
    shop.customer("ada").await;
    let sites = ["javascript:alert(1)//https://a.example", "data:text/html,x", "//a.example", " https://a.example"];
    for (n, site) in sites.iter().chain(&["https://a.example/\" onclick=\"x\r\nBcc: eve@example.net"]).enumerate() {
        let event = json!({ "id": n.to_string(), "customer_id": "ada", "name": "rang", "context": { "site": site } });
        shop.tell("/v1/events", event).await;
    }
    shop.drain().await;
    let mut outcomes = shop.outcomes("ada").await;
    outcomes.sort();
    assert_eq!(outcomes, [vec!["NOT_SENT template_failed"; 4], vec!["SENT"]].concat());
    let letter = Letter::of(&shop, &shop.mails()[0]);
    assert!(letter.html.contains("<a href=\"https://a.example/&quot; onclick&#61;&quot;x"), "{}", letter.html);
    assert_eq!(letter.html.matches('"').count(), 2);
}

#[tokio::test]
async fn emoji_and_what_is_read_from_right_to_left_arrive_as_they_were_said() {
    let template = json!({
        "subject": "{{customer.first_name}} {{#each order.lines}}{{name}}{{/each}}", "preheader": "{{customer.first_name}}",
        "html": "<p>{{customer.first_name}}</p>{{#each order.lines}}<p>{{name}}</p>{{/each}}",
    });
    let mut options = options();
    let shop_name = "☕ متجر Ēka 🇱🇻 חנות 店";
    options.parameters.insert("ShopName".to_owned(), shop_name.to_owned());
    let shop = shop_of(template, true, options).await;
    let names = [
        "👩‍👩‍👧‍👦🏳️‍🌈🇱🇻".to_owned(),
        "محمد بن عبد الله الطويل الاسم جدا".to_owned(),
        "שָׁלוֹם עוֹלָם".to_owned(),
        "恵美 村上 さん".to_owned(),
        "e\u{301}a\u{308}o\u{308}\u{323}".to_owned(),
        "\u{1F600}".repeat(60),
        format!("a{}", "é".repeat(120)),
        "ASCII alone, and longer than a line of a header should be, so that it has to be folded somewhere".to_owned(),
    ];
    for (n, name) in names.iter().enumerate() {
        orders(&shop, &format!("n{n}"), name).await;
    }
    shop.drain().await;
    let mails = shop.mails();
    for (n, name) in names.iter().enumerate() {
        let letter = Letter::of(&shop, to(&mails, &format!("n{n}")));
        assert_eq!(letter.subject, format!("{name} {name}"));
        assert_eq!(letter.from.0, shop_name);
        assert_eq!(letter.text, format!("{name}\n\n{name}"));
        assert!(letter.html.contains(&format!("<p>{name}</p><p>{name}</p>")), "{}", letter.html);
    }
}

#[tokio::test]
async fn lines_of_any_length_arrive_whole() {
    let long = "x".repeat(998);
    let template = json!({
        "subject": "{{customer.first_name}}", "text": format!("{long}{{{{order.delivery.note}}}}{long}\n.\nFrom here\n{long}é"),
        "html": format!("<p title=\"{long}\">{{{{order.delivery.note}}}}{}</p>\n.\n{long}", "ж".repeat(5_000)),
    });
    let shop = shop_of(template, true, options()).await;
    shop.customer("ada").await;
    // The last is as long as the header's line may be, in bytes.
    for (n, name) in ["n".repeat(499), "n ".repeat(249) + "n", "é".repeat(499)].into_iter().enumerate() {
        shop.patch("/v1/customers/ada", json!({ "first_name": name })).await;
        let mut order = order("ada");
        order["delivery"] = json!({ "note": "y".repeat(500) });
        shop.put(&format!("/v1/orders/{n}"), order).await;
        shop.drain().await;
        let letter = Letter::of(&shop, shop.mails().last().unwrap());
        assert_eq!(letter.subject, name);
        assert_eq!(letter.text, format!("{long}{}{long}\n.\nFrom here\n{long}é", "y".repeat(500)));
    }
    assert_eq!(shop.mails().len(), 3);
}

#[tokio::test]
async fn an_order_of_as_many_lines_as_may_be_leaves_whole_and_what_is_too_large_says_so() {
    let rows = |times: usize| {
        let row = "<tr><td>{{name}}</td><td>{{money total \"EUR\"}}</td></tr>";
        let rows = format!("{{{{#each order.lines}}}}{row}{{{{/each}}}}");
        json!({ "subject": "{{order.id}}", "html": format!("<table>{}</table>", rows.repeat(times)) })
    };
    let lines = |count: usize| -> Value {
        let line = |n: usize| {
            json!({ "id": n.to_string(), "product_id": "p", "name": format!("Thing {n}"), "quantity": 1,
                    "price": "9.50", "total": "9.50" })
        };
        (0..count).map(line).collect()
    };
    let shop = shop_of(rows(10), true, options()).await;
    shop.customer("ada").await;
    let mut large = order("ada");
    large["lines"] = lines(1_000);
    shop.put("/v1/orders/large", large.clone()).await;
    shop.drain().await;
    let letter = Letter::of(&shop, &shop.mails()[0]);
    assert_eq!((letter.html.matches("<tr>").count(), letter.text.lines().count()), (10_000, 10_000));
    assert!(letter.html.contains("<tr><td>Thing 999</td><td>€9.50</td></tr></table>"));

    // No more are taken than can be kept.
    let mut larger = order("ada");
    larger["lines"] = lines(10_000);
    assert_eq!(shop.ask("PUT", "/v1/orders/larger", larger).await.0, 413);
    let each = "{{#each @root.order.lines}}";
    let html = format!("<p>{each}{each}{{{{@root.order.id}}}}{{{{/each}}}}{{{{/each}}}}</p>");
    shop.put("/v1/templates/own", json!({ "subject": "s", "html": format!("{html}{html}{html}") })).await;
    shop.put("/v1/orders/too-large", large).await;
    shop.drain().await;
    let message = &shop.messages("ada").await[0];
    assert_eq!((&message["state"], &message["reason"]), (&json!("NOT_SENT"), &json!("too_large")));
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (1, 0));
}

#[tokio::test]
async fn of_nothing_there_is_a_whole_mail_or_none_with_its_reason() {
    let shop = Shop::open().await;
    let lines = "{{#each order.lines}}<p>{{name}}</p>{{else}}{{block \"nothing was ordered\"}}{{/each}}";
    for (name, subject, html) in [
        ("name", "s", "<p>Hello {{customer.first_name}},</p>"),
        ("subject", "{{#if customer.first_name}}Hello {{customer.first_name}}{{/if}}", "<p>x</p>"),
        ("body", "s", "<div>\n{{#if customer.first_name}}<p>Hello {{customer.first_name}},</p>{{/if}}\n</div>"),
        ("lines", "s", lines),
        ("city", "To {{customer.city}}", "<p>x</p>"),
        ("note", "s", "<p>{{order.delivery.note}}</p>"),
        ("default", "Hello {{default customer.first_name \"there\"}}", "<p>{{len order.lines}} things</p>"),
    ] {
        shop.put(&format!("/v1/templates/{name}"), json!({ "subject": subject, "html": html })).await;
        shop.campaign(name, json!({ "type": "order_created" }), json!([{ "send": { "template": name } }])).await;
    }
    for (id, first_name) in [("absent", Value::Null), ("empty", json!(""))] {
        let body = json!({ "email": format!("{id}@example.com"), "first_name": first_name, "city": "" });
        shop.put(&format!("/v1/customers/{id}"), body).await;
        let order =
            json!({ "customer_id": id, "currency": "EUR", "total": "0", "lines": [], "delivery": { "note": "" } });
        shop.put(&format!("/v1/orders/{id}"), order).await;
        shop.drain().await;
        let mut told: Vec<(String, String, String)> = Vec::new();
        for message in shop.messages(id).await {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            told.push((text("campaign"), text("reason"), text("detail")));
        }
        told.sort();
        let expected = [
            ("body", "template_failed", "html, line 1, column 1"),
            ("city", "missing_variable", "customer.city (subject, line 1, column 4)"),
            ("default", "", ""),
            ("lines", "blocked_by_template", "nothing was ordered"),
            ("name", "missing_variable", "customer.first_name (html, line 1, column 10)"),
            ("note", "missing_variable", "order.delivery.note (html, line 1, column 4)"),
            ("subject", "template_failed", "subject, line 1, column 1"),
        ];
        let expected = expected.map(|(campaign, reason, detail)| (campaign.into(), reason.into(), detail.into()));
        assert_eq!(told, expected, "{id}");
        let letter = Letter::of(&shop, shop.mails().last().unwrap());
        assert_eq!((letter.subject.as_str(), letter.text.as_str()), ("Hello there", "0 things"));
    }
    assert_eq!(shop.mails().len(), 2);
}
