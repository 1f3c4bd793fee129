//! `SendEmail`: take a mail, keep it, and let happen to it what would.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

use super::address::{Address, Simulated};
use super::error::Refusal;
use super::events::{Bounce, Happening, new_id};
use super::mail::{self, Event, Mail};
use super::mailbox::Mailbox;
use super::outgoing::{Content, Outgoing, Parts};
use super::{Account, Ses, State};

/// The harmless text that every virus scanner takes for a virus.
const EICAR: &[u8] = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE";

impl Ses {
    /// Takes a mail and answers its id. It is in the mailbox, with what
    /// happened to it, before this returns.
    pub(super) fn send(&self, outgoing: &Outgoing) -> Result<String, Refusal> {
        let now = self.now();
        let envelopes;
        let id;
        {
            let mut state = self.state();
            self.check(outgoing, &state.account)?;
            let all = outgoing.recipients().count() as u64;
            let simulated = outgoing.recipients().filter(|a| a.simulated().is_some());
            let counted = all - simulated.count() as u64;
            state.account.take(all, counted, now)?;

            let n = state.newest + 1;
            let (mail, message) = kept(n, outgoing, now);
            state.mailbox.add(&mail, counted, message.as_deref())?;
            state.newest = n;
            let happenings = happenings(outgoing, &state.mailbox)?;
            envelopes = self.happen(&mut state, &mail, &happenings, now)?;
            id = mail.ses_message_id;
        }
        self.publish(envelopes, 1);
        Ok(id)
    }

    fn check(&self, outgoing: &Outgoing, account: &Account) -> Result<(), Refusal> {
        if let Some(set) = &outgoing.configuration_set
            && !self.sets().contains_key(set)
        {
            return Err(Refusal::NotFound(format!("Configuration set <{set}> does not exist.")));
        }
        if account.suspended {
            return Err(Refusal::AccountSuspended);
        }
        if account.paused {
            return Err(Refusal::SendingPaused("Email sending is disabled for this account.".to_owned()));
        }
        if let Some(set) = outgoing.configuration_set.as_ref().filter(|set| account.paused_sets.contains(*set)) {
            return Err(Refusal::SendingPaused(format!("Sending is paused for configuration set <{set}>.")));
        }
        let sender = std::iter::once(&outgoing.from).filter(|from| !account.is_verified(from));
        let in_sandbox = |to: &&Address| account.sandbox && to.simulated().is_none() && !account.is_verified(to);
        let unverified: Vec<String> =
            sender.chain(outgoing.recipients().filter(in_sandbox)).map(Address::to_string).collect();
        if !unverified.is_empty() {
            return Err(Refusal::MessageRejected(format!(
                "Email address is not verified. The following identities failed the check in \
                 region {}: {}",
                self.sender().region.to_uppercase(),
                unverified.join(", ")
            )));
        }
        if account.mail_from_failed {
            return Err(Refusal::MailFromNotVerified);
        }
        Ok(())
    }

    /// Notes what happened to a mail; gives the EventBridge events of it that
    /// the mail's configuration set asks for.
    pub(super) fn happen(
        &self,
        state: &mut State,
        mail: &Mail,
        happenings: &[Happening],
        now: Timestamp,
    ) -> rusqlite::Result<Vec<Value>> {
        state.changes += 1;
        let set = mail.configuration_set.as_deref();
        let asked = set.and_then(|set| Some((set, self.sets().get(set)?)));
        let mut envelopes = Vec::new();
        for happening in happenings {
            let kind = happening.event_type();
            let asked = asked.filter(|(_, kinds)| kinds.contains(&kind));
            let event = Event {
                event_type: kind.name().to_owned(),
                time: now,
                published: asked.is_some(),
                detail: happening.detail(mail, now),
            };
            state.mailbox.add_event(mail.n, &event)?;
            envelopes.extend(asked.map(|(set, _)| self.sender().envelope(mail, set, kind, &event)));
        }
        Ok(envelopes)
    }
}

