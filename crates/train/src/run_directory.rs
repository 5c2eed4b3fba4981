//! Run directories: the folder of one run.
//!
//! It holds `config.toml` as resolved, `metrics.csv` and its TensorBoard events,
//! `checkpoints/{latest,best}`, `environment.json`, and the reports on the run. A finished run is
//! never overwritten.

use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tellapart_files::write_atomically;

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::metrics::{MetricRecord, csv_header};
use crate::tensorboard;

/// Name of the resolved configuration. Its presence means that the run has begun.
const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.csv";
/// Name of the event file. TensorBoard looks for `tfevents` in file names.
const EVENTS: &str = "events.out.tfevents.tellapart";
/// Name of the summary. It is written last: its presence means that the run is finished.
const SUMMARY: &str = "summary.json";

/// Name of the file that is locked while the run is trained. Its content does not matter.
const LOCK: &str = "lock";

/// Lock held while a run is trained. Two processes at once would mix their rows and checkpoints.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Option<File>,
}

/// Folder that belongs to one run. It is created when training begins.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

/// Program and machine that a run was trained with.
#[derive(Debug, Clone, Serialize)]
pub struct RunEnvironment {
    /// Version of this program.
    pub version: &'static str,
    /// Number of CPU cores that the system offers.
    pub cores: usize,
    /// Operating system and processor family.
    pub platform: String,
    /// Device that computed.
    pub device: String,
    /// Seed of the run.
    pub seed: u64,
}

impl RunDirectory {
    /// Opens a folder for a new run or, with `resume`, the folder of a run that may have begun
    /// earlier. Resuming a finished run is allowed: there is nothing left to train. Nothing is
    /// written yet. Use [`RunDirectory::resume`] where the run must have begun.
    ///
    /// # Errors
    /// The path leads through a file. A run is there already and `resume` is false, or the run
    /// there has another configuration.
    pub fn open(path: &Path, config: &ValidConfig, resume: bool) -> Result<Self, TrainError> {
        let directory = Self {
            path: path.to_path_buf(),
        };
        let problem = |problem: String| {
            Err(TrainError::Run {
                path: path.to_path_buf(),
                problem,
            })
        };
        if let Some(file) = path.ancestors().find(|part| part.is_file()) {
            let file = file.display();
            return problem(format!("{file} is a file; name a folder with --out"));
        }
        if directory.is_finished() && !resume {
            return problem("a finished run is here; choose another folder with --out".to_string());
        }
        let stored = directory.file(CONFIG);
        if stored.exists() {
            if !resume {
                return problem(
                    "an unfinished run is here; continue it with --resume, or choose another folder"
                        .to_string(),
                );
            }
            let before = crate::config::read(&stored, &[])?;
            if before != *config {
                return problem(format!(
                    "the run here began with other settings ({}); resume it with the same options, or \
                     choose another folder",
                    tellapart_settings::differences(&*before, &**config)
                ));
            }
        }
        Ok(directory)
    }

    /// Opens the folder of a run that began earlier. Nothing is written yet.
    ///
    /// # Errors
    /// No run began here, or it has another configuration.
    pub fn resume(path: &Path, config: &ValidConfig) -> Result<Self, TrainError> {
        let directory = Self::open(path, config, true)?;
        if Self::has_begun(path) {
            return Ok(directory);
        }
        Err(TrainError::Run {
            path: path.to_path_buf(),
            problem:
                "there is no run here to resume; leave out --resume to begin one, or name the \
                      folder of a run with --out"
                    .to_string(),
        })
    }

    /// Whether a run began in the folder: it holds a `config.toml`.
    pub fn has_begun(path: &Path) -> bool {
        path.join(CONFIG).is_file()
    }

