//! A shop whose customers have a history, in a bundle of its own.

use super::Args;
use super::asked::AUDIENCE;
use super::customers::{self, History};
use crate::http::{Client, Shot};
use crate::runner::{self, Runner, Scratch};
use anyhow::{Context as _, bail, ensure};
use futures::future::try_join_all;
use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Customers who are told over the API. All others are copies of their rows.
const MODELS: usize = 100;
/// Most things of one request to the API, and most rows of one to the tables.
const BATCH: usize = 500;
const ROWS: usize = 25;
/// About how many rows are written before the functions are waited for.
const SLICE: usize = 20_000;
/// How long the bundle may be busy with what it is given.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Windows are whole days and what happened is whole hours old: half an hour off, so that nobody
/// enters or leaves a window meanwhile.
pub(super) const OFF: SignedDuration = SignedDuration::from_mins(30);

pub(super) struct Shop {
    pub(super) runner: Runner,
    pub(super) page: Client,
    pub(super) api: Client,
    pub(super) key: String,
    pub(super) history: History,
    table: String,
    /// Of each model, its rows as text.
    models: Vec<Vec<String>>,
    clients: usize,
    /// Goes last: it deletes the folder.
    _folder: Scratch,
}

impl Shop {
    /// Starts a bundle with the customers who are the models of all others.
    pub(super) async fn open(args: &Args, template: &Path, history: History) -> anyhow::Result<Self> {
        let folder = Scratch::new();
        let data = (!args.memory).then_some(folder.path());
        let runner = Runner::start(template, data, args.max_instances).await?;
        let key = runner.key().await?;
        let (mut api, mut page, mut aws) = (runner.api(&key).await?, runner.page().await?, runner.aws().await?);
        api.put(&format!("/v1/audiences/{AUDIENCE}"), &json!({ "name": "Guests" })).await?;
        tell_models(&mut api, history).await.context("the models could not be told")?;
        runner::quiet(&mut page).await?;
        let table = customers_table(&mut aws).await?;
        let models = models(&mut aws, &table).await.context("the models' rows could not be read")?;
        let each = 1 + history.orders as usize + history.events as usize;
        ensure!(models.iter().all(|rows| rows.len() >= each), "a model has fewer rows than it was told");
        Ok(Self { runner, page, api, key, history, table, models, clients: args.clients.max(1), _folder: folder })
    }

    /// How many customers there are before any copy.
    pub(super) fn models(&self) -> usize {
        self.models.len()
    }

    /// The number by which the customer was made whose copy this one is.
    pub(super) fn model_of(&self, number: usize) -> usize {
        number % self.models.len()
    }

