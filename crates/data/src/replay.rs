//! Replay buffer: the newest rows of many parallel streams, in a fixed number of bytes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::batch::Batch;
use crate::columns::Frames;
use crate::error::DataError;
use crate::observation::{ObservationSpec, ObservationValues};

/// Sizes of a [`ReplayBuffer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Kind and shape of one observation.
    pub observation: ObservationSpec,
    /// Number of environments that are stepped together; each gives one stream of consecutive rows.
    pub streams: usize,
    /// Number of elements of one action, as networks take it.
    pub action_width: usize,
    /// Number of elements of one target.
    pub target_width: usize,
    /// Memory limit for all rows of all streams, in bytes. The buffer reserves it at once, but the
    /// system provides it only as rows arrive.
    pub max_bytes: usize,
}

impl ReplayOptions {
    /// Returns the bytes of one row of one stream: observation, action, its id, target, and whether
    /// it ends. `None` on overflow.
    #[must_use]
    pub fn row_bytes(&self) -> Option<usize> {
        let width = self.observation.width()?;
        let frame = width.checked_mul(self.observation.value_bytes())?;
        let numbers = self.action_width.checked_add(self.target_width)?;
        let numbers = numbers.checked_mul(size_of::<f32>())?;
        frame
            .checked_add(numbers)?
            .checked_add(size_of::<u32>() + size_of::<bool>())
    }

    /// Returns the number of rows of each stream that fit.
    fn rows_per_stream(&self) -> Result<usize, DataError> {
        let fail = |option, found, expected: &str| {
            Err(DataError::ReplayOption {
                option,
                found,
                expected: expected.to_owned(),
            })
        };
        if self.streams == 0 {
            return fail("streams", 0, "at least 1 is needed");
        }
        if self.observation.width() == Some(0) {
            return fail("observation", 0, "every length must be at least 1");
        }
        let step = self
            .row_bytes()
            .and_then(|bytes| bytes.checked_mul(self.streams));
        match step {
            Some(step) if step.saturating_mul(2) <= self.max_bytes => Ok(self.max_bytes / step),
            _ => Err(DataError::ReplayOption {
                option: "max_bytes",
                found: self.max_bytes,
                expected: match step {
                    Some(step) => format!(
                        "at least {} are needed to hold two rows of each of {} streams",
                        step.saturating_mul(2),
                        self.streams
                    ),
                    None => "two rows are larger than any memory".to_owned(),
                },
            }),
        }
    }
}

/// One row of every stream: observation, action taken there, target, and end of episode.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// `[streams, ...]`, of the kind and shape of the buffer.
    pub observations: ObservationValues<'a>,
    /// `[streams, action_width]`: the action taken AT the observation; without meaning where
    /// `ends`.
    pub actions: &'a [f32],
    /// `[streams]`: ids of the actions; zeros where actions have no ids.
    pub action_ids: &'a [u32],
    /// `[streams, target_width]`: value of the auxiliary function at the observation.
    pub targets: &'a [f32],
    /// `[streams]`: whether the observation is the last of its episode.
    pub ends: &'a [bool],
}

/// Ring buffer of rows for each of many parallel streams, all of one length.
///
/// Every stream has its own contiguous ring, and windows are counted from its oldest row. A window
/// therefore never joins two streams and never crosses the place where the newest row overwrote the
/// oldest. A full ring drops its oldest row for each new one.
#[derive(Clone, Debug)]
pub struct ReplayBuffer {
    options: ReplayOptions,
    /// Number of values of one observation.
    width: usize,
    /// Number of rows that each ring can hold.
    capacity: usize,
    rings: Vec<Ring>,
    /// Number of rows that each ring holds.
    rows: usize,
    /// Slot of the next row; in a full ring, also that of the oldest row.
    head: usize,
}

#[derive(Clone, Debug, Default)]
struct Ring {
    observations: Frames,
    actions: Vec<f32>,
    action_ids: Vec<u32>,
    targets: Vec<f32>,
    ends: Vec<bool>,
}

