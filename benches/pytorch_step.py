"""One P-JEPA training step in plain PyTorch on a CPU: what `tellapart-benches pytorch` measures itself against.

    python3 pytorch_step.py --variant channels_last --encoder cnn --threads 1 --repeats 8

Prints one line of JSON: wall milliseconds of each repeat, peak memory in MiB. The step: 256
transitions, so 512 images of 64x64x3; four 3x3 convolutions of stride 2 (32, 32, 64, 64 channels)
with ReLU, or the reference's residual encoder; latent 256; latent dynamics of one hidden layer of 512
and an auxiliary head of two, with LayerNorm and Mish; Adam. Frames arrive as u8, as they are at rest.

Start it with MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296: without them glibc hands large
buffers back to the kernel in every step and PyTorch spends up to half of its time on page faults.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

TRANSITIONS = 256
LATENT = 256
HIDDEN = 512


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [3, 32, 32, 64, 64]
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1)
            for before, after in zip(channels, channels[1:])
        )
        self.latent = nn.Linear(64 * 4 * 4, LATENT)

    def forward(self, x):
        for conv in self.convs:
            x = F.relu(conv(x))
        return self.latent(x.flatten(1))


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of each pixel."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(32) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(32, 32, 3, padding=1) for _ in range(2))

    def forward(self, x):
        y = x
        for norm, conv in zip(self.norms, self.convs):
            y = conv(F.relu(norm(y)))
        return x + y


class Resnet(nn.Module):
    """Four stages, each a strided convolution and two residual blocks, as in `encoder/resnet.rs`."""

    def __init__(self):
        super().__init__()
        layers, before = [], 3
        for _ in range(4):
            layers += [nn.Conv2d(before, 32, 3, stride=2, padding=1), Block(), Block()]
            before = 32
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(32 * 4 * 4)
        self.latent = nn.Linear(32 * 4 * 4, LATENT)

    def forward(self, x):
        return self.latent(self.norm(F.relu(self.layers(x)).flatten(1)))


def mlp(widths):
    layers = []
    for before, after in zip(widths[:-2], widths[1:-1]):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.Mish()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


class Pjepa(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = {"cnn": Cnn, "resnet": Resnet}[encoder]()
        self.dynamics = mlp([LATENT + 1, HIDDEN, LATENT])
        self.head = mlp([LATENT, HIDDEN, HIDDEN, 1])

    def forward(self, frames, actions, targets):
        # A view moves the channels: what was stored channels-last stays so where the variant wants it.
        images = frames.permute(0, 3, 1, 2).to(torch.float32, memory_format=self.layout).div(255)
        source, target = self.encoder(images).chunk(2)
        predicted = self.dynamics(torch.cat([source, actions], 1))
        dynamics = (predicted - target).square().sum(1).mean()
        return dynamics + (self.head(source) - targets).square().mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--variant",
        required=True,
        choices=[
            "eager", "channels_last", "compiled", "compiled_channels_last",
            "bf16_channels_last", "compiled_bf16_channels_last",
        ],
    )
    parser.add_argument("--encoder", default="cnn", choices=["cnn", "resnet"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=8)
    given = parser.parse_args()

    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    model = Pjepa(given.encoder)
    layout = torch.contiguous_format
    if "channels_last" in given.variant:
        layout = torch.channels_last
        model = model.to(memory_format=layout)
    # One fused kernel for all parameters, the fastest Adam there is in PyTorch.
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, fused=True)
    model.layout = layout
    losses = torch.compile(model) if "compiled" in given.variant else model
    frames = torch.randint(0, 256, (2 * TRANSITIONS, 64, 64, 3), dtype=torch.uint8)
    actions = torch.rand(TRANSITIONS, 1) * 2 - 1
    targets = torch.rand(TRANSITIONS, 1)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in given.variant):
            loss = losses(frames, actions, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        return loss

    for _ in range(3):
        step()
    milliseconds = []
    for _ in range(given.repeats):
        start = time.perf_counter()
        step()
        milliseconds.append((time.perf_counter() - start) * 1e3)
    # Not ru_maxrss: it begins at what the process that started this one held.
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
    print(json.dumps({"milliseconds": milliseconds, "peak_mib": round(peak), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
