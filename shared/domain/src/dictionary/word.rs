use std::collections::BTreeMap;
use std::fmt;

use jiff::SignedDuration;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::system;
use super::{FieldDefinition, FieldType};
use crate::message::Cap;
use crate::{Code, Currency, EventKind, StatusSet};

/// A status that orders of the shop may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStatus {
    /// In which of the three sets.
    pub set: StatusSet,
    /// Its code, by which other systems know it.
    pub code: Code,
    /// What people call it.
    pub name: String,
    /// Whether orders that have it count in metrics and segments.
    pub in_analytics: bool,
}

/// A kind of event that the shop tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventType {
    /// The event's name as it comes in.
    pub code: Code,
    /// What people call it.
    pub name: String,
    /// On a site or app, or elsewhere.
    pub kind: EventKind,
    /// What its context brings, for who writes conditions and templates. Events
    /// are not held to it.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldType>,
}

/// Which system's webhooks a source takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookKind {
    /// Shopify.
    Shopify,
    /// WooCommerce.
    Woocommerce,
}

impl WebhookKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Shopify, Self::Woocommerce];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
            Self::Woocommerce => "woocommerce",
        }
    }
}

/// What signs the webhooks of a source. It is kept and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for whoever checks a signature with it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How a source's webhooks are known to be its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Whose webhooks they are.
    pub kind: WebhookKind,
    /// What signs them.
    pub secret: Secret,
}

/// One of the shop's sites, apps or systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its code.
    pub code: Code,
    /// What people call it.
    pub name: String,
    /// Where it is found, such as `shop.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Whether it is in use.
    pub active: bool,
    /// The webhooks that it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// A list of products that each customer has: the cart, a wishlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its code.
    pub code: Code,
    /// What people call it.
    pub name: String,
    /// After how long without a change it counts as abandoned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_after: Option<SignedDuration>,
    /// How long after the last change it is emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<SignedDuration>,
}

/// A list of customers that is kept by hand or from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Its code.
    pub code: Code,
    /// What people call it.
    pub name: String,
}

/// A kind of message that customers may refuse, whatever else they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailingCategory {
    /// Its code; without a dot, which paths are made of.
    pub code: Code,
    /// What customers read, unless it has a name in their language.
    pub name: String,
    /// Its name in other languages, by language tag (BCP 47) in small letters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// What it is about, as customers read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether customers see it on their page. One that they do not see they cannot leave.
    pub visible: bool,
    /// Whether who never said anything of it gets its messages.
    pub default: bool,
    /// Whether it is in use. What is of one that is not is not sent.
    pub active: bool,
}

impl MailingCategory {
    /// Its name for whoever reads this language, or the nearest that it has.
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        let tag = language.to_lowercase();
        let main = tag.split('-').next().unwrap_or_default();
        self.names.get(&tag).or_else(|| self.names.get(main)).unwrap_or(&self.name)
    }
}

/// What holds for the shop as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The company's name, as customers read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The shop's time zone by its name, such as `Europe/Riga`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The currency of amounts for which Segment's clients name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Language tags (BCP 47), the main one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Where the shop is, by its two-letter code (ISO 3166-1), as templates see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The logo that customers see on their pages: an `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// When no marketing goes out, by each customer's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// How many marketing messages a customer may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<ShopCap>,
    /// After how many mails that came back for now, with none that got through between, an
    /// address is not written to any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_bounces: Option<u32>,
}

impl Settings {
    /// [`Self::soft_bounces`], unless the shop says otherwise.
    pub const SOFT_BOUNCES: u32 = 5;

    /// The most that it may say.
    pub const MOST_SOFT_BOUNCES: u32 = 20;
}

/// A part of each day, by the clock on somebody's wall; none of it, if the two are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// The first moment of it.
    pub from: Time,
    /// The first moment after it; the next day's, if that is earlier.
    pub to: Time,
}

impl QuietHours {
    /// Whether a clock that shows this time is in it.
    #[must_use]
    pub fn covers(self, shown: Time) -> bool {
        let Self { from, to } = self;
        if from <= to { (from..to).contains(&shown) } else { shown >= from || shown < to }
    }
}

/// At most so many marketing messages to one customer, whoever decided on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopCap {
    /// How many, in how long.
    pub cap: Cap,
    /// Of this mailing category; of all, if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Code>,
}

/// The kinds of word that a shop defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordKind {
    /// [`FieldDefinition`]; its code is `OBJECT.NAME`.
    Field,
    /// [`OrderStatus`]; its code is `SET.CODE`.
    Status,
    /// [`EventType`]
    EventType,
    /// [`Source`]
    Source,
    /// [`Container`]
    Container,
    /// [`Audience`]
    Audience,
    /// [`MailingCategory`]
    MailingCategory,
    /// [`Settings`]; there is one, whose code is `shop`.
    Settings,
}

impl WordKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Field,
        Self::Status,
        Self::EventType,
        Self::Source,
        Self::Container,
        Self::Audience,
        Self::MailingCategory,
        Self::Settings,
    ];

    /// Its name, as ids begin with it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Status => "status",
            Self::EventType => "event-type",
            Self::Source => "source",
            Self::Container => "container",
            Self::Audience => "audience",
            Self::MailingCategory => "mailing-category",
            Self::Settings => "settings",
        }
    }

    /// The id of the word of this kind with this code, such as
    /// `field#customer.tier`: no two words have the same.
    #[must_use]
    pub fn id(self, code: &str) -> String {
        format!("{}#{code}", self.as_str())
    }

    /// Kind and code of the word with this id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<(Self, &str)> {
        let (name, code) = id.split_once('#')?;
        Some((Self::ALL.into_iter().find(|kind| kind.as_str() == name)?, code))
    }
}

/// A word of the shop's dictionary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum Word {
    /// A field.
    Field(FieldDefinition),
    /// A status of orders.
    Status(OrderStatus),
    /// A kind of event.
    EventType(EventType),
    /// A site, app or system.
    Source(Source),
    /// A list of products.
    Container(Container),
    /// A list of customers.
    Audience(Audience),
    /// A kind of message.
    MailingCategory(MailingCategory),
    /// What holds for the whole shop.
    Settings(Settings),
}

impl Word {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> WordKind {
        match self {
            Self::Field(_) => WordKind::Field,
            Self::Status(_) => WordKind::Status,
            Self::EventType(_) => WordKind::EventType,
            Self::Source(_) => WordKind::Source,
            Self::Container(_) => WordKind::Container,
            Self::Audience(_) => WordKind::Audience,
            Self::MailingCategory(_) => WordKind::MailingCategory,
            Self::Settings(_) => WordKind::Settings,
        }
    }

    /// Its code, by which the API names it among those of its kind.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Field(field) => format!("{}.{}", field.object.as_str(), field.name),
            Self::Status(status) => format!("{}.{}", status.set, status.code),
            Self::EventType(EventType { code, .. })
            | Self::Source(Source { code, .. })
            | Self::Container(Container { code, .. })
            | Self::Audience(Audience { code, .. })
            | Self::MailingCategory(MailingCategory { code, .. }) => code.to_string(),
            Self::Settings(_) => system::SHOP.to_owned(),
        }
    }

    /// Its id, which no other word has.
    #[must_use]
    pub fn id(&self) -> String {
        self.kind().id(&self.code())
    }

    /// Whether it is one of those that are always there. What people call it may
    /// be changed.
    #[must_use]
    pub fn is_system(&self) -> bool {
        system::is_system(self.kind(), &self.code())
    }
}
