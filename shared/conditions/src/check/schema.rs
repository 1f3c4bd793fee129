//! What a shop's conditions may ask about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::field::Root;

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A number, written as such or as text.
    Number,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Instant,
    /// Nothing is known of it.
    Anything,
}

impl Type {
    /// What one of them is, in words.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Date => "a date",
            Self::Instant => "an instant",
            Self::Anything => "a value",
        }
    }
}

/// What is known of a field's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub(super) r#type: Type,
    pub(super) is_list: bool,
    pub(super) allowed: Vec<Value>,
    pub(super) min: Option<Value>,
    pub(super) max: Option<Value>,
}

impl Known {
    /// One value of this type.
    #[must_use]
    pub const fn of(r#type: Type) -> Self {
        Self { r#type, is_list: false, allowed: Vec::new(), min: None, max: None }
    }

    /// A list of such values.
    #[must_use]
    pub fn list(self) -> Self {
        Self { is_list: true, ..self }
    }

    /// Only these; of a list, each item is one of them. None at all is no limit.
    #[must_use]
    pub fn one_of<V: Into<Value>>(self, allowed: impl IntoIterator<Item = V>) -> Self {
        Self { allowed: allowed.into_iter().map(Into::into).collect(), ..self }
    }

    /// At least the one and at most the other, both of the field's type.
    #[must_use]
    pub fn between(self, min: Option<Value>, max: Option<Value>) -> Self {
        Self { min, max, ..self }
    }
}

/// Which paths lead anywhere, and to what: what a condition is held to by
/// [`Condition::check`](crate::Condition::check).
#[derive(Clone, Debug, Default)]
pub struct Schema {
    roots: BTreeMap<&'static str, Shape>,
    events: BTreeMap<String, BTreeMap<String, Known>>,
    happened: Option<String>,
    audiences: Option<BTreeSet<String>>,
    segments: Option<BTreeSet<String>>,
}

/// What is known of one root.
#[derive(Clone, Debug, Default)]
struct Shape {
    fields: BTreeMap<String, Known>,
    /// What has fields of its own, be it that none is known.
    objects: BTreeSet<String>,
    /// What may have any fields.
    open: BTreeSet<String>,
}

/// What there is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A value.
    Value,
    /// A list of values.
    List,
    /// Something with fields of its own, be it that none is known.
    Object,
    /// Nothing is known of it.
    Anything,
}

impl Entry {
    fn of(known: &Known) -> Self {
        match (known.is_list, known.r#type) {
            (true, _) => Self::List,
            (false, Type::Anything) => Self::Anything,
            (false, _) => Self::Value,
        }
    }
}

/// Where the context of an event stands.
const CONTEXT: &str = "context";

/// What a path leads to.
pub(super) enum Found {
    /// A value.
    Value(Known),
    /// Something that is there or not, and has fields of its own.
    Object,
    /// Nothing, whatever happens.
    Nothing,
}

impl Schema {
    /// One of which nothing is known. A root may be asked about anything until the first
    /// word is said of it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what is at a path behind a root, such as `status.delivery`.
    pub fn field(&mut self, root: Root, path: impl Into<String>, known: Known) {
        self.shape(root).fields.insert(path.into(), known);
    }

    /// Says that at a path there are fields, be it that none is known yet.
    pub fn object(&mut self, root: Root, path: impl Into<String>) {
        self.shape(root).objects.insert(path.into());
    }

    /// Says that at a path there may be any fields.
    pub fn open(&mut self, root: Root, path: impl Into<String>) {
        self.shape(root).open.insert(path.into());
    }

    /// Says what the context of one kind of event brings. If it is nothing, the context
    /// is as open as that of an event which nobody defined.
    pub fn event(&mut self, name: impl Into<String>, context: impl IntoIterator<Item = (String, Known)>) {
        self.events.insert(name.into(), context.into_iter().collect());
    }

    /// Says which event it is that happened.
    #[must_use]
    pub fn happened(self, name: impl Into<String>) -> Self {
        Self { happened: Some(name.into()), ..self }
    }

