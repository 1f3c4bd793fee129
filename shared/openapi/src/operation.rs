//! One operation of the document, said in few words; what all have in common is
//! added here.

use contracts::{Kind, ROUTES, Scope};
use serde_json::{Map, Value, json};

use crate::common;
use crate::schema::{Object, of, page_of};

/// What lets a caller in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// A key, which the authorizer looks at.
    Key,
    /// A key, where Segment's clients put it.
    SegmentKey,
    /// The signature of Shopify.
    Shopify,
    /// The signature of WooCommerce.
    WooCommerce,
    /// Nothing.
    Anybody,
}

/// A method on a path.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) route: &'static str,
    pub(crate) id: &'static str,
    summary: &'static str,
    description: String,
    parameters: Vec<Value>,
    content: Map<String, Value>,
    body_required: bool,
    answers: Vec<(u16, Value)>,
    problems: Vec<Kind>,
    access: Access,
}

/// The operation of a route.
pub(crate) fn on(route: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let public = ROUTES.iter().any(|known| known.key == route && known.scopes.is_empty());
    Operation {
        route,
        id,
        summary,
        description: String::new(),
        parameters: Vec::new(),
        content: Map::new(),
        body_required: true,
        answers: Vec::new(),
        problems: vec![Kind::Internal],
        access: if public { Access::Anybody } else { Access::Key },
    }
}

