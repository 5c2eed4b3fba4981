//! Whole recordings in memory.

use std::collections::BTreeMap;
use std::ops::{Deref, Range};

use tellapart_files::Array;

use crate::action_names;
use crate::columns::{Actions, Columns, Frames};
use crate::error::DataError;
use crate::npz::RESERVED_NAMES;

/// Largest number of actions. More are taken for a mistake: one-hot forms and tables grow with
/// their number.
pub(crate) const MAX_ACTIONS: usize = 1 << 16;

/// Recorded episodes one after the other, checked.
///
/// The columns are read through [`Deref`], as in `trajectories.rewards`. They cannot be changed, so
/// what [`Trajectories::new`] checked stays true. Take [`Trajectories::into_parts`] to edit.
///
/// The last row of an episode carries `terminals` (the world ended it) or `timeouts` (it was cut
/// off); both together count as terminal. The very last row may carry neither, if the recording
/// stopped in mid-episode. That episode ends there, and nothing is known of what follows.
///
/// ```
/// use tellapart_data::{Actions, Frames, Trajectories, TrajectoryParts};
///
/// # fn main() -> Result<(), tellapart_data::DataError> {
/// let trajectories = Trajectories::new(TrajectoryParts {
///     observations: Frames::F32 { shape: vec![2], values: vec![0.0; 6] },
///     actions: Actions::Discrete { count: 2, ids: vec![0, 1, 0] },
///     rewards: Some(vec![0.0, 1.0, 0.0]),
///     terminals: vec![false, true, false],
///     timeouts: vec![false; 3],
///     ..TrajectoryParts::default()
/// })?;
/// assert_eq!(trajectories.episodes().collect::<Vec<_>>(), [0..2, 2..3]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectories {
    parts: TrajectoryParts,
    rows: usize,
    pub(crate) skipped: Vec<String>,
}

/// Columns of [`Trajectories`] before they are checked. All have the same number of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct TrajectoryParts {
    /// Observation of each row.
    pub observations: Frames,
    /// Action taken at each observation.
    pub actions: Actions,
    /// Name of each action, by its id: distinct, not empty, and printable. Names of vectors are
    /// kept, but name no [`FiniteActions`](crate::FiniteActions): a rule makes other actions.
    pub action_names: Option<Vec<String>>,
    /// Reward as a function of the observation in the same row; finite.
    pub rewards: Option<Vec<f32>>,
    /// Other auxiliary values of the observation in the same row; finite.
    pub aux: Option<Columns>,
    /// Whether the world ended the episode at this row.
    pub terminals: Vec<bool>,
    /// Whether the episode was cut off at this row.
    pub timeouts: Vec<bool>,
    /// Hidden true state, used only for evaluation.
    pub state_ids: Option<Vec<u32>>,
    /// Split of each row (0: training, 1: held out); constant within an episode.
    pub splits: Option<Vec<u8>>,
    /// Any other arrays, `[rows, ...]`, under names that are not [`RESERVED_NAMES`].
    pub extra: BTreeMap<String, Array>,
}

impl Default for TrajectoryParts {
    /// Returns columns without rows, for struct update syntax.
    fn default() -> Self {
        Self {
            observations: Frames::U8 {
                shape: Vec::new(),
                values: Vec::new(),
            },
            actions: Actions::Discrete {
                count: 1,
                ids: Vec::new(),
            },
            action_names: None,
            rewards: None,
            aux: None,
            terminals: Vec::new(),
            timeouts: Vec::new(),
            state_ids: None,
            splits: None,
            extra: BTreeMap::new(),
        }
    }
}

impl Deref for Trajectories {
    type Target = TrajectoryParts;

    fn deref(&self) -> &TrajectoryParts {
        &self.parts
    }
}

impl Trajectories {
    /// Checks the columns against each other, in one pass over everything but `u8` frames.
    ///
    /// # Errors
    /// A [`DataError`] that names the array, and the row when one is at fault.
    pub fn new(parts: TrajectoryParts) -> Result<Self, DataError> {
        let rows = parts.check()?;
        Ok(Self {
            parts,
            rows,
            skipped: Vec::new(),
        })
    }

