//! What a client of another system tells, said in the words of our own API.
//!
//! Segment's clients, webhooks of shops and feeds each have a reader of their own,
//! which does nothing but say the same thing as our own API would have heard it.
//! What becomes of it is decided in one place, whoever told it.

use serde_json::Value;

/// One thing told. Ids and bodies are as they came and not checked yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// `PATCH /v1/customers/{id}`
    Customer {
        /// The customer's id.
        id: String,
        /// The request's body.
        body: Value,
    },
    /// `DELETE /v1/customers/{id}`: the customer is to be erased.
    CustomerErased {
        /// The customer's id.
        id: String,
    },
    /// `PUT /v1/orders/{id}`, or `PATCH` if it is not the whole.
    Order {
        /// The order's id.
        id: String,
        /// The request's body.
        body: Value,
        /// Whether the body is all there is to say of the order.
        whole: bool,
    },
    /// `DELETE /v1/orders/{id}`
    OrderDeleted {
        /// The order's id.
        id: String,
        /// When, as RFC 3339, if it is known.
        at: Option<String>,
    },
    /// `POST /v1/events`
    Event {
        /// The request's body.
        body: Value,
    },
    /// `POST /v1/customers/{customer}/containers/{code}`
    Container {
        /// The customer's id.
        customer: String,
        /// Which container.
        code: String,
        /// The request's body.
        body: Value,
    },
    /// `PUT /v1/products/{id}`, or `PATCH` if it is not the whole.
    Product {
        /// The product's id.
        id: String,
        /// The request's body.
        body: Value,
        /// Whether the body is all there is to say of the product.
        whole: bool,
    },
    /// `DELETE /v1/products/{id}`
    ProductDeleted {
        /// The product's id.
        id: String,
        /// When, as RFC 3339, if it is known.
        at: Option<String>,
    },
    /// `PUT /v1/visitors/{visitor}`: who an anonymous visitor is.
    Identified {
        /// The visitor's anonymous id.
        visitor: String,
        /// The customer's id.
        customer: String,
    },
    /// `POST /v1/customers/{into}/merge`: two customers are one.
    Merged {
        /// The customer that is no more.
        from: String,
        /// The customer that has it all.
        into: String,
    },
}
