"""Writes the HDF5 files beside it by the libraries that define them; run in this folder.

Made with minari 0.5.4, gymnasium 1.4.0, h5py 3.16.0, numpy 2.4.6, pillow 13.0.0.

The world is a counter: state 0..4, action 0 or 1, the next state is (state + 1 + action) % 5, and
the reward of a step is 1 for arriving at 2 and otherwise 0. Episode e starts in e % 5, has 4 + e
steps, and takes the action (e + t) % 2 in its step t.
"""

import os
import pathlib
import shutil
import tempfile

os.environ["MINARI_DATASETS_PATH"] = tempfile.mkdtemp()

import gymnasium as gym
import h5py
import minari
import numpy as np
from gymnasium import spaces
from minari.data_collector import EpisodeBuffer
from minari.dataset._storages.hdf5_storage import encode_frame


def play(e):
    states, actions = [e % 5], [(e + t) % 2 for t in range(4 + e)]
    for action in actions:
        states.append((states[-1] + 1 + action) % 5)
    rewards = [float(state == 2) for state in states[1:]]
    return states, actions, rewards


def vector(state):
    return np.array([state, 10 * state], dtype=np.float32)


def image(state):
    """The upper half red, the lower half green, both by the state; wider than high."""
    pixels = np.zeros((32, 40, 3), dtype=np.uint8)
    pixels[:16, :, 0] = 60 * state
    pixels[16:, :, 1] = 60 * state
    return pixels


VECTOR = spaces.Box(0, 40, (2,), np.float32)
IMAGE = spaces.Box(0, 255, (32, 40, 3), np.uint8)
ACTION = spaces.Discrete(2)


def minari_file(name, space, observe, action_space=ACTION, act=lambda a: a, infos=None, episodes=2, folder=False):
    buffers = []
    for e in range(episodes):
        states, actions, rewards = play(e)
        last = len(actions) - 1
        steps = range(len(actions))
        buffers.append(
            EpisodeBuffer(
                id=e,
                seed=e,
                observations=observe(states),
                actions=[act(a) for a in actions],
                rewards=rewards,
                terminations=[t == last and e % 2 == 0 for t in steps],
                truncations=[t == last and e % 2 == 1 for t in steps],
                infos=infos(states) if infos else {},
            )
        )
    dataset = minari.create_dataset_from_buffers(
        f"counter/{name}-v0", buffer=buffers, observation_space=space, action_space=action_space
    )
    source = pathlib.Path(dataset.storage.data_path)
    if folder:
        shutil.rmtree(f"minari_{name}", ignore_errors=True)
        target = pathlib.Path(f"minari_{name}", "data")
        target.mkdir(parents=True)
        for file in ["metadata.json", "main_data.hdf5"]:
            shutil.copyfile(source / file, target / file)
    else:
        shutil.copyfile(source / "main_data.hdf5", f"minari_{name}.hdf5")


minari_file(
    "box",
    VECTOR,
    lambda states: [vector(s) for s in states],
    infos=lambda states: {
        "state": np.array(states),
        "deep": {"twice": np.array([2 * s for s in states], dtype=np.int8)},
        "name": [f"state {s}" for s in states],
    },
    folder=True,
)
minari_file(
    "discrete",
    spaces.Discrete(5),
    lambda states: list(states),
    action_space=spaces.Box(-1, 1, (2,), np.float32),
    act=lambda a: np.array([a, -a], dtype=np.float32),
)
minari_file(
    "dict",
    spaces.Dict({"position": VECTOR, "inner": spaces.Dict({"count": spaces.Discrete(5)})}),
    lambda states: {"position": [vector(s) for s in states], "inner": {"count": list(states)}},
)
minari_file(
    "tuple",
    spaces.Tuple([spaces.Discrete(5), VECTOR]),
    lambda states: (list(states), [vector(s) for s in states]),
)
minari_file("images", IMAGE, lambda states: [image(s) for s in states])

# The layout of Minari with more than ten episodes, which its library would write in over 60 KB.
with h5py.File("minari_many.hdf5", "w") as file:
    for e in range(12):
        states, actions, rewards = play(e)
        group = file.create_group(f"episode_{e}")
        ends = np.arange(len(actions)) == len(actions) - 1
        group["observations"] = np.array(states)
        group["actions"] = np.array(actions)
        group["rewards"] = np.array(rewards, dtype=np.float32)
        group["terminations"] = ends
        group["truncations"] = np.zeros_like(ends)


