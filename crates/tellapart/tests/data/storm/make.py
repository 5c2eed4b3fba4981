"""Makes the models in this folder, and counts their classes with Storm.

Needs stormpy 2.0. Each model is a small random machine whose states are copied and shuffled, in the explicit form of
Storm, with labels, rewards of states and rewards of transitions. `classes.txt` holds what Storm says: states, and
classes without rewards, with those of states, and with all.
"""

import random

import stormpy
from stormpy import developer
from stormpy.developer import storage


def write(name, seed):
    pick = random.Random(seed)
    kinds, copies, actions = pick.randint(4, 12), pick.randint(1, 4), pick.randint(1, 3)
    states = list(range(kinds * copies))
    pick.shuffle(states)
    members = [states[kind * copies : (kind + 1) * copies] for kind in range(kinds)]
    kind_of = {state: kind for kind, group in enumerate(members) for state in group}
    next_kind = [[pick.randrange(kinds) for _ in range(actions)] for _ in range(kinds)]
    labels = [[label for label in ("a", "b") if pick.random() < 0.08] for _ in range(kinds)]
    state_rewards = [pick.choice([0, 0, 0, 0, 0, 0, 0, 0.5]) for _ in range(kinds)]
    step_rewards = [[pick.choice([0] * 12 + [1, 0.25]) for _ in range(actions)] for _ in range(kinds)]

    lines, lab, rew, trew = ["dtmc" if actions == 1 else "mdp"], [], [], []
    for state in sorted(kind_of):
        kind = kind_of[state]
        for action in range(actions):
            to, other = pick.choice(members[next_kind[kind][action]]), pick.choice(states)
            place = f"{state} " if actions == 1 else f"{state} {action} "
            # Transitions of probability 0 are none.
            targets = {to: 1, other: 0} if to != other and pick.random() < 0.3 else {to: 1}
            lines += [f"{place}{target} {targets[target]}" for target in sorted(targets)]
            # Storm refuses an empty file, so that the first transition always has a line.
            if step_rewards[kind][action] or not trew:
                trew.append(f"{place}{to} {step_rewards[kind][action]}")
        names = (["init"] if state == 0 else []) + labels[kind]
        if names:
            lab.append(" ".join([str(state)] + names))
        if state_rewards[kind] or not rew:
            rew.append(f"{state} {state_rewards[kind]}")
    for end, text in [
        ("tra", lines),
        ("lab", ["#DECLARATION", "init a b", "#END"] + lab),
        ("state.rew", rew),
        ("trans.rew", trew),
    ]:
        with open(f"{name}.{end}", "w") as file:
            file.write("".join(line + "\n" for line in text))
    return len(states)


def classes(name, state_rewards, transition_rewards):
    model = stormpy.build_model_from_explicit(
        f"{name}.tra",
        f"{name}.lab",
        state_rewards=f"{name}.state.rew" if state_rewards else None,
        transition_rewards=f"{name}.trans.rew" if transition_rewards else None,
    )
    rewards = {}
    for reward in model.reward_models.values():
        # Storm minimizes with rewards of states and choices only.
        reward.reduce_to_state_based_rewards(model.transition_matrix, False)
        rewards["r"] = reward
    parts = storage.SparseModelComponents(
        transition_matrix=model.transition_matrix,
        state_labeling=model.labeling,
        reward_models=rewards,
        rate_transitions=False,
    )
    options = developer.BisimulationOptions()
    options.preserve_all_rewards = True
    options.action_sensitive = True
    options.state_label_preservation = developer.StateLabelPreservation.ALL
    return developer.perform_bisimulation_minimization(type(model)(parts), [], options).nr_states


if __name__ == "__main__":
    with open("classes.txt", "w") as file:
        for seed in range(12):
            name = f"model{seed}"
            states = write(name, seed)
            counts = [classes(name, *kinds) for kinds in [(False, False), (True, False), (True, True)]]
            file.write(" ".join(map(str, [name, states] + counts)) + "\n")
