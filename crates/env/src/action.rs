//! Actions, and the three forms in which a world may take them.

use std::{fmt, num::NonZeroU32, str::FromStr};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use tellapart_system::ActionId;

use crate::EnvError;

/// The actions a world accepts, and what they are to a finite system and to a network.
///
/// In configuration it is a word: `continuous-2`, `continuous-3`, or `one-hot-N` for `N` actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ActionSpace {
    /// A number in `[-1, 1]`. Two ways: negative is the first action, the rest the second. Three
    /// ways: a number within [`NO_OP_BAND`] of zero is the middle one, the no-op.
    Continuous {
        /// Into how many actions the interval is split.
        ways: Ways,
    },
    /// An index; to a network, a one-hot vector.
    OneHot {
        /// How many actions there are.
        count: NonZeroU32,
    },
}

/// Into how many actions an interval is split: two (first, last), or three (first, no-op, last).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ways {
    /// Without a no-op.
    Two = 2,
    /// With a no-op in the middle.
    Three = 3,
}

/// Half the width of the no-op's interval in a three-way split, inclusive: it makes the three actions
/// equally likely under a uniform draw.
pub const NO_OP_BAND: f32 = 1.0 / 3.0;

/// One action, in the form of its [`ActionSpace`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// A number in `[-1, 1]`, of [`ActionSpace::Continuous`].
    Continuous(f32),
    /// Which component is one, of [`ActionSpace::OneHot`].
    OneHot(u32),
}

impl ActionSpace {
    /// The space of `count` one-hot actions, `count` taken as 1 if it is 0.
    pub const fn one_hot(count: u32) -> Self {
        let count = match NonZeroU32::new(count) {
            Some(count) => count,
            None => NonZeroU32::MIN,
        };
        Self::OneHot { count }
    }

    /// How many actions the world tells apart.
    pub fn distinct(self) -> usize {
        match self {
            Self::Continuous { ways } => ways as usize,
            Self::OneHot { count } => count.get() as usize,
        }
    }

    /// Which of the [`distinct`](Self::distinct) actions this is; `None` if it is none of them: the
    /// wrong form, outside the interval, not a number.
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

    /// An action that [`index_of`](Self::index_of) maps to `id`: -1, 0 and 1 where actions are
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

    /// How many numbers an action is to a network: 1, or one for each action of a one-hot space.
    pub fn vector_width(self) -> usize {
        match self {
            Self::Continuous { .. } => 1,
            Self::OneHot { .. } => self.distinct(),
        }
    }

    /// Appends the [`vector_width`](Self::vector_width) numbers that `action` is to a network.
    ///
    /// # Errors
    /// If the action is not of this space.
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

    /// A uniformly random action.
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
