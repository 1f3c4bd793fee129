//! A text that was put together, and where each piece of it was written.

use std::sync::Arc;

use crate::syntax;

/// A text made of what stands in a part and in its partials.
#[derive(Clone, Debug)]
pub(crate) struct Written<'s> {
    pub(crate) text: String,
    /// Where each piece begins, in this text and in its source; the first begins at 0.
    pieces: Vec<Piece>,
    /// The part, which has no name, and the partials.
    sources: Vec<(Option<&'s str>, &'s str)>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    at: usize,
    origin: Origin,
}

/// An offset in one of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    source: usize,
    offset: usize,
}

/// The partial, if it is one, the line and the column.
pub(crate) type Spot<'a> = (Option<&'a str>, usize, usize);

impl<'s> Written<'s> {
    /// Nothing yet of this part.
    pub(crate) fn begin(part: &'s str) -> Self {
        Self { text: String::with_capacity(part.len()), pieces: Vec::new(), sources: vec![(None, part)] }
    }

    /// Nothing yet of what will be made of this text.
    pub(crate) fn next(&self) -> Self {
        Self { text: String::with_capacity(self.text.len()), pieces: Vec::new(), sources: self.sources.clone() }
    }

    /// The number of a partial's source.
    pub(crate) fn source(&mut self, name: &'s str, text: &'s str) -> usize {
        if let Some(known) = self.sources.iter().position(|(known, _)| *known == Some(name)) {
            return known;
        }
        self.sources.push((Some(name), text));
        self.sources.len() - 1
    }

    /// Adds what stands in a source.
    pub(crate) fn copy(&mut self, source: usize, from: usize, to: usize) {
        let (_, text) = self.sources[source];
        self.add(&text[from..to], Origin { source, offset: from });
    }

    /// Adds a text that was made of what stands there.
    pub(crate) fn add(&mut self, text: &str, origin: Origin) {
        if !text.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), origin });
            self.text.push_str(text);
        }
    }

    /// Adds what stands in another text.
    pub(crate) fn take(&mut self, other: &Self, from: usize, to: usize) {
        let mut at = from;
        let mut index = other.pieces.partition_point(|piece| piece.at <= from);
        while at < to {
            let end = other.pieces.get(index).map_or(to, |piece| piece.at.min(to));
            self.add(&other.text[at..end], other.origin(at));
            at = end;
            index += 1;
        }
    }

    /// Takes the blanks at the end away.
    pub(crate) fn trim_end(&mut self) {
        let length = self.text.trim_end().len();
        self.text.truncate(length);
        while self.pieces.last().is_some_and(|piece| piece.at >= length) {
            self.pieces.pop();
        }
    }

    /// Where the character at this offset was written.
    pub(crate) fn origin(&self, offset: usize) -> Origin {
        let index = self.pieces.partition_point(|piece| piece.at <= offset);
        let Some(piece) = index.checked_sub(1).map(|index| self.pieces[index]) else {
            return Origin { source: 0, offset };
        };
        let length = self.sources[piece.origin.source].1.len();
        Origin { offset: (piece.origin.offset + offset - piece.at).min(length), ..piece.origin }
    }

    /// The line and column at which the character at this offset was written.
    pub(crate) fn spot(&self, offset: usize) -> Spot<'s> {
        self.spot_of(self.origin(offset))
    }

    /// The line and column of an offset in a source.
    pub(crate) fn spot_of(&self, origin: Origin) -> Spot<'s> {
        let (name, text) = self.sources[origin.source];
        let (line, column) = syntax::position(text, origin.offset);
        (name, line, column)
    }

    /// The same for a line and column of this text.
    pub(crate) fn spot_at(&self, line: usize, column: usize) -> Spot<'s> {
        let start: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = self.text.get(start..).unwrap_or_default();
        let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
        self.spot(start + within)
    }

    /// Where its mustaches were written.
    pub(crate) fn places(&self) -> Places {
        let whole = self.sources[0].1;
        if self.text == whole {
            return Places::default();
        }
        let names: Vec<Option<Arc<str>>> = self.sources.iter().map(|(name, _)| name.map(Arc::from)).collect();
        let mut lines = Lines::of(&self.text);
        let mut of_sources: Vec<Lines<'_>> = self.sources.iter().map(|(_, text)| Lines::of(text)).collect();
        let mut table = Vec::new();
        let mut at = 0;
        while let Some(start) = syntax::next_mustache(&self.text, at) {
            let origin = self.origin(start);
            let (line, column) = of_sources[origin.source].at(origin.offset);
            table.push((lines.at(start), Spotted { name: names[origin.source].clone(), line, column }));
            let Ok(end) = syntax::mustache_end(&self.text, start) else { break };
            at = end;
        }
        Places(table)
    }
}

/// Where the mustaches of a text were written, by where they stand in it; empty where that
/// is the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Vec<((usize, usize), Spotted)>);

#[derive(Clone, Debug)]
struct Spotted {
    name: Option<Arc<str>>,
    line: usize,
    column: usize,
}

impl Places {
    /// Where the mustache at this line and column was written, or else the one before.
    pub(crate) fn spot(&self, line: usize, column: usize) -> Spot<'_> {
        let index = self.0.partition_point(|(at, _)| *at <= (line, column));
        match index.checked_sub(1).map(|index| &self.0[index].1) {
            Some(spotted) => (spotted.name.as_deref(), spotted.line, spotted.column),
            None => (None, line, column),
        }
    }
}

/// Lines and columns of offsets, of which each is mostly behind the one before.
struct Lines<'t> {
    text: &'t str,
    offset: usize,
    position: (usize, usize),
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, offset: 0, position: (1, 1) }
    }

    fn at(&mut self, offset: usize) -> (usize, usize) {
        if offset < self.offset {
            *self = Self::of(self.text);
        }
        let passed = &self.text[self.offset..offset];
        let (line, column) = self.position;
        self.position = match passed.rfind('\n') {
            Some(last) => (line + passed.matches('\n').count(), passed[last + 1..].chars().count() + 1),
            None => (line, column + passed.chars().count()),
        };
        self.offset = offset;
        self.position
    }
}