impl Operation {
    /// What it does, in Markdown.
    pub(crate) fn says(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Takes one of the document's schemas as JSON.
    pub(crate) fn takes(self, name: &str) -> Self {
        self.takes_as("application/json", of(name))
    }

    /// Takes a body of this media type.
    pub(crate) fn takes_as(mut self, media_type: &str, schema: Value) -> Self {
        self.content.insert(media_type.to_owned(), json!({ "schema": schema }));
        self.problems.extend([Kind::Malformed, Kind::TooLarge, Kind::UnsupportedMediaType, Kind::Invalid]);
        self
    }

    /// The body may be left out.
    pub(crate) fn body_optional(mut self) -> Self {
        self.body_required = false;
        self
    }

    /// Takes up to 500 of one of the document's schemas.
    pub(crate) fn takes_batch(self, name: &str, each: &str) -> Self {
        let ndjson = of(name);
        self.takes_as("application/json", crate::schema::batch_of(name))
            .takes_as("application/x-ndjson", ndjson)
            .says(&format!(
                "Up to 500 in one request of at most 5 MB: a JSON array, an object with `items`, or one JSON text to \
                 a line (NDJSON). {each} Each stands for itself: the answer is 207 and says what became of each, in \
                 their order."
            ))
            .gives(207, "What became of each.", "BatchAnswer")
    }

    /// Takes a parameter in the query.
    pub(crate) fn asks(mut self, name: &str, required: bool, schema: Value, description: &str) -> Self {
        let mut parameter = json!({ "name": name, "in": "query", "required": required, "description": description });
        if let Some(example) = schema["examples"].get(0) {
            parameter["example"] = example.clone();
        }
        parameter["schema"] = schema;
        self.parameters.push(parameter);
        self.problems.push(Kind::Invalid);
        self
    }

    /// Answers with a list, page by page.
    pub(crate) fn paged(self, schema: Value) -> Self {
        self.paged_as(page_of(schema))
    }

    /// Answers with a list of which each page is such an object.
    pub(crate) fn paged_as(mut self, page: Object) -> Self {
        for name in ["limit", "after"] {
            self.parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        }
        self.problems.push(Kind::Invalid);
        self.gives_as(200, "A page of the list.", "application/json", page.build())
    }

    /// Answers with one of the document's schemas.
    pub(crate) fn gives(self, status: u16, description: &str, name: &str) -> Self {
        self.gives_as(status, description, "application/json", of(name))
    }

    /// Answers with a body of this media type.
    pub(crate) fn gives_as(mut self, status: u16, description: &str, media_type: &str, schema: Value) -> Self {
        let content = json!({ media_type: { "schema": schema } });
        self.answers.push((status, json!({ "description": description, "content": content })));
        self
    }

    /// Has a header in its answer, or in the last that it gives.
    pub(crate) fn with_header(mut self, name: &str, description: &str) -> Self {
        if let Some((_, answer)) = self.answers.last_mut() {
            answer["headers"][name] = json!({ "description": description, "schema": { "type": "string" } });
        }
        self
    }

    /// Answers without a body.
    pub(crate) fn gives_nothing(mut self, description: &str) -> Self {
        self.answers.push((204, json!({ "description": description })));
        self
    }

    /// Answers 200 if something was known, 201 if it is new.
    pub(crate) fn gives_taken(self, name: &str) -> Self {
        self.gives(200, "It was known; as it stands now.", name).gives(201, "It is new.", name)
    }

    /// May refuse with these too.
    pub(crate) fn refuses(mut self, problems: &[Kind]) -> Self {
        self.problems.extend(problems);
        self
    }

    /// Lets callers in by this.
    pub(crate) fn open_to(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(crate) fn method_and_path(&self) -> (String, &'static str) {
        let (method, path) = self.route.split_once(' ').unwrap_or_default();
        (method.to_lowercase(), path)
    }

    fn scopes(&self) -> Vec<&'static str> {
        let scopes = match self.access {
            Access::SegmentKey => &[Scope::Track, Scope::Ingest],
            _ => ROUTES.iter().find(|route| route.key == self.route).map_or(&[][..], |route| route.scopes),
        };
        scopes.iter().map(|scope| scope.as_str()).collect()
    }

    /// Whether an Idempotency-Key is honoured.
    fn once(&self) -> bool {
        self.route.starts_with("POST ")
    }

    /// The kinds of problem with which it may be answered, each status once.
    fn all_problems(&self) -> Vec<Vec<Kind>> {
        let mut kinds = self.problems.clone();
        if self.once() {
            kinds.extend([Kind::Malformed, Kind::KeyReused, Kind::InProgress]);
        }
        match self.access {
            Access::Key | Access::SegmentKey => {
                kinds.extend([Kind::Unauthorized, Kind::Forbidden, Kind::TooManyRequests]);
            }
            Access::Shopify | Access::WooCommerce => kinds.push(Kind::Unauthorized),
            Access::Anybody => {}
        }
        if self.route.contains('{') && matches!(self.access, Access::Key) {
            kinds.push(Kind::NotFound);
        }
        let mut by_status: Vec<Vec<Kind>> = Vec::new();
        for kind in Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)) {
            match by_status.iter_mut().find(|same| same[0].status() == kind.status()) {
                Some(same) => same.push(kind),
                None => by_status.push(vec![kind]),
            }
        }
        by_status
    }

    /// The operation as the document has it. `responses` gathers the answers that
    /// several share.
    pub(crate) fn build(self, tag: &str, responses: &mut Map<String, Value>) -> Value {
        let (_, path) = self.method_and_path();
        let scopes = self.scopes();
        let mut parameters: Vec<Value> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| common::path_parameter(path, name))
            .collect();
        parameters.extend(self.parameters.iter().cloned());
        if self.once() {
            parameters.push(json!({ "$ref": "#/components/parameters/idempotency-key" }));
        }
        let mut answers = Map::new();
        for (status, answer) in &self.answers {
            let mut answer = answer.clone();
            let mut headers = answer["headers"].as_object().cloned().unwrap_or_default();
            if matches!(self.access, Access::Key | Access::SegmentKey) {
                headers.extend(common::header("RateLimit"));
                headers.extend(common::header("RateLimit-Policy"));
            }
            if self.once() {
                headers.extend(common::header("Idempotency-Replayed"));
            }
            if !headers.is_empty() {
                answer["headers"] = headers.into();
            }
            answers.insert(status.to_string(), answer);
        }
        let by_gateway = self.access == Access::Key;
        for kinds in self.all_problems() {
            let (name, response) = common::refusal(&kinds, by_gateway);
            responses.entry(name.clone()).or_insert(response);
            let status = kinds[0].status().to_string();
            answers.insert(status, json!({ "$ref": format!("#/components/responses/{name}") }));
        }
        let mut built = json!({
            "operationId": self.id, "summary": self.summary, "tags": [tag], "responses": answers,
            "x-scopes": scopes,
            "description": description(&self.description, &scopes, self.access),
            "security": security(self.access),
        });
        if !parameters.is_empty() {
            built["parameters"] = parameters.into();
        }
        if !self.content.is_empty() {
            built["requestBody"] = json!({ "required": self.body_required, "content": self.content });
        }
        built
    }
}

fn description(said: &str, scopes: &[&str], access: Access) -> String {
    let who = match access {
        Access::Key | Access::SegmentKey => {
            format!(
                "Takes a key with the scope {}.",
                scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" or ")
            )
        }
        Access::Shopify | Access::WooCommerce => "Takes no key: each delivery is signed.".to_owned(),
        Access::Anybody => "Takes no key.".to_owned(),
    };
    if said.is_empty() { who } else { format!("{said}\n\n{who}") }
}

fn security(access: Access) -> Value {
    match access {
        Access::Key | Access::SegmentKey => json!([{ "key": [] }, { "writeKey": [] }]),
        Access::Shopify => json!([{ "shopifySignature": [] }]),
        Access::WooCommerce => json!([{ "wooCommerceSignature": [] }]),
        Access::Anybody => json!([]),
    }
}
