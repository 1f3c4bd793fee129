//! Files that mails bring along, and pictures that they show.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::read::{self, Faults, Reader};
use domain::{Code, Fault};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Edit, Kind as Defined, Versioned};
use templates::{ATTACHMENT_LIMIT, ATTACHMENTS_LIMIT, Attached, Attachment, MOST_ATTACHMENTS, Source};

use crate::templates::{edits_of, show_made};
use crate::usage::refuse_if_used;
use crate::{Manage, not_found};

/// The longest name of a file, in characters: SES takes 255 bytes.
const LONGEST_NAME: usize = 60;

/// The longest media type and content id that SES takes, in characters.
const LONGEST_WORD: usize = 78;

/// How the names end of files that SES does not send: what they hold may run.
const REFUSED: &str = "ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its \
    js jse ksh lib lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml \
    msh1xml msh2xml msi msp mst ops pcd pif plg prf prg reg scf scr sct shb shs sys ps1 ps1xml ps2 ps2xml psc1 psc2 \
    tmp url vb vbe vbs vps vsmacros vss vst vsw vxd ws wsc wsf wsh xnk";

impl Manage {
    /// Saves a file, and makes another version of each template that brings it along.
    pub(crate) async fn put_attachment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let (file, content) = read_attachment(&request.json()?)?;
        let mut made = BTreeMap::new();
        loop {
            let revision = self.definitions.revision().await?;
            let templates = edits_of(&touched(self.all_templates().await?, &code, &file)?, "")?;
            // First: whoever sees it defined finds what is in it.
            self.definitions.put_content(&file.digest, content.clone()).await?;
            let edit = Edit::save(Defined::Attachment, code.as_str(), &file)?;
            if let Some(version) = self.edit_with(request, edit, templates, revision, &mut made).await? {
                let mut shown = show(&code, &file, version);
                shown["templates"] = show_made(made);
                return Ok(Response::json(200, &shown));
            }
        }
    }

    pub(crate) async fn get_attachment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let Some(known) = self.attachment(code.as_str()).await? else { return Err(not_found("attachment").into()) };
        let mut shown = show(&code, &known.value, known.version);
        shown["content"] = json!(STANDARD.encode(self.definitions.content(&known.value.digest).await?));
        Ok(Response::json(200, &shown))
    }

    /// Deletes an attachment that no template brings along. What is in it stays, for the
    /// templates' former versions.
    pub(crate) async fn delete_attachment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        loop {
            let revision = self.definitions.revision().await?;
            if self.attachment(code.as_str()).await?.is_none() {
                return Err(not_found("attachment").into());
            }
            let templates = self.all_templates().await?;
            let by = templates.iter().filter(|(_, template)| brings(&template.value, &code));
            refuse_if_used(&by.map(|(id, _)| format!("template {id:?}")).collect::<Vec<_>>())?;
            let edit = Edit::delete(Defined::Attachment, code.as_str());
            if self.edit_all(request, &[edit], revision).await?.is_some() {
                return Ok(Response::empty());
            }
        }
    }

    /// A template with the files that it names, as they stand; or what is wrong with them.
    pub(crate) async fn with_attachments(&self, mut source: Source) -> anyhow::Result<Result<Source, Faults>> {
        let mut faults = Faults::new();
        for (index, attached) in source.attachments.iter_mut().enumerate() {
            match self.attachment(&attached.attachment).await? {
                Some(known) => attached.file = known.value,
                None => {
                    let detail = format!("names the attachment {:?}, which is not defined", attached.attachment);
                    faults.push(Fault::new(format!("/attachments/{index}/attachment"), detail));
                }
            }
        }
        if faults.is_empty() {
            faults = unfit(&source.attachments);
        }
        Ok(if faults.is_empty() { Ok(source) } else { Err(faults) })
    }

    async fn attachment(&self, code: &str) -> anyhow::Result<Option<Versioned<Attachment>>> {
        self.definitions.get(Defined::Attachment, code).await
    }

    async fn all_templates(&self) -> anyhow::Result<Vec<(String, Versioned<Source>)>> {
        self.definitions.list_by_id(Defined::Template).await
    }
}

