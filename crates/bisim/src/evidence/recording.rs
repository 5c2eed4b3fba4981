//! A recording as a partial system: rows, the observations they show, and what followed.

mod states;

use tellapart_progress::{Progress, Stopped};

use super::contradiction::{Contradiction, ContradictionKind};
use super::episodes::{Episodes, EvidenceError, Tolerance, UNKNOWN, ValueOf};
use super::path::Path;
use super::recurring::{Recurrences, RecurringStep};
use super::rows::RowSet;
use crate::stop::BETWEEN_CHECKS;

/// Stands for the action in the last row of an episode.
const END: u32 = u32::MAX;
/// Stands for the number of an observation that does not recur.
const ONCE: u32 = u32::MAX;
/// Number of rows whose observations are looked up together.
const BATCH: usize = 1 << 6;

/// Recorded episodes, and the partial deterministic system that they show.
///
/// Its *states* are observations: rows with the same observation are one state, unless they
/// contradict determinism. **The rule for contradictions**: an observation is *unmerged* iff
///
/// 1. its rows have different values of `p` (with a [`Tolerance`]: one of them is further than that
///    from its first known value; where values belong to steps: the values of one action do), or
/// 2. the same action at two of its rows leads to different observations, or
/// 3. the same action at two of its rows leads to rows of an unmerged observation: those are
///    different states now.
///
/// Each row of an unmerged observation is a state of its own, and only what followed that very row
/// counts for it. The least set that is closed under the three is computed, so the order of
/// processing does not matter, and what remains merged is deterministic. 1 and 2 are reported as
/// [`Contradiction`]s; 3 is a consequence. A value that is not known contradicts nothing, and the
/// state has the first value that is known. A word counts as *recorded* from a row iff it can be
/// followed through this system.
///
/// Appending costs amortized constant time a row, apart from the consequences (3), which cost the
/// rows of each newly unmerged observation once. Memory: 20 bytes a row. Where observations recur,
/// 4 more a row, 32 for each recurring observation, and 16 for each action recorded there.
#[derive(Clone, Debug)]
pub struct Recording {
    actions: usize,
    /// Value and action of each row, `value << 32 | action`; [`END`] is the action in the last row
    /// of an episode.
    symbols: Vec<u64>,
    observation_of: Vec<u32>,
    observations: Vec<Occurrence>,
    recurring: Recurrences,
    /// Rows where following the next rows is not enough: episode ends, and rows of merged
    /// observations. A row that alone shows what follows its observation is no stop.
    stops: RowSet,
    /// Rows of observations that were recorded more than once.
    recurs: RowSet,
    episodes: usize,
    value_of: ValueOf,
    tolerance: Option<Tolerance>,
    /// Vectors of values, `[values, width]`, with a tolerance.
    vectors: Vec<f64>,
    contradictions: Vec<Contradiction>,
}

#[derive(Clone, Copy, Debug)]
struct Occurrence {
    first: u32,
    /// Index into `recurring`, or [`ONCE`].
    recurring: u32,
}

impl Recording {
    /// Makes a recording without rows. Values of `p` differ iff their ids do.
    ///
    /// # Errors
    /// If there are no actions.
    pub fn new(actions: usize) -> Result<Self, EvidenceError> {
        if actions == 0 {
            return Err(EvidenceError::NoActions);
        }
        Ok(Self {
            actions,
            symbols: Vec::new(),
            observation_of: Vec::new(),
            observations: Vec::new(),
            recurring: Recurrences::default(),
            stops: RowSet::default(),
            recurs: RowSet::default(),
            episodes: 0,
            value_of: ValueOf::Observation,
            tolerance: None,
            vectors: Vec::new(),
            contradictions: Vec::new(),
        })
    }

    /// Makes a recording without rows. Values of `p` differ iff their vectors are further apart
    /// than `tolerance`.
    ///
    /// # Errors
    /// If there are no actions.
    pub fn with_tolerance(actions: usize, tolerance: Tolerance) -> Result<Self, EvidenceError> {
        let mut recording = Self::new(actions)?;
        recording.tolerance = Some(tolerance);
        Ok(recording)
    }

