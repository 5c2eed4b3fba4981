//! Actions, and the forms in which a world may take them.

use std::{fmt, num::NonZeroU32, str::FromStr};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use tellapart_system::ActionId;

use crate::EnvError;

/// Actions that a world accepts, with their ids in a finite system and their vectors for a network.
///
/// In configuration it is a word: `continuous-2`, `continuous-3`, or `one-hot-N` for `N` actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ActionSpace {
    /// A number in `[-1, 1]`. With two ways, negative numbers are the first action, the others the
    /// second. With three ways, numbers within [`NO_OP_BAND`] of zero are the middle one, the
    /// no-op.
    Continuous {
        /// Number of actions into which the interval is split.
        ways: Ways,
    },
    /// An index; for a network, a one-hot vector.
    OneHot {
        /// Number of actions.
        count: NonZeroU32,
    },
}

/// Number of actions into which an interval is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ways {
    /// First and last action, without a no-op.
    Two = 2,
    /// First action, no-op in the middle, last action.
    Three = 3,
}

/// Half the width of the no-op's interval in a three-way split, inclusive. It makes the three
/// actions equally likely under a uniform draw.
pub const NO_OP_BAND: f32 = 1.0 / 3.0;

/// Action in the form of its [`ActionSpace`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// A number in `[-1, 1]`, of [`ActionSpace::Continuous`].
    Continuous(f32),
    /// The index of the component that is one, of [`ActionSpace::OneHot`].
    OneHot(u32),
}

impl ActionSpace {
    /// Returns the space of `count` one-hot actions; a `count` of 0 is taken as 1.
    pub const fn one_hot(count: u32) -> Self {
        let count = match NonZeroU32::new(count) {
            Some(count) => count,
            None => NonZeroU32::MIN,
        };
        Self::OneHot { count }
    }

    /// Returns the number of actions that the world distinguishes.
    pub fn distinct(self) -> usize {
        match self {
            Self::Continuous { ways } => ways as usize,
            Self::OneHot { count } => count.get() as usize,
        }
    }

    /// Returns the index among the [`distinct`](Self::distinct) actions. `None` if it is none of
    /// them: the wrong form, outside the interval, or not a number.
    pub fn index_of(self, action: Action) -> Option<ActionId> {
        let index = match (self, action) {
            (Self::Continuous { ways }, Action::Continuous(a)) if (-1.0..=1.0).contains(&a) => {
                match ways {
                    Ways::Two => usize::from(a >= 0.0),
                    Ways::Three if a.abs() <= NO_OP_BAND => 1,
                    Ways::Three => 2 * usize::from(a > 0.0),
                }
            }
            (Self::OneHot { count }, Action::OneHot(id)) if id < count.get() => id as usize,
            _ => return None,
        };
        Some(ActionId::from_index(index))
    }

    /// Returns an action that [`index_of`](Self::index_of) maps to `id`: -1, 0 or 1 if actions are
    /// numbers. `None` if there is no such action.
    pub fn action(self, id: ActionId) -> Option<Action> {
        let index = id.index();
        if index >= self.distinct() {
            return None;
        }
        Some(match self {
            Self::OneHot { .. } => Action::OneHot(index as u32),
            Self::Continuous { .. } if index == 0 => Action::Continuous(-1.0),
            Self::Continuous { ways: Ways::Three } if index == 1 => Action::Continuous(0.0),
            Self::Continuous { .. } => Action::Continuous(1.0),
        })
    }

    /// Returns the length of an action as a vector: 1, or one element per action of a one-hot
    /// space.
    pub fn vector_width(self) -> usize {
        match self {
            Self::Continuous { .. } => 1,
            Self::OneHot { .. } => self.distinct(),
        }
    }

    /// Appends the [`vector_width`](Self::vector_width) elements of `action` as a vector.
    ///
    /// # Errors
    /// The action is not in this space.
    pub fn push_vector(self, action: Action, vector: &mut Vec<f32>) -> Result<(), EnvError> {
        let id = self.index_of(action).ok_or(EnvError::BadAction {
            copy: None,
            action,
            space: self,
        })?;
        match action {
            Action::Continuous(a) => vector.push(a),
            Action::OneHot(_) => {
                vector.extend((0..self.distinct()).map(|i| f32::from(u8::from(i == id.index()))));
            }
        }
        Ok(())
    }

