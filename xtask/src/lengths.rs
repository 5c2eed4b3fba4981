//! Lists long source files, as a hint that a file holds more than one idea. Comments wider than
//! code may be are an error, since rustfmt does not wrap them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Number of lines above which a file is listed.
const LONG_LINES: usize = 400;

/// Largest width of comments, that of code in `rustfmt.toml`.
const WIDEST: usize = 100;

pub(crate) fn check(root: &Path) -> Result<(), String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "benches"] {
        let folder = root.join(folder);
        collect(&folder, &mut files).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    files.sort_by_key(|&(lines, _)| std::cmp::Reverse(lines));
    let total: usize = files.iter().map(|(lines, _)| lines).sum();
    println!("{} Rust files, {total} lines", files.len());
    let long = files.iter().take_while(|(lines, _)| *lines > LONG_LINES);
    for (lines, path) in long {
        let path = path.strip_prefix(root).unwrap_or(path);
        println!(
            "  {lines:5}  {} (more than {LONG_LINES}: one idea?)",
            path.display()
        );
    }
    let mut wide = Vec::new();
    for (_, path) in &files {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let comments = text
            .lines()
            .enumerate()
            .filter(|(_, line)| is_prose(line.trim_start()));
        for (index, _) in comments.filter(|(_, line)| line.chars().count() > WIDEST) {
            let path = path.strip_prefix(root).unwrap_or(path);
            wide.push(format!("{}:{}", path.display(), index + 1));
        }
    }
    if wide.is_empty() {
        return Ok(());
    }
    Err(format!(
        "comments wider than {WIDEST} columns: {}",
        wide.join(", ")
    ))
}

fn collect(folder: &Path, files: &mut Vec<(usize, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((fs::read_to_string(&path)?.lines().count(), path));
        }
    }
    Ok(())
}

/// Whether a line is a comment, but no row of a table, which cannot be wrapped.
fn is_prose(line: &str) -> bool {
    line.starts_with("//") && !line.trim_start_matches(['/', '!', ' ']).starts_with('|')
}
