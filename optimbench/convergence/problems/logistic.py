"""Logistic regression on real data: benign or malignant, from 30 measurements of 569 tumours."""

from __future__ import annotations

import functools

import numpy as np
import torch

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, stream

EXAMPLES, FEATURES, PENALTY = 569, 30, 0.01
NEWTON_STEPS = 50


class Logistic(Problem):
    """Mean of log(1 + exp(-t (w · x + b))) with t = ±1, plus 0.005 ‖w‖²; strictly convex, the optimum is Newton's."""

    name = "logistic"
    title = "Logistic regression, 569 tumours by 30 measurements, 32 in a step"
    objective = "mean logistic loss + 0.005 ‖w‖² (nat)"
    source = "Wolberg, Street and Mangasarian, Breast cancer Wisconsin (diagnostic), 1995; scikit-learn"
    steps = 360
    every = 18
    batch = 32
    examples = EXAMPLES
    per_example = ("x", "t")
    block = 32
    target = 0.11
    needs = "sklearn"

    def shared(self) -> Arrays:
        return dict(tumours())

    def start(self, seed: int) -> Arrays:
        rng = stream(self.name, "start", seed)
        return {"weight": rng.standard_normal(FEATURES) / FEATURES**0.5, "bias": np.zeros(1)}

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        weight, bias = parameters["weight"], parameters["bias"]
        scores = torch.matmul(data["x"], weight[:, :, None])[:, :, 0] + bias
        return torch.nn.functional.softplus(-data["t"] * scores).mean(1) + 0.5 * PENALTY * weight.square().sum(1)

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        weight, x, t = parameters["weight"], data["x"], data["t"]
        against = -t * (x @ weight + parameters["bias"])
        value = np.mean(np.logaddexp(0.0, against)) + 0.5 * PENALTY * weight @ weight
        out = -t / (1.0 + np.exp(-against)) / len(t)
        return float(value), {"weight": x.T @ out + PENALTY * weight, "bias": out.sum(keepdims=True)}

    def floor(self, seed: int) -> float:
        return self.gradient(newton(), tumours())[0]

    def optimum(self, seed: int) -> Arrays | None:
        return dict(newton())


@functools.cache
def tumours() -> Arrays:
    """``x`` (569, 30), every measurement shifted and scaled to mean 0 and deviation 1, and ``t`` (569,), ±1."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    return {"x": (found.data - found.data.mean(0)) / found.data.std(0), "t": 2.0 * found.target - 1.0}


@functools.cache
def newton() -> Arrays:
    """The optimum, by Newton's method from 0."""
    data = tumours()
    x = np.column_stack([data["x"], np.ones(EXAMPLES)])
    penalty = np.diag(np.append(np.full(FEATURES, PENALTY), 0.0))
    point = np.zeros(FEATURES + 1)
    for _ in range(NEWTON_STEPS):
        at = {"weight": point[:-1], "bias": point[-1:]}
        slope = np.concatenate(list(declared.gradient(at, data)[1].values()))
        p = 1.0 / (1.0 + np.exp(-x @ point))
        point = point - np.linalg.solve((x.T * (p * (1.0 - p))) @ x / EXAMPLES + penalty, slope)
    return {"weight": point[:-1], "bias": point[-1:]}


declared = Logistic()
declare(declared)
