//! Kills training, and resumes it, until it has come to its end.

use std::{collections::BTreeSet, fs, path::Path, thread, time::Duration};

use super::{
    Ended, Trial,
    compare::{events, rows, without_times},
    files_below, in_file, is_temporary,
};

/// Words that make a run small, with a checkpoint after every third update.
const SMALL: &str = "environment.image_side=16 environment.radius=1 environment.min_distance=3 \
    environment.max_count=2 environment.target=1 data.window=16 model.latent=4 model.hidden=8 \
    target.width=3 optimizer.updates=600 optimizer.warmup=2 evaluation.log_every=2 \
    evaluation.every=3 evaluation.validation_per_state=4 evaluation.held_out_per_state=8 \
    evaluation.horizon_steps=3 decoder.updates=2 decoder.batch=8";
const UPDATES: u64 = 600;

/// Folder of the run that is never interrupted.
const WHOLE: &str = "whole";
const LATEST: &str = "checkpoints/latest";
const METRICS: &str = "metrics.csv";
const EVENTS: &str = "events.out.tfevents.tellapart";

/// Longest wait, in milliseconds, between a write that is seen and the kill.
const MOST_WAIT: f64 = 4.0;

/// Number of kills by what was there afterwards.
#[derive(Default)]
struct Counts {
    before: usize,
    between_writes: usize,
    within_a_file: usize,
    within_a_checkpoint: usize,
    within_a_swap: usize,
    torn_metrics: usize,
    measuring: usize,
    after: usize,
    too_late: usize,
}

pub(super) fn run(trial: &mut Trial) -> Result<(), String> {
    let config = trial.folder.join("run.toml");
    fs::write(&config, "name = \"kills\"\n").map_err(in_file(&config))?;
    let seconds = trial.whole(&words(WHOLE, false))?.as_secs_f64();
    let whole = trial.folder.join(WHOLE);
    let training = seconds_of(&whole, "wall_seconds").ok_or("the run has no wall_seconds")?;
    let (mut counts, mut kills, mut runs, mut left) = (Counts::default(), 0, 0, 0);
    while kills < trial.kills {
        runs += 1;
        let name = format!("killed-{runs}");
        let folder = trial.folder.join(&name);
        let mut update = 0;
        loop {
            let words = words(&name, folder.join("config.toml").is_file());
            if kills == trial.kills {
                trial.whole(&words)?;
                break;
            }
            // What is left of the run, and a little more, so that it comes to its end at times.
            let rest = seconds - training * (update as f64 / UPDATES as f64).min(1.0);
            let share = trial.random.fraction();
            // The beginning is short, so the first kill of a run comes early more often than late.
            let share = if update == 0 { share.powi(3) } else { share };
            let delay = Duration::from_secs_f64(1.15 * rest * share);
            let aim = Aim::of(trial.random.fraction());
            let wait = Duration::from_secs_f64(MOST_WAIT / 1e3 * trial.random.fraction());
            let before = temporary_files(&folder)?;
            let now = || match aim {
                Aim::Anything => true,
                Aim::Swap => is_swapping(&folder),
                Aim::Write => {
                    let is_writing = is_writing(&folder, &before);
                    if is_writing {
                        thread::sleep(wait);
                    }
                    is_writing
                }
            };
            if trial.killed(&words, delay, now)? == Ended::Finished {
                counts.too_late += 1;
                break;
            }
            kills += 1;
            let found = check(trial, &whole, &folder)?;
            if found < update {
                return Err(format!("{name}: after update {update} came {found}"));
            }
            update = found;
            counts.add(&folder, update, &before)?;
        }
        compare(&whole, &folder).map_err(|problem| format!("{name}: {problem}"))?;
        left += temporary_files(&folder)?.len();
        fs::remove_dir_all(&folder).map_err(in_file(&folder))?;
    }
    println!(
        "  {kills} killed in {runs} runs of {seconds:.1} s and {UPDATES} updates; each came to the \
         result of the run that was not killed"
    );
    println!(
        "  {} before the run had begun, {} between two writes, {} within a file, {} within a \
         checkpoint, {} while one took the place of another, {} while the run was measured, {} \
         when all was in place; {} were to be killed too late",
        counts.before,
        counts.between_writes,
        counts.within_a_file,
        counts.within_a_checkpoint,
        counts.within_a_swap,
        counts.measuring,
        counts.after,
        counts.too_late
    );
    println!(
        "  {} times a last row was torn; {left} temporary files were left, and disturbed nothing",
        counts.torn_metrics
    );
    Ok(())
}

/// What a kill waits for, once its time has come.
enum Aim {
    Anything,
    /// A file or a checkpoint that is being written.
    Write,
    /// A checkpoint that is taking the place of another.
    Swap,
}

impl Aim {
    /// Returns the aim of a share from 0 to 1: one half, and one quarter each.
    fn of(share: f64) -> Self {
        match share {
            ..0.5 => Self::Anything,
            ..0.75 => Self::Write,
            _ => Self::Swap,
        }
    }
}

fn words(out: &str, is_resumed: bool) -> Vec<&str> {
    let mut words = vec!["train", "run.toml", "--quiet", "--out", out];
    words.extend(SMALL.split_whitespace());
    words.extend(is_resumed.then_some("--resume"));
    words
}