    /// Says which audiences there are. Until then any may be asked about.
    pub fn audiences<'a>(&mut self, codes: impl IntoIterator<Item = &'a str>) {
        self.audiences = Some(codes.into_iter().map(str::to_owned).collect());
    }

    /// Says which segments there are. Until then any may be asked about.
    pub fn segments<'a>(&mut self, codes: impl IntoIterator<Item = &'a str>) {
        self.segments = Some(codes.into_iter().map(str::to_owned).collect());
    }

    /// Everything that is known of a root, by its path: what has fields before the fields. The
    /// context of an event is open, whatever its definition says: more may come with it.
    pub fn entries(&self, root: Root) -> Vec<(String, Entry)> {
        let Some(shape) = self.roots.get(root.name()) else { return Vec::new() };
        let objects = shape.objects.iter().map(|path| (path.clone(), Entry::Object));
        let open = shape.open.iter().map(|path| (path.clone(), Entry::Anything));
        let fields = shape.fields.iter().map(|(path, known)| (path.clone(), Entry::of(known)));
        objects.chain(open).chain(fields).collect()
    }

    /// The texts that may stand at a path; none, where any may.
    pub fn allowed(&self, root: Root, path: &str) -> Vec<&str> {
        let known = self.roots.get(root.name()).and_then(|shape| shape.fields.get(path));
        known.into_iter().flat_map(|known| &known.allowed).filter_map(Value::as_str).collect()
    }

    fn shape(&mut self, root: Root) -> &mut Shape {
        self.roots.entry(root.name()).or_default()
    }

    /// The name of the event that happened, if it is known.
    pub(super) fn what_happened(&self) -> Option<Vec<&str>> {
        self.happened.as_deref().map(|name| vec![name])
    }

    pub(super) fn known_audiences(&self) -> Option<&BTreeSet<String>> {
        self.audiences.as_ref()
    }

    pub(super) fn known_segments(&self) -> Option<&BTreeSet<String>> {
        self.segments.as_ref()
    }

    /// What a path leads to; of an event, one that has one of these names.
    pub(super) fn find(&self, root: Root, path: &str, names: Option<&[&str]>) -> Found {
        const ANYTHING: Known = Known::of(Type::Anything);
        let Some(shape) = self.roots.get(root.name()) else { return Found::Value(ANYTHING) };
        if let Some(known) = shape.fields.get(path) {
            return Found::Value(known.clone());
        }
        if let (Root::Event, Some(rest)) = (root, within(CONTEXT, path))
            && let Some(contexts) = self.contexts(names)
        {
            return in_contexts(&contexts, rest);
        }
        if shape.open.iter().any(|open| within(open, path).is_some()) {
            return Found::Value(ANYTHING);
        }
        let mut known = shape.fields.keys().chain(&shape.objects).chain(&shape.open);
        if known.any(|known| known == path || within(path, known).is_some()) {
            return Found::Object;
        }
        Found::Nothing
    }

    /// Every path of a root that leads to a value.
    pub(super) fn paths(&self, root: Root, names: Option<&[&str]>) -> Vec<String> {
        let fields = self.roots.get(root.name()).into_iter().flat_map(|shape| shape.fields.keys().cloned());
        let contexts = (root == Root::Event).then(|| self.contexts(names)).flatten().unwrap_or_default();
        let mut brought: Vec<_> =
            contexts.iter().flat_map(|context| context.keys()).map(|name| format!("{CONTEXT}.{name}")).collect();
        brought.sort();
        brought.dedup();
        fields.chain(brought).collect()
    }

    /// What the contexts of events of these names bring, if each of them says so.
    fn contexts(&self, names: Option<&[&str]>) -> Option<Vec<&BTreeMap<String, Known>>> {
        let of = |name: &&str| self.events.get(*name).filter(|context| !context.is_empty());
        names?.iter().map(of).collect()
    }
}

fn in_contexts(contexts: &[&BTreeMap<String, Known>], path: &str) -> Found {
    let mut found: Option<Known> = None;
    for context in contexts {
        let is = |(name, _): &(&String, &Known)| *name == path || within(name, path).is_some();
        let Some((name, known)) = context.iter().find(is) else { continue };
        // What an event brings may have anything in it.
        let known = if name == path { known.clone() } else { Known::of(Type::Anything) };
        found = Some(match found {
            Some(other) if other != known => Known::of(Type::Anything),
            _ => known,
        });
    }
    found.map_or(Found::Nothing, Found::Value)
}

/// The rest of a path that goes on behind another.
fn within<'p>(outer: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(outer)?.strip_prefix('.')
}
