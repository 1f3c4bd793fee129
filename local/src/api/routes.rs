//! Which route a request takes. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.

use super::path::decode;
use crate::template::Route;
use anyhow::Context as _;
use axum::http::Method;
use std::collections::BTreeMap;

/// The routes, the most specific first.
pub(super) struct Routes {
    routes: Vec<Parsed>,
}

struct Parsed {
    route: Route,
    /// `None` is ANY.
    method: Option<Method>,
    /// `None` is `$default`.
    segments: Option<Vec<Segment>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Parameter(String),
    /// `{proxy+}`: the rest of the path.
    Rest(String),
}

impl Routes {
    pub(super) fn new(routes: &[Route]) -> anyhow::Result<Self> {
        let mut routes = routes.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        // Words come before parameters, a method before ANY, $default last.
        routes.sort_by_key(|parsed| {
            let kinds = |segments: &Vec<Segment>| segments.iter().map(rank).collect::<Vec<_>>();
            (parsed.segments.is_none(), parsed.segments.as_ref().map(kinds), parsed.method.is_none())
        });
        Ok(Self { routes })
    }

    /// The route and the values of its path parameters, for a path that is decoded once.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<(&Route, BTreeMap<String, String>)> {
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        self.routes.iter().find_map(|parsed| {
            if parsed.method.as_ref().is_some_and(|wanted| wanted != method) {
                return None;
            }
            let parameters = match &parsed.segments {
                Some(segments) => fits(segments, &path)?,
                None => BTreeMap::new(),
            };
            Some((&parsed.route, parameters))
        })
    }
}

fn rank(segment: &Segment) -> u8 {
    match segment {
        Segment::Word(_) => 0,
        Segment::Parameter(_) => 1,
        Segment::Rest(_) => 2,
    }
}

fn parse(route: &Route) -> anyhow::Result<Parsed> {
    if route.key == "$default" {
        return Ok(Parsed { route: route.clone(), method: None, segments: None });
    }
    let wrong = || format!("route key {:?} is not METHOD /path", route.key);
    let (method, path) = route.key.split_once(' ').with_context(wrong)?;
    let method = match method {
        "ANY" => None,
        method => Some(Method::from_bytes(method.as_bytes()).with_context(wrong)?),
    };
    let path = path.strip_prefix('/').with_context(wrong)?;
    let segments = path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Rest(name.to_owned()),
            None => Segment::Parameter(name.to_owned()),
        },
        None => Segment::Word(part.to_owned()),
    });
    Ok(Parsed { route: route.clone(), method, segments: Some(segments.collect()) })
}

fn fits(segments: &[Segment], path: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for (position, segment) in segments.iter().enumerate() {
        let part = path.get(position)?;
        match segment {
            Segment::Word(word) if word == part => {}
            Segment::Word(_) => return None,
            Segment::Parameter(_) if part.is_empty() => return None,
            Segment::Parameter(name) => {
                parameters.insert(name.clone(), decode(part));
            }
            Segment::Rest(name) => {
                parameters.insert(name.clone(), decode(&path[position..].join("/")));
                return Some(parameters);
            }
        }
    }
    (path.len() == segments.len()).then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn routes(keys: &[&str]) -> Routes {
        let route = |key: &&str| Route {
            key: (*key).to_owned(),
            function: String::new(),
            timeout: Duration::ZERO,
            authorizer: None,
        };
        Routes::new(&keys.iter().map(route).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_most_specific_route_is_taken() {
        let routes = routes(&[
            "$default",
            "GET /v1/{kind}/{id}",
            "GET /v1/orders/{id}",
            "ANY /v1/orders/{id}",
            "GET /u/{rest+}",
        ]);
        let check = |method: Method, path: &str, key: &str, parameters: &[(&str, &str)]| {
            let (route, found) = routes.find(&method, path).unwrap();
            let expected = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!((route.key.as_str(), found), (key, expected), "{method} {path}");
        };
        check(Method::GET, "/v1/orders/7", "GET /v1/orders/{id}", &[("id", "7")]);
        check(Method::PUT, "/v1/orders/7", "ANY /v1/orders/{id}", &[("id", "7")]);
        check(Method::GET, "/v1/customers/a%2Fb", "GET /v1/{kind}/{id}", &[("id", "a/b"), ("kind", "customers")]);
        check(Method::GET, "/u/a/b", "GET /u/{rest+}", &[("rest", "a/b")]);
        check(Method::GET, "/v1/orders/7/status", "$default", &[]);
    }

    #[test]
    fn what_no_route_fits_is_not_found() {
        let routes = routes(&["PUT /v1/orders/{id}"]);
        assert!(routes.find(&Method::GET, "/v1/orders/7").is_none());
        assert!(routes.find(&Method::PUT, "/v1/orders/").is_none());
        assert!(routes.find(&Method::PUT, "/v1/orders/7/status").is_none());
    }
}
