"""A noisy sparse regression: few of many features matter, and a penalty on the absolute weights is to find them (the lasso)."""

from __future__ import annotations

import functools

import numpy as np
import torch

from optimbench.convergence.problem import Arrays, Problem, Tensors, declare, stream

EXAMPLES, FEATURES, TRUE, NOISE, PENALTY = 200, 50, 5, 0.5, 0.1  # NOISE: standard deviation
SWEEPS = 2000


class SparseRegression(Problem):
    """Half the mean squared error of a linear model plus 0.1 ‖w‖₁; y = X w + noise with 5 weights that are not 0.

    The slope of the penalty at a weight of 0 counts as 0.
    """

    name = "sparse-regression"
    title = "The lasso: 200 noisy examples of 50 features, 5 of which matter, 20 examples in a step"
    objective = "½ mean squared error + 0.1 ‖w‖₁ (dimensionless)"
    source = "Tibshirani, Regression shrinkage and selection via the lasso, 1996"
    steps = 1000
    every = 20
    batch = 20
    examples = EXAMPLES
    per_example = ("x", "y")
    block = 64

    def data(self, seed: int) -> Arrays:
        rng = stream(self.name, "data", seed)
        x = rng.standard_normal((EXAMPLES, FEATURES))
        weights = np.zeros(FEATURES)
        weights[rng.permutation(FEATURES)[:TRUE]] = rng.choice([-1.0, 1.0], TRUE) * rng.uniform(0.5, 2.0, TRUE)
        return {"x": x, "y": x @ weights + NOISE * rng.standard_normal(EXAMPLES)}

    def start(self, seed: int) -> Arrays:
        return {"weights": 0.1 * stream(self.name, "start", seed).standard_normal(FEATURES)}

    def losses(self, parameters: Tensors, data: Tensors) -> torch.Tensor:
        weights = parameters["weights"]
        error = torch.bmm(data["x"], weights[:, :, None])[:, :, 0] - data["y"]
        return 0.5 * error.square().mean(1) + PENALTY * weights.abs().sum(1)

    def gradient(self, parameters: Arrays, data: Arrays) -> tuple[float, Arrays]:
        weights = parameters["weights"]
        error = data["x"] @ weights - data["y"]
        value = 0.5 * np.mean(error**2) + PENALTY * np.abs(weights).sum()
        return float(value), {"weights": data["x"].T @ error / len(error) + PENALTY * np.sign(weights)}

    def floor(self, seed: int) -> float:
        return self._solution(seed)[0]

    def optimum(self, seed: int) -> Arrays | None:
        return {"weights": self._solution(seed)[1].copy()}

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - the only instance lives as long as the program
    def _solution(self, seed: int) -> tuple[float, np.ndarray]:
        """The optimum by coordinate descent, until nothing moves any more."""
        data = self.data(seed)
        x, y = data["x"], data["y"]
        scale = (x**2).mean(0)
        weights = np.zeros(FEATURES)
        rest = y.copy()
        for _ in range(SWEEPS):
            before = weights.copy()
            for j in range(FEATURES):
                pull = x[:, j] @ rest / EXAMPLES + scale[j] * weights[j]
                new = np.sign(pull) * max(abs(pull) - PENALTY, 0.0) / scale[j]
                rest += x[:, j] * (weights[j] - new)
                weights[j] = new
            if np.abs(before - weights).max() < 1e-14:
                break
        return self.gradient({"weights": weights}, data)[0], weights


declare(SparseRegression())
