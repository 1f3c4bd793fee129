/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Tell of web events. Safe to hand to a browser: it reads nothing.
    Track,
    /// Tell of customers, orders and events, and read them back.
    Ingest,
    /// Define campaigns, templates and mailings; ask what was sent.
    Manage,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Track, Self::Ingest, Self::Manage];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Ingest => "ingest",
            Self::Manage => "manage",
        }
    }
}

/// A route of the HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Method and path, as API Gateway writes them.
    pub key: &'static str,
    /// The function that answers.
    pub function: &'static str,
    /// The scopes of which a key needs one; none at all for a public route.
    pub scopes: &'static [Scope],
}

const INGEST: &[Scope] = &[Scope::Ingest];
const MANAGE: &[Scope] = &[Scope::Manage];
const KNOW: &[Scope] = &[Scope::Ingest, Scope::Manage];
const TRACK: &[Scope] = &[Scope::Track, Scope::Ingest];

const fn route(key: &'static str, function: &'static str, scopes: &'static [Scope]) -> Route {
    Route { key, function, scopes }
}

/// Every route there is. The bundle's template lists the same ones, which a test
/// holds it to; the authorizer lets no other through.
pub const ROUTES: &[Route] = &[
    route("PUT /v1/customers/{id}", "ingest-customers", INGEST),
    route("PATCH /v1/customers/{id}", "ingest-customers", INGEST),
    route("GET /v1/customers/{id}", "ingest-customers", KNOW),
    route("DELETE /v1/customers/{id}", "ingest-customers", KNOW),
    route("GET /v1/customers", "ingest-customers", KNOW),
    route("POST /v1/customers/batch", "ingest-customers", INGEST),
    route("POST /v1/customers/import", "ingest-customers", INGEST),
    route("POST /v1/customers/{id}/merge", "ingest-customers", INGEST),
    route("GET /v1/customers/{id}/export", "ingest-customers", KNOW),
    route("GET /v1/customers/{id}/events", "ingest-customers", KNOW),
    route("GET /v1/customers/{id}/containers", "ingest-customers", KNOW),
    route("GET /v1/customers/{id}/containers/{code}", "ingest-customers", KNOW),
    route("POST /v1/customers/{id}/containers/{code}", "ingest-customers", TRACK),
    route("PUT /v1/visitors/{id}", "ingest-customers", TRACK),
    route("GET /v1/audiences/{code}/members", "ingest-customers", KNOW),
    route("POST /v1/audiences/{code}/members", "ingest-customers", KNOW),
    route("POST /v1/audiences/{code}/import", "ingest-customers", KNOW),
    route("PUT /v1/orders/{id}", "ingest-orders", INGEST),
    route("PATCH /v1/orders/{id}", "ingest-orders", INGEST),
    route("GET /v1/orders/{id}", "ingest-orders", KNOW),
    route("DELETE /v1/orders/{id}", "ingest-orders", INGEST),
    route("PUT /v1/orders/{id}/status", "ingest-orders", INGEST),
    route("PUT /v1/orders/{id}/lines/{line}/status", "ingest-orders", INGEST),
    route("GET /v1/orders/{id}/history", "ingest-orders", KNOW),
    route("POST /v1/orders/batch", "ingest-orders", INGEST),
    route("POST /v1/events", "ingest-events", TRACK),
    route("GET /v1/events", "ingest-events", KNOW),
    route("POST /v1/events/batch", "ingest-events", TRACK),
    route("PUT /v1/products/{id}", "ingest-products", INGEST),
    route("PATCH /v1/products/{id}", "ingest-products", INGEST),
    route("GET /v1/products/{id}", "ingest-products", INGEST),
    route("DELETE /v1/products/{id}", "ingest-products", INGEST),
    route("GET /v1/products/{id}/customers", "ingest-products", INGEST),
    route("POST /v1/products/batch", "ingest-products", INGEST),
    route("POST /v1/products/import", "ingest-products", INGEST),
    route("GET /v1/products/import/{id}", "ingest-products", INGEST),
    route("PUT /v1/categories/{id}", "ingest-products", INGEST),
    route("GET /v1/categories/{id}", "ingest-products", INGEST),
    route("GET /v1/categories", "ingest-products", INGEST),
    route("GET /v1/templates", "manage", MANAGE),
    route("GET /v1/templates/{id}", "manage", MANAGE),
    route("PUT /v1/templates/{id}", "manage", MANAGE),
    route("GET /v1/templates/{id}/versions", "manage", MANAGE),
    route("GET /v1/templates/{id}/differences", "manage", MANAGE),
    route("POST /v1/templates/preview", "manage", MANAGE),
    route("POST /v1/templates/{id}/preview", "manage", MANAGE),
    route("POST /v1/templates/{id}/test", "manage", MANAGE),
    route("GET /v1/partials", "manage", MANAGE),
    route("GET /v1/partials/{code}", "manage", MANAGE),
    route("PUT /v1/partials/{code}", "manage", MANAGE),
    route("DELETE /v1/partials/{code}", "manage", MANAGE),
    route("GET /v1/attachments", "manage", MANAGE),
    route("GET /v1/attachments/{code}", "manage", MANAGE),
    route("PUT /v1/attachments/{code}", "manage", MANAGE),
    route("DELETE /v1/attachments/{code}", "manage", MANAGE),
    route("GET /v1/promo-code-groups", "manage", MANAGE),
    route("GET /v1/promo-code-groups/{id}", "manage", MANAGE),
    route("PUT /v1/promo-code-groups/{id}", "manage", MANAGE),
    route("DELETE /v1/promo-code-groups/{id}", "manage", MANAGE),
    route("POST /v1/promo-code-groups/{id}/codes", "manage", MANAGE),
    route("GET /v1/promo-code-groups/{id}/codes", "manage", MANAGE),
    route("GET /v1/campaigns", "manage", MANAGE),
    route("GET /v1/campaigns/{id}", "manage", MANAGE),
    route("PUT /v1/campaigns/{id}", "manage", MANAGE),
    route("GET /v1/mailings", "manage", MANAGE),
    route("GET /v1/mailings/{id}", "manage", MANAGE),
    route("PUT /v1/mailings/{id}", "manage", MANAGE),
    route("GET /v1/messages", "manage", MANAGE),
    route("GET /v1/messages/{id}", "manage", MANAGE),
    route("GET /v1/customers/{id}/why", "manage", MANAGE),
    route("GET /v1/suppressions", "manage", MANAGE),
    route("GET /v1/suppressions/{address}", "manage", MANAGE),
    route("PUT /v1/suppressions/{address}", "manage", MANAGE),
    route("DELETE /v1/suppressions/{address}", "manage", MANAGE),
    route("PUT /v1/segments/{code}", "manage", MANAGE),
    route("GET /v1/segments/{code}", "manage", MANAGE),
    route("DELETE /v1/segments/{code}", "manage", MANAGE),
    route("GET /v1/segments", "manage", MANAGE),
    route("POST /v1/segments/{code}/pause", "manage", MANAGE),
    route("POST /v1/segments/{code}/resume", "manage", MANAGE),
    route("GET /v1/segments/{code}/customers", "manage", MANAGE),
    route("GET /v1/segments/{code}/customers.csv", "manage", MANAGE),
    route("GET /v1/segments/{code}/customers/{id}", "manage", MANAGE),
    route("GET /v1/segments/{code}/size", "manage", MANAGE),
    route("GET /v1/segments/{code}/overlap/{other}", "manage", MANAGE),
    route("POST /v1/segments/{code}/copy", "manage", MANAGE),
    route("GET /v1/segments/{code}/copies/{id}", "manage", MANAGE),
    route("GET /v1/customers/{id}/segments", "manage", MANAGE),
    route("POST /v1/conditions/explain", "manage", MANAGE),
    route("POST /v1/conditions/preview", "manage", MANAGE),
    route("POST /v1/surveys", "manage", MANAGE),
    route("GET /v1/surveys/{id}", "manage", MANAGE),
    route("DELETE /v1/surveys/{id}", "manage", MANAGE),
    route("POST /v1/keys", "manage", MANAGE),
    route("GET /v1/keys", "manage", MANAGE),
    route("POST /v1/keys/{id}/rotate", "manage", MANAGE),
    route("DELETE /v1/keys/{id}", "manage", MANAGE),
    route("GET /v1/fields", "manage", MANAGE),
    route("GET /v1/fields/{code}", "manage", MANAGE),
    route("PUT /v1/fields/{code}", "manage", MANAGE),
    route("DELETE /v1/fields/{code}", "manage", MANAGE),
    route("GET /v1/statuses", "manage", MANAGE),
    route("GET /v1/statuses/{code}", "manage", MANAGE),
    route("PUT /v1/statuses/{code}", "manage", MANAGE),
    route("DELETE /v1/statuses/{code}", "manage", MANAGE),
    route("GET /v1/event-types", "manage", MANAGE),
    route("GET /v1/event-types/{code}", "manage", MANAGE),
    route("PUT /v1/event-types/{code}", "manage", MANAGE),
    route("DELETE /v1/event-types/{code}", "manage", MANAGE),
    route("GET /v1/sources", "manage", MANAGE),
    route("GET /v1/sources/{code}", "manage", MANAGE),
    route("PUT /v1/sources/{code}", "manage", MANAGE),
    route("DELETE /v1/sources/{code}", "manage", MANAGE),
    route("GET /v1/containers", "manage", MANAGE),
    route("GET /v1/containers/{code}", "manage", MANAGE),
    route("PUT /v1/containers/{code}", "manage", MANAGE),
    route("DELETE /v1/containers/{code}", "manage", MANAGE),
    route("GET /v1/audiences", "manage", MANAGE),
    route("GET /v1/audiences/{code}", "manage", MANAGE),
    route("PUT /v1/audiences/{code}", "manage", MANAGE),
    route("DELETE /v1/audiences/{code}", "manage", MANAGE),
    route("GET /v1/mailing-categories", "manage", MANAGE),
    route("GET /v1/mailing-categories/{code}", "manage", MANAGE),
    route("PUT /v1/mailing-categories/{code}", "manage", MANAGE),
    route("DELETE /v1/mailing-categories/{code}", "manage", MANAGE),
    route("GET /v1/settings", "manage", MANAGE),
    route("PUT /v1/settings", "manage", MANAGE),
    route("GET /v1/sending", "manage", MANAGE),
    route("GET /v1/audit", "manage", MANAGE),
    route("GET /v1/audit/{id}", "manage", MANAGE),
    // Public: what the API is.
    route("GET /v1/openapi.json", "manage", &[]),
    route("GET /v1/reference", "manage", &[]),
    // What a browser asks before it sends.
    route("OPTIONS /v1/events", "ingest-events", &[]),
    route("OPTIONS /v1/events/batch", "ingest-events", &[]),
    route("OPTIONS /v1/visitors/{id}", "ingest-customers", &[]),
    route("OPTIONS /v1/customers/{id}/containers/{code}", "ingest-customers", &[]),
    // Public: Segment's clients put the key where their own API wants it.
    route("POST /v1/identify", "ingest-tracking", &[]),
    route("POST /v1/track", "ingest-tracking", &[]),
    route("POST /v1/page", "ingest-tracking", &[]),
    route("POST /v1/screen", "ingest-tracking", &[]),
    route("POST /v1/group", "ingest-tracking", &[]),
    route("POST /v1/alias", "ingest-tracking", &[]),
    route("POST /v1/batch", "ingest-tracking", &[]),
    route("POST /v1/import", "ingest-tracking", &[]),
    route("POST /v1/i", "ingest-tracking", &[]),
    route("POST /v1/t", "ingest-tracking", &[]),
    route("POST /v1/p", "ingest-tracking", &[]),
    route("POST /v1/s", "ingest-tracking", &[]),
    route("POST /v1/g", "ingest-tracking", &[]),
    route("POST /v1/a", "ingest-tracking", &[]),
    route("POST /v1/b", "ingest-tracking", &[]),
    route("OPTIONS /v1/{call}", "ingest-tracking", &[]),
    route("GET /v1/projects/{key}/settings", "ingest-tracking", &[]),
    // Public: each delivery is signed.
    route("POST /v1/webhooks/shopify/{source}", "ingest-webhooks", &[]),
    route("POST /v1/webhooks/woocommerce/{source}", "ingest-webhooks", &[]),
    // Public: links in mails, whose token says who.
    route("GET /u/{token}", "preferences", &[]),
    route("POST /u/{token}", "preferences", &[]),
    route("GET /p/{token}", "preferences", &[]),
    route("POST /p/{token}", "preferences", &[]),
    route("GET /v/{token}", "preferences", &[]),
    route("GET /c/{token}", "preferences", &[]),
    route("POST /c/{token}", "preferences", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn tracks(route: &Route) -> bool {
        route.scopes.contains(&Scope::Track)
    }

    #[test]
    fn a_key_with_the_scope_track_reads_nothing() {
        for route in ROUTES.iter().filter(|route| tracks(route)) {
            assert!(!route.key.starts_with("GET ") && !route.key.starts_with("DELETE "), "{}", route.key);
        }
    }

    #[test]
    fn a_browser_may_ask_about_each_route_that_its_key_opens() {
        for route in ROUTES.iter().filter(|route| tracks(route)) {
            let (_, path) = route.key.split_once(' ').unwrap();
            let asked = ROUTES.iter().find(|asked| asked.key == format!("OPTIONS {path}")).expect(path);
            assert!(asked.scopes.is_empty() && asked.function == route.function, "{path}");
        }
    }

    #[test]
    fn no_route_is_listed_twice() {
        let keys: std::collections::BTreeSet<_> = ROUTES.iter().map(|route| route.key).collect();
        assert_eq!(keys.len(), ROUTES.len());
    }
}
