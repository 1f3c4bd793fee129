use std::io::{BufRead, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::source::Source;
use crate::{Broken, MAX_COLUMNS, MAX_ROW, RowFault};

/// A table of separated values: commas, semicolons or tabs, as its first line has it.
pub(crate) struct Table<R> {
    source: Source<R>,
    reader: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// How many columns the first row has.
    columns: usize,
}

/// One row of a table.
pub(crate) struct Record {
    /// The line on which it begins.
    pub(crate) line: u64,
    /// Its cells, without the white space around them.
    pub(crate) cells: Vec<String>,
}

impl<R: Read> Table<R> {
    /// Begins to read; the first row of the answer names the columns.
    pub(crate) fn open(source: Source<R>) -> Result<(Self, Record), Broken> {
        let reader = ReaderBuilder::new().delimiter(separator(source.head())).build();
        let mut table = Self { source, reader, cells: vec![0; MAX_ROW], ends: vec![0; MAX_COLUMNS], columns: 0 };
        let broken = |detail: &str| Broken::Content { line: 1, detail: detail.to_owned() };
        let names = match table.record()? {
            Some(Ok(names)) => names,
            Some(Err(fault)) => return Err(Broken::Content { line: fault.line, detail: fault.detail }),
            None => return Err(broken("is empty")),
        };
        table.columns = names.cells.len();
        Ok((table, names))
    }

    /// The next row that is not empty.
    pub(crate) fn next(&mut self) -> Result<Option<Result<Record, RowFault>>, Broken> {
        loop {
            let Some(record) = self.record()? else { return Ok(None) };
            let mut record = match record {
                Ok(record) => record,
                Err(fault) => return Ok(Some(Err(fault))),
            };
            let named = self.columns;
            // Programs end rows with separators that nothing follows.
            while record.cells.len() > named && record.cells.last().is_some_and(String::is_empty) {
                record.cells.pop();
            }
            if record.cells.iter().all(String::is_empty) {
                continue;
            }
            if record.cells.len() != named {
                let detail = format!("has {} cells, but there are {named} columns", record.cells.len());
                return Ok(Some(Err(fault(record.line, detail))));
            }
            return Ok(Some(Ok(record)));
        }
    }

    fn record(&mut self) -> Result<Option<Result<Record, RowFault>>, Broken> {
        self.source.skip_line_ends()?;
        let line = self.source.line();
        let (mut length, mut count) = (0, 0);
        let (mut too_long, mut too_wide) = (false, false);
        loop {
            let input = self.source.fill_buf().map_err(Broken::Read)?;
            let (result, taken, written, ended) =
                self.reader.read_record(input, &mut self.cells[length..], &mut self.ends[count..]);
            self.source.consume(taken);
            length += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                // What does not fit is read over, not kept: a quote left open
                // would else take the whole file in.
                ReadRecordResult::OutputFull => (too_long, length) = (true, 0),
                ReadRecordResult::OutputEndsFull => (too_wide, count) = (true, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        if too_long {
            let detail = format!("is longer than {MAX_ROW} bytes; is a quotation mark left open?");
            return Ok(Some(Err(fault(line, detail))));
        }
        if too_wide {
            return Ok(Some(Err(fault(line, format!("has more than {MAX_COLUMNS} cells")))));
        }
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = starts.zip(self.ends[..count].iter().copied());
        let cells = spans.map(|(start, end)| String::from_utf8_lossy(&self.cells[start..end]).trim().to_owned());
        let cells: Vec<String> = cells.collect();
        if cells.iter().any(|cell| cell.contains('\u{FFFD}')) {
            return Ok(Some(Err(fault(line, "is not in UTF-8; name the encoding if it is another".to_owned()))));
        }
        Ok(Some(Ok(Record { line, cells })))
    }
}

fn fault(line: u64, detail: String) -> RowFault {
    RowFault { line, id: None, column: None, detail }
}

/// What separates the values: whichever the first line has most of, outside quotes.
fn separator(head: &[u8]) -> u8 {
    let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(head.len());
    let mut quoted = false;
    let mut seen = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in &head[start..] {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some((_, count)) = seen.iter_mut().find(|(separator, _)| separator == byte) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    // Of several that are as frequent the first.
    let most = seen.iter().map(|(_, count)| *count).max().unwrap_or_default();
    seen.iter().find(|(_, count)| *count == most).map_or(b',', |(separator, _)| *separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<(u64, Vec<String>), u64>> {
        let (mut table, names) = Table::open(Source::open(text.as_bytes(), None).unwrap()).unwrap();
        let mut rows = vec![Ok((names.line, names.cells))];
        while let Some(row) = table.next().unwrap() {
            rows.push(row.map(|row| (row.line, row.cells)).map_err(|fault| fault.line));
        }
        rows
    }

    fn row(line: u64, cells: &[&str]) -> Result<(u64, Vec<String>), u64> {
        Ok((line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn separators_quotes_and_line_ends_of_all_kinds_are_read() {
        assert_eq!(read("id;name\r\n1;\"a;b\"\r\n"), [row(1, &["id", "name"]), row(2, &["1", "a;b"])]);
        assert_eq!(read("\"a,b,c\"\td\n1\t 2 "), [row(1, &["a,b,c", "d"]), row(2, &["1", "2"])]);
        assert_eq!(
            read("\n\nid,n\n\n1,\"x\ny \"\"z\"\"\"\n,\n2,b,,\n")[1..],
            [row(5, &["1", "x\ny \"z\""]), row(8, &["2", "b"])]
        );
    }

    #[test]
    fn a_bad_row_is_named_by_its_line_and_the_next_one_is_read() {
        let long = "x".repeat(MAX_ROW + 1);
        let wide = ",".repeat(MAX_COLUMNS + 5);
        let text = format!("id,name\n1\n2,b,c\n3,{long}\n{wide}\n4,d\n");
        assert_eq!(read(&text)[1..], [Err(2), Err(3), Err(4), Err(5), row(6, &["4", "d"])]);
    }

    #[test]
    fn a_quote_left_open_costs_its_own_row_and_what_it_takes_in() {
        let text = format!("id,name\n1,\"a\n{}", "2,b\n".repeat(100_000));
        assert_eq!(read(&text)[1..], [Err(2)]);
    }

    #[test]
    fn a_table_without_a_row_is_no_table() {
        assert!(Table::open(Source::open(&b"\n\n"[..], None).unwrap()).is_err());
    }
}
