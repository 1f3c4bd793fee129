//! Webhooks of Shopify and WooCommerce, said in the words of our own API.
