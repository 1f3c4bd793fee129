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
    /// What is in it, which is there once for all templates that bring it along.
    pub content: Arc<[u8]>,
}

/// A template's attachments with what is in them, of which `known` has what was read before.
///
/// # Errors
/// If the table cannot be read.
pub(crate) async fn enclosed(
    definitions: &Definitions,
    attached: &[Attached],
    known: impl Fn(&str) -> Option<Arc<[u8]>>,
) -> anyhow::Result<Arc<[Enclosed]>> {
    let mut files = Vec::with_capacity(attached.len());
    for Attached { attachment, inline, file } in attached {
        let content = match known(&file.digest) {
            Some(content) => content,
            None => definitions.content(&file.digest).await?.into(),
        };
        files.push(Enclosed {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            content_id: inline.then(|| attachment.clone()),
            content,
        });
    }
    Ok(files.into())
}

/// HTML that needs no mail around it: the pictures that come along are written into it, as far
/// as it has at most so many bytes with them. Those from there on are left as they are, so that
/// what stands for each is shown in its place.
pub(crate) fn standing_alone(html: &str, files: &[Enclosed], most: usize) -> String {
    let mut alone = String::with_capacity(html.len());
    let (mut from, mut length) = (0, html.len());
    for (at, id) in templates::content_ids(html) {
        let shown = files.iter().find(|file| file.content_id.as_deref() == Some(id));
        let Some(Enclosed { media_type, content, .. }) = shown else { continue };
        let address = "cid:".len() + id.len();
        // Before it is encoded: a picture that repeats could come to more than there is room for.
        let encoded = "data:;base64,".len() + media_type.len() + content.len().div_ceil(3) * 4;
        length = length + encoded - address;
        if length > most {
            break;
        }
        alone.push_str(&html[from..at]);
        alone.push_str(&format!("data:{media_type};base64,{}", STANDARD.encode(content)));
        from = at + address;
    }
    alone.push_str(&html[from..]);
    alone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content_id: Option<&str>, content: &[u8]) -> Enclosed {
        Enclosed {
            name: "a.png".into(),
            media_type: "image/png".into(),
            content_id: content_id.map(str::to_owned),
            content: content.into(),
        }
    }

    #[test]
    fn a_page_has_the_pictures_that_come_along_in_itself() {
        let file = |content_id: Option<&str>| file(content_id, &[0, 255]);
        let html = "<img src=\"cid:logo\"><img src='cid:logo2'>cid:logo<p style=\"background:url(cid:logo)\">";
        let alone = standing_alone(html, &[file(None), file(Some("logo"))], 1_000);
        let data = "data:image/png;base64,AP8=";
        let expected = format!("<img src=\"{data}\"><img src='cid:logo2'>cid:logo<p style=\"background:url({data})\">");
        assert_eq!(alone, expected);
        assert_eq!(standing_alone(html, &[], 1_000), html);
    }

    #[test]
    fn a_page_has_as_many_of_its_pictures_in_itself_as_fit() {
        let shown = "<img src=\"cid:a\" alt=\"A\">";
        let files = [file(Some("a"), &[7; 190 * 1024])];
        let (html, most) = (shown.repeat(1_000), 4 * 1024 * 1024);
        let alone = standing_alone(&html, &files, most);
        let written = alone.matches("src=\"data:").count();
        let one = standing_alone(shown, &files, most);
        // To the byte: one more would not fit.
        assert!(alone.len() <= most && alone.len() + one.len() - shown.len() > most, "{}", alone.len());
        assert!(written > 10 && alone == one.repeat(written) + &shown.repeat(1_000 - written), "{written}");
        assert_eq!(standing_alone(shown, &files, one.len()), one);
        assert_eq!(standing_alone(shown, &files, one.len() - 1), shown);
    }
}
