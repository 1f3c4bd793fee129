//! What last happened to the lines of an order.

use domain::dated::Dated;
use domain::{Change, Content, Order};

use crate::Manage;

impl Manage {
    /// The last change of an order's lines, by all that was told of it; none, if they are what they
    /// were from the beginning.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) async fn lines_changed(&self, order: &Order) -> anyhow::Result<Option<Change>> {
        if !order.has_sayings {
            return Ok(None);
        }
        let (mut known, mut last): (Option<Dated<Content>>, _) = (None, None);
        for saying in self.customers.sayings(&order.customer_id, &order.id).await? {
            // What contradicts what was said before it was refused then.
            let Ok(Some(after)) = Dated::merge(known.as_ref(), &saying.said(), Some(saying.at), saying.at) else {
                continue;
            };
            if let Some(before) = known.filter(|before| before.content.lines != after.content.lines) {
                last = Some(Change::of_lines(order.id.clone(), saying.at, &before.content, &after.content));
            }
            known = Some(after);
        }
        Ok(last)
    }
}
