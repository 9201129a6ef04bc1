"""The document's network for images, 784-256-10, on real digits."""

from __future__ import annotations

import numpy as np
import torch

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, stream, uniform_by_fan_in
from optimbench.convergence.problems.digits import CLASSES, cross_entropy, digits

SIDE, HIDDEN, EXAMPLES = 28, 256, 512


class MLP(Problem):
    """Linear(784, 256), ReLU, Linear(256, 10), mean cross entropy."""

    name = "mlp"
    title = "The document's 784-256-10 network on 512 digits of 28 by 28, 32 in a step"
    objective = "mean cross entropy (nat)"
    source = "the document, chapter 3; digits of scikit-learn"
    dtype = "float32"
    steps = 64
    every = 8
    batch = 32
    examples = EXAMPLES
    per_example = ("x", "label")
    block = 4
    tuning_seeds = 2
    target = 0.3
    needs = "sklearn"

    def shared(self) -> Arrays:
        found = digits(SIDE, EXAMPLES)
        return {"x": found["image"].reshape(EXAMPLES, -1), "label": found["label"]}

    def start(self, seed: int) -> Arrays:
        rng = stream(self.name, "start", seed)
        return {
            "hidden.weight": uniform_by_fan_in(rng, (HIDDEN, SIDE * SIDE), SIDE * SIDE),
            "hidden.bias": uniform_by_fan_in(rng, (HIDDEN,), SIDE * SIDE),
            "output.weight": uniform_by_fan_in(rng, (CLASSES, HIDDEN), HIDDEN),
            "output.bias": uniform_by_fan_in(rng, (CLASSES,), HIDDEN),
        }

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        w1, b1, w2, b2 = parameters.values()
        hidden = (torch.matmul(data["x"], w1.mT) + b1[:, None]).relu()
        scores = torch.baddbmm(b2[:, None], hidden, w2.mT)
        label = data["label"].expand(len(w1), -1)
        return -scores.log_softmax(2).gather(2, label[:, :, None]).mean((1, 2))

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        w1, b1, w2, b2 = parameters.values()
        hidden = np.maximum(data["x"] @ w1.T + b1, 0.0)
        value, out = cross_entropy(hidden @ w2.T + b2, data["label"])
        back = (out @ w2) * (hidden > 0)
        return value, dict(zip(parameters, (back.T @ data["x"], back.sum(0), out.T @ hidden, out.sum(0))))

    def floor(self, seed: int) -> float:
        """A network that fits its data perfectly has a cross entropy of 0."""
        return 0.0


declare(MLP())
