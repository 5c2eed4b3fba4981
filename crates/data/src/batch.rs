//! Copies windows of consecutive rows into batches for training.

use std::ops::Range;

use tellapart_files::Values;

use crate::columns::{Actions, Columns, Frames};
use crate::distinct::Distinct;
use crate::error::DataError;
use crate::observation::ObservationSpec;
use crate::trajectories::Trajectories;

/// Largest number of channels of an image on the first axis: gray, gray with alpha, color, color
/// with alpha.
const MOST_CHANNELS: usize = 4;

/// Refuses images whose first axis seems to be the channels, or that have more channels than rows
/// of pixels.
fn check_axes([height, width, channels]: [usize; 3]) -> Result<(), DataError> {
    if channels <= MOST_CHANNELS || channels < height.min(width) {
        return Ok(());
    }
    let (problem, remedy) = if height <= MOST_CHANNELS {
        (
            "seems to be [channels, height, width]",
            "move the channels to the end, as with x.transpose(0, 2, 3, 1)",
        )
    } else {
        (
            "would be an image with more channels than pixels on a side",
            "move the channels to the end, as with x.transpose(0, 2, 3, 1), or save a stack of \
             frames as observations of its own",
        )
    };
    Err(DataError::ChannelsFirst {
        found: vec![height, width, channels],
        problem,
        remedy,
    })
}

/// Rows ready for training: one or several windows of consecutive rows, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Observations as recorded: images of bytes, or vectors.
    pub observations: Frames,
    /// Number of rows.
    pub rows: usize,
    /// `[rows, action_width]`: the action taken at each row, one-hot for discrete ones. Zeros where
    /// an episode ends, since actions mean nothing there.
    pub actions: Vec<f32>,
    /// Number of elements of one action.
    pub action_width: usize,
    /// `[rows]`: ids of the actions where they are discrete; otherwise empty.
    pub action_ids: Vec<u32>,
    /// `[rows, target_width]`: value of the auxiliary function at each row.
    pub targets: Vec<f32>,
    /// Number of elements of one target.
    pub target_width: usize,
    /// Number of distinct actions, if each target belongs to the step from its row, and so to the
    /// row's action; `None` if it belongs to the observation.
    pub step_actions: Option<usize>,
    /// `[rows]`: whether row i + 1 of this batch is the successor of row i under action i. False at
    /// the end of episodes and windows, hence always at the last row.
    pub continues: Vec<bool>,
}

impl Batch {
    /// Iterates over the rows whose successor is the next row: the transitions to train on.
    pub fn transitions(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows).filter(|&row| self.continues[row])
    }
}

impl Trajectories {
    /// Returns height, width and channels of the frames; `[height, width]` counts as one channel.
    ///
    /// # Errors
    /// [`DataError::NotImages`] unless the observations are `u8` images;
    /// [`DataError::ChannelsFirst`] if their axes seem to be in another order.
    pub fn frame_shape(&self) -> Result<[usize; 3], DataError> {
        if let Some(shape) = self.observations.image_shape() {
            check_axes(shape)?;
            return Ok(shape);
        }
        Err(DataError::NotImages {
            found: format!(
                "{} {:?}",
                self.observations.dtype(),
                self.observations.shape()
            ),
        })
    }

    /// Returns the kind and shape of one observation; real-valued ones count as vectors, flattened.
    ///
    /// Cost: numbers of other types than `u8` and `f32` are hashed once.
    ///
    /// # Errors
    /// Those of [`Trajectories::frame_shape`] for bytes. Networks compute in `f32`:
    /// [`DataError::TooLarge`] for a number that it cannot hold, and [`DataError::Rounded`] if
    /// different observations are equal in it.
    pub fn observation_spec(&self) -> Result<ObservationSpec, DataError> {
        match &self.observations {
            Frames::U8 { .. } => Ok(ObservationSpec::Image(self.frame_shape()?)),
            Frames::F32 { shape, .. } => Ok(ObservationSpec::Vector(shape.iter().product())),
            Frames::Other { shape, values } => {
                let width = shape.iter().product();
                fits_f32("observations", values, width, |_| true)?;
                let rounded = self.observations.numbers(0..self.rows());
                let count = |distinct: Distinct| distinct.first_rows.len();
                let exact = count(self.observations.distinct());
                let rounded = count(Distinct::of_rows(&rounded, width));
                if rounded < exact {
                    return Err(DataError::Rounded {
                        array: "observations".to_owned(),
                        exact,
                        rounded,
                    });
                }
                Ok(ObservationSpec::Vector(width))
            }
        }
    }

    /// Checks that networks can take the actions, in `f32`.
    ///
    /// # Errors
    /// [`DataError::TooLarge`].
    pub fn check_actions_in_f32(&self) -> Result<(), DataError> {
        match &self.actions {
            Actions::Discrete { .. } => Ok(()),
            Actions::Vectors { width, values } => {
                fits_f32("actions", values, *width, |row| !self.ends(row))
            }
        }
    }

    /// Copies the rows of `windows` into a batch, one window after the other.
    ///
    /// `targets` has one row for each row of the recording; see [`Trajectories::column`]. A window
    /// may span episodes: rows on either side of an end are not joined.
    ///
    /// # Errors
    /// [`DataError::NoSuchRows`], or [`DataError::RowCount`] if `targets` does not have as many
    /// rows as the recording.
    pub fn batch(&self, windows: &[Range<usize>], targets: &Columns) -> Result<Batch, DataError> {
        let all_targets = self.rows().checked_mul(targets.width);
        if all_targets != Some(targets.values.len()) {
            return Err(DataError::RowCount {
                array: "targets".to_owned(),
                found: targets.values.len() / targets.width.max(1),
                expected: self.rows(),
            });
        }
        let mut batch = Batch {
            observations: self.observations.like(),
            action_width: self.actions.width(),
            target_width: targets.width,
            ..Batch::default()
        };
        for window in windows {
            let Range { start, end } = window.clone();
            if start > end || end > self.rows() {
                return Err(DataError::NoSuchRows {
                    start,
                    end,
                    rows: self.rows(),
                });
            }
            batch.rows += end - start;
            batch
                .observations
                .extend_from(&self.observations, start..end);
            batch.targets.extend_from_slice(targets.rows(start..end));
            for row in start..end {
                let ends = self.ends(row);
                batch.continues.push(!ends && row + 1 < end);
                self.push_action(row, ends, &mut batch);
            }
        }
        Ok(batch)
    }

    fn push_action(&self, row: usize, ends: bool, batch: &mut Batch) {
        let start = batch.actions.len();
        batch.actions.resize(start + batch.action_width, 0.0);
        let action = &mut batch.actions[start..];
        match &self.actions {
            Actions::Discrete { ids, .. } => {
                batch.action_ids.push(ids[row]);
                if !ends {
                    action[ids[row] as usize] = 1.0;
                }
            }
            Actions::Vectors { width, values } if !ends => {
                action.copy_from_slice(&values.rounded(row * width..(row + 1) * width));
            }
            Actions::Vectors { .. } => {}
        }
    }
}

/// Refuses numbers that `f32` cannot hold, in rows where they matter.
fn fits_f32(
    array: &str,
    values: &Values,
    width: usize,
    matters: impl Fn(usize) -> bool,
) -> Result<(), DataError> {
    let is_beyond = |&at: &usize| (values.number(at) as f32).is_infinite() && matters(at / width);
    match (0..values.len()).find(is_beyond) {
        None => Ok(()),
        Some(at) => Err(DataError::TooLarge {
            array: array.to_owned(),
            row: at / width,
            found: values.number(at),
        }),
    }
}
