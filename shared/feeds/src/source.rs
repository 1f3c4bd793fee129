use std::io::{BufRead, Error, ErrorKind, Read};

use crate::Broken;

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// How much is looked at to tell what a file is.
pub(crate) const HEAD: usize = 4 * 1024;

/// Bytes from anywhere as UTF-8, with the lines counted that were taken from it.
///
/// What cannot be decoded becomes U+FFFD, so that it spoils its own row and no
/// other.
pub(crate) struct Source<R> {
    inner: R,
    encoding: Encoding,
    chunk: Vec<u8>,
    /// The beginning of a character of which the rest is still to come.
    torn: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    line: u64,
    ended: bool,
    /// How much may still be taken before [`Source::allow`] is called again.
    allowed: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Windows1251,
}

impl Encoding {
    fn named(name: &str) -> Option<Self> {
        match name.trim().trim_matches('"').to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" | "ascii" => Some(Self::Utf8),
            "windows-1251" | "cp1251" | "cp-1251" | "win-1251" => Some(Self::Windows1251),
            _ => None,
        }
    }
}

impl<R: Read> Source<R> {
    pub(crate) fn open(inner: R, charset: Option<&str>) -> Result<Self, Broken> {
        let mut source = Self {
            inner,
            encoding: Encoding::Utf8,
            chunk: vec![0; CHUNK],
            torn: Vec::new(),
            text: Vec::new(),
            at: 0,
            line: 1,
            ended: false,
            allowed: usize::MAX,
        };
        let mut head = Vec::with_capacity(CHUNK);
        (&mut source.inner).take(HEAD as u64).read_to_end(&mut head).map_err(Broken::Read)?;
        source.ended = head.len() < HEAD;
        let unread = |name: &str| Broken::Content {
            line: 1,
            detail: format!("is in {name}, which is not read; send it in UTF-8 or windows-1251"),
        };
        if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
            return Err(unread("UTF-16"));
        }
        let named = |name: &str| Encoding::named(name).ok_or_else(|| unread(&shortened(name)));
        let marked = head.starts_with(&[0xEF, 0xBB, 0xBF]);
        source.encoding = match (declared(&head), charset) {
            _ if marked => Encoding::Utf8,
            (Some(name), _) => named(&name)?,
            (None, Some(name)) => named(name)?,
            (None, None) => Encoding::Utf8,
        };
        source.decode(if marked { &head[3..] } else { &head });
        Ok(source)
    }

    /// The line that comes next, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// What comes next, as far as it was read to tell what the file is.
    pub(crate) fn head(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// Lets so many bytes be taken; more are an error.
    pub(crate) fn allow(&mut self, bytes: usize) {
        self.allowed = bytes;
    }

    /// Whether reading stopped because more was taken than is allowed.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.allowed == 0
    }

    /// Passes over line ends, so that the line of what follows is known.
    pub(crate) fn skip_line_ends(&mut self) -> Result<(), Broken> {
        loop {
            let text = self.fill_buf().map_err(Broken::Read)?;
            let ends = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if ends == 0 {
                return Ok(());
            }
            self.consume(ends);
        }
    }

    fn decode(&mut self, bytes: &[u8]) {
        match self.encoding {
            Encoding::Windows1251 => {
                let mut utf8 = [0; 4];
                for byte in bytes {
                    self.text.extend_from_slice(windows_1251(*byte).encode_utf8(&mut utf8).as_bytes());
                }
            }
            Encoding::Utf8 => {
                let torn = std::mem::take(&mut self.torn);
                let joined: Vec<u8>;
                let mut rest = if torn.is_empty() {
                    bytes
                } else {
                    joined = [&torn, bytes].concat();
                    &joined
                };
                while let Err(error) = std::str::from_utf8(rest) {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.text.extend_from_slice(good);
                    match error.error_len() {
                        None if !self.ended => {
                            self.torn = bad.to_vec();
                            return;
                        }
                        length => {
                            self.text.extend_from_slice("\u{FFFD}".as_bytes());
                            rest = &bad[length.unwrap_or(bad.len())..];
                        }
                    }
                }
                self.text.extend_from_slice(rest);
            }
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let text = self.fill_buf()?;
        let length = text.len().min(into.len());
        into[..length].copy_from_slice(&text[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.allowed == 0 {
            return Err(Error::new(ErrorKind::FileTooLarge, "more than is allowed"));
        }
        while self.at == self.text.len() && !self.ended {
            self.text.clear();
            self.at = 0;
            let mut chunk = std::mem::take(&mut self.chunk);
            let read = self.inner.read(&mut chunk);
            if let Ok(read) = read {
                self.ended = read == 0;
                self.decode(&chunk[..read]);
            }
            self.chunk = chunk;
            match read {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        let most = self.text.len().min(self.at.saturating_add(self.allowed));
        Ok(&self.text[self.at..most])
    }

    fn consume(&mut self, amount: usize) {
        let end = (self.at + amount).min(self.text.len());
        let taken = &self.text[self.at..end];
        self.line += taken.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.allowed = self.allowed.saturating_sub(taken.len());
        self.at = end;
    }
}

/// The encoding in a file's XML declaration, if it begins with one that names it.
fn declared(head: &[u8]) -> Option<String> {
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&head[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.to_owned())
}

fn shortened(name: &str) -> String {
    name.chars().filter(|letter| letter.is_ascii_graphic()).take(40).collect()
}

/// The upper half of windows-1251 up to the letters, which follow in order.
const WINDOWS_1251: [char; 64] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ', 'ђ', '‘', '’', '“', '”', '•', '–',
    '—', '\u{98}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ', '\u{A0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§', 'Ё', '©', 'Є', '«',
    '¬', '\u{AD}', '®', 'Ї', '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»', 'ј', 'Ѕ', 'ѕ', 'ї',
];

fn windows_1251(byte: u8) -> char {
    match byte {
        0..0x80 => char::from(byte),
        0x80..0xC0 => WINDOWS_1251[usize::from(byte - 0x80)],
        // А to я, as Unicode orders them.
        0xC0.. => char::from_u32(0x410 + u32::from(byte - 0xC0)).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives one byte at a time, so that every character is torn.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn all(bytes: &[u8], charset: Option<&str>) -> String {
        let mut text = String::new();
        Source::open(Dribble(bytes), charset).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_declaration_the_mark_and_the_media_type_name_the_encoding() {
        assert_eq!(all("\u{FEFF}Ēna".as_bytes(), Some("windows-1251")), "Ēna");
        assert_eq!(all(b"\xCC\xFB\xF8\xFC \xB9", Some("Windows-1251")), "Мышь №");
        assert!(all(b"<?xml version='1.0' encoding='windows-1251'?><a>\xFF</a>", None).ends_with("<a>я</a>"));
        assert_eq!(all(b"a\xFFb\xC4", None), "a\u{FFFD}b\u{FFFD}");
        assert!(Source::open(&b"\xFF\xFEa\0"[..], None).is_err());
        assert!(Source::open(&b"a"[..], Some("koi8-r")).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_what_comes_out_is_text(bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
            if let Ok(mut source) = Source::open(&bytes[..], None) {
                let mut text = String::new();
                source.read_to_string(&mut text).unwrap();
                prop_assert_eq!(source.line() - 1, text.bytes().filter(|byte| *byte == b'\n').count() as u64);
            }
        }

        #[test]
        fn text_comes_out_as_it_went_in(text in "\\PC{0,3000}") {
            prop_assert_eq!(all(text.as_bytes(), Some("utf-8")), text);
        }
    }
}
