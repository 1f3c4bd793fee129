//! What a client asks, and as whom.

use std::io::Read;

use contracts::{ApiKey, Kind, Problem};
use flate2::read::GzDecoder;
use serde_json::Value;
use tracking::{MAX_BATCH, MAX_MESSAGE};

/// Which call a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// One message.
    One(tracking::Kind),
    /// A batch of messages.
    Batch,
}

impl Call {
    /// The call at `/v1/NAME`. Clients for browsers and apps use the first letters.
    pub(crate) fn at(name: &str) -> Option<Self> {
        let kind = match name {
            "batch" | "import" | "b" => return Some(Self::Batch),
            "i" => "identify",
            "t" => "track",
            "p" => "page",
            "s" => "screen",
            "g" => "group",
            "a" => "alias",
            name => name,
        };
        tracking::Kind::parse(kind).map(Self::One)
    }

    /// The kind of its messages, if all are of one.
    pub(crate) fn kind(self) -> Option<tracking::Kind> {
        match self {
            Self::One(kind) => Some(kind),
            Self::Batch => None,
        }
    }

    /// The largest body that is taken, in bytes.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::One(_) => MAX_MESSAGE,
            Self::Batch => MAX_BATCH,
        }
    }
}

/// The body as JSON, whatever it is declared as: browsers say `text/plain`, so as
/// not to have to ask first. It is unpacked if it is packed with gzip.
///
/// # Errors
/// 413 if it is too large, packed or not; 400 if it is not JSON.
pub(crate) fn read(body: &[u8], most: usize) -> Result<(Value, usize), Problem> {
    let too_large = || Problem::new(Kind::TooLarge).because(format!("at most {most} bytes are taken, unpacked"));
    let mut unpacked = Vec::new();
    let body = if body.starts_with(&[0x1f, 0x8b]) {
        let unpacking = GzDecoder::new(body).take(most as u64 + 1).read_to_end(&mut unpacked);
        unpacking.map_err(|_| Problem::new(Kind::Malformed).because("it is not gzip, though it begins like it"))?;
        unpacked.as_slice()
    } else {
        body
    };
    if body.len() > most {
        return Err(too_large());
    }
    let value = serde_json::from_slice(body).map_err(|error| {
        // The error's own text may quote the body.
        let detail = format!("it is not JSON, at line {} column {}", error.line(), error.column());
        Problem::new(Kind::Malformed).because(detail)
    })?;
    Ok((value, body.len()))
}

/// The write key: in the header, or where there is none of ours, in the body.
/// With a token of somebody else's in the header, the key is in the body.
pub(crate) fn key(header: Option<&str>, body: &Value) -> Option<ApiKey> {
    header.and_then(ApiKey::from_header).or_else(|| ApiKey::from_text(body.get("writeKey")?.as_str()?))
}

/// How many bytes a value takes as JSON.
pub(crate) fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;
    use std::io::Write;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_body_is_unpacked_up_to_its_limit() {
        assert_eq!(read(&packed(b"{\"a\":1}"), 10).unwrap(), (json!({"a": 1}), 7));
        assert_eq!(read(b" {}", 10).unwrap().0, json!({}));
        let status = |body: &[u8]| read(body, 1_000).unwrap_err().status();
        assert_eq!(status(&packed(&vec![b' '; 10_000_000])), 413);
        assert_eq!(status(&vec![b' '; 1_001]), 413);
        assert_eq!(status(b"\x1f\x8b\x08not gzip"), 400);
        for bad in [&b""[..], b"{", b"\xff", b"{} {}", b"[NaN]"] {
            assert_eq!(status(bad), 400);
        }
        let deep = "[".repeat(1_000);
        assert_eq!(status(deep.as_bytes()), 400);
    }

    #[test]
    fn a_key_is_found_where_clients_put_it() {
        let key = ApiKey::from_random([7; 32]);
        let body = json!({"writeKey": key.reveal()});
        let bearer = format!("Bearer {}", key.reveal());
        assert!(super::key(Some(&bearer), &json!({})) == Some(key.clone()));
        assert!(super::key(None, &body) == Some(key.clone()));
        assert!(super::key(Some("Bearer somebody-elses"), &body) == Some(key));
        for bad in [json!({}), json!([]), json!({"writeKey": 7}), json!({"writeKey": "x"})] {
            assert!(super::key(None, &bad).is_none());
        }
    }

    #[test]
    fn every_route_is_a_call() {
        for (name, kind) in [("track", "track"), ("t", "track"), ("i", "identify"), ("alias", "alias")] {
            assert_eq!(Call::at(name).and_then(Call::kind), tracking::Kind::parse(kind), "{name}");
        }
        assert_eq!((Call::at("b"), Call::at("import")), (Some(Call::Batch), Some(Call::Batch)));
        assert_eq!(Call::at("m"), None);
        assert_eq!(size(&json!({"a": ["ü", 1.5]})), 16);
    }
}