    /// Says what values of `p` belong to, before any rows are appended.
    #[must_use]
    pub fn with_values_of(mut self, value_of: ValueOf) -> Self {
        debug_assert_eq!(self.rows(), 0, "rows are read when they are appended");
        self.value_of = value_of;
        self
    }

    /// Returns what values of `p` belong to.
    #[must_use]
    pub fn value_of(&self) -> ValueOf {
        self.value_of
    }

    /// Adds whole episodes.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names column and row; then nothing was added.
    pub fn append(&mut self, episodes: &Episodes<'_>) -> Result<(), EvidenceError> {
        self.append_with(episodes, &())
    }

    /// Adds whole episodes, unless `progress` says to stop: then nothing is left of the recording.
    ///
    /// # Errors
    /// Those of [`Recording::append`], and [`EvidenceError::Stopped`], soon after `progress` says
    /// so.
    pub fn appended(
        mut self,
        episodes: &Episodes<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, EvidenceError> {
        self.append_with(episodes, progress)?;
        Ok(self)
    }

    /// Adds whole episodes. If it is stopped, the recording holds a part of them.
    fn append_with(
        &mut self,
        episodes: &Episodes<'_>,
        progress: &dyn Progress,
    ) -> Result<(), EvidenceError> {
        let values = self
            .tolerance
            .map(|tolerance| (self.vectors.len() / tolerance.width(), tolerance));
        let start = self.rows();
        let known = self.observations.len() as u32;
        episodes.check(start, known, self.actions, values)?;

        self.vectors.extend_from_slice(episodes.vectors);
        self.stops.grow(start + episodes.rows());
        self.recurs.grow(start + episodes.rows());
        self.symbols.reserve(episodes.rows());
        for row in 0..episodes.rows() {
            let ends = episodes.ends(row);
            if ends {
                self.episodes += 1;
                self.stops.insert(start + row);
            }
            let action = if ends { END } else { episodes.actions[row] };
            let value = match self.value_of {
                ValueOf::Step if ends => UNKNOWN,
                _ => episodes.values[row],
            };
            self.symbols
                .push(u64::from(value) << 32 | u64::from(action));
        }
        self.observation_of.extend_from_slice(episodes.observations);
        let mut unmerged = Vec::new();
        let mut numbers = Vec::with_capacity(BATCH);
        for first in (start..self.rows()).step_by(BATCH) {
            if (first - start).is_multiple_of(BETWEEN_CHECKS) {
                progress.check()?;
            }
            let batch = first..(first + BATCH).min(self.rows());
            let observations = &self.observation_of[batch.clone()];
            numbers.clear();
            numbers.extend(
                observations
                    .iter()
                    .map(|&observation| self.number(observation)),
            );
            self.recurring.look_ahead(&numbers);
            for row in batch {
                self.add_row(row as u32, &mut unmerged);
            }
        }
        self.unmerge_consequences(unmerged, progress)?;
        Ok(())
    }

    /// Returns the number of an observation among those that recur, or [`ONCE`].
    fn number(&self, observation: u32) -> u32 {
        let occurrence = self.observations.get(observation as usize);
        occurrence.map_or(ONCE, |occurrence| occurrence.recurring)
    }

    fn add_row(&mut self, row: u32, unmerged: &mut Vec<u32>) {
        let observation = self.observation_of[row as usize];
        let Some(&Occurrence { first, recurring }) = self.observations.get(observation as usize)
        else {
            self.observations.push(Occurrence {
                first: row,
                recurring: ONCE,
            });
            return;
        };
        let mut number = recurring;
        if number == ONCE {
            number = self.recurring.begin(first, self.value(first));
            self.observations[observation as usize].recurring = number;
            self.stops.insert(first as usize);
            self.recurs.insert(first as usize);
            self.add_step(first, number, unmerged);
        }
        self.recurring.add_row(number, row);
        self.stops.insert(row as usize);
        self.recurs.insert(row as usize);
        if self.value_of == ValueOf::Observation {
            self.add_value(observation, number, row, unmerged);
        }
        self.add_step(row, number, unmerged);
    }

    /// Compares the value in another row of an observation with its first known one.
    fn add_value(&mut self, observation: u32, number: u32, row: u32, unmerged: &mut Vec<u32>) {
        let (old, new) = (self.recurring.of(number).value, self.value(row));
        if old == new {
            return;
        }
        let recurring = self.recurring.of(number);
        let rows = [recurring.value_row, row];
        if old == UNKNOWN {
            (recurring.value_row, recurring.value) = (row, new);
        }
        if !self.differ(old, new) {
            self.mix(number);
        } else if !self.recurring.of(number).has_value_contradiction {
            self.recurring.of(number).has_value_contradiction = true;
            self.contradictions.push(Contradiction {
                observation,
                kind: ContradictionKind::Value,
                rows: rows.map(|row| row as usize),
            });
            self.unmerge(observation, unmerged);
        }
    }

    /// Compares the value of an action taken again at an observation with the first known one.
    fn add_output(&mut self, row: u32, number: u32, place: usize, unmerged: &mut Vec<u32>) {
        let step = self.recurring.steps(number)[place];
        let (old, new) = (self.value(step.row), self.value(row));
        if old == new {
            return;
        }
        if old == UNKNOWN {
            self.stops.insert(step.row as usize);
            self.recurring.step_mut(number, place).row = row;
        }
        if !self.differ(old, new) {
            self.mix(number);
        } else if !step.has_output_contradiction {
            self.recurring
                .step_mut(number, place)
                .has_output_contradiction = true;
            let observation = self.observation_of[row as usize];
            let action = step.action;
            self.contradictions.push(Contradiction {
                observation,
                kind: ContradictionKind::Output { action },
                rows: [step.row as usize, row as usize],
            });
            self.unmerge(observation, unmerged);
        }
    }

    /// Marks that the values of an observation are not all equal, so that none of its rows stands
    /// for the others.
    fn mix(&mut self, number: u32) {
        self.recurring.of(number).is_mixed = true;
        for step in self.recurring.steps(number) {
            self.stops.insert(step.row as usize);
        }
    }

    /// Adds the action taken at a row of a recurring observation, and what followed.
    fn add_step(&mut self, row: u32, number: u32, unmerged: &mut Vec<u32>) {
        let Some(action) = self.action(row) else {
            return;
        };
        let observation = self.observation_of[row as usize];
        let to = self.observation_of[row as usize + 1];
        match self.recurring.step(number, action) {
            Err(place) => {
                let step = RecurringStep {
                    action,
                    row,
                    to,
                    is_contradicted: false,
                    has_output_contradiction: false,
                };
                self.recurring.insert(number, place, step);
                let is_mixed = self.recurring.of(number).is_mixed;
                match self.recurring.steps(number) {
                    [_] if !is_mixed => self.stops.remove(row as usize),
                    steps => steps
                        .iter()
                        .for_each(|step| self.stops.insert(step.row as usize)),
                }
            }
            Ok(place) => {
                let step = self.recurring.steps(number)[place];
                if step.to == to {
                    // One that is unmerged later is handled by `unmerge_consequences`.
                    let next = self.recurring.get(self.number(to));
                    if next.is_some_and(|next| next.is_unmerged) {
                        self.unmerge(observation, unmerged);
                    }
                } else if !step.is_contradicted {
                    self.recurring.step_mut(number, place).is_contradicted = true;
                    self.contradictions.push(Contradiction {
                        observation,
                        kind: ContradictionKind::Successor { action },
                        rows: [step.row as usize, row as usize],
                    });
                    self.unmerge(observation, unmerged);
                }
                if self.value_of == ValueOf::Step {
                    self.add_output(row, number, place, unmerged);
                }
            }
        }
    }

    fn unmerge(&mut self, observation: u32, unmerged: &mut Vec<u32>) {
        let recurring = self.recurring.of(self.number(observation));
        if !recurring.is_unmerged {
            recurring.is_unmerged = true;
            unmerged.push(observation);
        }
    }

    /// Unmerges the observations from which one action led twice to a newly unmerged observation:
    /// it led to two states.
    fn unmerge_consequences(
        &mut self,
        mut unmerged: Vec<u32>,
        progress: &dyn Progress,
    ) -> Result<(), Stopped> {
        let mut done = 0_usize;
        while let Some(observation) = unmerged.pop() {
            if done.is_multiple_of(BETWEEN_CHECKS) {
                progress.check()?;
            }
            done += 1;
            let rows = self.recurring.rows(self.number(observation));
            let before = rows.filter_map(|row| row.checked_sub(1));
            let several: Vec<u32> = before.filter(|&row| self.is_another_step(row)).collect();
            for row in several {
                self.unmerge(self.observation_of[row as usize], &mut unmerged);
            }
        }
        Ok(())
    }

    /// Whether the same action was recorded before at the same recurring observation.
    fn is_another_step(&self, row: u32) -> bool {
        let (Some(action), Some(number)) = (self.action(row), self.number_at(row)) else {
            return false;
        };
        let first = self.recurring.step(number, action);
        first.is_ok_and(|place| self.recurring.steps(number)[place].row != row)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.symbols.len()
    }

    /// Number of episodes.
    #[must_use]
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// Number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// Number of different observations.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.observations.len()
    }

