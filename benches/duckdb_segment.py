#!/usr/bin/env python3
"""The condition that `benches segments` calls "six leaves", asked of DuckDB.

    pip install duckdb && python3 benches/duckdb_segment.py

100,000 customers with 10 orders and 50 events each, in memory, one thread. Prints how many
customers a second one query goes through: the median of nine. It is here to have something to
hold our own figure against, and no test needs it.
"""

import statistics
import time

import duckdb

CUSTOMERS = 100_000

db = duckdb.connect()
db.execute("SET threads = 1")
db.execute("SET TimeZone = 'UTC'")
now = "TIMESTAMPTZ '2026-11-23 08:00:00+00'"
db.execute(f"""
    CREATE TABLE customers AS SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'Riga' ELSE 'Tallinn' END AS city,
        make_date(1960 + i::INT % 50, 5, 1) AS birthday
    FROM range({CUSTOMERS}) t(i);
    CREATE TABLE orders AS SELECT i AS customer, {now} - to_hours(k * 480 + i % 700 + 1) AS created_at,
        (20 + (i + k) % 40 + 0.5)::DECIMAL(12, 2) AS total
    FROM range({CUSTOMERS}) t(i), range(10) u(k);
    CREATE TABLE events AS SELECT i AS customer, {now} - to_hours(k * 30 + i % 500) AS at,
        ['product_viewed', 'page_viewed', 'category_viewed'][k % 3 + 1] AS name, 'c' || (i + k) % 9 AS category
    FROM range({CUSTOMERS}) t(i), range(50) u(k);
""")
query = f"""
    SELECT count(*) FROM customers c
    JOIN (SELECT customer, count(*) AS orders, max(created_at) AS latest,
                 coalesce(sum(total) FILTER (created_at > {now} - INTERVAL 90 DAY), 0) AS spent
          FROM orders GROUP BY customer) o ON o.customer = c.id
    WHERE city = 'Riga' AND birthday < DATE '2000-01-01' AND orders < 18 AND latest <= {now} - INTERVAL 10 DAY
      AND spent > 60
      AND EXISTS (SELECT 1 FROM events e WHERE e.customer = c.id AND e.at > {now} - INTERVAL 30 DAY
                  AND name = 'category_viewed' AND category IN ('c1', 'c2', 'c3'))
"""
took = []
for _ in range(9):
    start = time.perf_counter()
    found = db.execute(query).fetchone()[0]
    took.append(time.perf_counter() - start)
print(f"DuckDB {duckdb.__version__}: {found} of {CUSTOMERS} customers, {CUSTOMERS / statistics.median(took):,.0f} customers/s")
