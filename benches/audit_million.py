"""Input of the audit's benchmark: a million rows in 256 dimensions.

    python benches/audit_million.py FOLDER

Writes walks.npz (5000 episodes of 200 steps on a chain of 64 states, no observation twice), clusters.npy (a
center for each state, a nuisance of 12 dimensions around it, a little noise) and uniform.npy (nothing to find:
the worst case of any search).
"""

import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(1)
episodes, length, states, width = 5000, 200, 64, 256
rows = episodes * length
actions = rng.integers(0, 2, size=(episodes, length))
state = np.empty((episodes, length), np.int64)
state[:, 0] = rng.integers(0, states, episodes)
for step in range(1, length):
    state[:, step] = np.clip(state[:, step - 1] + 2 * actions[:, step - 1] - 1, 0, states - 1)
state = state.reshape(-1)
noise = [rng.integers(0, 256, rows).astype(np.uint8) for _ in range(7)]
ends = np.zeros((episodes, length), bool)
ends[:, -1] = True
np.savez(
    folder / "walks.npz",
    observations=np.stack([state.astype(np.uint8), *noise], axis=1),
    actions=actions.reshape(-1).astype(np.int32),
    rewards=(state % 8 == 0).astype(np.float32),
    terminals=np.zeros(rows, bool),
    timeouts=ends.reshape(-1),
    state_ids=state.astype(np.uint32),
)

centers = rng.normal(size=(states, width)).astype(np.float32)
basis = rng.normal(size=(12, width)).astype(np.float32) / np.sqrt(12)
open_file = lambda name: np.lib.format.open_memmap(
    folder / name, mode="w+", dtype=np.float32, shape=(rows, width)
)
clusters, uniform = open_file("clusters.npy"), open_file("uniform.npy")
for start in range(0, rows, 50_000):
    some = slice(start, start + 50_000)
    nuisance = 0.25 * rng.normal(size=(50_000, 12)).astype(np.float32) @ basis
    small = 0.02 * rng.normal(size=(50_000, width)).astype(np.float32)
    clusters[some] = centers[state[some]] + nuisance + small
    uniform[some] = rng.random((50_000, width), dtype=np.float32)
