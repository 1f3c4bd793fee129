"""A shop's back end that uses Segment's client for Python.

    python python_client.py HOST WRITE_KEY PREFIX [gzip]
"""

import sys

from segment.analytics import Client

host, key, prefix = sys.argv[1:4]
failed = []
client = Client(
    key,
    host=host,
    gzip="gzip" in sys.argv[4:],
    max_retries=2,
    on_error=lambda error, _: failed.append(error),
)
customer, visitor = f"{prefix}-ada", f"{prefix}-visitor"


def mid(name):
    """Fixed ids: what is sent again in a second run is the same message."""
    return f"{prefix}-{name}"


mug = {"product_id": "mug-blue", "name": "Blue mug", "price": 24.95}
client.page(anonymous_id=visitor, name="Home", properties={"path": "/"}, message_id=mid("page"))
client.identify(
    customer,
    {"email": f"{prefix}@example.com", "name": "Ada Lovelace", "plan": "gold", "address": {"city": "London"}},
    anonymous_id=visitor,
    message_id=mid("identify"),
)
client.track(customer, "Product Viewed", mug, message_id=mid("viewed"))
client.track(customer, "Product Added to Wishlist", {**mug, "quantity": 2}, message_id=mid("wished"))
client.track(customer, "Product Added", {"product_id": "pen", "quantity": 3}, message_id=mid("added"))
client.track(customer, "Product Removed", {"product_id": "pen", "quantity": 1}, message_id=mid("removed"))
client.screen(customer, name="Basket", message_id=mid("screen"))
client.group(customer, "g-1", {"name": "Analysts"}, message_id=mid("group"))
client.track(
    f"{prefix}-bob",
    "Order Completed",
    {
        "order_id": f"{prefix}-1",
        "total": 52.9,
        "shipping": 3,
        "currency": "EUR",
        "coupon": "SPRING",
        "products": [{**mug, "quantity": 2}],
    },
    message_id=mid("ordered"),
)
client.track(f"{prefix}-bob", "Song Played", {"name": "Daisy Bell"}, message_id=mid("played"))
client.alias(f"{prefix}-bob", f"{prefix}-robert", message_id=mid("alias"))
client.shutdown()
sys.exit(f"not delivered: {failed}" if failed else 0)
