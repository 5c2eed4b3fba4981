"""The built-in worlds as environments of Gymnasium.

Importing this module registers ``tellapart/Counting-v0``, ``tellapart/Gridworld-v0`` and
``tellapart/Torus-v0``. Keyword arguments are the options of the program, such as
``gymnasium.make("tellapart/Gridworld-v0", view_radius=2)``. ``gymnasium.make_vec`` makes true
vector environments, which draw all observations in one call.

The reward of a step is the value of the observation that it leads to, and ``info["state"]`` the
hidden state. ``env.unwrapped.system()`` is the ground truth, for
:func:`tellapart.largest_bisimulation`.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from tellapart._system import System
from tellapart._tellapart import DataError, Worlds


def _settings(options: dict[str, Any]) -> list[str]:
    def text(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (list, tuple)):
            return ",".join(text(item) for item in value)
        return str(value)

    return [f"{key}={text(value)}" for key, value in options.items()]


def _fresh_seed() -> int:
    """Return a seed of this machine's entropy, for environments that were given none."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])


def _spaces(worlds: Worlds) -> tuple[Any, Any]:
    observation = spaces.Box(0, 255, tuple(worlds.observation_shape), np.uint8)
    if worlds.is_continuous:
        return observation, spaces.Box(-1.0, 1.0, (1,), np.float32)
    return observation, spaces.Discrete(worlds.actions)


class WorldEnv(gym.Env[npt.NDArray[np.uint8], Any]):
    """One environment of a built-in world."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, world: str, *, render_mode: str | None = None, **options: Any) -> None:
        if render_mode not in (None, "rgb_array"):
            raise DataError(f"render_mode={render_mode!r}: expected None or 'rgb_array'")
        self.render_mode = render_mode
        self._worlds = Worlds(world, _settings(options), 1, _fresh_seed())
        self.observation_space, self.action_space = _spaces(self._worlds)
        self._frame: npt.NDArray[np.uint8] | None = None
        self._ended = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """Begin an episode; the same seed, the same episodes."""
        super().reset(seed=seed)
        frames, _, states, _, _ = self._worlds.reset(seed)
        self._frame, self._ended = frames[0], False
        return frames[0], {"state": int(states[0])}

    def step(
        self, action: Any
    ) -> tuple[npt.NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Take an action: an index, or a number from -1 to 1, by the action space."""
        if self._ended:
            raise DataError("step: the episode has ended, or there was none; call reset first")
        frames, values, states, terminated, truncated = self._worlds.step(
            _actions([action], self._worlds)
        )
        self._frame, self._ended = frames[0], bool(terminated[0] or truncated[0])
        info = {"state": int(states[0])}
        return frames[0], float(values[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> Any:
        """Return the present observation."""
        return self._frame if self.render_mode == "rgb_array" else None

    def system(self) -> System:
        """Return the finite system behind the observations."""
        return System._of(self._worlds.system())


class WorldVectorEnv(VectorEnv[npt.NDArray[np.uint8], Any, npt.NDArray[Any]]):
    """Environments of a built-in world that are stepped together.

    An environment whose episode has ended begins a new one at the next step, and ignores its
    action there, as Gymnasium's mode ``NEXT_STEP`` says.
    """

    metadata: dict[str, Any] = {
        "render_modes": ["rgb_array"],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self, world: str, num_envs: int = 1, *, render_mode: str | None = None, **options: Any
    ) -> None:
        if num_envs < 1:
            raise DataError(f"num_envs={num_envs}: expected at least 1")
        self.num_envs = num_envs
        self.render_mode = render_mode
        self._worlds = Worlds(world, _settings(options), num_envs, _fresh_seed())
        self.single_observation_space, self.single_action_space = _spaces(self._worlds)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._frames: npt.NDArray[np.uint8] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """Begin an episode everywhere. Environment ``i`` draws from stream ``i`` of the seed."""
        super().reset(seed=seed)
        frames, _, states, _, _ = self._worlds.reset(seed)
        self._frames = frames
        return frames, {"state": states}

    def step(
        self, actions: Any
    ) -> tuple[
        npt.NDArray[np.uint8],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Take an action in every environment."""
        frames, values, states, terminated, truncated = self._worlds.step(
            _actions(actions, self._worlds)
        )
        self._frames = frames
        return frames, values, terminated, truncated, {"state": states}

    def render(self) -> Any:
        """Return the present observations."""
        return None if self._frames is None else tuple(self._frames)

    def system(self) -> System:
        """Return the finite system behind the observations."""
        return System._of(self._worlds.system())


def _actions(actions: Any, worlds: Worlds) -> npt.NDArray[Any]:
    dtype = np.float32 if worlds.is_continuous else np.int64
    return np.ascontiguousarray(np.asarray(actions, dtype=dtype).reshape(-1))


for _name in ("counting", "gridworld", "torus"):
    gym.register(
        id=f"tellapart/{_name.capitalize()}-v0",
        entry_point="tellapart.gymnasium:WorldEnv",
        vector_entry_point="tellapart.gymnasium:WorldVectorEnv",
        kwargs={"world": _name},
    )
