//! Pretending what a recipient, or the recipient's mail server, does.

use serde::Deserialize;

use super::Ses;
use super::address::Address;
use super::events::{Bounce, Happening, Reader};
use super::mail::Mail;

/// What is to happen to a mail.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// Somebody opens it.
    Open,
    /// Somebody follows its first link that is not the unsubscribe link.
    Click,
    /// A machine opens it.
    MachineOpen,
    /// A machine follows its first link that is not the unsubscribe link.
    MachineClick,
    /// No such mailbox. The address goes to the suppression list.
    Bounce,
    /// Mailbox full.
    SoftBounce,
    /// Reported as spam. The address goes to the suppression list.
    Complaint,
    /// The other side takes it (again).
    Delivery,
}

/// Why nothing happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InjectError {
    /// The mailbox has no mail of that number.
    #[error("no mail {0}")]
    NoSuchMail(u64),
    /// The mailbox could not be read or written.
    #[error("the mailbox could not be read or written")]
    Mailbox(#[from] rusqlite::Error),
}

impl Ses {
    /// Lets something happen to a mail: it is noted with the mail once, and the
    /// same EventBridge event is handed on `repeat` times, as EventBridge may.
    /// Answers how many events were handed on: none if the mail's
    /// configuration set does not ask for such events.
    ///
    /// # Errors
    /// If there is no such mail, or the mailbox can't be written.
    pub fn inject(&self, mail_no: u64, kind: Kind, repeat: usize) -> Result<usize, InjectError> {
        let now = self.now();
        let envelopes = {
            let mut state = self.state();
            let mail = state.mailbox.mail(mail_no)?.ok_or(InjectError::NoSuchMail(mail_no))?;
            let happenings = happenings(&mail, kind);
            let reason = match kind {
                Kind::Bounce => Some("BOUNCE"),
                Kind::Complaint => Some("COMPLAINT"),
                _ => None,
            };
            if let Some(reason) = reason {
                let real = recipients(&mail).filter(|address| address.simulated().is_none());
                for address in real {
                    state.mailbox.suppress(&address.bare(), reason, now)?;
                }
            }
            self.happen(&mut state, &mail, &happenings, now)?
        };
        let handed_on = envelopes.len() * repeat;
        self.publish(envelopes, repeat);
        Ok(handed_on)
    }
}

fn recipients(mail: &Mail) -> impl Iterator<Item = Address> {
    mail.to.iter().filter_map(|to| Address::parse(to).ok())
}

fn happenings(mail: &Mail, kind: Kind) -> Vec<Happening> {
    let click = |by| Happening::Click { link: first_link(mail.html.as_deref().unwrap_or_default()), by };
    let each = |make: fn(String) -> Happening| recipients(mail).map(|a| make(a.bare())).collect();
    match kind {
        Kind::Open => vec![Happening::Open { by: Reader::Person }],
        Kind::MachineOpen => vec![Happening::Open { by: Reader::Machine }],
        Kind::Click => vec![click(Reader::Person)],
        Kind::MachineClick => vec![click(Reader::Machine)],
        Kind::Bounce => each(|to| Happening::Bounce { to, why: Bounce::NoMailbox }),
        Kind::SoftBounce => each(|to| Happening::Bounce { to, why: Bounce::MailboxFull }),
        Kind::Complaint => each(|to| Happening::Complaint { to }),
        Kind::Delivery => each(|to| Happening::Delivery { to }),
    }
}

/// The first web link of a body that does not lead out of the mailing
/// (`/u/…`); some address if there is none.
fn first_link(html: &str) -> String {
    let links = html.split("href=\"").skip(1);
    let mut links = links.filter_map(|rest| rest.split('"').next());
    let link = links.find(|link| link.starts_with("http") && !link.contains("/u/"));
    let link = link.unwrap_or("https://example.com/");
    link.replace("&amp;", "&").replace("&#x3D;", "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_goes_to_the_first_link_that_is_not_the_way_out() {
        let html = r##"<a href="#top"></a><a href="https://s.example/u/abc">bye</a>
            <a href="https://s.example/p?a=1&amp;b=2">shoes</a>"##;
        assert_eq!(first_link(html), "https://s.example/p?a=1&b=2");
        assert_eq!(first_link("<p>no link</p>"), "https://example.com/");
    }
}
