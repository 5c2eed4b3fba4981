//! Moves by one cell, which the gridworld and the torus share.

use tellapart_system::ActionId;

/// Names of all moves, in the order of their ids.
pub(crate) const NAMES: [&str; 5] = ["up", "down", "left", "right", "stay"];

/// Returns the cell that a move leads to, column and row from the top left.
pub(crate) fn moved([x, y]: [i16; 2], action: ActionId) -> [i16; 2] {
    let [dx, dy] = [[0, -1], [0, 1], [-1, 0], [1, 0], [0, 0]][action.index()];
    [x + dx, y + dy]
}
