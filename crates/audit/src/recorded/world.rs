//! What a recording says of its world: deterministic, stochastic, or nothing.

use serde::{Deserialize, Serialize};
use tellapart_bisim::evidence::{Determinism, Recording};
use tellapart_progress::{Progress, Stopped};

/// Number of comparisons without a difference from which a recording counts as deterministic. Were
/// one step in seven random, one in a hundred recordings would look so.
pub const TELLING_RECURRENCES: usize = 30;

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

/// Kind of the world of a recording, and the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Kind, declared or found.
    pub kind: WorldKind,
    /// Whether the user declared the kind.
    pub declared: bool,
    /// Number of rows whose observation and next action were recorded before, and whose `p` could
    /// be compared with what followed then.
    pub compared: usize,
    /// Number of rows whose observation was recorded before with another `p`, at once or after the
    /// same actions.
    pub differing: usize,
    /// Two such rows. `null` if there are none.
    pub example: Option<[usize; 2]>,
    /// Number of actions after which `p` differs from the rows of the example.
    pub example_actions: Option<usize>,
}

impl World {
    pub(super) fn of(
        recording: &Recording,
        declared: Option<WorldKind>,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let Determinism {
            compared,
            differing,
            example,
        } = recording.determinism(progress)?;
        let found = match (compared, differing) {
            (_, 1..) => WorldKind::Stochastic,
            (TELLING_RECURRENCES.., 0) => WorldKind::Deterministic,
            _ => WorldKind::CannotBeTold,
        };
        Ok(Self {
            kind: declared.unwrap_or(found),
            declared: declared.is_some(),
            compared,
            differing,
            example: example.map(|(rows, _)| rows),
            example_actions: example.map(|(_, actions)| actions),
        })
    }

    /// Says in a sentence what the world is, and why.
    #[must_use]
    pub fn in_words(&self) -> String {
        let recurring = match (self.compared, self.differing) {
            (0, 0) => "no observation recurs with the same action".to_owned(),
            (compared, 0) => format!(
                "{} with the same observation and action as an earlier one, and p never differs",
                if compared == 1 {
                    "1 row continues".to_owned()
                } else {
                    format!("{compared} rows continue")
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
        match (self.kind, self.declared) {
            (WorldKind::Deterministic, true) => format!("deterministic, as declared ({recurring})"),
            (WorldKind::Stochastic, true) => format!("stochastic, as declared ({recurring})"),
            (WorldKind::Deterministic, false) => {
                format!("consistent with determinism: {recurring}")
            }
            (WorldKind::Stochastic, false) => {
                format!("stochastic, or with a hidden state: {recurring}")
            }
            (WorldKind::CannotBeTold, _) => {
                format!("whether it is deterministic cannot be told: {recurring}")
            }
        }
    }
}
