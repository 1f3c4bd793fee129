//! What is rendered: the confirmation of an order, as the sample shop sends it.

use serde_json::{Value, json};

/// The lines of the order.
pub(super) const LINES: usize = 10;

pub(crate) const SUBJECT: &str = include_str!("../../../local/shop/templates/order-confirmation/subject.txt");

pub(crate) const HTML: &str = include_str!("../../../local/shop/templates/order-confirmation/body.html");

pub(super) const TEXT: &str = "Thank you for order {{order.id}}.\nIt comes to {{money order.total order.currency}}.";

/// Without our own helpers, so that others can render it, too.
pub(super) const BARE: &str = "<h1>Order {{order.id}}</h1><table>\n{{#each order.lines}}\n<tr>\
    <td style=\"padding:10px 0\">{{#if url}}<a href=\"{{url}}\">{{name}}</a>{{else}}{{name}}{{/if}}</td>\
    <td align=\"right\">{{quantity}}</td><td align=\"right\">{{total}} {{../order.currency}}</td></tr>\n{{/each}}\n\
    </table><p>{{order.total}} {{order.currency}}</p>";

pub(super) const MJML: &str = "<mjml><mj-body><mj-section><mj-column>\
    <mj-text font-size=\"26px\">Thank you for your order {{order.id}}</mj-text>\
    <mj-table><tr><th>Item</th><th>Quantity</th><th>Total</th></tr>\
    {{#each order.lines}}<tr><td>{{#if url}}<a href=\"{{url}}\">{{name}}</a>{{else}}{{name}}{{/if}}</td>\
    <td>{{number quantity}}</td><td>{{money total ../order.currency}}</td></tr>{{/each}}</mj-table>\
    <mj-text>Total {{money order.total order.currency}}</mj-text>\
    </mj-column></mj-section></mj-body></mjml>";

/// What the sender fills it with.
pub(crate) fn data() -> Value {
    let line = |number: usize| {
        json!({
            "id": number.to_string(), "product_id": format!("p-{number}"),
            "name": format!("Oak table {number}, \"large\""),
            "quantity": "2", "price": "125.00", "total": "250.00",
            "url": format!("https://shop.example/p/{number}?c=oak&s=l"),
            "image": "https://shop.example/i.png", "fields": {"colour": "oak"},
        })
    };
    json!({
        "customer": {
            "id": "c-1", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "city": "Rīga",
            "country": "LV", "language": "en", "time_zone": "Europe/Riga", "fields": {"tier": "gold"},
            "consent": {"email": {"state": "granted", "at": "2026-01-01T00:00:00Z"}},
        },
        "order": {
            "id": "3001", "customer_id": "c-1", "created_at": "2026-11-30T10:00:00Z",
            "updated_at": "2026-11-30T10:00:00Z",
            "currency": "EUR", "total": "2499.90", "lines": (1..=LINES).map(line).collect::<Vec<_>>(),
            "status": {"general": "new"}, "fields": {},
            "delivery": {
                "type": "courier", "carrier": "Omniva", "date": "2026-12-04",
                "address": {"country": "LV", "city": "Rīga", "street": "Brīvības 1-2", "zip": "LV-1010"},
            },
            "payment": {"type": "card", "provider": "Klix"},
            "amounts": {"money": "2499.90", "delivery": "4.90", "discount": "5.00"},
        },
        "change": {"type": "order_created", "order_id": "3001"},
        "shop": {"name": "Oak & Linen", "language": "en", "time_zone": "Europe/Riga"},
        "links": {"unsubscribe": "https://shop.example/leave/abc"},
        "now": "2026-11-30T10:00:01Z",
    })
}
