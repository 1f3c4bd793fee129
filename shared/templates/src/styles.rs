//! The rules of a `<style>`, put into the tags that they match when a template is compiled:
//! some mail programs show no others.
//!
//! Nothing but `style` attributes and the sheets is changed, and the source is never made
//! anew from a tree: a mustache stays where it is, also between the rows of a table. A rule
//! stays in its sheet if it asks for what no tag says (`:hover`, `@media`), if it has a mustache,
//! if nothing matches it, or if it may match what is only there when the mail is rendered.

use std::{collections::BTreeSet, ops::Range};

use crate::{
    css::{self, Compound, Declaration, Item, Listed, Rule, Selector},
    tags::{self, Tag},
    written::Written,
};

/// The most that the HTML may be afterwards, in bytes.
const LIMIT: usize = 1024 * 1024;

/// How deep tags may be in each other: those further in get no styles.
const DEPTH: usize = 200;

/// A sheet, and where it is.
struct Sheet {
    /// All of it, with its tags.
    whole: Range<usize>,
    /// What is between these.
    inner: Range<usize>,
    items: Vec<Item>,
}

/// The HTML with the rules of its sheets in the tags. With `only`, of the sheets that begin with
/// that.
///
/// # Errors
/// If it comes to more than [`LIMIT`].
pub(crate) fn inlined<'s>(html: &Written<'s>, only: Option<&str>) -> Result<Written<'s>, String> {
    let text = html.text.as_str();
    let sheets = sheets(text, only);
    let is_rule = |item: &Item| matches!(item, Item::Rule(_));
    if !sheets.iter().any(|sheet| only.is_some() || sheet.items.iter().any(is_rule)) {
        return Ok(html.clone());
    }
    let mut rules = Vec::new();
    for rule in sheets.iter().flat_map(|sheet| &sheet.items) {
        let Item::Rule(rule) = rule else { continue };
        for Listed { selector, .. } in &rule.selectors {
            rules.push((selector.as_ref(), rule));
        }
    }
    let mut matching = Matching { rules, stays: BTreeSet::new(), matched: BTreeSet::new(), edits: Vec::new(), size: 0 };
    matching.go_through(text)?;
    Ok(matching.applied(html, &sheets))
}

fn sheets(text: &str, only: Option<&str>) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    for (tag, depth) in tags::of(text) {
        if depth.in_comment || !tag.is("style") || tag.closes {
            continue;
        }
        let inner = tag.range.end..tags::raw_end(text, tag.range.end, "style");
        let end = tags::end(text, inner.end);
        let sheet = &text[inner.clone()];
        let media = tag.attribute("media").map(|media| text[media.value].trim().to_ascii_lowercase());
        let is_wanted = match only {
            Some(mark) => sheet.starts_with(mark),
            None => media.is_none_or(|media| matches!(media.as_str(), "" | "all" | "screen")),
        };
        let foreign = tags::mustaches(sheet);
        let is_block = |range: &Range<usize>| tags::turns(&sheet[range.clone()]).is_some();
        if !is_wanted || foreign.iter().any(is_block) || sheet.contains("<!--") {
            continue;
        }
        // What is in mustaches has braces of its own.
        let mut plain = sheet.to_owned();
        for range in &foreign {
            plain.replace_range(range.clone(), &"m".repeat(range.len()));
        }
        let mut items = css::items(&plain, &foreign);
        if let (Some(mark), Some(Item::Other(range))) = (only, items.first_mut()) {
            range.start = range.start.max(mark.len().min(range.end));
        }
        sheets.push(Sheet { whole: tag.range.start..end, inner, items });
    }
    sheets
}

/// Whether a tag is what a selector selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    /// It may come to be when the mail is rendered.
    Maybe,
    Yes,
}

struct Matching<'r> {
    /// Each selector with its rule, in order.
    rules: Vec<(Option<&'r Selector>, &'r Rule)>,
    /// Those that have to stay in their sheet, and those that are in tags.
    stays: BTreeSet<usize>,
    matched: BTreeSet<usize>,
    /// What is put where.
    edits: Vec<(Range<usize>, String)>,
    size: usize,
}

