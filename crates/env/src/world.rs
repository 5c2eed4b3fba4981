//! Worlds by name.

use std::{fmt, str::FromStr};

use crate::EnvError;

/// The built-in worlds, as they are called on a command line.
///
/// Parse a name, then match: the options of each world have a type of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum World {
    /// `counting`: [`Counting`](crate::Counting).
    Counting,
}

impl World {
    /// Every world there is.
    pub const ALL: [Self; 1] = [Self::Counting];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counting => "counting",
        }
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
            "there is no environment called \"conting\"; there is: counting"
        );
    }
}
