"""The `joint-reward` run in plain PyTorch on a CPU: what `tellapart-benches pytorch-updates` measures itself against.

    python3 pytorch_run.py --variant channels_last --updates 2400 --threads 1

The same recipe as the defaults of tellapart: the counting world (frames drawn by NumPy, a few thousand
at a time), batches of 128 consecutive observations, three convolutions with channel LayerNorm, orthogonal
dynamics by Bjorck's iteration, a linear head of norm 0.25, latent noise, L_dyn ramped in, Adam with
warm-up and cosine, gradients of each network clipped. Prints one line of JSON: seconds of each update
after the first ten, how many of them drew the world, losses, nearest-centroid accuracy on fresh observations.

Start it with MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296, see pytorch_step.py.
"""

import argparse
import json
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from pytorch_step import ChannelNorm

WINDOW, LATENT, CHUNK = 128, 32, 4096


def shapes():
    """Four 7x7 masks: circle, square, triangle, line."""
    y, x = np.mgrid[-3:4, -3:4]
    circle, square = 4 * (y * y + x * x) <= 49, np.ones((7, 7), bool)
    triangle = np.abs(x) <= (y + 3) / 2
    line = (x == y) | (x == y + 1)
    return np.stack([circle, square, triangle, line])


class Counting:
    """One endless stream of episodes."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.masks = shapes()
        self.left, self.repeat = 0, 0

    def chunk(self):
        """Frames, counts, actions and whether the next row is the successor, CHUNK of each."""
        rng, n = self.rng, CHUNK
        count, action, last = np.empty(n, int), np.empty(n, np.float32), np.empty(n, bool)
        shape, color = np.empty(n, int), np.empty((n, 3), np.uint8)
        for row in range(n):
            begins = False
            if self.left == 0:
                self.left, begins = 5, True
                self.count = rng.integers(0, 9)
                self.look = rng.integers(0, 4), rng.integers(30, 226, 3)
            if self.repeat == 0:
                self.action, self.repeat = rng.uniform(-1, 1), 5
            count[row], action[row] = self.count, self.action
            shape[row], color[row] = self.look
            self.left, self.repeat = self.left - 1, self.repeat - 1
            if self.count == 4 and not begins:
                self.left = 0
            last[row] = self.left == 0
            self.count = int(np.clip(self.count + (1 if self.action >= 0 else -1), 0, 8))
        return self.draw(count, shape, color), count, action, last

    def draw(self, count, shape, color):
        rng, n = self.rng, len(count)
        at = np.full((n, 8, 2), -1000)
        for place in range(8):
            open_rows = np.flatnonzero(count > place)
            for attempt in range(50):
                tried = rng.integers(3, 61, (len(open_rows), 2))
                at[open_rows, place] = tried
                gap = ((at[open_rows, :place] - tried[:, None]) ** 2).sum(2)
                if attempt == 49 or place == 0:
                    break
                open_rows = open_rows[(gap < 49).any(1)]
                if len(open_rows) == 0:
                    break
        frames = np.zeros((n, 64, 64, 3), np.uint8)
        rows, places = np.nonzero(np.arange(8) < count[:, None])
        object_, dy, dx = np.nonzero(self.masks[shape[rows]])
        rows, places = rows[object_], places[object_]
        y, x = at[rows, places, 0] + dy - 3, at[rows, places, 1] + dx - 3
        frames[rows, y, x] = color[rows]
        return frames


def as_unit(frames):
    """u8 as stored, [batch, height, width, channel], to [0, 1]; a view is all that moves the channels."""
    return frames.permute(0, 3, 1, 2).float().div(255)


def bjorck(w):
    """Five steps, which is what the matrices of this recipe take; to find that out, as the crate does, would cost more."""
    gram = w.transpose(1, 2) @ w
    w = w / gram.abs().sum(2).amax(1).sqrt()[:, None, None]
    for _ in range(5):
        w = 1.5 * w - 0.5 * (w @ (w.transpose(1, 2) @ w))
    return w


class Dynamics(nn.Module):
    """One orthogonal network of three layers with MaxMin for each of the two actions."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([nn.init.orthogonal_(torch.empty(LATENT, LATENT)) for _ in range(6)]))
        self.bias = nn.Parameter(torch.empty(6, 1, LATENT).uniform_(-1, 1) / LATENT**0.5)

    def forward(self, z, actions):
        weight, x = bjorck(self.weight), z.expand(2, -1, -1)
        for layer in range(3):
            own = slice(2 * layer, 2 * layer + 2)
            x = torch.baddbmm(self.bias[own], x, weight[own].transpose(1, 2))
            if layer < 2:
                a, b = x.chunk(2, 2)
                x = torch.cat([torch.maximum(a, b), torch.minimum(a, b)], 2)
        return torch.where(actions[:, None] < 0, x[0], x[1])