fn brings(template: &Source, code: &Code) -> bool {
    template.attachments.iter().any(|attached| attached.attachment == code.as_str())
}

/// The templates that a file makes other ones of, each as it is with it.
///
/// # Errors
/// Why one of them cannot bring it along any more.
fn touched(
    templates: Vec<(String, Versioned<Source>)>,
    code: &Code,
    file: &Attachment,
) -> Result<Vec<(String, Source)>, Faults> {
    let mut faults = Faults::new();
    let mut touched = Vec::new();
    for (id, Versioned { value: mut template, .. }) in templates {
        let mut is_other = false;
        for attached in template.attachments.iter_mut().filter(|attached| attached.attachment == code.as_str()) {
            is_other |= attached.file != *file;
            attached.file = file.clone();
        }
        if is_other {
            let within = |fault: Fault| Fault::new("", format!("in the template {id:?}: {}", fault.detail));
            faults.extend(unfit(&template.attachments).into_iter().map(within));
            touched.push((id, template));
        }
    }
    if faults.is_empty() { Ok(touched) } else { Err(faults) }
}

/// What keeps files from going along with one mail.
fn unfit(attached: &[Attached]) -> Faults {
    let mut faults = Faults::new();
    for (index, Attached { attachment, file, .. }) in attached.iter().enumerate().filter(|(_, it)| it.inline) {
        let mut fault = |detail: String| faults.push(Fault::new(format!("/attachments/{index}/inline"), detail));
        if !file.media_type.starts_with("image/") {
            fault(format!("{attachment:?} is {}; a mail shows pictures alone", file.media_type));
        }
        if attachment.len() > LONGEST_WORD {
            fault(format!("{attachment:?} is longer than {LONGEST_WORD} characters, and cannot be a content id"));
        }
    }
    let size: usize = attached.iter().map(|attached| attached.file.size).sum();
    if size > ATTACHMENTS_LIMIT {
        let detail = format!("come to {size} bytes together; at most {ATTACHMENTS_LIMIT} are allowed");
        faults.push(Fault::new("/attachments", detail));
    }
    faults
}

/// What a template says that it brings along, each still without its file.
pub(crate) fn read_attached(reader: &mut Reader<'_>) -> Vec<Attached> {
    let attached = reader.list("attachments", MOST_ATTACHMENTS, |mut item| {
        let code = item.required("attachment", read::parsed(Code::parse));
        let inline = item.optional("inline", |value| value.as_bool().ok_or("must be true or false"));
        item.finish()?;
        Ok(code.map(|code| Attached::named(code.into(), inline.unwrap_or_default())))
    });
    let attached: Vec<Attached> = attached.into_iter().flatten().collect();
    let mut seen = BTreeSet::new();
    for Attached { attachment, .. } in &attached {
        if !seen.insert(attachment.as_str()) {
            reader.fault("attachments", format!("{attachment:?} is there twice"));
        }
    }
    attached
}

/// A file, and what is in it.
pub(crate) fn read_attachment(body: &Value) -> Result<(Attachment, Vec<u8>), Faults> {
    let mut reader = Reader::new(body);
    let name = reader.required("name", read::parsed(read_name));
    let media_type = reader.required("type", read::parsed(read_type));
    let content = reader.required("content", read::parsed(read_content));
    reader.finish()?;
    let content = content.unwrap_or_default();
    let file = Attachment {
        name: name.unwrap_or_default(),
        media_type: media_type.unwrap_or_default(),
        size: content.len(),
        digest: domain::digest(&["content", &STANDARD.encode(&content)]),
    };
    Ok((file, content))
}

/// A file's name: one that every system takes, and of a kind that SES sends.
fn read_name(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    if text.trim() != text || text.chars().count() > LONGEST_NAME || text.contains(odd) {
        return Err(format!(
            "must be at most {LONGEST_NAME} characters long, without / \\ : * ? \" < > |, control characters, and \
             blanks at its ends"
        ));
    }
    let ending = text.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, ending)| ending);
    if !matches!(ending.len(), 1..=10) || !ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("must end with what kind of file it is, such as \".pdf\"".to_owned());
    }
    if REFUSED.split_whitespace().any(|refused| ending.eq_ignore_ascii_case(refused)) {
        return Err(format!("ends with \".{ending}\", and SES sends no such files"));
    }
    Ok(text.to_owned())
}

