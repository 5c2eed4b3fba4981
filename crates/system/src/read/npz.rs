//! Reads systems as NumPy tables.

use std::path::Path;

use tellapart_files::{Archive, Array, Values};

use super::found::FoundSystem;
use crate::meaning::OutputMeaning;
use crate::outputs::{DistinctRows, comparison_bits};
use crate::{MooreMachine, OutputId, StateId, SystemError};

/// Largest magnitude up to which `f64` holds every integer.
const EXACT_INTEGERS: u64 = 1 << 53;

/// Reads a `.npz` archive with two arrays:
///
/// * `next` `[states, actions]`, any integer type: the successor of each state under each action;
/// * `output` `[states]` or `[states, m]`, integers, floats or bool: the value of the auxiliary
///   function. Outputs are equal iff all their values are, by exact bits, except that -0.0 equals
///   0.0; output ids are numbered by first occurrence.
///
/// Other arrays are not read; [`any_with`](super::any_with) names them. Output values are kept
/// ([`MooreMachine::output_value`]) unless one is an integer beyond 2^53, which `f64` cannot hold:
/// then outputs are distinct, but have no values.
///
/// # Errors
/// An unreadable archive, a missing or misshaped array, a successor out of range (with its state
/// and action), NaN (with its row and column). An array `prob` or `count`, by which the system
/// would be probabilistic.
pub fn npz(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    npz_archive(&mut Archive::open(path)?)
}

/// Reads an archive as [`npz`] does, and names the arrays that were not read.
pub(super) fn npz_with(path: &Path) -> Result<FoundSystem, SystemError> {
    let mut archive = Archive::open(path)?;
    let names = archive.names().iter().map(ToString::to_string);
    let others = names.filter(|name| !["next", "output"].contains(&&name[..]));
    let unread_arrays = others.collect();
    Ok(FoundSystem {
        unread_arrays,
        ..FoundSystem::from(npz_archive(&mut archive)?)
    })
}

/// Reads the arrays of [`npz`] from an archive that is already open.
///
/// # Errors
/// The errors of [`npz`].
pub fn npz_archive(archive: &mut Archive) -> Result<MooreMachine, SystemError> {
    let path = archive.path().to_path_buf();
    let inside = |source| SystemError::In {
        path: path.clone(),
        source: Box::new(source),
    };
    for array in ["prob", "count"] {
        if archive.contains(array) {
            let problem = "makes the system probabilistic, and only deterministic systems are \
                           supported; leave the array out if all probabilities are 1";
            return Err(inside(wrong(array, problem.to_owned())));
        }
    }
    let next = archive.read("next")?;
    let output = archive.read("output")?;
    table(next, output).map_err(inside)
}

/// Makes a system of the arrays of [`npz`]: `next`, `[states, actions]`, and `output`, `[states]`
/// or `[states, m]`.
///
/// # Errors
/// Those of [`npz`] that are about these two.
pub fn table(next: Array, output: Array) -> Result<MooreMachine, SystemError> {
    let Array { shape, values } = next;
    let &[states, actions] = &shape[..] else {
        let problem = format!(
            "has shape {shape:?}, expected [states, actions]; for one action reshape to [states, 1]"
        );
        return Err(wrong("next", problem));
    };
    if actions == 0 {
        return Err(SystemError::NoActions);
    }
    let next = values.into_u32().map_err(|bad| {
        let (state, action) = (bad.index / actions, bad.index % actions);
        let is_missing = bad.found.starts_with('-');
        let problem = match is_missing {
            true => format!(
                "state {state}, action {action}: {} is no state. Every action leads to a state here; for one \
                 that cannot be taken, add a state with an output of its own that leads to itself",
                bad.found
            ),
            false => format!("state {state}, action {action}: {bad}"),
        };
        wrong("next", problem)
    })?;
    let width = match output.shape[..] {
        [rows] if rows == states => 1,
        [rows, width] if rows == states && width > 0 => width,
        _ => {
            let found = &output.shape;
            let problem = format!(
                "has shape {found:?}, expected [{states}] or [{states}, m] with m >= 1, because \
                 `next` has {states} states"
            );
            return Err(wrong("output", problem));
        }
    };
    let (ids, meaning) = number_outputs(&output.values, width)?;
    drop(output);
    // The memory is reused: both types are 32-bit words.
    let next = next.into_iter().map(StateId::new).collect();
    let machine = MooreMachine::from_table(actions, next, ids)?;
    Ok(machine.with_meaning(meaning))
}

fn wrong(array: &'static str, problem: String) -> SystemError {
    SystemError::Array { array, problem }
}

/// Gives equal rows equal ids, and finds the values of the ids.
fn number_outputs(
    values: &Values,
    width: usize,
) -> Result<(Vec<OutputId>, OutputMeaning), SystemError> {
    let mut distinct = DistinctRows::new(width);
    let mut row = vec![0; width];
    let mut output = Vec::with_capacity(values.len() / width);
    for state in 0..values.len() / width {
        for (column, bits) in row.iter_mut().enumerate() {
            *bits = value_bits(values, state * width + column)
                .ok_or(SystemError::NanOutput { state, column })?;
        }
        output.push(distinct.id(&row));
    }
    let rows = distinct.into_rows().into_iter();
    let values: Option<Vec<f64>> = match values {
        Values::F16(_) | Values::F32(_) | Values::F64(_) => {
            Some(rows.map(f64::from_bits).collect())
        }
        Values::I8(_) | Values::I16(_) | Values::I32(_) | Values::I64(_) => rows
            .map(|bits| bits as i64)
            .map(|value| (value.unsigned_abs() <= EXACT_INTEGERS).then_some(value as f64))
            .collect(),
        _ => rows
            .map(|bits| (bits <= EXACT_INTEGERS).then_some(bits as f64))
            .collect(),
    };
    let meaning = values
        .map(|values| OutputMeaning::of_values(width, values))
        .unwrap_or_default();
    Ok((output, meaning))
}

/// Returns the bits by which one value is compared with others of its array; `None` for NaN.
fn value_bits(values: &Values, index: usize) -> Option<u64> {
    match values {
        Values::Bool(values) => Some(u64::from(values[index])),
        Values::U8(values) => Some(u64::from(values[index])),
        Values::U16(values) => Some(u64::from(values[index])),
        Values::U32(values) => Some(u64::from(values[index])),
        Values::U64(values) => Some(values[index]),
        Values::I8(values) => Some(i64::from(values[index]) as u64),
        Values::I16(values) => Some(i64::from(values[index]) as u64),
        Values::I32(values) => Some(i64::from(values[index]) as u64),
        Values::I64(values) => Some(values[index] as u64),
        Values::F16(values) => comparison_bits(f64::from(values[index])),
        Values::F32(values) => comparison_bits(f64::from(values[index])),
        Values::F64(values) => comparison_bits(values[index]),
    }
}