    /// Creates the folder, locks it, and writes the configuration and `environment.json`. It is
    /// called once everything that the run needs is there, so that a run that cannot begin leaves
    /// nothing behind.
    ///
    /// # Errors
    /// Another process is training here; otherwise those of the system.
    pub(crate) fn begin(&self, config: &ValidConfig) -> Result<Lock, TrainError> {
        // A finished run is only read.
        if self.is_finished() {
            return Ok(Lock { _file: None });
        }
        for folder in [
            self.path.clone(),
            self.file("checkpoints"),
            self.file("figures"),
        ] {
            fs::create_dir_all(&folder).map_err(|source| TrainError::Io {
                action: "cannot create",
                path: folder,
                source,
            })?;
        }
        let lock = self.lock()?;
        if self.file(CONFIG).exists() {
            return Ok(lock);
        }
        let text = toml::to_string(&**config).map_err(|error| TrainError::Run {
            path: self.file(CONFIG),
            problem: error.to_string(),
        })?;
        let surroundings = RunEnvironment {
            version: env!("CARGO_PKG_VERSION"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            device: config.device.clone(),
            seed: config.seed,
        };
        self.write_json("environment.json", &surroundings)?;
        self.write(CONFIG, text.as_bytes())?;
        Ok(lock)
    }

    fn lock(&self) -> Result<Lock, TrainError> {
        let path = self.file(LOCK);
        let io = |source| TrainError::Io {
            action: "cannot lock",
            path: path.clone(),
            source,
        };
        let file = File::create(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(TrainError::Run {
                path: self.path.clone(),
                problem:
                    "another process is training this run; wait for it, or choose another folder"
                        .to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file inside the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether the summary has been written.
    pub fn is_finished(&self) -> bool {
        self.file(SUMMARY).exists()
    }

    /// Writes the summary, which finishes the run.
    ///
    /// # Errors
    /// Those of the system.
    pub fn finish(&self, summary: &impl Serialize) -> Result<(), TrainError> {
        self.write_json(SUMMARY, summary)
    }

    /// Writes a whole file atomically: under another name, then renamed.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        Ok(write_atomically(&self.file(name), |out| {
            out.write_all(bytes)
        })?)
    }

    /// Writes a record as a JSON file, atomically.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write_json(&self, name: &str, record: &impl Serialize) -> Result<(), TrainError> {
        let mut text = serde_json::to_vec_pretty(record).map_err(|error| TrainError::Run {
            path: self.file(name),
            problem: error.to_string(),
        })?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Starts `metrics.csv` with its header, and the event file.
    pub(crate) fn begin_metrics(&self, names: &[Cow<'static, str>]) -> Result<(), TrainError> {
        self.write_metrics(names, &[])
    }

    fn write_metrics(
        &self,
        names: &[Cow<'static, str>],
        records: &[MetricRecord],
    ) -> Result<(), TrainError> {
        let mut text = format!("{}\n", csv_header(names));
        let mut events = tensorboard::start();
        for record in records {
            text.push_str(&record.csv_row());
            text.push('\n');
            events.extend(tensorboard::scalars(record));
        }
        self.write(METRICS, text.as_bytes())?;
        self.write(EVENTS, &events)
    }

    /// Appends one row to `metrics.csv` and to the event file.
    pub(crate) fn append_metrics(&self, record: &MetricRecord) -> Result<(), TrainError> {
        self.append(METRICS, format!("{}\n", record.csv_row()).as_bytes())?;
        self.append(EVENTS, &tensorboard::scalars(record))
    }

    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.file(name);
        let file = fs::OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(bytes))
            .map_err(|source| TrainError::Io {
                action: "cannot write",
                path,
                source,
            })
    }

    /// Drops rows after `update`, which will be made again, and returns the others.
    pub(crate) fn keep_metrics_until(
        &self,
        update: u64,
        names: &[Cow<'static, str>],
    ) -> Result<Vec<MetricRecord>, TrainError> {
        let path = self.file(METRICS);
        let problem = |problem: String| TrainError::Run {
            path: path.clone(),
            problem,
        };
        let file = fs::File::open(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => problem(
                "is missing; restore it from a copy, or start a new run in another folder"
                    .to_string(),
            ),
            _ => TrainError::Io {
                action: "cannot read",
                path: path.clone(),
                source,
            },
        })?;
        let header = csv_header(names);
        let mut records = Vec::new();
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(|source| TrainError::Io {
                action: "cannot read",
                path: path.clone(),
                source,
            })?;
            if number == 0 {
                if line.trim_end() != header {
                    return Err(problem(
                        "its first line is not the expected one: it is damaged, or of another \
                         version; restore it from a copy, or start a new run in another folder"
                            .to_string(),
                    ));
                }
                continue;
            }
            // A torn last line belongs to an update that will be made again.
            let Some(record) = MetricRecord::from_csv(&line, names) else {
                break;
            };
            if record.update > update {
                break;
            }
            records.push(record);
        }
        // A finished run is only read.
        if !self.is_finished() {
            self.write_metrics(names, &records)?;
        }
        Ok(records)
    }
}
