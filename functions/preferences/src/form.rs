//! What a form says.

use lambda::http::Request;

/// The largest form that is read, in bytes: ours are far smaller.
const LARGEST: usize = 64 * 1024;

/// The fields of a form, in their order. A name may come more than once.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// What a request says as our pages' forms do. What a mail program sends with its one
    /// click may be written in another way, or not be there at all, and says nothing
    /// that would be needed.
    pub(crate) fn of(request: &Request) -> Self {
        let media_type = request.media_type();
        if !media_type.is_empty() && media_type != "application/x-www-form-urlencoded" {
            return Self::default();
        }
        Self::read(request.bytes_up_to(LARGEST).unwrap_or_default())
    }

    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Whether a field has this value, among others it may have.
    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|said| said == value)
    }

    /// All values of a field.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
impl From<&str> for Form {
    fn from(body: &str) -> Self {
        Self::read(body.as_bytes())
    }
}
