//! Checks the documents: short front pages, a complete table of contents, links that resolve.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Pages with their limits in lines and in bytes.
const LIMITS: &[(&str, usize, usize)] = &[
    ("README.md", 150, 8192),
    ("ARCHITECTURE.md", 250, usize::MAX),
];

pub(crate) fn check(root: &Path) -> Result<(), String> {
    let mut problems = Vec::new();
    for &(page, lines, bytes) in LIMITS {
        let text = read(&root.join(page))?;
        if text.lines().count() > lines || text.len() > bytes {
            problems.push(format!(
                "{page}: longer than {lines} lines or {bytes} bytes"
            ));
        }
    }
    let pages = pages(root)?;
    let summary = read(&root.join("docs/SUMMARY.md"))?;
    let listed: BTreeSet<&str> = links(&summary).collect();
    for page in &pages {
        let name = page
            .strip_prefix(root.join("docs"))
            .ok()
            .and_then(Path::to_str);
        if let Some(name) = name.filter(|name| *name != "SUMMARY.md" && !listed.contains(name)) {
            problems.push(format!("docs/SUMMARY.md does not list {name}"));
        }
        let text = read(page)?;
        for link in links(&text) {
            if let Err(problem) = follow(page, &text, link) {
                let page = page.strip_prefix(root).unwrap_or(page).display();
                problems.push(format!("{page}: {link}: {problem}"));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

/// Lists all Markdown pages at the root, in `docs`, and next to code.
fn pages(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut pages = Vec::new();
    for folder in [
        ".",
        "docs",
        "docs/decisions",
        "examples",
        "examples/pytorch",
        "benches/peers",
        "crates/kernels",
        "fuzz",
    ] {
        let entries =
            fs::read_dir(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries {
            let path = entry.map_err(|error| format!("{folder}: {error}"))?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path.strip_prefix("./").unwrap_or(&path).to_owned());
            }
        }
    }
    pages.sort();
    Ok(pages)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns the targets of `[...](target)` outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    let prose = text.lines().filter(move |line| {
        fenced ^= line.starts_with("```");
        !fenced
    });
    prose.flat_map(|line| {
        line.split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
    })
}

/// Checks that a link leads to a file, and to a heading in it.
fn follow(page: &Path, text: &str, link: &str) -> Result<(), String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Ok(());
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = page
        .parent()
        .map_or(PathBuf::from(file), |folder| folder.join(file));
    if !file.is_empty() && !target.exists() {
        return Err("no such file".to_owned());
    }
    let text = if file.is_empty() {
        text.to_owned()
    } else if anchor.is_empty() {
        return Ok(());
    } else {
        read(&target)?
    };
    let found = anchor.is_empty()
        || text
            .lines()
            .filter(|line| line.starts_with('#'))
            .any(|line| slug(line) == anchor);
    if found {
        Ok(())
    } else {
        Err("no such heading".to_owned())
    }
}

/// Returns the anchor that GitHub makes of a heading.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}
