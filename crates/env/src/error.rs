//! What can be wrong with a request to a world.

use tellapart_system::{StateId, SystemError};

use crate::{Action, ActionSpace};

/// A request that a world cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// An option has a value that makes no world.
    #[error("option `{name}` is {value}: expected {expected}")]
    BadOption {
        /// The field of the options.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        expected: String,
    },
    /// A buffer does not fit the number of copies.
    #[error("`{buffer}` holds {found} items: this world of {copies} copies needs {expected}")]
    WrongLength {
        /// Which argument.
        buffer: &'static str,
        /// The number of copies in the world.
        copies: usize,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// An action is not in the action space.
    #[error("{} {space}", action_problem(*copy, *action))]
    BadAction {
        /// For which copy, if it was for one.
        copy: Option<usize>,
        /// The action.
        action: Action,
        /// The space it had to be in.
        space: ActionSpace,
    },
    /// An episode cannot begin with this count.
    #[error("copy {copy} cannot begin with {count} objects: the most is {max_count}")]
    BadCount {
        /// For which copy.
        copy: usize,
        /// The count that was asked for.
        count: u8,
        /// The greatest possible one.
        max_count: u8,
    },
    /// An episode cannot begin in this state.
    #[error("copy {copy} cannot begin in state {state}: the states are 0 to {}", states - 1)]
    BadState {
        /// For which copy.
        copy: usize,
        /// The state that was asked for.
        state: StateId,
        /// How many there are, at least 1.
        states: usize,
    },
    /// There is no world of this name.
    #[error("there is no environment called {name:?}; there are: {known}")]
    UnknownWorld {
        /// The name that was asked for.
        name: String,
        /// All names there are.
        known: String,
    },
    /// The finite system behind the world could not be built.
    #[error("the ground truth of this world is not a system")]
    GroundTruth(#[from] SystemError),
}

/// Passes if the option `name`, which is `value`, is as `expected`.
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
