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
    let python = Python::find();
    let mut wrong = Vec::new();
    for page in pages() {
        let path = root().join(&page);
        let text = fs::read_to_string(&path).unwrap();
        let blocks = blocks(&text);
        let is_python = |block: &&Block| block.language == "python";
        if blocks.iter().any(|block| is_python(&block)) {
            let Some(python) = &python else {
                eprintln!("{page}: skipped, there is no Python with NumPy");
                continue;
            };
            let bodies = blocks.iter().filter(is_python);
            let missing = python.missing(bodies.map(|block| &text[block.body.clone()]));
            if !missing.is_empty() {
                eprintln!("{page}: skipped, Python lacks {}", missing.join(", "));
                continue;
            }
        }
        let mut run = Page::new(&page);
        let mut updated = String::new();
        let mut copied = 0;
        for block in &blocks {
            let body = &text[block.body.clone()];
            let found = run.block(block, body, python.as_ref());
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
    fn block(&mut self, block: &Block, body: &str, python: Option<&Python>) -> String {
        let place = format!("{}:{}", self.name, block.line);
        if let Some(file) = &block.file {
            self.folder.write(file, body);
        }
        match block.language.as_str() {
            "console" => self.console(body, &place),
            "python" => {
                let Some(python) = python else {
                    panic!("{place}: without Python, such a page is skipped");
                };
                let is_lacking =
                    |module: &&&str| imports(body).contains(*module) && !python.has(module);
                if let Some(module) = LARGE.iter().find(is_lacking) {
                    eprintln!("{place}: skipped, Python lacks {module}");
                    return body.to_owned();
                }
                let mut command = python.command(body);
                let ran = command.current_dir(self.folder.path("."));
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

/// Libraries that are too large to be required: only the blocks that import them are skipped.
const LARGE: [&str; 1] = ["torch"];

/// A Python with NumPy.
struct Python(String);

impl Python {
    /// Finds it: `PYTHON`, or `python3`. Its lack is an error where `TELLAPART_REQUIRE_PYTHON` is
    /// set.
    fn find() -> Option<Self> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let python = Self(python);
        let found = python.has("numpy");
        assert!(found || !is_required(), "{} has no NumPy", python.0);
        found.then_some(python)
    }

    fn command(&self, code: &str) -> Command {
        let mut command = Command::new(&self.0);
        command.args(["-c", code]);
        command
    }

    fn has(&self, module: &str) -> bool {
        let mut command = self.command(&format!("import {module}"));
        command.output().is_ok_and(|ran| ran.status.success())
    }

    /// Returns the libraries that these blocks import and that are not there, which is an error
    /// where `TELLAPART_REQUIRE_PYTHON` is set. Each is imported by a line of its own.
    fn missing<'a>(&self, blocks: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let mut modules: Vec<_> = blocks.flat_map(imports).collect();
        modules.sort_unstable();
        modules.dedup();
        modules.retain(|module| !LARGE.contains(module) && !self.has(module));
        assert!(
            modules.is_empty() || !is_required(),
            "{} lacks {}",
            self.0,
            modules.join(", ")
        );
        modules
    }
}

/// Returns the libraries that a block imports, each by a line of its own.
fn imports(block: &str) -> Vec<&str> {
    let imported = block
        .lines()
        .filter_map(|line| line.strip_prefix("import "));
    imported
        .filter_map(|it| it.split([' ', '.']).next())
        .collect()
}

fn is_required() -> bool {
    std::env::var_os("TELLAPART_REQUIRE_PYTHON").is_some()
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
