"""How far PyTorch's bf16 is from its f32: what `tellapart-benches precision` measures itself against.

    python3 pytorch_precision.py --encoder resnet --images 64 --seeds 5

The convolutions of an encoder of pytorch_step.py, at PyTorch's initialization, over random images, with a random
gradient of their output; under autocast, and in f32. Prints one line of JSON: for each seed the norm of the
difference over the norm, of the output and of the gradient with respect to all parameters.
"""

import argparse
import json

import torch
from torch import nn

import pytorch_step


def convolutions(encoder):
    if encoder == "resnet":
        return pytorch_step.Resnet().layers
    first, *others = pytorch_step.Cnn().convs
    return nn.Sequential(first, *(layer for conv in others for layer in (nn.ReLU(), conv)))


def gradient(layers, images, arriving, bf16):
    layers.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        output = layers(images).float()
    output.backward(arriving)
    gradients = torch.cat([parameter.grad.flatten() for parameter in layers.parameters()])
    return output.detach().double(), gradients.double()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", default="resnet", choices=["cnn", "resnet"])
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()

    off = []
    for seed in range(given.seeds):
        torch.manual_seed(seed)
        layers = convolutions(given.encoder).to(memory_format=torch.channels_last)
        images = torch.randint(0, 256, (given.images, 3, 64, 64)).div(255)
        images = images.to(memory_format=torch.channels_last)
        arriving = torch.randn_like(layers(images))
        exact = gradient(layers, images, arriving, bf16=False)
        near = gradient(layers, images, arriving, bf16=True)
        off.append([((a - b).norm() / b.norm()).item() for a, b in zip(near, exact)])
    print(json.dumps({"off": off, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