    /// Makes copies of the models, with numbers from `from` to before `to`.
    pub(super) async fn copy(&mut self, from: usize, to: usize) -> anyhow::Result<f64> {
        self.begin_scan().await?;
        let begun = Instant::now();
        let each = self.models.first().map_or(1, Vec::len).max(1);
        for first in (from..to).step_by((SLICE / each).max(1)) {
            let last = to.min(first + (SLICE / each).max(1));
            try_join_all((0..self.clients).map(|client| self.write(first + client, last))).await?;
            self.settle(Duration::from_millis(200)).await?;
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// The runner makes the index of parallel scans when the first one comes, and answers nobody
    /// meanwhile: that is a moment now, and would be many seconds with all the rows there.
    async fn begin_scan(&self) -> anyhow::Result<()> {
        let scan = json!({ "TableName": self.table, "Segment": 0, "TotalSegments": 2, "Limit": 1 });
        self.runner.aws().await?.dynamodb("Scan", scan.to_string()).await.map(drop)
    }

    /// Every so manieth customer of those from `first` to before `last`.
    async fn write(&self, first: usize, last: usize) -> anyhow::Result<()> {
        let mut aws = self.runner.aws().await?;
        let rows = (first..last).step_by(self.clients).flat_map(|number| {
            let model = self.model_of(number);
            let (of, to) = (customers::id(model), customers::id(number));
            self.models[model].iter().map(move |row| row.replace(&of, &to))
        });
        let rows: Vec<String> = rows.collect();
        for rows in rows.chunks(ROWS) {
            let puts: Vec<String> = rows.iter().map(|row| format!(r#"{{"PutRequest":{{"Item":{row}}}}}"#)).collect();
            let body = format!(r#"{{"RequestItems":{{"{}":[{}]}}}}"#, self.table, puts.join(","));
            let answer = aws.dynamodb("BatchWriteItem", body).await?;
            let is_left = answer["UnprocessedItems"].as_object().is_some_and(|left| !left.is_empty());
            ensure!(!is_left, "not all rows were written");
        }
        Ok(())
    }

    /// Defines a segment.
    pub(super) async fn put_segment(&mut self, code: &str, condition: &Value) -> anyhow::Result<()> {
        let segment = json!({ "name": code, "condition": condition });
        self.api.put(&format!("/v1/segments/{code}"), &segment).await.map(drop)
    }

    /// Stops the finding of a segment's members.
    pub(super) async fn pause(&mut self, code: &str) -> anyhow::Result<()> {
        self.api.json(Method::POST, &format!("/v1/segments/{code}/pause"), &Value::Null).await.map(drop)
    }

    /// Waits until nothing goes on any more, looking every so often, and that nothing was given up.
    pub(super) async fn settle(&mut self, every: Duration) -> anyhow::Result<()> {
        runner::quiet_within(&mut self.page, PATIENCE, every).await?;
        let state = self.page.get("/state.json").await?;
        let queues = state["queues"].as_array().context("the runner tells of no queues")?;
        match queues.iter().find(|queue| queue["dead_letters"] != 0) {
            Some(queue) => bail!("a function gave up on what {} brought it", queue["name"]),
            None => Ok(()),
        }
    }

    /// That a segment's members were found, and it serves: a worker that is lost is missed only
    /// minutes later, and everything is quiet until then.
    pub(super) async fn ensure_built(&mut self, code: &str) -> anyhow::Result<()> {
        let segment = self.api.get(&format!("/v1/segments/{code}")).await?;
        let is_built = segment["building"].is_null() && segment["waiting"] == false;
        ensure!(is_built, "{code} is not built, but everything is quiet: {}", segment["building"]);
        Ok(())
    }

    /// How many are in a segment, as it is kept.
    pub(super) async fn members(&mut self, code: &str) -> anyhow::Result<usize> {
        let (mut members, mut after) = (0, String::new());
        loop {
            let page = self.api.get(&format!("/v1/segments/{code}/customers?limit=100{after}")).await?;
            members += page["items"].as_array().map_or(0, Vec::len);
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(members),
            }
        }
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.runner.stop().await
    }
}

async fn tell_models(api: &mut Client, history: History) -> anyhow::Result<()> {
    let now = Timestamp::now().checked_sub(OFF)?;
    let (mut profiles, mut orders, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for model in 0..MODELS {
        let (id, number) = (customers::id(model), u32::try_from(model)?);
        let mut profile = customers::profile(number);
        profile["id"] = json!(id);
        profiles.push(profile);
        for which in 0..history.orders {
            let mut order = customers::order(&id, number, which, now)?;
            order["id"] = json!(format!("{id}-o{which}"));
            orders.push(order);
        }
        for which in 0..history.events {
            events.push(customers::event(&id, number, which, now)?);
        }
    }
    for (of, things) in [("customers", profiles), ("orders", orders), ("events", events)] {
        for things in things.chunks(BATCH) {
            tell(api, &format!("/v1/{of}/batch"), &json!(things)).await?;
        }
    }
    Ok(())
}

/// Tells a batch, of which everything has to be taken.
async fn tell(api: &mut Client, path: &str, things: &Value) -> anyhow::Result<()> {
    let path = path.to_owned();
    let shot = Shot { method: Method::POST, path, kind: "application/json", body: things.to_string() };
    let (status, answer) = api.shoot(shot).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let mut items = answer["items"].as_array().with_context(|| format!("answered {status}: {answer}"))?.iter();
    match items.find(|item| item["status"].as_u64().is_none_or(|status| status >= 300)) {
        Some(item) => bail!("part of a batch was answered {item}"),
        None => Ok(()),
    }
}

async fn customers_table(aws: &mut Client) -> anyhow::Result<String> {
    let tables = aws.dynamodb("ListTables", "{}".to_owned()).await?;
    let mut names = tables["TableNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let name =
        names.find(|name| name.to_lowercase().contains("customers")).context("there is no table of customers")?;
    Ok(name.to_owned())
}

/// The rows in which a model is named, of each model. What the rows hold is nothing to this program.
async fn models(aws: &mut Client, table: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let ids: Vec<String> = (0..MODELS).map(customers::id).collect();
    let mut models = vec![Vec::new(); MODELS];
    let mut request = json!({ "TableName": table });
    loop {
        let mut page = aws.dynamodb("Scan", request.to_string()).await?;
        for row in page["Items"].as_array().into_iter().flatten() {
            let row = row.to_string();
            if let Some(model) = ids.iter().position(|id| row.contains(id)) {
                models[model].push(row);
            }
        }
        match page["LastEvaluatedKey"].take() {
            Value::Null => return Ok(models),
            place => request["ExclusiveStartKey"] = place,
        }
    }
}
