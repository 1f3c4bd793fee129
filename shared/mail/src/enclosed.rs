//! What goes along with a mail.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use store::Definitions;
use templates::Attached;

/// A file that goes along with a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// What the HTML calls it, of a picture that the mail shows.
    pub content_id: Option<String>,
    /// What is in it.
    pub content: Vec<u8>,
}

/// A template's attachments with what is in them.
///
/// # Errors
/// If the table cannot be read.
pub(crate) async fn enclosed(definitions: &Definitions, attached: &[Attached]) -> anyhow::Result<Arc<[Enclosed]>> {
    let mut files = Vec::with_capacity(attached.len());
    for Attached { attachment, inline, file } in attached {
        files.push(Enclosed {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            content_id: inline.then(|| attachment.clone()),
            content: definitions.content(&file.digest).await?,
        });
    }
    Ok(files.into())
}

/// HTML that needs no mail around it: the pictures that come along are written into it.
pub(crate) fn standing_alone(html: &str, files: &[Enclosed]) -> String {
    let mut alone = String::with_capacity(html.len());
    let mut from = 0;
    for (at, id) in templates::content_ids(html) {
        let shown = files.iter().find(|file| file.content_id.as_deref() == Some(id));
        let Some(Enclosed { media_type, content, .. }) = shown else { continue };
        alone.push_str(&html[from..at]);
        alone.push_str(&format!("data:{media_type};base64,{}", STANDARD.encode(content)));
        from = at + "cid:".len() + id.len();
    }
    alone.push_str(&html[from..]);
    alone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_pictures_that_come_along_in_itself() {
        let file = |content_id: Option<&str>| Enclosed {
            name: "a.png".into(),
            media_type: "image/png".into(),
            content_id: content_id.map(str::to_owned),
            content: vec![0, 255],
        };
        let html = "<img src=\"cid:logo\"><img src='cid:logo2'>cid:logo<p style=\"background:url(cid:logo)\">";
        let alone = standing_alone(html, &[file(None), file(Some("logo"))]);
        let data = "data:image/png;base64,AP8=";
        let expected = format!("<img src=\"{data}\"><img src='cid:logo2'>cid:logo<p style=\"background:url({data})\">");
        assert_eq!(alone, expected);
        assert_eq!(standing_alone(html, &[]), html);
    }
}
