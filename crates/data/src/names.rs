//! Names of the arrays that have a meaning in a recording: ours, and those of others.

/// Name of the array of names of actions.
pub(crate) const ACTION_NAMES: &str = "action_names";

/// Names of the arrays that have a meaning in the format. All other arrays of a file are kept as
/// additional ones.
pub const RESERVED_NAMES: [&str; 11] = [
    "observations",
    "actions",
    "action_count",
    ACTION_NAMES,
    "rewards",
    "aux",
    "terminals",
    "timeouts",
    "state_ids",
    "splits",
    "world_is_deterministic",
];

/// Meaning of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Observations,
    Actions,
    ActionCount,
    ActionNames,
    Rewards,
    Aux,
    Terminals,
    Timeouts,
    StateIds,
    Splits,
    WorldIsDeterministic,
}

/// Whether these are the names of the arrays of a recording: observations under any of the names
/// that are read.
#[must_use]
pub fn is_recording(names: &[String]) -> bool {
    let known = Kind::Observations.names();
    names.iter().any(|name| known.contains(&name.as_str()))
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::Observations,
        Self::Actions,
        Self::ActionCount,
        Self::ActionNames,
        Self::Rewards,
        Self::Aux,
        Self::Terminals,
        Self::Timeouts,
        Self::StateIds,
        Self::Splits,
        Self::WorldIsDeterministic,
    ];

    /// Returns the names under which such an array is read, ours first. The others are those of
    /// Gymnasium, Minari, LeRobot, and common scripts.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Observations => &["observations", "obs", "observation"],
            Self::Actions => &["actions", "action"],
            Self::ActionCount => &["action_count"],
            Self::ActionNames => &[ACTION_NAMES],
            Self::Rewards => &["rewards", "reward", "next.reward"],
            Self::Aux => &["aux"],
            Self::Terminals => &[
                "terminals",
                "terminations",
                "terminated",
                "dones",
                "done",
                "next.done",
            ],
            Self::Timeouts => &["timeouts", "truncations", "truncated", "next.truncated"],
            Self::StateIds => &["state_ids"],
            Self::Splits => &["splits"],
            Self::WorldIsDeterministic => &["world_is_deterministic"],
        }
    }
}
