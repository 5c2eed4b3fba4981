//! All built-in worlds: by name, with options, checked, and built.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tellapart_system::MooreMachine;

use crate::{BatchEnvironment, EnvError, Environments, counting, grid, torus};

/// Makes the enums of all worlds and everything that has an arm for each world. A world is a module
/// with `Options`, and with `ValidOptions` that are its [`WorldRules`](crate::WorldRules).
macro_rules! worlds {
    ($($(#[$docs:meta])* $variant:ident: $name:literal, $module:ident, repeat $repeat:literal;)+) => {
        /// Built-in world, by its name on a command line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum World {
            $($(#[$docs])* $variant,)+
        }

        /// Options of a world that are not checked yet. As a table, the key `world` names the
        /// world, and the other keys are its options.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "world")]
        pub enum WorldOptions {
            $($(#[$docs])* #[serde(rename = $name)] $variant($module::Options),)+
        }

        /// World with options that have been checked. Only [`WorldOptions::validate`] makes it.
        #[derive(Debug, Clone, PartialEq)]
        pub enum ValidWorld {
            $($(#[$docs])* $variant($module::ValidOptions),)+
        }

        impl World {
            /// All worlds.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name of the world.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Returns the number of steps for which
            /// [`RepeatedRandom`](crate::RepeatedRandom) should repeat an action when the world is
            /// recorded.
            pub fn repeat_steps(self) -> u32 {
                match self {
                    $(Self::$variant => $repeat,)+
                }
            }

            /// Returns the default options of the world.
            pub fn default_options(self) -> WorldOptions {
                match self {
                    $(Self::$variant => WorldOptions::$variant($module::Options::default()),)+
                }
            }

            /// Returns options of the world of which none is absent, so that they list all keys.
            pub fn every_option(self) -> WorldOptions {
                match self {
                    $(Self::$variant => WorldOptions::$variant($module::Options::every()),)+
                }
            }
        }

        impl WorldOptions {
            /// Returns the world that the options belong to.
            pub fn world(&self) -> World {
                match self {
                    $(Self::$variant(_) => World::$variant,)+
                }
            }

            /// Checks every option.
            ///
            /// # Errors
            /// [`EnvError::BadOption`] names the first option that does not fit, and what would.
            pub fn validate(self) -> Result<ValidWorld, EnvError> {
                Ok(match self {
                    $(Self::$variant(options) => ValidWorld::$variant(options.validate()?),)+
                })
            }
        }

        impl ValidWorld {
            /// Returns the world that the options belong to.
            pub fn world(&self) -> World {
                match self {
                    $(Self::$variant(_) => World::$variant,)+
                }
            }

            /// Returns the options.
            pub fn options(&self) -> WorldOptions {
                match self {
                    $(Self::$variant(valid) => WorldOptions::$variant((**valid).clone()),)+
                }
            }

            /// Builds `num_envs` environments; environment `i` draws from stream `i` of `seed`.
            pub fn build(&self, seed: u64, num_envs: usize) -> Box<dyn BatchEnvironment> {
                match self {
                    $(Self::$variant(valid) => {
                        Box::new(Environments::new(valid.clone(), seed, num_envs))
                    })+
                }
            }

            /// Returns the world with episodes that only end after `max_steps` steps (at least 1).
            #[must_use]
            pub fn endless(self, max_steps: u32) -> Self {
                match self {
                    $(Self::$variant(valid) => Self::$variant(valid.endless(max_steps)),)+
                }
            }
        }

        $(impl From<$module::ValidOptions> for ValidWorld {
            fn from(valid: $module::ValidOptions) -> Self {
                Self::$variant(valid)
            }
        })+
    };
}

worlds! {
    /// The counting world, [`counting`]. Actions are repeated as in the paper.
    Counting: "counting", counting, repeat 5;
    /// The gridworld, [`grid`]. Repeated actions would push against a wall in 65 steps of 100; a
    /// new action at every step does so in 29, and covers cells, tints and actions best.
    Grid: "gridworld", grid, repeat 1;
    /// The torus, [`torus`].
    Torus: "torus", torus, repeat 1;
}

impl Default for WorldOptions {
    /// Returns the counting world of the paper.
    fn default() -> Self {
        World::Counting.default_options()
    }
}

impl ValidWorld {
    /// Returns [`BatchEnvironment::ground_truth`] of the world.
    ///
    /// # Errors
    /// The system could not be built.
    pub fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        self.build(0, 0).ground_truth()
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
        let mut worlds = Self::ALL.iter().copied();
        worlds
            .find(|world| world.name() == name)
            .ok_or_else(|| EnvError::UnknownWorld {
                name: name.to_owned(),
                known: Self::names(),
            })
    }
}

impl World {
    /// Returns the names of all worlds, with commas.
    pub fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|world| world.name()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_an_unknown_one_lists_them() {
        for world in World::ALL {
            assert_eq!(world.to_string().parse::<World>().unwrap(), *world);
            assert_eq!(world.default_options().world(), *world);
        }
        let error = "conting".parse::<World>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no environment called \"conting\"; there are: counting, gridworld, torus"
        );
    }

    #[test]
    fn an_endless_world_ends_episodes_only_by_time() {
        for world in World::ALL {
            let valid = world.default_options().validate().unwrap().endless(7);
            let mut batch = valid.build(1, 50);
            let mut policy = crate::RepeatedRandom::new(batch.action_space(), 1, 50);
            let mut frames = vec![0; 50 * batch.frame_bytes()];
            let mut outcomes = vec![crate::Outcome::default(); 50];
            batch.reset(&mut frames, &mut outcomes).unwrap();
            for step in 1..=7 {
                let actions = policy.next_actions();
                batch.step(actions, &mut frames, &mut outcomes).unwrap();
                let end = [crate::End::Continues, crate::End::Timeout][usize::from(step == 7)];
                assert!(outcomes.iter().all(|outcome| outcome.end == end), "{world}");
            }
        }
    }

    #[test]
    fn nuisances_have_the_width_they_declare() {
        for world in World::ALL {
            let mut batch = world.default_options().validate().unwrap().build(1, 3);
            let mut frames = vec![0; 3 * batch.frame_bytes()];
            let mut outcomes = vec![crate::Outcome::default(); 3];
            batch.reset(&mut frames, &mut outcomes).unwrap();
            let mut values = Vec::new();
            batch.push_nuisances(2, &mut values);
            let width: usize = batch.nuisances().iter().map(crate::Nuisance::width).sum();
            assert_eq!(values.len(), width, "{world}");
            assert!(width > 0, "{world}");
        }
    }
}
