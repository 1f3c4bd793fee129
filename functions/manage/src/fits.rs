//! Whether a template can do with what its messages are set off by.

use campaigns::{Campaign, Trigger};
use conditions::{Root, Schema};
use domain::Fault;
use domain::read::Faults;
use store::{Kind as Defined, Versioned};
use templates::{Block, Place, Problem, Source, Template};

use crate::Manage;

/// The campaigns that there are, for the templates that they name.
pub(crate) struct Naming {
    schema: Schema,
    campaigns: Vec<Versioned<Campaign>>,
}

/// Something that a template cannot do without, and that a message has not.
pub(crate) struct Lack {
    /// Where the template asks for it.
    pub(crate) at: At,
    /// What for: "prints order.id".
    what: String,
    /// Who has none.
    whose: String,
}

/// A place in a template.
pub(crate) enum At {
    /// In what it prints.
    Part(Place),
    /// In which of its conditions.
    Block(usize),
}

impl Lack {
    /// What is wrong, for whoever is shown the place.
    pub(crate) fn message(&self) -> String {
        format!("{}, which {}", self.what, self.whose)
    }

    /// The same at its place.
    pub(crate) fn problem(&self, place: &Place) -> Problem {
        Problem { place: place.clone(), message: self.message() }
    }

    fn message_with_place(&self) -> String {
        match &self.at {
            At::Part(place) => format!("{} ({place}), which {}", self.what, self.whose),
            At::Block(index) => format!("{} ({}), which {}", self.what, crate::blocks::place(*index), self.whose),
        }
    }
}

impl Naming {
    /// What a template of this id cannot do without, and nothing has that sets a campaign off
    /// that names it.
    pub(crate) fn lacking(&self, id: &str, template: &Template, blocks: &[Block]) -> Vec<Lack> {
        let campaigns = self.campaigns.iter().map(|campaign| &campaign.value);
        let naming = campaigns.filter(|campaign| campaign.templates().iter().any(|template| template.as_str() == id));
        let lacking = naming.flat_map(|campaign| {
            let whose = format!("nothing has that sets the campaign {:?} off", campaign.id.as_str());
            lacking(template, blocks, &self.schema, Some(&campaign.trigger), &whose)
        });
        lacking.collect()
    }

    /// The same of what it prints alone.
    pub(crate) fn unfit(&self, id: &str, template: &Template) -> Vec<Problem> {
        let problem = |lack: Lack| match &lack.at {
            At::Part(place) => Some(lack.problem(place)),
            At::Block(_) => None,
        };
        self.lacking(id, template, &[]).into_iter().filter_map(problem).collect()
    }
}

impl Manage {
    pub(crate) async fn naming(&self) -> anyhow::Result<Naming> {
        Ok(Naming { schema: self.schema().await?, campaigns: self.definitions.list(Defined::Campaign).await? })
    }

    /// What the template at this place cannot do without, and no message has that this trigger
    /// sets off; or, without one, no message of a mailing.
    pub(crate) async fn unfit_template(
        &self,
        place: &str,
        template: &Versioned<Source>,
        trigger: Option<&Trigger>,
    ) -> anyhow::Result<Faults> {
        let schema = self.schema().await?;
        // What was sound when it was saved is not looked at again.
        let Ok(compiled) = Template::compile(&template.value) else { return Ok(Vec::new()) };
        let whose = if trigger.is_some() { "nothing has that sets this campaign off" } else { "a mailing has not" };
        let lacking = lacking(&compiled, &template.value.block, &schema, trigger, whose);
        Ok(lacking.iter().map(|lack| Fault::new(place, lack.message_with_place())).collect())
    }
}

fn lacking(
    template: &Template,
    blocks: &[Block],
    schema: &Schema,
    trigger: Option<&Trigger>,
    whose: &str,
) -> Vec<Lack> {
    let shape = mail::shape_of(schema, trigger);
    let printed = template.lacking(&shape).into_iter().map(|named| {
        let path = named.paths.first().map(|path| templates::written(path)).unwrap_or_default();
        Lack { at: At::Part(named.place), what: format!("prints {path}"), whose: whose.to_owned() }
    });
    let brought = mail::roots_of(trigger);
    // What a change has is another thing with each trigger; of the rest, any may have any field.
    let is_brought =
        |root: Root, path: &str| brought.contains(&root) && (root != Root::Change || shape.has_in_lists(path));
    let asked = blocks.iter().enumerate().flat_map(|(index, block)| {
        let fields = block.when.fields().into_iter().filter(|(root, path)| !is_brought(*root, path));
        let lack =
            move |path: &str| Lack { at: At::Block(index), what: format!("asks for {path}"), whose: whose.to_owned() };
        fields.map(move |(_, path)| lack(path))
    });
    printed.chain(asked).collect()
}
