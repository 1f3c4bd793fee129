//! A shop that is made up, put twice: into tables, and as the facts of each customer.

use conditions::Facts;
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

use crate::random::{NOWS, Random, date, nanos};
use crate::tables;

pub(crate) struct Shop {
    pub(crate) facts: Vec<Facts>,
    pub(crate) tables: Connection,
}

const PRODUCTS: [&str; 12] = ["p-1", "p-2", "p-3", "p-4", "p-5", "p-6", "p-7", "p-8", "p-9", "p-10", "p-11", "p-12"];
const CITIES: [&str; 8] = ["Riga", "Rīga", "riga", "Tallinn", "Vilnius", "Kaunas", "Mäntsälä", "Zürich"];

/// What a custom field may be, as JSON.
const CODES: [&str; 18] = [
    "42",
    "42.0",
    "\"42\"",
    "\"42.00\"",
    "\"042\"",
    "\"+42\"",
    "7",
    "\"7\"",
    "43.5",
    "true",
    "\"true\"",
    "false",
    "\"abc\"",
    "\"2026-03-01\"",
    "-3",
    "\"-3.0\"",
    "\"42.\"",
    "\".5\"",
];

impl Shop {
    pub(crate) fn of(customers: usize, seed: u64) -> Self {
        let mut maker = Maker { random: Random(seed), tables: tables::empty(), things: 0 };
        maker.tables.execute_batch("BEGIN").expect("a transaction");
        let facts = (0..customers).map(|customer| maker.customer(customer)).collect();
        maker.tables.execute_batch("COMMIT").expect("a transaction");
        tables::index(&maker.tables);
        Self { facts, tables: maker.tables }
    }
}

struct Maker {
    random: Random,
    tables: Connection,
    things: u32,
}

/// The things of one kind that a customer has, and the time of the one before.
#[derive(Default)]
struct Things {
    json: Vec<Value>,
    last: Option<i64>,
}

impl Maker {
    fn insert(&self, sql: &str, values: impl rusqlite::Params) {
        self.tables.prepare_cached(sql).and_then(|mut row| row.execute(values)).expect("a row");
    }

    /// Ids of one kind sort by neither number nor time.
    fn id(&mut self, kind: &str) -> String {
        self.things += 1;
        format!("{kind}-{}", self.things.wrapping_mul(2_654_435_761))
    }

    /// At times the same as the one before.
    fn time(&mut self, things: &mut Things) -> i64 {
        let time = things.last.filter(|_| self.random.chance(12)).unwrap_or_else(|| self.random.moment());
        things.last = Some(time);
        time
    }

    fn customer(&mut self, customer: usize) -> Facts {
        let profile = self.profile(customer);
        let mut facts = Facts::default();
        facts.single.insert("customer".to_owned(), profile);
        let activity = self.random.below(100);
        let several =
            |random: &mut Random, most: i64| random.below(u64::try_from(most * activity / 100 + 1).expect("few"));
        let (orders, events) = (several(&mut self.random, 12), several(&mut self.random, 60));
        let (containers, messages) = (several(&mut self.random, 4), several(&mut self.random, 12));
        facts.orders = self.some(orders, customer, Self::order);
        facts.events = self.some(events, customer, Self::event);
        facts.messages = self.some(messages, customer, Self::message);
        let codes = ["cart", "wishlist", "compare"];
        for code in codes.iter().take(usize::try_from(containers).expect("few")) {
            let items = self.container(customer, code, &mut facts.containers);
            facts.items.extend(items);
        }
        self.random.shuffle(&mut facts.items);
        for code in ["vip", "staff", "testers"] {
            if self.random.chance(18) {
                facts.audiences.push(code.to_owned());
                self.insert("INSERT INTO audiences VALUES (?1, ?2)", params![customer, code]);
            }
        }
        facts
    }

    fn some(&mut self, count: i64, customer: usize, make: fn(&mut Self, usize, &mut Things) -> Value) -> Vec<Value> {
        let mut things = Things::default();
        for _ in 0..count {
            let json = make(self, customer, &mut things);
            things.json.push(json);
        }
        self.random.shuffle(&mut things.json);
        things.json
    }

