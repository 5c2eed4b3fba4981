"""Finite systems and their largest bisimulations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart import _tellapart
from tellapart._arrays import as_numpy
from tellapart._progress import Progress, callback_of
from tellapart._tellapart import DataError, StochasticTransition


@dataclass(frozen=True, slots=True)
class Witness:
    """A shortest word of actions after which two states have different outputs."""

    actions: tuple[int, ...]
    """Ids of the actions; none if the outputs differ at once."""
    names: tuple[str, ...]
    """Names of the actions, or their ids as text."""
    ends: tuple[int, int]
    """States that the word leads to."""
    outputs: tuple[Any, Any]
    """Outputs there: numbers, tuples of numbers, or ids where outputs have no values."""


class System:
    """A finite deterministic system: states, actions, and an output of each state.

    Args:
        next: ``int[states, actions]``, the state that each action leads to. Every action leads
            somewhere; for one that cannot be taken, add a state that leads to itself and has an
            output of its own.
        output: ``[states]`` or ``[states, m]`` of any numbers, compared as they are stored.
        action_names: a name for each action.

    Raises:
        DataError: with the array, the state and the action at fault.
    """

    def __init__(
        self,
        next: npt.ArrayLike,
        output: npt.ArrayLike,
        *,
        action_names: list[str] | None = None,
    ) -> None:
        native = _tellapart.System(as_numpy("next", next), as_numpy("output", output))
        self._native = native.with_action_names(list(action_names)) if action_names else native

    @classmethod
    def _of(cls, native: _tellapart.System) -> System:
        system = cls.__new__(cls)
        system._native = native
        return system

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> System:
        """Read a system: ``.npz``, ``.aut``, PRISM's ``.tra`` with what lies beside it, Boa's text
        format, or ``.tsys``.

        Raises:
            DataError: with the file, and the line or array at fault.
        """
        return cls._of(_tellapart.System.load(os.fspath(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the system in the format that the name tells, whole or not at all."""
        self._native.save(os.fspath(path))

    @classmethod
    def from_gymnasium(cls, env: Any, *, absorbing: bool = True) -> System:
        """Make a system of an environment with a table of all transitions, ``env.unwrapped.P``.

        Args:
            env: such as ``gymnasium.make("FrozenLake-v1", is_slippery=False)``.
            absorbing: whether an end leads to one more state, which has an output of its own and
                leads to itself. Otherwise the table goes on as ``P`` does.

        The output of a state are the rewards and ends of all its actions, since both belong to the
        step.

        Raises:
            StochasticTransition: if a transition has several outcomes.
            DataError: if there is no such table.
        """
        table = getattr(env.unwrapped, "P", None)
        if table is None:
            raise DataError(
                f"{env}: has no table of transitions (env.unwrapped.P); record episodes instead, as a Recording"
            )
        states, actions = len(table), len(table[0])
        end = states
        after = np.zeros((states, actions), np.int64)
        output = np.zeros((states, 2 * actions))
        for state in range(states):
            for action in range(actions):
                outcomes = _outcomes(table[state][action])
                if len(outcomes) > 1:
                    listed = " and ".join(
                        f"{to} ({probability:.4g})" for (to, _, _), probability in outcomes.items()
                    )
                    raise StochasticTransition(
                        f"state {state}, action {action} leads to {listed}; only deterministic systems are supported"
                    )
                ((to, reward, ends),) = outcomes
                after[state, action] = end if ends and absorbing else to
                output[state, [2 * action, 2 * action + 1]] = reward, ends
        if absorbing:
            after = np.vstack([after, np.full((1, actions), end)])
            # No step has an end that is neither 0 nor 1.
            output = np.vstack([output, np.full((1, 2 * actions), -1.0)])
        return cls(after, output)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return self._native.states

    @property
    def n_actions(self) -> int:
        """Number of actions."""
        return self._native.actions

    @property
    def n_outputs(self) -> int:
        """Number of different outputs."""
        return self._native.outputs

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the actions, or their ids as text."""
        names = self._native.action_names
        return tuple(names or (str(action) for action in range(self.n_actions)))

    @property
    def next(self) -> npt.NDArray[np.uint32]:
        """``uint32[states, actions]``: the state that each action leads to."""
        return self._native.next

    @property
    def output(self) -> npt.NDArray[np.uint32]:
        """``uint32[states]``: equal numbers for equal outputs."""
        return self._native.output

    def output_value(self, output: int) -> Any:
        """Return the value of an output: a number, or a tuple of numbers; its id if it has none."""
        value = self._native.output_value(output)
        if value is None:
            return output
        return value[0] if len(value) == 1 else tuple(value)

    def to_networkx(self) -> Any:
        """Return a ``networkx.MultiDiGraph`` with ``output`` of nodes and ``action`` of edges."""
        import networkx

        graph = networkx.MultiDiGraph()
        names = self.action_names
        for state, output in enumerate(self.output.tolist()):
            graph.add_node(state, output=self.output_value(output))
        for state, row in enumerate(self.next.tolist()):
            for action, to in enumerate(row):
                graph.add_edge(state, to, action=names[action])
        return graph

    def __repr__(self) -> str:
        return f"System({self.n_states} states, {self.n_actions} actions, {self.n_outputs} outputs)"


def _outcomes(rows: Any) -> dict[tuple[int, float, bool], float]:
    """Return the probability of each different outcome that has one."""
    outcomes: dict[tuple[int, float, bool], float] = {}
    for probability, to, reward, ends in rows:
        if probability > 0:
            key = (int(to), float(reward), bool(ends))
            outcomes[key] = outcomes.get(key, 0.0) + float(probability)
    return outcomes


class Bisimulation:
    """The largest bisimulation of a system: which states no word of actions tells apart."""

    def __init__(self, system: System, native: _tellapart.Bisimulation) -> None:
        self.system = system
        self._native = native

    @property
    def labels(self) -> npt.NDArray[np.uint32]:
        """``uint32[states]``: the class of each state, numbered by first occurrence."""
        return self._native.labels

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self._native.n_classes

    @property
    def sizes(self) -> npt.NDArray[np.uint32]:
        """``uint32[classes]``: the number of states in each class."""
        return self._native.sizes

    def __len__(self) -> int:
        return self.n_classes

    def witness(self, a: int, b: int, *, progress: Progress = None) -> Witness | None:
        """Return a shortest word that tells two states apart; ``None`` if they are bisimilar.

        Raises:
            IndexError: if there is no such state.
        """
        found = self._native.witness(a, b, callback_of(progress))
        if found is None:
            return None
        actions, ends, outputs = found
        names = self.system.action_names
        first, second = (self.system.output_value(output) for output in outputs)
        return Witness(
            actions=tuple(actions),
            names=tuple(names[action] for action in actions),
            ends=(ends[0], ends[1]),
            outputs=(first, second),
        )

    def quotient(self) -> System:
        """Return the system of the classes."""
        return System._of(self._native.quotient())

    def verify(self, *, progress: Progress = None) -> None:
        """Check by other means than it was found by that it is the largest bisimulation.

        Raises:
            DataError: if it is not.
        """
        self._native.verify(callback_of(progress))

    def __repr__(self) -> str:
        return f"Bisimulation({self.system.n_states} states, {self.n_classes} classes)"


def largest_bisimulation(
    next: npt.ArrayLike | System,
    output: npt.ArrayLike | None = None,
    *,
    progress: Progress = None,
) -> Bisimulation:
    """Compute the largest bisimulation of a finite deterministic system.

    Args:
        next: a :class:`System`, or ``int[states, actions]`` as it takes it.
        output: ``[states]`` or ``[states, m]``; absent with a :class:`System`.
        progress: see ``tellapart._progress.Progress``.

    Two states are in one class iff no word of actions leads from them to different outputs.
    Cost: ``O(m n log n)`` for ``n`` states and ``m`` actions.

    Raises:
        DataError: with the array, the state and the action at fault.
        KeyboardInterrupt: soon after Ctrl-C.
    """
    if isinstance(next, System):
        if output is not None:
            raise DataError("output: a System has its own")
        system = next
    else:
        if output is None:
            raise DataError("output: missing; give the output of every state")
        system = System(next, output)
    return Bisimulation(system, system._native.largest_bisimulation(callback_of(progress)))
