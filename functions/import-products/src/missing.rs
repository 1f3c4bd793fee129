use domain::dated::Said;
use domain::{Product, ProductUpdate, TooLarge};
use feeds::import::Import;
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use store::{ImportRow, Merged, Refused, ToldProduct};

use crate::Importer;
use crate::rows::Products;
use crate::work::{TO_SPARE, Went};

impl Importer {
    /// Notes of every product that a complete feed does not have that it cannot be had.
    pub(crate) async fn take_out(
        &self,
        import: &mut Import,
        products: Option<Products>,
        deadline: Timestamp,
    ) -> anyhow::Result<Went> {
        let Some(products) = products else {
            import.reason = Some("not every row says of which product it is, so none was taken to be missing".into());
            return Ok(Went::Over(None));
        };
        let row = ImportRow { tag: format!("{} missing", import.id), at: import.created_at };
        import.counts.missing = 0;
        let mut after = None;
        loop {
            let now = self.clock.now();
            if now + TO_SPARE >= deadline {
                return Ok(Went::On(SignedDuration::ZERO));
            }
            let (page, next) = self.catalogue.page(after.as_ref(), &row).await?;
            // Those that were taken out before a worker was lost are counted again.
            import.counts.missing += page.iter().filter(|(_, taken_out)| *taken_out).count() as u64;
            let missing = page.into_iter().filter(|(product, _)| {
                let is_offered = !product.is_deleted() && product.content.in_stock() != Some(false);
                is_offered && product.first_at <= import.created_at && !products.has(product.id.as_str())
            });
            let told = missing.map(|(product, _)| ToldProduct { update: gone(product), import: Some(row.clone()) });
            for outcome in self.catalogue.merge_products(told.collect(), now).await? {
                match outcome {
                    Ok(Merged::Changed(_)) => import.counts.missing += 1,
                    Err(Refused::Failed(error)) if !error.is::<TooLarge>() => return Err(error),
                    // Something else was said of it for the very same time: it stays as it is.
                    Ok(_) | Err(_) => {}
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(Went::Over(None)),
            }
        }
    }
}

/// That a product cannot be had, however many there are.
fn gone(product: Product) -> ProductUpdate {
    let fields = Map::from_iter([("available".to_owned(), false.into())]);
    ProductUpdate { id: product.id, updated_at: None, said: Said { whole: false, fields } }
}