    /// Returns the observation of a row.
    ///
    /// # Panics
    /// If the row is out of range.
    #[must_use]
    pub fn observation(&self, row: usize) -> u32 {
        self.observation_of[row]
    }

    /// Returns the id of the value of `p` recorded in a row, or [`UNKNOWN`].
    ///
    /// # Panics
    /// If the row is out of range.
    #[must_use]
    pub fn value_id(&self, row: usize) -> u32 {
        self.value(row as u32)
    }

    /// Returns the action taken at a row; `None` where an episode ends.
    ///
    /// # Panics
    /// If the row is out of range.
    #[must_use]
    pub fn action_id(&self, row: usize) -> Option<u32> {
        self.action(row as u32)
    }

    /// Returns the actions along a path through this recording.
    ///
    /// # Panics
    /// If the path is of another recording.
    #[must_use]
    pub fn word(&self, path: &Path) -> Vec<u32> {
        path.steps()
            .filter_map(|row| self.action(row as u32))
            .collect()
    }

    /// Returns every contradiction of determinism, in the order in which it was found.
    #[must_use]
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    /// Whether each row of this observation is a state of its own.
    ///
    /// # Panics
    /// If the observation is out of range.
    #[must_use]
    pub fn is_unmerged(&self, observation: u32) -> bool {
        let number = self.observations[observation as usize].recurring;
        let recurring = self.recurring.get(number);
        recurring.is_some_and(|recurring| recurring.is_unmerged)
    }

    /// Whether an observation was recorded more than once.
    pub(super) fn recurs(&self, observation: u32) -> bool {
        self.observations[observation as usize].recurring != ONCE
    }

    /// Returns the rows of an observation, ascending.
    ///
    /// # Panics
    /// If the observation is out of range.
    #[must_use]
    pub fn rows_of(&self, observation: u32) -> Vec<usize> {
        let Occurrence { first, recurring } = self.observations[observation as usize];
        if recurring == ONCE {
            return vec![first as usize];
        }
        let mut rows: Vec<usize> = self
            .recurring
            .rows(recurring)
            .map(|row| row as usize)
            .collect();
        rows.reverse();
        rows
    }

    /// Returns the number of pairs of an observation and an action that were recorded; there are
    /// `observations * actions` in all. One pass over the observations.
    #[must_use]
    pub fn recorded_steps(&self) -> usize {
        let steps = |occurrence: &Occurrence| match occurrence.recurring {
            ONCE => usize::from(self.action(occurrence.first).is_some()),
            number => self.recurring.steps(number).len(),
        };
        self.observations.iter().map(steps).sum()
    }
}
