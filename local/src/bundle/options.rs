//! How a bundle is started.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The template.
    pub template: PathBuf,
    /// Where everything is kept; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// Start with nothing, deleting what the data folder holds.
    pub fresh: bool,
    /// The HTTP API's port; 0 is any free one.
    pub api_port: u16,
    /// The port of the page and of programs; 0 is any free one.
    pub page_port: u16,
    /// The program that runs a function when started as `PROGRAM function NAME`; this one if `None`.
    pub exe: Option<PathBuf>,
    /// A folder of `NAME/bootstrap` programs to run instead.
    pub bootstraps: Option<PathBuf>,
    /// Values of the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Most processes of one function.
    pub max_instances: usize,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Verified sender identities, beside those of the template and those its policies let send.
    pub identities: Vec<String>,
    /// SES's recipients per second.
    pub max_send_rate: f64,
    /// SES's recipients per 24 hours; negative for no limit.
    pub max_24_hour_send: f64,
}

impl Options {
    /// In memory, on free ports.
    pub fn new(template: impl Into<PathBuf>) -> Self {
        Self {
            template: template.into(),
            data: None,
            fresh: false,
            api_port: 0,
            page_port: 0,
            exe: None,
            bootstraps: None,
            parameters: BTreeMap::new(),
            max_instances: 4,
            stack_name: "cartwire".to_owned(),
            identities: Vec::new(),
            max_send_rate: 1_000.0,
            max_24_hour_send: 5_000_000.0,
        }
    }
}
