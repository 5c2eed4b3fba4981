//! Fenced code blocks of a Markdown page, with their place in its text.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One fenced block.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// First word behind the fence, such as `console`.
    pub(crate) language: String,
    /// Value of `file=NAME` behind the fence.
    pub(crate) file: Option<String>,
    /// Number of the first line of the body, from 1.
    pub(crate) line: usize,
    /// Where the body stands in the text.
    pub(crate) body: Range<usize>,
}

/// Root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README, CONTRIBUTING and the pages of the book, each with its path below the root.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(".md")).collect();
        names.sort();
        pages.extend(names.iter().map(|name| format!("{folder}/{name}")));
    }
    pages
}

/// All fenced blocks, in order. Only fences of three backticks that begin a line are known.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = at + line.len();
        if let Some(info) = line.strip_prefix("```") {
            match open.take() {
                Some(mut block) => {
                    block.body.end = at;
                    blocks.push(block);
                }
                None => {
                    let mut words = info.split_whitespace();
                    open = Some(Block {
                        language: words.next().unwrap_or_default().to_owned(),
                        file: words
                            .find_map(|word| word.strip_prefix("file="))
                            .map(str::to_owned),
                        line: index + 2,
                        body: end..end,
                    });
                }
            }
        }
        at = end;
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    blocks
}