impl Matching<'_> {
    fn go_through(&mut self, text: &str) -> Result<(), String> {
        self.size = text.len();
        if tags::mustaches(text).iter().any(|range| tags::inserts_html(&text[range.clone()])) {
            self.stays.extend(0..self.rules.len());
        }
        let mut open: Vec<Tag<'_>> = Vec::new();
        let mut blocks: Vec<Vec<Tag<'_>>> = Vec::new();
        let mut turns =
            tags::mustaches(text).into_iter().filter_map(|range| Some((range.start, tags::turns(&text[range])?)));
        let mut turn = turns.next();
        for (tag, around) in tags::of(text) {
            while let Some((_, kind)) = turn.filter(|(at, _)| *at < tag.range.start) {
                match kind {
                    tags::Turn::Opens => blocks.push(open.clone()),
                    // What comes otherwise stands where the first did.
                    tags::Turn::Else => open = blocks.last().cloned().unwrap_or_default(),
                    tags::Turn::Closes => drop(blocks.pop()),
                }
                turn = turns.next();
            }
            if tag.closes {
                if let Some(at) = open.iter().rposition(|other| other.name.eq_ignore_ascii_case(tag.name)) {
                    open.truncate(at);
                }
                continue;
            }
            if open.last().is_some_and(|last| tags::ends_by(last.name, tag.name)) {
                open.pop();
            }
            let is_seen = !tags::is_unseen(tag.name) && !open.iter().any(|other| other.is("head"));
            open.push(tag);
            if is_seen && open.len() <= DEPTH {
                self.meet(text, &open, around.in_comment)?;
            }
            if open.last().is_some_and(|last| last.is_empty || tags::is_void(last.name)) {
                open.pop();
            }
        }
        Ok(())
    }

    /// Puts what matches the innermost tag into it.
    fn meet(&mut self, text: &str, open: &[Tag<'_>], in_comment: bool) -> Result<(), String> {
        let Some(tag) = open.last() else { return Ok(()) };
        let mut matching = Vec::new();
        for (index, (selector, rule)) in self.rules.iter().enumerate() {
            let Some(selector) = selector else { continue };
            match matched(text, selector, open) {
                Match::No => {}
                // A tag whose attributes a mustache decides, or that only Outlook sees, is left alone.
                Match::Yes if !tag.is_decided && !in_comment => matching.push((selector.specificity, index, *rule)),
                Match::Yes | Match::Maybe => drop(self.stays.insert(index)),
            }
        }
        if matching.is_empty() {
            return Ok(());
        }
        matching.sort_by_key(|(specificity, index, _)| (*specificity, *index));
        self.matched.extend(matching.iter().map(|(_, index, _)| *index));
        let rules = matching.iter().map(|(.., rule)| rule.declarations.as_slice());
        let style = style(&cascade(rules));
        if style.is_empty() {
            return Ok(());
        }
        let (at, added) = placed(text, tag, &style);
        self.size += added.len();
        if self.size > LIMIT {
            return Err(format!("comes to more than {LIMIT} bytes with its styles in the tags"));
        }
        self.edits.push((at, added));
        Ok(())
    }

    /// The HTML with the edits, and with what is left of the sheets.
    fn applied<'s>(mut self, html: &Written<'s>, sheets: &[Sheet]) -> Written<'s> {
        let mut index = 0;
        for sheet in sheets {
            let mut left = String::new();
            let mut is_left = false;
            for item in &sheet.items {
                match item {
                    Item::Other(range) => {
                        let text = &html.text[sheet.inner.start + range.start..sheet.inner.start + range.end];
                        is_left |= !text.trim_start().is_empty() && !text.trim_start().starts_with("/*");
                        left.push_str(text.trim_end());
                        left.push('\n');
                    }
                    Item::Rule(rule) => {
                        let mut stay = Vec::new();
                        for listed in &rule.selectors {
                            if !self.matched.contains(&index) || self.stays.contains(&index) {
                                stay.push(listed.text.as_str());
                            }
                            index += 1;
                        }
                        if !stay.is_empty() {
                            is_left = true;
                            let block = sheet.inner.start + rule.block.start..sheet.inner.start + rule.block.end;
                            left.push_str(&format!("{} {}\n", stay.join(", "), &html.text[block]));
                        }
                    }
                }
            }
            let edit = if is_left { (sheet.inner.clone(), left) } else { (sheet.whole.clone(), String::new()) };
            self.edits.push(edit);
        }
        self.edits.sort_by_key(|(range, _)| range.start);
        let mut changed = html.next();
        let mut at = 0;
        for (range, text) in &self.edits {
            changed.take(html, at, range.start);
            changed.add(text, html.origin(range.start));
            at = range.end;
        }
        changed.take(html, at, html.text.len());
        changed
    }
}

