use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Fault;

use super::Request;

/// The most things on a page of a list, and how many there are unless the caller
/// asks for fewer.
const MOST: usize = 100;

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many things, from 1 on; to 100, unless the list says otherwise.
    pub limit: usize,
    /// The place after which the page begins, as it was given to
    /// [`super::Response::page`]; None for the first page.
    pub after: Option<String>,
}

impl Request {
    /// Which page is asked for with `?limit` and `?after`; `is_place` says
    /// whether a text can be a place in this list. A place is the caller's: what
    /// it names must be looked up within what the caller may see.
    ///
    /// # Errors
    /// The faults, with the pointers `?limit` and `?after`.
    pub fn page(&self, is_place: impl FnOnce(&str) -> bool) -> Result<Page, Vec<Fault>> {
        self.page_of(MOST, MOST, is_place)
    }

    /// The same of a list of which a page has `usual` things, and `most` if the caller asks
    /// for so many.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub fn page_of(&self, usual: usize, most: usize, is_place: impl FnOnce(&str) -> bool) -> Result<Page, Vec<Fault>> {
        let mut faults = Vec::new();
        let limit = match self.query("limit").map(|limit| limit.parse()) {
            None => usual,
            Some(Ok(limit)) if (1..=most).contains(&limit) => limit,
            Some(_) => {
                faults.push(Fault::new("?limit", format!("must be a number from 1 to {most}")));
                usual
            }
        };
        let after = self.query("after").and_then(|after| {
            let place = place(&after).filter(|place| is_place(place));
            if place.is_none() {
                faults.push(Fault::new("?after", "must be the \"next\" of an answer to this question"));
            }
            place
        });
        if faults.is_empty() { Ok(Page { limit, after }) } else { Err(faults) }
    }
}

/// A place, as a caller is given it: safe in a URL, and nothing to rely on.
pub(super) fn opaque(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

fn place(opaque: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(opaque).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::request;
    use super::*;

    fn page(query: &str) -> Result<Page, Vec<String>> {
        let page = request("GET /v1/keys", "manage", "", "", query).page(|place| place.starts_with("k#"));
        page.map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn a_page_is_asked_for_by_size_and_place() {
        assert_eq!(page(""), Ok(Page { limit: 100, after: None }));
        let query = format!("limit=7&after={}", opaque("k#ü/1"));
        assert_eq!(page(&query), Ok(Page { limit: 7, after: Some("k#ü/1".into()) }));
    }

    #[test]
    fn what_is_no_page_is_refused_with_its_place() {
        for limit in ["0", "101", "-1", "x", ""] {
            assert_eq!(page(&format!("limit={limit}")), Err(vec!["?limit".into()]), "{limit}");
        }
        for after in ["", "x", "***", &opaque("other"), "_w"] {
            assert_eq!(page(&format!("after={after}")), Err(vec!["?after".into()]), "{after}");
        }
        assert_eq!(page("limit=0&after=x"), Err(vec!["?limit".into(), "?after".into()]));
    }

    #[test]
    fn a_list_may_have_larger_pages() {
        let limit = |query: &str| {
            let page = request("GET /v1/keys", "manage", "", "", query).page_of(1_000, 5_000, |_| true);
            page.map(|page| page.limit).map_err(|faults| faults[0].detail.clone())
        };
        assert_eq!((limit(""), limit("limit=1"), limit("limit=5000")), (Ok(1_000), Ok(1), Ok(5_000)));
        assert_eq!(limit("limit=5001"), Err("must be a number from 1 to 5000".into()));
    }
}
