//! Kills the program at random moments, and checks what it leaves behind.
//!
//! Two contracts are put to the test. A training run that was killed, however often, is resumed to
//! the result of one that was never interrupted. And a file that is being written is absent, or as
//! it was before, or whole: no reader takes half of one for a whole.

mod compare;
mod convert;
mod train;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What to do, from the words of the command line.
struct Plan {
    /// Whether to kill training, and `convert`.
    what: [bool; 2],
    seed: u64,
    /// Number of kills of each.
    kills: usize,
}

impl Plan {
    fn of(words: &[&str]) -> Result<Self, String> {
        let mut plan = Self {
            what: [true; 2],
            seed: 1,
            kills: 100,
        };
        for word in words {
            let number = |text: &str| text.parse().map_err(|_| format!("{word}: not a number"));
            match word.split_once('=') {
                None if *word == "train" => plan.what = [true, false],
                None if *word == "convert" => plan.what = [false, true],
                Some(("seed", text)) => plan.seed = number(text)?,
                Some(("kills", text)) => plan.kills = number(text)? as usize,
                _ => {
                    return Err(format!(
                        "{word}: expected train, convert, seed=N or kills=N"
                    ));
                }
            }
        }
        Ok(plan)
    }
}

/// Builds the program, kills it as often as the words say, and prints how often it was where.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let plan = Plan::of(words)?;
    let built = Command::new("cargo")
        .args(["build", "--release", "-p", "tellapart"])
        .current_dir(root)
        .status();
    match built {
        Ok(status) if status.success() => {}
        other => return Err(format!("the program could not be built: {other:?}")),
    }
    let target = crate::gpu::target(root);
    let program = target.join("release/tellapart");
    let experiments: [(&str, Experiment); 2] = [("train", train::run), ("convert", convert::run)];
    for ((name, run), is_asked) in experiments.into_iter().zip(plan.what) {
        if !is_asked {
            continue;
        }
        let folder = target.join("kills").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(in_file(&folder))?;
        }
        fs::create_dir_all(&folder).map_err(in_file(&folder))?;
        println!("\n{name}, {} kills, seed {}", plan.kills, plan.seed);
        let mut trial = Trial {
            program: program.clone(),
            folder,
            kills: plan.kills,
            random: Random(plan.seed),
        };
        run(&mut trial)?;
    }
    Ok(())
}

type Experiment = fn(&mut Trial) -> Result<(), String>;

/// One experiment.
struct Trial {
    program: PathBuf,
    /// Where all of it happens.
    folder: PathBuf,
    kills: usize,
    random: Random,
}

/// How a program ended that was to be killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Killed,
    /// It had finished, and well, before its time came.
    Finished,
}

impl Trial {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Runs the program to its end.
    fn whole(&self, words: &[&str]) -> Result<Duration, String> {
        let start = Instant::now();
        let output = self.command(words).stderr(Stdio::piped()).output();
        let output = output.map_err(in_file(&self.program))?;
        match output.status.success() {
            true => Ok(start.elapsed()),
            false => Err(format!(
                "`{}` failed ({}): {}",
                words.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    /// Starts the program, and kills it after `delay`, or later once `now` says so.
    fn killed(
        &self,
        words: &[&str],
        delay: Duration,
        now: impl Fn() -> bool,
    ) -> Result<Ended, String> {
        let mut child = self
            .command(words)
            .stderr(Stdio::null())
            .spawn()
            .map_err(in_file(&self.program))?;
        let start = Instant::now();
        // Sleeping is too coarse for the last stretch.
        thread::sleep(delay.saturating_sub(Duration::from_millis(2)));
        while start.elapsed() < delay || !now() {
            if has_ended(&mut child)? {
                break;
            }
            thread::sleep(Duration::from_micros(20));
        }
        // On Unix this is SIGKILL, which no program can prepare for.
        let _ = child.kill();
        let status = child.wait().map_err(|error| error.to_string())?;
        match status.code() {
            None => Ok(Ended::Killed),
            Some(0) => Ok(Ended::Finished),
            Some(code) => Err(format!("`{}` failed with code {code}", words.join(" "))),
        }
    }
}

fn has_ended(child: &mut Child) -> Result<bool, String> {
    let ended = child.try_wait().map_err(|error| error.to_string())?;
    Ok(ended.is_some())
}

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    /// Returns a number from 0 to 1.
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    }
}

fn in_file(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

/// Lists all files below a folder by their path in it, sorted.
fn files_below(folder: &Path) -> Result<Vec<String>, String> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(&inside).map_err(in_file(&inside))? {
            let path = entry.map_err(in_file(&inside))?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                files.push(name.to_string_lossy().into_owned());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Whether a path is that of a file which was being written: `.NAME.XXXXXX.tmp`.
fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with('.') && name.ends_with(".tmp")
}