/// The declarations of rules, of which each counts more than the one before: without those
/// that another one overrules.
fn cascade<'r>(rules: impl Iterator<Item = &'r [Declaration]>) -> Vec<&'r Declaration> {
    let mut kept: Vec<(usize, &Declaration)> = Vec::new();
    for (rule, declarations) in rules.enumerate() {
        for declaration in declarations {
            // One rule may say the same twice, for those who do not understand the second.
            let overruled = |(of, other): &(usize, &Declaration)| {
                *of != rule && other.name == declaration.name && (declaration.is_important() || !other.is_important())
            };
            kept.retain(|other| !overruled(other));
            kept.push((rule, declaration));
        }
    }
    kept.into_iter().map(|(_, declaration)| declaration).collect()
}

fn style(declarations: &[&Declaration]) -> String {
    let said = declarations.iter().map(|it| format!("{}: {};", it.name, it.value));
    said.collect::<Vec<_>>().join(" ")
}

/// What is put where to give a tag a style. What the tag says itself comes last and counts.
fn placed(text: &str, tag: &Tag<'_>, style: &str) -> (Range<usize>, String) {
    let style = style.replace('&', "&amp;").replace('<', "&lt;");
    let with = |quote: char| match quote {
        '\'' => style.replace('\'', "&#39;"),
        _ if style.contains('\'') => style.replace('"', "&quot;"),
        _ => style.replace('"', "'"),
    };
    let Some(own) = tag.attribute("style") else {
        let at = tag.range.start + 1 + tag.name.len();
        return (at..at, format!(" style=\"{}\"", with('"')));
    };
    let value = text[own.value.clone()].trim_start();
    match own.quote {
        Some(quote) => {
            let gap = if value.is_empty() { "" } else { " " };
            (own.value.start..own.value.end - value.len(), format!("{}{gap}", with(quote)))
        }
        None => (own.value.clone(), format!("\"{} {value}\"", with('"'))),
    }
}

/// Whether the innermost of these tags is what a selector selects.
fn matched(text: &str, selector: &Selector, open: &[Tag<'_>]) -> Match {
    let Some((last, before)) = selector.compounds.split_last() else { return Match::No };
    let Some((tag, around)) = open.split_last() else { return Match::No };
    let own = fits(text, last, tag);
    if own == Match::No || before.is_empty() {
        return own;
    }
    // For each tag around it, whether the compounds so far select it.
    let mut so_far = vec![Match::Yes; around.len()];
    for (index, compound) in before.iter().enumerate() {
        let mut best_before = Match::No;
        let mut parent = Match::No;
        for (tag, known) in around.iter().zip(&mut so_far) {
            let reached = match (index, compound.is_child) {
                (0, _) => Match::Yes,
                (_, true) => parent,
                (_, false) => best_before,
            };
            parent = *known;
            best_before = best_before.max(parent);
            *known = if reached == Match::No { Match::No } else { reached.min(fits(text, compound, tag)) };
        }
    }
    let reached = if last.is_child { so_far.last().copied() } else { so_far.iter().max().copied() };
    own.min(reached.unwrap_or(Match::No))
}

/// Whether a tag by itself is what a compound asks for.
fn fits(text: &str, compound: &Compound, tag: &Tag<'_>) -> Match {
    if compound.name.as_ref().is_some_and(|name| !tag.is(name)) {
        return Match::No;
    }
    // A mustache between the attributes may bring any of them.
    let otherwise = if tag.is_decided { Match::Maybe } else { Match::No };
    let has = |name: &str, wanted: &dyn Fn(&str) -> bool| {
        let Some(attribute) = tag.attribute(name) else { return otherwise };
        let value = &text[attribute.value];
        match (wanted(value), value.contains("{{")) {
            (true, false) if !tag.is_decided => Match::Yes,
            (true, _) | (_, true) => Match::Maybe,
            (false, false) => otherwise,
        }
    };
    let ids = compound.ids.iter().map(|id| has("id", &|value| value.trim() == id));
    let classes = compound.classes.iter().map(|class| {
        let is_plain = tag.attribute("class").is_some_and(|it| tags::words(&text[it.value]).any(|word| word == class));
        if is_plain && !tag.is_decided { Match::Yes } else { has("class", &|_| is_plain) }
    });
    let attributes = compound
        .attributes
        .iter()
        .map(|(name, wanted)| has(name, &|value| wanted.as_ref().is_none_or(|wanted| value == wanted)));
    ids.chain(classes).chain(attributes).min().unwrap_or(Match::Yes)
}