    /// Number of rows (observations), at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Iterates over the rows of each episode, in order. Together they cover every row once.
    pub fn episodes(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut start = 0;
        std::iter::from_fn(move || {
            if start == self.rows {
                return None;
            }
            let end = (start..self.rows)
                .find(|&row| self.ends(row))
                .unwrap_or(self.rows - 1)
                + 1;
            Some(std::mem::replace(&mut start, end)..end)
        })
    }

    /// Whether an episode ends at `row`, as far as it was recorded; true beyond the last row.
    #[must_use]
    pub fn ends(&self, row: usize) -> bool {
        row >= self.rows - 1 || self.terminals[row] || self.timeouts[row]
    }

    /// Returns the episodes whose rows carry `split` in `splits`; none if there is no such column.
    #[must_use]
    pub fn episodes_in_split(&self, split: u8) -> Vec<Range<usize>> {
        let Some(splits) = &self.splits else {
            return Vec::new();
        };
        self.episodes()
            .filter(|episode| splits[episode.start] == split)
            .collect()
    }

    /// Copies a column as `f32` values, for use as a target: `rewards`, `aux`, `state_ids`, or an
    /// additional array with its trailing axes flattened.
    ///
    /// # Errors
    /// [`DataError::NoSuchArray`], or [`DataError::Value`] if a value is NaN, infinite, or too
    /// large for `f32`.
    pub fn column(&self, name: &str) -> Result<Columns, DataError> {
        let one = |values: Vec<f32>| Columns { width: 1, values };
        let found = match name {
            "rewards" => self.rewards.clone().map(one),
            "aux" => self.aux.clone(),
            "state_ids" => self
                .state_ids
                .as_ref()
                .map(|ids| one(ids.iter().map(|&id| id as f32).collect())),
            _ => match self.extra.get(name) {
                Some(array) if array.values.is_empty() => {
                    return Err(DataError::Shape {
                        array: name.to_owned(),
                        found: array.shape.clone(),
                        expected: "at least one value for each row,",
                    });
                }
                Some(array) => {
                    let width = array.values.len() / self.rows;
                    let values = array.values.clone().into_f32();
                    let values = values.map_err(|bad| value_error(name, bad, width))?;
                    check_finite(name, &values, width, |_| true)?;
                    Some(Columns { width, values })
                }
                None => None,
            },
        };
        found.ok_or_else(|| DataError::NoSuchArray {
            name: name.to_owned(),
            present: self.column_names(),
        })
    }

    fn column_names(&self) -> Vec<String> {
        let standard = [
            ("rewards", self.rewards.is_some()),
            ("aux", self.aux.is_some()),
            ("state_ids", self.state_ids.is_some()),
        ];
        let standard = standard.into_iter().filter(|(_, there)| *there);
        standard
            .map(|(name, _)| name.to_owned())
            .chain(self.extra.keys().cloned())
            .collect()
    }

    /// Names of the arrays of the file that were skipped, because they hold text, objects or a
    /// single value.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Returns the columns, to be changed and checked again.
    #[must_use]
    pub fn into_parts(self) -> TrajectoryParts {
        self.parts
    }
}

