//! Runs the paper's experiment: four runs of each seed in the counting environment.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tellapart_progress::Progress;
use tellapart_report::render_html;
use tellapart_train::config::{ConfigError, ConfigLayer, parse};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::{RunDirectory, TrainError, ValidConfig, train};

use super::ExperimentError;
use super::follow::ValidationAudit;
use super::measure::measure;
use super::pages::{ReportedRun, experiment, write_figures};
use super::summary::{RunSummary, Summary};
use super::truth::Truth;

/// The four runs, by name and configuration, in the order of the tables.
pub const RUNS: [(&str, &str); 4] = [
    (
        "joint-reward",
        include_str!("../../../../configs/joint-reward.toml"),
    ),
    (
        "joint-random",
        include_str!("../../../../configs/joint-random.toml"),
    ),
    (
        "reward-only",
        include_str!("../../../../configs/reward-only.toml"),
    ),
    (
        "dynamics-only",
        include_str!("../../../../configs/dynamics-only.toml"),
    ),
];
const QUICK: ConfigLayer<'_> = ConfigLayer {
    text: include_str!("../../../../configs/settings/quick.toml"),
    origin: "configs/settings/quick.toml",
};
const PLAIN: ConfigLayer<'_> = ConfigLayer {
    text: include_str!("../../../../configs/settings/plain.toml"),
    origin: "configs/settings/plain.toml",
};

/// Networks of the four runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Predictor and head with declared Lipschitz constants.
    Bounded,
    /// Plain MLPs.
    Plain,
}

/// Name of the summary of all runs, which is written last.
const SUMMARY: &str = "summary.json";

/// Plan of an experiment.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seeds; each gets a set of four runs.
    pub seeds: Vec<u64>,
    /// Networks of the runs.
    pub setting: Setting,
    /// Whether to use the cheap encoder and fewer updates.
    pub quick: bool,
    /// Output folder.
    pub out: PathBuf,
    /// Whether to continue the runs in `out`.
    pub resume: bool,
    /// Number of runs trained at a time; results do not depend on it.
    pub jobs: usize,
    /// Keys changed in all runs, `key.path=value`.
    pub overrides: Vec<String>,
}

/// Receiver of progress, called from any thread, which may also stop the runs.
pub trait RunProgress: Progress {
    /// Receives one record of one run.
    fn updated(&self, run: &ValidConfig, record: &MetricRecord);
    /// Receives the summary of a run that has been measured.
    fn measured(&self, run: &RunSummary);
}

impl Plan {
    /// Returns the configurations of all runs, seed by seed.
    ///
    /// # Errors
    /// An override that does not fit, or of a key that the experiment sets itself.
    pub fn configs(&self) -> Result<Vec<ValidConfig>, ConfigError> {
        let own = ["name", "seed", "data.source", "environment.world"];
        let sets = |word: &str| {
            let key = word.split('=').next().unwrap_or_default().trim();
            let is_above = |own: &str| {
                own.strip_prefix(key)
                    .is_some_and(|rest| rest.starts_with('.'))
            };
            own.iter().any(|&own| own == key || is_above(own))
        };
        let taken = self.overrides.iter().find(|word| sets(word));
        if let Some(word) = taken {
            return Err(ConfigError::Taken { word: word.clone() });
        }
        let mut configs = Vec::new();
        for seed in &self.seeds {
            for (name, text) in RUNS {
                let origin = format!("configs/{name}.toml");
                let mut layers = vec![ConfigLayer {
                    text,
                    origin: &origin,
                }];
                if self.quick {
                    layers.push(QUICK);
                }
                if self.setting == Setting::Plain {
                    layers.push(PLAIN);
                }
                let mut overrides = self.overrides.clone();
                overrides.push(format!("seed={seed}"));
                configs.push(parse(&layers, &overrides)?);
            }
        }
        Ok(configs)
    }

