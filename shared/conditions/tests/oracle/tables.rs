//! The shop's tables, and the calendars by which they are asked.

use rusqlite::Connection;

const SCHEMA: &str = "
CREATE TABLE clock (now INTEGER, shop TEXT, today TEXT);
CREATE TABLE today (zone TEXT PRIMARY KEY, day TEXT);
CREATE TABLE zones (name TEXT, seconds INTEGER, summer INTEGER);
CREATE TABLE days (zone TEXT, day TEXT, begins INTEGER, PRIMARY KEY (zone, day)) WITHOUT ROWID;
CREATE TABLE customers (num INTEGER PRIMARY KEY, email TEXT, first_name TEXT, city TEXT, phone TEXT, birthday TEXT,
    registered INTEGER, visit INTEGER, points INTEGER, code TEXT, vip TEXT, consent INTEGER, zone TEXT, member TEXT);
CREATE TABLE tags (customer INTEGER, tag TEXT);
CREATE TABLE addresses (customer INTEGER, city TEXT, zip TEXT);
CREATE TABLE audiences (customer INTEGER, code TEXT);
CREATE TABLE every_order (id TEXT PRIMARY KEY, customer INTEGER, created INTEGER, status TEXT, currency TEXT,
    total INTEGER, city TEXT, coupon TEXT, delivered TEXT, in_analytics INTEGER) WITHOUT ROWID;
-- Those that count unless their statuses are asked for.
CREATE VIEW orders AS SELECT * FROM every_order WHERE in_analytics IS NOT 0;
CREATE TABLE lines (ord TEXT, pos INTEGER, product TEXT, quantity INTEGER, price INTEGER, total INTEGER, note TEXT);
CREATE TABLE categories (ord TEXT, pos INTEGER, category TEXT);
CREATE TABLE events (id TEXT PRIMARY KEY, customer INTEGER, happened INTEGER, name TEXT, source TEXT, session TEXT,
    page TEXT, utm TEXT, product TEXT, value INTEGER) WITHOUT ROWID;
CREATE TABLE containers (id TEXT, customer INTEGER, code TEXT, changed INTEGER, total INTEGER, count INTEGER);
CREATE TABLE items (id TEXT, customer INTEGER, container TEXT, since INTEGER, product TEXT, quantity INTEGER,
    price INTEGER);
CREATE TABLE messages (id TEXT, customer INTEGER, created INTEGER, channel TEXT, state TEXT, campaign TEXT,
    opened INTEGER);
";

/// Each day begins at midnight, which no clock of these zones leaves out. In summer time
/// are the days after the last Sunday of March up to the last of October, by their midnight.
const CALENDARS: &str = "
INSERT INTO zones VALUES ('UTC', 0, 0), ('Europe/Riga', 7200, 1), ('Asia/Kolkata', 19800, 0),
    ('Asia/Tokyo', 32400, 0), ('America/Phoenix', -25200, 0);
INSERT INTO days
WITH RECURSIVE every(day) AS (
    SELECT '2018-01-01' UNION ALL SELECT date(day, '+1 day') FROM every WHERE day < '2030-01-01'
)
SELECT name, day, 1000000000 * (CAST(strftime('%s', day) AS INTEGER) - seconds - 3600 * (summer
    AND day > date(substr(day, 1, 4) || '-04-01', 'weekday 0', '-7 days')
    AND day <= date(substr(day, 1, 4) || '-11-01', 'weekday 0', '-7 days')))
FROM zones, every;
CREATE INDEX days_begin ON days (zone, begins, day);
";

const INDEXES: &str = "
CREATE INDEX tags_of ON tags (customer);
CREATE INDEX addresses_of ON addresses (customer);
CREATE INDEX audiences_of ON audiences (customer);
CREATE INDEX orders_of ON every_order (customer, created, id);
CREATE INDEX lines_of ON lines (ord, pos);
CREATE INDEX categories_of ON categories (ord, pos);
CREATE INDEX events_of ON events (customer, happened, id);
CREATE INDEX items_of ON items (customer, since, id);
CREATE INDEX containers_of ON containers (customer, changed, id);
CREATE INDEX messages_of ON messages (customer, created, id);
ANALYZE;
";

