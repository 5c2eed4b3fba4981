//! Errors of requests to a world.

use tellapart_system::{StateId, SystemError};

use crate::{Action, ActionSpace};

/// Error of a request that a world cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// An option has an impossible value.
    #[error("option `{name}` is {value}: expected {expected}")]
    BadOption {
        /// Field of the options.
        name: &'static str,
        /// Value of the option.
        value: String,
        /// Description of possible values.
        expected: String,
    },
    /// A buffer does not fit the number of environments.
    #[error(
        "`{buffer}` holds {found} items: this world of {num_envs} environments needs {expected}"
    )]
    WrongLength {
        /// Name of the argument.
        buffer: &'static str,
        /// Number of environments in the world.
        num_envs: usize,
        /// Length that the buffer must have.
        expected: usize,
        /// Length that the buffer has.
        found: usize,
    },
    /// An action is not in the action space.
    #[error("{} {space}", action_problem(*copy, *action))]
    BadAction {
        /// Index of the environment, if the action was for one.
        copy: Option<usize>,
        /// Action that is not in the space.
        action: Action,
        /// Space of possible actions.
        space: ActionSpace,
    },
    /// An episode cannot begin in this state.
    #[error("copy {copy} cannot begin in state {state}: the states are 0 to {}", states - 1)]
    BadState {
        /// Index of the environment.
        copy: usize,
        /// Requested state.
        state: StateId,
        /// Number of states, at least 1.
        states: usize,
    },
    /// There is no world of this name.
    #[error("there is no environment called {name:?}; there are: {known}")]
    UnknownWorld {
        /// Requested name.
        name: String,
        /// Names of all worlds.
        known: String,
    },
    /// The finite system behind the world could not be built.
    #[error("the ground truth of this world is not a system")]
    GroundTruth(#[from] SystemError),
}

/// Checks that the option `name` with value `value` is as `expected`.
pub(crate) fn require(
    name: &'static str,
    value: impl ToString,
    holds: bool,
    expected: impl Into<String>,
) -> Result<(), EnvError> {
    if holds {
        return Ok(());
    }
    Err(EnvError::BadOption {
        name,
        value: value.to_string(),
        expected: expected.into(),
    })
}

fn action_problem(copy: Option<usize>, action: Action) -> String {
    let whose = copy.map_or(String::new(), |copy| format!(" for copy {copy}"));
    match action {
        Action::Continuous(a) => format!("the action {a}{whose} is not in the space"),
        Action::OneHot(id) => format!("the action with index {id}{whose} is not in the space"),
    }
}
