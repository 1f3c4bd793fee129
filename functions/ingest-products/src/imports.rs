use anyhow::Context as _;
use contracts::import::{self, Fetch, ImportWork};
use contracts::{Kind, Problem};
use domain::Fault;
use feeds::Format;
use feeds::import::{Import, Origin};
use futures::TryStreamExt;
use jiff::SignedDuration;
use lambda::http::{Failure, MOST_IN_BATCH, Request, Response};
use store::{Imports, Versioned};

use crate::Products;

/// How many parts of a feed are written at the same time.
const PARTS_AT_ONCE: usize = 4;

/// What a feed is declared as when it is sent along.
const CSV: [&str; 2] = ["text/csv", "text/tab-separated-values"];
const XML: [&str; 2] = ["application/xml", "text/xml"];

impl Products {
    /// Takes down what is to be imported; the work is done from the queue.
    pub(crate) async fn start_import(&self, request: &Request) -> Result<Response, Failure> {
        let now = self.clock.now();
        let media_type = request.media_type();
        let format = match media_type.as_str() {
            media_type if CSV.contains(&media_type) => Some(Format::ProductsCsv),
            media_type if XML.contains(&media_type) => Some(Format::Yml),
            _ => None,
        };
        let id = new_id()?;
        let import = match format {
            Some(format) => {
                let feed = request.bytes_up_to(MOST_IN_BATCH)?;
                if feed.is_empty() {
                    return Err(vec![Fault::new("", "must be a feed, but is empty")].into());
                }
                let parts = self.keep(&id, feed).await?;
                let charset = request.header("content-type").and_then(charset);
                let complete = self.is_complete(request)?;
                Import { complete, ..Import::new(id, Origin::Body(parts), format, charset, now) }
            }
            None if media_type == "application/json" => {
                let Fetch { url, format, complete } = import::read(&request.json()?)?;
                if !(url.starts_with("https://") || url.starts_with("http://")) {
                    return Err(vec![Fault::new("/url", "must begin with https://")].into());
                }
                Import { complete, ..Import::new(id, Origin::Url(url), format, None, now) }
            }
            None => {
                let detail = "send a feed as text/csv or application/xml, or its address as application/json";
                return Err(Problem::new(Kind::UnsupportedMediaType).because(detail).into());
            }
        };
        self.imports.put(&import, None).await?;
        let work = ImportWork { import_id: import.id.clone() };
        self.queue.send(&[(work, SignedDuration::ZERO)]).await?;
        let place = format!("/v1/products/import/{}", import.id);
        Ok(Response::json(202, &import::show(&import)).with_header("location", place))
    }

    /// Whether a feed that was sent along is all that the shop has.
    fn is_complete(&self, request: &Request) -> Result<bool, Vec<Fault>> {
        match request.query("complete").as_deref() {
            None | Some("false") => Ok(false),
            Some("true" | "") => Ok(true),
            Some(_) => Err(vec![Fault::new("?complete", "must be true or false")]),
        }
    }

    /// Puts a feed down where the worker finds it; in how many parts.
    async fn keep(&self, id: &str, feed: &[u8]) -> anyhow::Result<u32> {
        let parts = Imports::parts(feed);
        let count = u32::try_from(parts.len())?;
        let writes = (0..).zip(parts).map(anyhow::Ok);
        futures::stream::iter(writes)
            .try_for_each_concurrent(PARTS_AT_ONCE, async |(number, part): (u32, &[u8])| {
                self.imports.put_part(id, number, part).await
            })
            .await?;
        Ok(count)
    }

    pub(crate) async fn get_import(&self, request: &Request) -> Result<Response, Failure> {
        let unknown = || Problem::new(Kind::NotFound).because("no such import is known");
        let well_formed = |id: &str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = request.path("id", |id| if well_formed(id) { Ok(id.to_owned()) } else { Err("is no import's") })?;
        match self.imports.get(&id).await? {
            Some(Versioned { value: import, .. }) => Ok(Response::json(200, &import::show(&import))),
            None => Err(unknown().into()),
        }
    }
}

fn new_id() -> anyhow::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok().context("no randomness could be had")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The encoding in a media type.
fn charset(declared: &str) -> Option<String> {
    let mut parameters = declared.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"').to_owned())
}
