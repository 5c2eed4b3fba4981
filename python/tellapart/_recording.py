"""Recorded episodes, and what they show."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart import _tellapart
from tellapart._arrays import as_latents, as_numpy
from tellapart._progress import Progress, callback_of
from tellapart._tellapart import DataError


@dataclass(frozen=True, slots=True)
class Distinguished:
    """Two rows that the data tells apart: a word recorded from both leads to different ``p``."""

    actions: tuple[int, ...]
    """Ids of the actions of a shortest such word; none if ``p`` differs at once."""
    names: tuple[str, ...]
    """Names of the actions, or their ids as text."""
    rows: tuple[int, int]
    """Rows that hold the values that differ."""
    p: tuple[tuple[float, ...], tuple[float, ...]]
    """The values there."""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class NotDistinguished:
    """Two rows that the data does not tell apart."""

    reason: str
    """``same``: one observation; ``not-distinguished``: all common words agree; ``undecided``: the
    comparison was given up."""
    depth: int
    """Number of actions within which everything that was recorded from both agrees."""
    missing: tuple[tuple[int, tuple[str, ...]], ...]
    """Words that would say more if they were recorded: the row to record from, and the actions."""

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two rows with the same observation that contradict determinism."""

    rows: tuple[int, int]
    """The two rows."""
    kind: str
    """``value``: ``p`` differs; ``output``: ``p`` of the same action does; ``successor``: the same
    action leads to different observations."""
    action: str | None
    """Name of the action, if one is concerned."""


