#!/usr/bin/env python3
"""Lets Segment's own clients, unchanged, send to Cartwire, and looks for all of it.

Each is told nothing but the host and the key. What they sent is then read back
through the API: profiles, events, orders and containers.

    cargo build -p local
    python3 -m pip install -r tests/clients/requirements.txt
    python3 tests/clients/run.py

It takes Node.js with npm, which fetches the clients for JavaScript into
target/ci/clients; with --without-node these are left out. Exits with 0 when
everything has arrived, once.
"""

import argparse
import contextlib
import datetime
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NODE = ROOT / "target" / "ci" / "clients"

# What a visitor did follows their customer by and by.
FOLLOWED_S = 30
STARTED_S = 120


def say(text):
    print(f"  {text}", flush=True)


@contextlib.contextmanager
def bundle(program):
    """Runs the bundle in memory on free ports; gives the API's address and a key for everything."""
    command = [program, "serve", "--memory", "--api-port", "0", "--page-port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        told = {}
        deadline = time.monotonic() + STARTED_S
        while len(told) < 2 and time.monotonic() < deadline and (line := server.stdout.readline()):
            if found := re.match(r"\s+(HTTP API|API key)\s+(\S+)", line):
                told[found[1]] = found[2]
        if len(told) < 2:
            raise SystemExit("the bundle did not start")
        yield told["HTTP API"], told["API key"]
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Api:
    """Cartwire's own API."""

    def __init__(self, url, key):
        self.url = url
        self.key = key

    def call(self, method, path, body=None, headers=None):
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers
            or {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def get(self, path):
        status, _, answer = self.call("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path} answered {status}: {answer}")
        return json.loads(answer)

    def key_of(self, scopes):
        status, _, answer = self.call("POST", "/v1/keys", {"name": "clients", "scopes": scopes})
        if status not in (200, 201):
            raise SystemExit(f"no key: {status} {answer}")
        return json.loads(answer)["key"]


def equal(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what} is {found!r}, and not {wanted!r}")


def names_of(api, customer):
    items = api.get(f"/v1/customers/{customer}/events")["items"]
    return sorted(item["name"] for item in items)


def held(api, customer, container):
    items = api.get(f"/v1/customers/{customer}/containers/{container}")["items"]
    return {item["product_id"]: float(item["quantity"]) for item in items}


def check_profile(api, prefix):
    profile = api.get(f"/v1/customers/{prefix}-ada")
    equal("the address", profile.get("email"), f"{prefix}@example.com")
    equal("the name", (profile.get("first_name"), profile.get("last_name")), ("Ada", "Lovelace"))
    equal("the city", profile.get("city"), "London")
    equal("a field of the shop's own", profile["fields"].get("plan"), "gold")


def check_order(api, prefix, customer):
    order = api.get(f"/v1/orders/{prefix}-1")
    equal("the order's customer", order["customer_id"], customer)
    equal("the total", (float(order["total"]), order["currency"]), (52.9, "EUR"))
    equal("the delivery", float(order["amounts"]["delivery"]), 3.0)
    equal("the status", order["status"].get("general"), "received")
    equal("the coupon", order["fields"].get("coupon"), "SPRING")
    (line,) = order["lines"]
    equal("the line", (line["product_id"], float(line["quantity"]), line["price"]), ("mug-blue", 2.0, "24.95"))


def check_server(api, prefix):
    """What the scripts for servers send."""
    check_profile(api, prefix)
    seen = ["added_to_container"] * 2 + ["group", "page_viewed", "product_viewed"]
    equal("what was seen", names_of(api, f"{prefix}-ada"), seen + ["removed_from_container", "screen_viewed"])
    equal("the cart", held(api, f"{prefix}-ada", "cart"), {"pen": 2.0})
    equal("the wishlist", held(api, f"{prefix}-ada", "wishlist"), {"mug-blue": 2.0})
    equal("what followed the alias", names_of(api, f"{prefix}-robert"), ["order_completed", "song_played"])
    check_order(api, prefix, f"{prefix}-robert")


def check_browser(api, prefix):
    """What the script for a page sends: at first it is not known who it is."""
    check_profile(api, prefix)
    seen = ["added_to_container"] * 2 + ["group", "order_completed", "page_viewed", "product_viewed"]
    seen += ["removed_from_container", "screen_viewed", "song_played"]
    equal("what was seen", names_of(api, f"{prefix}-ada"), seen)
    (page,) = [e for e in api.get(f"/v1/customers/{prefix}-ada/events")["items"] if e["name"] == "page_viewed"]
    equal("the page", page["context"].get("path"), "/mugs")
    equal("the campaign", page["context"]["campaign"].get("name"), "winter")
    # The order emptied the cart.
    equal("the cart", held(api, f"{prefix}-ada", "cart"), {})
    equal("the wishlist", held(api, f"{prefix}-ada", "wishlist"), {"mug-blue": 2.0})
    check_order(api, prefix, f"{prefix}-ada")


def until_right(check, *arguments):
    """Runs a check until it holds."""
    deadline = time.monotonic() + FOLLOWED_S
    while True:
        try:
            return check(*arguments)
        except (AssertionError, KeyError, ValueError) as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"{arguments[-1]}: {error!r}") from error
            time.sleep(0.2)


def check_edges(api, track):
    """What no client of theirs shows: a browser's questions, and wrong keys."""
    asked = {
        "Origin": "https://shop.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    status, headers, _ = api.call("OPTIONS", "/v1/t", headers=asked)
    equal("what a browser asks", (status, headers["access-control-allow-origin"]), (204, "*"))
    plain = {"Content-Type": "text/plain", "Origin": "https://shop.example.com"}
    message = {"userId": "edge", "event": "E", "messageId": "edge-1"}
    status, headers, _ = api.call("POST", "/v1/track", {**message, "writeKey": "cw_nobody"}, headers=plain)
    equal("a made-up key", (status, headers["access-control-allow-origin"]), (401, "*"))
    status, _, answer = api.call("POST", "/v1/track", {**message, "writeKey": track}, headers=plain)
    equal("a key in the body", (status, json.loads(answer)), (200, {"success": True}))
    batch = {"batch": [{**message, "type": "track"}, {"type": "track"}], "writeKey": track}
    status, _, answer = api.call("POST", "/v1/batch", batch, headers=plain)
    equal("a batch with one bad message", (status, json.loads(answer)["errors"][0]["index"]), (200, 1))
    status, _, _ = api.call("POST", "/v1/track", {"event": "E", "writeKey": track}, headers=plain)
    equal("a message about nobody", status, 422)
    large = {**message, "writeKey": track, "properties": {"x": "x" * 40_000}}
    equal("a large message", api.call("POST", "/v1/track", large, headers=plain)[0], 413)
    merge = {"previousId": "edge-2", "userId": "edge-3", "writeKey": track}
    _, _, answer = api.call("POST", "/v1/alias", merge, headers=plain)
    equal("a browser's merge of two customers", json.loads(answer)["success"], False)


def check_order_events(api, key):
    """An order's whole life within a millisecond, from a machine whose clock is an hour ahead."""

    def ahead(minutes):
        clock = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        return (clock - datetime.timedelta(minutes=minutes)).isoformat()

    def track(name, properties):
        properties = {"order_id": "life-1", **properties}
        return {"type": "track", "userId": "life", "event": name, "properties": properties, "timestamp": began}

    began = ahead(minutes=5)
    pens = [{"product_id": "pen", "quantity": 2, "price": 1.5}]
    batch = [
        track("Order Completed", {"total": 4, "currency": "EUR", "products": pens}),
        track("Order Updated", {"total": 3, "currency": "EUR", "products": pens}),
        track("Order Refunded", {}),
        track("Order Cancelled", {}),
    ]
    headers = {"Content-Type": "application/json"}
    for _ in range(2):
        body = {"batch": batch, "sentAt": ahead(minutes=0), "writeKey": key}
        status, _, answer = api.call("POST", "/v1/import", body, headers=headers)
        equal("an order's life", (status, json.loads(answer)), (200, {"success": True}))
        order = api.get("/v1/orders/life-1")
        equal("the total", float(order["total"]), 3.0)
        statuses = (order["status"].get("general"), order["status"].get("payment"))
        equal("the statuses", statuses, ("cancelled", "refunded"))
        equal("the events", len(names_of(api, "life")), 4)
    created = datetime.datetime.fromisoformat(order["created_at"].replace("Z", "+00:00"))
    age = (datetime.datetime.now(datetime.timezone.utc) - created).total_seconds()
    if not 290 < age < 360:
        raise AssertionError(f"the order is {age} s old, and not five minutes")


def install_node_clients():
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise SystemExit(f"{program} is missing; --without-node leaves the clients for JavaScript out")
    NODE.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "package-lock.json", "node_client.js", "browser_client.js"):
        shutil.copy(HERE / file, NODE / file)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True)


