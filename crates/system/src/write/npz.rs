//! Writes systems as NumPy tables.

use std::path::Path;

use tellapart_files::{ArchiveWriter, Array, Values};

use crate::{MooreMachine, StateId, SystemError};

/// Writes a `.npz` archive that [`crate::read::npz`] reads: `next` `[states, actions]` (uint32) and
/// `output`. The latter holds the values of the outputs (`[states]` or `[states, m]`, float64)
/// where there are any, otherwise their ids (`[states]`, uint32).
///
/// [`lost`](super::lost) lists what has no place in the format.
///
/// # Errors
/// A file that cannot be written; then the file at `path` is untouched.
pub fn npz(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    let (states, actions) = (machine.states(), machine.actions());
    let mut archive = ArchiveWriter::create(path)?;
    let next = machine
        .next_table()
        .iter()
        .map(|target| target.get())
        .collect();
    archive.add(
        "next",
        &Array {
            shape: vec![states, actions],
            values: Values::U32(next),
        },
    )?;
    archive.add("output", &output_array(machine))?;
    Ok(archive.finish()?)
}

fn output_array(machine: &MooreMachine) -> Array {
    let states = machine.states();
    // Values are written where they, and nothing else, tell the outputs apart.
    let has_values = machine.meaning().is_only_values();
    let of = |state: &StateId| {
        let value = machine.output_value(machine.output(*state));
        value.filter(|_| has_values)
    };
    match of(&StateId::new(0)) {
        Some(value) => {
            let shape = if value.len() == 1 {
                vec![states]
            } else {
                vec![states, value.len()]
            };
            let values = machine
                .state_ids()
                .filter_map(|state| of(&state))
                .flatten()
                .copied();
            Array {
                shape,
                values: Values::F64(values.collect()),
            }
        }
        None => {
            let ids = machine
                .output_table()
                .iter()
                .map(|output| output.get())
                .collect();
            Array {
                shape: vec![states],
                values: Values::U32(ids),
            }
        }
    }
}
