use contracts::{Kind, Problem};
use domain::{Code, CustomerId, Fault};
use feeds::{Entry, Feed, Format, Row, RowFault};
use intake::at_once;
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};

use crate::People;

/// The largest file, in bytes.
const MOST_BYTES: usize = 5 * 1024 * 1024;

/// The most rows of a file: what can be worked off while the caller waits.
const MOST_ROWS: usize = 2_000;

/// What became of a row.
enum Imported {
    New,
    Known,
    Faulty(RowFault, Option<Problem>),
}

impl People {
    /// A table of customers. Each row stands for itself; the answer names each that
    /// could not be taken in by its line.
    pub(crate) async fn import(&self, request: &Request) -> Result<Response, Failure> {
        let (rows, ignored) = rows(request, Format::Customers)?;
        let mut imported = Vec::new();
        for outcome in at_once(rows, async |row| self.import_row(row).await).await {
            imported.push(outcome?);
        }
        Ok(report(&imported, &ignored))
    }

    /// A list of customers' ids, all of whom are put into an audience.
    pub(crate) async fn import_members(&self, request: &Request) -> Result<Response, Failure> {
        let audience = self.audience(request).await?;
        let (rows, ignored) = rows(request, Format::Ids)?;
        let mut imported = Vec::new();
        for outcome in at_once(rows, async |row| self.import_member(&audience, row).await).await {
            imported.push(outcome?);
        }
        Ok(report(&imported, &ignored))
    }

    async fn import_row(&self, row: Result<Row, RowFault>) -> anyhow::Result<Imported> {
        let row = match row {
            Ok(row) => row,
            Err(fault) => return Ok(Imported::Faulty(fault, None)),
        };
        let id = match CustomerId::parse(&row.id) {
            Ok(id) => id,
            Err(error) => return Ok(Imported::Faulty(no_id(row, &error.to_string()), None)),
        };
        let dictionary = self.intake.dictionary(self.clock.now()).await?;
        for name in &row.audiences {
            if dictionary.audience(name).is_none() {
                let detail = "names an audience that is not defined".to_owned();
                let fault = RowFault { line: row.line, id: Some(row.id), column: Some("audience".into()), detail };
                return Ok(Imported::Faulty(fault, None));
            }
        }
        match self.intake.customer(id.clone(), &row.body, false, self.clock.now()).await {
            Ok(taken) => {
                for name in &row.audiences {
                    self.join(&Code::parse(name)?, &id).await?;
                }
                Ok(if taken.is_new { Imported::New } else { Imported::Known })
            }
            Err(Failure::Problem(problem)) => {
                let fault = RowFault { line: row.line, id: Some(row.id), column: None, detail: "was refused".into() };
                Ok(Imported::Faulty(fault, Some(problem)))
            }
            Err(Failure::Internal(error)) => Err(error),
        }
    }

    async fn import_member(&self, audience: &Code, row: Result<Row, RowFault>) -> anyhow::Result<Imported> {
        let row = match row {
            Ok(row) => row,
            Err(fault) => return Ok(Imported::Faulty(fault, None)),
        };
        match CustomerId::parse(&row.id) {
            Ok(id) if self.join(audience, &id).await? => Ok(Imported::Known),
            Ok(_) => Ok(Imported::Faulty(no_id(row, "is of a customer who was erased"), None)),
            Err(error) => Ok(Imported::Faulty(no_id(row, &error.to_string()), None)),
        }
    }
}

fn no_id(row: Row, detail: &str) -> RowFault {
    RowFault { line: row.line, id: Some(row.id), column: Some("id".into()), detail: detail.to_owned() }
}

type Rows = Vec<Result<Row, RowFault>>;

fn rows(request: &Request, format: Format) -> Result<(Rows, Vec<String>), Failure> {
    if !matches!(request.media_type().as_str(), "text/csv" | "text/plain" | "text/tab-separated-values") {
        return Err(Problem::new(Kind::UnsupportedMediaType).because("send it with Content-Type: text/csv").into());
    }
    let broken = |broken: feeds::Broken| -> Failure { vec![Fault::new("", broken.to_string())].into() };
    let mut feed = Feed::open(format, request.bytes_up_to(MOST_BYTES)?, None).map_err(broken)?;
    let mut rows = Vec::new();
    for entry in feed.by_ref() {
        match entry.map_err(broken)? {
            Entry::Row(row) => rows.push(Ok(row)),
            Entry::Faulty(fault) => rows.push(Err(fault)),
            Entry::Category(_) => {}
        }
        if rows.len() > MOST_ROWS {
            let detail = format!("it has more than {MOST_ROWS} rows; send it in several files");
            return Err(Problem::new(Kind::TooLarge).because(detail).into());
        }
    }
    Ok((rows, feed.ignored().iter().cloned().collect()))
}

fn report(imported: &[Imported], ignored: &[String]) -> Response {
    let count = |is: fn(&Imported) -> bool| imported.iter().filter(|row| is(row)).count();
    let faulty: Vec<Value> = imported
        .iter()
        .filter_map(|row| match row {
            Imported::Faulty(fault, problem) => {
                let mut shown = json!(fault);
                if let Some(problem) = problem {
                    shown["problem"] = json!(problem);
                }
                Some(shown)
            }
            _ => None,
        })
        .collect();
    let body = json!({
        "rows": imported.len(),
        "created": count(|row| matches!(row, Imported::New)),
        "known": count(|row| matches!(row, Imported::Known)),
        "faulty": faulty,
        "ignored_columns": ignored,
    });
    Response::json(200, &body)
}
