//! The one page that all links lead to, in what it says different for each.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Dictionary;
use handlebars::Handlebars;
use lambda::http::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::texts::{ENGLISH, Languages};

const STYLE: &str = include_str!("page.css");

/// What makes the pages.
pub(crate) struct Pages {
    pages: Handlebars<'static>,
    languages: Languages,
    shop_name: String,
    /// The page's own style, as its policy names it.
    style: String,
}

impl Pages {
    /// Reads the page and its texts.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn new(shop_name: String) -> anyhow::Result<Self> {
        let mut pages = Handlebars::new();
        pages.set_strict_mode(true);
        pages.register_template_string("page", include_str!("page.html"))?;
        let style = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(STYLE.as_bytes())));
        Ok(Self { pages, languages: Languages::read()?, shop_name, style })
    }

    /// The pages of a shop for whoever reads this language, or else the shop's own.
    pub(crate) fn view<'p>(&'p self, dictionary: &'p Dictionary, language: Option<&str>) -> View<'p> {
        let settings = dictionary.settings();
        let tags = language.into_iter().chain(settings.languages.iter().map(String::as_str));
        View { pages: self, language: self.languages.spoken(tags), logo: settings.logo.as_deref() }
    }
}

/// The pages as somebody reads them.
pub(crate) struct View<'p> {
    pages: &'p Pages,
    language: &'p str,
    logo: Option<&'p str>,
}

impl View<'_> {
    /// The language that they are in, by its tag.
    pub(crate) fn language(&self) -> &str {
        self.language
    }

    /// A page that shows this. Nobody keeps it, finds it, frames it or learns from it where
    /// it was; and it asks nobody for anything but the shop's logo.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn page(&self, status: u16, show: Value) -> anyhow::Result<Response> {
        let Pages { pages, languages, shop_name, style } = self.pages;
        let texts = languages.texts(self.language).or_else(|| languages.texts(ENGLISH));
        let mut data = json!({
            "unknown": false, "gone": false, "test": false, "leaving": null, "choices": null, "confirming": null,
            "shop": shop_name, "logo": self.logo, "language": self.language,
            "dir": Languages::direction(self.language), "style": STYLE,
            "text": texts.context("the pages have no texts")?,
        });
        for (key, value) in show.as_object().into_iter().flatten() {
            data[key] = value.clone();
        }
        let page = pages.render("page", &data).context("the page could not be rendered")?;
        let pictures = self.logo.and_then(origin).unwrap_or_else(|| "'none'".to_owned());
        let policy = format!(
            "default-src 'none'; style-src {style}; img-src {pictures}; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        Ok(Response::html(status, page)
            .with_header("content-security-policy", policy)
            .with_header("content-language", self.language.to_owned())
            .with_header("referrer-policy", "no-referrer")
            .with_header("x-content-type-options", "nosniff")
            .with_header("x-robots-tag", "noindex, nofollow"))
    }
}

