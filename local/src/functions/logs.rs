//! What functions print.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Lines kept in memory.
const KEPT_LINES: usize = 2_000;
/// A file beyond this is put aside when the next process starts.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// How much of a file's end is looked at.
const TAIL_BYTES: u64 = 1024 * 1024;

/// A function's log.
pub(super) enum Log {
    /// The processes write it themselves, which costs the runner nothing.
    File(PathBuf),
    Memory(Arc<Mutex<VecDeque<String>>>),
}

impl Log {
    pub(super) fn new(folder: Option<&Path>, function: &str) -> Self {
        match folder {
            Some(folder) => Self::File(folder.join(format!("{function}.log"))),
            None => Self::Memory(Arc::default()),
        }
    }

    /// Where a new process writes to.
    pub(super) fn output(&self) -> io::Result<(Stdio, Stdio)> {
        match self {
            Self::File(path) => {
                let file = open(path)?;
                Ok((Stdio::from(file.try_clone()?), Stdio::from(file)))
            }
            Self::Memory(_) => Ok((Stdio::piped(), Stdio::piped())),
        }
    }

    /// Keeps what comes out of a process until it ends.
    pub(super) fn follow(&self, output: impl AsyncRead + Unpin + Send + 'static) {
        let Self::Memory(lines) = self else { return };
        let lines = Arc::clone(lines);
        tokio::spawn(async move {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while let Ok(1..) = output.read_until(b'\n', &mut line).await {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == KEPT_LINES {
                    lines.pop_front();
                }
                lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        });
    }

    /// The newest lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::File(path) => tail(path).unwrap_or_default(),
            Self::Memory(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect(),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if path.metadata().is_ok_and(|file| file.len() > MOST_BYTES) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

fn tail(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // Where the file was cut into, the first line is half a line.
    let cut = usize::from(length > TAIL_BYTES);
    let lines: Vec<_> = text.lines().skip(cut).map(str::to_owned).collect();
    Ok(lines[lines.len().saturating_sub(KEPT_LINES)..].to_vec())
}
