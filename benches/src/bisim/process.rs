//! Runs a program and measures its time and peak memory.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use wait4::Wait4;

/// Longest run; a program that takes longer is stopped.
const LIMIT: Duration = Duration::from_secs(600);

/// Program to run, with its leading arguments and number of threads.
pub(super) struct Program {
    path: PathBuf,
    /// Arguments before all others.
    first: Vec<OsString>,
    threads: usize,
}

/// Output, time and memory of a finished process.
pub(super) struct Run {
    pub(super) output: String,
    pub(super) cpu_seconds: f64,
    pub(super) wall_seconds: f64,
    pub(super) peak_mib: u64,
}

/// One measurement.
pub(super) struct Measured {
    pub(super) classes: usize,
    /// CPU seconds, without reading the input unless `reading` is [`Reading::Included`].
    pub(super) computed: f64,
    pub(super) reading: Reading,
    pub(super) wall: f64,
    /// CPU seconds of the serial part plus those of the busiest thread, where that is known.
    pub(super) path: f64,
    pub(super) peak_mib: u64,
}

/// Accounting of the time of reading the input.
#[derive(Clone, Copy)]
pub(super) enum Reading {
    /// The input is mapped, so reading takes no time.
    Nothing,
    /// CPU seconds of reading, measured separately.
    Apart(f64),
    Included,
}

impl Program {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            first: Vec::new(),
            threads: 1,
        }
    }

    /// Returns this program in a hidden mode.
    pub(super) fn this(mode: &str) -> Result<Self, String> {
        let path = std::env::current_exe().map_err(|error| error.to_string())?;
        Ok(Self::new(path).with(mode))
    }

    /// Adds one argument after those in `first`.
    pub(super) fn with(mut self, word: impl AsRef<OsStr>) -> Self {
        self.first.push(word.as_ref().to_owned());
        self
    }

    pub(super) fn on_threads(&self, threads: usize) -> Self {
        Self {
            path: self.path.clone(),
            first: self.first.clone(),
            threads,
        }
    }

    /// Returns the program of another name in the same folder.
    pub(super) fn sibling(&self, name: &str) -> Self {
        Self::new(self.path.with_file_name(name))
    }

    /// Runs the program with `words` and then the path of a file as arguments.
    ///
    /// This process must stay small: the peak memory of a child includes what its parent held when
    /// the child began.
    pub(super) fn run(&self, words: &[&str], file: &Path) -> Result<Run, String> {
        let failed =
            |problem: &dyn std::fmt::Display| format!("{}: {problem}", self.path.display());
        let clock = Instant::now();
        let mut child = Command::new(&self.path)
            .args(&self.first)
            .args(words)
            .arg(file)
            .env("RAYON_NUM_THREADS", self.threads.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let streams = [reader(child.stdout.take()), reader(child.stderr.take())];
        let ended = loop {
            if let Some(ended) = child.try_wait4().map_err(|error| failed(&error))? {
                break ended;
            }
            if clock.elapsed() > LIMIT {
                child.kill().map_err(|error| failed(&error))?;
                let _ = child.wait();
                return Err(format!("stopped after {} s", LIMIT.as_secs()));
            }
            thread::sleep(Duration::from_millis(2));
        };
        let wall_seconds = clock.elapsed().as_secs_f64();
        let output = streams
            .map(|stream| stream.join().unwrap_or_default())
            .concat();
        if !ended.status.success() {
            let line = output.lines().rev().find(|line| !line.trim().is_empty());
            return Err(failed(&line.unwrap_or("failed without a word")));
        }
        Ok(Run {
            output,
            cpu_seconds: (ended.rusage.utime + ended.rusage.stime).as_secs_f64(),
            wall_seconds,
            peak_mib: ended.rusage.maxrss >> 20,
        })
    }
}

/// Reads all of a stream in a thread, so that a full pipe cannot block the child.
fn reader(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Run {
    /// Returns the number that follows `name` in the output.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let (_, rest) = self.output.split_once(name)?;
        let rest = rest.trim_start();
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'));
        rest[..end.unwrap_or(rest.len())].parse().ok()
    }

    pub(super) fn count(&self, name: &str) -> Result<usize, String> {
        let missing = || format!("printed no {name:?}, but {}", self.output.trim());
        Ok(self.number(name).ok_or_else(missing)? as usize)
    }
}

impl Measured {
    /// Reads the phases that tellapart and the merc and Storm wrappers print: `classes`, `read` if
    /// their input is text, `computed`, and `wall`.
    pub(super) fn from_phases(run: &Run) -> Result<Self, String> {
        Ok(Self {
            classes: run.count("classes")?,
            computed: run.number("computed").ok_or("printed no time")?,
            reading: run.number("read").map_or(Reading::Nothing, Reading::Apart),
            wall: run.number("wall").unwrap_or(run.wall_seconds),
            path: run.number("path").unwrap_or(run.cpu_seconds),
            peak_mib: run.peak_mib,
        })
    }
}
