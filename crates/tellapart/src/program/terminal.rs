//! The only module that writes to the terminal: data to standard output, all else to standard
//! error.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tellapart::progress;

use crate::program::failure::{self, Failure};

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
    interruption: Arc<Interruption>,
}

impl Terminal {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
            interruption: Arc::default(),
        }
    }

    /// The wish of the user to stop, for the handler of Ctrl-C.
    pub(crate) fn interruption(&self) -> &Arc<Interruption> {
        &self.interruption
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
    #[cfg(feature = "train")]
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
        self.interruption.show(&bar);
        Progress {
            bar,
            interruption: Arc::clone(&self.interruption),
        }
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Ends the program well: from here on, Ctrl-C comes too late to make a failure of it.
    pub(crate) fn succeed(self) -> u8 {
        self.interruption.leave_the_end_to_me();
        0
    }

    /// Prints why the program ends, and returns its exit code.
    pub(crate) fn fail(self, failure: &Failure) -> u8 {
        self.interruption.leave_the_end_to_me();
        self.last_words(failure)
    }

    fn last_words(mut self, failure: &Failure) -> u8 {
        match failure {
            Failure::ReaderGone => {
                // The buffered output has no reader; dropping the buffer must not try to write it
                // again.
                let _ = self.out.into_parts();
                0
            }
            Failure::Unhealthy => match self.flush() {
                Ok(()) => failure::UNHEALTHY,
                Err(failure) => self.last_words(&failure),
            },
            Failure::Told { code, .. } => {
                // Results that were ready come before the error.
                let _ = self.out.flush();
                tell_failure(failure);
                *code
            }
        }
    }
}

/// Wish of the user to stop, shared by the handler of Ctrl-C and all work.
#[derive(Default)]
pub(crate) struct Interruption {
    is_wanted: AtomicBool,
    /// Whether one thread is already printing the last words of the program.
    is_ending: AtomicBool,
    /// Bar to clear at an abrupt end.
    bar: Mutex<Option<ProgressBar>>,
}

impl Interruption {
    /// Asks all work to stop. Returns whether that was asked before.
    pub(crate) fn ask(&self) -> bool {
        self.is_wanted.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }

    fn show(&self, bar: &ProgressBar) {
        let mut shown = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(bar.clone());
    }

    /// Keeps others from ending the program. If another thread is at it, waits for that end.
    fn leave_the_end_to_me(&self) {
        while self.is_ending.swap(true, Ordering::Relaxed) {
            std::thread::park();
        }
    }

    /// Clears the bar, prints that the program was stopped, and ends it.
    pub(crate) fn end(&self) -> ! {
        self.leave_the_end_to_me();
        let shown = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &*shown {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        tell_failure(&Failure::stopped());
        std::process::exit(failure::FAILED.into());
    }
}

/// Progress bar; may be moved from any thread.
pub(crate) struct Progress {
    bar: ProgressBar,
    interruption: Arc<Interruption>,
}

impl progress::Progress for Progress {
    /// A stage that has just begun may never tell its share, so it is shown as busy until it does.
    fn progress(&self, stage: &str, fraction: f64) {
        if fraction > 0.0 {
            self.part_of(stage, fraction);
        } else {
            self.busy_with(stage);
        }
    }

    fn stopped(&self) -> bool {
        self.interruption.is_wanted()
    }
}

impl Progress {
    /// Advances the bar by a number of steps.
    #[cfg(feature = "train")]
    pub(crate) fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// Writes a line to standard error without tearing the bar.
    #[cfg(feature = "train")]
    pub(crate) fn note(&self, text: impl Display) {
        self.bar.suspend(|| tell(text));
    }

    pub(crate) fn set(&self, done: usize) {
        self.bar.set_position(done as u64);
    }

    /// Shows the current work and the share of it that is done.
    fn part_of(&self, what: &str, share: f64) {
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {eta} left") {
            self.bar.set_style(style);
        }
        self.bar.set_message(what.to_owned());
        self.bar.set_position((1000.0 * share) as u64);
    }

    /// Shows the current work, of unknown length.
    pub(crate) fn busy_with(&self, what: &str) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            self.bar.set_style(style);
        }
        self.bar.set_message(what.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn tell_failure(failure: &Failure) {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    tell(format_args!("{red}error:{red:#} {failure}"));
}

/// Prints a line to standard error, without colors where they are not wanted (`NO_COLOR`, no
/// terminal). Failures are ignored, since there is nowhere to report them.
fn tell(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
