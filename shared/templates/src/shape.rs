//! What the data of a mail is like, and whether a template goes with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Named, Place, Problem, Step, Template, Use, paths::written};

/// How many names are offered to whoever wrote one that there is not.
const MOST_OFFERED: usize = 3;

/// What is known of a value, whether or not it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Something to print.
    Value,
    /// An object of these fields and no others.
    Object(BTreeMap<String, Shape>),
    /// An object of these names and no others, each with the same under it.
    Names(BTreeSet<String>, Box<Shape>),
    /// A list of such items.
    List(Box<Shape>),
    /// Nothing is known of it.
    Anything,
}

impl Shape {
    /// An object of these fields.
    #[must_use]
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, Shape)>) -> Self {
        Self::Object(fields.into_iter().map(|(name, shape)| (name.to_owned(), shape)).collect())
    }

    /// Puts a shape at a path of fields, through objects that are made where they are not
    /// there. What is known to be something else than an object stays as it is.
    pub fn put(&mut self, path: &str, shape: Shape) {
        let mut at = self;
        for name in path.split('.') {
            match at {
                Self::Object(fields) => at = fields.entry(name.to_owned()).or_insert_with(|| Self::of([])),
                _ => return,
            }
        }
        match (&mut *at, shape) {
            // What is in it was said before.
            (Self::Object(known), Self::Object(more)) => known.extend(more),
            (at, shape) => *at = shape,
        }
    }

    /// What is at a path, or at which step there is nothing, and what is there before it.
    fn at(&self, path: &[Step]) -> Result<&Shape, (usize, &Shape)> {
        let mut at = self;
        for (index, step) in path.iter().enumerate() {
            at = match (at, step) {
                (Self::Anything, _) => return Ok(&Self::Anything),
                (Self::Object(fields), Step::Field(name)) => fields.get(name).ok_or((index, at))?,
                // Each of its fields is something else.
                (Self::Object(_), Step::Item) => return Ok(&Self::Anything),
                (Self::Names(names, _), Step::Field(name)) if !names.contains(name) => return Err((index, at)),
                (Self::Names(_, inner), _) | (Self::List(inner), Step::Item) => inner,
                (Self::List(inner), Step::Field(name)) if name.bytes().all(|byte| byte.is_ascii_digit()) => inner,
                (Self::Value | Self::List(_), _) => return Err((index, at)),
            };
        }
        Ok(at)
    }

    /// Whether there is something at the path.
    #[must_use]
    pub fn has(&self, path: &[Step]) -> bool {
        self.at(path).is_ok()
    }

    /// Whether there is something at the path of these names, as a condition writes it: each
    /// list on its way is gone through.
    #[must_use]
    pub fn has_in_lists(&self, path: &str) -> bool {
        let mut path: Vec<Step> = path.split('.').map(|name| Step::Field(name.to_owned())).collect();
        while let Err((index, before)) = self.at(&path) {
            if !matches!(before, Self::List(_)) {
                return false;
            }
            path.insert(index, Step::Item);
        }
        true
    }
}

impl Template {
    /// What it prints or asks about that data of this shape never has, each at its place.
    #[must_use]
    pub fn misfits(&self, shape: &Shape) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for named in self.paths() {
            if let Some(message) = misfit(&named, shape) {
                let problem = Problem { place: named.place, message };
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems
    }

    /// The groups of promo codes of which it prints one and that are none of these, each where it
    /// is first named.
    #[must_use]
    pub fn unknown_groups(&self, known: &BTreeSet<String>) -> Vec<Problem> {
        let unknown = self.promo_groups().into_iter().filter(|(group, _)| !known.contains(group));
        let problem = |(group, place): (String, Place)| {
            let near = nearest(&group, known.iter().map(String::as_str)).map(|name| format!("{name:?}"));
            let message = match near.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => format!("there is no group of promo codes {group:?}"),
                near => format!("there is no group of promo codes {group:?}; did you mean {near}?"),
            };
            Problem { place, message }
        };
        unknown.map(problem).collect()
    }

