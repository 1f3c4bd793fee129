//! What was read and compiled once, and need not be again while there is room for it.

use std::collections::HashMap;
use std::sync::Arc;

use templates::Attached;

use crate::composer::Ready;

/// The most bytes of files: a function has 256 MB, and each mail that it has in hand comes with a
/// copy of its own files.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The most templates: a compiled one is some times what its author wrote, of which most have
/// 20 to 50 KB.
const MOST_TEMPLATES: usize = 200;

/// Compiled templates, and the files that they bring along, each of these once.
#[derive(Default)]
pub(crate) struct Kept {
    /// By id and version.
    templates: HashMap<(String, u64), Arc<Ready>>,
    /// By what their content is kept under.
    files: HashMap<String, Arc<[u8]>>,
}

impl Kept {
    /// This version of a template.
    pub(crate) fn template(&self, id: &str, version: u64) -> Option<Arc<Ready>> {
        self.templates.get(&(id.to_owned(), version)).cloned()
    }

    /// What is in a file.
    pub(crate) fn file(&self, digest: &str) -> Option<Arc<[u8]>> {
        self.files.get(digest).cloned()
    }

    /// Keeps a version of a template with its files, which are those of `attached`; where all
    /// would come to too much, only these.
    pub(crate) fn keep(&mut self, id: &str, version: u64, ready: &Arc<Ready>, attached: &[Attached]) {
        let files = || attached.iter().map(|attached| &attached.file.digest).zip(ready.files.iter());
        let others: usize = self.files.values().map(|content| content.len()).sum();
        let own = files().filter(|(digest, _)| !self.files.contains_key(*digest));
        let own: usize = own.map(|(_, file)| file.content.len()).sum();
        if self.templates.len() >= MOST_TEMPLATES || others + own > MOST_BYTES {
            // Together: a template that stayed would hold on to its files.
            *self = Self::default();
        }
        for (digest, file) in files() {
            self.files.entry(digest.clone()).or_insert_with(|| Arc::clone(&file.content));
        }
        self.templates.insert((id.to_owned(), version), Arc::clone(ready));
    }
}

#[cfg(test)]
mod tests {
    use templates::{Content, Template};

    use super::*;
    use crate::data::Needs;
    use crate::enclosed::Enclosed;

    /// Keeps a version that brings along files of so many bytes, each under its digest.
    fn keep(kept: &mut Kept, version: u64, files: &[(&str, usize)]) {
        let template = Template::compile(&Content::of("s", "<p>x</p>").into()).unwrap();
        let attached = files.iter().map(|(digest, _)| {
            let mut attached = Attached::named((*digest).to_owned(), false);
            attached.file.digest = (*digest).to_owned();
            attached
        });
        let enclosed = files.iter().map(|(digest, bytes)| Enclosed {
            name: (*digest).to_owned(),
            media_type: "text/csv".to_owned(),
            content_id: None,
            content: kept.file(digest).unwrap_or_else(|| vec![0; *bytes].into()),
        });
        let (needs, files) = (Needs::by(&template), enclosed.collect());
        let ready = Arc::new(Ready { template, needs, block: Vec::new(), files });
        kept.keep("t", version, &ready, &attached.collect::<Vec<_>>());
    }

    #[test]
    fn versions_share_their_files_and_only_so_much_is_kept() {
        let mut kept = Kept::default();
        let half = MOST_BYTES / 2;
        for version in 1..=3 {
            keep(&mut kept, version, &[("a", half)]);
        }
        keep(&mut kept, 4, &[("a", half), ("b", half)]);
        assert_eq!((kept.templates.len(), kept.files.len()), (4, 2));
        let of = |version| Arc::clone(&kept.template("t", version).unwrap().files[0].content);
        assert!(Arc::ptr_eq(&of(1), &of(4)) && Arc::ptr_eq(&of(1), &kept.file("a").unwrap()));

        keep(&mut kept, 5, &[("a", half), ("c", 1)]);
        assert!(kept.template("t", 4).is_none() && kept.file("b").is_none());
        assert!(kept.template("t", 5).is_some() && kept.file("a").is_some() && kept.file("c").is_some());
    }

    #[test]
    fn only_so_many_templates_are_kept() {
        let mut kept = Kept::default();
        for version in 1..=500 {
            keep(&mut kept, version, &[]);
            assert!(kept.template("t", version).is_some() && kept.templates.len() <= MOST_TEMPLATES);
        }
    }
}