    /// Trains, measures and reports all runs. Writes a folder for each run under `out`, and
    /// `summary.json`, `report.html` and `figures/` for all of them.
    ///
    /// # Errors
    /// The error of the first run that failed; [`ExperimentError::Stopped`] if `progress` asked for
    /// it.
    pub fn run(&self, progress: &dyn RunProgress) -> Result<Summary, ExperimentError> {
        let configs = self.configs().map_err(TrainError::from)?;
        let Some(first) = configs.first() else {
            return Err(ExperimentError::NoSeeds);
        };
        let truth = Truth::of(first)?;
        // Checks every folder before anything is trained.
        let summary = self.out.join(SUMMARY);
        if summary.exists() && !self.resume {
            return Err(TrainError::Run {
                path: self.out.clone(),
                problem: "a finished experiment is here; choose another folder with --out"
                    .to_string(),
            }
            .into());
        }
        let mut directories = Vec::with_capacity(configs.len());
        for config in &configs {
            directories.push(RunDirectory::open(
                &self.folder_of(config),
                config,
                self.resume,
            )?);
        }

        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<Result<ReportedRun, ExperimentError>>>> =
            Mutex::new(configs.iter().map(|_| None).collect());
        let failed = AtomicBool::new(false);
        let either = UntilFailure {
            progress,
            failed: &failed,
        };
        let work = || {
            while !either.stopped() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(config) = configs.get(index) else {
                    break;
                };
                let result = one_run(config, &directories[index], &truth, &either);
                if result.is_err() {
                    failed.store(true, Ordering::Relaxed);
                }
                if let Ok(mut results) = results.lock() {
                    results[index] = Some(result);
                }
            }
        };
        // Runs that train at the same time share the cores, so each gets its own pool.
        let jobs = self.jobs.clamp(1, configs.len());
        let threads = (rayon::current_num_threads() / jobs).max(1);
        let pools = (0..jobs)
            .map(|_| rayon::ThreadPoolBuilder::new().num_threads(threads).build())
            .collect::<Result<Vec<_>, _>>()?;
        std::thread::scope(|scope| {
            for pool in &pools {
                scope.spawn(|| pool.install(work));
            }
        });
        let results = results
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut shown = Vec::with_capacity(results.len());
        let mut unfinished = false;
        for result in results {
            match result {
                Some(Err(ExperimentError::Stopped { .. })) | None => unfinished = true,
                Some(result) => shown.push(result?),
            }
        }
        if unfinished {
            return Err(ExperimentError::Stopped {
                folder: self.out.display().to_string(),
            });
        }
        self.report(&truth, &shown)
    }

    fn report(&self, truth: &Truth, shown: &[ReportedRun]) -> Result<Summary, ExperimentError> {
        let runs = shown.iter().map(|run| run.summary.clone()).collect();
        let setting = match self.setting {
            Setting::Bounded => "bounded",
            Setting::Plain => "plain",
        };
        let summary = Summary::new(setting, self.quick, truth, runs);
        let side_by_side = &shown[..shown.len().min(RUNS.len())];
        let lead = findings(&summary, &truth.nouns());
        let title = "Which counts does an encoder keep apart?";
        let page = experiment(title, &lead, truth, side_by_side, &summary);
        for run in &page.runs {
            let prefix = format!("{}-", run.name);
            write_figures(&self.out.join("figures"), &prefix, run, &page.classes)?;
        }
        let write = |name: &str, bytes: &[u8]| {
            tellapart_files::write_atomically(&self.out.join(name), |out| out.write_all(bytes))
        };
        write("report.html", render_html(&page)?.as_bytes())?;
        let mut json = serde_json::to_vec_pretty(&summary).map_err(|error| TrainError::Run {
            path: self.out.join(SUMMARY),
            problem: error.to_string(),
        })?;
        json.push(b'\n');
        write(SUMMARY, &json)?;
        Ok(summary)
    }

    fn folder_of(&self, config: &ValidConfig) -> PathBuf {
        self.out
            .join(format!("seed-{}", config.seed))
            .join(Path::new(&config.name))
    }
}

/// Progress that also stops all runs once one has failed.
struct UntilFailure<'a> {
    progress: &'a dyn RunProgress,
    failed: &'a AtomicBool,
}

impl Progress for UntilFailure<'_> {
    fn stopped(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.progress.stopped()
    }
}

impl RunProgress for UntilFailure<'_> {
    fn updated(&self, run: &ValidConfig, record: &MetricRecord) {
        self.progress.updated(run, record);
    }

    fn measured(&self, run: &RunSummary) {
        self.progress.measured(run);
    }
}

