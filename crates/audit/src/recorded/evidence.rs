//! Trajectories as evidence: what a recording itself distinguishes.

use tellapart_bisim::evidence::{
    Contradiction, ContradictionKind, Distinguished, Episodes, EvidenceError, Path, Recording,
    Tolerance, ValueOf,
};
use tellapart_data::{ActionRule, Auxiliary, BelongsTo, DataError, FiniteActions, Trajectories};
use tellapart_progress::{Progress, Stopped};
use thiserror::Error;

use super::alignment::{Alignment, PRead, Reading};
use super::world::{World, WorldKind, WorldOption};

/// Options of how trajectories are read as evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedOptions {
    /// Name of the array that is the auxiliary function `p`: `rewards`, `aux`, or another one.
    pub value: String,
    /// What its values belong to.
    pub value_of: BelongsTo,
    /// Where the kind of the world is taken from.
    pub world: WorldOption,
    /// Largest Euclidean distance at which two values of `p` count as equal. `None`: only if all
    /// their elements are equal.
    pub tolerance: Option<f64>,
    /// Rule by which action vectors count as the same action; required iff actions are vectors.
    pub action_rule: Option<ActionRule>,
}

impl Default for RecordedOptions {
    /// Returns the default: rewards, compared exactly; actions that are ids.
    fn default() -> Self {
        Self {
            value: "rewards".to_owned(),
            value_of: BelongsTo::Observation,
            world: WorldOption::Recording,
            tolerance: None,
            action_rule: None,
        }
    }
}

/// A recording together with the oracle of what it distinguishes.
///
/// Rows are those of the trajectories. Rows with identical observations are one observation. Hidden
/// state ids are not used, unless they are chosen as the value.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Oracle of which rows the data distinguishes.
    pub oracle: Distinguished,
    /// Actions that the words of the oracle refer to.
    pub actions: FiniteActions,
    /// Values of `p`: that of each row, or of the step from it.
    pub values: Auxiliary,
    /// Whether what follows an observation is determined by the actions.
    pub world: World,
}

/// Error for trajectories that cannot be evidence.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// An array is missing, or actions need a rule.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A tolerance that is not a distance, or too many rows.
    #[error(transparent)]
    Evidence(EvidenceError),
    /// The work was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<EvidenceError> for RecordedError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Stopped(stopped) => stopped.into(),
            error => Self::Evidence(error),
        }
    }
}

impl Recorded {
    /// Finds equal observations, actions and values of `p`, and builds the oracle.
    ///
    /// Cost: every observation is hashed once, and compared with the first one that it equals; then
    /// the cost of [`Distinguished::append`].
    ///
    /// # Errors
    /// If there is no such array, actions lack a rule, or the tolerance is not a distance;
    /// [`RecordedError::Stopped`], soon after `progress` says so.
    pub fn new(
        trajectories: &Trajectories,
        options: &RecordedOptions,
        progress: &dyn Progress,
    ) -> Result<Self, RecordedError> {
        progress.check()?;
        let actions = trajectories.finite_actions(options.action_rule.as_ref())?;
        let values = trajectories.auxiliary(&options.value, options.value_of)?;
        let (recording, vectors) = match options.tolerance {
            None => (Recording::new(actions.count)?, &[][..]),
            Some(distance) => {
                if values.is_rounded() {
                    let array = options.value.clone();
                    return Err(DataError::ToleranceOfRounded { array }.into());
                }
                let tolerance = Tolerance::new(values.width(), distance)?;
                let recording = Recording::with_tolerance(actions.count, tolerance)?;
                (recording, values.table())
            }
        };
        let recording = recording.with_values_of(match options.value_of {
            BelongsTo::Observation | BelongsTo::Arrival => ValueOf::Observation,
            BelongsTo::Step => ValueOf::Step,
        });
        let ends: Vec<bool> = (0..trajectories.rows())
            .map(|row| trajectories.ends(row))
            .collect();
        let observations = trajectories.observations.distinct().ids;
        let episodes = Episodes {
            observations: &observations,
            actions: &actions.ids,
            values: values.ids(),
            ends: &ends,
            vectors,
        };
        let recording = recording.appended(&episodes, progress)?;
        let recorded = trajectories
            .world_is_deterministic
            .map(|it_is| match it_is {
                true => WorldKind::Deterministic,
                false => WorldKind::Stochastic,
            });
        let world = World::of(&recording, options.world, recorded, progress)?;
        Ok(Self {
            oracle: Distinguished::with_progress(recording, progress)?,
            actions,
            values,
            world,
        })
    }

