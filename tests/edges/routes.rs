//! The routes: the template's and the program's own list are one.

use std::collections::BTreeSet;

use contracts::ROUTES;

use crate::support::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_template_has_the_routes_that_the_program_knows_and_no_other() {
    let shop = Shop::open().await;
    let description = shop.bundle.description();
    let name = |arn: &str| description.functions.iter().find(|function| function.arn == arn).unwrap().name.clone();
    let of_template: BTreeSet<(String, String, bool)> = description
        .routes
        .iter()
        .map(|route| (route.key.clone(), name(&route.function), route.authorizer.is_some()))
        .collect();
    let of_program: BTreeSet<(String, String, bool)> = ROUTES
        .iter()
        .map(|route| (route.key.to_owned(), route.function.to_owned(), !route.scopes.is_empty()))
        .collect();
    assert_eq!(of_template, of_program);
    assert_eq!(description.routes.len(), ROUTES.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authorizer_is_asked_for_each_key_and_route() {
    let shop = Shop::open().await;
    for authorizer in shop.bundle.description().routes.iter().filter_map(|route| route.authorizer.as_ref()) {
        assert_eq!(authorizer.identity_sources, ["$request.header.Authorization", "$context.routeKey"]);
    }
}