def run_client(api, command, check):
    prefix = command[4]
    subprocess.run(command, check=True, timeout=120, cwd=NODE if command[0] == "node" else HERE)
    until_right(check, api, prefix)
    say(f"{prefix}: all of it arrived")


def main():
    parser = argparse.ArgumentParser(description="Let Segment's own clients send to Cartwire.")
    parser.add_argument("--local", type=Path, default=ROOT / "target" / "debug" / "local", help="the local runner")
    parser.add_argument("--without-node", action="store_true", help="leave the clients for JavaScript out")
    arguments = parser.parse_args()
    if not arguments.without_node:
        install_node_clients()
    with bundle(arguments.local) as (url, key):
        api = Api(url, key)
        server, track = api.key_of(["ingest"]), api.key_of(["track"])
        python = [sys.executable, "python_client.py", url, server]
        run_client(api, [*python, "python"], check_server)
        run_client(api, [*python, "python"], check_server)
        say("and sent again, it is there once")
        run_client(api, [*python, "gzip", "gzip"], check_server)
        if not arguments.without_node:
            run_client(api, ["node", "node_client.js", url, server, "node"], check_server)
            browser = ["node", "browser_client.js", url, track]
            run_client(api, [*browser, "browser"], check_browser)
            run_client(api, [*browser, "batching", "batching"], check_browser)
        check_order_events(api, track)
        say("an order's life: the last word holds, by the right clock")
        check_edges(api, track)
        say("browsers' questions, wrong keys and bad messages are answered")


if __name__ == "__main__":
    main()
