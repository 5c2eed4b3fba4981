//! Runs the program in a folder of its own, and compares what it says with committed text.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder to run in; paths in arguments and messages are relative to it.
pub(crate) struct Folder(TempDir);

/// What came out.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tellapart"));
        command
            .current_dir(self.0.path())
            .args(words.split_whitespace());
        command.env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR");
        command
    }

    /// The same where no file may grow beyond `kib` KiB, which fails as a full disk does.
    pub(crate) fn command_short_of_space(&self, kib: usize, words: &str) -> Command {
        let mut command = Command::new("bash");
        let script = format!("ulimit -f {kib}; trap '' XFSZ; exec \"$0\" {words}");
        command.current_dir(self.0.path());
        command.args(["-c", &script, env!("CARGO_BIN_EXE_tellapart")]);
        command
    }

    /// Runs it with the arguments in `words`, split at spaces.
    pub(crate) fn run(&self, words: &str) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(words).output().unwrap();
        Ran {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The output of a run that must be fine.
    pub(crate) fn fine(&self, words: &str) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, Some(0), "{words}: {ran:?}");
        ran.out
    }

    /// The message of a run that must end with `code`, with nothing on standard output.
    pub(crate) fn error(&self, code: i32, words: &str) -> String {
        let ran = self.run(words);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(code), ""),
            "{words}: {ran:?}"
        );
        assert!(!ran.err.contains("panicked"), "{words}: {ran:?}");
        ran.err
    }

    pub(crate) fn json(&self, words: &str) -> serde_json::Value {
        serde_json::from_str(&self.fine(words)).unwrap()
    }
}

/// Compares with `tests/snapshots/NAME.txt`; `SNAPSHOTS=overwrite cargo test` writes it instead.
#[track_caller]
pub(crate) fn assert_snapshot(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt"));
    let missing = missing_snapshot(&path);
    assert!(
        missing.is_none() || std::env::var_os("SNAPSHOTS").is_some(),
        "{}",
        missing.unwrap_or_default()
    );
    let expected = snapbox::Data::read_from(&path, None).raw();
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(found, expected);
}

/// What to say of a snapshot that is not there; otherwise it would be read as an empty one.
fn missing_snapshot(path: &Path) -> Option<String> {
    (!path.is_file()).then(|| {
        format!(
            "{} is missing; create it with SNAPSHOTS=overwrite cargo test -p tellapart --test program",
            path.display()
        )
    })
}

#[test]
fn a_missing_snapshot_is_not_an_empty_one() {
    let folder = Folder::new();
    let said = missing_snapshot(&folder.path("new.txt")).unwrap();
    assert!(
        said.contains("new.txt is missing; create it with"),
        "{said}"
    );
    folder.write("new.txt", "");
    assert_eq!(missing_snapshot(&folder.path("new.txt")), None);
}