def d4rl(name, next_observations):
    columns = {key: [] for key in ["observations", "next_observations", "actions", "rewards", "terminals", "timeouts"]}
    for e in range(3):
        states, actions, rewards = play(e)
        steps = len(actions)
        columns["observations"] += [vector(s) for s in states[:-1]]
        columns["next_observations"] += [vector(s) for s in states[1:]]
        columns["actions"] += [np.array([a, -a], dtype=np.float32) for a in actions]
        columns["rewards"] += [np.float32(r) for r in rewards]
        columns["terminals"] += [t == steps - 1 and e % 2 == 0 for t in range(steps)]
        columns["timeouts"] += [t == steps - 1 and e % 2 == 1 for t in range(steps)]
    states = np.array([v[0] for v in columns["observations"]])
    if not next_observations:
        del columns["next_observations"]
    with h5py.File(name, "w") as file:
        for key, values in columns.items():
            file.create_dataset(key, data=np.array(values), compression="gzip")
        file["infos/state"] = states.astype(np.int64)
        file["infos/qpos"] = states.astype(np.float64)
        file["metadata/algorithm"] = "counting"
        file["metadata/iteration"] = 7


d4rl("d4rl.hdf5", next_observations=False)
d4rl("d4rl_next.hdf5", next_observations=True)


def swm(name, pixels=True):
    """Makes the calls of stable-worldmodel's HDF5Writer: rows arrive, and actions are rotated."""
    with h5py.File(name, "w", libver="latest") as file:
        start = 0
        for e in range(3):
            states, actions, rewards = play(e)
            rows = len(states)
            columns = {
                "pixels": np.array([image(s)[12:20, 16:24] for s in states]),
                "proprio": np.array([vector(s) for s in states]),
                "action": np.array([[a, -a] for a in actions] + [[np.nan] * 2], dtype=np.float32),
                "reward": np.array([np.nan] + rewards, dtype=np.float64),
                "terminated": np.array([t == rows - 1 and e % 2 == 0 for t in range(rows)]),
                "truncated": np.array([t == rows - 1 and e % 2 == 1 for t in range(rows)]),
                "step_idx": np.arange(rows),
            }
            if e == 0:
                for key, values in columns.items():
                    shape = values.shape[1:]
                    file.create_dataset(
                        key, shape=(0, *shape), maxshape=(None, *shape), dtype=values.dtype, chunks=(1, *shape)
                    )
                file.create_dataset("task", shape=(0,), maxshape=(None,), dtype=h5py.string_dtype(), chunks=(1,))
                file.create_dataset("ep_len", shape=(0,), maxshape=(None,), dtype=np.int32)
                file.create_dataset("ep_offset", shape=(0,), maxshape=(None,), dtype=np.int64)
            for key, values in columns.items():
                file[key].resize(start + rows, axis=0)
                file[key][start : start + rows] = values
            file["task"].resize(start + rows, axis=0)
            file["task"][start : start + rows] = np.array(["count"] * rows, dtype=object)
            for key, value in [("ep_len", rows), ("ep_offset", start)]:
                file[key].resize(e + 1, axis=0)
                file[key][e] = value
            start += rows


swm("swm.h5")

# A file of something else, and a D4RL file with a filter that is not of HDF5 itself: the number of
# Blosc, on chunks that it left as they are.
with h5py.File("foreign.hdf5", "w") as file:
    file["temperature"] = np.arange(3.0)
    file["stations/names"] = np.arange(3)
with h5py.File("blosc.hdf5", "w") as file:
    rows = np.arange(4, dtype=np.float32)
    filters = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    filters.set_chunk((4,))
    filters.set_obj_track_times(False)
    filters.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((4,))
    dataset = h5py.h5d.create(file.id, b"observations", h5py.h5t.NATIVE_FLOAT, space, filters)
    dataset.write_direct_chunk((0,), rows.tobytes())
    for key in ["actions", "rewards"]:
        file[key] = rows
    file["terminals"] = rows == 3

# Cases at the edge, by hand: each file is what its name says.
with h5py.File("d4rl_breaks.hdf5", "w") as file:  # big-endian; an episode ends unmarked after row 2
    file["observations"] = np.array([0, 1, 2, 7, 8, 9], dtype=">i4")
    file["next_observations"] = np.array([1, 2, 3, 8, 9, 10], dtype=">i4")
    file["actions"] = np.array([1, 1, 1, 0, 0, 0], dtype=">i2")
    file["rewards"] = np.array([1, 2, 3, 4, 5, 6], dtype=">f4")
    file["terminals"] = np.zeros(6, dtype=np.uint8)
    file["large"] = np.full(6, 2**53 + 1)
    file["short"] = np.arange(5)
with h5py.File("swm_order.h5", "w") as file:  # rows 2 and 3 of no episode, later rows first, no flags
    file["observation"] = np.arange(8, dtype=np.float32)[:, None]
    file["action"] = np.arange(8)
    file["reward"] = 10 * np.arange(8)
    file["ep_len"] = np.array([4, 0, 2], dtype=np.int32)
    file["ep_offset"] = np.array([4, 4, 0])
