//! A recording as a partial system: rows, the observations they show, and what followed.

use std::ops::Range;

use tellapart_progress::{Progress, Stopped};

use super::contradiction::{Contradiction, ContradictionKind};
use super::episodes::{Episodes, EvidenceError, Tolerance};
use super::path::Path;
use super::recurring::{Recurrences, Recurring, RecurringStep};
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
///    from the value in its first row), or
/// 2. the same action at two of its rows leads to different observations, or
/// 3. the same action at two of its rows leads to rows of an unmerged observation: those are
///    different states now.
///
/// Each row of an unmerged observation is a state of its own, and only what followed that very row
/// counts for it. The least set that is closed under the three is computed, so the order of
/// processing does not matter, and what remains merged is deterministic. 1 and 2 are reported as
/// [`Contradiction`]s; 3 is a consequence. A word counts as *recorded* from a row iff it can be
/// followed through this system.
///
/// Appending costs amortized constant time a row, apart from the consequences (3), which cost the
/// rows of each newly unmerged observation once. Memory: 20 bytes a row. Where observations recur,
/// 4 more a row, 28 for each recurring observation, and 16 for each action recorded there.
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
    tolerance: Option<Tolerance>,
    /// Vectors of values, `[values, width]`, with a tolerance.
    vectors: Vec<f32>,
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
            self.symbols
                .push(u64::from(episodes.values[row]) << 32 | u64::from(action));
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
        let (old, new) = (self.recurring.of(number).value, self.value(row));
        if old != new {
            self.add_value(observation, number, [first, row], unmerged);
        }
        self.add_step(row, number, unmerged);
    }

    /// Handles different values in the first row of an observation and in another one.
    fn add_value(
        &mut self,
        observation: u32,
        number: u32,
        rows: [u32; 2],
        unmerged: &mut Vec<u32>,
    ) {
        let [old, new] = rows.map(|row| self.value(row));
        let differ = self.differ(old, new);
        if !differ {
            self.recurring.of(number).is_mixed = true;
            for step in self.recurring.steps(number) {
                self.stops.insert(step.row as usize);
            }
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
                    self.recurring.contradict(number, place);
                    self.contradictions.push(Contradiction {
                        observation,
                        kind: ContradictionKind::Successor { action },
                        rows: [step.row as usize, row as usize],
                    });
                    self.unmerge(observation, unmerged);
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

    /// Returns the id of the value of `p` recorded in a row.
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

    pub(super) fn symbols(&self) -> &[u64] {
        &self.symbols
    }

    /// Iterates over the rows of every episode, from one that begins at `start` on.
    pub(super) fn episodes_from(
        &self,
        mut start: usize,
    ) -> impl Iterator<Item = Range<usize>> + '_ {
        (start..self.rows())
            .filter(|&row| self.action(row as u32).is_none())
            .map(move |row| std::mem::replace(&mut start, row + 1)..row + 1)
    }

    /// Returns the number of rows from this one to the next stop after it.
    pub(super) fn until_stop(&self, row: u32) -> u32 {
        self.stops.after(row as usize).unwrap_or(self.rows()) as u32 - row
    }

    /// Whether two rows have equal actions, and values of `p` that do not differ.
    pub(super) fn agree(&self, a: u32, b: u32) -> bool {
        self.action(a) == self.action(b) && !self.differ(self.value(a), self.value(b))
    }

    pub(super) fn value(&self, row: u32) -> u32 {
        (self.symbols[row as usize] >> 32) as u32
    }

    pub(super) fn action(&self, row: u32) -> Option<u32> {
        let action = self.symbols[row as usize] as u32;
        (action != END).then_some(action)
    }

    /// Returns the number of the observation of a row among those that recur.
    fn number_at(&self, row: u32) -> Option<u32> {
        let recurs = self.recurs.contains(row as usize);
        recurs.then(|| self.number(self.observation_of[row as usize]))
    }

    /// Returns the number and record of the recurring observation of a row, unless its rows are
    /// states of their own.
    fn merged_at(&self, row: u32) -> Option<(u32, &Recurring)> {
        let number = self.number_at(row)?;
        let recurring = self.recurring.get(number)?;
        (!recurring.is_unmerged).then_some((number, recurring))
    }

    /// Returns the state of a row, named by its first row.
    pub(super) fn state(&self, row: u32) -> u32 {
        let first = |_| self.observations[self.observation_of[row as usize] as usize].first;
        self.merged_at(row).map_or(row, first)
    }

    /// Returns the row to continue from, if exactly one action was recorded at a state: the rows
    /// after it determine everything until a stop.
    pub(super) fn only_way(&self, state: u32) -> Option<u32> {
        let Some((number, merged)) = self.merged_at(state) else {
            return self.action(state).map(|_| state);
        };
        match self.recurring.steps(number) {
            [step] if !merged.is_mixed => Some(step.row),
            _ => None,
        }
    }

    /// Returns the actions recorded at a state, ascending, each with a row at which it was taken.
    pub(super) fn steps(&self, state: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let merged = self.merged_at(state);
        let several = merged
            .into_iter()
            .flat_map(|(number, _)| self.recurring.steps(number));
        let single = if merged.is_none() {
            self.action(state)
        } else {
            None
        };
        several
            .map(|step| (step.action, step.row))
            .chain(single.map(|action| (action, state)))
    }

    /// Whether two values of `p`, by id, differ.
    pub(super) fn differ(&self, a: u32, b: u32) -> bool {
        let Some(tolerance) = self.tolerance.filter(|_| a != b) else {
            return a != b;
        };
        let vector =
            |id: u32| &self.vectors[id as usize * tolerance.width()..][..tolerance.width()];
        let squares = vector(a)
            .iter()
            .zip(vector(b))
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        squares.sum::<f64>().sqrt() > tolerance.distance()
    }
}
