//! What a recording says of its world: deterministic, stochastic, or nothing.

use serde::{Deserialize, Serialize};
use tellapart_bisim::evidence::{Determinism, Recording};
use tellapart_progress::{Progress, Stopped};

/// Number of differences to be expected by chance from which a recording without any counts as
/// deterministic. Were one step in seven random, one in a hundred recordings would look so.
pub const TELLING_RECURRENCES: usize = 30;
/// Share of the steps that must be compared for that: where only a few places recur, such as the
/// beginnings of episodes, they say nothing about the others.
const TELLING_SHARE: f64 = 0.25;

/// Whether what follows an observation is determined by the actions taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorldKind {
    /// Equal observations and equal actions have equal values of `p`. One recorded future of each
    /// row then tells rows apart.
    Deterministic,
    /// Equal observations and equal actions had different values of `p`: by chance, or because the
    /// observation does not show all that matters. Differences of single rows prove nothing.
    Stochastic,
    /// Too few observations recur to tell.
    CannotBeTold,
}

/// Who says what kind a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaidBy {
    /// The user, who declares it.
    User,
    /// The recording, in
    /// [`world_is_deterministic`](tellapart_data::TrajectoryParts::world_is_deterministic).
    Recording,
    /// Nobody: it is what the data shows.
    Data,
}

/// Where the kind of a world is taken from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorldOption {
    /// What the recording says of itself, or else what the data shows.
    #[default]
    Recording,
    /// What the data shows, whatever the recording says of itself.
    Data,
    /// What the user declares.
    Declared(WorldKind),
}

/// Kind of the world of a recording, and the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Kind, declared or found.
    pub kind: WorldKind,
    /// Who says so.
    pub said_by: SaidBy,
    /// Number of rows whose observation and next action were recorded before, and whose `p` could
    /// be compared with what followed then.
    pub compared: usize,
    /// How many of these would differ if values of `p` were drawn at random from those compared.
    pub expected_by_chance: f64,
    /// Number of recorded steps.
    pub steps: usize,
    /// Number of rows whose observation was recorded before with another `p`, at once or after the
    /// same actions.
    pub differing: usize,
    /// Two such rows. `null` if there are none.
    pub example: Option<[usize; 2]>,
    /// Number of actions after which `p` differs from the rows of the example.
    pub example_actions: Option<usize>,
    /// Longest words of actions that were compared. `null` if there are no longer ones.
    pub cut_off: Option<usize>,
}

impl World {
    pub(super) fn of(
        recording: &Recording,
        option: WorldOption,
        recorded: Option<WorldKind>,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let Determinism {
            compared,
            expected_by_chance,
            differing,
            example,
            cut_off,
        } = recording.determinism(progress)?;
        let steps = recording.rows() - recording.episodes();
        let is_telling = expected_by_chance >= TELLING_RECURRENCES as f64
            && compared as f64 >= TELLING_SHARE * steps as f64;
        let found = match differing {
            1.. => WorldKind::Stochastic,
            0 if is_telling => WorldKind::Deterministic,
            0 => WorldKind::CannotBeTold,
        };
        let (kind, said_by) = match (option, recorded) {
            (WorldOption::Declared(kind), _) => (kind, SaidBy::User),
            (WorldOption::Recording, Some(kind)) => (kind, SaidBy::Recording),
            _ => (found, SaidBy::Data),
        };
        Ok(Self {
            kind,
            said_by,
            compared,
            expected_by_chance,
            steps,
            differing,
            example: example.map(|(rows, _)| rows),
            example_actions: example.map(|(_, actions)| actions),
            cut_off,
        })
    }

    /// Says in a sentence what the world is, and why.
    #[must_use]
    pub fn in_words(&self) -> String {
        let recurring = match (self.compared, self.differing) {
            (0, 0) => "no observation recurs with the same action".to_owned(),
            (compared, 0) => format!(
                "{compared} of {} repeat an earlier observation and action, and p never differs",
                match self.steps {
                    1 => "1 step".to_owned(),
                    steps => format!("{steps} steps"),
                }
            ),
            (_, differing) => {
                let [a, b] = self.example.unwrap_or_default();
                let after = match self.example_actions {
                    None | Some(0) => "at once".to_owned(),
                    Some(1) => "after one equal action".to_owned(),
                    Some(actions) => format!("after {actions} equal actions"),
                };
                format!(
                    "in {differing} rows an observation recurs with another p, as in rows {a} and {b} {after}"
                )
            }
        };
        let recurring = match self.cut_off {
            Some(actions) if self.differing == 0 => {
                format!("{recurring} within {actions} actions, after which nothing was compared")
            }
            _ => recurring,
        };
        let is_rare = self.expected_by_chance < TELLING_RECURRENCES as f64;
        let recurring = match self.kind {
            WorldKind::CannotBeTold if self.compared >= TELLING_RECURRENCES && is_rare => {
                format!("{recurring}, but it hardly varies there")
            }
            _ => recurring,
        };
        let kind = match self.kind {
            WorldKind::Deterministic => "deterministic",
            WorldKind::Stochastic => "stochastic",
            WorldKind::CannotBeTold => "of an unknown kind",
        };
        match (self.said_by, self.kind) {
            (SaidBy::User, _) => format!("{kind}, as declared ({recurring})"),
            (SaidBy::Recording, _) => format!("{kind}, as the recording says ({recurring})"),
            (SaidBy::Data, WorldKind::Deterministic) => {
                format!("consistent with determinism: {recurring}")
            }
            (SaidBy::Data, WorldKind::Stochastic) => {
                format!("stochastic, or with a hidden state: {recurring}")
            }
            (SaidBy::Data, WorldKind::CannotBeTold) => {
                format!("whether it is deterministic cannot be told: {recurring}")
            }
        }
    }
}
