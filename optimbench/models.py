"""The models of the source document, whose parameter shapes make realistic optimizer workloads."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def mlp() -> nn.Sequential:
    """784-256-10 for input (N, 784)."""
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet() -> nn.Sequential:
    """LeNet for input (N, 1, 32, 32)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def alexnet() -> nn.Sequential:
    """AlexNet with one input channel, for input (N, 1, 224, 224)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 96, 11, stride=4), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Linear(6400, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 10)),
    )


MODELS: dict[str, tuple[Callable[[], nn.Sequential], tuple[int, ...]]] = {  # name: constructor, shape of one input
    "MLP": (mlp, (784,)),
    "LeNet": (lenet, (1, 32, 32)),
    "AlexNet": (alexnet, (1, 224, 224)),
}
