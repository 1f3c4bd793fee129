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

const fn route(key: &'static str, function: &'static str, scopes: &'static [Scope]) -> Route {
    Route { key, function, scopes }
}

/// Every route there is. The bundle's template lists the same ones, which a test
/// holds it to; the authorizer lets no other through.
pub const ROUTES: &[Route] = &[
    route("PUT /v1/customers/{id}", "ingest-customers", INGEST),
    route("GET /v1/customers/{id}", "ingest-customers", INGEST),
    route("PUT /v1/orders/{id}", "ingest-orders", INGEST),
    route("PUT /v1/orders/{id}/status", "ingest-orders", INGEST),
    route("GET /v1/orders/{id}", "ingest-orders", INGEST),
    route("POST /v1/events", "ingest-events", &[Scope::Track, Scope::Ingest]),
    route("GET /v1/templates", "manage", MANAGE),
    route("GET /v1/templates/{id}", "manage", MANAGE),
    route("PUT /v1/templates/{id}", "manage", MANAGE),
    route("GET /v1/campaigns", "manage", MANAGE),
    route("GET /v1/campaigns/{id}", "manage", MANAGE),
    route("PUT /v1/campaigns/{id}", "manage", MANAGE),
    route("GET /v1/mailings", "manage", MANAGE),
    route("GET /v1/mailings/{id}", "manage", MANAGE),
    route("PUT /v1/mailings/{id}", "manage", MANAGE),
    route("GET /v1/messages", "manage", MANAGE),
    route("GET /u/{token}", "preferences", &[]),
    route("POST /u/{token}", "preferences", &[]),
];
