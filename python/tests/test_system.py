"""Systems and their largest bisimulations."""

import numpy as np
import pytest

import tellapart


def refined(after: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Return the classes by refinement until nothing changes: slow and obvious."""
    labels = np.unique(output, axis=0, return_inverse=True)[1].ravel()
    while True:
        seen = np.column_stack([labels, labels[after]])
        finer = np.unique(seen, axis=0, return_inverse=True)[1].ravel()
        if finer.max() == labels.max():
            return finer
        labels = finer


@pytest.mark.parametrize("seed", range(40))
def test_labels_are_those_of_plain_refinement(seed: int) -> None:
    rng = np.random.default_rng(seed)
    states, actions = int(rng.integers(1, 40)), int(rng.integers(1, 4))
    after = rng.integers(0, states, (states, actions))
    output = rng.integers(0, 2, (states, int(rng.integers(1, 3)))).astype(float)
    found = tellapart.largest_bisimulation(after, output)
    expected = refined(after, output)
    assert found.n_classes == len(found) == expected.max() + 1
    assert np.array_equal(found.labels[:, None] == found.labels, expected[:, None] == expected)
    assert found.sizes.sum() == states
    found.verify()
    quotient = found.quotient()
    assert (quotient.n_states, quotient.n_actions) == (found.n_classes, actions)
    for a, b in rng.integers(0, states, (10, 2)):
        witness = found.witness(int(a), int(b))
        assert (witness is None) == (expected[a] == expected[b])
        if witness is not None:
            ends = [int(a), int(b)]
            for action in witness.actions:
                ends = [int(after[state, action]) for state in ends]
            assert witness.ends == tuple(ends)
            values = tuple(
                output[end, 0] if output.shape[1] == 1 else tuple(output[end]) for end in ends
            )
            assert witness.outputs == values and values[0] != values[1]


def test_toy_worlds_of_gymnasium_have_their_classes() -> None:
    gym = pytest.importorskip("gymnasium")
    for name, options, classes in [
        ("FrozenLake-v1", {"map_name": "4x4", "is_slippery": False}, 12),
        ("FrozenLake-v1", {"map_name": "8x8", "is_slippery": False}, 54),
        ("CliffWalking-v1", {}, 48),
        ("Taxi-v4", {}, 500),
    ]:
        env = gym.make(name, **options)
        plain = tellapart.System.from_gymnasium(env, absorbing=False)
        assert tellapart.largest_bisimulation(plain).n_classes == classes
        stops = tellapart.System.from_gymnasium(env)
        assert tellapart.largest_bisimulation(stops).n_classes == classes + 1
    with pytest.raises(tellapart.StochasticTransition, match="state 0, action 0 leads to"):
        tellapart.System.from_gymnasium(gym.make("FrozenLake-v1"))
    with pytest.raises(tellapart.DataError, match="no table of transitions"):
        tellapart.System.from_gymnasium(gym.make("CartPole-v1"))


def test_files_and_graphs(tmp_path) -> None:  # type: ignore[no-untyped-def]
    system = tellapart.System(
        [[0, 1], [0, 2], [1, 2]], [0.0, 0.0, 1.0], action_names=["left", "right"]
    )
    for name in ["lift.tsys", "lift.npz"]:
        system.save(tmp_path / name)
        again = tellapart.System.load(tmp_path / name)
        assert np.array_equal(again.next, system.next)
        assert np.array_equal(again.output, system.output)
    assert system.action_names == ("left", "right")
    networkx = pytest.importorskip("networkx")
    graph = system.to_networkx()
    assert isinstance(graph, networkx.MultiDiGraph) and len(graph.edges) == 6
    assert graph.nodes[2]["output"] == 1.0


def test_bad_systems_are_refused_in_words() -> None:
    for after, output, said in [
        ([[0, 3], [0, 1]], [0, 1], "state 0 under action 1 leads to 3"),
        ([[0, -1], [0, 1]], [0, 1], "state 0, action 1: -1 is no state"),
        ([0, 1], [0, 1], "expected \\[states, actions\\]"),
        ([[0]], [0.0, 1.0], "because `next` has 1 states"),
        ([[0]], [float("nan")], "NaN"),
        ([["a"]], [0], "array of numbers or bools"),
    ]:
        with pytest.raises(tellapart.DataError, match=said):
            tellapart.largest_bisimulation(after, output)  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        tellapart.largest_bisimulation([[0]], [0]).witness(0, 1)