    /// What it cannot do without and data of this shape never has, each path once, and not what
    /// goes on from one. What is at
    /// the top of the shape is taken to be there.
    #[must_use]
    pub fn lacking(&self, shape: &Shape) -> Vec<Named> {
        let mut lacking: Vec<Named> = Vec::new();
        for named in self.paths() {
            let is_there = named.paths.iter().any(|path| shape.has(path));
            let is_passed_over = named.without.iter().any(|name| shape.has(&[Step::Field(name.clone())]));
            if named.is_needed() && !is_there && !is_passed_over && !lacking.iter().any(|known| goes_on(&named, known))
            {
                lacking.push(named);
            }
        }
        lacking
    }
}

/// Whether a path is another one, or goes on from it.
fn goes_on(named: &Named, from: &Named) -> bool {
    named.paths.iter().all(|path| from.paths.iter().any(|from| path.starts_with(from)))
}

/// What is wrong with a path; of several, it has to be wrong with all.
fn misfit(named: &Named, shape: &Shape) -> Option<String> {
    let mut messages = named.paths.iter().map(|path| match shape.at(path) {
        Ok(found) => misused(path, named.used, found),
        Err((index, before)) => Some(absent(path, index, before)),
    });
    let message = messages.next()?;
    if messages.any(|other| other.is_none()) { None } else { message }
}

fn misused(path: &[Step], used: Use, found: &Shape) -> Option<String> {
    let path = || if path.is_empty() { "all of the data".to_owned() } else { written(path) };
    match (used, found) {
        (Use::Printed, Shape::List(_)) => Some(format!("{} is a list; go through it with {{{{#each …}}}}", path())),
        (Use::Printed, Shape::Object(fields)) => {
            let names: Vec<_> = fields.keys().take(MOST_OFFERED).map(String::as_str).collect();
            let such = if names.is_empty() { String::new() } else { format!(", such as {}", names.join(", ")) };
            Some(format!("{} is an object; print one of its fields{such}", path()))
        }
        (Use::Printed, Shape::Names(..)) => Some(format!("{} is an object and cannot be printed", path())),
        (Use::Listed, Shape::Value) => Some(format!("{} is no list", path())),
        _ => None,
    }
}

fn absent(path: &[Step], index: usize, before: &Shape) -> String {
    let parent = written(&path[..index]);
    let wrong = written(&path[..=index]);
    match (before, &path[index]) {
        (Shape::List(_), _) => format!("{parent} is a list; go through it with {{{{#each {parent}}}}}"),
        (Shape::Object(fields), Step::Field(name)) => no_such(&parent, name, fields.keys().map(String::as_str)),
        (Shape::Names(names, _), Step::Field(name)) => no_such(&parent, name, names.iter().map(String::as_str)),
        _ => format!("there is no {wrong}: {parent} is a value and has no fields"),
    }
}

/// That there is no such name in an object, and which of those that are there are near.
fn no_such<'n>(parent: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
    let nearest: Vec<String> = nearest(name, known).map(|name| format!("{prefix}{name}")).collect();
    match nearest.as_slice() {
        [] => format!("there is no {prefix}{name}"),
        nearest => format!("there is no {prefix}{name}; did you mean {}?", nearest.join(", ")),
    }
}

/// The names that are the fewest edits away, the nearest first.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> impl Iterator<Item = &'n str> {
    let short: Vec<char> = name.chars().take(64).collect();
    let mut near: Vec<(usize, &str)> = known.map(|known| (distance(&short, known), known)).collect();
    near.sort_unstable();
    near.into_iter().take(MOST_OFFERED).map(|(_, known)| known)
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut above = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = above + usize::from(from != to);
            above = row[j + 1];
            row[j + 1] = changed.min(above + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
