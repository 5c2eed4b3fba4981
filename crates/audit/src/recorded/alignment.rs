//! Whether actions, ends of episodes and values of `p` stand in the right rows: which reading
//! contradicts itself least.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;
use tellapart_data::{ActionRule, Auxiliary, BelongsTo, DataError, Trajectories};

/// Number of repetitions from which a reading without contradictions counts as consistent.
const TELLING_REPETITIONS: usize = 30;

/// How often each reading of a recording contradicts itself.
///
/// In a deterministic world the true reading never does, and others do wherever observations recur.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alignment {
    /// Readings of the actions. A repetition is an observation and an action that were recorded
    /// before; a contradiction leads to another observation than then.
    pub actions: Vec<Reading<ActionsRead>>,
    /// Readings of the ends of episodes, counted as those of actions. Empty if no row ends one.
    pub ends: Vec<Reading<EndsRead>>,
    /// Readings of `p`. A repetition is a place that had a value before; a contradiction has
    /// another value than then.
    pub p: Vec<Reading<PRead>>,
}

/// Contradictions under one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reading<R> {
    /// The reading.
    pub read: R,
    /// Number of repetitions.
    pub repeated: usize,
    /// Number of repetitions that contradict the first occurrence.
    pub contradicting: usize,
}

/// Place at which the action of a row was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionsRead {
    /// At the observation of the row before: it led to this one.
    RowBefore,
    /// At the observation of the row, as it should be.
    Row,
    /// At the observation of the row after.
    RowAfter,
}

/// Row in which an episode ends whose end is stored in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndsRead {
    /// The row itself, as it should be: it shows the last observation.
    Row,
    /// The row after: the end is stored with the last step.
    RowAfter,
}

/// What the value of `p` in a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PRead {
    /// The observation of the row before.
    ObservationBefore,
    /// The observation of the row: [`BelongsTo::Observation`].
    Observation,
    /// The observation of the row after: [`BelongsTo::Arrival`].
    Arrival,
    /// The step from the row before.
    StepBefore,
    /// The step from the row: [`BelongsTo::Step`].
    Step,
}

impl<R> Reading<R> {
    /// Share of the repetitions that contradict; `None` without repetitions.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.repeated > 0).then(|| self.contradicting as f64 / self.repeated as f64)
    }

    /// Whether it never contradicts itself, although it could have often.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.contradicting == 0 && self.repeated >= TELLING_REPETITIONS
    }
}

impl PRead {
    /// Returns the option that reads it so; `None` if there is none.
    #[must_use]
    pub fn option(self) -> Option<BelongsTo> {
        match self {
            Self::Observation => Some(BelongsTo::Observation),
            Self::Arrival => Some(BelongsTo::Arrival),
            Self::Step => Some(BelongsTo::Step),
            Self::ObservationBefore | Self::StepBefore => None,
        }
    }
}

impl Alignment {
    /// Counts the contradictions of every reading. `p` is the array of values, if there is one.
    ///
    /// Cost: a pass over the rows for each reading.
    ///
    /// # Errors
    /// If there is no such array, or actions lack a rule.
    pub fn of(
        trajectories: &Trajectories,
        p: Option<&str>,
        rule: Option<&ActionRule>,
    ) -> Result<Self, DataError> {
        let actions = trajectories.finite_actions(rule)?.ids;
        let rows = Rows {
            observations: trajectories.observations.distinct().ids,
            actions,
            trajectories,
        };
        let action_readings = [
            ActionsRead::RowBefore,
            ActionsRead::Row,
            ActionsRead::RowAfter,
        ];
        let p = match p {
            None => Vec::new(),
            Some(name) => {
                let values = trajectories.value_ids(name)?;
                PRead::ALL.map(|read| rows.values(read, &values)).to_vec()
            }
        };
        let flags = [&trajectories.terminals, &trajectories.timeouts];
        let ends = match flags.into_iter().flatten().any(|flag| *flag) {
            true => {
                let of = |read| rows.steps(read, rule);
                vec![of(EndsRead::Row)?, of(EndsRead::RowAfter)?]
            }
            false => Vec::new(),
        };
        Ok(Self {
            actions: action_readings.map(|read| rows.successors(read)).to_vec(),
            ends,
            p,
        })
    }