/// Where a picture comes from, as a policy names it.
fn origin(address: &str) -> Option<String> {
    let host = address.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    Some(format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::dictionary::{Settings, Word};

    use super::*;

    fn pages() -> Pages {
        Pages::new("Mugs & <Co>".to_owned()).unwrap()
    }

    fn dictionary() -> Dictionary {
        let settings = Settings {
            logo: Some("https://cdn.example.com/a/logo.png?v=1".to_owned()),
            languages: vec!["lv".to_owned()],
            ..Settings::default()
        };
        let word = Word::Settings(settings);
        Dictionary::new([(word.id(), Some(word))])
    }

    fn shows() -> [Value; 6] {
        let category = |on: bool| json!({ "code": "news", "name": "<b>x أخبار", "description": "<b>x</b>", "on": on });
        [
            json!({ "unknown": true }),
            json!({ "gone": true }),
            json!({ "test": true }),
            json!({ "leaving": { "kind": "<b>x", "left_kind": false, "left_all": false, "choose": "/p/t" } }),
            json!({ "choices": { "saved": true, "left_all": false, "asked": false, "channel": true, "categories": [category(true), category(false)] } }),
            json!({ "confirming": { "categories": ["<b>x"], "open": true, "refused": false, "confirmed": false, "expired": false } }),
        ]
    }

    #[test]
    fn a_page_asks_nobody_for_anything_but_the_logo_and_is_kept_and_framed_by_nobody() {
        let (pages, dictionary) = (pages(), dictionary());
        for show in shows() {
            let response = pages.view(&dictionary, Some("de-AT")).page(200, show).unwrap();
            let headers: BTreeMap<&str, &str> = response.headers().collect();
            let policy = headers["content-security-policy"];
            let body = response.body();
            let style = body.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
            let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
            assert!(
                policy.starts_with("default-src 'none';") && policy.contains(&format!("style-src 'sha256-{hash}'"))
            );
            assert!(policy.contains("img-src https://cdn.example.com;") && policy.contains("frame-ancestors 'none'"));
            assert_eq!((headers["cache-control"], headers["referrer-policy"]), ("no-store", "no-referrer"));
            assert!(headers["x-robots-tag"].contains("noindex"));
            assert_eq!(body.matches("https://").count(), 1, "{body}");
            for nothing in ["<script", "<link", "<iframe", " style=", "onclick", "<b>x"] {
                assert!(!body.contains(nothing), "{nothing}: {body}");
            }
            assert!(body.contains("<html lang=\"de\"") && body.contains("Mugs &amp; &lt;Co&gt;"), "{body}");
        }
    }

    #[test]
    fn every_control_has_a_name_and_every_group_a_legend() {
        let (pages, dictionary) = (pages(), dictionary());
        for show in shows() {
            let response = pages.view(&dictionary, None).page(200, show).unwrap();
            let body = response.body();
            assert!(body.contains("<html lang=\"lv\"") && body.contains("<main>") && body.contains("<h1"));
            let boxes = body.split("<input type=\"checkbox\"").skip(1);
            for control in boxes {
                let id = control.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
                assert!(body.contains(&format!("<label for=\"{id}\"")), "{id}");
            }
            assert_eq!(body.matches("<fieldset").count(), body.matches("<legend").count());
            assert_eq!(body.matches("<button").count(), body.matches("</button>").count());
        }
        assert!(STYLE.contains(":focus-visible"));
    }

    #[test]
    fn a_page_is_written_the_way_its_language_is_and_names_keep_their_own() {
        let (pages, dictionary) = (pages(), dictionary());
        for (language, dir) in [("ar-EG", "rtl"), ("he", "rtl"), ("de", "ltr"), ("hy", "ltr")] {
            for show in shows() {
                let response = pages.view(&dictionary, Some(language)).page(200, show).unwrap();
                let body = response.body();
                assert!(body.contains(&format!("dir=\"{dir}\">\n<head>")), "{language}: {body}");
                assert!(body.contains("<h1 dir=\"auto\">"), "{body}");
                let labels = body.split("<label for=\"kind-").skip(1);
                assert!(labels.map(|label| label.split('>').next().unwrap()).all(|tag| tag.contains("dir=\"auto\"")));
            }
        }
        // Nothing in the style takes a side of its own.
        for side in ["-left", "-right", "left:", "right:"] {
            assert!(!STYLE.contains(side), "{side}");
        }
    }

    #[test]
    fn what_is_asked_by_another_mail_is_not_offered_on_the_page() {
        let (pages, dictionary) = (pages(), dictionary());
        let offers = |asked: bool| {
            let choices =
                json!({ "saved": false, "left_all": false, "asked": asked, "channel": false, "categories": [] });
            let response = pages.view(&dictionary, None).page(200, json!({ "choices": choices })).unwrap();
            response.body().contains("value=\"*\"")
        };
        assert!(offers(false) && !offers(true));
    }
}
