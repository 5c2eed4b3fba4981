"""What an encoder can no longer tell apart.

In a deterministic world, an auxiliary function ``p`` (a reward, say) and the transitions decide
which observations an encoder must keep apart: those that are not bisimilar. This package computes
that from a system or from recorded data, and audits the latents of any encoder against it.

>>> import numpy as np
>>> import tellapart
>>> next = np.array([[max(s - 1, 0), min(s + 1, 4)] for s in range(5)])  # a corridor: left, right
>>> output = np.array([0, 0, 0, 0, 1])                                   # a reward at its end
>>> b = tellapart.largest_bisimulation(next, output)
>>> b.n_classes
5
>>> b.witness(0, 1).actions
(1, 1, 1)

All functions say what is wrong with their arguments, where, and what to do. Work releases the
interpreter, ends soon after Ctrl-C, and reports progress where ``tqdm`` is installed.
"""

from tellapart._audit import AuditReport, Comparison, MergedPair, audit
from tellapart._recording import (
    Contradiction,
    Distinguished,
    Evidence,
    NotDistinguished,
    Recording,
)
from tellapart._system import Bisimulation, System, Witness, largest_bisimulation
from tellapart._tellapart import DataError, StochasticTransition, __version__

__all__ = [
    "AuditReport",
    "Bisimulation",
    "Comparison",
    "Contradiction",
    "DataError",
    "Distinguished",
    "Evidence",
    "MergedPair",
    "NotDistinguished",
    "Recording",
    "StochasticTransition",
    "System",
    "Witness",
    "__version__",
    "audit",
    "largest_bisimulation",
]
