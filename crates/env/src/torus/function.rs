//! Values of the torus, by name.

use serde::{Deserialize, Serialize};

/// Value `p` of a position `(x, y)`: 1 where the name holds, otherwise 0.
///
/// The number of classes of the largest bisimulation is given for a side of 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Nowhere: 1 class.
    Constant,
    /// `x` is even: 2 classes.
    XEven,
    /// `x + y` is even: 2 classes.
    Chequer,
    /// `x` is 0: 12 classes.
    Column,
    /// `x` equals `y`: 12 classes.
    Diagonal,
    /// `x` is a multiple of 3, and `y` of 4: 12 classes.
    Lattice,
    /// At (0, 0) and in the middle, (6, 6): 72 classes.
    TwoGoals,
    /// At (0, 0): 144 classes, one for each position.
    Goal,
}

impl Function {
    /// Whether the value of `[x, y]` is 1 on a torus of this side.
    pub(super) fn holds(self, [x, y]: [i16; 2], side: i16) -> bool {
        match self {
            Self::Constant => false,
            Self::XEven => x % 2 == 0,
            Self::Chequer => (x + y) % 2 == 0,
            Self::Column => x == 0,
            Self::Diagonal => x == y,
            Self::Lattice => x % 3 == 0 && y % 4 == 0,
            Self::TwoGoals => [(0, 0), (side / 2, side / 2)].contains(&(x, y)),
            Self::Goal => (x, y) == (0, 0),
        }
    }
}