with h5py.File("swm_outside.h5", "w") as file:  # the second episode takes rows of the first
    file["observation"] = np.arange(8, dtype=np.float32)[:, None]
    file["action"] = np.arange(8)
    file["ep_len"] = np.array([6, 6], dtype=np.int32)
    file["ep_offset"] = np.array([0, 2])
for name, dtype, terminations, actions in [
    ("minari_goes_on.hdf5", "f8", [False, True, False], [0, 1, 0]),
    ("minari_ragged.hdf5", "f8", [False, False, True], [0, 1]),
    ("minari_half.hdf5", ">f2", [False, False, True], [0, 1, 0]),
    ("minari_complex.hdf5", "c8", [False, False, True], [0, 1, 0]),
]:
    with h5py.File(name, "w") as file:
        group = file.create_group("episode_0")
        group["observations"] = (np.arange(4) / 4).astype(dtype)
        group["actions"] = np.array(actions)
        group["rewards"] = np.zeros(3)
        group["terminations"] = np.array(terminations)
        group["truncations"] = np.zeros(3, dtype=bool)
with h5py.File("minari_bfloat.hdf5", "w") as file:
    bfloat = h5py.h5t.IEEE_F32LE.copy()
    bfloat.set_fields(15, 7, 8, 0, 7)
    bfloat.set_size(2)
    space = h5py.h5s.create_simple((4,))
    group = file.create_group("episode_0")
    h5py.h5d.create(group.id, b"observations", bfloat, space)
    for key in ["actions", "rewards", "terminations"]:
        group[key] = np.zeros(3, dtype=np.int64)
with h5py.File("minari_gray.hdf5", "w") as file:  # JPEG of one length is a matrix of bytes
    images = [np.full((32, 48), level, dtype=np.uint8) for level in [16, 200, 200]]
    group = file.create_group("episode_0")
    group["observations"] = np.array([encode_frame(image) for image in images])
    group["actions"] = np.array([[1], [0]])
    group["rewards"] = np.zeros(2)
    group["terminations"] = np.array([False, True])
    group["truncations"] = np.zeros(2, dtype=bool)
    group["infos/count"] = np.arange(3)
    group = file.create_group("episode_1")
    group["observations"] = np.array([encode_frame(images[0])])
    group["actions"] = np.zeros((0, 1), dtype=np.int64)
    group["rewards"] = np.zeros(0)
    group["terminations"] = group["truncations"] = np.zeros(0, dtype=bool)
with h5py.File("huge.hdf5", "w") as file:  # claims values that were never written
    for key in ["observations", "actions", "rewards", "terminals"]:
        file.create_dataset(key, shape=(2**40,), dtype=np.float32, chunks=(2**20,))
with h5py.File("packed.hdf5", "w") as file:  # claims values that would be packed, and never were
    for key in ["observations", "actions", "rewards", "terminals"]:
        file.create_dataset(key, shape=(2**24,), dtype=np.float32, chunks=(2**16,), compression="gzip")
MANY = 2**60  # rows without values take no space, however many
with h5py.File("no_values_d4rl.hdf5", "w") as file:
    for key in ["observations", "actions", "rewards", "terminals"]:
        file.create_dataset(key, shape=(MANY, 0), dtype=np.float32)
with h5py.File("no_values_minari.hdf5", "w") as file:
    file.create_dataset("episode_0/observations", shape=(MANY + 1, 0), dtype=np.float32)
    for key in ["actions", "rewards"]:
        file.create_dataset(f"episode_0/{key}", shape=(MANY, 0), dtype=np.float32)
with h5py.File("no_values_swm.h5", "w") as file:
    for key in ["observation", "action"]:
        file.create_dataset(key, shape=(MANY, 0), dtype=np.float32)
    file["ep_len"], file["ep_offset"] = np.array([MANY]), np.array([0])
with h5py.File("no_rows.hdf5", "w") as file:  # no rows, of more values than a memory has addresses
    for key in ["observations", "actions", "rewards", "terminals"]:
        file.create_dataset(key, shape=(0, 2**33, 2**33), dtype=np.float32)
with h5py.File("bfloat.hdf5", "w") as file:  # floats of 2 bytes, but of 8 bits of exponent
    kind = h5py.h5t.IEEE_F16LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_ebias(127)
    h5py.h5d.create(file.id, b"observations", kind, h5py.h5s.create_simple((4,)))
    file["actions"], file["rewards"] = np.arange(4), np.arange(4.0)
    file["timeouts"] = np.array([False, False, False, True])
