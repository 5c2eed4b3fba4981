"""Writes the fixtures beside it, as a user's script would; run in this folder with NumPy 2.4.6."""

import numpy as np

rows = 6
ends = np.array([0, 0, 1, 0, 0, 0], dtype=bool)
np.savez_compressed(
    "gymnasium_like.npz",
    observations=np.asfortranarray(np.arange(rows * 2 * 2 * 3, dtype=np.uint8).reshape(rows, 2, 2, 3)),
    actions=np.array([0, 2, -1, 1, 0, -1]),  # int64; -1 where there was none
    rewards=np.arange(rows) / 2,  # float64
    terminals=ends,
    timeouts=np.zeros(rows, dtype=np.uint8),
    shape_ids=np.arange(rows, dtype=">i2"),
    seed=np.int64(7),
    author=np.array(["someone"] * rows),
)
