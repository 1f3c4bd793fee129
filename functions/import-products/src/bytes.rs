use std::io::{Error, ErrorKind, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use tokio::sync::mpsc::Receiver;

/// The most bytes of a feed, unpacked: a small packed file can hold very many.
const MOST: u64 = 1024 * 1024 * 1024;

/// Bytes that come over a channel, read by a thread that may wait for them.
pub(crate) struct Incoming {
    channel: Receiver<std::io::Result<Bytes>>,
    chunk: Bytes,
}

impl Incoming {
    /// A feed, unpacked if it is packed, of at most 1 GB.
    pub(crate) fn unpacked(channel: Receiver<std::io::Result<Bytes>>) -> std::io::Result<impl Read> {
        let mut incoming = Self { channel, chunk: Bytes::new() };
        let mut head = [0; 2];
        let mut length = 0;
        while length < head.len() {
            match incoming.read(&mut head[length..])? {
                0 => break,
                read => length += read,
            }
        }
        let whole = std::io::Cursor::new(head).take(length as u64).chain(incoming);
        let packed = head == [0x1f, 0x8b];
        let unpacked: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        Ok(Bounded { inner: unpacked, left: MOST })
    }
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            match self.channel.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let length = into.len().min(self.chunk.len());
        into[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}

struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(Error::from(ErrorKind::FileTooLarge)),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    async fn unpacked(chunks: Vec<Vec<u8>>) -> std::io::Result<Vec<u8>> {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            Incoming::unpacked(receiver)?.read_to_end(&mut bytes).map(|_| bytes)
        });
        for chunk in chunks {
            if sender.send(Ok(Bytes::from(chunk))).await.is_err() {
                break;
            }
        }
        drop(sender);
        read.await.unwrap()
    }

    #[tokio::test]
    async fn a_feed_may_come_packed_in_pieces_of_any_size() {
        let feed = "id,name\n1,Mug\n".repeat(1_000).into_bytes();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&feed).unwrap();
        let packed = encoder.finish().unwrap();
        for bytes in [&feed, &packed] {
            let pieces = bytes.chunks(1).map(<[u8]>::to_vec).collect();
            assert_eq!(unpacked(pieces).await.unwrap(), feed);
        }
        assert!(unpacked(vec![packed[..packed.len() / 2].to_vec()]).await.is_err());
        assert_eq!(unpacked(vec![]).await.unwrap(), b"");
    }
}