class Pjepa(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 32, 8, 4, 2), ChannelNorm(32), nn.ReLU(),
            nn.Conv2d(32, 32, 3, 2, 1), ChannelNorm(32), nn.ReLU(),
            nn.Conv2d(32, 64, 3, 2, 1), ChannelNorm(64), nn.ReLU(),
            nn.Flatten(), nn.Linear(1024, 256), nn.LayerNorm(256), nn.ReLU(), nn.Linear(256, LATENT),
        )
        self.dynamics = Dynamics()
        self.head = nn.ParameterList([nn.Parameter(torch.empty(1, LATENT).uniform_(-1, 1) / LATENT**0.5),
                                      nn.Parameter(torch.zeros(1))])

    def forward(self, images, actions, targets, follows, noise):
        z = self.encoder(as_unit(images))
        predicted = self.dynamics(z + noise[0], actions)[:-1]
        dynamics = ((predicted - z[1:]).square().sum(1) * follows).sum() / follows.sum()
        weight = self.head[0] / self.head[0].norm() * 0.25
        auxiliary = (F.linear(z + noise[1], weight, self.head[1]) - targets).square().mean()
        return dynamics, auxiliary


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", default="channels_last", choices=["eager", "channels_last", "compiled",
                                                                      "compiled_channels_last"])
    parser.add_argument("--updates", type=int, default=2400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    model = Pjepa()
    layout = torch.channels_last if "channels_last" in given.variant else torch.contiguous_format
    model = model.to(memory_format=layout)
    losses = torch.compile(model) if "compiled" in given.variant else model
    parts = [model.encoder, model.dynamics, model.head]
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.95), fused=True)
    world, held, at = Counting(given.seed), None, CHUNK
    times, drawing = [], 0.0
    for update in range(given.updates):
        start = time.perf_counter()
        if at + WINDOW > CHUNK:
            held, at = world.chunk(), 0
            drawing += time.perf_counter() - start
        frames, count, action, last = (part[at:at + WINDOW] for part in held)
        at += WINDOW
        targets = torch.from_numpy((count == 4).astype(np.float32))[:, None]
        follows = torch.from_numpy((~last[:-1]).astype(np.float32))
        noise = 0.05 * torch.randn(2, WINDOW, LATENT)
        dynamics, auxiliary = losses(torch.from_numpy(frames), torch.from_numpy(action), targets, follows, noise)
        ramp = 0.25 * min(max((update - 250) / 500, 0.0), 1.0)
        progress = max(update - 50, 0) / max(given.updates - 50, 1)
        rate = min((update + 1) / 50, 1) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        optimizer.param_groups[0]["lr"] = 3e-3 * rate
        optimizer.zero_grad(set_to_none=True)
        (ramp * dynamics + auxiliary).backward()
        for part in parts:
            nn.utils.clip_grad_norm_(part.parameters(), 5.0)
        optimizer.step()
        times.append(time.perf_counter() - start)
    with torch.no_grad():
        frames, count, _, _ = Counting(given.seed + 1000).chunk()
        z, count = model.encoder(as_unit(torch.from_numpy(frames[:2000]))), torch.from_numpy(count[:2000])
        centroids = torch.stack([z[count == k].mean(0) for k in range(9)])
        accuracy = (torch.cdist(z, centroids).argmin(1) == count).float().mean().item()
    print(json.dumps({
        "seconds": times[10:], "drawing_seconds": drawing / len(times) * len(times[10:]), "loss_dynamics": dynamics.item(), "loss_auxiliary": auxiliary.item(),
        "nearest_centroid_accuracy": accuracy, "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
