//! Writes deterministic systems in the text format of Boa.

use std::path::Path;

use super::text::write_text;
use crate::{MooreMachine, SystemError};

/// Largest number of states that Boa can hold; states have 30 bits, lengths of lists 16.
const MAX_STATES: usize = 1 << 30;
const MAX_ACTIONS: usize = 65_000;

/// Writes the text format of Boa (`.boa.txt`), which [`crate::read::boa`] reads and explains.
///
/// The tag of a state is the value of its output, if all values are single whole numbers from 0 to
/// 255, otherwise the number of its output. Where there are more than 256 outputs, further digits
/// (to the base 256) follow as empty lists: `List[1]{List[3]{},@0,@1}` has output 769.
///
/// # Errors
/// More states or actions than the format can hold, or a file that cannot be written; then the file
/// at `path` is untouched.
pub fn boa(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    if machine.states() > MAX_STATES || machine.actions() > MAX_ACTIONS {
        return Err(SystemError::TooLargeFor {
            format: ".boa.txt",
            states: machine.states(),
            actions: machine.actions(),
            limits: "2^30 states and 65000 actions",
        });
    }
    let heads: Vec<String> = match tags(machine) {
        Some(tags) => tags.iter().map(|tag| format!("List[{tag}]{{")).collect(),
        None => numbered(machine.outputs()),
    };
    write_text(path.as_ref(), |text| {
        for state in machine.state_ids() {
            text.add(&heads[machine.output(state).index()]);
            for (action, target) in machine.successors(state).iter().enumerate() {
                text.add(if action == 0 { "@" } else { ",@" });
                text.number(target.get());
            }
            text.add("}").end_line()?;
        }
        Ok(())
    })
}

/// Returns the values of all outputs, if they can be tags.
pub(super) fn tags(machine: &MooreMachine) -> Option<Vec<u8>> {
    let vectors = machine.meaning().values.as_ref()?;
    if !machine.meaning().is_only_values() || vectors.width != 1 {
        return None;
    }
    let tag = |&value: &f64| (f64::from(value as u8) == value).then_some(value as u8);
    vectors.values.iter().map(tag).collect()
}

/// Returns the beginning of the lines of each output.
fn numbered(outputs: usize) -> Vec<String> {
    let digits = (1..).find(|&digits| outputs <= 1_usize << (8 * digits));
    let head = |output: usize| {
        let mut head = format!("List[{}]{{", output & 255);
        for digit in 1..digits.unwrap_or(4) {
            head += &format!("List[{}]{{}},", output >> (8 * digit) & 255);
        }
        head
    };
    (0..outputs).map(head).collect()
}
