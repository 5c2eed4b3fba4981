//! Command lines of the documentation that are too long to run must at least parse, and completions
//! must offer all that clap knows.

use std::collections::BTreeMap;
use std::fs;

use clap::{CommandFactory as _, Parser as _, ValueEnum as _};
use clap_complete::Shell;

use super::{Program, completions};

#[path = "../../../tests/program/markdown.rs"]
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

/// Counts `word` in a script, where it does not go on as another word.
fn count(script: &str, word: &str) -> usize {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    script
        .match_indices(word)
        .filter(|(at, _)| !script[at + word.len()..].starts_with(goes_on))
        .count()
}

#[test]
fn completions_for_every_shell_offer_every_command_and_every_option() {
    let mut program = Program::command();
    program.build();
    let commands: Vec<_> = program
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .collect();
    assert!(commands.len() > 10, "{}", commands.len());
    // How many commands take each option.
    let mut options: BTreeMap<&str, usize> = BTreeMap::new();
    for command in &commands {
        let shown = command.get_arguments().filter(|it| !it.is_hide_set());
        for long in shown.filter_map(clap::Arg::get_long) {
            *options.entry(long).or_default() += 1;
        }
    }
    assert!(
        options.len() > 30 && options["help"] == commands.len(),
        "{options:?}"
    );
    for shell in Shell::value_variants() {
        let script = String::from_utf8(completions::script(*shell)).unwrap();
        for command in &commands {
            let name = command.get_name();
            assert!(count(&script, name) > 0, "{shell}: {name}");
        }
        for (long, commands) in &options {
            let word = match shell {
                Shell::Fish => format!("-l {long}"),
                _ => format!("--{long}"),
            };
            let found = count(&script, &word);
            assert!(
                found >= *commands,
                "{shell}: {word} is there {found} times, not {commands}"
            );
        }
    }
}
