//! What our pages say, in the languages that they speak.

use std::collections::BTreeMap;

use anyhow::Context;

/// The language in which there is everything.
pub(crate) const ENGLISH: &str = "en";

/// Of the languages that our pages speak, those that are written from right to left.
const RIGHT_TO_LEFT: [&str; 2] = ["ar", "he"];

/// The texts of one language, by what each is for.
pub(crate) type Texts = BTreeMap<String, String>;

/// All languages, by their tags.
#[derive(Debug)]
pub(crate) struct Languages(BTreeMap<String, Texts>);

impl Languages {
    /// Reads the table.
    ///
    /// # Errors
    /// If it is no table of texts with English in it.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let all: BTreeMap<String, Texts> = serde_json::from_str(include_str!("texts.json"))?;
        all.get(ENGLISH).context("the pages do not speak English")?;
        Ok(Self(all))
    }

    /// The first of these languages that our pages speak, by its tag.
    pub(crate) fn spoken<'t>(&self, tags: impl IntoIterator<Item = &'t str>) -> &str {
        let main = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let spoken = tags.into_iter().find_map(|tag| self.0.get_key_value(&main(tag)));
        spoken.map_or(ENGLISH, |(tag, _)| tag)
    }

    /// Which way a language is written, as a page says it.
    pub(crate) fn direction(tag: &str) -> &'static str {
        if RIGHT_TO_LEFT.contains(&tag) { "rtl" } else { "ltr" }
    }

    /// The texts of a language that [`Self::spoken`] gave.
    pub(crate) fn texts(&self, language: &str) -> Option<&Texts> {
        self.0.get(language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_says_everything_that_english_says() {
        let languages = Languages::read().unwrap();
        assert_eq!(languages.0.len(), 19);
        assert!(RIGHT_TO_LEFT.iter().all(|tag| languages.0.contains_key(*tag)));
        let english: Vec<&String> = languages.0[ENGLISH].keys().collect();
        for (tag, texts) in &languages.0 {
            assert_eq!(texts.keys().collect::<Vec<_>>(), english, "{tag}");
            assert!(texts.values().all(|text| !text.trim().is_empty()), "{tag}");
            // Nothing was forgotten in translation.
            let same = texts.iter().filter(|(key, text)| languages.0[ENGLISH][*key] == **text).count();
            assert!(tag == ENGLISH || same == 0, "{tag}");
        }
    }

    #[test]
    fn the_first_language_that_is_spoken_is_spoken() {
        let languages = Languages::read().unwrap();
        assert_eq!(languages.spoken(["pt-BR", "de"]), "pt");
        assert_eq!(languages.spoken(["hy", "DE_at"]), "de");
        assert_eq!(languages.spoken(["ar-EG"]), "ar");
        assert_eq!(languages.spoken(["x"]), "en");
        assert_eq!(languages.spoken([]), "en");
    }
}
