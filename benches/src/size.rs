//! How large the functions are.

use crate::build::Programs;
use crate::table::Table;
use serde::Serialize;
use std::fmt;

/// What a program should not exceed.
const AIM: f64 = 8.0;

/// Every function's program.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    functions: Vec<Program>,
    aim_mb: f64,
}

#[derive(Debug, Serialize)]
struct Program {
    name: String,
    bytes: u64,
    /// Millions of bytes.
    mb: f64,
}

pub(crate) fn run(programs: &Programs) -> anyhow::Result<Report> {
    programs.built()?;
    let program = |name: &String| {
        let bytes = programs.program(name)?.metadata()?.len();
        anyhow::Ok(Program { name: name.clone(), bytes, mb: bytes as f64 / 1e6 })
    };
    let functions: anyhow::Result<Vec<_>> = programs.names().iter().map(program).collect();
    Ok(Report { functions: functions?, aim_mb: AIM })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["function", "bytes", "MB", ""]);
        for program in &self.functions {
            let verdict = if program.mb <= self.aim_mb { "" } else { "over the aim" };
            table.row([program.name.clone(), program.bytes.to_string(), format!("{:.2}", program.mb), verdict.into()]);
        }
        writeln!(f, "{table}aim: at most {} MB each", self.aim_mb)
    }
}
