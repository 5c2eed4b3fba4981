"""A small PyTorch encoder of a recording, for `tellapart audit`.

    tellapart collect gridworld --episodes 400 --out grid.npz tints=1
    python encode.py grid.npz latents.npy
    tellapart audit --data grid.npz --embeddings latents.npy --out audit.html

Trains a JEPA with an auxiliary reward head on the recorded transitions, or with `--without-dynamics` on
the reward alone. Any encoder will do: the audit needs one row of float32 for each recorded observation, in
the order of the recording.
"""

import argparse

import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("out")
parser.add_argument("--updates", type=int, default=600)
parser.add_argument("--latent", type=int, default=32)
parser.add_argument("--without-dynamics", action="store_true")
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
torch.manual_seed(options.seed)
rng = np.random.default_rng(options.seed)

data = np.load(options.data)
frames = torch.from_numpy(data["observations"]).permute(0, 3, 1, 2)  # u8, [N, channel, height, width]
actions = torch.from_numpy(data["actions"].astype(np.int64))  # ids
rewards = torch.from_numpy(data["rewards"])
ends = data["terminals"] | data["timeouts"]
steps = np.flatnonzero(~ends[:-1])  # rows whose successor is the next row
count = int(data["action_count"]) if "action_count" in data else int(actions.max()) + 1

_, channels, height, width = frames.shape
encoder = nn.Sequential(
    nn.Conv2d(channels, 16, 4, stride=4),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(32 * (height // 4) * (width // 4), options.latent),
)
dynamics = nn.Sequential(nn.Linear(options.latent + count, 128), nn.ReLU(), nn.Linear(128, options.latent))
head = nn.Linear(options.latent, 1)
networks = nn.ModuleList([encoder, dynamics, head])
optimizer = torch.optim.Adam(networks.parameters(), lr=1e-3)


def encode(rows):
    return encoder(frames[rows].float() / 255)


for update in range(options.updates):
    rows = torch.from_numpy(rng.choice(steps, 128))
    here, there = encode(rows), encode(rows + 1)
    loss = nn.functional.mse_loss(head(here).squeeze(1), rewards[rows])
    if not options.without_dynamics:
        one_hot = nn.functional.one_hot(actions[rows], count).float()
        foreseen = dynamics(torch.cat([here, one_hot], dim=1))
        loss = loss + 0.25 * (foreseen - there).square().sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if update % 100 == 0 or update + 1 == options.updates:
        print(f"update {update}: loss {loss.item():.4f}")

with torch.no_grad():
    latents = torch.cat([encode(rows) for rows in torch.arange(len(frames)).split(1024)])
np.save(options.out, latents.numpy())  # float32, [N, latent], row i belongs to observation i
