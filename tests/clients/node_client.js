// A shop's back end that uses Segment's client for Node.js.
//
//     node node_client.js HOST WRITE_KEY PREFIX

import { Analytics } from "@segment/analytics-node";

const [host, writeKey, prefix] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, maxRetries: 2 });
const failed = [];
analytics.on("error", (error) => failed.push(error));
const mid = (name) => `${prefix}-${name}`;
const userId = `${prefix}-ada`;
const mug = { product_id: "mug-blue", name: "Blue mug", price: 24.95 };

analytics.page({ anonymousId: `${prefix}-visitor`, name: "Home", properties: { path: "/" }, messageId: mid("page") });
analytics.identify({
  userId,
  anonymousId: `${prefix}-visitor`,
  traits: { email: `${prefix}@example.com`, name: "Ada Lovelace", plan: "gold", address: { city: "London" } },
  messageId: mid("identify"),
});
const track = (name, event, properties, user = userId) =>
  analytics.track({ userId: user, event, properties, messageId: mid(name) });
track("viewed", "Product Viewed", mug);
track("wished", "Product Added to Wishlist", { ...mug, quantity: 2 });
track("added", "Product Added", { product_id: "pen", quantity: 3 });
track("removed", "Product Removed", { product_id: "pen", quantity: 1 });
analytics.screen({ userId, name: "Basket", messageId: mid("screen") });
analytics.group({ userId, groupId: "g-1", traits: { name: "Analysts" }, messageId: mid("group") });
const order = { order_id: `${prefix}-1`, total: 52.9, shipping: 3, currency: "EUR", coupon: "SPRING" };
track("ordered", "Order Completed", { ...order, products: [{ ...mug, quantity: 2 }] }, `${prefix}-bob`);
track("played", "Song Played", { name: "Daisy Bell" }, `${prefix}-bob`);
analytics.alias({ previousId: `${prefix}-bob`, userId: `${prefix}-robert`, messageId: mid("alias") });

await analytics.closeAndFlush();
if (failed.length > 0) {
  console.error("not delivered:", failed);
  process.exit(1);
}