/// Trains and measures one run, and writes its folder.
///
/// # Errors
/// The errors of training and measuring; [`ExperimentError::Stopped`] if `progress` asked for it.
pub fn one_run(
    config: &ValidConfig,
    directory: &RunDirectory,
    truth: &Truth,
    progress: &dyn RunProgress,
) -> Result<ReportedRun, ExperimentError> {
    let stopped = || ExperimentError::Stopped {
        folder: directory.path().display().to_string(),
    };
    let mut follower = ValidationAudit::new(&truth.class_of_state, progress, |record| {
        progress.updated(config, record);
    });
    let trained = train(config, Some(directory), &mut follower)?;
    if trained.stopped {
        return Err(stopped());
    }
    let measured = measure(&trained, config, truth, &follower)?;
    if progress.stopped() {
        return Err(stopped());
    }
    let summary = RunSummary::new(config, &trained, &measured);
    let shown = ReportedRun {
        config: config.clone(),
        summary,
        measured,
        records: trained.records,
    };
    // A finished run is measured again, but never written again.
    if !directory.is_finished() {
        shown.write(directory, truth)?;
        directory.finish(&shown.summary)?;
    }
    progress.measured(&shown.summary);
    Ok(shown)
}

/// Describes the findings in words, seed by seed where seeds differ. `nouns` is what classes are
/// called, such as `counts`.
pub fn findings(summary: &Summary, nouns: &str) -> String {
    let mut text = format!(
        "The largest bisimulation of the environment with respect to the reward has {} classes: an \
         encoder must keep that many {} apart.",
        summary.largest_bisimulation.classes, nouns
    );
    let mut names: Vec<&str> = Vec::new();
    for run in &summary.runs {
        if !names.contains(&run.name.as_str()) {
            names.push(&run.name);
        }
    }
    for name in names {
        let runs: Vec<&RunSummary> = summary.runs.iter().filter(|run| run.name == name).collect();
        let merges: Vec<String> = runs
            .iter()
            .map(|run| merged_in_words(run, summary, nouns))
            .collect();
        let all_equal = merges.iter().all(|merge| *merge == merges[0]);
        text.push_str(&format!(" {name} "));
        if all_equal {
            text.push_str(&merges[0]);
        } else {
            let each = runs
                .iter()
                .zip(&merges)
                .map(|(run, merge)| format!("{merge} (seed {})", run.seed));
            text.push_str(&each.collect::<Vec<_>>().join("; "));
        }
        text.push('.');
    }
    if let Some(contrast) = contrast(summary) {
        text.push_str(&contrast);
    }
    text
}

/// Compares what joint and auxiliary-only training merge, seed by seed.
fn contrast(summary: &Summary) -> Option<String> {
    let of = |name: &str, seed: u64| {
        summary
            .runs
            .iter()
            .find(move |run| run.name == name && run.seed == seed)
    };
    let pairs: Vec<(&RunSummary, &RunSummary)> = summary
        .runs
        .iter()
        .filter(|run| run.name == "joint-reward")
        .filter_map(|joint| Some((joint, of("reward-only", joint.seed)?)))
        .collect();
    let count = |holds: fn(&RunSummary, &RunSummary) -> bool| {
        pairs
            .iter()
            .filter(|(joint, alone)| holds(joint, alone))
            .count()
    };
    let more = count(|joint, alone| alone.merged_pairs.len() > joint.merged_pairs.len());
    let fewer = count(|joint, alone| alone.certified_pairs < joint.certified_pairs);
    let seeds = pairs.len();
    (seeds > 0).then(|| {
        format!(
            " Without L_dyn in the encoder more pairs are merged than with it on {more} of {seeds} \
             {}, and fewer are certified apart on {fewer}.",
            if seeds == 1 { "seed" } else { "seeds" }
        )
    })
}

fn merged_in_words(run: &RunSummary, summary: &Summary, nouns: &str) -> String {
    let classes = summary.largest_bisimulation.classes as u32;
    let pairs = (0..classes).flat_map(|a| (a + 1..classes).map(move |b| [a, b]));
    let (merged, apart): (Vec<_>, Vec<_>) = pairs.partition(|pair| run.merged_pairs.contains(pair));
    let listed = |pairs: &[[u32; 2]]| {
        pairs
            .iter()
            .map(|[a, b]| format!("{a}-{b}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let all = merged.len() + apart.len();
    // Only the reward makes these the classes: another p asks for other distinctions.
    if run.target != "reward" {
        return format!(
            "was not asked to keep {} apart, and {} of {all} pairs of them overlap",
            nouns,
            merged.len()
        );
    }
    match (merged.len(), apart.len()) {
        (0, _) => "merges no two of them".to_string(),
        (_, 0) => "merges them all".to_string(),
        (some, rest) if some <= rest => format!("merges {}", listed(&merged)),
        (some, _) => format!("merges {some} of {all} pairs, all but {}", listed(&apart)),
    }
}
