use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::byte_stream::ByteStream;
use hyper::Uri;

use crate::address::is_public;

/// How long a connection may take, and the answer to begin.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);

/// How often a server may send us on to another place.
const MOST_REDIRECTS: usize = 5;

/// The longest tag of a file that is kept, in bytes.
const LONGEST_VALIDATOR: usize = 500;

/// Fetches feeds: over HTTPS from public addresses, and from the hosts that whoever
/// deployed has named in whatever way.
#[derive(Debug)]
pub(crate) struct Fetcher {
    named: Arc<BTreeSet<String>>,
    // Built when it is needed: it reads the system's trust store.
    https: OnceLock<Connector>,
    plain: OnceLock<Connector>,
}

/// A feed that has begun to come.
pub(crate) struct Fetched {
    pub(crate) bytes: ByteStream,
    /// What the server says the file is: the same text for the same file.
    pub(crate) validator: Option<String>,
    /// The encoding that the server names.
    pub(crate) charset: Option<String>,
}

/// Why a feed was not fetched, in words for the caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotFetched {
    /// It never will be.
    Never(String),
    /// It may be later.
    NotNow(String),
}

use NotFetched::{Never, NotNow};

impl Fetcher {
    /// `hosts` are those named, with their ports if they have any, separated by
    /// commas.
    pub(crate) fn new(hosts: &str) -> Self {
        let named = hosts.split(',').map(|host| host.trim().to_lowercase()).filter(|host| !host.is_empty());
        Self { named: Arc::new(named.collect()), https: OnceLock::new(), plain: OnceLock::new() }
    }

    /// Begins to fetch a feed.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Fetched, NotFetched> {
        let mut uri: Uri = url.parse().map_err(|_| Never("the address is no URL".to_owned()))?;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.call(&uri).await?;
            let status = response.status().as_u16();
            match status {
                200 => return Ok(fetched(response)),
                301 | 302 | 303 | 307 | 308 => uri = sent_on(&uri, response.headers().get("location"))?,
                408 | 425 | 429 | 500.. => return Err(NotNow(format!("the server answers {status}"))),
                _ => return Err(Never(format!("the server answers {status}"))),
            }
        }
        Err(Never(format!("the server sends on more than {MOST_REDIRECTS} times")))
    }

    async fn call(&self, uri: &Uri) -> Result<HttpResponse, NotFetched> {
        let connector = self.allowed(uri).await?;
        let mut request = HttpRequest::get(uri.to_string()).map_err(|_| Never("the address is no URL".to_owned()))?;
        let headers = request.headers_mut();
        headers.insert("accept", "text/csv, application/xml, text/xml, */*;q=0.5");
        headers.insert("accept-encoding", "gzip");
        headers.insert("user-agent", "Cartwire");
        // An error's own text may hold the address, and in it what is secret.
        connector.call(request).await.map_err(|_| NotNow("the server could not be reached".to_owned()))
    }

    /// What to connect with, if this is a place that may be connected to.
    async fn allowed(&self, uri: &Uri) -> Result<&Connector, NotFetched> {
        let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
            return Err(Never("the address is no URL".to_owned()));
        };
        if authority.as_str().contains('@') {
            return Err(Never("the address must not hold a name and password".to_owned()));
        }
        let is_named = self.named.contains(&authority.as_str().to_lowercase());
        let is_https = uri.scheme_str() == Some("https");
        if !is_named && !is_https {
            return Err(Never("the address must begin with https://".to_owned()));
        }
        if !is_named {
            let beside = || Never("the address is not one of the public internet".to_owned());
            match host.trim_matches(['[', ']']).parse::<IpAddr>() {
                Ok(address) if is_public(address) => {}
                Ok(_) => return Err(beside()),
                Err(_) => match self.resolver().addresses(host).await {
                    Ok(addresses) if addresses.is_empty() => return Err(beside()),
                    Ok(_) => {}
                    Err(_) => return Err(NotNow("the server's name could not be resolved".to_owned())),
                },
            }
        }
        let builder = || {
            let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
            Connector::builder().connector_settings(settings).sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        };
        Ok(if is_https {
            let https = || {
                let builder = builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
                builder.build_with_resolver(self.resolver())
            };
            self.https.get_or_init(https)
        } else {
            self.plain.get_or_init(|| builder().build_http())
        })
    }

    fn resolver(&self) -> Resolver {
        Resolver { named: Arc::clone(&self.named) }
    }
}

/// Resolves names to public addresses only. The connection goes to what it gives, so
/// a name cannot mean one address when it is looked at and another when it is used.
#[derive(Debug, Clone)]
struct Resolver {
    named: Arc<BTreeSet<String>>,
}

impl Resolver {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        let lower = name.to_lowercase();
        let is_named = self.named.iter().any(|host| host.split(':').next() == Some(lower.as_str()));
        let found = tokio::net::lookup_host((name, 443)).await?.map(|address| address.ip());
        Ok(found.filter(|address| is_named || is_public(*address)).collect())
    }
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move { self.addresses(name).await.map_err(ResolveDnsError::new) })
    }
}

fn fetched(response: HttpResponse) -> Fetched {
    let header = |name: &str| response.headers().get(name).map(str::to_owned);
    let validator = header("etag").or_else(|| header("last-modified")).filter(|text| text.len() <= LONGEST_VALIDATOR);
    let charset = header("content-type").and_then(|declared| {
        let mut parameters = declared.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
        Some(charset.trim().trim_matches('"').to_owned())
    });
    Fetched { validator, charset, bytes: ByteStream::new(response.into_body()) }
}

/// The place that a server sends on to.
fn sent_on(from: &Uri, location: Option<&str>) -> Result<Uri, NotFetched> {
    let nowhere = || Never("the server sends on to a place that is no URL".to_owned());
    let to: Uri = location.ok_or_else(nowhere)?.parse().map_err(|_| nowhere())?;
    if to.scheme().is_some() {
        return Ok(to);
    }
    let mut parts = from.clone().into_parts();
    parts.path_and_query = to.into_parts().path_and_query;
    Uri::from_parts(parts).map_err(|_| nowhere())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_refused(fetcher: &Fetcher, url: &str) -> bool {
        let uri: Uri = url.parse().unwrap();
        matches!(fetcher.allowed(&uri).await, Err(Never(_)))
    }

    #[tokio::test]
    async fn only_https_to_public_addresses_is_allowed_unless_the_host_is_named() {
        let fetcher = Fetcher::new("");
        for url in [
            "http://shop.example/feed.csv",
            "https://127.0.0.1/feed.csv",
            "https://[::1]:9001/feed.csv",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/feed.csv",
            "https://user:secret@shop.example/feed.csv",
            "/feed.csv",
        ] {
            assert!(is_refused(&fetcher, url).await, "{url}");
        }
        let named = Fetcher::new("127.0.0.1:4000, feeds.local");
        assert!(!is_refused(&named, "http://127.0.0.1:4000/feed.csv").await);
        assert!(is_refused(&named, "http://127.0.0.1:4001/feed.csv").await);
        assert!(!is_refused(&named, "http://Feeds.local/feed.csv").await);
    }

    #[test]
    fn a_place_that_is_sent_on_to_may_be_of_the_same_host() {
        let from: Uri = "https://shop.example/a?b".parse().unwrap();
        assert_eq!(sent_on(&from, Some("/c?d")).unwrap(), "https://shop.example/c?d");
        assert_eq!(sent_on(&from, Some("http://10.0.0.1/")).unwrap(), "http://10.0.0.1/");
        assert!(sent_on(&from, None).is_err());
    }
}