class Recording:
    """Recorded episodes: one row for each observation, episode after episode.

    Args:
        observations: ``[rows, ...]`` of any numbers. Equal observations are those stored equal.
        actions: ``[rows]`` of ids, or ``[rows, width]``; the action taken *at* each observation.
            What stands in the last row of an episode does not matter.
        rewards: ``[rows]``; NaN where it is not known.
        terminations: ``bool[rows]``: whether the world ended the episode in this row, the row of
            its last observation.
        truncations: ``bool[rows]``: whether the episode was cut off in this row. One of the two is
            needed.
        p: the auxiliary function: the name of an array, an array ``[rows]`` or ``[rows, width]``,
            or a function of a row (a mapping from names of arrays to values of that row). Default:
            ``rewards``.
        p_of: what ``p`` belongs to: ``"observation"`` in the same row, ``"arrival"``: what the step
            from the row led to, or ``"step"``: the observation and the action taken there, as
            rewards of Gymnasium. Default: what the format says, or the observation.
        tolerance: largest distance of values of ``p`` that count as equal. Default: exact.
        action_rule: which action vectors count as one action: ``"sign"``, ``"distinct"``, a number
            of bins such as ``"5"``, or edges such as ``"at:-0.5,0.5"``.
        world: ``"deterministic"``, ``"stochastic"``, or ``"auto"``: what the data shows. Default:
            what the recording says of itself, or else ``"auto"``.
        action_names: a name for each action.
        **arrays: further arrays ``[rows, ...]``, such as ``state_ids`` or ``splits``.

    Arrays are copied once. Tensors of PyTorch and other arrays are taken as they are.

    Raises:
        DataError: with the array and the row at fault.
    """

    def __init__(
        self,
        observations: Any,
        actions: Any,
        *,
        rewards: Any = None,
        terminations: Any = None,
        truncations: Any = None,
        p: str | npt.ArrayLike | Callable[[Mapping[str, Any]], Any] | None = None,
        p_of: str | None = None,
        tolerance: float | None = None,
        action_rule: str | None = None,
        world: str | None = None,
        action_names: Sequence[str] | None = None,
        **arrays: Any,
    ) -> None:
        named = {
            "observations": observations,
            "actions": actions,
            "rewards": rewards,
            "terminals": terminations,
            "timeouts": truncations,
            **arrays,
        }
        columns = {
            name: as_numpy(name, values) for name, values in named.items() if values is not None
        }
        if p is not None and not isinstance(p, str):
            columns["p"] = _values(p, columns)
            p = "p"
        names = list(action_names) if action_names is not None else None
        native = _tellapart.Recording(columns, names)
        self._set(native, columns["observations"], p, p_of, tolerance, action_rule, world)

    def _set(
        self,
        native: _tellapart.Recording,
        observations: npt.NDArray[Any] | None,
        p: str | None,
        p_of: str | None,
        tolerance: float | None,
        action_rule: str | None,
        world: str | None,
    ) -> None:
        self._native = native
        self._observations = observations
        self._p = p or "rewards"
        self._options = (p_of, tolerance, action_rule, world)
        self._evidence: Evidence | None = None
        self.source = "recording"

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        observations: str | None = None,
        p: str | None = None,
        p_of: str | None = None,
        tolerance: float | None = None,
        action_rule: str | None = None,
        world: str | None = None,
    ) -> Recording:
        """Read a recording: ``.npz``, or HDF5 of Minari, D4RL or stable-worldmodel, by its content.

        Args:
            path: a file, or the folder of a Minari dataset.
            observations: path of the observations in an HDF5 file that has several.

        The other arguments are those of :class:`Recording`; ``p`` is the name of an array.

        Raises:
            DataError: with the file, the array and the row at fault.
        """
        recording = cls.__new__(cls)
        native = _tellapart.Recording.load(os.fspath(path), observations)
        recording._set(native, None, p, p_of, tolerance, action_rule, world)
        recording.source = os.fspath(path)
        return recording

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an ``.npz`` that :meth:`load` and the program read back, whole or not at all."""
        self._native.save(os.fspath(path))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self._native.rows

    def __len__(self) -> int:
        return self.rows

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one observation."""
        return tuple(self._native.observation_shape)

    @property
    def observations(self) -> npt.NDArray[Any]:
        """``[rows, ...]``: the observations, in the order of the rows."""
        if self._observations is None:
            self._observations = self._native.observations
        return self._observations

    @property
    def episode_starts(self) -> npt.NDArray[np.uint64]:
        """``uint64[episodes]``: the first row of every episode."""
        return self._native.episode_starts

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of how the arrays were read: other names, and arrays left out."""
        return tuple(self._native.notes)

    @property
    def evidence(self) -> Evidence:
        """What the recording shows; found once, and kept."""
        return self.find_evidence()

    def find_evidence(self, *, progress: Progress = None) -> Evidence:
        """Return what the recording shows, with progress; found once, and kept."""
        if self._evidence is None:
            p_of, tolerance, action_rule, world = self._options
            native = self._native.evidence(
                self._p, p_of, tolerance, action_rule, world, callback_of(progress)
            )
            self._evidence = Evidence(native)
        return self._evidence

    def distinguished(self, i: int, j: int) -> Distinguished | NotDistinguished:
        """Say whether the data tells two rows apart; true iff it does, with a shortest word.

        Raises:
            IndexError: if there is no such row.
        """
        return self.evidence.compare(i, j)

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Contradictions of determinism."""
        return self.evidence.contradictions

    @property
    def coverage(self) -> float:
        """Share of all pairs of an observation and an action that were recorded."""
        return self.evidence.coverage

    def align(self) -> dict[str, Any]:
        """Count contradictions for every reading of actions, ends and ``p``.

        In a deterministic world the true reading has none, and others do wherever observations
        recur. The document is that of ``tellapart inspect --align --json``.
        """
        found: dict[str, Any] = json.loads(self._native.align(self._p, self._options[2]))
        return found

    def encode(
        self, encoder: Callable[[Any], Any], *, batch_size: int = 256
    ) -> npt.NDArray[np.floating[Any]]:
        """Encode all rows, in their order.

        Args:
            encoder: takes observations ``[batch, ...]`` as they are stored, and returns latents
                ``[batch, dimensions]``, as an array or a tensor.
            batch_size: number of rows at once.

        Returns:
            Latents ``[rows, dimensions]``, in float32 or float64.

        Raises:
            DataError: if the shape of latents is another one, or a latent depends on the other
                rows of its batch, as with batch normalization in training mode.
        """
        if batch_size < 1:
            raise DataError(f"batch_size={batch_size}: expected at least 1")
        parts = [as_latents(encoder(batch)) for batch in self._batches(batch_size)]
        for part, batch in zip(parts, self._batches(batch_size), strict=True):
            if len(part) != len(batch):
                raise DataError(
                    f"encoder: returned {len(part)} latents for {len(batch)} observations"
                )
        latents = np.concatenate(parts)
        few = self.observations[: min(10, self.rows)]
        alone = as_latents(encoder(few[:1]))
        spread = float(np.abs(latents - latents.mean(axis=0)).mean())
        if not np.allclose(alone[0], latents[0], rtol=1e-3, atol=1e-3 * spread + 1e-12):
            raise DataError(
                "encoder: the latent of the first observation is another one when it is encoded alone; "
                "is it in evaluation mode (model.eval()), without dropout and noise?"
            )
        return latents

    def _batches(self, size: int) -> Iterator[npt.NDArray[Any]]:
        observations = self.observations
        return (observations[start : start + size] for start in range(0, len(observations), size))

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.observation_shape)) or "single numbers"
        return (
            f"Recording({self.rows} rows, {len(self.episode_starts)} episodes, "
            f"observations: {shape}, p: {self._p})"
        )