impl Ring {
    /// Creates an empty ring with room for `rows` rows.
    fn reserve(options: &ReplayOptions, rows: usize) -> Result<Self, DataError> {
        let reserve = || -> Result<Self, std::collections::TryReserveError> {
            let mut ring = Self {
                observations: Frames::empty(options.observation),
                ..Self::default()
            };
            let values = rows * options.observation.width().unwrap_or(0);
            match &mut ring.observations {
                Frames::U8 { values: bytes, .. } => bytes.try_reserve_exact(values)?,
                Frames::F32 { values: reals, .. } => reals.try_reserve_exact(values)?,
                Frames::Other { .. } => {}
            }
            ring.actions
                .try_reserve_exact(rows * options.action_width)?;
            ring.action_ids.try_reserve_exact(rows)?;
            ring.targets
                .try_reserve_exact(rows * options.target_width)?;
            ring.ends.try_reserve_exact(rows)?;
            Ok(ring)
        };
        reserve().map_err(|error| DataError::ReplayOption {
            option: "max_bytes",
            found: options.max_bytes,
            expected: format!("the system refuses that much: {error}"),
        })
    }
}

impl ReplayBuffer {
    /// Creates an empty buffer and reserves all of its memory.
    ///
    /// # Errors
    /// [`DataError::ReplayOption`] if an option is zero that must not be, if two rows of every
    /// stream do not fit, or if the system refuses the memory.
    pub fn new(options: ReplayOptions) -> Result<Self, DataError> {
        let capacity = options.rows_per_stream()?;
        let rings = (0..options.streams).map(|_| Ring::reserve(&options, capacity));
        Ok(Self {
            options,
            width: options.observation.width().unwrap_or(0),
            capacity,
            rings: rings.collect::<Result<_, _>>()?,
            rows: 0,
            head: 0,
        })
    }

    /// Options that the buffer was made with.
    #[must_use]
    pub fn options(&self) -> &ReplayOptions {
        &self.options
    }

    /// Number of rows that each stream holds now.
    #[must_use]
    pub fn rows_per_stream(&self) -> usize {
        self.rows
    }

    /// Number of rows that each stream can hold.
    #[must_use]
    pub fn capacity_per_stream(&self) -> usize {
        self.capacity
    }

    /// Adds one row to every stream, dropping the oldest ones when full. Copies the step.
    ///
    /// # Errors
    /// [`DataError::ReplayStep`] if a part has the wrong length; nothing is added then.
    pub fn push(&mut self, step: Step<'_>) -> Result<(), DataError> {
        let ReplayOptions {
            streams,
            action_width,
            target_width,
            ..
        } = self.options;
        let found = match (step.observations, self.options.observation) {
            (ObservationValues::Images(bytes), ObservationSpec::Image(_)) => bytes.len(),
            (ObservationValues::Vectors(reals), ObservationSpec::Vector(_)) => reals.len(),
            // Of another kind: none of them is an observation.
            _ => 0,
        };
        for (column, found, each) in [
            ("observations", found, self.width),
            ("actions", step.actions.len(), action_width),
            ("action_ids", step.action_ids.len(), 1),
            ("targets", step.targets.len(), target_width),
            ("ends", step.ends.len(), 1),
        ] {
            let expected = streams * each;
            if found != expected {
                return Err(DataError::ReplayStep {
                    column,
                    found,
                    expected,
                });
            }
        }
        let slot = self.head;
        for (stream, ring) in self.rings.iter_mut().enumerate() {
            match (&mut ring.observations, step.observations) {
                (Frames::U8 { values, .. }, ObservationValues::Images(bytes)) => {
                    put(values, slot, part(bytes, stream, self.width));
                }
                (Frames::F32 { values, .. }, ObservationValues::Vectors(reals)) => {
                    put(values, slot, part(reals, stream, self.width));
                }
                _ => {}
            }
            put(
                &mut ring.actions,
                slot,
                part(step.actions, stream, action_width),
            );
            put(&mut ring.action_ids, slot, part(step.action_ids, stream, 1));
            put(
                &mut ring.targets,
                slot,
                part(step.targets, stream, target_width),
            );
            put(&mut ring.ends, slot, part(step.ends, stream, 1));
        }
        self.head = (slot + 1) % self.capacity;
        self.rows = self.capacity.min(self.rows + 1);
        Ok(())
    }

    /// Returns the newest `window` rows of every stream, stream after stream.
    ///
    /// # Errors
    /// [`DataError::NotEnoughRows`] if streams hold fewer rows, or if `window` is 0.
    pub fn latest(&self, window: usize) -> Result<Batch, DataError> {
        self.check_window(window)?;
        let start = self.rows - window;
        Ok(self.gather(
            (0..self.options.streams).map(|stream| (stream, start)),
            window,
        ))
    }

