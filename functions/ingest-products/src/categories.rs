use contracts::{Kind, Problem, product};
use domain::CategoryId;
use lambda::http::{Failure, Request, Response};
use store::{Merged, Versioned};

use crate::Products;

impl Products {
    pub(crate) async fn put_category(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CategoryId::parse)?;
        let body = request.json()?;
        let now = self.clock.now();
        let dictionary = self.dictionary.current(now).await?;
        let update = product::read_defined_category(&dictionary, id, body, true, now)?;
        let merged = self.catalogue.merge_category(&update, None, now).await??;
        let status = if matches!(merged, Merged::Created(_)) { 201 } else { 200 };
        Ok(Response::json(status, &product::show_category(&merged.into_value())))
    }

    pub(crate) async fn get_category(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CategoryId::parse)?;
        match self.catalogue.category(&id).await? {
            Some(Versioned { value: category, .. }) => Ok(Response::json(200, &product::show_category(&category))),
            None => Err(Problem::new(Kind::NotFound).because("no such category is known").into()),
        }
    }

    pub(crate) async fn list_categories(&self, request: &Request) -> Result<Response, Failure> {
        let page = request.page(|place| CategoryId::parse(place).is_ok())?;
        // One more tells whether there is another page.
        let mut categories = self.catalogue.categories(page.after.as_deref(), page.limit + 1).await?;
        let more = categories.len() > page.limit;
        categories.truncate(page.limit);
        let next = categories.last().filter(|_| more).map(|category| category.id.to_string());
        let shown = categories.iter().map(product::show_category).collect();
        Ok(Response::page(shown, next.as_deref()))
    }
}
