//! Scans of customers, over the queue.

use std::fmt;

use serde::{Deserialize, Serialize};

/// On the backfill queue: go on with one part of a scan, from where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanWork {
    /// Which scan.
    pub scan: ScanName,
    /// Which part of it, from 0.
    pub part: u32,
    /// The version of the part to go on from; a later one means that there is another message
    /// for it, or was. None takes over from whoever is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// What a scan is for, and which of its kind it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScanName {
    /// The survey of this id.
    Survey(String),
    /// The segments that are built under this number.
    Segments(u64),
    /// The copy of a segment with this id.
    Copy(String),
}

impl ScanName {
    /// The name by which it is kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('#')? {
            ("survey", id) => Some(Self::Survey(id.to_owned())),
            ("copy", id) => Some(Self::Copy(id.to_owned())),
            ("segments", number) => number.parse().ok().map(Self::Segments),
            _ => None,
        }
    }
}

impl fmt::Display for ScanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Survey(id) => write!(f, "survey#{id}"),
            Self::Copy(id) => write!(f, "copy#{id}"),
            Self::Segments(number) => write!(f, "segments#{number}"),
        }
    }
}

impl From<ScanName> for String {
    fn from(name: ScanName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for ScanName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("names no scan")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_read_by_the_name_that_it_has() {
        let mut work = ScanWork { scan: ScanName::Survey("a#b".into()), part: 3, version: None };
        let text = serde_json::to_string(&work).unwrap();
        assert_eq!(text, r#"{"scan":"survey#a#b","part":3}"#);
        assert_eq!(serde_json::from_str::<ScanWork>(&text).unwrap(), work);
        work.version = Some(7);
        let text = serde_json::to_string(&work).unwrap();
        assert_eq!(serde_json::from_str::<ScanWork>(&text).unwrap(), work);
        assert!(serde_json::from_str::<ScanWork>(r#"{"scan":"moon#1","part":3}"#).is_err());
    }
}