    fn profile(&mut self, customer: usize) -> Value {
        let random = &mut self.random;
        let mut json = Map::new();
        let email = random.chance(95).then(|| {
            let name = random.pick(&["anna", "arturs", "juris", "madara", "zane", "oskars"]);
            let host = random.pick(&["example.lv", "shop.lv", "example.lt", "lv.example.com"]);
            format!("{name}{customer}@{host}")
        });
        let first_name = random.chance(90).then(|| random.pick(&["Anna", "ANNIJA", "Ance", "Juris", "Ēriks", "Zane"]));
        let city = random.chance(88).then(|| random.pick(&CITIES));
        let phone = random.chance(80).then(|| {
            let prefix = random.pick(&["+371", "00371", "371", "0"]);
            format!("{prefix}{}", 2_000_000 + random.below(999_999))
        });
        let (today, _) = random.pick(&NOWS);
        let today = nanos(today) / crate::random::DAY;
        let birthday = random.chance(85).then(|| match random.below(10) {
            0 => format!("{}-02-29", random.pick(&[1968, 1984, 1996, 2000, 2004])),
            1 => format!("{}-{}", random.pick(&[1969, 1985, 2001]), random.pick(&["02-28", "03-01", "12-31", "01-01"])),
            2..=4 => {
                let near = date(today + random.below(21) - 10);
                format!("{}{}", random.pick(&[1972, 1988, 1996]), &near[4..])
            }
            _ => date(-9_000 + random.below(24_000)),
        });
        let registered = random.chance(97).then(|| random.moment());
        let visit = random.chance(70).then(|| random.moment() + random.pick(&[0, 7, 14, 30]) * crate::random::DAY);
        let points =
            random.chance(80).then(|| random.pick(&[0, 25, 50, 100, 75, 4_000]) * 50 + random.pick(&[0, 0, 5]));
        let code = random.chance(85).then(|| random.pick(&CODES));
        let vip = random.chance(60).then(|| random.pick(&["true", "false", "\"true\""]));
        let consent = random.chance(75).then(|| random.chance(60));
        let zone = random.chance(70).then(|| {
            random.pick(&["UTC", "Europe/Riga", "Asia/Kolkata", "Asia/Tokyo", "America/Phoenix", "Nowhere/Land"])
        });
        let member = random.chance(70).then(|| date(today - random.pick(&[2, 60, 1_000]).min(random.below(1_000))));
        self.insert(
            "INSERT INTO customers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                customer,
                email,
                first_name,
                city,
                phone,
                birthday,
                registered,
                visit,
                points,
                code,
                vip,
                consent,
                zone.filter(|zone| *zone != "Nowhere/Land"),
                member
            ],
        );
        json.insert("id".to_owned(), json!(format!("c-{customer}")));
        let random = &mut self.random;
        let registered = registered.map(|at| random.instant(at));
        let visit = visit.map(|at| random.instant(at));
        let points = points.map(|points| random.amount(points));
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        random.put(&mut json, "email", email.map(Value::from));
        random.put(&mut json, "first_name", first_name.map(Value::from));
        random.put(&mut json, "city", city.map(Value::from));
        random.put(&mut json, "phone", phone.map(Value::from));
        random.put(&mut json, "birthday", birthday.map(Value::from));
        random.put(&mut json, "registered_at", registered);
        random.put(&mut json, "time_zone", zone.map(Value::from));
        random.put(&mut json, "consent", consent.map(|given| json!({"email": {"given": given}})));
        let mut fields = Map::new();
        random.put(&mut fields, "next_visit", visit);
        random.put(&mut fields, "points", points);
        random.put(&mut fields, "code", code.map(parsed));
        random.put(&mut fields, "vip", vip.map(parsed));
        random.put(&mut fields, "member_since", member.map(Value::from));
        json.insert("fields".to_owned(), Value::Object(fields));
        self.lists(customer, &mut json);
        Value::Object(json)
    }

    fn lists(&mut self, customer: usize, json: &mut Map<String, Value>) {
        let mut tags = Vec::new();
        for tag in ["\"vip\"", "\"new\"", "7", "\"7.0\"", "\"007\""] {
            if self.random.chance(12) {
                self.insert("INSERT INTO tags VALUES (?1, ?2)", params![customer, tag]);
                tags.push(serde_json::from_str::<Value>(tag).expect("JSON"));
            }
        }
        let mut addresses = Vec::new();
        for _ in 0..self.random.below(3) {
            let city = self.random.chance(80).then(|| self.random.pick(&CITIES));
            let zip = self.random.chance(70).then(|| self.random.pick(&["01010", "1010", "LV-1010", "1010.0"]));
            self.insert("INSERT INTO addresses VALUES (?1, ?2, ?3)", params![customer, city, zip]);
            let mut address = Map::new();
            self.random.put(&mut address, "city", city.map(Value::from));
            self.random.put(&mut address, "zip", zip.map(Value::from));
            address.insert("kind".to_owned(), json!("delivery"));
            addresses.push(Value::Object(address));
        }
        self.random.put(json, "tags", Some(Value::Array(tags)));
        self.random.put(json, "addresses", Some(Value::Array(addresses)));
    }

    fn order(&mut self, customer: usize, things: &mut Things) -> Value {
        let (id, created) = (self.id("o"), self.time(things));
        let status = self.random.lean(&["completed", "received", "cancelled", "returned"]);
        let in_analytics = match status {
            "cancelled" => self.random.pick(&[Some(false), Some(false), Some(false), Some(true), None]),
            "returned" => self.random.pick(&[Some(false), Some(true)]),
            _ => self.random.pick(&[Some(true), Some(true), None]),
        };
        let currency = self.random.lean(&["EUR", "SEK"]);
        let city = self.random.chance(75).then(|| self.random.lean(&CITIES));
        let coupon = self.random.chance(30).then(|| self.random.pick(&["SPRING-10", "spring-5", "VIP"]));
        let delivered = self.random.chance(60).then(|| date(created / crate::random::DAY + self.random.below(9)));
        let mut total = self.random.pick(&[0, 0, 490, 299]);
        let mut lines = Vec::new();
        for pos in 0..=self.random.below(5) {
            let (line, of_line) = self.line(&id, pos);
            lines.push(line);
            total += of_line;
        }
        self.insert(
            "INSERT INTO every_order VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![id, customer, created, status, currency, total, city, coupon, delivered, in_analytics],
        );
        let mut json = Map::new();
        let random = &mut self.random;
        json.insert("id".to_owned(), json!(id));
        json.insert("created_at".to_owned(), random.instant(created));
        json.insert("status".to_owned(), json!({"general": status, "payment": "paid"}));
        json.insert("currency".to_owned(), json!(currency));
        json.insert("total".to_owned(), random.amount(total));
        random.put(&mut json, "in_analytics", in_analytics.map(Value::from));
        random.put(&mut json, "coupon", coupon.map(Value::from));
        let mut delivery = Map::new();
        random.put(&mut delivery, "city", city.map(Value::from));
        random.put(&mut delivery, "on", delivered.map(Value::from));
        json.insert("delivery".to_owned(), Value::Object(delivery));
        json.insert("lines".to_owned(), Value::Array(lines));
        Value::Object(json)
    }

    fn line(&mut self, order: &str, pos: i64) -> (Value, i64) {
        let product = self.random.lean(&PRODUCTS);
        let (quantity, price) = (self.random.lean(&[1, 2, 3, 5]), self.random.lean(&[1000, 1250, 499, 3990, 10_000]));
        let note = self.random.chance(25).then(|| self.random.pick(&["gift", "call first"]));
        self.insert(
            "INSERT INTO lines VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![order, pos, product, quantity, price, quantity * price, note],
        );
        let mut categories = Vec::new();
        for category in ["shoes", "sale", "kids"] {
            if self.random.chance(30) {
                categories.push(category);
                self.insert("INSERT INTO categories VALUES (?1, ?2, ?3)", params![order, pos, category]);
            }
        }
        let mut json = Map::new();
        json.insert("product_id".to_owned(), json!(product));
        json.insert("quantity".to_owned(), json!(quantity));
        json.insert("price".to_owned(), self.random.amount(price));
        json.insert("total".to_owned(), self.random.amount(quantity * price));
        self.random.put(&mut json, "note", note.map(Value::from));
        self.random.put(&mut json, "categories", Some(json!(categories)));
        (Value::Object(json), quantity * price)
    }

    fn event(&mut self, customer: usize, things: &mut Things) -> Value {
        let (id, happened) = (self.id("e"), self.time(things));
        let name = self.random.lean(&["page_viewed", "product_viewed", "searched", "checkout_started", "signed_in"]);
        let source = self.random.pick(&["web", "app"]);
        let session = format!("s-{}", self.random.below(8));
        let page = self.random.chance(70).then(|| self.random.pick(&["/", "/shoes/red", "/sale", "/shoes/"]));
        let utm = self.random.chance(30).then(|| self.random.pick(&["newsletter", "ads"]));
        let product = (name == "product_viewed").then(|| self.random.lean(&PRODUCTS));
        let value = self.random.chance(40).then(|| self.random.pick(&[10, 20, 30, 250, 1999]));
        self.insert(
            "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![id, customer, happened, name, source, session, page, utm, product, value],
        );
        let value = value.map(|value| self.random.amount(value));
        let (mut json, mut context) = (Map::new(), Map::new());
        self.random.put(&mut context, "page", page.map(Value::from));
        self.random.put(&mut context, "utm", utm.map(|utm| json!({"source": utm})));
        json.insert("id".to_owned(), json!(id));
        json.insert("at".to_owned(), self.random.instant(happened));
        json.insert("name".to_owned(), json!(name));
        json.insert("source".to_owned(), json!(source));
        json.insert("session".to_owned(), json!(session));
        self.random.put(&mut json, "context", Some(Value::Object(context)));
        self.random.put(&mut json, "product_id", product.map(Value::from));
        self.random.put(&mut json, "value", value);
        Value::Object(json)
    }

    fn message(&mut self, customer: usize, things: &mut Things) -> Value {
        let (id, created) = (self.id("m"), self.time(things));
        let channel = self.random.lean(&["email", "sms"]);
        let state = self.random.lean(&["delivered", "bounced", "withheld"]);
        let campaign = self.random.lean(&["welcome", "abandoned-cart", "birthday"]);
        let opened = self.random.chance(40).then(|| created + 60_000_000_000 * self.random.below(5_000));
        self.insert(
            "INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id, customer, created, channel, state, campaign, opened],
        );
        let opened = opened.map(|at| self.random.instant(at));
        let mut json = Map::new();
        json.insert("id".to_owned(), json!(id));
        json.insert("created_at".to_owned(), self.random.instant(created));
        json.insert("channel".to_owned(), json!(channel));
        json.insert("state".to_owned(), json!(state));
        json.insert("campaign".to_owned(), json!(campaign));
        self.random.put(&mut json, "opened_at", opened);
        Value::Object(json)
    }

    /// Adds a container, and gives its items.
    fn container(&mut self, customer: usize, code: &str, containers: &mut Vec<Value>) -> Vec<Value> {
        let mut things = Things::default();
        let (mut total, mut count) = (0, 0);
        for _ in 0..self.random.below(6) {
            let (id, since) = (self.id("i"), self.time(&mut things));
            let product = self.random.lean(&PRODUCTS);
            let (quantity, price) = (self.random.lean(&[1, 2, 4]), self.random.lean(&[1000, 1250, 499, 3990]));
            self.insert(
                "INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![id, customer, code, since, product, quantity, price],
            );
            things.json.push(json!({
                "id": id, "container": code, "since": self.random.instant(since), "product_id": product,
                "quantity": quantity, "price": self.random.amount(price),
            }));
            (total, count) = (total + quantity * price, count + quantity);
        }
        let (id, changed) = (self.id("b"), self.random.moment());
        self.insert(
            "INSERT INTO containers VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id, customer, code, changed, total, count],
        );
        containers.push(json!({
            "id": id, "code": code, "changed_at": self.random.instant(changed),
            "total": self.random.amount(total), "count": count,
        }));
        things.json
    }
}
