//! Worlds by name, and any of them with its options.

use std::{fmt, str::FromStr};

use tellapart_system::MooreMachine;

use crate::{BatchEnvironment, Counting, EnvError, Grid, RepeatedRandom, counting, grid};

/// The built-in worlds, as they are called on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// `counting`: [`Counting`].
    Counting,
    /// `gridworld`: [`Grid`].
    Grid,
}

/// A world by its options.
#[derive(Debug, Clone, PartialEq)]
pub enum WorldOptions {
    /// Of [`Counting`].
    Counting(counting::ValidOptions),
    /// Of [`Grid`].
    Grid(grid::ValidOptions),
}

impl World {
    /// Every world there is.
    pub const ALL: [Self; 2] = [Self::Counting, Self::Grid];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counting => "counting",
            Self::Grid => "gridworld",
        }
    }

    /// For how many steps [`RepeatedRandom`] should repeat an action: the paper's choice in the
    /// counting world. In the default gridworld that would push against a wall in 65 steps of 100;
    /// a new action at every step does so in 29, and covers cells, tints and actions best.
    pub fn repeat_steps(self) -> u32 {
        match self {
            Self::Counting => RepeatedRandom::REPEAT_STEPS,
            Self::Grid => 1,
        }
    }
}

impl WorldOptions {
    /// Which world they are of.
    pub fn world(&self) -> World {
        match self {
            Self::Counting(_) => World::Counting,
            Self::Grid(_) => World::Grid,
        }
    }

    /// [`BatchEnvironment::ground_truth`] of that world.
    ///
    /// # Errors
    /// If the system could not be built.
    pub fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        match self {
            Self::Counting(options) => Counting::new(options.clone(), 0, 0).ground_truth(),
            Self::Grid(options) => Grid::new(options.clone(), 0, 0).ground_truth(),
        }
    }
}

impl From<counting::ValidOptions> for WorldOptions {
    fn from(options: counting::ValidOptions) -> Self {
        Self::Counting(options)
    }
}

impl From<grid::ValidOptions> for WorldOptions {
    fn from(options: grid::ValidOptions) -> Self {
        Self::Grid(options)
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for World {
    type Err = EnvError;

    fn from_str(name: &str) -> Result<Self, EnvError> {
        Self::ALL
            .into_iter()
            .find(|world| world.name() == name)
            .ok_or_else(|| EnvError::UnknownWorld {
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_an_unknown_one_lists_them() {
        for world in World::ALL {
            assert_eq!(world.to_string().parse::<World>().unwrap(), world);
        }
        let error = "conting".parse::<World>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no environment called \"conting\"; there are: counting, gridworld"
        );
    }
}
