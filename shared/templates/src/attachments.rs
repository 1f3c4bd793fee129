//! What comes along with a mail: files, and pictures that it shows.

use serde::{Deserialize, Serialize};

/// The most bytes of an attachment: encoded, it goes into one request with what is said of it.
pub const ATTACHMENT_LIMIT: usize = 190 * 1024;

/// The most bytes that the attachments of a template may be together. Each mail is handed to SES
/// with a copy of its own, and a sender has several of them in hand at a time.
pub const ATTACHMENTS_LIMIT: usize = 1024 * 1024;

/// The most attachments of a template.
pub const MOST_ATTACHMENTS: usize = 10;

/// A file that mails may bring along, as it is defined. What is in it is kept apart from this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The file's name, as recipients see it.
    pub name: String,
    /// The media type: `application/pdf`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// How many bytes are in it.
    pub size: usize,
    /// The name under which these are kept, made of themselves: other ones have another.
    pub digest: String,
}

/// An attachment of a template, as it was when the template was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Its code, which is its content id as well.
    pub attachment: String,
    /// Whether it is a picture that the mail shows (`<img src="cid:CODE">`), and no file beside it.
    pub inline: bool,
    /// The file.
    #[serde(flatten)]
    pub file: Attachment,
}

impl Attached {
    /// One that was only named yet.
    #[must_use]
    pub fn named(attachment: String, inline: bool) -> Self {
        Self { attachment, inline, file: Attachment::default() }
    }
}

/// The content ids of what HTML shows, each with the offset of its address: `src="cid:logo"`,
/// `url(cid:logo)`.
pub fn content_ids(html: &str) -> impl Iterator<Item = (usize, &str)> {
    html.match_indices("cid:").filter_map(|(at, scheme)| {
        let before = html[..at].strip_suffix(['"', '\'']).unwrap_or(&html[..at]).trim_end();
        let rest = &html[at + scheme.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_.-".contains(c)).unwrap_or(rest.len());
        (before.ends_with('=') || before.ends_with("url(")).then(|| (at, &rest[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Source, Template};

    #[test]
    fn what_html_shows_is_found_where_it_is_an_address_and_nowhere_else() {
        let html = "<img src=\"cid:logo\"><img src = 'cid:a.b-c_1'><img src=cid:d><p style=\"x:url(cid:e)\">\
                    acid: none, (cid: neither)</p><img src=\"cid:{{x}}\">";
        let found: Vec<&str> = content_ids(html).map(|(_, id)| id).collect();
        assert_eq!(found, ["logo", "a.b-c_1", "d", "e", ""]);
        assert!(content_ids(html).all(|(at, _)| html[at..].starts_with("cid:")));
    }

    #[test]
    fn a_mail_shows_what_comes_along_to_be_shown_and_all_of_that() {
        let mut source = Source::from(Content::of("s", "<p>x</p>\n <img src=\"cid:logo\" alt=\"Logo\">"));
        let problems = |source: &Source| -> Vec<String> {
            let problems = Template::compile(source).err().unwrap_or_default();
            problems.iter().map(ToString::to_string).collect()
        };
        let missing = ["html, line 2, column 12: there is no inline attachment \"logo\""];
        assert_eq!(problems(&source), missing);
        source.attachments.push(Attached::named("logo".into(), false));
        assert_eq!(problems(&source), missing, "a file beside the mail is none that it shows");
        source.attachments[0].inline = true;
        assert!(Template::compile(&source).unwrap().warnings().is_empty());
        source.attachments.push(Attached::named("map".into(), true));
        let warnings: Vec<String> =
            Template::compile(&source).unwrap().warnings().iter().map(ToString::to_string).collect();
        assert!(
            warnings.len() == 1 && warnings[0].contains("does not show the inline attachment \"map\""),
            "{warnings:?}"
        );
        source.translations.insert("lv".into(), Content::of("s", "<p style=\"background:url(cid:map)\">x</p>"));
        assert!(Template::compile(&source).unwrap().warnings().is_empty());
        let mjml = "<mjml><mj-body><mj-section><mj-column>\n<mj-image src=\"cid:none\"/></mj-column></mj-section></mj-body></mjml>";
        source.content = Content { subject: "s".into(), mjml: Some(mjml.into()), ..Content::default() };
        assert!(problems(&source)[0].contains("there is no inline attachment \"none\""), "{:?}", problems(&source));
    }
}