    /// Draws a uniformly random action.
    pub fn sample(self, rng: &mut impl Rng) -> Action {
        match self {
            Self::Continuous { .. } => Action::Continuous(rng.random_range(-1.0..=1.0)),
            Self::OneHot { count } => Action::OneHot(rng.random_range(0..count.get())),
        }
    }
}

impl fmt::Display for ActionSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self {
            Self::Continuous { .. } => "continuous",
            Self::OneHot { .. } => "one-hot",
        };
        write!(f, "{form}-{}", self.distinct())
    }
}

impl FromStr for ActionSpace {
    type Err = EnvError;

    fn from_str(text: &str) -> Result<Self, EnvError> {
        let space = match text.rsplit_once('-') {
            Some(("continuous", "2")) => Some(Self::Continuous { ways: Ways::Two }),
            Some(("continuous", "3")) => Some(Self::Continuous { ways: Ways::Three }),
            Some(("one-hot", count)) => count.parse().ok().map(|count| Self::OneHot { count }),
            _ => None,
        };
        space.ok_or_else(|| EnvError::BadOption {
            name: "actions",
            value: format!("{text:?}"),
            expected: "continuous-2, continuous-3, or one-hot-N for N actions".to_owned(),
        })
    }
}

impl TryFrom<String> for ActionSpace {
    type Error = EnvError;

    fn try_from(text: String) -> Result<Self, EnvError> {
        text.parse()
    }
}

impl From<ActionSpace> for String {
    fn from(space: ActionSpace) -> Self {
        space.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(space: &str, action: Action) -> Option<usize> {
        space
            .parse::<ActionSpace>()
            .unwrap()
            .index_of(action)
            .map(ActionId::index)
    }

    #[test]
    fn the_interval_is_split_where_the_paper_splits_it() {
        for (a, two, three) in [
            (-1.0, 0, 0),
            (-0.34, 0, 0),
            (-NO_OP_BAND, 0, 1),
            (-f32::MIN_POSITIVE, 0, 1),
            (-0.0, 1, 1),
            (0.0, 1, 1),
            (NO_OP_BAND, 1, 1),
            (0.34, 1, 2),
            (1.0, 1, 2),
        ] {
            assert_eq!(
                index("continuous-2", Action::Continuous(a)),
                Some(two),
                "{a}"
            );
            assert_eq!(
                index("continuous-3", Action::Continuous(a)),
                Some(three),
                "{a}"
            );
        }
    }

    #[test]
    fn what_is_not_an_action_has_no_index() {
        for a in [-1.001, 1.001, f32::NAN, f32::INFINITY] {
            assert_eq!(index("continuous-2", Action::Continuous(a)), None, "{a}");
        }
        assert_eq!(index("one-hot-2", Action::OneHot(2)), None);
        assert_eq!(index("one-hot-3", Action::OneHot(2)), Some(2));
        assert_eq!(index("one-hot-3", Action::Continuous(0.0)), None);
        assert_eq!(index("continuous-3", Action::OneHot(0)), None);
    }

    #[test]
    fn every_action_is_its_own_representative_and_every_space_its_own_name() {
        for name in [
            "continuous-2",
            "continuous-3",
            "one-hot-1",
            "one-hot-3",
            "one-hot-5",
        ] {
            let space: ActionSpace = name.parse().unwrap();
            assert_eq!(space.to_string(), name);
            for id in (0..space.distinct()).map(ActionId::from_index) {
                let action = space.action(id).unwrap();
                assert_eq!(space.index_of(action), Some(id), "{space}");
                let mut vector = Vec::new();
                space.push_vector(action, &mut vector).unwrap();
                assert_eq!(vector.len(), space.vector_width());
            }
            assert_eq!(space.action(ActionId::from_index(space.distinct())), None);
        }
    }

    #[test]
    fn an_unknown_space_is_told_the_known_ones() {
        for name in [
            "continuous-4",
            "one-hot-0",
            "one-hot--1",
            "one-hot-",
            "one-hot",
            "two",
        ] {
            let error = name.parse::<ActionSpace>().unwrap_err().to_string();
            assert!(
                error.contains(name) && error.contains("continuous-3"),
                "{error}"
            );
        }
    }
}
