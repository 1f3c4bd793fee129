//! The functions' programs: built as they deploy, and found.

use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The functions of the bundle and where their programs are.
pub(crate) struct Programs {
    names: Vec<String>,
    target: PathBuf,
    build: bool,
}

impl Programs {
    /// The packages in `functions/` beside the template.
    ///
    /// # Errors
    /// There is no such folder.
    pub(crate) fn new(template: &Path, target: Option<PathBuf>, build: bool) -> anyhow::Result<Self> {
        let root = template.parent().map(Path::to_path_buf).unwrap_or_default();
        let functions = root.join("functions");
        let folder = std::fs::read_dir(&functions).with_context(|| format!("cannot read {}", functions.display()))?;
        let mut names = Vec::new();
        for entry in folder {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        let of_cargo = || std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        Ok(Self { names, target: target.or_else(of_cargo).unwrap_or_else(|| root.join("target")), build })
    }

    /// Builds them in release, all in one, if that is wanted.
    ///
    /// # Errors
    /// cargo's.
    pub(crate) fn built(&self) -> anyhow::Result<()> {
        if !self.build {
            return Ok(());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--target-dir"]).arg(&self.target);
        for name in &self.names {
            command.args(["-p", name]);
        }
        // The standard output is for the figures.
        let status = command.stdout(Stdio::null()).status().context("cannot run cargo")?;
        ensure!(status.success(), "the functions do not build");
        Ok(())
    }

    /// Their names, in order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A function's program.
    ///
    /// # Errors
    /// It has not been built.
    pub(crate) fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.target.join("release").join(name);
        ensure!(path.is_file(), "{} is not there; build it in release", path.display());
        Ok(std::path::absolute(path)?)
    }
}
