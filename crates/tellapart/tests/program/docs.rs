//! Runs what the documentation shows: README and every page of `docs/`.
//!
//! Each page has a fresh folder. Its blocks are run from top to bottom: `console` blocks must print
//! what they show, `python` blocks are executed, and a block with `file=NAME` is written there
//! first. `SNAPSHOTS=overwrite cargo test -p tellapart --test program docs` writes what was printed
//! into the pages.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    reason = "a panic fails the test, and a page that is skipped is said"
)]

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use snapbox::assert::Action;

use crate::markdown::{Block, blocks, pages, root};
use crate::run::Folder;

#[test]
fn every_console_block_prints_what_it_shows() {
    let python = python();
    let mut wrong = Vec::new();
    for page in pages() {
        let path = root().join(&page);
        let text = fs::read_to_string(&path).unwrap();
        let blocks = blocks(&text);
        if python.is_none() && blocks.iter().any(|block| block.language == "python") {
            eprintln!("{page}: skipped, there is no Python with NumPy");
            continue;
        }
        let mut run = Page::new(&page);
        let mut updated = String::new();
        let mut copied = 0;
        for block in &blocks {
            let body = &text[block.body.clone()];
            let found = run.block(block, body, python.as_deref());
            let Err(difference) = compare(&found, body) else {
                continue;
            };
            updated += &text[copied..block.body.start];
            updated += &found;
            copied = block.body.end;
            wrong.push(format!("{page}:{}\n{difference}", block.line));
        }
        if is_overwriting() && copied > 0 {
            fs::write(&path, updated + &text[copied..]).unwrap();
        }
    }
    assert!(
        wrong.is_empty() || is_overwriting(),
        "{}\nrun again with SNAPSHOTS=overwrite if the change is meant",
        wrong.join("\n")
    );
}

/// A page being run.
struct Page<'a> {
    name: &'a str,
    folder: Folder,
    /// Exit code of the command before.
    code: Option<i32>,
}

impl<'a> Page<'a> {
    fn new(name: &'a str) -> Self {
        let folder = Folder::new();
        copy(&root().join("configs"), &folder.path("configs"));
        Self {
            name,
            folder,
            code: Some(0),
        }
    }

    /// Runs a block and returns what its body should be.
    fn block(&mut self, block: &Block, body: &str, python: Option<&str>) -> String {
        let place = format!("{}:{}", self.name, block.line);
        if let Some(file) = &block.file {
            self.folder.write(file, body);
        }
        match block.language.as_str() {
            "console" => self.console(body, &place),
            "python" => {
                let python = python.unwrap_or("python3");
                let mut command = Command::new(python);
                let ran = command
                    .args(["-c", body])
                    .current_dir(self.folder.path("."));
                let ran = ran.output().unwrap();
                assert!(ran.status.success(), "{place}: {ran:?}");
                body.to_owned()
            }
            "rust" => {
                assert_eq!(self.name, "README.md", "{place}: only README is a doctest");
                body.to_owned()
            }
            _ => body.to_owned(),
        }
    }

    fn console(&mut self, body: &str, place: &str) -> String {
        let mut shown = String::new();
        let mut lines = body.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else {
                panic!("{place}: a console block begins with `$ `, not {line:?}");
            };
            while lines.next_if(|line| !line.starts_with("$ ")).is_some() {}
            let printed = match command {
                "echo $?" => format!("{}\n", self.code.unwrap_or(-1)),
                _ => self.run(command, place),
            };
            let asks = lines.peek() == Some(&"$ echo $?") || command == "echo $?";
            let is_error = self.code == Some(2) && printed.starts_with("error");
            assert!(
                asks || is_error || self.code == Some(0),
                "{place}: `{command}` ends with {:?}; show it with `$ echo $?`\n{printed}",
                self.code
            );
            shown += &format!("$ {command}\n{printed}");
        }
        shown
    }

    /// Standard output and standard error in the order in which they came.
    fn run(&mut self, command: &str, place: &str) -> String {
        let words = command
            .strip_prefix("tellapart ")
            .unwrap_or_else(|| panic!("{place}: only `tellapart` can be run, not {command:?}"));
        let words: Vec<&str> = words
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']))
            .collect();
        let path = self.folder.path(".printed");
        let out = File::create(&path).unwrap();
        let mut program = self.folder.command("");
        let program = program.args(words).stderr(out.try_clone().unwrap());
        self.code = program.stdout(out).status().unwrap().code();
        fs::read_to_string(path).unwrap()
    }
}

/// `...` alone on a line of `expected` stands for any lines.
fn compare(found: &str, expected: &str) -> Result<(), String> {
    let assert = snapbox::Assert::new().action(Action::Verify);
    let compared = assert.try_eq(None, found.into(), expected.into());
    compared.map_err(|error| error.to_string())
}

fn is_overwriting() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|action| action == "overwrite")
}

/// A Python with NumPy: `PYTHON`, or `python3`. Its lack is an error where
/// `TELLAPART_REQUIRE_NUMPY` is set.
fn python() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(&python);
    let ran = command.args(["-c", "import numpy"]).output();
    let found = ran.is_ok_and(|ran| ran.status.success());
    assert!(
        found || std::env::var_os("TELLAPART_REQUIRE_NUMPY").is_none(),
        "{python} has no NumPy"
    );
    found.then_some(python)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