    /// Returns the reading of `p` by `current`, which contradicts itself, and the one by another
    /// option that does so least, if that is less than half as often.
    #[must_use]
    pub fn better_than(&self, current: BelongsTo) -> Option<(Reading<PRead>, Reading<PRead>)> {
        let is_current = |reading: &&Reading<PRead>| reading.read.option() == Some(current);
        let own = self.p.iter().find(is_current)?;
        let own_share = own.share()?;
        let others = self.p.iter().filter(|reading| {
            reading.read.option().is_some() && reading.repeated >= TELLING_REPETITIONS
        });
        let best = others
            .filter_map(|other| Some((other.share()?, other)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|&(share, _)| 2.0 * share < own_share)
            .map(|(_, other)| (*own, *other))
    }
}

impl PRead {
    const ALL: [Self; 5] = [
        Self::ObservationBefore,
        Self::Observation,
        Self::Arrival,
        Self::StepBefore,
        Self::Step,
    ];
}

struct Rows<'a> {
    observations: Vec<u32>,
    actions: Vec<u32>,
    trajectories: &'a Trajectories,
}

impl Rows<'_> {
    /// Returns the row after, in the same episode.
    fn after(&self, row: usize) -> Option<usize> {
        (!self.trajectories.ends(row)).then_some(row + 1)
    }

    /// Returns the row before, in the same episode.
    fn before(&self, row: usize) -> Option<usize> {
        row.checked_sub(1)
            .filter(|&before| !self.trajectories.ends(before))
    }

    fn successors(&self, read: ActionsRead) -> Reading<ActionsRead> {
        let steps = (0..self.observations.len()).filter_map(|row| {
            let next = self.after(row)?;
            // Row that stores the action taken at `row`; where an episode ends, none is stored,
            // unless actions stand in the row that they led to.
            let stored = match read {
                ActionsRead::RowBefore if self.trajectories.ends(next) => return None,
                ActionsRead::RowBefore => next,
                ActionsRead::Row => row,
                ActionsRead::RowAfter => self.before(row)?,
            };
            let key = (self.observations[row], self.actions[stored]);
            Some((key, self.observations[next]))
        });
        contradictions(read, steps)
    }

    fn steps(
        &self,
        read: EndsRead,
        rule: Option<&ActionRule>,
    ) -> Result<Reading<EndsRead>, DataError> {
        let is_marked = |row: usize| self.trajectories.ends(row);
        let last = self.observations.len() - 1;
        let is_taken = |row: usize| match read {
            EndsRead::Row => !is_marked(row),
            EndsRead::RowAfter => row < last && !row.checked_sub(1).is_some_and(is_marked),
        };
        let actions = self.trajectories.finite_actions_where(rule, is_taken)?.ids;
        let steps = (0..last).filter(|&row| is_taken(row)).map(|row| {
            let key = (self.observations[row], actions[row]);
            (key, self.observations[row + 1])
        });
        Ok(contradictions(read, steps))
    }

    fn values(&self, read: PRead, values: &[u32]) -> Reading<PRead> {
        let places = (0..self.observations.len()).filter_map(|row| {
            let (at, is_step) = match read {
                PRead::ObservationBefore => (self.before(row)?, false),
                PRead::Observation => (row, false),
                PRead::Arrival => (self.after(row)?, false),
                PRead::StepBefore => (self.before(row)?, true),
                PRead::Step => (self.after(row).map(|_| row)?, true),
            };
            let action = is_step.then(|| self.actions[at]);
            let value = values[row];
            (value != Auxiliary::UNKNOWN).then_some(((self.observations[at], action), value))
        });
        contradictions(read, places)
    }
}

fn contradictions<R, K: Hash + Eq>(
    read: R,
    outcomes: impl Iterator<Item = (K, u32)>,
) -> Reading<R> {
    let mut first = HashMap::new();
    let (mut repeated, mut contradicting) = (0, 0);
    for (key, outcome) in outcomes {
        match first.get(&key) {
            None => {
                first.insert(key, outcome);
            }
            Some(&before) => {
                repeated += 1;
                contradicting += usize::from(before != outcome);
            }
        }
    }
    Reading {
        read,
        repeated,
        contradicting,
    }
}