    /// Returns the value of `p` in a row, or of the step from it; empty where it is not known.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn p(&self, row: usize) -> &[f64] {
        self.values.row(self.oracle.recording().row_of_value(row))
    }

    /// Returns the id of the value of `p` in a row, or of the step from it, in
    /// [`Recorded::values`].
    pub(super) fn p_id(&self, row: usize) -> u32 {
        self.values.ids()[self.oracle.recording().row_of_value(row)]
    }

    /// Says if `p` contradicts determinism less where it belongs to something else.
    ///
    /// Cost: nothing without contradictions of `p`, else a few passes over the rows.
    #[must_use]
    pub fn misread(
        &self,
        trajectories: &Trajectories,
        options: &RecordedOptions,
    ) -> Option<String> {
        let is_of_p =
            |found: &Contradiction| !matches!(found.kind, ContradictionKind::Successor { .. });
        if !self.oracle.recording().contradictions().iter().any(is_of_p) {
            return None;
        }
        let rule = options.action_rule.as_ref();
        // Array and rule were read before, so there is no error that anybody has not seen.
        let readings = Alignment::of(trajectories, Some(&options.value), rule).ok()?;
        let (own, other) = readings.better_than(options.value_of)?;
        let share = |reading: &Reading<PRead>| 100.0 * reading.share().unwrap_or_default();
        other.read.option().map(|of| {
            format!(
                "{p} is read as of the {now} and contradicts itself in {:.1} % of the repetitions; as of the \
                 {of} (--p-of {of}) in {:.1} %. `tellapart inspect --align` shows every reading.",
                share(&own),
                share(&other),
                p = options.value,
                now = options.value_of,
            )
        })
    }

    /// Says what a reader must know of `p`: that another reading contradicts itself less, that
    /// values were not read, or are shown otherwise than they are compared.
    #[must_use]
    pub fn notes(&self, trajectories: &Trajectories, options: &RecordedOptions) -> Vec<String> {
        let p = &options.value;
        let unread = self.values.unread();
        let unread = (unread > 0).then(|| {
            format!(
                "{p} has values other than 0 in {unread} rows in which an episode ends. As of the {} they belong to \
                 no recorded step, and are not read. If ends are stored with the last step, store them one row \
                 later, in the row of the last observation.",
                options.value_of
            )
        });
        let rounded = self.values.is_rounded().then(|| {
            format!(
                "{p} holds whole numbers beyond 2^53: they are compared exactly, but shown rounded."
            )
        });
        let misread = self.misread(trajectories, options);
        misread.into_iter().chain(unread).chain(rounded).collect()
    }

    /// Returns the values of `p` along a path: at each of its rows, or of the step that led to it.
    /// A value that is not known is empty; so is the first one where values belong to steps.
    #[must_use]
    pub fn p_along(&self, path: &Path) -> Vec<Vec<f64>> {
        match self.oracle.recording().value_of() {
            ValueOf::Observation => path.rows().map(|row| self.p(row).to_vec()).collect(),
            ValueOf::Step => std::iter::once(Vec::new())
                .chain(path.steps().map(|row| self.p(row).to_vec()))
                .collect(),
        }
    }

    /// Returns the names of the actions of a word.
    #[must_use]
    pub fn names(&self, word: &[u32]) -> Vec<String> {
        word.iter()
            .map(|&action| self.actions.name(action))
            .collect()
    }
}