    /// Draws `windows` windows of `window` consecutive rows each. Stream and position of each are
    /// uniform and independent.
    ///
    /// # Errors
    /// [`DataError::NotEnoughRows`] if streams hold fewer rows, or if `window` is 0.
    pub fn uniform(
        &self,
        windows: usize,
        window: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Batch, DataError> {
        self.check_window(window)?;
        let places = (0..windows).map(|_| {
            let stream = rng.random_range(0..self.options.streams);
            (stream, rng.random_range(0..=self.rows - window))
        });
        Ok(self.gather(places, window))
    }

    /// Takes all rows of every stream, stream after stream, and leaves the buffer empty. The rows
    /// of a single stream are moved, not copied, if its ring begins with the oldest.
    ///
    /// # Errors
    /// [`DataError::NotEnoughRows`] if streams hold no row; [`DataError::ReplayOption`] if the
    /// system refuses the memory for new ones.
    pub fn drain(&mut self) -> Result<Batch, DataError> {
        self.check_window(self.rows.max(1))?;
        let batch = match self.rings.as_mut_slice() {
            [ring] if self.rows < self.capacity || self.head == 0 => {
                let empty = Ring::reserve(&self.options, self.capacity)?;
                let ring = std::mem::replace(ring, empty);
                let mut batch = Batch {
                    observations: ring.observations,
                    rows: self.rows,
                    actions: ring.actions,
                    action_ids: ring.action_ids,
                    targets: ring.targets,
                    continues: ring.ends.iter().map(|end| !end).collect(),
                    ..self.empty_batch()
                };
                end_window(&mut batch, 0);
                batch
            }
            _ => self.latest(self.rows)?,
        };
        for ring in &mut self.rings {
            ring.observations = ring.observations.like();
            ring.actions.clear();
            ring.action_ids.clear();
            ring.targets.clear();
            ring.ends.clear();
        }
        (self.rows, self.head) = (0, 0);
        Ok(batch)
    }

    fn check_window(&self, window: usize) -> Result<(), DataError> {
        if window == 0 || window > self.rows {
            return Err(DataError::NotEnoughRows {
                wanted: window,
                available: self.rows,
            });
        }
        Ok(())
    }

    /// Copies the windows that start at the given `(stream, rows after its oldest one)`.
    fn gather(&self, places: impl Iterator<Item = (usize, usize)>, window: usize) -> Batch {
        let ReplayOptions {
            action_width,
            target_width,
            ..
        } = self.options;
        let mut batch = self.empty_batch();
        let oldest = if self.rows == self.capacity {
            self.head
        } else {
            0
        };
        for (stream, start) in places {
            let ring = &self.rings[stream];
            let first_row = batch.rows;
            // A window has at most two pieces: up to the end of the ring's memory, and on from its
            // beginning.
            let slot = (oldest + start) % self.capacity;
            let first = window.min(self.capacity - slot);
            for (slot, count) in [(slot, first), (0, window - first)] {
                batch
                    .observations
                    .extend_from(&ring.observations, slot..slot + count);
                take(&mut batch.actions, &ring.actions, slot, count, action_width);
                take(&mut batch.action_ids, &ring.action_ids, slot, count, 1);
                take(&mut batch.targets, &ring.targets, slot, count, target_width);
                batch
                    .continues
                    .extend(ring.ends[slot..slot + count].iter().map(|end| !end));
            }
            batch.rows += window;
            end_window(&mut batch, first_row);
        }
        batch
    }

    fn empty_batch(&self) -> Batch {
        Batch {
            observations: Frames::empty(self.options.observation),
            action_width: self.options.action_width,
            target_width: self.options.target_width,
            ..Batch::default()
        }
    }
}

/// Completes the window that begins at `first_row`, the last one of the batch. Zeroes actions where
/// an episode ends, since they mean nothing there, and unlinks the last row from any successor.
fn end_window(batch: &mut Batch, first_row: usize) {
    let width = batch.action_width;
    for row in first_row..batch.rows {
        if !batch.continues[row] {
            batch.actions[row * width..][..width].fill(0.0);
        }
    }
    if let Some(last) = batch.continues.last_mut() {
        *last = false;
    }
}

fn part<T>(values: &[T], index: usize, width: usize) -> &[T] {
    &values[index * width..][..width]
}

/// Writes one row into a slot: at the end of a growing ring, or over an old row.
fn put<T: Copy>(ring: &mut Vec<T>, slot: usize, row: &[T]) {
    let at = slot * row.len();
    match ring.get_mut(at..at + row.len()) {
        Some(old) => old.copy_from_slice(row),
        None => ring.extend_from_slice(row),
    }
}

fn take<T: Copy>(into: &mut Vec<T>, ring: &[T], slot: usize, count: usize, width: usize) {
    into.extend_from_slice(&ring[slot * width..(slot + count) * width]);
}