/// A media type, without parameters.
fn read_type(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&^_.+-".contains(&byte);
    let word = |word: &str| !word.is_empty() && word.bytes().all(plain);
    match text.split_once('/') {
        // These two would be mails within the mail.
        Some((kind, subtype)) if word(kind) && word(subtype) && !["multipart", "message"].contains(&kind) => {
            if text.len() <= LONGEST_WORD { Ok(text.to_owned()) } else { Err("must be at most 78 characters long") }
        }
        _ => Err("must be a media type in small letters, such as \"application/pdf\""),
    }
}

fn read_content(text: &str) -> Result<Vec<u8>, String> {
    let content = STANDARD.decode(text).map_err(|_| "must be base64, with its padding".to_owned())?;
    match content.len() {
        0 => Err("is empty".to_owned()),
        1..=ATTACHMENT_LIMIT => Ok(content),
        length => Err(format!("holds {length} bytes; at most {ATTACHMENT_LIMIT} are allowed")),
    }
}

fn show(code: &Code, file: &Attachment, version: u64) -> Value {
    let mut shown = json!(file);
    shown["code"] = json!(code);
    shown["version"] = json!(version);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(patch: Value) -> Vec<String> {
        let mut body = json!({ "name": "terms.pdf", "type": "application/pdf", "content": "JVBERi0=" });
        body.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let faults = read_attachment(&body).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_file_has_a_name_that_may_be_sent_a_type_and_content() {
        for name in ["Terms & conditions 2026.pdf", "Noteikumi ā.PDF", "a.b.7z", ".x.pdf"] {
            assert_eq!(refused(json!({ "name": name })), Vec::<String>::new(), "{name}");
        }
        for name in ["terms", ".pdf", "a.", "a.pdf ", "a/b.pdf", "a\r\nBcc: x.pdf", "a\".pdf", "a.exe", "a.pdf.JS", ""]
        {
            assert_eq!(refused(json!({ "name": name })), ["/name"], "{name}");
        }
        assert_eq!(refused(json!({ "name": format!("{}.pdf", "x".repeat(LONGEST_NAME)) })), ["/name"]);
        for media_type in
            ["pdf", "application/", "Image/PNG", "text/plain; charset=x", "multipart/mixed", "a/b\r\nc: d"]
        {
            assert_eq!(refused(json!({ "type": media_type })), ["/type"], "{media_type}");
        }
        for content in ["", "%PDF", "JVBERi0", "JVBE Ri0="] {
            assert_eq!(refused(json!({ "content": content })), ["/content"], "{content}");
        }
        let of = |size: usize| refused(json!({ "content": STANDARD.encode(vec![7; size]) }));
        assert_eq!((of(ATTACHMENT_LIMIT).len(), of(ATTACHMENT_LIMIT + 1).len()), (0, 1));
    }

    #[test]
    fn what_goes_along_with_one_mail_has_a_limit_and_what_it_shows_is_a_picture() {
        let attached = |inline: bool, media_type: &str, size: usize| Attached {
            file: Attachment { media_type: media_type.into(), size, ..Attachment::default() },
            ..Attached::named("a".into(), inline)
        };
        let places =
            |attached: &[Attached]| -> Vec<String> { unfit(attached).into_iter().map(|fault| fault.pointer).collect() };
        assert_eq!(places(&[attached(true, "image/png", 5), attached(false, "text/csv", 5)]), Vec::<String>::new());
        assert_eq!(
            places(&[attached(false, "image/png", 5), attached(true, "text/csv", 5)]),
            ["/attachments/1/inline"]
        );
        let half = ATTACHMENTS_LIMIT / 2;
        assert!(places(&[attached(false, "a/b", half), attached(false, "a/b", half)]).is_empty());
        assert_eq!(places(&[attached(false, "a/b", half), attached(false, "a/b", half + 1)]), ["/attachments"]);
        let long = Attached { attachment: "x".repeat(79), ..attached(true, "image/png", 5) };
        assert_eq!(places(&[long]), ["/attachments/0/inline"]);
    }
}
