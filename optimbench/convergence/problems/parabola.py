"""The document's experiment: a noisy parabola, fitted by a network of 20 hidden units; over all points, and in batches.

x has 1000 points on [-1, 1], y = x**2 + 0.1 * standard normal noise, the network is Linear(1, 20), ReLU, Linear(20, 1) and the
objective is the mean squared error over all points.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from optimbench.convergence.problem import Array, Arrays, Problem, Tensors, declare, stream, uniform_by_fan_in

threshold_backward = torch.ops.aten.threshold_backward  # of ReLU: what comes back where it was above 0

POINTS, HIDDEN, NOISE = 1000, 20, 0.1  # NOISE: standard deviation
GRID = np.linspace(-1.0, 1.0, POINTS, dtype=np.float32)[:, None]


class Parabola(Problem):
    title = "The document's x² + noise, a 1-20-1 network, all 1000 points in a step"
    objective = "mean squared error (dimensionless)"
    source = "the document, section 3.6.5"
    steps = 200
    dtype = "float32"
    block = 16
    target = 0.012  # a fifth above the variance of the noise
    examples = POINTS
    per_example = ("x", "y")

    def __init__(self, name: str, **fields: Any) -> None:
        self.name = name
        vars(self).update(fields)

    def shared(self) -> Arrays:
        return {"x": GRID}

    def noise(self, seed: int) -> np.ndarray[Any, Any]:
        """What is added to the parabola, (1000, 1); the same for both ways to train."""
        return (NOISE * stream("parabola", "noise", seed).standard_normal((POINTS, 1))).astype(np.float32)

    def data(self, seed: int) -> Arrays:
        return {"y": GRID**2 + self.noise(seed)}

    def start(self, seed: int) -> Arrays:
        rng = stream("parabola", "start", seed)
        return {
            "hidden.weight": uniform_by_fan_in(rng, (HIDDEN, 1), 1),
            "hidden.bias": uniform_by_fan_in(rng, (HIDDEN,), 1),
            "output.weight": uniform_by_fan_in(rng, (1, HIDDEN), HIDDEN),
            "output.bias": uniform_by_fan_in(rng, (1,), HIDDEN),
        }

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        w1, b1, w2, b2 = parameters.values()
        hidden = torch.addcmul(b1[:, :, None], w1, data["x"].transpose(1, 2)).relu()
        return (torch.baddbmm(b2[:, :, None], w2, hidden) - data["y"].transpose(1, 2)).square().mean((1, 2))

    def differentiate(self, parameters: Tensors, data: Tensors) -> tuple[torch.Tensor, Tensors]:
        """Backpropagation by hand, half the cost of a traced one for so small a network."""
        with torch.no_grad():
            w1, b1, w2, b2 = parameters.values()
            x = data["x"].expand(len(w1), -1, -1)
            hidden = torch.addcmul(b1[:, :, None], w1, x.mT).relu_()
            error = torch.baddbmm(b2[:, :, None], w2, hidden).sub_(data["y"].mT)
            losses = error.square().mean((1, 2))
            out = error.mul_(2.0 / error.shape[2])
            back = threshold_backward(torch.bmm(w2.mT, out), hidden, 0.0)
            gradients = (torch.bmm(back, x), back.sum(2), torch.bmm(out, hidden.mT), out.sum(2))
            return losses, dict(zip(parameters, gradients))

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        w1, b1, w2, b2 = parameters.values()
        x, y = data["x"], data["y"]
        hidden = np.maximum(x @ w1.T + b1, 0.0)
        error = hidden @ w2.T + b2 - y
        out = 2.0 * error / len(x)
        back = (out @ w2) * (hidden > 0)
        gradients = (back.T @ x, back.sum(axis=0), out.T @ hidden, out.sum(axis=0))
        return float(np.mean(error**2)), dict(zip(parameters, gradients))

    def points(self, seed: int) -> tuple[Array, Array]:
        """The data of a seed, (1000,) each."""
        return self.shared()["x"][:, 0].astype(float), self.data(seed)["y"][:, 0].astype(float)

    def truth(self, x: Array) -> Array:
        """The curve under the noise."""
        return x**2

    def learnt(self, parameters: Array, x: Array) -> Array:
        """What the network with trained parameters, (61,), makes of ``x`` (G,): (G,)."""
        w1, b1, w2, b2 = np.split(parameters, [HIDDEN, 2 * HIDDEN, 3 * HIDDEN])
        return np.maximum(x[:, None] * w1 + b1, 0.0) @ w2 + b2

    def floor(self, seed: int) -> float:
        """The mean square of the noise that was drawn: the objective of the true curve x**2 itself.

        A fit may lie lower by the part of the noise that 61 free parameters follow, 6.1 % of it for a linear model.
        """
        return float(np.mean(np.square(self.noise(seed), dtype=np.float64)))


declare(Parabola("parabola", document=True))
declare(
    Parabola(
        "parabola-batches",
        title="The document's x² + noise, a 1-20-1 network, 20 points in a step",
        batch=20,
        every=10,
        steps=500,
        block=256,
        sweep=16,
    )
)