/// Tables without a row but those of the calendars.
pub(crate) fn empty() -> Connection {
    let tables = Connection::open_in_memory().expect("a database in memory");
    tables.execute_batch(SCHEMA).expect("the schema");
    tables.execute_batch(CALENDARS).expect("the calendars");
    tables
}

/// Once every row is there.
pub(crate) fn index(tables: &Connection) {
    tables.execute_batch(INDEXES).expect("the indexes");
}

/// Sets the time in nanoseconds, and the zone of the shop.
pub(crate) fn set_clock(tables: &Connection, now: i64, shop: &str) {
    tables.execute_batch("DELETE FROM clock; DELETE FROM today;").expect("no clock");
    tables.execute("INSERT INTO clock VALUES (?1, ?2, NULL)", (now, shop)).expect("a clock");
    let days = "INSERT INTO today SELECT name, (SELECT day FROM days WHERE zone = name AND begins <= now
            ORDER BY begins DESC LIMIT 1) FROM zones, clock;
        UPDATE clock SET today = (SELECT day FROM today WHERE zone = shop);";
    tables.execute_batch(days).expect("today");
}

/// The customers for whom a clause over `c` and the clock `k` holds.
pub(crate) fn customers(tables: &Connection, clause: &str) -> Vec<usize> {
    let sql = expand(clause);
    let mut rows = tables.prepare(&sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let found = rows.query_map([], |row| row.get::<_, usize>(0)).expect("rows");
    found.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

/// Whether it holds for one of them.
pub(crate) fn is_found(tables: &Connection, clause: &str, customer: usize) -> bool {
    let sql = format!("SELECT EXISTS ({} AND c.num = ?1)", expand(clause));
    let row = tables.prepare_cached(&sql).and_then(|mut row| row.query_row([customer], |row| row.get(0)));
    row.unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

/// The whole of what a clause stands for. In it, `@now` is the time, `@today` the shop's day,
/// `@days` the nanoseconds of one; `@o.` makes the row `o` one of the customer's, and
/// `@lines` are those of their orders `o`.
pub(crate) fn expand(clause: &str) -> String {
    let mut sql = format!("SELECT c.num FROM customers c, clock k WHERE ({clause})");
    for alias in ["o", "e", "i", "b", "m", "t", "a"] {
        sql = sql.replace(&format!("@{alias}."), &format!("{alias}.customer = c.num"));
    }
    sql.replace("@every_line", "lines l JOIN every_order o ON o.id = l.ord AND o.customer = c.num")
        .replace("@lines", "lines l JOIN orders o ON o.id = l.ord AND o.customer = c.num")
        .replace("@now", "k.now")
        .replace("@today", "k.today")
        .replace("@days", "86400000000000")
        .replace("@hours", "3600000000000")
}

/// The day of an instant in the shop's zone.
pub(crate) fn day_of(instant: &str) -> String {
    format!("(SELECT d.day FROM days d WHERE d.zone = k.shop AND d.begins <= {instant} ORDER BY d.begins DESC LIMIT 1)")
}

/// When a day begins in the shop's zone.
pub(crate) fn begin(day: &str) -> String {
    format!("(SELECT d.begins FROM days d WHERE d.zone = k.shop AND d.day = {day})")
}

/// When a day begins in the customer's zone, or the shop's if theirs is not known. `T` in
/// the expression is the day that it is there.
pub(crate) fn begin_of_theirs(day: &str) -> String {
    let day = day.replace('T', "t.day");
    format!(
        "(SELECT d.begins FROM today t JOIN days d ON d.zone = t.zone AND d.day = {day} \
         WHERE t.zone = coalesce(c.zone, k.shop))"
    )
}