impl TrajectoryParts {
    /// Checks everything and returns the number of rows.
    fn check(&self) -> Result<usize, DataError> {
        let shape = self.observations.shape();
        let width = self.observations.width().filter(|&width| width > 0);
        let Some(width) = width.filter(|width| self.observations.len().is_multiple_of(*width))
        else {
            return Err(DataError::Shape {
                array: "observations".to_owned(),
                found: shape.to_vec(),
                expected: "for one observation, a shape without zeros that divides the values",
            });
        };
        let rows = self.observations.len() / width;
        if rows == 0 {
            return Err(DataError::Empty);
        }
        let length = |array: &str, found: usize| same_rows(array, found, rows);
        length("terminals", self.terminals.len())?;
        length("timeouts", self.timeouts.len())?;
        if let Frames::F32 { values, .. } = &self.observations {
            check_finite("observations", values, width, |_| true)?;
        }
        self.check_actions(rows)?;
        if let Some(names) = &self.action_names {
            action_names::check(names, &self.actions)?;
        }
        if let Some(rewards) = &self.rewards {
            length("rewards", rewards.len())?;
            check_finite("rewards", rewards, 1, |_| true)?;
        }
        if let Some(aux) = &self.aux {
            check_width("aux", aux.width, aux.values.len(), rows)?;
            check_finite("aux", &aux.values, aux.width, |_| true)?;
        }
        if let Some(ids) = &self.state_ids {
            length("state_ids", ids.len())?;
        }
        if let Some(splits) = &self.splits {
            length("splits", splits.len())?;
            self.check_splits(splits)?;
        }
        for (name, array) in &self.extra {
            if RESERVED_NAMES.contains(&name.as_str()) {
                return Err(DataError::ReservedName { name: name.clone() });
            }
            let product = array
                .shape
                .iter()
                .try_fold(1_usize, |n, &length| n.checked_mul(length));
            if array.shape.is_empty() || product != Some(array.values.len()) {
                return Err(DataError::Shape {
                    array: name.clone(),
                    found: array.shape.clone(),
                    expected: "[rows, ...], with as many values as it says,",
                });
            }
            length(name, array.rows())?;
        }
        Ok(rows)
    }

    fn check_actions(&self, rows: usize) -> Result<(), DataError> {
        let ends = |row: usize| self.terminals[row] || self.timeouts[row] || row + 1 == rows;
        match &self.actions {
            Actions::Discrete { count, ids } => {
                same_rows("actions", ids.len(), rows)?;
                let limit = *count.min(&MAX_ACTIONS);
                let wrong = ids.iter().position(|&id| id as usize >= limit);
                wrong.map_or(Ok(()), |row| {
                    Err(DataError::Value {
                        array: "actions".to_owned(),
                        row,
                        found: ids[row].to_string(),
                        expected: format!("an action id below {limit}"),
                    })
                })
            }
            Actions::Vectors { width, values } => {
                check_width("actions", *width, values.len(), rows)?;
                check_finite("actions", values, *width, |row| !ends(row))
            }
        }
    }

    fn check_splits(&self, splits: &[u8]) -> Result<(), DataError> {
        for row in 1..splits.len() {
            let continues = !self.terminals[row - 1] && !self.timeouts[row - 1];
            if continues && splits[row] != splits[row - 1] {
                return Err(DataError::Value {
                    array: "splits".to_owned(),
                    row,
                    found: splits[row].to_string(),
                    expected: format!(
                        "{} as in the row before, of the same episode,",
                        splits[row - 1]
                    ),
                });
            }
        }
        Ok(())
    }
}

pub(crate) fn same_rows(array: &str, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    Err(DataError::RowCount {
        array: array.to_owned(),
        found,
        expected,
    })
}

fn check_width(array: &str, width: usize, values: usize, rows: usize) -> Result<(), DataError> {
    if width == 0 || !values.is_multiple_of(width) {
        return Err(DataError::Shape {
            array: array.to_owned(),
            found: vec![values, width],
            expected: "[rows] or [rows, width], width at least 1,",
        });
    }
    same_rows(array, values / width, rows)
}

/// Rejects NaN and infinities in the rows for which `matters` holds.
fn check_finite(
    array: &str,
    values: &[f32],
    width: usize,
    matters: impl Fn(usize) -> bool,
) -> Result<(), DataError> {
    let wrong = |(index, value): &(usize, &f32)| !value.is_finite() && matters(index / width);
    values
        .iter()
        .enumerate()
        .find(wrong)
        .map_or(Ok(()), |(index, value)| {
            Err(DataError::Value {
                array: array.to_owned(),
                row: index / width,
                found: value.to_string(),
                expected: "a finite number".to_owned(),
            })
        })
}

pub(crate) fn value_error(array: &str, bad: tellapart_files::BadValue, width: usize) -> DataError {
    DataError::Value {
        array: array.to_owned(),
        row: bad.index / width.max(1),
        found: format!("{} ({})", bad.found, bad.dtype),
        expected: bad.expected.to_owned(),
    }
}
