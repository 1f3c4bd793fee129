//! What a mail would be, for who writes its template.

use domain::Message;
use jiff::Timestamp;
use serde_json::{Map, Value};
use templates::{Block, NotRendered, Place, Rendered, Step, Template, Use, written};

use crate::block::{Asked, Judged};
use crate::composer::{Composer, Stopped, add_reader, stopped};
use crate::data::Needs;

/// How many things that are missing are named.
const MOST_MISSING: usize = 100;

/// What a message would be, and what would become of it.
#[derive(Debug)]
pub struct Preview {
    /// The mail, or why there would be none.
    pub rendered: Result<Rendered, NotRendered>,
    /// What the template prints that is not there, in every part.
    pub missing: Vec<Missing>,
    /// What each of the template's conditions says.
    pub judged: Vec<Judged>,
    /// Why the message would not be sent, if it would not.
    pub stopped: Option<Stopped>,
}

/// Something that a template prints and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Where it is printed.
    pub place: Place,
    /// What, from the top of the data: `order.lines[].name`.
    pub path: String,
}

impl Composer {
    /// What a message would be by a template that need not be saved, and by its conditions.
    /// `given` takes the place of what there is: each of its fields of the whole field. With
    /// nobody to write to, it is all that there is.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn preview(
        &self,
        template: &Template,
        blocks: &[Block],
        message: &Message,
        whose: bool,
        given: Map<String, Value>,
        now: Timestamp,
    ) -> anyhow::Result<Preview> {
        let needs = Needs::by(template);
        let about = if whose { Some(self.about(message, now).await?) } else { None };
        let (mut data, kept_back) = match &about {
            Some(Ok(about)) => {
                let way = self.way_to(message, about).await?;
                let data = self.data(message, &needs, about, way.as_ref().ok(), now).await?;
                (data, way.err())
            }
            Some(Err(reason)) => (self.common(message, now).await?, Some((*reason, None))),
            None => (self.common(message, now).await?, None),
        };
        let about = about.and_then(Result::ok);
        let asked = Asked { blocks, message, about: about.as_ref(), given: &given };
        let (judged, blocked) = match self.judged(asked, now).await? {
            Ok(judged) => {
                let blocked = judged.iter().find_map(Judged::stopped);
                (judged, blocked)
            }
            Err(stopped) => (Vec::new(), Some(stopped)),
        };
        if !needs.promo_groups.is_empty() {
            self.add_sample_codes(&needs.promo_groups, true, &mut data).await?;
        }
        data.extend(given);
        add_reader(&mut data);
        let data = Value::Object(data);
        let missing = missing(template, &data);
        let rendered = template.render(&data);
        let stopped = kept_back.or(blocked).or_else(|| rendered.as_ref().err().cloned().map(stopped));
        Ok(Preview { rendered, missing, judged, stopped })
    }
}

/// All that a template prints whatever is asked, and that is not in the data.
fn missing(template: &Template, data: &Value) -> Vec<Missing> {
    let printed = template.paths().into_iter().filter(|named| named.used == Use::Printed && named.is_needed());
    let missing = printed.filter(|named| named.paths.iter().all(|path| is_missing(data, path)));
    let mut missing: Vec<Missing> = missing
        .map(|named| Missing {
            path: named.paths.first().map(|path| written(path)).unwrap_or_default(),
            place: named.place,
        })
        .collect();
    missing.dedup();
    missing.truncate(MOST_MISSING);
    missing
}

/// Whether there is nothing at a path; of the items of a list, in any of them.
fn is_missing(value: &Value, path: &[Step]) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return value.is_null() || value.as_str().is_some_and(str::is_empty);
    };
    match (step, value) {
        (Step::Field(name), value) => value.get(name).is_none_or(|value| is_missing(value, rest)),
        (Step::Item, Value::Array(items)) => items.iter().any(|item| is_missing(item, rest)),
        (Step::Item, Value::Object(items)) => items.values().any(|item| is_missing(item, rest)),
        (Step::Item, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use templates::{Content, Part, Source};

    use super::*;

    #[test]
    fn what_is_missing_is_named_in_every_part_and_only_where_it_would_stop_the_mail() {
        let html = "{{customer.city}}{{#each order.lines}}{{name}}{{/each}}{{default customer.phone \"-\"}}\
                    {{#if customer.zip}}{{customer.zip}}{{/if}}";
        let mut content = Content::of("Hello {{customer.first_name}}", html);
        content.preheader = Some("{{customer.last_name}}".into());
        let template = Template::compile(&Source::from(content)).unwrap();
        let data = json!({ "customer": { "last_name": "L" }, "order": { "lines": [{ "name": "Mug" }, {}] } });
        let found: Vec<_> = missing(&template, &data).into_iter().map(|one| (one.place.part, one.path)).collect();
        let expected =
            [(Part::Subject, "customer.first_name"), (Part::Html, "customer.city"), (Part::Html, "order.lines[].name")];
        assert_eq!(found, expected.map(|(part, path)| (part, path.to_owned())));
    }
}
