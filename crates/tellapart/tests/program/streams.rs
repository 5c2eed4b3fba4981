//! Standard output, standard error, colors, and readers that leave early.

use std::process::Stdio;

use tellapart::system::{generate, write};

use crate::run::Folder;

#[test]
fn quiet_says_nothing_and_verbose_says_more() {
    let folder = Folder::new();
    let quiet = folder.run("-q collect counting --episodes 2 --out a.npz");
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    // Results are not noise.
    assert!(folder.fine("bisim counting --quiet").contains("9 classes"));
    assert_eq!(folder.error(2, "-q bisim no.npz").lines().count(), 1);
    let verbose = folder.run("collect counting --episodes 2 --out b.npz -v --seed 5");
    assert!(
        verbose.err.contains("seed 5") && verbose.err.contains("max_steps"),
        "{verbose:?}"
    );
}

#[test]
fn colors_only_where_they_are_wanted() {
    let folder = Folder::new();
    for words in ["bisim no.npz", "bism", "--help"] {
        let plain = folder.run(words);
        assert!(
            !plain.err.contains('\x1b') && !plain.out.contains('\x1b'),
            "{plain:?}"
        );
        let text = |(name, value): (&str, &str)| {
            let mut command = folder.command(words);
            let output = command
                .env(name, value)
                .env("TERM", "xterm")
                .output()
                .unwrap();
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        };
        assert!(text(("CLICOLOR_FORCE", "1")).contains('\x1b'), "{words}");
        assert!(!text(("NO_COLOR", "1")).contains('\x1b'), "{words}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let folder = Folder::new();
    let machine = generate::random(1, 200_000, 2, 2).unwrap();
    write::npz(&machine, folder.path("big.npz")).unwrap();
    for words in [
        "bisim big.npz --classes --json",
        "bisim big.npz --classes",
        "completions bash",
        "--help",
    ] {
        let mut command = folder.command(words);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{words}");
        assert_eq!(output.status.code(), Some(0), "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_a_failure() {
    let folder = Folder::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = folder
        .command("bisim counting")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("standard output cannot be written"),
        "{message}"
    );
}
