"""The built-in worlds as environments of Gymnasium."""

import warnings

import numpy as np
import pytest

import tellapart

gym = pytest.importorskip("gymnasium")
import tellapart.gymnasium  # noqa: E402

WORLDS = ["Counting", "Gridworld", "Torus"]


@pytest.mark.parametrize("name", WORLDS)
def test_the_checker_of_gymnasium_finds_nothing(name: str) -> None:
    from gymnasium.utils.env_checker import check_env

    env = gym.make(f"tellapart/{name}-v0", render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


@pytest.mark.parametrize("name", WORLDS)
def test_a_vector_is_many_of_one(name: str) -> None:
    vector = gym.make_vec(f"tellapart/{name}-v0", num_envs=3, max_steps=3)
    assert vector.unwrapped.metadata["autoreset_mode"] == gym.vector.AutoresetMode.NEXT_STEP
    assert isinstance(vector.unwrapped, tellapart.gymnasium.WorldVectorEnv)
    first = vector.reset(seed=5)[0]
    single = gym.make(f"tellapart/{name}-v0", max_steps=3)
    # Environment 0 draws from the first stream of a seed, and so does a single one.
    assert np.array_equal(single.reset(seed=5)[0], first[0])
    vector.action_space.seed(1)
    ended = np.zeros(3, bool)
    single_ended = False
    for _ in range(20):
        actions = vector.action_space.sample()
        frames, values, terminated, truncated, info = vector.step(actions)
        assert frames.shape == (3, *vector.single_observation_space.shape)
        assert np.all(np.isfinite(values)) and info["state"].shape == (3,)
        # One that ended begins anew, and so has not ended again.
        assert not np.any(ended & (terminated | truncated))
        if single_ended:
            frame = single.reset()[0]
            single_ended = False
        else:
            frame, value, over, cut, _ = single.step(actions[0])
            assert value == values[0] and (over, cut) == (terminated[0], truncated[0])
            single_ended = over or cut
        assert np.array_equal(frame, frames[0])
        ended = terminated | truncated


def test_the_system_behind_is_the_ground_truth() -> None:
    env = gym.make("tellapart/Counting-v0", actions="one-hot-2").unwrapped
    system = env.system()
    assert tellapart.largest_bisimulation(system).n_classes == 9
    assert system.action_names == ("remove", "add")
    state = env.reset(seed=0)[1]["state"]
    for _ in range(3):
        *_, terminated, truncated, info = env.step(1)
        assert info["state"] == system.next[state, 1]
        state = info["state"]
        if terminated or truncated:
            break


def test_options_and_actions_are_checked() -> None:
    with pytest.raises(tellapart.DataError, match="view_radios"):
        gym.make("tellapart/Gridworld-v0", view_radios=2)
    env = gym.make("tellapart/Gridworld-v0", view_radius=0, disable_env_checker=True).unwrapped
    with pytest.raises(tellapart.DataError, match="reset"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(tellapart.DataError):
        env.step(99)
