//! Command lines of the documentation that are too long to run must at least parse.

use std::fs;

use clap::Parser as _;

use super::Program;

#[path = "../../tests/program/markdown.rs"]
mod markdown;

#[test]
fn every_command_line_in_a_sh_block_parses() {
    let mut parsed = 0;
    for page in markdown::pages() {
        let text = fs::read_to_string(markdown::root().join(&page)).unwrap();
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
                    panic!("{}:{}: {line}\n{error}", page, block.line);
                }
                parsed += 1;
            }
        }
    }
    assert!(parsed > 10, "only {parsed} command lines found");
}
