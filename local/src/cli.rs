//! The command line.

use clap::{Args, Parser, Subcommand};
use local::Options;
use std::path::PathBuf;

/// Runs the bundle that template.yaml describes on this machine.
#[derive(Debug, Parser)]
#[command(name = "local", args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the bundle until it is interrupted (as without a command).
    Serve(Serve),
    /// Run one function's process. The runner starts it.
    #[command(hide = true)]
    Function {
        /// The function's name.
        name: String,
    },
    /// Start the bundle in memory, play a small shop's day and show which mails went out.
    Demo {
        /// Print one JSON object for programs.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        what: What,
    },
    /// Start the bundle in memory, run a function once and print its answer.
    Invoke {
        /// The function's name.
        function: String,
        /// A file with the event, JSON.
        event: PathBuf,
        #[command(flatten)]
        what: What,
    },
}

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// The template.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    template: PathBuf,
    /// The program that runs functions, as `PROGRAM function NAME`, instead of this one.
    #[arg(long, value_name = "PROGRAM", hide = true)]
    exe: Option<PathBuf>,
    /// Run the programs in DIR/NAME/bootstrap instead of those built in.
    #[arg(long, value_name = "DIR")]
    bootstraps: Option<PathBuf>,
    /// Give a parameter of the template a value.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    what: What,
    /// Start with nothing, deleting what is kept.
    #[arg(long)]
    fresh: bool,
    /// Keep nothing.
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// Where everything is kept.
    #[arg(long, default_value = ".local", value_name = "DIR")]
    data: PathBuf,
    /// The HTTP API's port; 0 is any free one.
    #[arg(long, default_value_t = 3000, value_name = "PORT")]
    api_port: u16,
    /// The page's port; 0 is any free one.
    #[arg(long, default_value_t = 3001, value_name = "PORT")]
    page_port: u16,
    /// Most processes of one function.
    #[arg(long, default_value_t = 4, value_name = "N")]
    max_instances: usize,
}

impl What {
    pub(crate) fn options(self) -> Options {
        let mut options = Options::new(self.template);
        options.exe = self.exe;
        options.bootstraps = self.bootstraps;
        options.parameters = self.parameters.into_iter().collect();
        options
    }
}

impl Serve {
    pub(crate) fn options(self) -> Options {
        let mut options = self.what.options();
        options.fresh = self.fresh;
        options.data = (!self.memory).then_some(self.data);
        options.api_port = self.api_port;
        options.page_port = self.page_port;
        options.max_instances = self.max_instances;
        options
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is wanted")?;
    Ok((name.to_owned(), value.to_owned()))
}