impl Counts {
    /// Counts a kill by what it left: `before` are the temporary files of earlier ones.
    fn add(&mut self, run: &Path, update: u64, before: &BTreeSet<String>) -> Result<(), String> {
        let is_new = |name: &String| !before.contains(name);
        let count = if temporary_files(run)?.iter().any(is_new) {
            &mut self.within_a_file
        } else if is_swapping(run) {
            &mut self.within_a_swap
        } else if is_writing(run, before) {
            &mut self.within_a_checkpoint
        } else if !run.join("config.toml").exists() {
            &mut self.before
        } else if run.join("summary.json").exists() {
            &mut self.after
        } else if update == UPDATES {
            &mut self.measuring
        } else {
            &mut self.between_writes
        };
        *count += 1;
        let metrics = fs::read(run.join(METRICS)).unwrap_or_default();
        self.torn_metrics += usize::from(metrics.last().is_some_and(|&byte| byte != b'\n'));
        Ok(())
    }
}

fn is_writing(run: &Path, before: &BTreeSet<String>) -> bool {
    let is_new = |name: &String| !before.contains(name);
    let next = ["checkpoints/latest.next", "checkpoints/best.next"];
    next.iter().any(|name| run.join(name).exists())
        || is_swapping(run)
        || temporary_files(run).is_ok_and(|found| found.iter().any(is_new))
}

fn is_swapping(run: &Path) -> bool {
    let before = ["checkpoints/latest.before", "checkpoints/best.before"];
    before.iter().any(|name| run.join(name).exists())
}

fn temporary_files(run: &Path) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for folder in ["", "figures"] {
        // A folder that is not there has no files.
        for entry in fs::read_dir(run.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_temporary(&name) {
                found.insert(format!("{folder}/{name}"));
            }
        }
    }
    Ok(found)
}

/// Checks all that a kill left in a run directory, and returns the update of its checkpoint.
fn check(trial: &Trial, whole: &Path, run: &Path) -> Result<u64, String> {
    if !run.exists() {
        return Ok(0);
    }
    let names = files_below(run)?;
    for name in &names {
        let path = run.join(name);
        let problem = |problem: String| format!("{} after a kill: {problem}", path.display());
        let is_checkpoint = name.starts_with("checkpoints/");
        if !is_temporary(name) && !is_checkpoint {
            check_file(whole, run, name).map_err(problem)?;
        }
    }
    let mut update = 0;
    for kind in ["latest", "best"] {
        let place = ["", ".before"]
            .map(|suffix| format!("checkpoints/{kind}{suffix}"))
            .into_iter()
            .find(|place| run.join(place).join("state.json").exists());
        let Some(place) = place else {
            continue;
        };
        for name in files_below(&whole.join("checkpoints").join(kind))? {
            let name = format!("{place}/{name}");
            let path = run.join(&name);
            let bytes = fs::read(&path).map_err(in_file(&path))?;
            without_times(&name, &bytes, None).map_err(|problem| format!("{name}: {problem}"))?;
        }
        let model = run.join(&place).join("model.safetensors");
        trial.whole(&["inspect", &model.to_string_lossy()])?;
        if kind == "latest" {
            update = number_of(&run.join(&place), "update").unwrap_or_default() as u64;
        }
    }
    Ok(update)
}

/// Checks a file outside of checkpoints: it is that of the whole run, or grows to it line by line.
fn check_file(whole: &Path, run: &Path, name: &str) -> Result<(), String> {
    let read = |folder: &Path| {
        let path = folder.join(name);
        fs::read(&path).map_err(in_file(&path))
    };
    let (expected, found) = (read(whole)?, read(run)?);
    let is_start = match name {
        METRICS => rows(&expected)?.0.starts_with(&rows(&found)?.0),
        EVENTS => events(&expected).0.starts_with(&events(&found).0),
        _ => {
            let expected = without_times(name, &expected, seconds_of(whole, "cpu_seconds"))?;
            without_times(name, &found, seconds_of(run, "cpu_seconds"))? == expected
        }
    };
    match is_start {
        true => Ok(()),
        false => Err("it is not that of the whole run".to_owned()),
    }
}

/// Compares a run that was killed and resumed with the whole one.
fn compare(whole: &Path, run: &Path) -> Result<(), String> {
    let names = |folder: &Path| {
        let names = files_below(folder)?.into_iter();
        Ok::<_, String>(names.filter(|name| !is_temporary(name)).collect::<Vec<_>>())
    };
    let expected = names(whole)?;
    if names(run)? != expected {
        return Err(format!("its files are {:?}", names(run)?));
    }
    for name in expected {
        let read = |folder: &Path| {
            let path = folder.join(&name);
            let bytes = fs::read(&path).map_err(in_file(&path))?;
            without_times(&name, &bytes, seconds_of(folder, "cpu_seconds"))
        };
        if read(whole)? != read(run)? {
            return Err(format!("{name} is another than without kills"));
        }
    }
    for (name, is_torn) in [(METRICS, false), (EVENTS, true)] {
        let path = run.join(name);
        let bytes = fs::read(&path).map_err(in_file(&path))?;
        let is_torn = match is_torn {
            true => events(&bytes).1,
            false => rows(&bytes)?.1,
        };
        if is_torn {
            return Err(format!("{name} ends within a record"));
        }
    }
    Ok(())
}

/// Returns a time of the latest checkpoint of a run.
fn seconds_of(run: &Path, key: &str) -> Option<f64> {
    number_of(&run.join(LATEST), key)
}

fn number_of(checkpoint: &Path, key: &str) -> Option<f64> {
    let bytes = fs::read(checkpoint.join("state.json")).ok()?;
    let state: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    state.get(key)?.as_f64()
}
