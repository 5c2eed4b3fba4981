//! Worlds by name, and worlds with their options.

use std::{fmt, str::FromStr};

use tellapart_system::MooreMachine;

use crate::{BatchEnvironment, Counting, EnvError, Grid, RepeatedRandom, counting, grid};

/// Built-in world, by its name on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// `counting`: [`Counting`].
    Counting,
    /// `gridworld`: [`Grid`].
    Grid,
}

/// Options of a world, which also say which world it is.
#[derive(Debug, Clone, PartialEq)]
pub enum WorldOptions {
    /// Options of [`Counting`].
    Counting(counting::ValidOptions),
    /// Options of [`Grid`].
    Grid(grid::ValidOptions),
}

impl World {
    /// All worlds.
    pub const ALL: [Self; 2] = [Self::Counting, Self::Grid];

    /// Returns the name of the world.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counting => "counting",
            Self::Grid => "gridworld",
        }
    }

    /// Returns the number of steps for which [`RepeatedRandom`] should repeat an action: the
    /// paper's choice in the counting world. In the default gridworld that would push against a
    /// wall in 65 steps of 100. A new action at every step does so in 29, and covers cells, tints
    /// and actions best.
    pub fn repeat_steps(self) -> u32 {
        match self {
            Self::Counting => RepeatedRandom::REPEAT_STEPS,
            Self::Grid => 1,
        }
    }
}

impl WorldOptions {
    /// Returns the world that the options belong to.
    pub fn world(&self) -> World {
        match self {
            Self::Counting(_) => World::Counting,
            Self::Grid(_) => World::Grid,
        }
    }

    /// Returns [`BatchEnvironment::ground_truth`] of the world.
    ///
    /// # Errors
    /// The system could not be built.
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
