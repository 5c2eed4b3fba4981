//! Kills `convert` while it reads, writes, and replaces a file.

use std::{collections::BTreeMap, fs, io::Write, path::Path, time::Duration};

use super::{Ended, Trial, files_below, in_file, is_temporary};

/// States of the system, which takes about 10 MB as `.tsys`.
const STATES: u32 = 600_000;

/// Input and output of each conversion. The first output is of several files.
const CONVERSIONS: [(&str, &str); 5] = [
    ("new.tsys", "out/out.tra"),
    ("new.tsys", "out/out.npz"),
    ("new.tsys", "out/out.aut"),
    ("new.tsys", "out/out.boa.txt"),
    ("new.npz", "out/out.tsys"),
];

/// A conversion that was never interrupted.
struct Conversion {
    words: [&'static str; 4],
    /// Bytes of the files that it writes, by their names.
    files: BTreeMap<String, Vec<u8>>,
    /// The same of another system, which it may replace.
    old: BTreeMap<String, Vec<u8>>,
    duration: Duration,
}

/// Number of kills by what was there afterwards.
#[derive(Default)]
struct Counts {
    before: usize,
    while_writing: usize,
    between_files: usize,
    after: usize,
    too_late: usize,
    temporary_files: usize,
    over_an_old_one: usize,
}

pub(super) fn run(trial: &mut Trial) -> Result<(), String> {
    for (name, factor) in [("new", 7), ("old", 11)] {
        write_system(&trial.folder.join(format!("{name}.boa.txt")), factor)?;
        for format in ["tsys", "npz"] {
            let input = format!("{name}.boa.txt");
            trial.whole(&["convert", &input, &format!("{name}.{format}"), "--quiet"])?;
        }
    }
    let out = trial.folder.join("out");
    let mut conversions = Vec::new();
    for (input, output) in CONVERSIONS {
        conversions.push(Conversion::of(trial, &out, input, output)?);
    }
    let mut counts = Counts::default();
    let mut kills = 0;
    while kills < trial.kills {
        let conversion = &conversions[kills % conversions.len()];
        let has_old = trial.random.fraction() < 0.5;
        let delay = conversion.duration.mul_f64(1.05 * trial.random.fraction());
        begin(&out, has_old.then_some(&conversion.old))?;
        // Few moments lie between the files of a model, so half of the kills wait for one.
        let is_aimed = conversion.files.len() > 1 && trial.random.fraction() < 0.5;
        let main = trial.folder.join(conversion.words[2]);
        let now = || !is_aimed || !main.exists() && has_other_files(&out);
        let ended = trial.killed(&conversion.words, delay, now)?;
        conversion.check(&out, ended, has_old, &mut counts)?;
        kills += usize::from(ended == Ended::Killed);
        // What is left over must not be in the way.
        trial.whole(&conversion.words)?;
        let mut found = read_all(&out)?;
        found.retain(|name, _| !is_temporary(name));
        if found != conversion.files {
            let output = conversion.words[2];
            return Err(format!("{output}: another after a kill than without"));
        }
    }
    println!(
        "  {kills} killed: {} before a file was opened, {} while one was written, {} between the \
         files of a model, {} when all was in place; {} were to be killed too late",
        counts.before, counts.while_writing, counts.between_files, counts.after, counts.too_late
    );
    println!(
        "  {} of them over an old file; {} temporary files were left, and disturbed nothing",
        counts.over_an_old_one, counts.temporary_files
    );
    Ok(())
}

impl Conversion {
    fn of(
        trial: &Trial,
        out: &Path,
        input: &'static str,
        output: &'static str,
    ) -> Result<Self, String> {
        let files = |input: &str| {
            begin(out, None)?;
            let duration = trial.whole(&["convert", input, output, "--force"])?;
            Ok::<_, String>((read_all(out)?, duration))
        };
        let (old, _) = files(&input.replace("new", "old"))?;
        let (new, duration) = files(input)?;
        let bytes: usize = new.values().map(Vec::len).sum();
        println!(
            "  {output}: {bytes} bytes in {} files, {:.2} s",
            new.len(),
            duration.as_secs_f64()
        );
        Ok(Self {
            words: ["convert", input, output, "--force"],
            files: new,
            old,
            duration,
        })
    }

    /// Checks what a kill left: each file absent, old or new, and the main one only among its own.
    fn check(
        &self,
        out: &Path,
        ended: Ended,
        has_old: bool,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let mut found = read_all(out)?;
        let all = found.len();
        found.retain(|name, _| !is_temporary(name));
        let temporary = all - found.len();
        for (name, bytes) in &found {
            let is_new = self.files.get(name) == Some(bytes);
            let is_old = has_old && self.old.get(name) == Some(bytes);
            if !is_new && !is_old {
                return Err(format!("{name}: neither the old file nor the new one"));
            }
        }
        let main = self.words[2].trim_start_matches("out/");
        let is_new = found == self.files;
        let is_old = has_old && found == self.old;
        if found.contains_key(main) && !is_new && !is_old {
            let names: Vec<&String> = found.keys().collect();
            return Err(format!(
                "{main} is there, but its files ({names:?}) are not all of one model"
            ));
        }
        if ended == Ended::Finished {
            counts.too_late += 1;
            return match is_new && temporary == 0 {
                true => Ok(()),
                false => Err(format!("{main}: not all is there at the end")),
            };
        }
        counts.over_an_old_one += usize::from(has_old);
        counts.temporary_files += temporary;
        let count = match temporary {
            _ if is_new => &mut counts.after,
            0 if found.is_empty() || is_old => &mut counts.before,
            // Some files of a model are in place, or gone, and others are not yet.
            _ if !found.is_empty() && !is_old => &mut counts.between_files,
            _ => &mut counts.while_writing,
        };
        *count += 1;
        Ok(())
    }
}

/// Empties the folder, and puts these files into it.
fn begin(out: &Path, files: Option<&BTreeMap<String, Vec<u8>>>) -> Result<(), String> {
    if out.exists() {
        fs::remove_dir_all(out).map_err(in_file(out))?;
    }
    fs::create_dir_all(out).map_err(in_file(out))?;
    for (name, bytes) in files.into_iter().flatten() {
        fs::write(out.join(name), bytes).map_err(in_file(out))?;
    }
    Ok(())
}

fn has_other_files(out: &Path) -> bool {
    let is_other = |name: &String| !is_temporary(name);
    files_below(out).is_ok_and(|names| names.iter().any(is_other))
}

fn read_all(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    for name in files_below(folder)? {
        let path = folder.join(&name);
        files.insert(name, fs::read(&path).map_err(in_file(&path))?);
    }
    Ok(files)
}

/// Writes a system in the text format of Boa, with values, which become files of their own beside
/// a `.tra`.
fn write_system(path: &Path, factor: u64) -> Result<(), String> {
    let mut text = Vec::new();
    for state in 0..u64::from(STATES) {
        let successor = |step: u64| (state * factor + step) % u64::from(STATES);
        let (a, b, c) = (successor(1), successor(2), successor(state / 3));
        let value = state * factor % 5;
        writeln!(text, "List[{value}]{{@{a},@{b},@{c}}}").map_err(in_file(path))?;
    }
    fs::write(path, text).map_err(in_file(path))
}
