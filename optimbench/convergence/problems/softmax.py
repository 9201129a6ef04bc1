"""Softmax regression on real data: which digit, from 64 grey values."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import torch

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, stream
from optimbench.convergence.problems.digits import CLASSES, SIDE, cross_entropy, digits

EXAMPLES, PENALTY = 1797, 1e-3
NEWTON_STEPS = 50
SHAPES = {"weight": (CLASSES, SIDE * SIDE), "bias": (CLASSES,)}


class Softmax(Problem):
    """Mean cross entropy of a linear model plus 0.0005 ‖W‖²; convex, the optimum is Newton's."""

    name = "softmax"
    title = "Softmax regression, 1797 digits of 8 by 8, 32 in a step"
    objective = "mean cross entropy + 0.0005 ‖W‖² (nat)"
    source = "Alpaydin and Kaynak, Optical recognition of handwritten digits, 1998; scikit-learn"
    dtype = "float32"
    steps = 342
    every = 19
    batch = 32
    examples = EXAMPLES
    per_example = ("x", "label")
    block = 16
    tuning_seeds = 4
    target = 0.3
    needs = "sklearn"

    def shared(self) -> Arrays:
        found = digits()
        return {"x": found["image"].reshape(EXAMPLES, -1), "label": found["label"]}

    def start(self, seed: int) -> Arrays:
        rng = stream(self.name, "start", seed)
        return {name: rng.uniform(-0.125, 0.125, shape) for name, shape in SHAPES.items()}

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        weight, bias = parameters["weight"], parameters["bias"]
        scores = torch.matmul(data["x"], weight.mT) + bias[:, None]
        label = data["label"].expand(len(weight), -1)
        entropy = -scores.log_softmax(2).gather(2, label[:, :, None]).mean((1, 2))
        return entropy + 0.5 * PENALTY * weight.square().sum((1, 2))

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        weight = parameters["weight"]
        value, out = cross_entropy(data["x"] @ weight.T + parameters["bias"], data["label"])
        slope = {"weight": out.T @ data["x"] + PENALTY * weight, "bias": out.sum(0)}
        return value + 0.5 * PENALTY * float(np.sum(weight**2)), slope

    def floor(self, seed: int) -> float:
        return self.gradient(best(), self.shared())[0]

    def optimum(self, seed: int) -> Arrays | None:
        return dict(best())


@functools.cache
def best() -> Arrays:
    """The optimum, by Newton's method from 0. A number added to all biases changes nothing, and a step has none."""
    data = declared.shared()
    x = np.column_stack([data["x"], np.ones(EXAMPLES)])
    penalty = np.diag(np.append(np.full(SIDE * SIDE, PENALTY), 0.0))
    point = np.zeros((CLASSES, SIDE * SIDE + 1))
    for _ in range(NEWTON_STEPS):
        slope = declared.gradient(parted(point), data)[1]
        flat = np.column_stack([slope["weight"], slope["bias"]]).ravel()
        scores = x @ point.T
        p = np.exp(scores - scores.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        hessian = np.empty((CLASSES, SIDE * SIDE + 1, CLASSES, SIDE * SIDE + 1))
        for i, j in itertools.product(range(CLASSES), repeat=2):
            weight = p[:, i] * ((i == j) - p[:, j])
            hessian[i, :, j] = (x.T * weight) @ x / EXAMPLES + (penalty if i == j else 0.0)
        step = np.linalg.lstsq(hessian.reshape(point.size, -1), flat, rcond=1e-12)[0]
        point = point - step.reshape(point.shape)
        if np.abs(step).max() < 1e-12:
            break
    return parted(point)


def parted(point: np.ndarray) -> Arrays:
    return {"weight": point[:, :-1], "bias": point[:, -1]}


declared = Softmax()
declare(declared)
