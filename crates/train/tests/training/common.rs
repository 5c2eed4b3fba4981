//! Tiny runs, and what tests compare of them.

use std::collections::BTreeMap;
use std::path::Path;

use tellapart_data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;
use tellapart_model::parameters::{ParameterValues, parameters};
use tellapart_progress::Progress;
use tellapart_train::config::ConfigLayer;
use tellapart_train::metrics::MetricRecord;
use tellapart_train::{Observer, RunDirectory, Trained, ValidConfig, config, train};

/// World of 16x16 images.
const WORLD: &str = r#"
[environment]
image_side = 16
radius = 1
min_distance = 3
max_count = 2
target = 1
"#;

/// Run of a dozen updates, in whatever world.
const RUN: &str = r#"
[data]
window = 16
[model]
latent = 4
hidden = 8
[optimizer]
updates = 12
warmup = 2
[loss.dynamics]
ramp_start = 2
ramp_end = 6
[evaluation]
log_every = 1
every = 4
validation_per_state = 4
held_out_per_state = 4
horizon_steps = 3
"#;

pub(crate) fn tiny(words: &[&str]) -> ValidConfig {
    tiny_in(WORLD, words)
}

/// Returns a tiny run in the world of this TOML text.
pub(crate) fn tiny_in(world: &str, words: &[&str]) -> ValidConfig {
    let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
    let origin = "tiny";
    let layers = [world, RUN].map(|text| ConfigLayer { text, origin });
    config::parse(&layers, &words).unwrap()
}

/// Observer that stops a run after a number of updates.
struct StopAfter(u64, u64);

impl Observer for StopAfter {
    fn updated(&mut self, record: &MetricRecord) {
        self.1 = record.update;
    }
}

impl Progress for StopAfter {
    fn stopped(&self) -> bool {
        self.1 + 1 >= self.0
    }
}

pub(crate) fn run(config: &ValidConfig, folder: &Path, resume: bool, stop_after: u64) -> Trained {
    let directory = RunDirectory::open(folder, config, resume).unwrap();
    train(config, Some(&directory), &mut StopAfter(stop_after, 0)).unwrap()
}

/// Asserts that a run that was stopped and continued gives the numbers of one that was not.
/// Returns the uninterrupted one.
pub(crate) fn assert_resumes(config: &ValidConfig, folder: &Path, what: &str) -> Trained {
    let whole = run(config, &folder.join("whole"), false, u64::MAX);
    let torn = folder.join("torn");
    let first = run(config, &torn, false, 7);
    let updates = first.updates;
    assert!(first.stopped && updates < 12, "{what}: {updates}");
    let second = run(config, &torn, true, u64::MAX);
    assert!(!second.stopped);
    assert_eq!(values(&whole), values(&second), "{what}");
    assert_eq!(without_times(&whole), without_times(&second), "{what}");
    whole
}

pub(crate) fn without_times(trained: &Trained) -> Vec<MetricRecord> {
    let mut records = trained.records.clone();
    records
        .iter_mut()
        .for_each(|record| record.scalars.retain(|one| one.name != "cpu_seconds"));
    records
}

pub(crate) fn values(trained: &Trained) -> BTreeMap<String, ParameterValues> {
    parameters(&trained.model)
}

/// Returns what a function makes of a run on one, two and three threads.
pub(crate) fn on_threads<R: Send>(of_run: impl Fn() -> R + Sync) -> [R; 3] {
    [1, 2, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(&of_run)
    })
}

/// Writes three episodes of 16x16 images with these rewards.
pub(crate) fn write_recording(path: &Path, reward: impl Fn(usize) -> f32) {
    let rows = 60;
    let last_of_episode = |row: usize| row % 20 == 19;
    let recording = Trajectories::new(TrajectoryParts {
        observations: Frames::U8 {
            shape: vec![16, 16, 3],
            values: (0..rows * 16 * 16 * 3).map(|i| (i % 251) as u8).collect(),
        },
        actions: Actions::Discrete {
            count: 2,
            ids: (0..rows as u32).map(|row| row % 2).collect(),
        },
        rewards: Some(Values::F32((0..rows).map(reward).collect())),
        terminals: vec![false; rows],
        timeouts: (0..rows).map(last_of_episode).collect(),
        ..TrajectoryParts::default()
    });
    recording.unwrap().write_npz(path).unwrap();
}
