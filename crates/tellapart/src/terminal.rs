//! The only module that writes to the terminal: data to standard output, all else to standard
//! error.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::failure::{self, Failure};

/// Amount of text printed in addition to the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Also files that were written, and progress.
    Normal,
    /// Also settings and times.
    Verbose,
}

/// Standard output and standard error, with the rules for their use.
pub(crate) struct Terminal {
    verbosity: Verbosity,
    out: BufWriter<Stdout>,
}

impl Terminal {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
        }
    }

    /// Writer of the result, buffered and flushed at the end of the program.
    pub(crate) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Prints the result as one JSON document on one line.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, document).map_err(io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Whether only errors are printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Prints what was done, unless `--quiet` is given.
    pub(crate) fn note(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            tell(text);
        }
    }

    /// Prints details, only if `--verbose` is given.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Verbose {
            tell(text);
        }
    }

    /// Makes a progress bar over `total` steps, named by their unit. It shows on a terminal only,
    /// and disappears when dropped.
    pub(crate) fn progress(&self, total: usize, unit: &str) -> Progress {
        let is_shown = self.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Prints why the program ends, and returns its exit code.
    pub(crate) fn fail(mut self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::ReaderGone => {
                // The buffered output has no reader; dropping the buffer must not try to write it
                // again.
                let _ = self.out.into_parts();
                ExitCode::SUCCESS
            }
            Failure::Unhealthy => match self.flush() {
                Ok(()) => ExitCode::from(failure::UNHEALTHY),
                Err(failure) => self.fail(&failure),
            },
            Failure::Told { code, .. } => {
                // Results that were ready come before the error.
                let _ = self.out.flush();
                let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
                tell(format_args!("{red}error:{red:#} {failure}"));
                ExitCode::from(*code)
            }
        }
    }
}

/// Progress bar; may be moved from any thread.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Advances the bar by a number of steps.
    pub(crate) fn advance(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// Writes a line to standard error without tearing the bar.
    pub(crate) fn note(&self, text: impl Display) {
        self.0.suspend(|| tell(text));
    }

    pub(crate) fn set(&self, done: usize) {
        self.0.set_position(done as u64);
    }

    /// Shows the current work and the share of it that is done.
    pub(crate) fn part_of(&self, what: &'static str, share: f64) {
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {eta} left") {
            self.0.set_style(style);
        }
        self.0.set_message(what);
        self.0.set_position((1000.0 * share) as u64);
    }

    /// Shows the current work, of unknown length.
    pub(crate) fn busy_with(&self, what: &'static str) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            self.0.set_style(style);
        }
        self.0.set_message(what);
        self.0.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Prints a line to standard error, without colors where they are not wanted (`NO_COLOR`, no
/// terminal). Failures are ignored, since there is nowhere to report them.
fn tell(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
