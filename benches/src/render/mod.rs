//! How quickly mails are rendered and templates compiled, on one core, and beside it what
//! Handlebars' own renderers take.

mod others;
pub(crate) mod sample;

use crate::table::Table;
use serde::Serialize;
use std::fmt;
use std::hint::black_box;
use templates::{Content, Source, Template};

/// Whole mails a second on one core that are aimed at.
const AIM: f64 = 40_000.0;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 9, value_name = "N")]
    rounds: usize,
    /// Milliseconds of processor time that a round takes at least.
    #[arg(long, default_value_t = 100, value_name = "MS")]
    round_ms: u64,
    /// Leave handlebars.js out.
    #[arg(long)]
    no_js: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    lines: usize,
    /// Bytes of the mail that is measured.
    html_bytes: usize,
    text_bytes: usize,
    renders: Vec<Speed>,
    compiles: Vec<Speed>,
    /// Why handlebars.js is not among the renders.
    no_js: Option<String>,
    /// Times as quick as handlebars.js at the same template.
    times_js: Option<f64>,
}

/// One kind of work.
#[derive(Debug, Serialize)]
struct Speed {
    what: String,
    /// Microseconds of processor time of one, the median of the rounds.
    us: f64,
    each_second: f64,
    aim_each_second: Option<f64>,
}

impl Speed {
    fn of(what: impl Into<String>, us: f64) -> Self {
        Self { what: what.into(), us, each_second: 1e6 / us, aim_each_second: None }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let data = sample::data();
    let html = Content::of(sample::SUBJECT, sample::HTML);
    let given = Content { text: Some(sample::TEXT.to_owned()), ..html.clone() };
    let mjml = Content { html: None, mjml: Some(sample::MJML.to_owned()), ..html.clone() };
    let bare = Content::of(sample::SUBJECT, sample::BARE);
    let mail = compiled(&html)?.render(&data)?;

    let mut renders = Vec::new();
    for (what, content, aim) in [
        ("subject, html and its text", &html, Some(AIM)),
        ("subject, html and a text of two lines", &given, None),
        ("subject, html made of MJML, and its text", &mjml, None),
        ("the loop of 10 lines alone, 4 values a line", &bare, None),
    ] {
        let template = compiled(content)?;
        let us = measured(args, &mut || drop(black_box(template.render(black_box(&data)).ok())))?;
        renders.push(Speed { aim_each_second: aim, ..Speed::of(what, us) });
    }
    let ours = renders.last().map(|speed| speed.us);
    let crates = others::of_the_crate(&data)?;
    renders.push(Speed::of(
        "… by the renderer of the handlebars crate",
        measured(args, &mut || drop(black_box(crates())))?,
    ));
    let (mut no_js, mut times_js) = (None, None);
    match others::of_js(args, &data) {
        Ok(us) => {
            renders.push(Speed::of("… by handlebars.js", us));
            times_js = ours.map(|ours| us / ours);
        }
        Err(why) => no_js = Some(format!("{why:#}")),
    }

    let mut compiles = Vec::new();
    for (what, content) in [
        ("html of 4 values a line, without styles", &bare),
        ("html whose styles are put in line", &html),
        ("MJML, whose styles are put in line", &mjml),
    ] {
        let source: Source = content.clone().into();
        let us = measured(args, &mut || drop(black_box(Template::compile(black_box(&source)).ok())))?;
        compiles.push(Speed::of(what, us));
    }
    Ok(Report {
        lines: sample::LINES,
        html_bytes: mail.html.len(),
        text_bytes: mail.text.len(),
        renders,
        compiles,
        no_js,
        times_js,
    })
}

fn compiled(content: &Content) -> anyhow::Result<Template> {
    let source: Source = content.clone().into();
    Template::compile(&source).map_err(|problems| anyhow::anyhow!("the sample does not compile: {problems:?}"))
}

/// Microseconds of processor time of one, the median of the rounds. What others take of the
/// core meanwhile is not in it.
fn measured(args: &Args, work: &mut dyn FnMut()) -> anyhow::Result<f64> {
    let round = |work: &mut dyn FnMut(), least_us: f64| -> anyhow::Result<f64> {
        let (start, mut times) = (processor_us()?, 0_u32);
        loop {
            for _ in 0..20 {
                work();
            }
            times += 20;
            let taken = processor_us()? - start;
            if taken >= least_us {
                return Ok(taken / f64::from(times));
            }
        }
    };
    let least_us = args.round_ms as f64 * 1e3;
    // The first finds caches cold.
    round(work, least_us)?;
    let rounds: anyhow::Result<Vec<f64>> = (0..args.rounds.max(1)).map(|_| round(work, least_us)).collect();
    Ok(crate::stats::median(rounds?))
}

/// Microseconds for which this thread has had a processor.
fn processor_us() -> anyhow::Result<f64> {
    Ok(crate::proc::thread_cpu()?.as_secs_f64() * 1e6)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |name: &'static str, speeds: &[Speed]| {
            let mut table = Table::new([name, "µs", "each/s", "aim"]);
            for speed in speeds {
                let aim = speed.aim_each_second.map_or_else(String::new, |aim| format!("{aim:.0}"));
                table.row([speed.what.clone(), format!("{:.1}", speed.us), format!("{:.0}", speed.each_second), aim]);
            }
            table
        };
        let Self { lines, html_bytes, text_bytes, .. } = self;
        writeln!(f, "An order of {lines} lines; {html_bytes} bytes of HTML and {text_bytes} of text.\n")?;
        writeln!(f, "{}", of("render, on one core", &self.renders))?;
        write!(f, "{}", of("compile", &self.compiles))?;
        if let Some(times) = self.times_js {
            writeln!(f, "\nAt the same loop {times:.1} times as quick as handlebars.js.")?;
        }
        if let Some(why) = &self.no_js {
            writeln!(f, "\nhandlebars.js was not measured: {why}")?;
        }
        Ok(())
    }
}
