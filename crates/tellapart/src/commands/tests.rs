//! Command lines of the documentation that are too long to run must at least parse.

use std::fs;
use std::path::Path;

use clap::Parser as _;

use super::Program;

#[path = "../../tests/program/markdown.rs"]
mod markdown;

#[test]
fn every_command_line_in_a_sh_block_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()));
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    let mut parsed = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for block in markdown::blocks(&text) {
            if block.language != "sh" {
                continue;
            }
            let body = text[block.body].replace("\\\n", " ");
            for line in body.lines() {
                let line = line.split(" #").next().unwrap_or_default();
                let line = line.split(" > ").next().unwrap_or_default();
                let words = line
                    .strip_prefix("tellapart ")
                    .or_else(|| line.strip_prefix("cargo run --release -- "));
                let Some(words) = words else { continue };
                let words = ["tellapart"].into_iter().chain(words.split_whitespace());
                if let Err(error) = Program::try_parse_from(words) {
                    panic!("{}:{}: {line}\n{error}", page.display(), block.line);
                }
                parsed += 1;
            }
        }
    }
    assert!(parsed > 10, "only {parsed} command lines found");
}
