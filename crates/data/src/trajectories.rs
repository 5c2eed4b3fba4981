//! Whole recordings in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Deref, Range};

use tellapart_files::{Array, Values};

use crate::action_names;
use crate::auxiliary::BelongsTo;
use crate::columns::{Actions, Columns, Frames};
use crate::error::DataError;
use crate::names::RESERVED_NAMES;

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
/// use tellapart_files::Values;
///
/// # fn main() -> Result<(), tellapart_data::DataError> {
/// let trajectories = Trajectories::new(TrajectoryParts {
///     observations: Frames::F32 { shape: vec![2], values: vec![0.0; 6] },
///     actions: Actions::Discrete { count: 2, ids: vec![0, 1, 0] },
///     rewards: Some(Values::F32(vec![0.0, 1.0, 0.0])),
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
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) read_as: Vec<(String, &'static str)>,
    pub(crate) rewards_of: BelongsTo,
}

/// An array of a file that was left out of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the array.
    pub name: String,
    /// Why it was left out, as a clause.
    pub reason: String,
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
    /// Reward of each row, of any type; NaN where it is not known. Whoever reads it says what it
    /// belongs to: see [`BelongsTo`](crate::BelongsTo).
    pub rewards: Option<Values>,
    /// Other auxiliary values, `[rows]` or `[rows, ...]`, of any type; NaN where they are not
    /// known.
    pub aux: Option<Array>,
    /// Whether the world ended the episode at this row.
    pub terminals: Vec<bool>,
    /// Whether the episode was cut off at this row.
    pub timeouts: Vec<bool>,
    /// Hidden true state, used only for evaluation.
    pub state_ids: Option<Vec<u32>>,
    /// Split of each row (0: training, 1: held out); constant within an episode.
    pub splits: Option<Vec<u8>>,
    /// Whether equal observations and equal actions have equal rewards, and equal futures of them,
    /// where whoever recorded knows.
    pub world_is_deterministic: Option<bool>,
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
            world_is_deterministic: None,
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
            left_out: Vec::new(),
            read_as: Vec::new(),
            rewards_of: BelongsTo::Observation,
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

    /// Copies a column, rounded to `f32`: `rewards`, `aux`, `state_ids`, or an additional array
    /// with its trailing axes flattened. [`Trajectories::auxiliary`] reads one exactly.
    ///
    /// # Errors
    /// [`DataError::NoSuchArray`], or [`DataError::Value`] if a value is NaN, infinite, or too
    /// large for `f32`.
    pub fn column(&self, name: &str) -> Result<Columns, DataError> {
        let (values, width) = self.values_by_row(name)?;
        let values = values.into_owned().into_f32();
        let values = values.map_err(|bad| value_error(name, bad, width))?;
        check_finite(name, &values, width, |_| true)?;
        Ok(Columns { width, values })
    }

    /// Returns the values and the shape of `rewards`, `aux`, `state_ids`, or an additional array.
    pub(crate) fn values_named(
        &self,
        name: &str,
    ) -> Result<(Cow<'_, Values>, Vec<usize>), DataError> {
        let name = self.meaning(name);
        let array = match name {
            "aux" => self.aux.as_ref(),
            _ => self.extra.get(name),
        };
        let one_each = vec![self.rows];
        let found = match name {
            "rewards" => self
                .rewards
                .as_ref()
                .map(|values| (Cow::Borrowed(values), one_each)),
            "state_ids" => self
                .state_ids
                .clone()
                .map(|ids| (Cow::Owned(Values::U32(ids)), one_each)),
            _ => array.map(|array| (Cow::Borrowed(&array.values), array.shape.clone())),
        };
        found.ok_or_else(|| DataError::NoSuchArray {
            name: name.to_owned(),
            present: self.column_names(),
            left_out: self
                .left_out
                .iter()
                .map(|array| format!("{}: {}", array.name, array.reason))
                .collect(),
        })
    }

    /// Returns the name under which an array of the file was read.
    pub(crate) fn meaning<'a>(&'a self, name: &'a str) -> &'a str {
        let read_as = self.read_as.iter().find(|(stored, _)| stored == name);
        read_as.map_or(name, |(_, meaning)| meaning)
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

    /// Arrays of the file that were left out, because they hold text or objects, or do not have a
    /// row for each observation.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What the format of the file says that rewards belong to: the step in formats that store the
    /// rewards of steps, and the observation in our own.
    #[must_use]
    pub fn rewards_of(&self) -> BelongsTo {
        self.rewards_of
    }

    /// Pairs of a name in the file and the name of the format as which it was read, where the two
    /// differ.
    #[must_use]
    pub fn read_as(&self) -> &[(String, &'static str)] {
        &self.read_as
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
        match &self.observations {
            Frames::F32 { values, .. } => check_finite("observations", values, width, |_| true)?,
            Frames::Other { values, .. } => check_numbers("observations", values, width, |_| true)?,
            Frames::U8 { .. } => {}
        }
        self.check_actions(rows)?;
        if let Some(names) = &self.action_names {
            action_names::check(names, &self.actions)?;
        }
        if let Some(rewards) = &self.rewards {
            length("rewards", rewards.len())?;
        }
        if let Some(aux) = &self.aux {
            check_array("aux", aux, rows)?;
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
            check_array(name, array, rows)?;
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
                check_numbers("actions", values, *width, |row| !ends(row))
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

/// Checks the shape of an array with some values for each row.
fn check_array(name: &str, array: &Array, rows: usize) -> Result<(), DataError> {
    let product = array
        .shape
        .iter()
        .try_fold(1_usize, |n, &length| n.checked_mul(length));
    if array.shape.is_empty() || product != Some(array.values.len()) {
        return Err(DataError::Shape {
            array: name.to_owned(),
            found: array.shape.clone(),
            expected: "[rows, ...], with as many values as it says,",
        });
    }
    same_rows(name, array.rows(), rows)
}

/// Rejects NaN and infinities of any type in the rows for which `matters` holds.
fn check_numbers(
    array: &str,
    values: &Values,
    width: usize,
    matters: impl Fn(usize) -> bool,
) -> Result<(), DataError> {
    if !values.dtype().is_float() {
        return Ok(());
    }
    let is_wrong = |&at: &usize| !values.number(at).is_finite() && matters(at / width);
    match (0..values.len()).find(is_wrong) {
        None => Ok(()),
        Some(at) => Err(DataError::Value {
            array: array.to_owned(),
            row: at / width,
            found: values.number(at).to_string(),
            expected: "a finite number".to_owned(),
        }),
    }
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
