//! The promo codes of a mail: taken last of all, when nothing else keeps it back and its turn
//! has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{Message, PromoGroup, PromoGroupId, PromoPattern};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{Kind, TakenCode};
use templates::{NotRendered, Rendered};

use crate::composer::{Composer, Ready, Stopped, stopped};
use crate::mail::Mail;

/// What the codes of a message are called in its data.
const PROMO_CODES: &str = "promo_codes";

/// What stands for a code that was uploaded, where none is to be taken.
const SAMPLE: &str = "SAMPLE-CODE";

/// The number of the made code that stands where none is to be given.
const SAMPLE_NUMBER: u128 = 314_159_265;

/// A mail but for its promo codes: samples stand for them.
pub struct Draft {
    mail: Mail,
    /// What its codes are to be put into, if it may have any.
    open: Option<Open>,
}

/// What a mail is made of that has promo codes.
pub(crate) struct Open {
    groups: Groups,
    ready: Arc<Ready>,
    data: Value,
}

/// Groups of promo codes by their names, with their ids.
pub(crate) type Groups = BTreeMap<String, (PromoGroupId, PromoGroup)>;

/// A mail with all that is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Finished {
    /// The mail.
    pub mail: Mail,
    /// Whether only a few codes are left of a group of which it has one.
    pub few_codes_left: bool,
}

impl Draft {
    /// A mail as it was rendered with samples of these groups, and what it was made of. A test
    /// keeps them.
    pub(crate) fn new(mail: Mail, message: &Message, groups: Groups, ready: &Arc<Ready>, mut data: Value) -> Self {
        if groups.is_empty() || message.origin.is_test() {
            return Self { mail, open: None };
        }
        data[PROMO_CODES] = json!({});
        Self { mail, open: Some(Open { groups, ready: Arc::clone(ready), data }) }
    }
}

impl Composer {
    /// The mail with its promo codes: those that the message was given before, else some that
    /// are the message's own from now on, of each group from which it really prints one. Or why
    /// there is no mail: a group has none left.
    ///
    /// # Errors
    /// If the tables cannot be read or written to.
    pub async fn finish(
        &self,
        draft: Draft,
        message: &Message,
        now: Timestamp,
    ) -> anyhow::Result<Result<Finished, Stopped>> {
        let Draft { mut mail, open } = draft;
        let mut few_codes_left = false;
        let Some(Open { groups, ready, mut data }) = open else { return Ok(Ok(Finished { mail, few_codes_left })) };
        loop {
            match ready.template.render(&data) {
                Ok(Rendered { subject, html, text, .. }) => {
                    (mail.subject, mail.html, mail.text) = (subject, html, text);
                    return Ok(Ok(Finished { mail, few_codes_left }));
                }
                Err(NotRendered::NoPromoCode { place, group }) => {
                    let taken = match groups.get(&group) {
                        Some((id, known)) => self.promo_code(id, known, message, now).await?,
                        None => None,
                    };
                    let Some(taken) = taken else {
                        return Ok(Err(stopped(NotRendered::NoPromoCode { place, group })));
                    };
                    few_codes_left |= taken.few_left;
                    data[PROMO_CODES][&group] = json!(taken.code);
                }
                Err(other) => return Ok(Err(stopped(other))),
            }
        }
    }

    /// The message's code of a group; none, if there is none left.
    async fn promo_code(
        &self,
        id: &PromoGroupId,
        group: &PromoGroup,
        message: &Message,
        now: Timestamp,
    ) -> anyhow::Result<Option<TakenCode>> {
        let Some(pattern) = &group.pattern else {
            return self.definitions.take_uploaded_code(id, &message.id, now).await;
        };
        let secret = self.secret(now).await?;
        let made = |attempt| made(&secret, pattern, id, message, attempt);
        let code = self.definitions.give_made_code(id, &message.id, made, now).await?;
        Ok(code.map(|code| TakenCode { code, few_left: false }))
    }

    /// Adds the codes that a message was given to what its template is filled with, also those of
    /// groups that are gone.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) async fn add_given_codes(
        &self,
        message: &Message,
        groups: &BTreeSet<String>,
        data: &mut Map<String, Value>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let (mut codes, secret) = (Map::new(), self.secret(now).await?);
        for name in groups {
            let Ok(id) = PromoGroupId::parse(name) else { continue };
            let made = |pattern: &PromoPattern, attempt| made(&secret, pattern, &id, message, attempt);
            let code = self.definitions.given_code_of(&id, &message.id, made).await?;
            codes.extend(code.map(|code| (name.clone(), json!(code))));
        }
        data.insert(PROMO_CODES.to_owned(), codes.into());
        Ok(())
    }

    /// Adds a sample of each group to what a template is filled with, and takes none. With
    /// `if_free` none of a group in which nothing is free. The groups that there are.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) async fn add_sample_codes(
        &self,
        groups: &BTreeSet<String>,
        if_free: bool,
        data: &mut Map<String, Value>,
    ) -> anyhow::Result<Groups> {
        let (mut known, mut codes) = (Groups::new(), Map::new());
        for name in groups {
            let Some((id, group)) = self.promo_group(name).await? else { continue };
            let sample = match &group.pattern {
                Some(pattern) => Some(pattern.code(SAMPLE_NUMBER)),
                None if if_free && !self.definitions.has_free_code(&id).await? => None,
                None => Some(SAMPLE.to_owned()),
            };
            codes.extend(sample.map(|sample| (name.clone(), json!(sample))));
            known.insert(name.clone(), (id, group));
        }
        data.insert(PROMO_CODES.to_owned(), codes.into());
        Ok(known)
    }

    async fn promo_group(&self, name: &str) -> anyhow::Result<Option<(PromoGroupId, PromoGroup)>> {
        let Ok(id) = PromoGroupId::parse(name) else { return Ok(None) };
        let known = self.definitions.get::<PromoGroup>(Kind::PromoGroup, id.as_str()).await?;
        Ok(known.map(|known| (id, known.value)))
    }
}

/// The code that a pattern makes for a message at an attempt.
fn made(secret: &str, pattern: &PromoPattern, id: &PromoGroupId, message: &Message, attempt: u32) -> String {
    pattern.code(contracts::promo::number(secret, id, &message.id, attempt))
}