/// The mail as the mailbox keeps it, and its message if that can't be made
/// again of what is kept.
fn kept(n: u64, outgoing: &Outgoing, now: Timestamp) -> (Mail, Option<Vec<u8>>) {
    let id = new_id(now);
    let mut headers = vec![
        ("Date".to_owned(), rfc2822::to_string(&now.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()),
        ("Message-ID".to_owned(), format!("<{id}@email.amazonses.com>")),
    ];
    let (subject, html, text, message);
    match &outgoing.content {
        Content::Parts(parts) => {
            let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
            add("From", outgoing.from.to_string());
            for (name, addresses) in [("To", &outgoing.to), ("Cc", &outgoing.cc), ("Reply-To", &outgoing.reply_to)] {
                if !addresses.is_empty() {
                    add(name, list(addresses));
                }
            }
            add("Subject", parts.subject.clone());
            add("MIME-Version", "1.0".to_owned());
            headers.extend_from_slice(&parts.headers);
            message = (!parts.attachments.is_empty()).then(|| mail::message(&id, &headers, parts));
            (subject, html, text) = (&parts.subject, &parts.html, &parts.text);
        }
        Content::Raw(raw) => {
            let mut bytes = Vec::with_capacity(raw.bytes.len() + 200);
            for (name, value) in &headers {
                bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            bytes.extend_from_slice(&raw.bytes);
            message = Some(bytes);
            headers.extend_from_slice(&raw.headers);
            (subject, html, text) = (&raw.subject, &raw.html, &raw.text);
        }
    }
    let mail = Mail {
        n,
        ses_message_id: id,
        time: now,
        from: outgoing.from.to_string(),
        to: outgoing.recipients().map(Address::bare).collect(),
        subject: subject.clone(),
        html: html.clone(),
        text: text.clone(),
        headers,
        tags: outgoing.tags.clone(),
        configuration_set: outgoing.configuration_set.clone(),
        events: Vec::new(),
    };
    (mail, message)
}

/// The message of a kept mail that came in parts without attachments.
pub(super) fn made_again(mail: Mail) -> Vec<u8> {
    let parts = Parts { html: mail.html, text: mail.text, ..Parts::default() };
    mail::message(&mail.ses_message_id, &mail.headers, &parts)
}

fn list(addresses: &[Address]) -> String {
    let written: Vec<String> = addresses.iter().map(Address::to_string).collect();
    written.join(", ")
}

fn happenings(outgoing: &Outgoing, mailbox: &Mailbox) -> rusqlite::Result<Vec<Happening>> {
    let mut happenings = vec![Happening::Send];
    if has_virus(&outgoing.content) {
        happenings.push(Happening::Reject);
        return Ok(happenings);
    }
    for address in outgoing.recipients() {
        let to = address.bare();
        let delivery = Happening::Delivery { to: to.clone() };
        let bounce = |why| Happening::Bounce { to: to.clone(), why };
        match address.simulated() {
            None if mailbox.suppressed(&to)?.is_some() => {
                happenings.push(bounce(Bounce::OnAccountSuppressionList));
            }
            None | Some(Simulated::Success) => happenings.push(delivery),
            Some(Simulated::Bounce) => happenings.push(bounce(Bounce::NoMailbox)),
            Some(Simulated::Suppressed) => happenings.push(bounce(Bounce::Suppressed)),
            Some(Simulated::OutOfOffice) => {
                happenings.extend([delivery, bounce(Bounce::OutOfOffice)]);
            }
            Some(Simulated::Complaint) => {
                happenings.extend([delivery, Happening::Complaint { to }]);
            }
        }
    }
    Ok(happenings)
}

fn has_virus(content: &Content) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(EICAR.len()).any(|window| window == EICAR);
    match content {
        Content::Parts(parts) => parts.attachments.iter().any(|a| holds(&a.raw_content)),
        Content::Raw(raw) => holds(&raw.bytes),
    }
}
