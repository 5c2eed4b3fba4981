//! Folders of files for the tests, and what machines say.

use std::path::PathBuf;

use tellapart_system::{MooreMachine, StateId, read};

/// A folder of files.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            std::fs::write(folder.at(name), text).unwrap();
        }
        folder
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self) -> MooreMachine {
        read::any(self.at("m.tra")).unwrap()
    }

    pub(crate) fn message(&self) -> String {
        self.message_of("m.tra")
    }

    pub(crate) fn message_of(&self, name: &str) -> String {
        let message = read::any(self.at(name)).unwrap_err().to_string();
        let folder = format!("{}/", self.0.path().display());
        message.replace(&folder, "")
    }
}

/// Returns the value of the output of every state.
pub(crate) fn values(machine: &MooreMachine) -> Vec<Vec<f64>> {
    let value = |state| machine.output_value(machine.output(state)).unwrap();
    machine
        .state_ids()
        .map(|state| value(state).to_vec())
        .collect()
}

pub(crate) fn outputs(machine: &MooreMachine) -> Vec<u32> {
    machine
        .output_table()
        .iter()
        .map(|output| output.get())
        .collect()
}

pub(crate) fn labels(machine: &MooreMachine, state: u32) -> Vec<String> {
    let output = machine.output(StateId::new(state));
    let labels = machine.output_labels(output).unwrap();
    labels.map(str::to_owned).collect()
}

/// A ring of four states with one action.
pub(crate) const RING: &str = "4 4\n0 1 1\n1 2 1\n2 3 1\n3 0 1\n";

/// Two actions that both lead around a ring of three states.
pub(crate) const TWO_WAYS: &str =
    "3 6 6\n0 0 1 1 go\n0 1 2 1 back\n1 0 2 1 go\n1 1 0 1 back\n2 1 1 1 back\n2 0 0 1 go\n";