def _values(
    p: npt.ArrayLike | Callable[[Mapping[str, Any]], Any], columns: Mapping[str, npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    if not callable(p):
        return as_numpy("p", p)
    rows = len(columns["observations"])
    per_row = {name: array for name, array in columns.items() if len(array) == rows}
    values = [p({name: array[row] for name, array in per_row.items()}) for row in range(rows)]
    return as_numpy("p", np.asarray(values))


class Evidence:
    """What a recording shows: which rows it tells apart, and where it contradicts determinism."""

    def __init__(self, native: _tellapart.Evidence) -> None:
        self._native = native
        self._summary: dict[str, Any] = json.loads(native.summary())

    def compare(self, i: int, j: int) -> Distinguished | NotDistinguished:
        """Say whether the data tells two rows apart.

        Raises:
            IndexError: if there is no such row.
        """
        found = json.loads(self._native.compare(i, j))
        if found["says"] == "distinguished":
            first, second = (tuple(value) for value in found["p"])
            return Distinguished(
                actions=tuple(found["word"]),
                names=tuple(found["names"]),
                rows=(found["rows"][0], found["rows"][1]),
                p=(first, second),
            )
        return NotDistinguished(
            reason=found["says"],
            depth=found.get("depth", 0),
            missing=tuple(
                (missing["record_from"], tuple(missing["names"]))
                for missing in found.get("missing", [])
            ),
        )

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Contradictions of determinism."""
        names = self._summary["actions"]
        return tuple(
            Contradiction(
                rows=(found["rows"][0], found["rows"][1]),
                kind=found["kind"],
                action=None if found["action"] is None else names[found["action"]],
            )
            for found in self._summary["contradictions"]
        )

    @property
    def observations(self) -> int:
        """Number of different observations."""
        return int(self._summary["observations"])

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the actions, or their ids as text."""
        return tuple(self._summary["actions"])

    @property
    def coverage(self) -> float:
        """Share of all pairs of an observation and an action that were recorded."""
        return float(self._summary["recorded_steps"]) / (self.observations * len(self.actions))

    @property
    def world(self) -> str:
        """``deterministic``, ``stochastic`` or ``cannot-be-told``."""
        return str(self._summary["world"]["kind"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, such as that another reading of ``p`` contradicts itself less."""
        return tuple(self._summary["notes"])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a document."""
        return dict(self._summary)

    def __repr__(self) -> str:
        return (
            f"Evidence({self.observations} different observations, {len(self.actions)} actions, "
            f"world: {self._summary['world_in_words']})"
        )
