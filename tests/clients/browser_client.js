// A shop's page that uses analytics.js, in a window without a screen.
//
//     node browser_client.js HOST WRITE_KEY PREFIX [batching]
//
// All it is told is where its settings are: they tell it where to send.

import { JSDOM } from "jsdom";

const [host, writeKey, prefix, batching] = process.argv.slice(2);
const { window } = new JSDOM("<!doctype html><title>The shop</title>", {
  url: "https://shop.example.com/mugs?utm_source=newsletter&utm_campaign=winter",
});
for (const name of ["window", "document", "navigator", "location", "localStorage", "sessionStorage"]) {
  Object.defineProperty(globalThis, name, { value: name === "window" ? window : window[name], configurable: true });
}
window.fetch = globalThis.fetch;
const { AnalyticsBrowser } = await import("@segment/analytics-next");

const deliveryStrategy = batching ? { strategy: "batching", config: { size: 100, timeout: 50 } } : undefined;
const [analytics] = await AnalyticsBrowser.load(
  { writeKey, cdnURL: host },
  { integrations: { "Segment.io": { deliveryStrategy } }, retryQueue: true },
);
const failed = [];
analytics.on("error", (error) => failed.push(error));
const mug = { product_id: "mug-blue", name: "Blue mug", price: 24.95 };

await analytics.page("Home");
await analytics.track("Product Viewed", mug);
await analytics.track("Product Added", { product_id: "pen", quantity: 3 });
await analytics.identify(`${prefix}-ada`, {
  email: `${prefix}@example.com`,
  firstName: "Ada",
  lastName: "Lovelace",
  plan: "gold",
  address: { city: "London" },
});
await analytics.track("Product Added to Wishlist", { ...mug, quantity: 2 });
await analytics.track("Product Removed", { product_id: "pen", quantity: 1 });
await analytics.group("g-1", { name: "Analysts" });
await analytics.screen("Basket");
await analytics.track("Song Played", { name: "Daisy Bell" });
const order = { order_id: `${prefix}-1`, total: 52.9, shipping: 3, currency: "EUR", coupon: "SPRING" };
await analytics.track("Order Completed", { ...order, products: [{ ...mug, quantity: 2 }] });

// A batch goes once its time is up; what failed is tried again in its own time.
await new Promise((resolve) => setTimeout(resolve, batching ? 1_000 : 0));
if (failed.length > 0) {
  console.error("not delivered:", failed);
  process.exit(1);
}
process.exit(0);
