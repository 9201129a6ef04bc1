"""The convergence experiment's problem: a noisy parabola, fitted by a network of 20 hidden units.

x has 1000 points on [-1, 1], y = x**2 + 0.1 * standard normal noise, the network is Linear(1, 20), ReLU, Linear(20, 1) and the
loss is the mean squared error over all points. Data and initial weights of a seed are drawn by numpy from a hash of the
seed, so they are the same for every optimizer and every torch, and the global generators are left alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

POINTS = 1000
HIDDEN = 20
NOISE = 0.1  # standard deviation
PARAMETERS = 3 * HIDDEN + 1


@dataclass(frozen=True)
class Problem:
    """One drawing of the data: ``x`` and ``y`` are columns of shape (1000, 1), ``noise`` is what was added to x**2."""

    seed: int
    x: torch.Tensor
    y: torch.Tensor
    noise: torch.Tensor

    @property
    def floor(self) -> float:
        """The mean square of the noise that was drawn: the loss of the true curve x**2 itself."""
        return float(self.noise.double().square().mean())

    @property
    def fitted_floor(self) -> float:
        """What a least-squares fit with as many free parameters as the network expects to reach: it also fits some noise."""
        return self.floor * (1.0 - PARAMETERS / POINTS)


def generator(purpose: str, seed: int) -> np.random.Generator:
    """A stream of random numbers of its own for each purpose and seed."""
    digest = hashlib.sha256(f"optimbench converge {purpose} {seed}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def draw(seed: int) -> Problem:
    """The data of a seed."""
    x = torch.linspace(-1.0, 1.0, POINTS).unsqueeze(1)
    noise = NOISE * torch.from_numpy(generator("data", seed).standard_normal((POINTS, 1))).float()
    return Problem(seed, x, x.square() + noise, noise)


def network(seed: int) -> nn.Sequential:
    """The network with the initial weights of a seed: uniform within 1 / sqrt(fan-in), as torch starts its linear layers."""
    rng = generator("weights", seed)
    first, last = (nn.utils.skip_init(nn.Linear, *size) for size in ((1, HIDDEN), (HIDDEN, 1)))
    with torch.no_grad():
        for layer in (first, last):
            bound = layer.in_features**-0.5
            for p in layer.parameters():
                p.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(p.shape))))
    return nn.Sequential(first, nn.ReLU(), last)
