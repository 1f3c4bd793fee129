//! Surveys: how many customers meet a condition and what they are worth, counted exactly;
//! and at once, judged by a few of them.

use campaigns::{Cluster, Estimate, Survey, SurveyProgress, SurveyTally};
use conditions::Collection;
use contracts::{Kind, Problem, ScanName};
use domain::Fault;
use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{SCAN_PARTS, Scan, Written};

use crate::{Manage, not_found};

/// How many surveys run at the same time: each reads all that there is of all customers.
const MOST_AT_ONCE: usize = 5;

/// About how many customers a preview looks at; and if of each their messages have to be
/// found too.
const SAMPLE: u32 = 600;
const SAMPLE_WITH_MESSAGES: u32 = 200;

/// At how many of them it looks at the same time.
const AT_ONCE: usize = 16;

/// How often a survey is stopped if its workers are just moving on.
const TRIES: u32 = 10;

impl Manage {
    /// Begins a survey. Should its work not get onto the queue, the schedule finds it.
    pub(crate) async fn begin_survey(&self, request: &Request) -> Result<Response, Failure> {
        let (name, condition) = Survey::read(&request.json()?)?;
        self.check_condition("/condition", &condition).await?;
        if self.under_way(|name| matches!(name, ScanName::Survey(_))).await? >= MOST_AT_ONCE {
            let detail = format!("{MOST_AT_ONCE} surveys are running; wait for one, or stop one");
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        }
        let segments = Survey::segments_of(&condition, &self.definitions.segments().await?);
        let (rows, now) = (self.customers.item_count().await?, self.clock.now());
        let survey = Survey { id: new_id()?, name, condition, segments, begun_at: now, rows };
        if !survey.program().is_whole() {
            return Err(vec![Fault::new("/condition", "names a segment that was just deleted")].into());
        }
        let scan = ScanName::Survey(survey.id.clone());
        self.scans.begin::<_, SurveyTally>(&scan.to_string(), &survey, SCAN_PARTS, now).await?;
        self.put_on_queue(&scan, SCAN_PARTS, SignedDuration::ZERO).await;
        let progress = SurveyProgress { parts: SCAN_PARTS, ..SurveyProgress::default() };
        let place = format!("/v1/surveys/{}", survey.id);
        Ok(Response::json(202, &survey.show(&progress, now)).with_header("location", place))
    }

    /// How far a survey is, and what has come of it so far.
    pub(crate) async fn get_survey(&self, request: &Request) -> Result<Response, Failure> {
        let name = ScanName::Survey(request.path("id", id)?).to_string();
        let scan: Option<Scan<Survey, SurveyTally>> = self.scans.get(&name).await?;
        let scan = scan.ok_or_else(|| not_found("survey"))?;
        let mut progress = progress_of(&scan);
        for part in scan.parts.values() {
            progress.tally.join(&part.value.tally);
        }
        Ok(Response::json(200, &scan.work.show(&progress, self.clock.now())))
    }

    /// Stops a survey and forgets what has come of it.
    pub(crate) async fn delete_survey(&self, request: &Request) -> Result<Response, Failure> {
        let name = ScanName::Survey(request.path("id", id)?).to_string();
        for tried in 0..TRIES {
            if self.scans.work::<Survey>(&name).await?.is_none() {
                // Somebody else stopped it at the same time.
                return if tried > 0 { Ok(Response::empty()) } else { Err(not_found("survey").into()) };
            }
            if self.scans.forget(&name).await? == Written::Done {
                return Ok(Response::empty());
            }
        }
        Err(anyhow::anyhow!("a survey could not be stopped: its parts were moved on each time").into())
    }

    /// How many scans are not done that have such a name.
    pub(crate) async fn under_way(&self, is_such: fn(&ScanName) -> bool) -> anyhow::Result<usize> {
        let open = self.scans.open().await?;
        Ok(open.iter().filter_map(|open| ScanName::parse(&open.name)).filter(is_such).count())
    }

    /// About how many customers meet a condition.
    pub(crate) async fn preview(&self, request: &Request) -> Result<Response, Failure> {
        let condition = Survey::read_preview(&request.json()?)?;
        self.check_condition("/condition", &condition).await?;
        let at = self.history.at(self.clock.now()).await?;
        let segments = self.definitions.segments().await?;
        let program = conditions::Program::new([&condition], |code| segments.condition(code));
        if !program.is_whole() {
            return Err(vec![Fault::new("/condition", "names a segment that was just deleted")].into());
        }
        let needs = program.all_needs();
        let about = if needs.collections.contains(&Collection::Messages) { SAMPLE_WITH_MESSAGES } else { SAMPLE };
        let sample = self.customers.sample(about, facts::kinds(&needs, at.now)).await?;
        let mut clusters = Vec::new();
        for customers in &sample.clusters {
            let known = customers.iter().filter(|scanned| scanned.customer.is_some());
            let looked = futures::stream::iter(known).map(async |scanned| {
                let state = self.history.seen(&program, scanned, &at).await?;
                anyhow::Ok(program.holds(0, &state, &at))
            });
            let holds: Vec<bool> = looked.buffered(AT_ONCE).try_collect().await?;
            let matching = holds.iter().filter(|holds| **holds).count() as u64;
            clusters.push(Cluster { customers: holds.len() as u64, matching });
        }
        let mut shown = Estimate::by(&clusters, sample.of).show();
        shown["in_words"] = json!(condition.to_string());
        Ok(Response::json(200, &shown))
    }
}

/// How far a scan is, but for what has come of it.
pub(crate) fn progress_of<W, T>(scan: &Scan<W, T>) -> SurveyProgress {
    let parts = u32::try_from(scan.parts.len()).unwrap_or(u32::MAX);
    let mut progress = SurveyProgress { parts, ..SurveyProgress::default() };
    for part in scan.parts.values().map(|part| &part.value) {
        progress.failed += part.failed;
        match part.done {
            true => progress.done += 1,
            false => progress.rows.push(part.rows),
        }
    }
    let ended_at = scan.parts.values().map(|part| part.value.moved_at).max();
    progress.ended_at = ended_at.filter(|_| scan.is_done());
    progress
}

/// The id of a scan that somebody asked for.
pub(crate) fn id(text: &str) -> Result<String, &'static str> {
    let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(text.to_owned()) } else { Err("is none that was given out") }
}

pub(crate) fn new_id() -> anyhow::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
